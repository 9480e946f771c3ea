// SPDX-License-Identifier: MIT
#ifndef PROCESSKIT_NATIVE_CGROUP_TREE_H
#define PROCESSKIT_NATIVE_CGROUP_TREE_H

#include "cgroup_directory.h"
#include "direct_child.h"
#include "spawn.h"
#include "tree.h"

namespace ProcessKit::Native {

// A tree in a leaf cgroup of its own: the child is born in it, and nothing that it starts can be
// anywhere else.
class CgroupTree final : public Tree
{
public:
    explicit CgroupTree(const std::shared_ptr<CgroupDirectory> &directory);
    ~CgroupTree() override;

    void launch(Launch launch) override;
    // Instead of launch(): takes in a process that runs, with everything that descends from it. 0,
    // or errno when it is outside as before. \a leftOutside gets those that could not be moved, or
    // have left meanwhile; launched() and, at their end, emptied() are told.
    int adopt(const ProcessEntry &process, std::vector<ProcessEntry> *leftOutside);
    // Moves members out into \a cgroup, a directory; 0 or errno.
    static int moveTo(const std::string &cgroup, const std::vector<ProcessEntry> &members);
    void signal(int signal) override;
    void kill() override;
    std::vector<ProcessEntry> members() const override;
    std::optional<Usage> usage() const override;

private:
    LaunchFailure enterLeaf(const Launch &launch);
    SpawnResult spawnInLeaf(const Launch &launch);
    int takeLeaf();
    void childEnded();
    void watchUntilEmpty();
    void checkEmpty();
    bool isPopulated() const;
    void becomeEmpty();
    std::string leafPath() const;

    const bool m_isOfGroup;
    std::shared_ptr<CgroupDirectory> m_directory;
    CgroupLeaf m_leaf; // none before the launch, and once the tree is empty
    bool m_killed = false;
    bool m_isMeasured = false;
    std::optional<Usage> m_wholeUsage; // once it is empty
    DirectChild m_child;
    std::optional<ProcessEntry> m_adopted; // the root of what was taken in
    Reactor::Watch m_eventsWatch;
    Reactor::Timer m_retry;
};

} // namespace ProcessKit::Native

#endif // PROCESSKIT_NATIVE_CGROUP_TREE_H
