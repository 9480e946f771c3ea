// SPDX-License-Identifier: MIT
#ifndef PROCESSKIT_NATIVE_CGROUP_REMOVAL_H
#define PROCESSKIT_NATIVE_CGROUP_REMOVAL_H

namespace ProcessKit::Native {

// Removes an empty cgroup and whatever cgroups its former members have made in it, to any depth.
// \a name is relative to \a directory (openat(2)). true when it is gone, else false with errno.
bool removeCgroup(const char *name, int directory = -1);

} // namespace ProcessKit::Native

#endif // PROCESSKIT_NATIVE_CGROUP_REMOVAL_H
