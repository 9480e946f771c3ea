// SPDX-License-Identifier: MIT
#ifndef PROCESSKIT_NATIVE_DIRECT_CHILD_H
#define PROCESSKIT_NATIVE_DIRECT_CHILD_H

#include "reactor.h"
#include "tree.h"

#include <functional>

namespace ProcessKit::Native {

// A child of this very process: watched until it ends, and reaped.
class DirectChild
{
public:
    // 0 or errno; the child is watched from now on
    int watch(pid_t pid, UniqueFd pidfd, std::function<void()> ended);
    pid_t pid() const noexcept { return m_pid; }
    int pidfd() const noexcept { return m_pidfd.get(); }

    // How it ended; it stays a zombie, which keeps its pid and process group from being reused.
    ChildExit peek();
    // The same, and the zombie goes.
    ChildExit reap();

private:
    ChildExit wait(bool keepZombie) const;

    pid_t m_pid = 0;
    UniqueFd m_pidfd;
    Reactor::Watch m_watch;
};

// Has \a pid reaped when it ends, should it be, as an orphan, a child of ours: where we are pid 1
// or a subreaper.
void reapWhenOrphaned(pid_t pid);
// The same for those children of ours that have the name \a name.
void reapWhenOrphaned(const char *name);

// Where orphans come to us (as pid 1 or as a subreaper), a tree's dead are ours to reap. Those that
// \a isOurs are, of the zombies among our children.
void reapAdopted(const std::function<bool(pid_t)> &isOurs);

} // namespace ProcessKit::Native

#endif // PROCESSKIT_NATIVE_DIRECT_CHILD_H
