// SPDX-License-Identifier: MIT
#include "priority_boost.h"

#include <linux/sched.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace ProcessKit::Keeper {

void PriorityBoost::begin()
{
    if (m_active || ::syscall(SYS_sched_getattr, 0, &m_previous, sizeof m_previous, 0) != 0)
        return;
    sched_attr wanted{};
    wanted.size = sizeof wanted;
    wanted.sched_policy = SCHED_FIFO;
    wanted.sched_priority = 1;
    m_active = ::syscall(SYS_sched_setattr, 0, &wanted, 0) == 0;
    if (m_active)
        return;
    wanted = m_previous;
    wanted.sched_nice = -20;
    m_active = ::syscall(SYS_sched_setattr, 0, &wanted, 0) == 0;
    // Without the privilege it stays as it was: it still wins, a little later.
}

void PriorityBoost::end()
{
    if (m_active)
        ::syscall(SYS_sched_setattr, 0, &m_previous, 0);
    m_active = false;
}

} // namespace ProcessKit::Keeper
