// SPDX-License-Identifier: MIT
#ifndef PROCESSKIT_NATIVE_DETACHED_H
#define PROCESSKIT_NATIVE_DETACHED_H

#include "tree.h"

namespace ProcessKit::Native {

struct DetachedResult
{
    pid_t pid = -1;
    LaunchFailure failure;
};

// Starts a process that is nobody's: in a session of its own, not a child of ours, in no group, and
// not ended with us. Reactor thread only.
DetachedResult startDetached(Launch launch);

} // namespace ProcessKit::Native

#endif // PROCESSKIT_NATIVE_DETACHED_H
