// SPDX-License-Identifier: MIT
#include "child_linux.h"

#include "spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <sys/ioctl.h>
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
constexpr int ioPriorityOfProcess = 1; // IOPRIO_WHO_PROCESS, which older kernel headers do not have

#ifdef SYS_setresuid32 // where an id once had 16 bits
constexpr long getUserCall = SYS_getuid32;
constexpr long getGroupCall = SYS_getgid32;
constexpr long setUserCall = SYS_setresuid32;
constexpr long setGroupCall = SYS_setresgid32;
constexpr long setGroupsCall = SYS_setgroups32;
#else
constexpr long getUserCall = SYS_getuid;
constexpr long getGroupCall = SYS_getgid;
constexpr long setUserCall = SYS_setresuid;
constexpr long setGroupCall = SYS_setresgid;
constexpr long setGroupsCall = SYS_setgroups;
#endif

using Settings = LaunchPlan::SettingValues;

ChildContext *modifiedChild = nullptr; // in a forked child, while its modifier runs

// The kernel's own layout; glibc's struct sigaction differs from it.
struct KernelSigaction
{
    void (*handler)(int);
    unsigned long flags;
    void (*restorer)();
    unsigned long long mask;
};

[[noreturn]] void fail(ChildContext *context, LaunchStep step, int error, const char *detail = "")
{
    context->error = error;
    context->failedStep = step;
    if (context->failurePipe >= 0) {
        ChildReport report{ int(step), error, {} };
        for (std::size_t i = 0; i < sizeof report.detail - 1 && detail[i]; ++i)
            report.detail[i] = detail[i];
        // the pipe is empty, so this goes through at once and whole
        ::syscall(SYS_write, context->failurePipe, &report, sizeof report);
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

// A parent that has ended before this sends nothing any more; then the child ends by itself.
void armDeathSignal(ChildContext *context)
{
    if (!context->deathSignal)
        return;
    if (::syscall(SYS_prctl, PR_SET_PDEATHSIG, context->deathSignal, 0, 0, 0) < 0)
        fail(context, LaunchStep::DeathSignal, errno);
    if (::syscall(SYS_getppid) != context->expectedParent)
        ::syscall(SYS_exit_group, 127);
}

void enterSession(ChildContext *context)
{
    const bool newSession = context->settings->given & Settings::NewSession;
    if (newSession && ::syscall(SYS_setsid) < 0)
        fail(context, LaunchStep::Session, errno);
    if (context->processGroup >= 0 && !newSession
        && ::syscall(SYS_setpgid, 0, context->processGroup) < 0) {
        // a group to join may lie in another session: then the child stays where it is
        if (context->processGroup == 0)
            fail(context, LaunchStep::Session, errno);
    }
}

void leaveTerminal(ChildContext *context)
{
    if (!(context->settings->given & Settings::LeaveTerminal))
        return;
    const long terminal =
            ::syscall(SYS_openat, AT_FDCWD, "/dev/tty", O_RDONLY | O_NOCTTY | O_CLOEXEC);
    if (terminal < 0 && errno == ENXIO)
        return; // there is none, as in a new session
    if (terminal < 0 || ::syscall(SYS_ioctl, terminal, TIOCNOTTY) < 0)
        fail(context, LaunchStep::Terminal, errno);
    ::syscall(SYS_close, terminal);
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

void ignoreSignal(int signal)
{
    KernelSigaction action{};
    action.handler = SIG_IGN;
    ::syscall(SYS_rt_sigaction, signal, &action, nullptr, kernelSignalSetSize);
}

void ignoreSignals(const LaunchPlan::Attributes *attributes)
{
    for (int signal = 1; attributes && signal <= lastSignal; ++signal) {
        if (signal != SIGPIPE && (attributes->ignoredSignals >> (signal - 1) & 1))
            ignoreSignal(signal);
    }
}

// Handlers would run in a program that no longer has their code; SIGPIPE is ignored by many
// toolkits for their own sake. Other ignored signals stay ignored, as nohup(1) needs it, unless
// \a evenIgnored.
void resetSignals(bool evenIgnored)
{
    for (int signal = 1; signal <= lastSignal; ++signal) {
        KernelSigaction action{};
        if (signal != SIGPIPE && !evenIgnored) {
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

void setSignals(const ChildContext *context)
{
    const bool evenIgnored = context->settings->given & Settings::ResetIgnoredSignals;
    if (evenIgnored || context->failurePipe >= 0)
        resetSignals(evenIgnored);
    else
        resetSignalsOfClone();
    if (!evenIgnored)
        ignoreSignals(context->attributes);
}

void unblockSignals()
{
    const unsigned long long none = 0;
    ::syscall(SYS_rt_sigprocmask, SIG_SETMASK, &none, nullptr, kernelSignalSetSize);
}

void setLimits(ChildContext *context)
{
    const Settings *settings = context->settings;
    for (unsigned resource = 0; resource < settings->limits.size(); ++resource) {
        if ((settings->limited >> resource & 1)
            && ::syscall(SYS_prlimit64, 0, resource, &settings->limits[resource], nullptr) < 0)
            fail(context, LaunchStep::Limits, errno);
    }
    if (settings->given & Settings::NoCoreDumps) {
        rlimit limit{};
        ::syscall(SYS_prlimit64, 0, RLIMIT_CORE, nullptr, &limit);
        limit.rlim_cur = 0;
        if (::syscall(SYS_prlimit64, 0, RLIMIT_CORE, &limit, nullptr) < 0)
            fail(context, LaunchStep::Limits, errno);
    }
}

void setPriorities(ChildContext *context)
{
    const Settings *settings = context->settings;
    if ((settings->given & Settings::Niceness)
        && ::syscall(SYS_setpriority, PRIO_PROCESS, 0, settings->niceness) < 0)
        fail(context, LaunchStep::Priority, errno);
    if ((settings->given & Settings::IoPriority)
        && ::syscall(SYS_ioprio_set, ioPriorityOfProcess, 0, settings->ioPriority) < 0)
        fail(context, LaunchStep::IoPriority, errno);
    if ((settings->given & Settings::Processors)
        && ::syscall(SYS_sched_setaffinity, 0, sizeof settings->processors, &settings->processors)
                < 0)
        fail(context, LaunchStep::Processors, errno);
}

void changeId(ChildContext *context, long call, std::uint32_t id, LaunchStep step)
{
    constexpr std::uint32_t asItIs = ~0U; // to the kernel: it would change nothing, and succeed
    if (id == asItIs)
        fail(context, step, EINVAL);
    if (::syscall(call, id, id, id) < 0)
        fail(context, step, errno);
}

// The groups first, while the user may still do it. Who becomes another user must not keep the
// groups of this one by oversight.
void setIds(ChildContext *context)
{
    const Settings *settings = context->settings;
    const LaunchPlan::Attributes *attributes = context->attributes;
    const bool reset = settings->given & Settings::ResetIds;
    const bool hasUser = settings->given & Settings::UserId;
    const bool hasGroup = settings->given & Settings::GroupId;
    gid_t group = settings->groupId;
    if (!hasGroup)
        group = attributes ? attributes->realGroup : gid_t(::syscall(getGroupCall));

    const bool hasGroups = settings->given & Settings::Groups;
    if ((hasGroups || hasUser)
        && ::syscall(setGroupsCall, hasGroups ? context->groupCount : 1,
                     hasGroups ? context->groups : &group)
                < 0)
        fail(context, LaunchStep::Groups, errno);
    if (hasGroup || reset)
        changeId(context, setGroupCall, group, LaunchStep::GroupId);
    if (hasUser)
        changeId(context, setUserCall, settings->userId, LaunchStep::UserId);
    else if (reset)
        changeId(context, setUserCall,
                 attributes ? attributes->realUser : uid_t(::syscall(getUserCall)),
                 LaunchStep::UserId);
    if (hasUser || hasGroup || reset)
        armDeathSignal(context); // other ids take it away
}

// After the modifier, which may need what is given up here.
void takeSettings(ChildContext *context)
{
    const Settings *settings = context->settings;
    if (settings->given & Settings::IgnoreSigPipe)
        ignoreSignal(SIGPIPE);
    if (settings->given & Settings::FileModeMask)
        ::syscall(SYS_umask, settings->fileModeMask);
    setPriorities(context);
    setLimits(context);
    setIds(context);
}

void runModifier(ChildContext *context)
{
    if (!context->modifier)
        return;
    modifiedChild = context;
    (*context->modifier)();
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
    armDeathSignal(context);
    enterSession(context);
    leaveTerminal(context);
    announce(context);
    arrangeDescriptors(context);
    takeAttributes(context);
    if (context->workingDirectory && ::syscall(SYS_chdir, context->workingDirectory) < 0)
        fail(context, LaunchStep::WorkingDirectory, errno);
    setSignals(context);
    runModifier(context);
    takeSettings(context);
    unblockSignals();
    context->executing = true;
    execute(context);
}

void failModifier(const char *description, int error) noexcept
{
    if (modifiedChild)
        fail(modifiedChild, LaunchStep::ModifierReport, error, description);
}

} // namespace ProcessKit::Native
