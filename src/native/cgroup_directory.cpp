// SPDX-License-Identifier: MIT
#include "cgroup_directory.h"

#include "cgroup_location.h"
#include "cgroup_removal.h"
#include "keeper_client.h"
#include "owner_stamp.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <string_view>
#include <utility>

namespace ProcessKit::Native {

namespace {

constexpr std::string_view leafPrefix = "run";
unsigned groupCount = 0;

// What is the reactor's outlives the static destructors, as its thread does.
std::shared_ptr<CgroupDirectory> &applicationDirectory()
{
    static auto *directory = new std::shared_ptr<CgroupDirectory>;
    return *directory;
}

// Held back for the moment when a tree has to be killed and no descriptor is left to do it with.
UniqueFd &spareDescriptor()
{
    static auto *spare = new UniqueFd;
    return *spare;
}

bool isAbsent(int error)
{
    return error == ENOENT || error == ENODEV;
}

bool outOfDescriptors()
{
    return errno == EMFILE || errno == ENFILE;
}

// A place among the leaves that keep their descriptors, or none when all are taken.
std::shared_ptr<void> takeKeptPlace()
{
    constexpr int places = 8;
    static int taken = 0;
    if (taken == places)
        return nullptr;
    ++taken;
    return std::shared_ptr<void>(&taken, [](void *) { --taken; });
}

} // namespace

CgroupDirectory::CgroupDirectory(std::string path, UniqueFd directory,
                                 std::shared_ptr<CgroupDirectory> parent)
    : m_path(std::move(path)), m_directory(std::move(directory)), m_parent(std::move(parent))
{
}

CgroupDirectory::~CgroupDirectory()
{
    for (const CgroupLeaf &leaf : m_freeLeaves)
        ::unlinkat(m_directory.get(), leaf.name().c_str(), AT_REMOVEDIR);
    if (!m_isGone) // or else the path may be that of its successor
        removeCgroup(m_path.c_str());
}

std::shared_ptr<CgroupDirectory>
CgroupDirectory::make(const std::string &path, std::shared_ptr<CgroupDirectory> parent, int *error)
{
    if (::mkdir(path.c_str(), 0755) < 0) {
        *error = errno;
        return nullptr;
    }
    UniqueFd directory = aboveStandardStreams(
            UniqueFd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)));
    if (!directory) {
        *error = errno;
        ::rmdir(path.c_str());
        return nullptr;
    }
    return std::shared_ptr<CgroupDirectory>(
            new CgroupDirectory(path, std::move(directory), std::move(parent)));
}

std::shared_ptr<CgroupDirectory> CgroupDirectory::ofApplication(int *error)
{
    std::shared_ptr<CgroupDirectory> &directory = applicationDirectory();
    if (directory && directory->m_owner == ::geteuid() && !directory->m_isGone)
        return directory;
    const CgroupLocation location = CgroupLocation::find();
    if (location.directory.empty()) {
        *error = EACCES;
        return nullptr;
    }
    directory.reset();
    OwnerStamp stamp = OwnerStamp::own();
    do {
        const std::string path = location.directory + '/' + stamp.name();
        // held before it is there: we may be killed at any moment
        *error = KeeperClient::instance().holdCgroup(path);
        if (*error)
            return nullptr;
        directory = make(path, nullptr, error);
        ++stamp.incarnation; // the last one's keeper may be at work in the directory that exists
    } while (!directory && *error == EEXIST && stamp.incarnation < 1000);
    return directory;
}

void CgroupDirectory::discardApplication()
{
    const std::shared_ptr<CgroupDirectory> directory =
            std::exchange(applicationDirectory(), nullptr);
    if (!directory)
        return;
    directory->kill();
    constexpr int longestWait = 5000; // ms; only a process that sleeps in the kernel takes longer
    const UniqueFd events = directory->openBelow("cgroup.events", O_RDONLY);
    char content[128];
    pollfd change{ events.get(), POLLPRI, 0 };
    ssize_t length;
    while ((length = ::pread(events.get(), content, sizeof content, 0)) > 0
           && std::string_view(content, std::size_t(length)).find("populated 0")
                   == std::string_view::npos
           && ::poll(&change, 1, longestWait) > 0) { }
    removeCgroup(directory->m_path.c_str());
}

