// SPDX-License-Identifier: MIT
#ifndef PROCESSKIT_KEEPER_HELD_PROCESS_GROUP_H
#define PROCESSKIT_KEEPER_HELD_PROCESS_GROUP_H

#include "unique_fd.h"

#include <sys/types.h>

#include <cstdint>

namespace ProcessKit::Keeper {

struct HeldProcessGroup
{
    std::uint32_t id = 0;
    pid_t group = 0;
    std::uint64_t startTime = 0; // of the leader
    Native::UniqueFd leader; // its pidfd; none when there was no room for it

    // Ends every member. What has left the group is out of reach.
    void kill() const;
};

} // namespace ProcessKit::Keeper

#endif // PROCESSKIT_KEEPER_HELD_PROCESS_GROUP_H
