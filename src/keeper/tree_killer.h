// SPDX-License-Identifier: MIT
#ifndef PROCESSKIT_KEEPER_TREE_KILLER_H
#define PROCESSKIT_KEEPER_TREE_KILLER_H

#include "priority_boost.h"

#include <sys/types.h>

#include <vector>

namespace ProcessKit::Keeper {

// Ends every process below the calling one, which is their subreaper and their only reaper, also
// those that are born meanwhile.
//
// Why it comes to an end without polling: any living descendant hangs below a child of ours, so it
// is enough to hit each child. A child cannot leave our list before we reap it, hence a pass sees
// all that are there. A child that comes later is an orphan: some ancestor of it has ended, and
// that one hung below a child of ours, too, which the pass before has hit. Orphans are handed over
// before the end of their parent is reported, so when that child's SIGCHLD arrives and another pass
// is made, the newcomer is in the list. Each pass that hits something thus has a SIGCHLD after it,
// and the pass that finds no child is the last.
//
// Nor can a fork loop outrun it: a process with a pending SIGKILL does not finish a fork(2), so a
// pass ends the loop if it strikes between the birth of its newest process and that one's own
// child's. A pass takes some microseconds, a fork and an exec or exit tens of them. (For the same
// reason RLIMIT_NPROC would gain nothing: SIGKILL is stronger, and does not spare root.)
//
// What has gained privileges over us (sudo) cannot be ended. It is left alone; we stay its reaper.
class TreeKiller
{
public:
    bool isActive() const { return m_active; }
    // \a spared: children that are not touched, and what is below them
    void begin(const std::vector<pid_t> &spared = {});
    void childReaped(pid_t pid);
    // After every wake-up; \a quiet: nothing has come for timeout() milliseconds.
    void proceed(bool quiet, const std::vector<pid_t> &spared = {});
    // for poll(2)
    int timeout() const { return m_isOwed ? 1 : -1; }
    // no child but spared ones was left at the last pass
    bool isDone() const { return m_left == 0; }
    void end();

private:
    enum class Depth { Children, Tree };
    void pass(Depth depth, const std::vector<pid_t> &spared);
    void forgetReaped();

    bool m_active = false;
    bool m_isOwed = false; // a pass is due unless something happens before
    bool m_isTreeOwed = false; // and has to go deeper
    int m_finds = 0; // passes that found somebody new
    std::size_t m_left = 0;
    std::vector<pid_t> m_hit; // children that have their SIGKILL; sorted
    std::vector<pid_t> m_reaped; // since the last pass
    std::vector<pid_t> m_struck; // everybody who had it from a pass through the tree; sorted
    PriorityBoost m_boost;
};

} // namespace ProcessKit::Keeper

#endif // PROCESSKIT_KEEPER_TREE_KILLER_H
