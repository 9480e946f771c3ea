// SPDX-License-Identifier: MIT
#include "keeper_client.h"

#include "cgroup_directory.h"
#include "keeper_image.h"
#include "small_file.h"
#include "spawn.h"
#include "tree.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
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

// The library lies at a fixed distance from libexec, in the build tree and where it is installed.
std::string pathBesideLibrary()
{
    Dl_info info;
    if (::dladdr(reinterpret_cast<const void *>(&keeperImage), &info) == 0 || !info.dli_fname
        || info.dli_fname[0] != '/')
        return {};
    std::string path = info.dli_fname;
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
    [[maybe_unused]] static const int registered = std::atexit([] {
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
        return { Source::None, {},
                 std::string("PROCESSKIT_KEEPER names ") + chosen + ": " + strerror(errno) };
    }
    if (std::string path = pathBesideLibrary(); !path.empty() && ::access(path.c_str(), X_OK) == 0)
        return { Source::Executable, std::move(path), {} };
    if (memoryFilesMayRun() && ::access("/proc/self/fd", X_OK) == 0)
        return { Source::EmbeddedCopy, {}, {} };
    return { Source::None, {},
             "processkit-keeper is not installed, and this system does not run its copy from memory" };
}

int KeeperClient::ensure()
{
    if (m_socket && m_owner == ::geteuid())
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
    m_owner = ::geteuid();
    m_pending.clear();
    keeperPid = keeper.pid;
    int error = m_exitWatch.start(m_pidfd.get(), Reactor::Readable, [this](auto) { keeperEnded(); });
    if (!error)
        error = m_socketWatch.start(m_socket.get(), Reactor::Readable,
                                    [this](std::uint32_t events) {
                                        if (events & Reactor::Writable)
                                            flush();
                                        readMessages();
                                    });
    if (error) {
        m_exitWatch.stop();
        m_socketWatch.stop();
        m_socket.reset(); // it ends by itself
        m_pidfd.reset();
        keeperPid = 0;
        return error;
    }
    introduce();
    return 0;
}

void KeeperClient::introduce()
{
    // a handle of ourselves: the socket may live on in a forked copy of us
    const UniqueFd self(int(::syscall(SYS_pidfd_open, ::getpid(), 0)));
    Message hello;
    hello.type = Type::Hello;
    send(hello, self ? std::vector<int>{ self.get() } : std::vector<int>{});
    if (!m_cgroup.empty())
        holdCgroup(m_cgroup);
    for (const auto &[id, group] : m_processGroups)
        sendHold(id, group);
}

void KeeperClient::holdCgroup(const std::string &path)
{
    m_cgroup = path;
    if (!m_socket)
        return;
    Message message;
    message.type = Type::HoldCgroup;
    message.payload = path;
    send(message);
}

std::uint32_t KeeperClient::holdProcessGroup(const ProcessEntry &leader, int pidfd)
{
    const std::uint32_t id = ++m_lastId;
    HeldProcessGroup &group = m_processGroups[id];
    group.leader = leader;
    group.pidfd = UniqueFd(::fcntl(pidfd, F_DUPFD_CLOEXEC, 3));
    if (m_socket)
        sendHold(id, group);
    return id;
}

void KeeperClient::sendHold(std::uint32_t id, const HeldProcessGroup &group)
{
    Message message;
    message.type = Type::HoldProcessGroup;
    message.id = id;
    message.append(std::int64_t(group.leader.pid));
    message.append(std::uint64_t(group.leader.startTime));
    send(message, group.pidfd ? std::vector<int>{ group.pidfd.get() } : std::vector<int>{});
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
    m_groups[*id] = std::move(lost);
    Message message;
    message.type = Type::MakeGroup;
    message.id = *id;
    send(message, { socket.get() });
    return 0;
}

void KeeperClient::dropGroup(std::uint32_t id)
{
    m_groups.erase(id);
}

void KeeperClient::send(const Message &message, const std::vector<int> &descriptors)
{
    if (m_pending.empty() && KeeperProtocol::send(m_socket.get(), message, descriptors))
        return;
    if (m_pending.empty() && errno != EAGAIN && errno != ENOBUFS)
        return; // the keeper has ended, and keeperEnded() is on its way
    Pending pending;
    pending.message.type = message.type;
    pending.message.id = message.id;
    pending.message.payload = message.payload;
    for (const int fd : descriptors)
        pending.descriptors.emplace_back(::fcntl(fd, F_DUPFD_CLOEXEC, 3));
    m_pending.push_back(std::move(pending));
    m_socketWatch.setEvents(Reactor::Readable | Reactor::Writable);
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
    ++m_generation;
    ++m_earlyDeaths;

    int error = 0;
    const bool needed = !m_cgroup.empty() || !m_processGroups.empty();
    if (needed)
        error = m_earlyDeaths < maximumEarlyDeaths ? ensure() : ECHILD;
    if (m_onEnded)
        m_onEnded(error);
}

} // namespace ProcessKit::Native
