// SPDX-License-Identifier: MIT
#include "keeper_client.h"

#include "cgroup_directory.h"
#include "direct_child.h"
#include "keeper_image.h"
#include "small_file.h"
#include "tree.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <link.h>
#include <poll.h>
#include <stdlib.h>
#include <algorithm>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <utility>

#ifndef MFD_EXEC
#  define MFD_EXEC 0x0010U
#endif

namespace ProcessKit::Native {

using KeeperProtocol::Message;
using KeeperProtocol::Received;
using KeeperProtocol::Type;

namespace {

std::atomic<bool> optional = false;
std::atomic<pid_t> keeperPid = 0;

constexpr int maximumEarlyDeaths = 3;

// The library's file, or the program's when the library is linked into it. dladdr(3) will not do:
// it takes argv[0], which is the caller's to choose, for the program's file.
std::string fileOfThisCode()
{
    struct Search
    {
        std::uintptr_t address;
        std::string file;
    } search{ reinterpret_cast<std::uintptr_t>(&keeperImage), {} };
    ::dl_iterate_phdr(
            [](dl_phdr_info *object, std::size_t, void *data) {
                auto *wanted = static_cast<Search *>(data);
                for (int i = 0; i < object->dlpi_phnum; ++i) {
                    const auto &segment = object->dlpi_phdr[i];
                    const std::uintptr_t begin = object->dlpi_addr + segment.p_vaddr;
                    if (segment.p_type != PT_LOAD || wanted->address < begin
                        || wanted->address - begin >= segment.p_memsz)
                        continue;
                    wanted->file = object->dlpi_name;
                    return 1;
                }
                return 0;
            },
            &search);
    if (!search.file.empty())
        return search.file;
    char program[PATH_MAX];
    const ssize_t length = ::readlink("/proc/self/exe", program, sizeof program);
    return length > 0 ? std::string(program, std::size_t(length)) : std::string();
}

// The library lies at a fixed distance from libexec, in the build tree and where it is installed.
std::string pathBesideLibrary()
{
    std::string path = fileOfThisCode();
    if (path.empty() || path[0] != '/')
        return {};
    path.erase(path.rfind('/') + 1);
    return path + PROCESSKIT_KEEPER_FROM_LIBRARY;
}

// vm.memfd_noexec (Linux 6.3) forbids to run what lies in memory when it is 2
bool memoryFilesMayRun()
{
    std::string value;
    return !readFile("/proc/sys/vm/memfd_noexec", &value) || value[0] != '2';
}

UniqueFd imageInMemory()
{
    int fd = ::memfd_create("processkit-keeper", MFD_CLOEXEC | MFD_EXEC);
    if (fd < 0 && errno == EINVAL)
        fd = ::memfd_create("processkit-keeper", MFD_CLOEXEC); // before Linux 6.3
    UniqueFd memory = aboveStandardStreams(UniqueFd(fd));
    std::string_view left = keeperImage();
    while (memory && !left.empty()) {
        const ssize_t written = ::write(memory.get(), left.data(), left.size());
        if (written < 0 && errno != EINTR)
            return UniqueFd();
        if (written > 0)
            left.remove_prefix(std::size_t(written));
    }
    return memory;
}

// both ends close-on-exec and non-blocking, above the standard streams
int makeSocketPair(UniqueFd *ours, UniqueFd *theirs)
{
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) < 0)
        return errno;
    *ours = UniqueFd(ends[0]);
    *theirs = UniqueFd(ends[1]);
    *ours = aboveStandardStreams(std::move(*ours));
    if (!*ours)
        return errno;
    *theirs = aboveStandardStreams(std::move(*theirs));
    return *theirs ? 0 : errno;
}

// Without a keeper, what is left to us is the orderly end of the program.
void cleanUpAtExit()
{
    static const pid_t owner = ::getpid();
    [[maybe_unused]] static const int registered = std::atexit([] {
        if (::getpid() != owner)
            return; // a forked copy has neither the reactor's thread nor the children
        Reactor::instance().call([] {
            Tree::killAll();
            CgroupDirectory::discardApplication();
        });
    });
}

// A keeper asks the kernel who has sent a message. Said here and not by the keeper, so that it
// holds for the first message too.
void passCredentials(int socket)
{
    const int on = 1;
    ::setsockopt(socket, SOL_SOCKET, SO_PASSCRED, &on, sizeof on);
}

} // namespace

KeeperClient &KeeperClient::instance()
{
    static auto *client = new KeeperClient; // outlives static destruction, as the reactor does
    return *client;
}

bool KeeperClient::isOptional() noexcept
{
    return optional;
}

void KeeperClient::setOptional(bool isOptional) noexcept
{
    optional = isOptional;
}

pid_t KeeperClient::runningPid() noexcept
{
    return keeperPid;
}

