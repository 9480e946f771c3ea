// SPDX-License-Identifier: MIT
#ifndef PROCESSKIT_KEEPER_TREE_SIGNAL_H
#define PROCESSKIT_KEEPER_TREE_SIGNAL_H

#include <sys/types.h>

#include <vector>

namespace ProcessKit::Keeper {

// Sends \a signal once to every process below the calling one, but not to the children in \a spared
// (sorted) and what is below them. Who is born while the others are gone through gets it as well.
// Returns the pids, sorted.
std::vector<pid_t> signalTree(int signal, const std::vector<pid_t> &spared = {});

} // namespace ProcessKit::Keeper

#endif // PROCESSKIT_KEEPER_TREE_SIGNAL_H
