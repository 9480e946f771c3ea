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

#include <algorithm>
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

// For groups with limits, where the controllers are not to be had at the place of the other one.
std::shared_ptr<CgroupDirectory> &limitedDirectory()
{
    static auto *directory = new std::shared_ptr<CgroupDirectory>;
    return *directory;
}

std::string parentOf(const std::string &path)
{
    return path.substr(0, path.rfind('/'));
}

// Whether this process may have a child born in \a directory.
bool maySpawnInto(const std::string &directory)
{
    const std::string own = CgroupLocation::ownDirectory() + '/';
    std::string common = directory + '/';
    const auto [end, ignored] = std::mismatch(common.begin(), common.end(), own.begin(), own.end());
    common.resize(common.rfind('/', std::size_t(end - common.begin()) - 1));
    return ::faccessat(-1, (common + "/cgroup.procs").c_str(), W_OK, AT_EACCESS) == 0;
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

void CgroupLeaf::noteUsage(const std::optional<Usage> &ofTree)
{
    if (!ofTree || !earlierUsage) {
        earlierUsage.reset();
        return;
    }
    *earlierUsage->userMicroseconds += ofTree->userMicroseconds.value_or(0);
    *earlierUsage->systemMicroseconds += ofTree->systemMicroseconds.value_or(0);
}

CgroupDirectory::CgroupDirectory(std::string path, UniqueFd directory,
                                 std::shared_ptr<CgroupDirectory> parent)
    : m_path(std::move(path)), m_directory(std::move(directory)), m_parent(std::move(parent))
{
}

CgroupDirectory::~CgroupDirectory()
{
    m_leafWatches.clear();
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
    if (directory && directory->isUsable())
        return directory;
    const CgroupLocation location = CgroupLocation::find();
    if (location.directory.empty()) {
        *error = EACCES;
        return nullptr;
    }
    return in(location.directory, &directory, error);
}

std::shared_ptr<CgroupDirectory>
CgroupDirectory::in(const std::string &location, std::shared_ptr<CgroupDirectory> *kept, int *error)
{
    kept->reset();
    OwnerStamp stamp = OwnerStamp::own();
    do {
        const std::string path = location + '/' + stamp.name();
        // held before it is there: we may be killed at any moment
        *error = KeeperClient::instance().holdCgroup(path);
        if (*error)
            return nullptr;
        *kept = make(path, nullptr, error);
        ++stamp.incarnation; // the last one's keeper may be at work in the directory that exists
    } while (!*kept && *error == EEXIST && stamp.incarnation < 1000);
    if (*kept)
        (*kept)->m_isKeepers = !maySpawnInto(location);
    return *kept;
}

void CgroupDirectory::discardApplication()
{
    for (std::shared_ptr<CgroupDirectory> *kept :
         { &applicationDirectory(), &limitedDirectory() }) {
        if (const std::shared_ptr<CgroupDirectory> directory = std::exchange(*kept, nullptr))
            directory->discard();
    }
}

void CgroupDirectory::discard()
{
    kill();
    constexpr int longestWait = 5000; // ms; only a process that sleeps in the kernel takes longer
    const UniqueFd events = openBelow("cgroup.events", O_RDONLY);
    char content[128];
    pollfd change{ events.get(), POLLPRI, 0 };
    ssize_t length;
    while ((length = ::pread(events.get(), content, sizeof content, 0)) > 0
           && std::string_view(content, std::size_t(length)).find("populated 0")
                   == std::string_view::npos
           && ::poll(&change, 1, longestWait) > 0) { }
    removeCgroup(m_path.c_str());
}

std::shared_ptr<CgroupDirectory> CgroupDirectory::ofGroup(int *error)
{
    std::shared_ptr<CgroupDirectory> application = ofApplication(error);
    return application ? ofGroup(std::move(application), error) : nullptr;
}

std::shared_ptr<CgroupDirectory>
CgroupDirectory::ofGroup(std::shared_ptr<CgroupDirectory> application, int *error)
{
    const std::string path = application->m_path + "/group" + std::to_string(++groupCount);
    const bool isKeepers = application->m_isKeepers;
    std::shared_ptr<CgroupDirectory> group = make(path, std::move(application), error);
    if (group)
        group->m_isKeepers = isKeepers;
    return group;
}

std::shared_ptr<CgroupDirectory> CgroupDirectory::ofLimitedGroup(const ControllerPlace &place,
                                                                 const CgroupLimits &limits,
                                                                 LimitFailure *failure)
{
    failure->file = "cgroup.subtree_control";
    failure->error = place.prepare(limits.controllers());
    if (failure->error)
        return nullptr;
    std::shared_ptr<CgroupDirectory> application;
    for (std::shared_ptr<CgroupDirectory> *kept :
         { &applicationDirectory(), &limitedDirectory() }) {
        if (*kept && (*kept)->isUsable() && (*kept)->exists()
            && parentOf((*kept)->m_path) == place.directory)
            application = *kept;
    }
    if (!application)
        application = in(place.directory, &limitedDirectory(), &failure->error);
    std::shared_ptr<CgroupDirectory> group;
    if (application)
        group = ofGroup(std::move(application), &failure->error);
    if (!group)
        return nullptr;
    failure->error = group->provideControllers(limits.controllers());
    if (!failure->error)
        *failure = applyLimits(group->m_directory.get(), limits);
    return *failure ? nullptr : group;
}

bool CgroupDirectory::exists() const
{
    return ::faccessat(m_directory.get(), "cgroup.procs", F_OK, 0) == 0;
}

// From the cgroup in which the application's is made down to this one's leaves.
int CgroupDirectory::provideControllers(Controllers wanted)
{
    const UniqueFd location(
            ::open(parentOf(m_parent->m_path).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!location)
        return errno;
    // the leaves say which of the trees ran out of memory, and where forks have failed
    const Controllers ofLeaves = wanted & (MemoryController | PidsController);
    int error = enableControllers(location.get(), wanted);
    if (!error)
        error = enableControllers(m_parent->m_directory.get(), wanted);
    if (!error)
        error = enableControllers(m_directory.get(), ofLeaves);
    if (!error)
        m_controllers |= ofLeaves;
    return error;
}

UniqueFd CgroupDirectory::open() const
{
    return openBelow(".", O_RDONLY | O_DIRECTORY);
}

void CgroupDirectory::watchLimits(std::function<void()> callback)
{
    m_onLimitEvent = std::move(callback);
    watchFile("memory.events", &m_memoryWatch);
    watchFile("pids.events", &m_tasksWatch);
}

// A file that is not there has no events.
void CgroupDirectory::watchFile(const std::string &path, std::unique_ptr<FileWatch> *watch)
{
    if (*watch || !m_onLimitEvent)
        return;
    auto made = std::make_unique<FileWatch>();
    made->file = openBelow(path, O_RDONLY);
    if (!made->file)
        return;
    const int error = made->watch.start(
            made->file.get(), Reactor::Urgent, [this, file = made->file.get()](auto) {
                char content[256]; // reading it takes the event back
                if (::pread(file, content, sizeof content, 0) >= 0 && m_onLimitEvent)
                    m_onLimitEvent();
            });
    if (!error)
        *watch = std::move(made);
}

LimitEvents CgroupDirectory::limitEvents() const
{
    LimitEvents events = Native::limitEvents(m_directory.get());
    if (events.tasksMax && m_controllers & PidsController) {
        *events.tasksMax += m_goneTaskEvents;
        const auto add = [&](const std::string &leaf) {
            *events.tasksMax +=
                    eventCount((leaf + "/pids.events").c_str(), "max ", m_directory.get())
                            .value_or(0);
        };
        for (const auto &[leaf, watch] : m_leafWatches)
            add(leaf);
        for (const CgroupLeaf &leaf : m_freeLeaves)
            add(leaf.name());
    }
    return events;
}

std::optional<std::uint64_t> CgroupDirectory::oomKills(const CgroupLeaf &leaf) const
{
    if (!(m_controllers & MemoryController))
        return std::nullopt;
    const auto count =
            eventCount((leaf.name() + "/memory.events").c_str(), "oom_kill ", m_directory.get());
    return count ? std::optional(*count - std::min(*count, leaf.earlierOomKills)) : std::nullopt;
}

std::optional<Usage> CgroupDirectory::cpuUsage(const CgroupLeaf &leaf) const
{
    return cpuUsageOfCgroup(leaf.name() + "/cpu.stat", m_directory.get());
}

std::optional<Usage> CgroupDirectory::usage(const CgroupLeaf &leaf) const
{
    std::optional<Usage> usage = cpuUsage(leaf);
    if (!usage || !leaf.earlierUsage)
        return std::nullopt;
    *usage->userMicroseconds -= *leaf.earlierUsage->userMicroseconds;
    *usage->systemMicroseconds -= *leaf.earlierUsage->systemMicroseconds;
    return usage;
}

void CgroupDirectory::removeLeaf(const CgroupLeaf &leaf)
{
    if (m_controllers & PidsController)
        m_goneTaskEvents +=
                eventCount((leaf.name() + "/pids.events").c_str(), "max ", m_directory.get())
                        .value_or(0);
    removeCgroup(leaf.name().c_str(), m_directory.get());
}

CgroupLeaf CgroupDirectory::takeLeaf(bool measured)
{
    CgroupLeaf leaf;
    if (!m_freeLeaves.empty()) {
        leaf = std::move(m_freeLeaves.back());
        m_freeLeaves.pop_back();
        if (leaf.directory || openDirectory(&leaf)) {
            if (measured && !leaf.earlierUsage)
                leaf.earlierUsage = cpuUsage(leaf);
            return leaf;
        }
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
        removeLeaf(leaf);
}

void CgroupDirectory::settle(CgroupLeaf *leaf)
{
    if (m_controllers & PidsController)
        watchFile(leaf->name() + "/pids.events", &m_leafWatches[leaf->name()]);
    if (!leaf->keepsDescriptors)
        leaf->directory.reset();
    else if (!leaf->events)
        leaf->events = open(*leaf, "cgroup.events", O_RDONLY);
}

void CgroupDirectory::returnLeaf(CgroupLeaf leaf, bool killed)
{
    const char *name = leaf.name().c_str();
    leaf.earlierOomKills += oomKills(leaf).value_or(0);
    m_leafWatches.erase(leaf.name());
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
        removeLeaf(leaf);
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

bool CgroupDirectory::kill(const CgroupLeaf &leaf) const
{
    const UniqueFd fd = open(leaf, "cgroup.kill", O_WRONLY);
    return fd && ::write(fd.get(), "1", 1) == 1;
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
