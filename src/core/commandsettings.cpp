// SPDX-License-Identifier: MIT
#include "command_p.h"

#include <signal.h>
#include <sys/resource.h>

namespace ProcessKit {

using Settings = Native::LaunchPlan::Settings;

// What a command's process is given before it runs. A value that cannot be is remembered by its
// name, for the start to be refused.

namespace {

// <linux/ioprio.h>, which older headers do not have
constexpr unsigned ioClassShift = 13;
constexpr int mostProcessors = 1024;

int nicenessOf(Command::Priority priority)
{
    switch (priority) {
    case Command::Priority::Idle:
        return 19;
    case Command::Priority::BelowNormal:
        return 10;
    case Command::Priority::Normal:
        return 0;
    case Command::Priority::AboveNormal:
        return -5;
    case Command::Priority::High:
        return -10;
    }
    return 0;
}

int resourceOf(Command::Resource resource)
{
    switch (resource) {
    case Command::Resource::CpuTime:
        return RLIMIT_CPU;
    case Command::Resource::CoreSize:
        return RLIMIT_CORE;
    case Command::Resource::DataSize:
        return RLIMIT_DATA;
    case Command::Resource::FileSize:
        return RLIMIT_FSIZE;
    case Command::Resource::OpenFiles:
        return RLIMIT_NOFILE;
    case Command::Resource::StackSize:
        return RLIMIT_STACK;
    }
    return RLIMIT_CPU;
}

rlim_t limitOf(quint64 value)
{
    return value == Command::Unlimited ? RLIM_INFINITY : rlim_t(value);
}

} // namespace

template<typename Change>
Command Command::withSetting(const char *name, bool isPossible, Change change) const
{
    Command copy = *this;
    if (isPossible)
        change(copy.d->settings);
    else if (copy.d->badSetting.isEmpty())
        copy.d->badSetting = QLatin1String(name);
    return copy;
}

/*!
    Returns a copy whose process has the \a priority. It and those that follow it down to
    withParentDeathSignal() are set in the child before it runs anything, and are inherited by what
    it starts.

    A value outside of its range makes the start fail with ProcessError::Kind::InvalidArgument, and
    one that this program may not give its child with ProcessError::Kind::PermissionDenied. Nothing
    is skipped.
*/
Command Command::withPriority(Priority priority) const
{
    return withNiceness(nicenessOf(priority));
}

/*!
    Returns a copy whose process has the nice value \a niceness, from -20 (most time) to 19 (least).
    It is set, not added to that of this process. See setpriority(2) for what is permitted.
*/
Command Command::withNiceness(int niceness) const
{
    return withSetting("niceness", niceness >= -20 && niceness <= 19, [=](Settings &settings) {
        settings.given |= Settings::Niceness;
        settings.niceness = niceness;
    });
}

/*!
    Returns a copy whose process has the I/O scheduling class \a ioClass and, within it, \a level
    from 0 (first) to 7 (last). IoPriorityClass::Idle has no level. See ioprio_set(2); whether it
    has an effect depends on the I/O scheduler of the disk.
*/
Command Command::withIoPriority(IoPriorityClass ioClass, int level) const
{
    return withSetting("I/O priority", level >= 0 && level <= 7, [=](Settings &settings) {
        settings.given |= Settings::IoPriority;
        settings.ioPriority = unsigned(ioClass) << ioClassShift
                | unsigned(ioClass == IoPriorityClass::Idle ? 0 : level);
    });
}

/*!
    Returns a copy whose process runs on \a processors only, by their numbers from 0 to 1023
    (sched_setaffinity(2)). An empty list is refused, and so is one of which none exists.
*/
Command Command::withProcessors(const QList<int> &processors) const
{
    bool isPossible = !processors.isEmpty();
    for (const int processor : processors)
        isPossible = isPossible && processor >= 0 && processor < mostProcessors;
    return withSetting("processors", isPossible, [&](Settings &settings) {
        settings.processors = {};
        for (const int processor : processors)
            settings.addProcessor(unsigned(processor));
    });
}

/*!
    Returns a copy whose process has the file mode creation mask \a mask, from 0 to 0777 (umask(2)).
*/
Command Command::withFileModeMask(uint mask) const
{
    return withSetting("file mode mask", mask <= 0777, [=](Settings &settings) {
        settings.given |= Settings::FileModeMask;
        settings.fileModeMask = mask;
    });
}

/*!
    Returns a copy whose process has \a limit as the soft and as the hard limit of \a resource. The
    unit is that of the \l{Resource}; Unlimited is none.
*/
Command Command::withResourceLimit(Resource resource, quint64 limit) const
{
    return withResourceLimit(resource, limit, limit);
}

/*!
    \overload

    Returns a copy whose process has the limits \a soft and \a hard of \a resource; \a soft may not
    be the greater one. The process may raise its soft limit up to the hard one. To raise a hard
    limit needs CAP_SYS_RESOURCE (setrlimit(2)).
*/
Command Command::withResourceLimit(Resource resource, quint64 soft, quint64 hard) const
{
    return withSetting("resource limit", soft <= hard, [=](Settings &settings) {
        const int number = resourceOf(resource);
        settings.limited |= 1U << number;
        settings.limits[std::size_t(number)] = { limitOf(soft), limitOf(hard) };
    });
}

/*!
    Returns a copy whose process runs as the user \a userId: real, effective and saved id
    (setresuid(2)). Its group becomes the only supplementary one unless withSupplementaryGroups()
    gives others. It needs CAP_SETUID and CAP_SETGID. The group is not changed: see withGroup().
*/
Command Command::withUser(uint userId) const
{
    return withSetting("user", userId != uint(-1), [=](Settings &settings) {
        settings.given |= Settings::UserId;
        settings.userId = userId;
    });
}

/*!
    Returns a copy whose process has the group \a groupId: real, effective and saved id
    (setresgid(2)). It needs CAP_SETGID.
*/
Command Command::withGroup(uint groupId) const
{
    return withSetting("group", groupId != uint(-1), [=](Settings &settings) {
        settings.given |= Settings::GroupId;
        settings.groupId = groupId;
    });
}

/*!
    Returns a copy whose process has the supplementary groups \a groupIds, perhaps none
    (setgroups(2)). It needs CAP_SETGID.
*/
Command Command::withSupplementaryGroups(const QList<uint> &groupIds) const
{
    return withSetting("supplementary groups", !groupIds.contains(uint(-1)),
                       [&](Settings &settings) {
                           settings.given |= Settings::Groups;
                           settings.groups.assign(groupIds.begin(), groupIds.end());
                       });
}

/*!
    Returns a copy whose process leads a session of its own (setsid(2)) if \a newSession is \c true,
    and so has no controlling terminal. It stays in its container.
*/
Command Command::withNewSession(bool newSession) const
{
    return withSetting("new session", true, [=](Settings &settings) {
        settings.given = newSession ? settings.given | Settings::NewSession
                                    : settings.given & ~std::uint32_t(Settings::NewSession);
    });
}

/*!
    Returns a copy whose process, and not what it starts, gets \a signal when the thread that
    spawned it ends (PR_SET_PDEATHSIG, prctl(2)): the I/O thread, which ends with this program only,
    or a group keeper. It takes the place of SIGKILL, by which a direct child dies even where the
    keeper and this program are killed in the same instant; 0 means none.
*/
Command Command::withParentDeathSignal(int signal) const
{
    return withSetting("parent-death signal", signal >= 0 && signal < NSIG,
                       [=](Settings &settings) {
                           settings.given |= Settings::DeathSignal;
                           settings.deathSignal = signal;
                       });
}

} // namespace ProcessKit
