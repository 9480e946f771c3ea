// SPDX-License-Identifier: MIT
#ifndef PROCESSKIT_NATIVE_USAGE_H
#define PROCESSKIT_NATIVE_USAGE_H

#include <sys/resource.h>
#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>

namespace ProcessKit::Native {

// What processes have used. A figure that cannot be had is absent.
struct Usage
{
    std::optional<std::uint64_t> userMicroseconds;
    std::optional<std::uint64_t> systemMicroseconds;
    std::optional<std::uint64_t> memory; // bytes, as all below
    std::optional<std::uint64_t> peakMemory;
    std::optional<std::uint64_t> processes;
    std::optional<std::uint64_t> peakProcesses;
    std::optional<std::uint64_t> bytesRead; // from and to block devices
    std::optional<std::uint64_t> bytesWritten;

    // sums where there is anything to add
    Usage &operator+=(const Usage &other);
};

// Of a cgroup and everything that was ever in it, below the directory \a path. Where the kernel
// does not count processes and memory there, those that are in it are counted.
Usage usageOfCgroup(const std::string &path);
// CPU time only, both kinds, from the file \a cpuStat
std::optional<Usage> cpuUsageOfCgroup(const std::string &cpuStat, int directory = -1);
// Adds what /proc tells of a process that is alive, and of those of its children that it has waited
// for; false when it is gone.
bool addUsageOfProcess(pid_t pid, Usage *sum);
// Adds that of a child that was reaped.
void addUsage(const rusage &usage, Usage *sum);

} // namespace ProcessKit::Native

#endif // PROCESSKIT_NATIVE_USAGE_H
