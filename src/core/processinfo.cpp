// SPDX-License-Identifier: MIT
#include <ProcessKit/processinfo.h>

#include "process_table.h"

#include <QtCore/qdebug.h>

#include <time.h>
#include <unistd.h>

namespace ProcessKit {

class ProcessInfoData : public QSharedData
{
public:
    qint64 processId = 0;
    qint64 parentProcessId = 0;
    QString name;
    quint64 startTicks = 0;
};

ProcessInfo::ProcessInfo() = default;

ProcessInfo::ProcessInfo(qint64 processId, qint64 parentProcessId, const QString &name,
                         quint64 startTicks)
    : d(new ProcessInfoData)
{
    d->processId = processId;
    d->parentProcessId = parentProcessId;
    d->name = name;
    d->startTicks = startTicks;
}

ProcessInfo::ProcessInfo(const ProcessInfo &other) = default;
ProcessInfo::ProcessInfo(ProcessInfo &&other) noexcept = default;
ProcessInfo &ProcessInfo::operator=(const ProcessInfo &other) = default;
ProcessInfo &ProcessInfo::operator=(ProcessInfo &&other) noexcept = default;
ProcessInfo::~ProcessInfo() = default;

bool ProcessInfo::isNull() const noexcept
{
    return !d;
}

qint64 ProcessInfo::processId() const noexcept
{
    return d ? d->processId : 0;
}

qint64 ProcessInfo::parentProcessId() const noexcept
{
    return d ? d->parentProcessId : 0;
}

QString ProcessInfo::name() const
{
    return d ? d->name : QString();
}

quint64 ProcessInfo::startTicks() const noexcept
{
    return d ? d->startTicks : 0;
}

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

bool ProcessInfo::isRunning() const
{
    if (!d)
        return false;
    const auto entry = Native::readProcess(pid_t(d->processId));
    return entry && entry->startTime == d->startTicks && entry->isAlive();
}

bool operator==(const ProcessInfo &a, const ProcessInfo &b) noexcept
{
    return a.processId() == b.processId() && a.startTicks() == b.startTicks();
}

size_t qHash(const ProcessInfo &info, size_t seed) noexcept
{
    return qHashMulti(seed, info.processId(), info.startTicks());
}

#ifndef QT_NO_DEBUG_STREAM
QDebug operator<<(QDebug debug, const ProcessInfo &info)
{
    const QDebugStateSaver saver(debug);
    debug.nospace() << "ProcessInfo(" << info.processId() << ", " << info.name() << ')';
    return debug;
}
#endif

} // namespace ProcessKit
