// SPDX-License-Identifier: MIT
#include "spawn.h"

#include "child_linux.h"
#include "clone_linux.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <algorithm>

#ifndef CLONE_CLEAR_SIGHAND
#  define CLONE_CLEAR_SIGHAND 0x100000000ULL
#endif
#ifndef CLONE_INTO_CGROUP
#  define CLONE_INTO_CGROUP 0x200000000ULL
#endif

namespace ProcessKit::Native {

namespace {

// No handler of ours may run in a child that shares our memory, so every signal waits, those too
// that sigfillset(3) keeps for glibc itself.
class SignalBlock
{
public:
    SignalBlock()
    {
        const unsigned long long all = ~0ULL;
        ::syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, &m_previous, sizeof all);
    }
    ~SignalBlock()
    {
        ::syscall(SYS_rt_sigprocmask, SIG_SETMASK, &m_previous, nullptr, sizeof m_previous);
    }
    SignalBlock(const SignalBlock &) = delete;
    SignalBlock &operator=(const SignalBlock &) = delete;

private:
    unsigned long long m_previous = 0;
};

// A child that changes its ids while it shares our memory makes it undumpable, which takes
// ptrace(2), core dumps and most of /proc/self from us.
class DumpableMemory
{
public:
    explicit DumpableMemory(const LaunchPlan::Settings &settings)
    {
        using Settings = LaunchPlan::Settings;
        if (settings.given & (Settings::UserId | Settings::GroupId | Settings::ResetIds))
            m_wasDumpable = ::prctl(PR_GET_DUMPABLE) == 1;
    }
    ~DumpableMemory()
    {
        if (m_wasDumpable)
            ::prctl(PR_SET_DUMPABLE, 1);
    }
    DumpableMemory(const DumpableMemory &) = delete;
    DumpableMemory &operator=(const DumpableMemory &) = delete;

private:
    bool m_wasDumpable = false;
};

// The parent sleeps while its child is on this stack, so one serves every child; a detached child
// has a second child that uses the other half.
class ChildStack
{
public:
    static constexpr std::size_t HalfSize = 32 * 1024;

