// SPDX-License-Identifier: MIT
#ifndef PROCESSKIT_NATIVE_CONTROLLERS_H
#define PROCESSKIT_NATIVE_CONTROLLERS_H

#include <string>

namespace ProcessKit::Native {

// The cgroup v2 controllers that limits need, as bits.
using Controllers = unsigned;
constexpr Controllers CpuController = 0x1;
constexpr Controllers IoController = 0x2;
constexpr Controllers MemoryController = 0x4;
constexpr Controllers PidsController = 0x8;

// "memory, pids"
std::string namesOf(Controllers controllers);
// those that \a file ("cgroup.controllers" or "cgroup.subtree_control") of the cgroup \a directory
// names
Controllers controllersIn(int directory, const char *file);
// Gives them to the cgroups below \a directory, all or none; 0 or errno: EBUSY where processes are
// in that cgroup itself, ENOENT where it has not got them.
int enableControllers(int directory, Controllers wanted);

} // namespace ProcessKit::Native

#endif // PROCESSKIT_NATIVE_CONTROLLERS_H
