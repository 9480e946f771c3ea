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

Command Command::withPriority(Priority priority) const
{
    return withNiceness(nicenessOf(priority));
}

Command Command::withNiceness(int niceness) const
{
    return withSetting("niceness", niceness >= -20 && niceness <= 19, [=](Settings &settings) {
        settings.given |= Settings::Niceness;
        settings.niceness = niceness;
    });
}

Command Command::withIoPriority(IoPriorityClass ioClass, int level) const
{
    return withSetting("I/O priority", level >= 0 && level <= 7, [=](Settings &settings) {
        settings.given |= Settings::IoPriority;
        settings.ioPriority = unsigned(ioClass) << ioClassShift
                | unsigned(ioClass == IoPriorityClass::Idle ? 0 : level);
    });
}

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

Command Command::withFileModeMask(uint mask) const
{
    return withSetting("file mode mask", mask <= 0777, [=](Settings &settings) {
        settings.given |= Settings::FileModeMask;
        settings.fileModeMask = mask;
    });
}

Command Command::withResourceLimit(Resource resource, quint64 limit) const
{
    return withResourceLimit(resource, limit, limit);
}

Command Command::withResourceLimit(Resource resource, quint64 soft, quint64 hard) const
{
    return withSetting("resource limit", soft <= hard, [=](Settings &settings) {
        const int number = resourceOf(resource);
        settings.limited |= 1U << number;
        settings.limits[std::size_t(number)] = { limitOf(soft), limitOf(hard) };
    });
}

Command Command::withUser(uint userId) const
{
    return withSetting("user", userId != uint(-1), [=](Settings &settings) {
        settings.given |= Settings::UserId;
        settings.userId = userId;
    });
}

Command Command::withGroup(uint groupId) const
{
    return withSetting("group", groupId != uint(-1), [=](Settings &settings) {
        settings.given |= Settings::GroupId;
        settings.groupId = groupId;
    });
}

Command Command::withSupplementaryGroups(const QList<uint> &groupIds) const
{
    return withSetting("supplementary groups", !groupIds.contains(uint(-1)),
                       [&](Settings &settings) {
                           settings.given |= Settings::Groups;
                           settings.groups.assign(groupIds.begin(), groupIds.end());
                       });
}

Command Command::withNewSession(bool newSession) const
{
    return withSetting("new session", true, [=](Settings &settings) {
        settings.given = newSession ? settings.given | Settings::NewSession
                                    : settings.given & ~std::uint32_t(Settings::NewSession);
    });
}

Command Command::withParentDeathSignal(int signal) const
{
    return withSetting("parent-death signal", signal >= 0 && signal < NSIG,
                       [=](Settings &settings) {
                           settings.given |= Settings::DeathSignal;
                           settings.deathSignal = signal;
                       });
}

} // namespace ProcessKit
