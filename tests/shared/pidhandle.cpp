// SPDX-License-Identifier: MIT
#include "pidhandle.h"

#include "cleantest.h"
#include "procfs.h"

#include <errno.h>
#include <linux/sched.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <utility>

namespace PkTest {

constexpr idtype_t pidfdType = idtype_t(3); // P_PIDFD, which older headers do not name

PidHandle::PidHandle(qint64 pid, quint64 startTime)
    : m_pid(pid), m_fd(int(syscall(SYS_pidfd_open, pid_t(pid), 0)))
{
    if (m_fd < 0 || startTime == 0)
        return;
    const auto stat = procStat(pid);
    if (!stat || stat->startTime != startTime)
        close(std::exchange(m_fd, -1));
}

PidHandle::PidHandle(PidHandle &&other) noexcept
    : m_pid(other.m_pid), m_fd(std::exchange(other.m_fd, -1))
{
}

PidHandle &PidHandle::operator=(PidHandle &&other) noexcept
{
    std::swap(m_pid, other.m_pid);
    std::swap(m_fd, other.m_fd);
    return *this;
}

PidHandle::~PidHandle()
{
    if (m_fd >= 0)
        close(m_fd);
}

bool PidHandle::isGone() const
{
    return waitGone(QDeadlineTimer(0));
}

bool PidHandle::waitGone(QDeadlineTimer deadline) const
{
    if (m_fd < 0)
        return true;
    for (;;) {
        pollfd entry{ m_fd, POLLIN, 0 };
        const int ready = poll(&entry, 1, int(deadline.remainingTime()));
        if (ready > 0)
            return true;
        if (ready == 0)
            return false;
        if (errno != EINTR)
            return false;
    }
}

void PidHandle::sendSignal(int signal) const
{
    if (m_fd >= 0)
        syscall(SYS_pidfd_send_signal, m_fd, signal, nullptr, 0);
}

void PidHandle::end()
{
    if (m_fd < 0)
        return;
    sendSignal(SIGKILL);
    waitGone();
    siginfo_t info;
    waitid(pidfdType, id_t(m_fd), &info, WEXITED | WNOHANG);
}

void reapAdopted()
{
    siginfo_t info;
    do {
        info.si_pid = 0;
    } while (waitid(P_ALL, 0, &info, WEXITED | WNOHANG) == 0 && info.si_pid != 0);
}

static qint64 cloneWithPid(qint64 pid)
{
    const QByteArray program = helper().toLocal8Bit();
    const char *argv[] = { program.constData(), "pause", nullptr };
    pid_t wanted = pid_t(pid);
    clone_args arguments{};
    arguments.exit_signal = SIGCHLD;
    arguments.set_tid = quintptr(&wanted);
    arguments.set_tid_size = 1;
    const auto child = syscall(SYS_clone3, &arguments, sizeof arguments);
    if (child == 0) {
        setpgid(0, 0);
        execv(program.constData(), const_cast<char **>(argv));
        _exit(127);
    }
    return child;
}

PidHandle startWithPid(qint64 pid, quint64 before)
{
    for (;;) {
        const qint64 child = cloneWithPid(pid);
        if (child < 0) {
            const int error = errno;
            PidHandle none(-1);
            errno = error;
            return none;
        }
        PidHandle handle(child);
        const auto stat = procStat(child);
        if (stat && stat->startTime > before)
            return handle;
        handle.end();
    }
}

} // namespace PkTest
