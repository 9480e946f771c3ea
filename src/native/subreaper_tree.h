// SPDX-License-Identifier: MIT
#ifndef PROCESSKIT_NATIVE_SUBREAPER_TREE_H
#define PROCESSKIT_NATIVE_SUBREAPER_TREE_H

#include "cgroup_directory.h"
#include "keeper_protocol.h"
#include "reactor.h"
#include "tree.h"

namespace ProcessKit::Native {

// A tree below a group keeper, which is the subreaper of everything in it: whatever is orphaned,
// in whatever session, becomes the group keeper's child. With a directory it is a tree in a leaf of
// that cgroup as well, into which only the keeper may spawn: the kernel holds it then, and the
// group keeper reports.
class SubreaperTree final : public Tree
{
public:
    SubreaperTree() : Tree(TreeKind::Subreaper) { }
    explicit SubreaperTree(std::shared_ptr<CgroupDirectory> directory)
        : Tree(TreeKind::CgroupV2), m_directory(std::move(directory))
    {
    }

    void launch(Launch launch) override;
    void signal(int signal) override;
    void kill() override;
    std::vector<ProcessEntry> members() const override;

private:
    LaunchFailure askKeeper(const Launch &launch);
    void readMessages();
    void handle(KeeperProtocol::Message *message);
    void send(const KeeperProtocol::Message &message);
    void socketClosed();
    void keeperSays(int error);
    void lose(bool ended, int error);
    void letGo();

    const std::shared_ptr<CgroupDirectory> m_directory; // or none
    CgroupLeaf m_leaf;
    bool m_killed = false;
    UniqueFd m_socket;
    Reactor::Watch m_watch;
    std::uint32_t m_id = 0;
    pid_t m_groupKeeper = 0;
    bool m_launched = false;
    bool m_exited = false;
    bool m_over = false;
    bool m_isOrphan = false; // the group keeper, of the keeper
};

} // namespace ProcessKit::Native

#endif // PROCESSKIT_NATIVE_SUBREAPER_TREE_H