std::shared_ptr<CgroupDirectory> CgroupDirectory::ofGroup(int *error)
{
    std::shared_ptr<CgroupDirectory> application = ofApplication(error);
    if (!application)
        return nullptr;
    const std::string path = application->m_path + "/group" + std::to_string(++groupCount);
    return make(path, std::move(application), error);
}

CgroupLeaf CgroupDirectory::takeLeaf()
{
    CgroupLeaf leaf;
    if (!m_freeLeaves.empty()) {
        leaf = std::move(m_freeLeaves.back());
        m_freeLeaves.pop_back();
        if (leaf.directory || openDirectory(&leaf))
            return leaf;
        if (!isAbsent(errno))
            return {};
        dropFreeLeaves();
    }
    leaf = CgroupLeaf(std::string(leafPrefix) + std::to_string(++m_leafCount));
    if (::mkdirat(m_directory.get(), leaf.name().c_str(), 0755) < 0) {
        m_isGone = isAbsent(errno);
        return {};
    }
    return openDirectory(&leaf) ? std::move(leaf) : CgroupLeaf();
}

bool CgroupDirectory::openDirectory(CgroupLeaf *leaf) const
{
    leaf->keepsDescriptors = takeKeptPlace();
    leaf->directory = open(*leaf, "", O_RDONLY | O_DIRECTORY);
    return bool(leaf->directory);
}

bool CgroupDirectory::notice(const LaunchFailure &failure)
{
    if (failure.step != LaunchStep::Join || !isAbsent(failure.error))
        return false;
    dropFreeLeaves();
    return true;
}

// Whoever has removed one has probably removed others.
void CgroupDirectory::dropFreeLeaves()
{
    for (const CgroupLeaf &leaf : std::exchange(m_freeLeaves, {}))
        removeCgroup(leaf.name().c_str(), m_directory.get());
}

void CgroupDirectory::settle(CgroupLeaf *leaf) const
{
    if (!leaf->keepsDescriptors)
        leaf->directory.reset();
    else if (!leaf->events)
        leaf->events = open(*leaf, "cgroup.events", O_RDONLY);
}

void CgroupDirectory::returnLeaf(CgroupLeaf leaf, bool killed)
{
    const char *name = leaf.name().c_str();
    killed |= ::strtoul(name + leafPrefix.size(), nullptr, 10) <= m_killedLeaves;
    struct stat status;
    // a cgroup that a member has made inside counts as a link of its parent
    const bool asItWas =
            !killed && ::fstatat(m_directory.get(), name, &status, 0) == 0 && status.st_nlink == 2;
    if (asItWas && m_freeLeaves.size() < maximumFreeLeaves) {
        if (!leaf.keepsDescriptors) {
            leaf.directory.reset(); // still open when the start has failed
            leaf.events.reset();
        }
        m_freeLeaves.push_back(std::move(leaf));
    } else {
        removeCgroup(name, m_directory.get());
    }
}

UniqueFd CgroupDirectory::open(const CgroupLeaf &leaf, const char *file, int flags) const
{
    return openBelow(*file ? leaf.name() + '/' + file : leaf.name(), flags);
}

UniqueFd CgroupDirectory::openBelow(const std::string &path, int flags) const
{
    UniqueFd fd(::openat(m_directory.get(), path.c_str(), flags | O_CLOEXEC));
    UniqueFd &spare = spareDescriptor();
    if (!fd && outOfDescriptors() && spare) {
        spare.reset();
        fd = UniqueFd(::openat(m_directory.get(), path.c_str(), flags | O_CLOEXEC));
    } else if (!spare) {
        spare = UniqueFd(::open("/dev/null", O_PATH | O_CLOEXEC));
    }
    return aboveStandardStreams(std::move(fd));
}

int CgroupDirectory::freeze(bool frozen)
{
    const UniqueFd fd = openBelow("cgroup.freeze", O_WRONLY);
    if (!fd)
        return errno;
    return ::write(fd.get(), frozen ? "1" : "0", 1) == 1 ? 0 : errno;
}

int CgroupDirectory::kill()
{
    dropFreeLeaves();
    m_killedLeaves = m_leafCount;
    const UniqueFd fd = openBelow("cgroup.kill", O_WRONLY);
    if (!fd)
        return errno;
    return ::write(fd.get(), "1", 1) == 1 ? 0 : errno;
}

} // namespace ProcessKit::Native
