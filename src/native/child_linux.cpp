// SPDX-License-Identifier: MIT
#include "child_linux.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

// This file is compiled without sanitizers: what it does runs in a child that shares the memory,
// and perhaps the address of the stack, of a thread that is suspended.
namespace ProcessKit::Native {

namespace {

constexpr unsigned long kernelSignalSetSize = 8; // _NSIG / 8, not sizeof(sigset_t)
constexpr int lastSignal = 64;

// The kernel's own layout; glibc's struct sigaction differs from it.
struct KernelSigaction
{
    void (*handler)(int);
    unsigned long flags;
    void (*restorer)();
    unsigned long long mask;
};

[[noreturn]] void fail(ChildContext *context, LaunchStep step, int error)
{
    context->error = error;
    context->failedStep = step;
    if (context->failurePipe >= 0) {
        const int report[2] = { int(step), error };
        // the pipe is empty, so these eight bytes go through at once and whole
        ::syscall(SYS_write, context->failurePipe, report, sizeof report);
    }
    for (;;)
        ::syscall(SYS_exit_group, 127);
}

void enterCgroup(ChildContext *context)
{
    if (context->cgroup < 0)
        return;
    const long procs = ::syscall(SYS_openat, context->cgroup, "cgroup.procs", O_WRONLY | O_CLOEXEC);
    if (procs < 0 || ::syscall(SYS_write, procs, "0", 1) != 1)
        fail(context, LaunchStep::Join, errno);
    ::syscall(SYS_close, procs);
}

void enterSession(ChildContext *context)
{
    if (context->newSession && ::syscall(SYS_setsid) < 0)
        fail(context, LaunchStep::Session, errno);
    if (context->processGroup >= 0 && !context->newSession
        && ::syscall(SYS_setpgid, 0, context->processGroup) < 0) {
        // a group to join may lie in another session: then the child stays where it is
        if (context->processGroup == 0)
            fail(context, LaunchStep::Session, errno);
    }
}

void announce(ChildContext *context)
{
    if (context->announceSocket < 0)
        return;
    const long pid = ::syscall(SYS_getpid);
    for (unsigned i = 0; i < sizeof pid; ++i)
        context->announcement[context->announcementPid + i] =
                reinterpret_cast<const char *>(&pid)[i];
    if (::syscall(SYS_sendto, context->announceSocket, context->announcement,
                  context->announcementSize, MSG_DONTWAIT | MSG_NOSIGNAL, nullptr, 0)
        < 0)
        fail(context, LaunchStep::Keeper, errno);
}

void keepAcrossExec(ChildContext *context, int fd)
{
    if (::syscall(SYS_fcntl, fd, F_SETFD, 0) < 0)
        fail(context, LaunchStep::Descriptors, errno);
}

void closeOnExecFrom(int first)
{
    if (::syscall(SYS_close_range, first, ~0U, CLOSE_RANGE_CLOEXEC) == 0)
        return;
    // Linux before 5.11
    rlimit limit{};
    ::syscall(SYS_prlimit64, 0, RLIMIT_NOFILE, nullptr, &limit);
    const int end = limit.rlim_cur < 65536 ? int(limit.rlim_cur) : 65536;
    for (int fd = first; fd < end; ++fd)
        ::syscall(SYS_fcntl, fd, F_SETFD, FD_CLOEXEC);
}

void arrangeDescriptors(ChildContext *context)
{
    for (std::size_t i = 0; i < context->descriptorCount; ++i) {
        const LaunchPlan::Descriptor descriptor = context->descriptors[i];
        if (descriptor.source < 0)
            ::syscall(SYS_close, descriptor.target);
        else if (descriptor.source != descriptor.target
                 && ::syscall(SYS_dup3, descriptor.source, descriptor.target, 0) < 0)
            fail(context, LaunchStep::Descriptors, errno);
    }
    closeOnExecFrom(3);
    for (std::size_t i = 0; i < context->descriptorCount; ++i) {
        const LaunchPlan::Descriptor descriptor = context->descriptors[i];
        if (descriptor.source >= 0 && (descriptor.target > 2 || descriptor.source <= 2))
            keepAcrossExec(context, descriptor.target);
    }
}

// The limits last: the arrangement of descriptors is not to fail of one. A limit that is above what
// the spawning process may set stays as it is.
void takeAttributes(ChildContext *context)
{
    const LaunchPlan::Attributes *attributes = context->attributes;
    if (!attributes)
        return;
    ::syscall(SYS_umask, attributes->fileModeMask);
    if (attributes->noNewPrivileges)
        ::syscall(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    for (unsigned resource = 0; resource < attributes->limits.size(); ++resource)
        ::syscall(SYS_prlimit64, 0, resource, &attributes->limits[resource], nullptr);
}

void ignoreSignals(const LaunchPlan::Attributes *attributes)
{
    KernelSigaction action{};
    action.handler = SIG_IGN;
    for (int signal = 1; attributes && signal <= lastSignal; ++signal) {
        if (signal != SIGPIPE && (attributes->ignoredSignals >> (signal - 1) & 1))
            ::syscall(SYS_rt_sigaction, signal, &action, nullptr, kernelSignalSetSize);
    }
}

// Handlers would run in a program that no longer has their code; SIGPIPE is ignored by many
// toolkits for their own sake. Other ignored signals stay ignored, as nohup(1) needs it.
void resetSignals()
{
    for (int signal = 1; signal <= lastSignal; ++signal) {
        KernelSigaction action{};
        if (signal != SIGPIPE) {
            ::syscall(SYS_rt_sigaction, signal, nullptr, &action, kernelSignalSetSize);
            if (action.handler == SIG_DFL || action.handler == SIG_IGN)
                continue;
        }
        action = {};
        ::syscall(SYS_rt_sigaction, signal, &action, nullptr, kernelSignalSetSize);
    }
}

void resetSignalsOfClone()
{
    // CLONE_CLEAR_SIGHAND has done the rest
    const KernelSigaction action{};
    ::syscall(SYS_rt_sigaction, SIGPIPE, &action, nullptr, kernelSignalSetSize);
}

void unblockSignals()
{
    const unsigned long long none = 0;
    ::syscall(SYS_rt_sigprocmask, SIG_SETMASK, &none, nullptr, kernelSignalSetSize);
}

[[noreturn]] void execute(ChildContext *context)
{
    // as execvp(3): go on past what is not there, remember what may not be run
    int error = ENOENT;
    for (char *const *file = context->candidates; *file; ++file) {
        ::syscall(SYS_execve, *file, context->arguments, context->environment);
        if (errno != EACCES && errno != ENOENT && errno != ENOTDIR)
            fail(context, LaunchStep::Execute, errno);
        if (error != EACCES)
            error = errno;
    }
    fail(context, LaunchStep::Execute, error);
}

} // namespace

void runChild(ChildContext *context)
{
    enterCgroup(context);
    if (context->deathSignal) {
        ::syscall(SYS_prctl, PR_SET_PDEATHSIG, context->deathSignal, 0, 0, 0);
        // the parent may have ended before the line above
        if (::syscall(SYS_getppid) != context->expectedParent)
            ::syscall(SYS_exit_group, 127);
    }
    enterSession(context);
    announce(context);
    arrangeDescriptors(context);
    takeAttributes(context);
    if (context->workingDirectory && ::syscall(SYS_chdir, context->workingDirectory) < 0)
        fail(context, LaunchStep::WorkingDirectory, errno);
    if (context->failurePipe >= 0)
        resetSignals();
    else
        resetSignalsOfClone();
    ignoreSignals(context->attributes);
    if (context->modifier)
        (*context->modifier)();
    unblockSignals();
    context->executing = true;
    execute(context);
}

} // namespace ProcessKit::Native
