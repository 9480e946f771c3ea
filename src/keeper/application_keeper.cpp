// SPDX-License-Identifier: MIT
#include "application_keeper.h"

#include "descriptors.h"
#include "directory_reader.h"
#include "group_keeper.h"
#include "owner_stamp.h"
#include "process_table.h"

#include <algorithm>
#include <cerrno>
#include <csignal>

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>

namespace ProcessKit::Keeper {

using namespace Native;
using KeeperProtocol::Received;
using KeeperProtocol::Type;

ApplicationKeeper::ApplicationKeeper() : m_outbox(SocketDescriptor)
{
    // orphans of a group keeper that was killed come to us
    ::prctl(PR_SET_CHILD_SUBREAPER, 1);
    ::prctl(PR_SET_NAME, "processkit-keep");
    KeeperProtocol::passCredentials(SocketDescriptor);
}

int ApplicationKeeper::run()
{
    std::vector<pollfd> watched;
    while (!isOver()) {
        const bool isServing = !m_isApplicationDead;
        const short outgoing = m_outbox.isEmpty() ? 0 : POLLOUT;
        watched.assign({
                { SignalDescriptor, POLLIN, 0 },
                { isServing ? SocketDescriptor : -1, short(POLLIN | outgoing), 0 },
                { isServing && m_isGreeted ? ApplicationDescriptor : -1, POLLIN, 0 },
        });
        const std::size_t fixed = watched.size();
        for (const CgroupEmptier &cgroup : m_emptying)
            watched.push_back({ cgroup.eventsDescriptor(), POLLPRI, 0 });

        const int ready = ::poll(watched.data(), watched.size(), timeout());
        if (ready < 0)
            continue;
        // from the back: what follows changes the list
        for (std::size_t i = watched.size(); i-- > fixed;) {
            if ((watched[i].revents || ready == 0) && m_emptying[i - fixed].proceed())
                m_emptying.erase(m_emptying.begin() + std::ptrdiff_t(i - fixed));
        }
        if (watched[1].revents & POLLOUT)
            m_outbox.flush();
        // The application's last words count, too: it may have died right after it said what to
        // hold. A forked copy of it may have the socket, so its end alone does not tell.
        if ((watched[1].revents & ~POLLOUT) || watched[2].revents)
            receive();
        if (watched[2].revents)
            applicationDied();
        if (watched[0].revents)
            clearSignals();
        reap();
        rescueOrphans(ready == 0);
    }
    return 0;
}

// When somebody else removes a cgroup right after it became empty, the kernel takes back the event
// that it was about to send (cgroup_rm_file()), so these are looked at from time to time, too.
int ApplicationKeeper::timeout() const
{
    constexpr int soon = 50; // ms
    const int owed = m_killer.timeout();
    return owed >= 0 || m_emptying.empty() ? owed : soon;
}

bool ApplicationKeeper::isOver() const
{
    return m_isApplicationDead && m_emptying.empty() && m_groups.empty() && !m_killer.isActive();
}

void ApplicationKeeper::receive()
{
    // More than a socket's buffer holds: one who keeps sending does not keep us here.
    constexpr int maximumMessages = 1000;
    for (int i = 0; i < maximumMessages && !m_isApplicationDead; ++i) {
        Message message;
        switch (KeeperProtocol::receive(SocketDescriptor, &message)) {
        case Received::Nothing:
            return;
        case Received::Message:
            if (!handle(message))
                applicationDied();
            break;
        case Received::Closed:
        case Received::Malformed:
            applicationDied();
            break;
        }
    }
}

// false for what no application sends
bool ApplicationKeeper::handle(Message &message)
{
    // The effective ones, on both sides: who has dropped its privileges does not get them back
    // here.
    const bool isTrusted = message.senderUser == ::geteuid() && message.senderGroup == ::getegid();
    if (!m_isGreeted)
        return isTrusted && message.type == Type::Hello && greet(message);

    switch (message.type) {
    case Type::HoldCgroup:
        if (isTrusted)
            holdCgroup(std::move(message.payload));
        return true;
    case Type::HoldProcessGroup:
        if (isTrusted)
            holdProcessGroup(message);
        return true;
    case Type::DropProcessGroup:
        m_processGroups.erase(std::remove_if(m_processGroups.begin(), m_processGroups.end(),
                                             [&message](const HeldProcessGroup &group) {
                                                 return group.id == message.id;
                                             }),
                              m_processGroups.end());
        return true;
    case Type::MakeGroup:
        if (isTrusted) {
            makeGroup(message);
        } else {
            Message failed;
            failed.type = Type::GroupFailed;
            failed.id = message.id;
            failed.append(std::int32_t(EPERM));
            m_outbox.send(std::move(failed));
        }
        return true;
    default:
        return false;
    }
}

bool ApplicationKeeper::greet(Message &message)
{
    if (message.descriptors.size() != 1
        || !moveDescriptor(std::move(message.descriptors.front()), ApplicationDescriptor))
        return false;
    m_isGreeted = true;
    Message ready;
    ready.type = Type::Ready;
    m_outbox.send(std::move(ready));
    return true;
}

bool ApplicationKeeper::isHeld(std::string_view path) const
{
    return std::find(m_cgroups.begin(), m_cgroups.end(), path) != m_cgroups.end();
}

void ApplicationKeeper::holdCgroup(std::string path)
{
    while (path.size() > 1 && path.back() == '/')
        path.pop_back();
    if (isHeld(path))
        return;
    const std::string parent = path.substr(0, path.rfind('/'));
    m_cgroups.push_back(std::move(path));
    sweep(parent);
}

// What an application left behind whose keeper was killed together with it.
void ApplicationKeeper::sweep(const std::string &directory)
{
    const UniqueFd opened(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!opened)
        return;
    const OwnerStamp own = OwnerStamp::own();
    DirectoryReader reader(opened.get());
    DirectoryReader::Entry entry;
    while (reader.next(&entry)) {
        const std::optional<OwnerStamp> stamp = OwnerStamp::parse(entry.name);
        if (!stamp || stamp->pidNamespace != own.pidNamespace || stamp->bootId != own.bootId
            || stamp->ownerIsAlive())
            continue;
        std::string path = directory + '/' + entry.name;
        if (!isHeld(path))
            empty(std::move(path));
    }
}

void ApplicationKeeper::empty(std::string path)
{
    for (const CgroupEmptier &other : m_emptying) {
        if (other.path() == path)
            return;
    }
    CgroupEmptier cgroup(std::move(path));
    if (!cgroup.proceed())
        m_emptying.push_back(std::move(cgroup));
}

void ApplicationKeeper::holdProcessGroup(Message &message)
{
    HeldProcessGroup group;
    std::int64_t number;
    if (!message.take(&number) || !message.take(&group.startTime) || number <= 1)
        return;
    group.id = message.id;
    group.group = pid_t(number);
    // What the leader says itself, before it is its program, is confirmed by the application.
    std::erase_if(m_processGroups,
                  [&group](const HeldProcessGroup &other) { return other.id == group.id; });
    if (!message.descriptors.empty()) {
        group.leader = std::move(message.descriptors.front());
    } else if (group.startTime != 0) {
        // without a handle, the start time tells the group from a later one of the same number
    } else if (const auto leader = readProcess(group.group);
               leader && leader->group == leader->pid) {
        group.startTime = leader->startTime;
        group.leader = openProcess(*leader);
    } else if (const auto self = readProcess(::getpid())) {
        // It has ended before this was read; who is left in its group is younger than we are.
        group.startTime = self->startTime;
    }
    m_processGroups.push_back(std::move(group));
}

void ApplicationKeeper::makeGroup(Message &message)
{
    int error = 0;
    pid_t keeper = -1;
    if (message.descriptors.size() != 1) {
        error = message.descriptors.empty() ? EMFILE : EPROTO;
    } else {
        keeper = ::fork();
        if (keeper == 0)
            becomeGroupKeeper(std::move(message.descriptors.front()));
        if (keeper < 0)
            error = errno;
    }
    if (error == 0) {
        m_groups.push_back({ keeper, message.id });
        return;
    }
    Message failed;
    failed.type = Type::GroupFailed;
    failed.id = message.id;
    failed.append(std::int32_t(error));
    m_outbox.send(std::move(failed));
}

void ApplicationKeeper::becomeGroupKeeper(UniqueFd socket)
{
    m_killer.end(); // perhaps we were just rescuing, at a priority that is not for others
    if (!moveDescriptor(std::move(socket), SocketDescriptor))
        ::_exit(1);
    // Also whatever our members own: nothing of this object is destroyed in this process.
    closeDescriptorsFrom(FirstOtherDescriptor);
    GroupKeeper keeper;
    ::_exit(keeper.run());
}

void ApplicationKeeper::applicationDied()
{
    if (m_isApplicationDead)
        return;
    m_isApplicationDead = true;
    m_outbox.discard();
    for (const HeldProcessGroup &group : m_processGroups)
        group.kill();
    m_processGroups.clear();
    for (std::string &path : m_cgroups)
        empty(std::move(path));
    m_cgroups.clear();
    // The group keepers have seen it themselves.
}

std::vector<pid_t> ApplicationKeeper::groupKeepers() const
{
    std::vector<pid_t> pids;
    pids.reserve(m_groups.size());
    for (const Group &group : m_groups)
        pids.push_back(group.keeper);
    std::sort(pids.begin(), pids.end());
    return pids;
}

void ApplicationKeeper::reap()
{
    while (true) {
        siginfo_t info{};
        if (::waitid(P_ALL, 0, &info, WEXITED | WNOHANG) != 0) {
            if (errno == EINTR)
                continue;
            return;
        }
        if (info.si_pid == 0)
            return;
        m_killer.childReaped(info.si_pid);
        for (std::size_t i = 0; i < m_groups.size(); ++i) {
            if (m_groups[i].keeper == info.si_pid) {
                groupKeeperEnded(i, info.si_code == CLD_EXITED && info.si_status == 0);
                break;
            }
        }
    }
}

void ApplicationKeeper::groupKeeperEnded(std::size_t index, bool asExpected)
{
    const std::uint32_t id = m_groups[index].id;
    m_groups.erase(m_groups.begin() + std::ptrdiff_t(index));
    if (asExpected)
        return;
    // The kernel has made its children ours before it told us.
    m_lostGroups.push_back(id);
    m_killer.begin(groupKeepers());
}

void ApplicationKeeper::rescueOrphans(bool quiet)
{
    if (!m_killer.isActive())
        return;
    m_killer.proceed(quiet, groupKeepers());
    if (!m_killer.isDone())
        return;
    m_killer.end();
    for (std::uint32_t id : m_lostGroups) {
        Message lost;
        lost.type = Type::GroupLost;
        lost.id = id;
        m_outbox.send(std::move(lost));
    }
    m_lostGroups.clear();
}

} // namespace ProcessKit::Keeper
