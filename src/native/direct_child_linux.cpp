// SPDX-License-Identifier: MIT
#include "direct_child.h"

#include <errno.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

namespace ProcessKit::Native {

int DirectChild::watch(pid_t pid, UniqueFd pidfd, std::function<void()> ended)
{
    m_pid = pid;
    m_pidfd = std::move(pidfd);
    return m_watch.start(m_pidfd.get(), Reactor::Readable,
                         [ended = std::move(ended)](auto) { ended(); });
}

ChildExit DirectChild::peek()
{
    m_watch.stop();
    return wait(true);
}

ChildExit DirectChild::reap()
{
    const ChildExit exit = wait(false);
    m_watch.stopAndClose(std::move(m_pidfd));
    return exit;
}

ChildExit DirectChild::wait(bool keepZombie) const
{
    siginfo_t info{};
    rusage usage{};
    const int options = WEXITED | (keepZombie ? WNOWAIT : 0);
    long result;
    do {
        // the system call tells more than waitid(2)
        result = ::syscall(SYS_waitid, P_PIDFD, m_pidfd.get(), &info, options, &usage);
    } while (result < 0 && errno == EINTR);
    ChildExit exit;
    exit.known = result == 0; // not when the application ignores SIGCHLD, or waits for any child
    exit.signalled = info.si_code == CLD_KILLED || info.si_code == CLD_DUMPED;
    exit.code = info.si_status;
    if (exit.known)
        exit.usage = usage;
    return exit;
}

namespace {

bool orphansComeToUs()
{
    int subreaper = 0;
    ::prctl(PR_GET_CHILD_SUBREAPER, &subreaper, 0, 0, 0);
    return ::getpid() == 1 || subreaper;
}

} // namespace

void reapWhenOrphaned(pid_t pid)
{
    if (!orphansComeToUs())
        return;
    UniqueFd pidfd(int(::syscall(SYS_pidfd_open, pid, 0)));
    if (!pidfd)
        return;
    auto child = std::make_shared<DirectChild>();
    // the circle is the child's life; it is broken where it ends
    child->watch(pid, std::move(pidfd), [child]() mutable {
        child->reap();
        Reactor::instance().post([last = std::move(child)] {});
    });
}

void reapWhenOrphaned(const char *name)
{
    if (!orphansComeToUs())
        return;
    std::vector<pid_t> children;
    appendChildren(::getpid(), &children);
    for (const pid_t child : children) {
        if (const std::optional<ProcessEntry> entry = readProcess(child);
            entry && entry->name == name)
            reapWhenOrphaned(child);
    }
}

void reapAdopted(const std::function<bool(pid_t)> &isOurs)
{
    if (!orphansComeToUs())
        return;
    for (const ProcessEntry &entry : descendantsOf(::getpid())) {
        if (entry.parent == ::getpid() && !entry.isAlive() && isOurs(entry.pid)) {
            siginfo_t info;
            ::waitid(P_PID, id_t(entry.pid), &info, WEXITED | WNOHANG);
        }
    }
}

} // namespace ProcessKit::Native
