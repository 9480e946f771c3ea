// SPDX-License-Identifier: MIT
#ifndef PROCESSKIT_NATIVE_PROCESS_GROUP_TREE_H
#define PROCESSKIT_NATIVE_PROCESS_GROUP_TREE_H

#include "direct_child.h"
#include "tree.h"

#include <list>

namespace ProcessKit::Native {

// A tree in a POSIX process group of its own. What calls setsid(2) or setpgid(2) leaves it; no
// other mechanism is that weak, so it is used only by request, and where nothing else can be.
class ProcessGroupTree final : public Tree
{
public:
    ProcessGroupTree() : Tree(TreeKind::ProcessGroup) { }

    void launch(Launch launch) override;
    void signal(int signal) override;
    void kill() override;
    std::vector<ProcessEntry> members() const override;

private:
    struct Member
    {
        UniqueFd pidfd;
        Reactor::Watch watch;
    };

    LaunchFailure enterGroup(const Launch &launch);
    void childEnded();
    void watchMembers();
    void becomeEmpty();

    DirectChild m_child;
    bool m_killed = false;
    std::uint32_t m_heldAs = 0; // by the keeper
    std::list<Member> m_members; // that are left over, each watched until it ends
    Reactor::Timer m_retry;
};

} // namespace ProcessKit::Native

#endif // PROCESSKIT_NATIVE_PROCESS_GROUP_TREE_H
