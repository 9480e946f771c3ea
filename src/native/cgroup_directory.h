// SPDX-License-Identifier: MIT
#ifndef PROCESSKIT_NATIVE_CGROUP_DIRECTORY_H
#define PROCESSKIT_NATIVE_CGROUP_DIRECTORY_H

#include "launch_plan.h"
#include "unique_fd.h"

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
    std::shared_ptr<void> keepsDescriptors; // its place among those that do

private:
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
    // Ends everything in it and removes it: what the keeper does when there is one.
    static void discardApplication();

    ~CgroupDirectory();
    CgroupDirectory(const CgroupDirectory &) = delete;
    CgroupDirectory &operator=(const CgroupDirectory &) = delete;

    const std::string &path() const noexcept { return m_path; }

    // An empty leaf with its directory open, a used one when there is any; none with errno.
    CgroupLeaf takeLeaf();
    // Whether a launch has failed because somebody has removed the leaf. Another one may do.
    bool notice(const LaunchFailure &failure);
    // Its tree runs: descriptors that are not kept are closed.
    void settle(CgroupLeaf *leaf) const;
    // An empty leaf comes back. Once a cgroup has been killed, Linux 6.18 kills every process that
    // is born into it from another cgroup (it compares how often each of the two was killed), so a
    // \a killed leaf is not used again.
    void returnLeaf(CgroupLeaf leaf, bool killed);
    // A leaf's file or, with \a file empty, its directory; none with errno.
    UniqueFd open(const CgroupLeaf &leaf, const char *file, int flags) const;

    // Ends every process in every leaf; 0 or errno.
    int kill();
    // Stops every process, and who is born into a leaf, or lets them go on; 0 or errno.
    int freeze(bool frozen);

private:
    CgroupDirectory(std::string path, UniqueFd directory,
                    std::shared_ptr<CgroupDirectory> parent = {});
    static std::shared_ptr<CgroupDirectory>
    make(const std::string &path, std::shared_ptr<CgroupDirectory> parent, int *error);

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
};

} // namespace ProcessKit::Native

#endif // PROCESSKIT_NATIVE_CGROUP_DIRECTORY_H
