// SPDX-License-Identifier: MIT
#ifndef PROCESSKIT_NATIVE_CGROUP_LIMITS_H
#define PROCESSKIT_NATIVE_CGROUP_LIMITS_H

#include "controllers.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace ProcessKit::Native {

// The limits of a cgroup; what is not given is not limited.
struct CgroupLimits
{
    using Number = std::optional<std::uint64_t>;
    struct Device
    {
        unsigned major = 0;
        unsigned minor = 0;
        Number readBytes; // a second, as all of these
        Number writtenBytes;
        Number reads;
        Number writes;
    };

    Number memoryMax; // bytes
    Number memoryHigh;
    Number swapMax;
    Number tasksMax;
    Number cpuQuota; // microseconds in each cpuPeriod
    Number cpuWeight; // 1 to 10000
    Number ioWeight;
    std::vector<Device> devices;
    bool killsGroup = false; // when it is out of memory, instead of one process

    static constexpr unsigned cpuPeriod = 100'000; // microseconds, the kernel's default

    Controllers controllers() const; // that they need
};

struct LimitFailure
{
    std::string file; // of the cgroup, as "memory.max"
    int error = 0;
    explicit operator bool() const noexcept { return error != 0; }
};

// Replaces the limits of the cgroup \a directory by \a limits; on a failure those that it had are
// back in force. A memory limit below what is in use makes the kernel reclaim, in this thread.
LimitFailure applyLimits(int directory, const CgroupLimits &limits);

// How often the limits were reached, by everything that was ever in a cgroup.
struct LimitEvents
{
    using Number = std::optional<std::uint64_t>;
    Number memoryMax;
    Number memoryHigh;
    Number swapMax;
    Number tasksMax;
    Number outOfMemory;
    Number oomKills; // processes
    Number throttledPeriods;
    Number throttledMicroseconds;
};

LimitEvents limitEvents(int directory);
// one line of "oom_kill", "max" and the like in a cgroup's events file
LimitEvents::Number eventCount(const char *file, const char *name, int directory);

} // namespace ProcessKit::Native

#endif // PROCESSKIT_NATIVE_CGROUP_LIMITS_H
