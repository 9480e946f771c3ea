// SPDX-License-Identifier: MIT
#include "held_process_group.h"

#include "process_table.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <vector>

#include <sys/syscall.h>

#ifndef PIDFD_SIGNAL_PROCESS_GROUP
#  define PIDFD_SIGNAL_PROCESS_GROUP (1U << 2)
#endif

namespace ProcessKit::Keeper {

using namespace Native;

namespace {

bool killThroughLeader(int leader)
{
    // all members at once, so that none can fork its way out; a handle whose leader is long gone
    // still means this group and no later one of the same number
    return ::syscall(SYS_pidfd_send_signal, leader, SIGKILL, nullptr, PIDFD_SIGNAL_PROCESS_GROUP)
            == 0
            || errno == ESRCH;
}

// Before Linux 6.9, or without a handle.
void killMembers(pid_t group, std::uint64_t startTime)
{
    // The number has passed to another group if somebody else is its leader, or a member is older.
    const auto isStranger = [group, startTime](const ProcessEntry &member) {
        return member.startTime < startTime
                || (member.pid == group && member.startTime != startTime);
    };
    const auto isLeader = [group](const ProcessEntry &member) { return member.pid == group; };
    // One after another, until no other turns up; a group can fork as fast as it is killed. One
    // that has ended by itself, even before it could be looked at, may have forked another just
    // before.
    constexpr int maximumRounds = 100;
    std::vector<pid_t> met;
    for (int round = 0; round < maximumRounds; ++round) {
        bool found = false;
        const std::vector<ProcessEntry> members = membersOfProcessGroup(group, &found);
        if (std::any_of(members.begin(), members.end(), isStranger))
            return;
        // The leader, even a dead one, keeps the number from being anybody else's.
        if (std::any_of(members.begin(), members.end(), isLeader)) {
            ::kill(-group, SIGKILL);
            return;
        }
        for (const ProcessEntry &member : members) {
            if (std::find(met.begin(), met.end(), member.pid) != met.end())
                continue;
            met.push_back(member.pid);
            found = true;
            if (!member.isAlive())
                continue;
            if (const UniqueFd process = openProcess(member))
                sendSignal(process.get(), SIGKILL);
        }
        if (!found)
            return;
    }
}

} // namespace

void HeldProcessGroup::kill() const
{
    if (!leader || !killThroughLeader(leader.get()))
        killMembers(group, startTime);
}

} // namespace ProcessKit::Keeper
