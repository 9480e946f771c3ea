// SPDX-License-Identifier: MIT
#ifndef PROCESSKIT_KEEPER_PRIORITY_BOOST_H
#define PROCESSKIT_KEEPER_PRIORITY_BOOST_H

#include <linux/sched/types.h>

namespace ProcessKit::Keeper {

// Real-time scheduling where the system permits it, so that the one who kills does not wait in line
// behind those who fork.
class PriorityBoost
{
public:
    void begin();
    void end(); // back to what it was

private:
    bool m_active = false;
    sched_attr m_previous{};
};

} // namespace ProcessKit::Keeper

#endif // PROCESSKIT_KEEPER_PRIORITY_BOOST_H
