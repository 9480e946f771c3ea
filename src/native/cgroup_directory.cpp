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

bool outOfDescriptors()
{
    return errno == EMFILE || errno == ENFILE;
}

} // namespace

CgroupDirectory::CgroupDirectory(std::string path, UniqueFd directory,
                                 std::shared_ptr<CgroupDirectory> parent)
    : m_path(std::move(path)), m_directory(std::move(directory)), m_parent(std::move(parent))
{
}

CgroupDirectory::~CgroupDirectory()
{
    for (const std::string &leaf : m_freeLeaves)
        ::unlinkat(m_directory.get(), leaf.c_str(), AT_REMOVEDIR);
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
    const UniqueFd events = directory->open(".", "cgroup.events", O_RDONLY);
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

std::string CgroupDirectory::takeLeaf()
{
    if (!m_freeLeaves.empty()) {
        std::string name = std::move(m_freeLeaves.back());
        m_freeLeaves.pop_back();
        return name;
    }
    std::string name = std::string(leafPrefix) + std::to_string(++m_leafCount);
    return ::mkdirat(m_directory.get(), name.c_str(), 0755) == 0 ? name : std::string();
}

void CgroupDirectory::returnLeaf(const std::string &name, bool killed)
{
    killed |= ::strtoul(name.c_str() + leafPrefix.size(), nullptr, 10) <= m_killedLeaves;
    struct stat status;
    // a cgroup that a member has made inside counts as a link of its parent
    const bool asItWas = !killed && ::fstatat(m_directory.get(), name.c_str(), &status, 0) == 0
            && status.st_nlink == 2;
    if (asItWas && m_freeLeaves.size() < maximumFreeLeaves)
        m_freeLeaves.push_back(name);
    else
        removeCgroup(name.c_str(), m_directory.get());
}

UniqueFd CgroupDirectory::open(const std::string &leaf, const char *file, int flags) const
{
    const std::string path = *file ? leaf + '/' + file : leaf;
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

int CgroupDirectory::kill()
{
    for (const std::string &leaf : std::exchange(m_freeLeaves, {}))
        removeCgroup(leaf.c_str(), m_directory.get());
    m_killedLeaves = m_leafCount;
    const UniqueFd fd = open(".", "cgroup.kill", O_WRONLY);
    if (!fd)
        return errno;
    return ::write(fd.get(), "1", 1) == 1 ? 0 : errno;
}

} // namespace ProcessKit::Native
