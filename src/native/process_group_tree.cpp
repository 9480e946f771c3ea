// SPDX-License-Identifier: MIT
#include "process_group_tree.h"

#include "keeper_client.h"
#include "spawn.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>

#include <utility>

namespace ProcessKit::Native {

void ProcessGroupTree::launch(Launch launch)
{
    begin();
    const LaunchFailure failure = enterGroup(launch);
    launch.childEnds.clear();
    if (failure)
        reportLaunchFailed(failure);
    else
        reportLaunched(m_child.pid());
}

LaunchFailure ProcessGroupTree::enterGroup(const Launch &launch)
{
    const int keeperError = KeeperClient::instance().ensure();
    if (keeperError && !KeeperClient::isOptional())
        return { LaunchStep::Keeper, keeperError };
    LaunchPlan plan = launch.plan;
    if (!(plan.settings.given
          & LaunchPlan::Settings::NewSession)) // which is a group of its own already
        plan.processGroup = 0;
    SpawnOptions options;
    options.deathSignal = SIGKILL;
    options.modifier = launch.modifier ? &launch.modifier : nullptr;
    KeeperClient::instance().announceProcessGroup(&options, &m_heldAs);
    SpawnResult child = spawn(plan, options);
    if (child.failure) {
        KeeperClient::instance().dropProcessGroup(m_heldAs);
        return child.failure;
    }

    const pid_t pid = child.pid;
    if (const int error = m_child.watch(pid, std::move(child.pidfd), [this] { childEnded(); })) {
        ::killpg(pid, SIGKILL); // a child that nobody has reaped: the number is its group's
        m_child.reap();
        KeeperClient::instance().dropProcessGroup(m_heldAs);
        return { LaunchStep::Clone, error };
    }
    // a zombie is still there to be read: nobody else reaps it
    if (const std::optional<ProcessEntry> leader = readProcess(pid)) {
        const int error =
                KeeperClient::instance().holdProcessGroup(*leader, m_child.pidfd(), m_heldAs);
        if (error && !keeperError) {
            ::killpg(pid, SIGKILL);
            m_child.reap();
            KeeperClient::instance().dropProcessGroup(m_heldAs);
            return { LaunchStep::Keeper, error };
        }
    }
    return {};
}

void ProcessGroupTree::childEnded()
{
    // The leader stays a zombie until the group is empty: so long neither its pid nor the group's
    // number can be given to anybody else, and a signal to the group reaches only its members.
    reportExited(m_child.peek());
    watchMembers();
}

void ProcessGroupTree::watchMembers()
{
    // every member that could be found is watched; when all of them have ended, we look again
    m_members.clear();
    for (const ProcessEntry &entry : members()) {
        Member &member = m_members.emplace_back();
        member.pidfd = openProcess(entry);
        if (!member.pidfd && errno != EMFILE && errno != ENFILE) {
            m_members.pop_back(); // it has ended
            continue;
        }
        const auto place = std::prev(m_members.end());
        const int error = member.pidfd
                ? member.watch.start(member.pidfd.get(), Reactor::Readable,
                                     [this, place](auto) {
                                         place->watch.stop();
                                         place->pidfd.reset();
                                         for (const Member &other : m_members) {
                                             if (other.pidfd)
                                                 return;
                                         }
                                         // the list holds the running callback: not from here
                                         Reactor::instance().post([self = shared_from_this(),
                                                                   this] { watchMembers(); });
                                     })
                : EMFILE;
        if (error) {
            // as with a cgroup: there is no event for descriptors being free again
            kill();
            m_retry.start(std::chrono::milliseconds(50), [this] { watchMembers(); });
            return;
        }
    }
    if (!m_members.empty()) {
        if (m_killed)
            kill(); // for who was born while the last ones ended
    } else if (!std::exchange(m_killed, true)) {
        // /proc is not read at one moment: a member that forks and ends may slip through, from one
        // pid to the next. The signal reaches whoever there is, and after it nobody is born.
        kill();
        watchMembers();
    } else {
        becomeEmpty();
    }
}

void ProcessGroupTree::becomeEmpty()
{
    const pid_t group = m_child.pid();
    m_child.reap();
    // where orphans come to us, the members' zombies did
    reapAdopted([group](pid_t pid) {
        const std::optional<ProcessEntry> entry = readProcess(pid);
        return entry && entry->group == group;
    });
    if (m_heldAs)
        KeeperClient::instance().dropProcessGroup(m_heldAs);
    reportEmptied();
}

void ProcessGroupTree::signal(int signal)
{
    if (m_child.pidfd() >= 0)
        ::killpg(m_child.pid(), signal);
}

void ProcessGroupTree::kill()
{
    m_killed = true;
    signal(SIGKILL);
}

std::vector<ProcessEntry> ProcessGroupTree::members() const
{
    if (m_child.pidfd() < 0)
        return {};
    std::vector<ProcessEntry> entries = membersOfProcessGroup(m_child.pid());
    std::erase_if(entries, [](const ProcessEntry &entry) { return !entry.isAlive(); });
    return entries;
}

} // namespace ProcessKit::Native
