// SPDX-License-Identifier: MIT
#ifndef PROCESSKIT_KEEPER_APPLICATION_KEEPER_H
#define PROCESSKIT_KEEPER_APPLICATION_KEEPER_H

#include "cgroup_emptier.h"
#include "held_process_group.h"
#include "keeper_protocol.h"
#include "outbox.h"
#include "tree_killer.h"

#include <string>
#include <string_view>
#include <vector>

namespace ProcessKit::Keeper {

// The one keeper of an application: ends whatever the application asked it to hold when that one is
// gone, and makes a group keeper for each group that needs a subreaper.
class ApplicationKeeper
{
public:
    ApplicationKeeper();
    // Serves until the application and everything held are gone; the process's exit status.
    int run();

private:
    using Message = Native::KeeperProtocol::Message;

    struct Group
    {
        pid_t keeper; // our child, whom only we reap: the pid is its for as long as this exists
        std::uint32_t id;
    };

    void receive();
    bool handle(Message &message);
    bool greet(Message &message);
    void holdCgroup(std::string path);
    void holdProcessGroup(Message &message);
    void makeGroup(Message &message);
    [[noreturn]] void becomeGroupKeeper(Native::UniqueFd socket);
    void applicationDied();

    void sweep(const std::string &directory);
    void empty(std::string path);
    bool isHeld(std::string_view path) const;

    void reap();
    void groupKeeperEnded(std::size_t index, bool asExpected);
    void rescueOrphans(bool quiet);
    std::vector<pid_t> groupKeepers() const;
    int timeout() const;
    bool isOver() const;

    Outbox m_outbox;
    TreeKiller m_killer; // of orphans whose group keeper was killed
    std::vector<std::uint32_t> m_lostGroups; // to be reported when those are gone
    std::vector<Group> m_groups;
    std::vector<std::string> m_cgroups;
    std::vector<HeldProcessGroup> m_processGroups;
    std::vector<CgroupEmptier> m_emptying;
    bool m_isGreeted = false;
    bool m_isApplicationDead = false;
};

} // namespace ProcessKit::Keeper

#endif // PROCESSKIT_KEEPER_APPLICATION_KEEPER_H
