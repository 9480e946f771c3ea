// SPDX-License-Identifier: MIT
#ifndef PROCESSKIT_NATIVE_CLONE_LINUX_H
#define PROCESSKIT_NATIVE_CLONE_LINUX_H

#include <linux/sched.h>

namespace ProcessKit::Native {

// clone3(2) for a child that shares our memory: it enters \a entry on the stack in \a arguments and
// never comes back from it. Returns the child's pid, or a negative errno; -ENOSYS on processors for
// which no entry sequence is written.
long cloneSharingMemory(clone_args *arguments, void (*entry)(void *), void *parameter);

} // namespace ProcessKit::Native

#endif // PROCESSKIT_NATIVE_CLONE_LINUX_H