KeeperClient::Program KeeperClient::find()
{
    // none in a set-id program, where the environment is the caller's (secure_getenv(3))
    if (const char *chosen = ::secure_getenv("PROCESSKIT_KEEPER"); chosen && *chosen) {
        if (::access(chosen, X_OK) == 0)
            return { Source::Executable, chosen, {} };
        return { Source::None,
                 {},
                 std::string("PROCESSKIT_KEEPER names ") + chosen + ": " + strerror(errno) };
    }
    if (std::string path = pathBesideLibrary(); !path.empty() && ::access(path.c_str(), X_OK) == 0)
        return { Source::Executable, std::move(path), {} };
    if (memoryFilesMayRun() && ::access("/proc/self/fd", X_OK) == 0)
        return { Source::EmbeddedCopy, {}, {} };
    return {
        Source::None,
        {},
        "processkit-keeper is not installed, and this system does not run its copy from memory"
    };
}

int KeeperClient::ensure()
{
    // it may have been killed a moment ago, and nobody has heard of it yet
    pollfd exit{ m_pidfd.get(), POLLIN, 0 };
    if (m_socket && ::poll(&exit, 1, 0) > 0)
        keeperEnded();
    if (m_socket && m_ownerUser == ::geteuid() && m_ownerGroup == ::getegid())
        return 0;
    if (m_socket) {
        // We have changed our identity; the keeper takes no orders from the new one, but goes on
        // holding what it has for as long as we live.
        m_socketWatch.stop();
        m_exitWatch.stop();
        m_retired.push_back(std::move(m_socket));
        m_pidfd.reset();
    }
    const Program program = find();
    if (program.source == Source::None) {
        cleanUpAtExit();
        return ENOENT;
    }
    int error = launch(program);
    if (error && program.source == Source::Executable && !::secure_getenv("PROCESSKIT_KEEPER")
        && memoryFilesMayRun())
        error = launch({ Source::EmbeddedCopy, {}, {} });
    if (error)
        cleanUpAtExit();
    return error;
}

int KeeperClient::launch(const Program &program)
{
    UniqueFd ours, theirs;
    if (const int error = makeSocketPair(&ours, &theirs))
        return error;
    passCredentials(theirs.get());
    const UniqueFd null = aboveStandardStreams(UniqueFd(::open("/dev/null", O_RDWR | O_CLOEXEC)));
    if (!null)
        return errno;
    UniqueFd memory;
    std::string file = program.path;
    if (program.source == Source::EmbeddedCopy) {
        memory = imageInMemory();
        if (!memory)
            return errno;
        file = "/proc/self/fd/" + std::to_string(memory.get());
    }

    LaunchPlan plan;
    plan.candidates.append(file);
    plan.arguments.append("processkit-keeper");
    plan.workingDirectory = "/";
    for (int stream = 0; stream <= 2; ++stream)
        plan.descriptors.push_back({ null.get(), stream });
    // its own number may be the target's: then there is nothing to copy
    plan.descriptors.push_back({ theirs.get(), KeeperProtocol::ControlDescriptor });
    SpawnResult keeper = spawn(plan);
    if (keeper.failure)
        return keeper.failure.error;

    m_pidfd = std::move(keeper.pidfd);
    m_socket = std::move(ours);
    m_ownerUser = ::geteuid();
    m_ownerGroup = ::getegid();
    m_pending.clear();
    keeperPid = keeper.pid;
    int error =
            m_exitWatch.start(m_pidfd.get(), Reactor::Readable, [this](auto) { keeperEnded(); });
    if (!error)
        error = m_socketWatch.start(m_socket.get(), Reactor::Readable,
                                    [this](std::uint32_t events) {
                                        if (events & Reactor::Writable)
                                            flush();
                                        readMessages();
                                    });
    if (!error)
        error = introduce();
    if (error) {
        m_exitWatch.stop();
        m_socketWatch.stop();
        m_socket.reset(); // it ends by itself
        m_pidfd.reset();
        keeperPid = 0;
    }
    return error;
}

int KeeperClient::introduce()
{
    // a handle of ourselves: the socket may live on in a forked copy of us
    const UniqueFd self(int(::syscall(SYS_pidfd_open, ::getpid(), 0)));
    if (!self)
        return errno;
    Message hello;
    hello.type = Type::Hello;
    int error = send(hello, { self.get() });
    for (const std::string &cgroup : m_cgroups) {
        if (!error)
            error = sendHold(cgroup);
    }
    for (const auto &[id, group] : m_processGroups) {
        if (!error)
            error = sendHold(id, group);
    }
    return error;
}

int KeeperClient::holdCgroup(const std::string &path)
{
    if (std::find(m_cgroups.begin(), m_cgroups.end(), path) == m_cgroups.end())
        m_cgroups.push_back(path);
    return m_socket ? sendHold(path) : 0;
}

int KeeperClient::sendHold(const std::string &path)
{
    Message message;
    message.type = Type::HoldCgroup;
    message.payload = path;
    return send(message);
}