    static void *half(int index)
    {
        static void *const memory = ::mmap(nullptr, 2 * HalfSize, PROT_READ | PROT_WRITE,
                                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
        return memory == MAP_FAILED ? nullptr : static_cast<char *>(memory) + index * HalfSize;
    }
};

clone_args cloneArguments(int stackHalf)
{
    clone_args arguments{};
    arguments.flags = CLONE_VM | CLONE_VFORK | CLONE_CLEAR_SIGHAND;
    arguments.exit_signal = SIGCHLD;
    arguments.stack = reinterpret_cast<std::uintptr_t>(ChildStack::half(stackHalf));
    arguments.stack_size = ChildStack::HalfSize;
    return arguments;
}

// These two run on a stack that AddressSanitizer knows nothing of, and would complain about.
[[gnu::no_sanitize_address]] void enterChild(void *context)
{
    runChild(static_cast<ChildContext *>(context));
}

// What a detached launch leaves behind: the middle process, which starts the program and ends.
struct DetachContext
{
    ChildContext *child;
    clone_args arguments;
    volatile long result = 0;
};

[[gnu::no_sanitize_address]] void enterMiddle(void *parameter)
{
    auto *context = static_cast<DetachContext *>(parameter);
    context->result = cloneSharingMemory(&context->arguments, enterChild, context->child);
    for (;;)
        ::syscall(SYS_exit_group, 0);
}

void reap(pid_t pid)
{
    siginfo_t info;
    while (::waitid(P_PID, id_t(pid), &info, WEXITED | __WALL) < 0 && errno == EINTR) { }
}

SpawnResult failed(LaunchStep step, int error)
{
    SpawnResult result;
    result.failure = { step, error };
    return result;
}

// \a cgroup: where the child is born; -1 for ours
SpawnResult spawnSharingMemory(ChildContext &context, int cgroup)
{
    if (!ChildStack::half(0))
        return failed(LaunchStep::Clone, ENOMEM);
    int pidfd = -1;
    clone_args arguments = cloneArguments(0);
    arguments.flags |= CLONE_PIDFD;
    arguments.pidfd = reinterpret_cast<std::uintptr_t>(&pidfd);
    if (cgroup >= 0) {
        arguments.flags |= CLONE_INTO_CGROUP;
        arguments.cgroup = std::uint64_t(cgroup);
    }
    const long pid = cloneSharingMemory(&arguments, enterChild, &context);
    if (pid < 0) {
        const bool ofTheGroup = cgroup >= 0 && pid != -EAGAIN && pid != -ENOMEM && pid != -ENOSYS
                && pid != -EMFILE && pid != -EPERM;
        return failed(ofTheGroup ? LaunchStep::Join : LaunchStep::Clone, int(-pid));
    }
    SpawnResult result;
    result.pidfd = UniqueFd(pidfd);
    result.pid = pid_t(pid);
    if (context.failedStep != LaunchStep::None) {
        reap(result.pid);
        return failed(context.failedStep, context.error);
    }
    if (!context.executing) {
        // killed at birth: see CgroupDirectory::returnLeaf()
        reap(result.pid);
        return failed(LaunchStep::Join, EOWNERDEAD);
    }
    return result;
}

// Born into its cgroup. Should the kernel kill it for that, because our own cgroup was killed as
// often as the other was not, it is born into ours and moves before it does anything else.
SpawnResult spawnIntoCgroup(ChildContext &context, int cgroup)
{
    static bool birthIsDeadly = false; // what has happened to our own cgroup does not change
    const auto diedAtBirth = [](const SpawnResult &result) {
        return result.failure.step == LaunchStep::Join && result.failure.error == EOWNERDEAD;
    };
    if (!birthIsDeadly) {
        SpawnResult result = spawnSharingMemory(context, cgroup);
        if (cgroup < 0 || !diedAtBirth(result))
            return result;
    }
    context.cgroup = cgroup;
    SpawnResult result = spawnSharingMemory(context, -1);
    birthIsDeadly = !diedAtBirth(result); // else somebody has killed them both
    return result;
}

SpawnResult detachSharingMemory(ChildContext &context)
{
    if (!ChildStack::half(0))
        return failed(LaunchStep::Clone, ENOMEM);
    DetachContext detach{ &context, cloneArguments(1) };
    clone_args arguments = cloneArguments(0);
    arguments.exit_signal = 0; // the middle process is nobody's business
    const long middle = cloneSharingMemory(&arguments, enterMiddle, &detach);
    if (middle < 0)
        return failed(LaunchStep::Clone, int(-middle));
    reap(pid_t(middle));
    if (detach.result < 0)
        return failed(LaunchStep::Clone, int(-detach.result));
    SpawnResult result;
    result.pid = pid_t(detach.result);
    if (context.failedStep != LaunchStep::None)
        result.failure = { context.failedStep, context.error };
    return result;
}

// A fork that returns in the parent only when the child has executed its program or ended.
pid_t forkAndWaitForExec()
{
    clone_args arguments{};
    arguments.flags = CLONE_VFORK; // without CLONE_VM: the parent waits, but the memory is copied
    arguments.exit_signal = SIGCHLD;
    const long pid = ::syscall(SYS_clone3, &arguments, sizeof arguments);
    if (pid >= 0 || (errno != ENOSYS && errno != EPERM && errno != EINVAL))
        return pid_t(pid);
    return pid_t(::syscall(SYS_clone, CLONE_VFORK | SIGCHLD, nullptr, nullptr, nullptr, nullptr));
}

// What has come through the pipe: of the middle process, the pid of the other; of a child that
// failed, why. The end of the file cannot be waited for: whatever the user's code has forked may
// hold the pipe for as long as it lives.
void readReports(int pipe, SpawnResult *result)
{
    ::fcntl(pipe, F_SETFL, O_NONBLOCK);
    ChildReport report;
    while (::read(pipe, &report, sizeof report) == ssize_t(sizeof report)) {
        report.detail[sizeof report.detail - 1] = '\0';
        if (report.step == 0)
            result->pid = report.value;
        else
            result->failure = { LaunchStep(report.step), report.value, report.detail };
    }
}

// The plain path: a memory of its own, for code of the user's that must not run in ours, and for
// systems without clone3(2).
SpawnResult spawnForking(ChildContext &context, const SpawnOptions &options)
{
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) < 0)
        return failed(LaunchStep::Pipe, errno);
    UniqueFd readEnd(ends[0]);
    // above everything that the child is about to arrange
    int lowest = 3;
    for (std::size_t i = 0; i < context.descriptorCount; ++i)
        lowest = std::max(lowest, context.descriptors[i].target + 1);
    UniqueFd writeEnd(::fcntl(ends[1], F_DUPFD_CLOEXEC, lowest));
    ::close(ends[1]);
    if (!writeEnd)
        return failed(LaunchStep::Pipe, errno);

