// SPDX-License-Identifier: MIT
#include "subreaper_tree.h"

#include "keeper_client.h"
#include "small_file.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include <string_view>
#include <utility>

namespace ProcessKit::Native {

using KeeperProtocol::Message;
using KeeperProtocol::Received;
using KeeperProtocol::Type;

namespace {

// What a child of ours would have from us, and a child of the keeper's has not.
void addInherited(LaunchPlan *plan)
{
    std::string status;
    readFile("/proc/self/status", &status);
    // umask(2) could not be asked without being changed
    const auto number = [&status](const char *name, int base, unsigned long long otherwise) {
        const std::size_t at = status.find(name);
        return at == std::string::npos
                ? otherwise
                : ::strtoull(status.c_str() + at + ::strlen(name), nullptr, base);
    };
    LaunchPlan::Attributes &attributes = plan->attributes.emplace();
    attributes.fileModeMask = std::int32_t(number("\nUmask:", 8, 022));
    attributes.ignoredSignals = number("\nSigIgn:", 16, 0);
    attributes.noNewPrivileges = ::prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1;
    for (unsigned resource = 0; resource < attributes.limits.size(); ++resource)
        ::prlimit(0, __rlimit_resource(resource), nullptr, &attributes.limits[resource]);
    attributes.realUser = ::getuid();
    attributes.realGroup = ::getgid();
    if (plan->processGroup < 0 && !(plan->settings.given & LaunchPlan::Settings::NewSession))
        plan->processGroup = ::getpgrp();
}

UniqueFd inMemory(std::string_view bytes)
{
    UniqueFd memory = aboveStandardStreams(UniqueFd(::memfd_create("launch", MFD_CLOEXEC)));
    while (memory && !bytes.empty()) {
        const ssize_t written = ::write(memory.get(), bytes.data(), bytes.size());
        if (written < 0 && errno != EINTR)
            return UniqueFd();
        if (written > 0)
            bytes.remove_prefix(std::size_t(written));
    }
    return memory;
}

} // namespace

void SubreaperTree::launch(Launch launch)
{
    begin();
    addInherited(&launch.plan);
    if (const LaunchFailure failure = askKeeper(launch)) {
        letGo();
        reportLaunchFailed(failure);
    }
}

LaunchFailure SubreaperTree::askKeeper(const Launch &launch)
{
    KeeperClient &keeper = KeeperClient::instance();
    if (const int error = keeper.ensure())
        return { LaunchStep::Keeper, error };
    if (launch.modifier)
        return { LaunchStep::Modifier, ENOTSUP }; // it is code of this process's, not the keeper's

    const UniqueFd plan = inMemory(launch.plan.serialize());
    if (!plan)
        return { LaunchStep::Keeper, errno };
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) < 0)
        return { LaunchStep::Keeper, errno };
    m_socket = UniqueFd(ends[0]);
    UniqueFd theirs(ends[1]);
    m_socket = aboveStandardStreams(std::move(m_socket));
    if (!m_socket)
        return { LaunchStep::Keeper, errno };
    if (const int error =
                m_watch.start(m_socket.get(), Reactor::Readable, [this](auto) { readMessages(); }))
        return { LaunchStep::Keeper, error };

    const int on = 1;
    ::setsockopt(theirs.get(), SOL_SOCKET, SO_PASSCRED, &on, sizeof on);
    Message message;
    message.type = Type::Launch;
    std::vector<int> descriptors{ plan.get() };
    if (m_directory) {
        m_leaf = m_directory->takeLeaf();
        if (!m_leaf)
            return { LaunchStep::Container, errno };
        descriptors.push_back(m_leaf.directory.get());
        message.append(std::uint32_t(KeeperProtocol::IntoCgroup));
    }
    for (const LaunchPlan::Descriptor &descriptor : launch.plan.descriptors)
        descriptors.push_back(descriptor.source);
    // it waits in the socket until there is a group keeper to read it
    if (!KeeperProtocol::send(m_socket.get(), message, descriptors))
        return { LaunchStep::Keeper, errno };
    if (m_leaf)
        m_directory->settle(&m_leaf);
    const int error = keeper.makeGroup(
            std::move(theirs), [this](int problem) { keeperSays(problem); }, &m_id);
    return error ? LaunchFailure{ LaunchStep::Keeper, error } : LaunchFailure{};
}

