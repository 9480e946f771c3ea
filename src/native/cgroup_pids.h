// SPDX-License-Identifier: MIT
#ifndef PROCESSKIT_NATIVE_CGROUP_PIDS_H
#define PROCESSKIT_NATIVE_CGROUP_PIDS_H

#include <sys/types.h>

#include <vector>

namespace ProcessKit::Native {

// Appends the pids in the cgroup that \a directory is a descriptor of, and in those below it. A
// process outside of our pid namespace has none.
void collectPids(int directory, std::vector<pid_t> *pids);

} // namespace ProcessKit::Native

#endif // PROCESSKIT_NATIVE_CGROUP_PIDS_H
