// SPDX-License-Identifier: MIT
#ifndef PROCESSKIT_KEEPER_GROUP_KEEPER_H
#define PROCESSKIT_KEEPER_GROUP_KEEPER_H

#include "keeper_protocol.h"
#include "outbox.h"
#include "tree_killer.h"

#include <string_view>

namespace ProcessKit::Keeper {

// The subreaper of one group: starts its direct child, reaps whatever is orphaned, and ends it all
// on demand or when the application is gone. Its descriptors are in their places when it is made.
class GroupKeeper
{
public:
    GroupKeeper();
    // Serves until no process is left; the process's exit status.
    int run();

private:
    using Message = Native::KeeperProtocol::Message;

    void receive();
    void handle(Message &message);
    void launch(Message &message);
    void report(const Native::LaunchFailure &failure);
    void kill();
    // false when there is no child
    bool reap();

    enum class Stage { Waiting, Running, Over };

    Outbox m_outbox;
    TreeKiller m_killer;
    Stage m_stage = Stage::Waiting;
    bool m_isConnected = true;
    bool m_isWatchingApplication = true;
    pid_t m_child = -1;
};

} // namespace ProcessKit::Keeper

#endif // PROCESSKIT_KEEPER_GROUP_KEEPER_H
