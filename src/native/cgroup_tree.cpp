// SPDX-License-Identifier: MIT
#include "cgroup_tree.h"

#include "cgroup_location.h"
#include "cgroup_pids.h"
#include "keeper_client.h"
#include "small_file.h"
#include "spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

namespace ProcessKit::Native {

namespace {

// Whether /proc shows \a pid in the cgroup \a suffix or below it. Zombies still show theirs.
bool isIn(pid_t pid, const std::string &suffix)
{
    std::string cgroups;
    if (!readFile(("/proc/" + std::to_string(pid) + "/cgroup").c_str(), &cgroups))
        return false;
    const std::size_t at = cgroups.find("0::");
    if (at == std::string::npos)
        return false;
    const std::string path = cgroups.substr(at + 3, cgroups.find('\n', at) - at - 3);
    const std::size_t found = path.find(suffix);
    return found != std::string::npos
            && (found + suffix.size() == path.size() || path[found + suffix.size()] == '/'
                || path[found + suffix.size()] == ' '); // " (deleted)"
}

bool hasEnded(int pidfd)
{
    pollfd end{ pidfd, POLLIN, 0 };
    return ::poll(&end, 1, 0) != 0;
}

// Exactly \a process, into the cgroup \a directory; 0 or errno. Who has got its pid in the meantime
// goes back where the process was.
int move(const ProcessEntry &process, int directory)
{
    const std::string before = CgroupLocation::directoryOf(process.pid);
    const UniqueFd handle = openProcess(process);
    if (!handle)
        return ESRCH;
    const std::string pid = std::to_string(process.pid);
    if (!writeSmallFile("cgroup.procs", pid, directory))
        return errno;
    if (!hasEnded(handle.get()))
        return 0;
    const auto now = readProcess(process.pid);
    if (now && now->startTime != process.startTime)
        writeSmallFile((before + "/cgroup.procs").c_str(), pid);
    return ESRCH;
}

} // namespace

int CgroupTree::adopt(const ProcessEntry &process, std::vector<ProcessEntry> *leftOutside)
{
    begin();
    int error = takeLeaf();
    if (!error)
        error = move(process, m_leaf.directory.get());
    if (error) {
        if (m_leaf)
            m_directory->returnLeaf(std::exchange(m_leaf, {}), false);
        reportLaunchFailed({ LaunchStep::Join, error });
        return error;
    }
    m_adopted = process;
    // whoever is inside has its children inside, so this comes to an end
    constexpr int rounds = 100;
    const std::string suffix = leafPath();
    for (int round = 0; round < rounds; ++round) {
        leftOutside->clear();
        bool hasMoved = false;
        for (const ProcessEntry &descendant : descendantsOf(process.pid)) {
            if (!descendant.isAlive() || isIn(descendant.pid, suffix))
                continue;
            if (move(descendant, m_leaf.directory.get()) == 0)
                hasMoved = true;
            else if (readProcess(descendant.pid))
                leftOutside->push_back(descendant);
        }
        if (!hasMoved)
            break;
    }
    m_directory->settle(&m_leaf);
    reportLaunched(process.pid);
    watchUntilEmpty();
    Reactor::instance().afterTurn([self = shared_from_this(), this] { checkEmpty(); });
    return 0;
}

int CgroupTree::moveTo(const std::string &cgroup, const std::vector<ProcessEntry> &members)
{
    const UniqueFd directory(::open(cgroup.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!directory)
        return errno;
    for (const ProcessEntry &member : members) {
        if (const int error = move(member, directory.get()); error && error != ESRCH)
            return error;
    }
    return 0;
}

CgroupTree::CgroupTree(const std::shared_ptr<CgroupDirectory> &directory)
    : Tree(TreeKind::CgroupV2), m_isOfGroup(directory != nullptr), m_directory(directory)
{
}

CgroupTree::~CgroupTree() = default;

void CgroupTree::launch(Launch launch)
{
    begin();
    m_isMeasured = launch.isMeasured;
    const LaunchFailure failure = enterLeaf(launch);
    launch.childEnds.clear();
    if (failure) {
        if (m_leaf)
            m_directory->returnLeaf(std::exchange(m_leaf, {}), m_killed);
        reportLaunchFailed(failure);
    } else {
        m_directory->settle(&m_leaf);
        reportLaunched(m_child.pid());
    }
}

LaunchFailure CgroupTree::enterLeaf(const Launch &launch)
{
    int error = KeeperClient::instance().ensure();
    if (error && !KeeperClient::isOptional())
        return { LaunchStep::Keeper, error };
    SpawnResult child = spawnInLeaf(launch);
    if (m_leaf && m_directory->notice(child.failure)) {
        m_leaf = {};
        child = spawnInLeaf(launch);
    }
    if (child.failure)
        return child.failure;

    const pid_t pid = child.pid;
    error = m_child.watch(pid, std::move(child.pidfd), [this] { childEnded(); });
    if (error) {
        // nobody will tell when the leaf is empty, so it is not used again
        kill();
        m_child.reap();
        m_leaf = {};
        return { LaunchStep::Clone, error };
    }
    return {};
}

SpawnResult CgroupTree::spawnInLeaf(const Launch &launch)
{
    SpawnResult child;
    if (const int error = takeLeaf()) {
        child.failure = { LaunchStep::Container, error };
        return child;
    }
    SpawnOptions options;
    options.cgroup = m_leaf.directory.get();
    options.deathSignal = SIGKILL; // should both the keeper and we be killed at once
    options.modifier = launch.modifier ? &launch.modifier : nullptr;
    return spawn(launch.plan, options);
}

// 0 or errno
int CgroupTree::takeLeaf()
{
    int error = 0;
    for (int attempt = 0; attempt < 2 && !m_leaf; ++attempt) {
        if (!m_isOfGroup)
            m_directory = CgroupDirectory::ofApplication(&error); // made anew should it be gone
        if (!m_directory)
            return error;
        m_leaf = m_directory->takeLeaf(m_isMeasured);
        error = errno;
    }
    return m_leaf ? 0 : error;
}

void CgroupTree::childEnded()
{
    ChildExit exit = m_child.reap();
    exit.oomKills = m_directory->oomKills(m_leaf);
    if (isPopulated()) {
        watchUntilEmpty();
        reportExited(exit);
        checkEmpty();
    } else {
        reportExited(exit);
        becomeEmpty();
    }
}

bool CgroupTree::isPopulated() const
{
    char content[128];
    const UniqueFd opened =
            m_leaf.events ? UniqueFd() : m_directory->open(m_leaf, "cgroup.events", O_RDONLY);
    const int fd = m_leaf.events ? m_leaf.events.get() : opened.get();
    const ssize_t length = ::pread(fd, content, sizeof content, 0);
    return length <= 0
            || std::string_view(content, std::size_t(length)).find("populated 0")
            == std::string_view::npos;
}

void CgroupTree::watchUntilEmpty()
{
    if (!m_leaf.events)
        m_leaf.events = m_directory->open(m_leaf, "cgroup.events", O_RDONLY);
    const int error = m_leaf.events ? m_eventsWatch.start(m_leaf.events.get(), Reactor::Urgent,
                                                          [this](auto) { checkEmpty(); })
                                    : errno;
    if (error) {
        // What cannot be watched cannot be left alone. There is no event for descriptors being free
        // again, so this, and only this, is tried from time to time.
        kill();
        m_retry.start(std::chrono::milliseconds(50), [this] {
            watchUntilEmpty();
            checkEmpty();
        });
    }
}

void CgroupTree::checkEmpty()
{
    if (m_child.pidfd() < 0 && m_leaf && !isPopulated())
        becomeEmpty();
}

void CgroupTree::becomeEmpty()
{
    m_eventsWatch.stop();
    m_retry.stop();
    if (m_isMeasured)
        m_wholeUsage = m_directory->usage(m_leaf);
    reapAdopted([this, suffix = leafPath()](pid_t pid) {
        if (!isIn(pid, suffix))
            return false;
        // a child that this program has started by other means is awaited by those
        const bool isAdopted = m_adopted && m_adopted->pid == pid;
        if (!isAdopted || m_adopted->parent != ::getpid())
            return true;
        const std::optional<ProcessEntry> now = readProcess(pid);
        return now && now->startTime != m_adopted->startTime;
    });
    reportEmptied();
    m_leaf.noteUsage(m_isMeasured ? m_wholeUsage : std::nullopt);
    // what the next one finds is nothing that this one's end has to wait for
    Reactor::instance().afterTurn([self = shared_from_this(), this] {
        m_directory->returnLeaf(std::exchange(m_leaf, {}), m_killed);
        m_directory.reset();
    });
}

// Its end, as /proc shows it.
std::string CgroupTree::leafPath() const
{
    return m_directory->path().substr(m_directory->path().rfind('/')) + '/' + m_leaf.name();
}

std::optional<Usage> CgroupTree::usage() const
{
    if (!m_isMeasured)
        return Tree::usage();
    return m_leaf && !m_wholeUsage ? m_directory->usage(m_leaf) : m_wholeUsage;
}

void CgroupTree::signal(int signal)
{
    for (const ProcessEntry &entry : members()) {
        if (const UniqueFd process = openProcess(entry))
            sendSignal(process.get(), signal);
    }
}

void CgroupTree::kill()
{
    if (!m_leaf)
        return;
    m_killed = true;
    if (!m_directory->kill(m_leaf))
        signal(SIGKILL); // no descriptor left: one after another
}

std::vector<ProcessEntry> CgroupTree::members() const
{
    std::vector<ProcessEntry> entries;
    if (!m_leaf)
        return entries;
    const UniqueFd cgroup = m_directory->open(m_leaf, "", O_RDONLY | O_DIRECTORY);
    if (!cgroup)
        return entries;
    std::vector<pid_t> pids;
    collectPids(cgroup.get(), &pids);
    const std::string suffix = leafPath();
    for (const pid_t pid : pids) {
        // its pid may have passed to a stranger since the list was read; what is read of a process
        // before it is seen in the leaf names a member or nobody
        std::optional<ProcessEntry> entry = readProcess(pid);
        if (entry && isIn(pid, suffix))
            entries.push_back(std::move(*entry));
    }
    return entries;
}

} // namespace ProcessKit::Native