void SubreaperTree::readMessages()
{
    while (!m_over && m_socket) {
        Message message;
        switch (KeeperProtocol::receive(m_socket.get(), &message)) {
        case Received::Nothing:
            return;
        case Received::Malformed:
            continue;
        case Received::Closed:
            socketClosed();
            return;
        case Received::Message:
            handle(&message);
            break;
        }
    }
}

void SubreaperTree::handle(Message *message)
{
    if (message->type == Type::Launched) {
        std::int64_t pid = 0;
        std::int64_t groupKeeper = 0;
        if (!message->take(&pid) || !message->take(&groupKeeper))
            return;
        m_groupKeeper = pid_t(groupKeeper);
        m_launched = true;
        reportLaunched(pid_t(pid));
    } else if (message->type == Type::LaunchFailed) {
        std::int32_t step = 0;
        std::int32_t error = 0;
        message->take(&step);
        message->take(&error);
        const LaunchFailure failure{ LaunchStep(step), error };
        if (m_leaf)
            m_directory->notice(failure);
        letGo();
        reportLaunchFailed(failure);
    } else if (message->type == Type::Exited && !m_exited) {
        std::int32_t code = 0;
        std::int32_t status = 0;
        if (!message->take(&code) || !message->take(&status))
            return;
        m_exited = true;
        ChildExit exit{ true, code == CLD_KILLED || code == CLD_DUMPED, status };
        rusage usage;
        if (message->takeUsage(&usage))
            exit.usage = usage;
        if (m_leaf)
            exit.oomKills = m_directory->oomKills(m_leaf);
        reportExited(exit);
    } else if (message->type == Type::Emptied) {
        rusage usage;
        if (message->takeUsage(&usage))
            setUsage(usage);
        letGo();
        reportEmptied();
    }
}

void SubreaperTree::socketClosed()
{
    // The group keeper was killed. Its own keeper ends the tree and then says so; if that one has
    // been killed as well, there is nobody left to say it.
    m_watch.stop();
    m_socket.reset();
    if (m_isOrphan)
        lose(false, ECHILD);
}

void SubreaperTree::keeperSays(int error)
{
    if (error != EOWNERDEAD) {
        lose(true, error);
        return;
    }
    // The keeper was killed. Our group keeper, if there is one, lives on: it has a socket of its
    // own.
    m_isOrphan = true;
    readMessages(); // an end of the socket that was heard of before the keeper's
    if (!m_over && !m_socket)
        lose(false, ECHILD);
}

void SubreaperTree::lose(bool ended, int error)
{
    if (m_over)
        return;
    kill(); // what a cgroup holds does not need its keepers to end
    ended |= bool(m_leaf);
    letGo();
    if (!m_launched) {
        reportLaunchFailed({ LaunchStep::Keeper, error ? error : ECHILD });
        return;
    }
    reportLost(ended);
    if (!m_exited)
        reportExited({ false, true, SIGKILL });
    reportEmptied();
}

// Nothing of it is left, or nobody can tell.
void SubreaperTree::letGo()
{
    m_over = true;
    m_watch.stop();
    m_socket.reset();
    if (m_id)
        KeeperClient::instance().dropGroup(m_id);
    if (m_leaf)
        m_directory->returnLeaf(std::exchange(m_leaf, {}), m_killed);
}

void SubreaperTree::send(const Message &message)
{
    // Should the socket be full of messages that a stopped group keeper does not read, the end of
    // the file is an order as well, and the strongest.
    if (m_socket && !KeeperProtocol::send(m_socket.get(), message) && message.type == Type::Kill)
        ::shutdown(m_socket.get(), SHUT_WR);
}

void SubreaperTree::signal(int signal)
{
    Message message;
    message.type = Type::Signal;
    message.append(std::int32_t(signal));
    send(message);
}

void SubreaperTree::kill()
{
    Message message;
    message.type = Type::Kill;
    send(message);
    if (m_leaf) {
        m_killed = true;
        m_directory->kill(m_leaf);
    }
}

std::vector<ProcessEntry> SubreaperTree::members() const
{
    if (m_groupKeeper == 0 || m_over)
        return {};
    std::vector<ProcessEntry> entries = listDescendantsOf(m_groupKeeper);
    std::erase_if(entries, [](const ProcessEntry &entry) { return !entry.isAlive(); });
    return entries;
}

} // namespace ProcessKit::Native
