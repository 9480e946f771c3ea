// SPDX-License-Identifier: MIT
#include "barespawn.h"
#include "bareclone.h"
#include "measure.h"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

struct Launch
{
    const char *program;
    char *const *arguments;
    int output;
};

// in the child, which shares our memory until it executes
int executeLaunch(void *data)
{
    const Launch *launch = static_cast<Launch *>(data);
    if (launch->output >= 0 && syscall(SYS_dup3, launch->output, STDOUT_FILENO, 0) < 0)
        return 127;
    syscall(SYS_execve, launch->program, launch->arguments, environ);
    return 127;
}

} // namespace

BareChild bareStart(const QString &program, const QString &argument, int cgroup, int output)
{
    QByteArray programBytes = program.toLocal8Bit();
    QByteArray argumentBytes = argument.toLocal8Bit();
    char *arguments[] = { programBytes.data(), argument.isNull() ? nullptr : argumentBytes.data(),
                          nullptr };
    Launch launch{ programBytes.constData(), arguments, output };
    alignas(16) static thread_local std::array<char, 16384> stack;

    BareChild child;
    clone_args args{};
    args.flags = CLONE_VM | CLONE_VFORK | CLONE_PIDFD;
    args.pidfd = reinterpret_cast<std::uintptr_t>(&child.pidfd);
    args.exit_signal = SIGCHLD;
    args.stack = reinterpret_cast<std::uintptr_t>(stack.data());
    args.stack_size = stack.size();
    if (cgroup >= 0) {
        args.flags |= CLONE_INTO_CGROUP;
        args.cgroup = std::uint64_t(cgroup);
    }
    const long pid = bareClone(&args, sizeof args, executeLaunch, &launch);
    if (pid < 0) {
        throw Unavailable(
                QStringLiteral("clone3: %1").arg(QString::fromLocal8Bit(std::strerror(int(-pid)))));
    }
    child.pid = pid_t(pid);
    return child;
}

void bareReap(BareChild &child)
{
    siginfo_t info;
    while (waitid(P_PIDFD, id_t(child.pidfd), &info, WEXITED) < 0 && errno == EINTR) { }
    close(child.pidfd);
    child.pidfd = -1;
}
