// SPDX-License-Identifier: MIT
#include "cgroup_removal.h"

#include "directory_reader.h"
#include "unique_fd.h"

#include <cerrno>
#include <string>
#include <vector>

#include <fcntl.h>

namespace ProcessKit::Native {

namespace {

UniqueFd openDirectory(int directory, const char *name)
{
    return UniqueFd(::openat(directory, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
}

// Only directories can be removed from a cgroup; its files go with it.
bool firstSubdirectory(int directory, std::string *name)
{
    DirectoryReader reader(directory);
    DirectoryReader::Entry entry;
    while (reader.next(&entry)) {
        if (entry.mayBeDirectory) {
            *name = entry.name;
            return true;
        }
    }
    return false;
}

} // namespace

bool removeCgroup(const char *name, int directory)
{
    if (::unlinkat(directory, name, AT_REMOVEDIR) == 0 || errno == ENOENT)
        return true;
    if (errno != EBUSY)
        return false;

    // Not recursive, and one descriptor for any depth: the members chose how deep it is.
    UniqueFd current = openDirectory(directory, name);
    std::vector<std::string> below; // from the cgroup itself, which is not in it
    while (current) {
        std::string child;
        if (firstSubdirectory(current.get(), &child)) {
            current = openDirectory(current.get(), child.c_str());
            below.push_back(std::move(child));
            continue;
        }
        if (below.empty())
            break;
        current = openDirectory(current.get(), "..");
        if (current && ::unlinkat(current.get(), below.back().c_str(), AT_REMOVEDIR) != 0
            && errno != ENOENT)
            return false;
        below.pop_back();
    }
    return ::unlinkat(directory, name, AT_REMOVEDIR) == 0 || errno == ENOENT;
}

} // namespace ProcessKit::Native
