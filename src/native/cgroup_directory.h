// SPDX-License-Identifier: MIT
#ifndef PROCESSKIT_NATIVE_CGROUP_DIRECTORY_H
#define PROCESSKIT_NATIVE_CGROUP_DIRECTORY_H

#include "unique_fd.h"

#include <errno.h>

#include <memory>
#include <string>
#include <vector>

namespace ProcessKit::Native {

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

    // The name of an empty leaf, a used one when there is any; empty with errno.
    std::string takeLeaf();
    // to be called when a leaf that was taken is not there
    void notice(int error) { m_isGone |= error == ENOENT || error == ENODEV; }
    // An empty leaf comes back. Once a cgroup has been killed, Linux 6.18 kills every process that
    // is born into it from another cgroup (it compares how often each of the two was killed), so a
    // \a killed leaf is not used again.
    void returnLeaf(const std::string &name, bool killed);
    // A leaf's file or, with \a file empty, its directory; none with errno.
    UniqueFd open(const std::string &leaf, const char *file, int flags) const;

    // Ends every process in every leaf; 0 or errno.
    int kill();

private:
    CgroupDirectory(std::string path, UniqueFd directory,
                    std::shared_ptr<CgroupDirectory> parent = {});
    static std::shared_ptr<CgroupDirectory>
    make(const std::string &path, std::shared_ptr<CgroupDirectory> parent, int *error);

    static constexpr std::size_t maximumFreeLeaves = 32;

    const std::string m_path;
    const uid_t m_owner = ::geteuid();
    bool m_isGone = false; // somebody has removed it
    const UniqueFd m_directory;
    const std::shared_ptr<CgroupDirectory> m_parent; // keeps the application's for its groups
    std::vector<std::string> m_freeLeaves;
    unsigned m_leafCount = 0;
    unsigned m_killedLeaves = 0; // the leaves up to this number were killed with the directory
};

} // namespace ProcessKit::Native

#endif // PROCESSKIT_NATIVE_CGROUP_DIRECTORY_H