    context.failurePipe = writeEnd.get();
    context.cgroup = options.cgroup;
    context.modifier = options.modifier;
    const pid_t pid = forkAndWaitForExec();
    if (pid == 0) {
        if (options.detached) {
            const pid_t inner = forkAndWaitForExec();
            if (inner != 0) {
                const ChildReport report{ inner < 0 ? int(LaunchStep::Clone) : 0,
                                          inner < 0 ? errno : int(inner),
                                          {} };
                [[maybe_unused]] const auto written =
                        ::write(writeEnd.get(), &report, sizeof report);
                ::_exit(0);
            }
        }
        runChild(&context);
    }
    if (pid < 0)
        return failed(LaunchStep::Clone, errno);
    writeEnd.reset();

    SpawnResult result;
    result.pid = options.detached ? -1 : pid; // the middle process reports the other's
    if (options.detached)
        reap(pid);
    else
        result.pidfd = UniqueFd(int(::syscall(SYS_pidfd_open, pid, 0)));
    readReports(readEnd.get(), &result);
    if (!result.failure && !options.detached && !result.pidfd) {
        // without a handle it could neither be watched nor safely signalled
        result.failure = { LaunchStep::Clone, EMFILE };
        ::kill(pid, SIGKILL); // our own child, not reaped yet: the pid is its
    }
    if (result.failure && !options.detached) {
        reap(pid);
        result.pid = -1;
        result.pidfd.reset();
    }
    return result;
}

} // namespace

SpawnResult spawn(const LaunchPlan &plan, const SpawnOptions &options)
{
    if (plan.candidates.empty() || plan.arguments.empty())
        return failed(LaunchStep::Argument, EINVAL);

    const std::vector<char *> candidates = plan.candidates.table();
    const std::vector<char *> arguments = plan.arguments.table();
    const std::vector<char *> environment = plan.environment.table();

    ChildContext context;
    context.candidates = candidates.data();
    context.arguments = arguments.data();
    context.environment = environment.data();
    context.workingDirectory =
            plan.workingDirectory.empty() ? nullptr : plan.workingDirectory.c_str();
    context.descriptors = plan.descriptors.data();
    context.descriptorCount = plan.descriptors.size();
    context.processGroup = plan.processGroup;
    context.attributes = plan.attributes ? &*plan.attributes : nullptr;
    context.settings = &plan.settings;
    context.groups = plan.settings.groups.data();
    context.groupCount = plan.settings.groups.size();
    if (!options.detached)
        context.deathSignal = plan.settings.given & LaunchPlan::Settings::DeathSignal
                ? plan.settings.deathSignal
                : options.deathSignal;
    context.expectedParent = ::getpid();
    std::string announcement = options.announcement;
    context.announceSocket = options.announceSocket;
    context.announcement = announcement.data();
    context.announcementSize = announcement.size();
    context.announcementPid = options.announcementPid;

    const SignalBlock block;
    const DumpableMemory memory(plan.settings);
    if (!options.modifier) {
        SpawnResult result = options.detached ? detachSharingMemory(context)
                                              : spawnIntoCgroup(context, options.cgroup);
        // Linux before 5.5 does not know all flags; seccomp filters of older container engines
        // answer EPERM for calls they do not know
        const int error = result.failure.error;
        const bool missing = result.failure.step == LaunchStep::Clone
                && (error == ENOSYS || error == EPERM || error == EINVAL);
        if (!missing)
            return result;
    }
    return spawnForking(context, options);
}

} // namespace ProcessKit::Native
