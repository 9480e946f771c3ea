// SPDX-License-Identifier: MIT
#include "cgroup_emptier.h"

#include "cgroup_removal.h"
#include "small_file.h"

#include <string_view>

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/vfs.h>

namespace ProcessKit::Keeper {

using namespace Native;

CgroupEmptier::CgroupEmptier(std::string path) : m_path(std::move(path))
{
    UniqueFd directory(::open(m_path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    struct statfs system;
    // whatever we were told, we remove nothing but cgroups
    if (!directory || ::fstatfs(directory.get(), &system) != 0
        || system.f_type != CGROUP2_SUPER_MAGIC)
        return;
    m_events.reset(::openat(directory.get(), "cgroup.events", O_RDONLY | O_CLOEXEC));
    m_directory = std::move(directory);
}

bool CgroupEmptier::isPopulated() const
{
    char text[128];
    const ssize_t length = ::pread(m_events.get(), text, sizeof text, 0);
    // ENODEV: somebody else has removed it
    return length > 0
            && std::string_view(text, std::size_t(length)).find("populated 1")
            != std::string_view::npos;
}

bool CgroupEmptier::proceed()
{
    if (!m_events)
        return true;
    // Read before anything is killed: a change from here on is an event.
    if (isPopulated())
        return !writeSmallFile("cgroup.kill", "1", m_directory.get());
    removeCgroup(m_path.c_str());
    return true;
}

} // namespace ProcessKit::Keeper
