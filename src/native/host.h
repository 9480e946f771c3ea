// SPDX-License-Identifier: MIT
#ifndef PROCESSKIT_NATIVE_HOST_H
#define PROCESSKIT_NATIVE_HOST_H

#include "keeper_client.h"
#include "tree.h"

#include <optional>
#include <string>

namespace ProcessKit::Native {

// What this host gives, found without starting or making anything. Any thread.
struct Host
{
    std::optional<TreeKind> kind; // none: nothing can be contained
    std::string reason; // why it is not better; empty for the best
    std::string location; // the cgroup in which groups would be made
    KeeperClient::Program keeper;

    static Host query();
    static Host query(TreeKind wanted);
};

// The mechanism that a start of no particular wishes gets; on the reactor's thread, because it may
// make the application's cgroup. A modifier is code of this process's: only its own children can
// run it.
TreeKind chooseMechanism(bool withModifier);

} // namespace ProcessKit::Native

#endif // PROCESSKIT_NATIVE_HOST_H
