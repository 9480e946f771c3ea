// SPDX-License-Identifier: MIT
#include "marker.h"

#include <QDeadlineTimer>
#include <QDir>
#include <QFile>
#include <QUuid>

#include <algorithm>
#include <utility>
#include <vector>

#include <csignal>
#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

using namespace Qt::StringLiterals;
using namespace std::chrono_literals;

namespace {

constexpr char VariableName[] = "IDE_BUILD_MARKER";

// Zombies have no environment any more, so they do not count as alive.
bool hasMarker(qint64 pid, const QString &value)
{
    QFile file(u"/proc/%1/environ"_s.arg(pid));
    if (!file.open(QIODevice::ReadOnly))
        return false;
    const QByteArray wanted = QByteArray(VariableName) + '=' + value.toLocal8Bit();
    return file.readAll().split('\0').contains(wanted);
}

// A descriptor of a process: it becomes readable when the process ends, and a signal sent through
// it cannot hit another process that got the same pid.
class PidFd
{
public:
    explicit PidFd(qint64 pid) : m_fd(int(syscall(SYS_pidfd_open, pid_t(pid), 0))) { }
    PidFd(PidFd &&other) noexcept : m_fd(std::exchange(other.m_fd, -1)) { }
    PidFd &operator=(PidFd &&other) noexcept
    {
        std::swap(m_fd, other.m_fd);
        return *this;
    }
    ~PidFd()
    {
        if (m_fd >= 0)
            close(m_fd);
    }

    int get() const { return m_fd; }
    void kill() const { syscall(SYS_pidfd_send_signal, m_fd, SIGKILL, nullptr, 0); }

private:
    int m_fd;
};

std::vector<PidFd> openAll(const Marker &marker)
{
    std::vector<PidFd> result;
    const QSet<qint64> pids = marker.processes();
    for (qint64 pid : pids) {
        PidFd process(pid);
        // Looked at again: the pid may have passed to another process before we opened it.
        if (process.get() >= 0 && hasMarker(pid, marker.value()))
            result.push_back(std::move(process));
    }
    return result;
}

bool waitForAll(const std::vector<PidFd> &processes, QDeadlineTimer deadline)
{
    std::vector<pollfd> running;
    for (const PidFd &process : processes)
        running.push_back({ process.get(), POLLIN, 0 });
    while (!running.empty()) {
        if (poll(running.data(), running.size(), int(deadline.remainingTime())) == 0)
            return false;
        std::erase_if(running, [](const pollfd &entry) { return entry.revents != 0; });
    }
    return true;
}

} // namespace

Marker::Marker() : m_value(QUuid::createUuid().toString(QUuid::WithoutBraces)) { }

Marker::Marker(const QString &value) : m_value(value) { }

QProcessEnvironment Marker::environment() const
{
    QProcessEnvironment environment = QProcessEnvironment::systemEnvironment();
    environment.insert(QLatin1StringView(VariableName), m_value);
    environment.remove(u"NINJA_STATUS"_s); // the progress bar reads the default form
    return environment;
}

QSet<qint64> Marker::processes() const
{
    QSet<qint64> result;
    const QStringList entries = QDir(u"/proc"_s).entryList(QDir::Dirs);
    for (const QString &entry : entries) {
        bool isNumber = false;
        const qint64 pid = entry.toLongLong(&isNumber);
        if (isNumber && hasMarker(pid, m_value))
            result.insert(pid);
    }
    return result;
}

// Returns as soon as none is left. Those that a member forks meanwhile are waited for, too.
bool Marker::waitUntilGone(std::chrono::milliseconds limit) const
{
    const QDeadlineTimer deadline(limit);
    for (;;) {
        const std::vector<PidFd> alive = openAll(*this);
        if (alive.empty())
            return true;
        if (!waitForAll(alive, deadline))
            return false;
    }
}

// The broom of this example, for what QProcess leaves behind.
void Marker::killAll() const
{
    const QDeadlineTimer deadline(5s);
    for (;;) {
        const std::vector<PidFd> alive = openAll(*this);
        if (alive.empty())
            return;
        for (const PidFd &process : alive)
            process.kill();
        if (!waitForAll(alive, deadline))
            return;
    }
}
