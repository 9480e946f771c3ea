// SPDX-License-Identifier: MIT
#ifndef PROCESSKIT_NATIVE_TREE_H
#define PROCESSKIT_NATIVE_TREE_H

#include "launch_plan.h"
#include "process_table.h"
#include "unique_fd.h"
#include "usage.h"

#include <sys/resource.h>

#include <functional>
#include <memory>
#include <optional>
#include <vector>

namespace ProcessKit::Native {

class CgroupDirectory;

enum class TreeKind : std::uint8_t { CgroupV2, Subreaper, ProcessGroup };

// How the direct child of a tree ended.
struct ChildExit
{
    bool known = true; // false: somebody else has reaped it, or its keeper was killed
    bool signalled = false;
    int code = 0; // exit code or signal number
    // of the child and of those whose end it, or its keeper, has waited for
    std::optional<rusage> usage = std::nullopt;
    // processes of the tree that the kernel has killed for memory by then; none where it does not
    // count them
    std::optional<std::uint64_t> oomKills = std::nullopt;
};

// What is told of a tree, on the reactor's thread.
class TreeObserver
{
public:
    virtual void launched(pid_t pid) = 0;
    virtual void launchFailed(const LaunchFailure &failure) = 0; // the last call
    virtual void exited(const ChildExit &exit) = 0;
    virtual void emptied() = 0; // the last call
    // Its keeper was killed, and the tree was \a ended; or else the keeper's keeper was killed as
    // well, and nobody knows what has become of its members. emptied() follows.
    virtual void lost(bool ended) = 0;

protected:
    ~TreeObserver() = default;
};

struct Launch
{
    LaunchPlan plan;
    std::vector<UniqueFd> childEnds; // closed as soon as the child has them
    std::function<void()> modifier;
    bool isMeasured = false; // usage() is wanted of the whole tree
};

// One spawn and everything that it spawns: the unit that is signalled, emptied and reported. A
// launched tree stays alive until nothing is left in it, whoever still refers to it. Reactor thread
// only.
class Tree : public std::enable_shared_from_this<Tree>
{
public:
    // \a directory: the group of a CgroupV2 tree; null for one of its own
    static std::shared_ptr<Tree> make(TreeKind kind,
                                      const std::shared_ptr<CgroupDirectory> &directory = {});
    virtual ~Tree() = default;
    Tree(const Tree &) = delete;
    Tree &operator=(const Tree &) = delete;

    // Once; ends in launched() or launchFailed(), which may come before this returns.
    virtual void launch(Launch launch) = 0;
    // Every member gets the signal, each through its own handle.
    virtual void signal(int signal) = 0;
    // Every member ends, and what they spawn meanwhile. Also before the launch has come back.
    virtual void kill() = 0;
    virtual std::vector<ProcessEntry> members() const = 0;
    // What those that have ended have used: of all of them where the launch was measured in a
    // cgroup or goes through a keeper, else of whom ChildExit tells. None before the exit of the
    // child.
    virtual std::optional<Usage> usage() const { return m_usage; }

    TreeKind kind() const noexcept { return m_kind; }
    pid_t pid() const noexcept { return m_pid; }
    void setObserver(TreeObserver *observer) noexcept { m_observer = observer; }

    // Every tree that has members; what an application without a keeper ends when it exits.
    static void killAll();

protected:
    explicit Tree(TreeKind kind) noexcept : m_kind(kind) { }

    void begin(); // from here on the tree keeps itself
    void reportLaunched(pid_t pid);
    void reportLaunchFailed(const LaunchFailure &failure);
    void reportExited(const ChildExit &exit);
    void reportLost(bool ended);
    void reportEmptied();
    void setUsage(const rusage &usage);

private:
    void end();

    const TreeKind m_kind;
    pid_t m_pid = 0;
    TreeObserver *m_observer = nullptr;
    std::optional<Usage> m_usage;
};

} // namespace ProcessKit::Native

#endif // PROCESSKIT_NATIVE_TREE_H