void KeeperClient::announceProcessGroup(SpawnOptions *options, std::uint32_t *id)
{
    *id = ++m_lastId;
    if (!m_socket)
        return;
    Message message;
    message.type = Type::HoldProcessGroup;
    message.id = *id;
    message.append(std::int64_t(0)); // the child's to fill in
    message.append(std::uint64_t(0)); // the keeper looks it up
    options->announceSocket = m_socket.get();
    options->announcement = KeeperProtocol::encode(message);
    options->announcementPid = options->announcement.size() - message.payload.size();
}

int KeeperClient::holdProcessGroup(const ProcessEntry &leader, int pidfd, std::uint32_t id)
{
    HeldProcessGroup &group = m_processGroups[id];
    group.leader = leader;
    group.pidfd = UniqueFd(::fcntl(pidfd, F_DUPFD_CLOEXEC, 3));
    if (!group.pidfd)
        return errno;
    return m_socket ? sendHold(id, group) : 0;
}

int KeeperClient::sendHold(std::uint32_t id, const HeldProcessGroup &group)
{
    Message message;
    message.type = Type::HoldProcessGroup;
    message.id = id;
    message.append(std::int64_t(group.leader.pid));
    message.append(std::uint64_t(group.leader.startTime));
    return send(message, { group.pidfd.get() });
}

void KeeperClient::dropProcessGroup(std::uint32_t id)
{
    m_processGroups.erase(id);
    if (!m_socket)
        return;
    Message message;
    message.type = Type::DropProcessGroup;
    message.id = id;
    send(message);
}

int KeeperClient::makeGroup(UniqueFd socket, std::function<void(int)> lost, std::uint32_t *id)
{
    if (!m_socket)
        return ENOTCONN;
    passCredentials(socket.get());
    *id = ++m_lastId;
    Message message;
    message.type = Type::MakeGroup;
    message.id = *id;
    if (const int error = send(message, { socket.get() }))
        return error;
    m_groups[*id] = std::move(lost);
    return 0;
}

void KeeperClient::dropGroup(std::uint32_t id)
{
    m_groups.erase(id);
}

// 0, also for what waits until there is room, or errno
int KeeperClient::send(const Message &message, const std::vector<int> &descriptors)
{
    if (m_pending.empty() && KeeperProtocol::send(m_socket.get(), message, descriptors))
        return 0;
    if (m_pending.empty() && errno != EAGAIN)
        return errno;
    Pending pending;
    pending.message.type = message.type;
    pending.message.id = message.id;
    pending.message.payload = message.payload;
    for (const int fd : descriptors) {
        pending.descriptors.emplace_back(::fcntl(fd, F_DUPFD_CLOEXEC, 3));
        if (!pending.descriptors.back())
            return errno;
    }
    m_pending.push_back(std::move(pending));
    return m_socketWatch.setEvents(Reactor::Readable | Reactor::Writable);
}

void KeeperClient::flush()
{
    std::size_t sent = 0;
    for (; sent < m_pending.size(); ++sent) {
        std::vector<int> descriptors;
        for (const UniqueFd &fd : m_pending[sent].descriptors)
            descriptors.push_back(fd.get());
        if (!KeeperProtocol::send(m_socket.get(), m_pending[sent].message, descriptors))
            break;
    }
    m_pending.erase(m_pending.begin(), m_pending.begin() + std::ptrdiff_t(sent));
    if (m_pending.empty())
        m_socketWatch.setEvents(Reactor::Readable);
}

void KeeperClient::readMessages()
{
    for (;;) {
        Message message;
        switch (KeeperProtocol::receive(m_socket.get(), &message)) {
        case Received::Nothing:
            return;
        case Received::Malformed:
            continue;
        case Received::Closed:
            m_socketWatch.stop(); // its handle tells the rest
            return;
        case Received::Message:
            break;
        }
        if (message.type == Type::Ready) {
            m_earlyDeaths = 0;
        } else if (message.type == Type::GroupLost || message.type == Type::GroupFailed) {
            std::int32_t error = 0;
            if (message.type == Type::GroupFailed && !message.take(&error))
                error = EPROTO;
            if (const auto group = m_groups.find(message.id); group != m_groups.end()) {
                const auto lost = std::move(group->second);
                m_groups.erase(group);
                lost(error);
            }
        }
    }
}

void KeeperClient::keeperEnded()
{
    readMessages(); // what it had to say before
    siginfo_t info;
    ::waitid(P_PIDFD, id_t(m_pidfd.get()), &info, WEXITED | WNOHANG);
    m_exitWatch.stop();
    m_socketWatch.stop();
    m_pidfd.reset();
    m_socket.reset();
    m_pending.clear();
    keeperPid = 0;
    ++m_earlyDeaths;

    int error = 0;
    reapWhenOrphaned(KeeperProtocol::GroupKeeperName); // its children have just become ours
    const auto groups = std::exchange(m_groups, {});
    const bool needed = !m_cgroups.empty() || !m_processGroups.empty() || !groups.empty();
    for (const auto &[id, lost] : groups)
        lost(EOWNERDEAD);
    if (needed)
        error = m_earlyDeaths < maximumEarlyDeaths ? ensure() : ECHILD;
    if (m_onEnded)
        m_onEnded(error);
}

} // namespace ProcessKit::Native
