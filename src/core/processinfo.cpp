// SPDX-License-Identifier: MIT
#include <ProcessKit/processinfo.h>

#include "process_table.h"
#include "small_file.h"

#include <QtCore/qdebug.h>
#include <QtCore/qfile.h>

#include <time.h>
#include <unistd.h>

namespace ProcessKit {

/*!
    \class ProcessKit::ProcessInfo
    \inmodule ProcessKit
    \inheaderfile ProcessKit/ProcessInfo
    \brief A process as it was when the list was made that it comes from.

    Process id and start time together name a process for as long as the machine is up: when the id
    passes to another process, that one has started later. Comparison and hash use these two only.

    An object is an implicitly shared value.

    \sa ContainedProcess::members(), ContainedProcess::leftoversFound(),
    ProcessGroup::members()
*/

class ProcessInfoData : public QSharedData
{
public:
    qint64 processId = 0;
    qint64 parentProcessId = 0;
    QString name;
    quint64 startTicks = 0;
};

/*!
    Constructs an object that names no process.
*/
ProcessInfo::ProcessInfo() = default;

/*!
    Constructs the description of the process \a processId with the parent \a parentProcessId and
    the name \a name, which was started \a startTicks clock ticks after the boot.
*/
ProcessInfo::ProcessInfo(qint64 processId, qint64 parentProcessId, const QString &name,
                         quint64 startTicks)
    : d(new ProcessInfoData)
{
    d->processId = processId;
    d->parentProcessId = parentProcessId;
    d->name = name;
    d->startTicks = startTicks;
}

/*!
    Constructs a copy of \a other.
*/
ProcessInfo::ProcessInfo(const ProcessInfo &other) = default;
/*!
    Moves \a other into a new object; \a other names no process any more.
*/
ProcessInfo::ProcessInfo(ProcessInfo &&other) noexcept = default;
/*!
    Assigns \a other.
*/
ProcessInfo &ProcessInfo::operator=(const ProcessInfo &other) = default;
/*!
    Moves \a other here.
*/
ProcessInfo &ProcessInfo::operator=(ProcessInfo &&other) noexcept = default;
/*!
    Destroys the object. The process is not concerned.
*/
ProcessInfo::~ProcessInfo() = default;

/*!
    Returns \c true if the object names no process.
*/
bool ProcessInfo::isNull() const noexcept
{
    return !d;
}

/*!
    \property ProcessKit::ProcessInfo::processId
    \brief The process id.
*/
qint64 ProcessInfo::processId() const noexcept
{
    return d ? d->processId : 0;
}

/*!
    \property ProcessKit::ProcessInfo::parentProcessId
    \brief The process id of the parent. An orphan has another one than at its start.
*/
qint64 ProcessInfo::parentProcessId() const noexcept
{
    return d ? d->parentProcessId : 0;
}

/*!
    \property ProcessKit::ProcessInfo::name
    \brief The short name that the kernel has for it (proc_pid_comm(5)): 15 bytes at most.
*/
QString ProcessInfo::name() const
{
    return d ? d->name : QString();
}

/*!
    Returns the start time in clock ticks since the boot (proc_pid_stat(5), field 22).
*/
quint64 ProcessInfo::startTicks() const noexcept
{
    return d ? d->startTicks : 0;
}

/*!
    \property ProcessKit::ProcessInfo::startTime
    \brief The start as local time, exact to a clock tick, which is a hundredth of a second as a
    rule.

    It is worked out from the present time, so it moves when somebody sets the system's clock.
*/
QDateTime ProcessInfo::startTime() const
{
    if (!d)
        return {};
    // ticks count from the boot, the time of suspension included (proc_pid_stat(5))
    timespec now;
    ::clock_gettime(CLOCK_BOOTTIME, &now);
    const qint64 sinceBoot = qint64(now.tv_sec) * 1000 + now.tv_nsec / 1'000'000;
    const qint64 start = qint64(d->startTicks) * 1000 / ::sysconf(_SC_CLK_TCK);
    return QDateTime::currentDateTime().addMSecs(start - sinceBoot);
}

/*!
    Returns \c true if exactly this process still runs. It reads \c /proc; a zombie does not run.
*/
bool ProcessInfo::isRunning() const
{
    if (!d)
        return false;
    const auto entry = Native::readProcess(pid_t(d->processId));
    return entry && entry->startTime == d->startTicks && entry->isAlive();
}

/*!
    Returns the program's name and arguments as it shows them now (proc_pid_cmdline(5)), read from
    \c /proc by this very call: they may hold secrets, so nobody else reads them. The list is empty
    when the process has ended.
*/
QStringList ProcessInfo::readCommandLine() const
{
    std::string bytes;
    const std::string path = "/proc/" + std::to_string(processId()) + "/cmdline";
    // still the same process after it was read: so it was that one's
    if (!d || !Native::readFile(path.c_str(), &bytes) || !isRunning())
        return {};
    QStringList words;
    for (const char *at = bytes.c_str(); at < bytes.c_str() + bytes.size(); at += qstrlen(at) + 1)
        words.append(QFile::decodeName(at));
    return words;
}

/*!
    \fn bool ProcessKit::ProcessInfo::operator==(const ProcessInfo &a, const ProcessInfo &b)

    Returns \c true if \a a and \a b name the same process.
*/

/*!
    \fn bool ProcessKit::ProcessInfo::operator!=(const ProcessInfo &a, const ProcessInfo &b)

    Returns \c true if \a a and \a b name different processes.
*/
bool operator==(const ProcessInfo &a, const ProcessInfo &b) noexcept
{
    return a.processId() == b.processId() && a.startTicks() == b.startTicks();
}

/*!
    \fn size_t ProcessKit::ProcessInfo::qHash(const ProcessInfo &info, size_t seed)

    Returns the hash of \a info, begun with \a seed.
*/
size_t qHash(const ProcessInfo &info, size_t seed) noexcept
{
    return qHashMulti(seed, info.processId(), info.startTicks());
}

#ifndef QT_NO_DEBUG_STREAM
/*!
    \relates ProcessKit::ProcessInfo

    Writes the process id and the name of \a info to \a debug.
*/
QDebug operator<<(QDebug debug, const ProcessInfo &info)
{
    const QDebugStateSaver saver(debug);
    debug.nospace() << "ProcessInfo(" << info.processId() << ", " << info.name() << ')';
    return debug;
}
#endif

} // namespace ProcessKit
