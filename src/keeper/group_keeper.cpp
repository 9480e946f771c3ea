// SPDX-License-Identifier: MIT
#include "group_keeper.h"

#include "descriptors.h"
#include "spawn.h"
#include "tree_signal.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <optional>

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

namespace ProcessKit::Keeper {

using namespace Native;
using KeeperProtocol::Received;
using KeeperProtocol::Type;

namespace {

// The kernel takes 6 MiB of arguments and environment at most (execve(2)); the candidates and the
// same again are room enough.
constexpr off_t maximumPlan = 16 * 1024 * 1024;

std::optional<LaunchPlan> readPlan(int file)
{
    struct stat status;
    if (::fstat(file, &status) != 0 || status.st_size > maximumPlan)
        return std::nullopt;
    std::string bytes(std::size_t(status.st_size), '\0');
    std::size_t length = 0;
    while (length < bytes.size()) {
        const ssize_t count =
                ::pread(file, bytes.data() + length, bytes.size() - length, off_t(length));
        if (count <= 0)
            return std::nullopt;
        length += std::size_t(count);
    }
    return LaunchPlan::deserialize(bytes);
}

rusage usageOfReaped()
{
    rusage usage{};
    ::getrusage(RUSAGE_CHILDREN, &usage);
    return usage;
}

// Gives the plan its sources, above every target so that no copy in the child overwrites another's
// source. They replace what was received.
LaunchFailure assignSources(LaunchPlan *plan, std::vector<UniqueFd> *sources)
{
    if (sources->size() != plan->descriptors.size())
        return { LaunchStep::Keeper, sources->size() < plan->descriptors.size() ? EMFILE : EPROTO };
    int lowest = FirstOtherDescriptor;
    for (const LaunchPlan::Descriptor &descriptor : plan->descriptors)
        lowest = std::max(lowest, descriptor.target + 1);
    for (std::size_t i = 0; i < sources->size(); ++i) {
        UniqueFd &source = (*sources)[i];
        if (source.get() < lowest)
            source.reset(::fcntl(source.get(), F_DUPFD_CLOEXEC, lowest));
        if (!source)
            return { LaunchStep::Descriptors, errno };
        plan->descriptors[i].source = source.get();
    }
    return {};
}

} // namespace

GroupKeeper::GroupKeeper() : m_outbox(SocketDescriptor)
{
    ::prctl(PR_SET_CHILD_SUBREAPER, 1);
    ::prctl(PR_SET_NAME, KeeperProtocol::GroupKeeperName);
    KeeperProtocol::passCredentials(SocketDescriptor);
}

int GroupKeeper::run()
{
    while (true) {
        const short outgoing = m_outbox.isEmpty() ? 0 : POLLOUT;
        pollfd watched[] = {
            { SignalDescriptor, POLLIN, 0 },
            { m_isConnected ? SocketDescriptor : -1, short(POLLIN | outgoing), 0 },
            { m_isWatchingApplication ? ApplicationDescriptor : -1, POLLIN, 0 },
        };
        const int ready = ::poll(watched, std::size(watched), m_killer.timeout());
        if (ready < 0)
            continue;
        if (watched[2].revents) {
            m_isWatchingApplication = false;
            kill();
        }
        if (watched[1].revents & POLLOUT)
            m_outbox.flush();
        if (watched[1].revents & ~POLLOUT)
            receive();
        if (watched[0].revents)
            clearSignals();
        const bool hasChildren = reap();
        if (hasChildren) {
            m_killer.proceed(ready == 0);
            continue;
        }
        // No child of a subreaper, no descendant either.
        if (m_stage == Stage::Running) {
            m_stage = Stage::Over;
            Message emptied;
            emptied.type = Type::Emptied;
            emptied.appendUsage(usageOfReaped());
            m_outbox.send(std::move(emptied));
        }
        const bool isOver = m_stage != Stage::Waiting || m_killer.isActive();
        if (isOver && (m_outbox.isEmpty() || !m_isConnected))
            return 0;
    }
}

void GroupKeeper::receive()
{
    while (m_isConnected) {
        Message message;
        switch (KeeperProtocol::receive(SocketDescriptor, &message)) {
        case Received::Nothing:
            return;
        case Received::Message:
            handle(message);
            break;
        case Received::Closed:
        case Received::Malformed:
            m_isConnected = false;
            kill();
            break;
        }
    }
}

void GroupKeeper::handle(Message &message)
{
    const bool isTrusted = message.senderUser == ::geteuid() && message.senderGroup == ::getegid();
    switch (message.type) {
    case Type::Launch:
        if (m_stage != Stage::Waiting)
            kill();
        else if (!isTrusted)
            report({ LaunchStep::Keeper, EPERM });
        else if (m_killer.isActive())
            report({ LaunchStep::Keeper, ECANCELED });
        else
            launch(message);
        break;
    case Type::Signal: {
        std::int32_t signal;
        if (isTrusted && message.take(&signal))
            signalTree(signal);
        break;
    }
    case Type::Kill:
        // from anybody who has the socket: closing it does the same
        kill();
        break;
    default:
        kill();
    }
}

void GroupKeeper::launch(Message &message)
{
    if (message.descriptors.empty())
        return report({ LaunchStep::Keeper, EMFILE });
    std::optional<LaunchPlan> plan = readPlan(message.descriptors.front().get());
    message.descriptors.erase(message.descriptors.begin());
    if (!plan)
        return report({ LaunchStep::Keeper, EPROTO });
    std::uint32_t flags = 0;
    message.take(&flags);
    UniqueFd cgroup;
    SpawnOptions options;
    if (flags == KeeperProtocol::IntoCgroup) {
        if (message.descriptors.empty())
            return report({ LaunchStep::Keeper, EMFILE });
        cgroup = std::move(message.descriptors.front());
        message.descriptors.erase(message.descriptors.begin());
        options.cgroup = cgroup.get();
    }
    if (const LaunchFailure failure = assignSources(&*plan, &message.descriptors))
        return report(failure);

    SpawnResult child = spawn(*plan, options);
    message.descriptors.clear(); // or the streams would never end
    if (child.failure)
        return report(child.failure);
    m_child = child.pid;
    Message launched;
    launched.type = Type::Launched;
    launched.append(std::int64_t(child.pid));
    launched.append(std::int64_t(::getpid()));
    if (m_outbox.sendWith(launched, child.pidfd.get())) {
        m_stage = Stage::Running;
    } else {
        report({ LaunchStep::Keeper, errno });
        kill();
    }
}

void GroupKeeper::report(const LaunchFailure &failure)
{
    m_stage = Stage::Over;
    Message failed;
    failed.type = Type::LaunchFailed;
    failed.append(std::int32_t(failure.step));
    failed.append(std::int32_t(failure.error));
    m_outbox.send(std::move(failed));
}

void GroupKeeper::kill()
{
    if (!m_killer.isActive())
        m_killer.begin();
}

bool GroupKeeper::reap()
{
    while (true) {
        siginfo_t info{};
        if (::waitid(P_ALL, 0, &info, WEXITED | WNOHANG) != 0) {
            if (errno == EINTR)
                continue;
            return false; // ECHILD
        }
        if (info.si_pid == 0)
            return true;
        m_killer.childReaped(info.si_pid);
        if (info.si_pid == m_child) {
            m_child = -1; // the pid may come again, as an orphan's
            if (m_stage != Stage::Running)
                continue; // it was never reported
            Message exited;
            exited.type = Type::Exited;
            exited.append(std::int32_t(info.si_code));
            exited.append(std::int32_t(info.si_status));
            exited.appendUsage(usageOfReaped());
            m_outbox.send(std::move(exited));
        }
    }
}

} // namespace ProcessKit::Keeper
