// SPDX-License-Identifier: MIT
#ifndef PROCESSKIT_NATIVE_CGROUP_LOCATION_H
#define PROCESSKIT_NATIVE_CGROUP_LOCATION_H

#include <sys/types.h>

#include <string>

namespace ProcessKit::Native {

// Where this process may make cgroups, found without making any.
struct CgroupLocation
{
    std::string directory; // our own cgroup below a cgroup2 mount; empty when there is none to use
    std::string reason; // why it is empty, in one line

    static CgroupLocation find();
    // our own cgroup, whatever may be done there; empty where no mount shows it
    static std::string ownDirectory();
    // the same of another process
    static std::string directoryOf(pid_t pid);
    // that of the cgroup \a path
    static std::string directoryAt(const std::string &path);
    // The parsing, apart from the files: our cgroup's directory below the first cgroup2 mount that
    // shows it. \a mountInfo as /proc/PID/mountinfo, \a cgroups as /proc/PID/cgroup.
    static std::string directoryFrom(const std::string &mountInfo, const std::string &cgroups);
};

} // namespace ProcessKit::Native

#endif // PROCESSKIT_NATIVE_CGROUP_LOCATION_H
