// SPDX-License-Identifier: MIT
#ifndef PROCESSKIT_NATIVE_CGROUP_DIRECTORY_H
#define PROCESSKIT_NATIVE_CGROUP_DIRECTORY_H

#include "cgroup_limits.h"
#include "controller_place.h"
#include "launch_plan.h"
#include "reactor.h"
#include "unique_fd.h"
#include "usage.h"

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace ProcessKit::Native {

// The cgroup of one spawn. A few of a program's leaves keep their descriptors from one spawn to the
// next; the others hold none while their tree runs.
class CgroupLeaf
{
public:
    CgroupLeaf() = default;
    explicit CgroupLeaf(std::string name) : m_name(std::move(name)) { }
    CgroupLeaf(CgroupLeaf &&other) noexcept = default;
    CgroupLeaf &operator=(CgroupLeaf &&other) noexcept = default;

    explicit operator bool() const noexcept { return !m_name.empty(); }
    const std::string &name() const noexcept { return m_name; }

    UniqueFd directory;
    UniqueFd events; // cgroup.events
    std::uint64_t earlierOomKills = 0; // of the trees that were in it before
    // their CPU time; none where it is not known
    std::optional<Usage> earlierUsage = noCpuTime();
    // what the tree that was in it has used, if that was measured
    void noteUsage(const std::optional<Usage> &ofTree);
    std::shared_ptr<void> keepsDescriptors; // its place among those that do

private:
    static Usage noCpuTime()
    {
        Usage none;
        none.userMicroseconds = none.systemMicroseconds = 0;
        return none;
    }

    std::string m_name;
};

// A cgroup in which leaves are made, one for each spawn: the application's own, stamped with its
// owner, or that of one group below it. Reactor thread only.
class CgroupDirectory
{
public:
    // The application's, made at the first call and again should somebody have removed it; null
    // with errno in \a error.
    static std::shared_ptr<CgroupDirectory> ofApplication(int *error);
    // a new one below it
    static std::shared_ptr<CgroupDirectory> ofGroup(int *error);
    // A new one with \a limits, at \a place; null with what failed.
    static std::shared_ptr<CgroupDirectory>
    ofLimitedGroup(const ControllerPlace &place, const CgroupLimits &limits, LimitFailure *failure);
    // Ends everything in it and removes it: what the keeper does when there is one.
    static void discardApplication();

    ~CgroupDirectory();
    CgroupDirectory(const CgroupDirectory &) = delete;
    CgroupDirectory &operator=(const CgroupDirectory &) = delete;

    const std::string &path() const noexcept { return m_path; }
    // Whether only the keeper, whose cgroup is beside it, can have children born in it: the kernel
    // wants permission for the nearest cgroup that both are below (cgroups(7)).
    bool isKeepers() const noexcept { return m_isKeepers; }
    bool exists() const;
    // Gives a group, at any time, what limits need; 0 or errno.
    int provideControllers(Controllers wanted);
    // the directory itself, for applyLimits(); none with errno
    UniqueFd open() const;
    LimitEvents limitEvents() const;
    // Called when one of limitEvents() may have changed; those of the CPU have no event.
    void watchLimits(std::function<void()> callback);
    // of the tree in it
    std::optional<std::uint64_t> oomKills(const CgroupLeaf &leaf) const;
    // CPU time of the tree in it; none where that cannot be told from what was in it before
    std::optional<Usage> usage(const CgroupLeaf &leaf) const;

    // An empty leaf with its directory open, a used one when there is any; none with errno.
    // \a measured: for usage()
    CgroupLeaf takeLeaf(bool measured = false);
    // Whether a launch has failed because somebody has removed the leaf. Another one may do.
    bool notice(const LaunchFailure &failure);
    // Its tree runs: descriptors that are not kept are closed.
    void settle(CgroupLeaf *leaf);
    // An empty leaf comes back. Once a cgroup has been killed, Linux 6.18 kills every process that
    // is born into it from another cgroup (it compares how often each of the two was killed), so a
    // \a killed leaf is not used again.
    void returnLeaf(CgroupLeaf leaf, bool killed);
    // A leaf's file or, with \a file empty, its directory; none with errno.
    UniqueFd open(const CgroupLeaf &leaf, const char *file, int flags) const;

    // Ends every process in one leaf; false where no descriptor is left to do it with.
    bool kill(const CgroupLeaf &leaf) const;
    // Ends every process in every leaf; 0 or errno.
    int kill();
    // Stops every process, and who is born into a leaf, or lets them go on; 0 or errno.
    int freeze(bool frozen);

private:
    CgroupDirectory(std::string path, UniqueFd directory,
                    std::shared_ptr<CgroupDirectory> parent = {});
    static std::shared_ptr<CgroupDirectory>
    make(const std::string &path, std::shared_ptr<CgroupDirectory> parent, int *error);
    // \a kept: the one that is used as long as it is there
    static std::shared_ptr<CgroupDirectory> in(const std::string &location,
                                               std::shared_ptr<CgroupDirectory> *kept, int *error);
    static std::shared_ptr<CgroupDirectory> ofGroup(std::shared_ptr<CgroupDirectory> application,
                                                    int *error);
    bool isUsable() const { return m_owner == ::geteuid() && !m_isGone; }
    struct FileWatch
    {
        UniqueFd file;
        Reactor::Watch watch;
    };
    void watchFile(const std::string &path, std::unique_ptr<FileWatch> *watch);
    std::optional<Usage> cpuUsage(const CgroupLeaf &leaf) const;
    void removeLeaf(const CgroupLeaf &leaf);
    void discard();

    bool openDirectory(CgroupLeaf *leaf) const;
    void dropFreeLeaves();
    UniqueFd openBelow(const std::string &path, int flags) const;

    static constexpr std::size_t maximumFreeLeaves = 32;

    const std::string m_path;
    const uid_t m_owner = ::geteuid();
    bool m_isGone = false; // somebody has removed it
    const UniqueFd m_directory;
    const std::shared_ptr<CgroupDirectory> m_parent; // keeps the application's for its groups
    std::vector<CgroupLeaf> m_freeLeaves;
    unsigned m_leafCount = 0;
    unsigned m_killedLeaves = 0; // the leaves up to this number were killed with the directory

    bool m_isKeepers = false;
    Controllers m_controllers = 0; // that the leaves have
    std::function<void()> m_onLimitEvent;
    std::unique_ptr<FileWatch> m_memoryWatch;
    std::unique_ptr<FileWatch> m_tasksWatch;
    // Before Linux 6.12 a fork that failed is counted where it was tried, not at the limit.
    std::map<std::string, std::unique_ptr<FileWatch>> m_leafWatches;
    std::uint64_t m_goneTaskEvents = 0; // of leaves that have been removed
};

} // namespace ProcessKit::Native

#endif // PROCESSKIT_NATIVE_CGROUP_DIRECTORY_H
