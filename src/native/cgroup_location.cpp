// SPDX-License-Identifier: MIT
#include "cgroup_location.h"

#include "small_file.h"
#include "unique_fd.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sstream>

namespace ProcessKit::Native {

namespace {

// mountinfo writes space, tab, newline and backslash as three octal digits (proc_pid_mountinfo(5))
std::string unescaped(const std::string &field)
{
    std::string result;
    for (std::size_t i = 0; i < field.size(); ++i) {
        const auto digit = [&](std::size_t at) {
            return i + at < field.size() && field[i + at] >= '0' && field[i + at] <= '7';
        };
        if (field[i] == '\\' && digit(1) && digit(2) && digit(3)) {
            result +=
                    char((field[i + 1] - '0') * 64 + (field[i + 2] - '0') * 8 + field[i + 3] - '0');
            i += 3;
        } else {
            result += field[i];
        }
    }
    return result;
}

// the path of the unified hierarchy in the lines of /proc/PID/cgroup (cgroups(7))
std::string unifiedPath(const std::string &cgroups)
{
    std::istringstream lines(cgroups);
    for (std::string line; std::getline(lines, line);) {
        if (line.starts_with("0::"))
            return line.substr(3);
    }
    return {};
}

std::string whyUnusable(const std::string &directory)
{
    const int fd = ::open(directory.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
    const UniqueFd cgroup(fd);
    if (!cgroup)
        return directory + ": " + strerror(errno);
    const auto may = [&](const char *name, int mode) {
        return ::faccessat(cgroup.get(), name, mode, AT_EACCESS) == 0;
    };
    if (!may(".", W_OK | X_OK))
        return "no cgroup may be made in " + directory + ": " + strerror(errno);
    if (!may("cgroup.procs", W_OK))
        return "no process may be moved from " + directory + ": " + strerror(errno);
    std::string type;
    if (readFile("cgroup.type", &type, cgroup.get()) && type != "domain\n"
        && type != "domain threaded\n")
        return directory + " is a threaded cgroup";
    return {};
}

// cgroup.kill came with Linux 5.14; the root has none, so any other cgroup has to show it
bool kernelKillsCgroups(const std::string &directory)
{
    if (::access((directory + "/cgroup.kill").c_str(), F_OK) == 0)
        return true;
    std::string release;
    int major = 0;
    int minor = 0;
    return readFile("/proc/sys/kernel/osrelease", &release)
            && ::sscanf(release.c_str(), "%d.%d", &major, &minor) == 2
            && (major > 5 || (major == 5 && minor >= 14));
}

} // namespace

std::string CgroupLocation::directoryFrom(const std::string &mountInfo, const std::string &cgroups)
{
    const std::string path = unifiedPath(cgroups);
    if (path.empty() || path.starts_with("/.."))
        return {}; // no unified hierarchy, or our cgroup lies outside of what is shown to us
    std::istringstream lines(mountInfo);
    for (std::string line; std::getline(lines, line);) {
        const std::size_t separator = line.find(" - ");
        if (separator == std::string::npos || line.compare(separator + 3, 8, "cgroup2 ") != 0)
            continue;
        std::istringstream fields(line);
        std::string id, parent, device, root, mountPoint;
        fields >> id >> parent >> device >> root >> mountPoint;
        root = unescaped(root);
        if (root == "/")
            root.clear();
        if (path.compare(0, root.size(), root) != 0
            || (path.size() > root.size() && path[root.size()] != '/'))
            continue; // the mount shows another part of the hierarchy
        std::string directory = unescaped(mountPoint) + path.substr(root.size());
        if (directory.size() > 1 && directory.back() == '/')
            directory.pop_back();
        return directory;
    }
    return {};
}

std::string CgroupLocation::ownDirectory()
{
    return directoryOf(::getpid());
}

std::string CgroupLocation::directoryOf(pid_t pid)
{
    std::string mountInfo, cgroups;
    const std::string file = "/proc/" + std::to_string(pid) + "/cgroup";
    if (!readFile("/proc/self/mountinfo", &mountInfo) || !readFile(file.c_str(), &cgroups))
        return {};
    errno = 0;
    return directoryFrom(mountInfo, cgroups);
}

std::string CgroupLocation::directoryAt(const std::string &path)
{
    std::string mountInfo;
    return readFile("/proc/self/mountinfo", &mountInfo) ? directoryFrom(mountInfo, "0::" + path)
                                                        : std::string();
}

CgroupLocation CgroupLocation::find()
{
    std::string directory = ownDirectory();
    if (directory.empty() && errno)
        return { {}, std::string("/proc is not readable: ") + strerror(errno) };
    if (directory.empty())
        return { {}, "no cgroup v2 hierarchy is mounted that shows this process's cgroup" };
    if (std::string reason = whyUnusable(directory); !reason.empty())
        return { {}, std::move(reason) };
    if (!kernelKillsCgroups(directory))
        return { {}, "the kernel has no cgroup.kill (it came with Linux 5.14)" };
    return { std::move(directory), {} };
}

} // namespace ProcessKit::Native
