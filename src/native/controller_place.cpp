// SPDX-License-Identifier: MIT
#include "controller_place.h"

#include "cgroup_location.h"
#include "small_file.h"
#include "unique_fd.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include <atomic>
#include <sstream>

namespace ProcessKit::Native {

namespace {

std::atomic<bool> mayMove = false;

using Source = ControllerPlace::Source;

UniqueFd openDirectory(const std::string &path)
{
    return UniqueFd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

bool isUnit(std::string_view name)
{
    return name.ends_with(".service") || name.ends_with(".scope");
}

bool isManagedBySystemd(const std::string &directory)
{
    std::istringstream path(directory);
    for (std::string name; std::getline(path, name, '/');) {
        if (isUnit(name) || name.ends_with(".slice"))
            return true;
    }
    return false;
}

// systemd leaves what is below a unit of the property Delegate= to the unit, and marks it. Where
// there is no systemd, a cgroup of ours is ours. (systemd's "Control Group APIs and Delegation")
bool isDelegated(const std::string &directory)
{
    if (isManagedBySystemd(directory)) {
        for (const char *mark : { "user.delegate", "trusted.delegate" }) {
            char value = 0;
            if (::getxattr(directory.c_str(), mark, &value, 1) == 1 && value == '1')
                return true;
        }
        return false;
    }
    struct stat status;
    return ::stat(directory.c_str(), &status) == 0 && status.st_uid == ::geteuid();
}

// only the root has no such file, and only the root may have processes and give controllers
bool isRoot(int cgroup)
{
    return ::faccessat(cgroup, "cgroup.events", F_OK, 0) != 0;
}

bool hasProcesses(int cgroup)
{
    std::string pids;
    return !readFile("cgroup.procs", &pids, cgroup) || !pids.empty();
}

bool mayGiveControllers(int cgroup)
{
    return ::faccessat(cgroup, "cgroup.subtree_control", W_OK, AT_EACCESS) == 0
            && ::faccessat(cgroup, "cgroup.procs", W_OK, AT_EACCESS) == 0
            && ::faccessat(cgroup, ".", W_OK | X_OK, AT_EACCESS) == 0;
}

// The nearest cgroup above ours, within our unit, that was left to us and in which no process is.
std::string emptyDelegatedAncestor(std::string directory, Controllers wanted)
{
    while (!isUnit(directory.substr(directory.rfind('/') + 1))) {
        directory.resize(directory.rfind('/'));
        const UniqueFd cgroup = openDirectory(directory);
        if (!cgroup || !mayGiveControllers(cgroup.get()) || isRoot(cgroup.get()))
            break;
        if (isDelegated(directory) && !hasProcesses(cgroup.get())
            && (controllersIn(cgroup.get(), "cgroup.controllers") & wanted) == wanted)
            return directory;
    }
    return {};
}

// Whoever forks while this goes on has its children in the leaf already.
int moveProcesses(int cgroup, const char *leaf)
{
    if (::mkdirat(cgroup, leaf, 0755) != 0 && errno != EEXIST)
        return errno;
    const std::string target = std::string(leaf) + "/cgroup.procs";
    constexpr int rounds = 100;
    for (int round = 0; round < rounds; ++round) {
        std::string pids;
        if (!readFile("cgroup.procs", &pids, cgroup))
            return errno;
        if (pids.empty())
            return 0;
        std::istringstream lines(pids);
        for (std::string pid; std::getline(lines, pid);) {
            if (!writeSmallFile(target.c_str(), pid, cgroup) && errno != ESRCH)
                return errno;
        }
    }
    return EBUSY;
}

} // namespace

bool ControllerPlace::mayMoveProcesses() noexcept
{
    return mayMove;
}

void ControllerPlace::setMayMoveProcesses(bool may) noexcept
{
    mayMove = may;
}

ControllerPlace ControllerPlace::find(Controllers wanted)
{
    ControllerPlace place;
    CgroupLocation own = CgroupLocation::find();
    if (own.directory.empty()) {
        place.reason = std::move(own.reason);
        return place;
    }
    const UniqueFd cgroup = openDirectory(own.directory);
    if (!cgroup) {
        place.reason = own.directory + ": " + strerror(errno);
        return place;
    }
    const Controllers given = controllersIn(cgroup.get(), "cgroup.subtree_control");
    const Controllers available = controllersIn(cgroup.get(), "cgroup.controllers");
    const bool hasAll = (available & wanted) == wanted;
    const bool mayGive = mayGiveControllers(cgroup.get());
    if ((given & wanted) == wanted || (hasAll && mayGive && isRoot(cgroup.get()))) {
        place.source = Source::OwnCgroup;
        place.directory = std::move(own.directory);
        return place;
    }
    if (std::string above = emptyDelegatedAncestor(own.directory, wanted); !above.empty()) {
        place.source = Source::DelegatedSubtree;
        place.directory = std::move(above);
        return place;
    }
    if (!hasAll) {
        place.reason =
                own.directory + " has not got the controllers " + namesOf(wanted & ~available);
    } else if (!mayGive || !isDelegated(own.directory)) {
        place.reason = own.directory + " was not delegated to this program";
    } else if (!mayMoveProcesses()) {
        place.reason = own.directory
                + " was delegated, but this program is in it and was not allowed to move";
    } else {
        place.source = Source::DelegatedSubtree;
        place.directory = std::move(own.directory);
        place.isOccupied = true;
    }
    return place;
}

ControllerPlace ControllerPlace::inScope(const std::string &directory)
{
    ControllerPlace place;
    place.source = Source::SystemdScope;
    place.directory = directory;
    place.isOccupied = true;
    return place;
}

// A user's manager is a unit of a fixed name (user@.service(5)); the system's is in the root.
Controllers ControllerPlace::ofServiceManager()
{
    const std::string user = std::to_string(::geteuid());
    const std::string path = ::geteuid() == 0
            ? std::string("/")
            : "/user.slice/user-" + user + ".slice/user@" + user + ".service";
    const UniqueFd cgroup = openDirectory(CgroupLocation::directoryAt(path));
    return cgroup ? controllersIn(cgroup.get(), "cgroup.controllers") : 0;
}

int ControllerPlace::prepare(Controllers wanted) const
{
    const UniqueFd cgroup = openDirectory(directory);
    if (!cgroup)
        return errno;
    if ((controllersIn(cgroup.get(), "cgroup.controllers") & wanted) != wanted)
        return ENOENT;
    if (isOccupied) {
        if (const int error = moveProcesses(cgroup.get(), "processkit-members"))
            return error;
    }
    return enableControllers(cgroup.get(), wanted);
}

} // namespace ProcessKit::Native
