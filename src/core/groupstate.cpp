// SPDX-License-Identifier: MIT
#include "groupstate_p.h"

#include "convert_p.h"
#include "membertracker_p.h"
#include "processrun_p.h"

#include "cgroup_directory.h"
#include "reactor.h"

#include <QtCore/qcoreapplication.h>

#include <algorithm>
#include <csignal>

namespace ProcessKit {

GroupState::GroupState(Mechanism requested, QObject *receiver)
    : m_requested(requested), m_receiver(receiver)
{
}

// Whoever lets go of it last, the cgroup is the reactor's.
GroupState::~GroupState()
{
    if (m_directory || m_tracker)
        Native::Reactor::instance().post(
                [directory = std::move(m_directory), tracker = std::move(m_tracker)] {});
}

Mechanism GroupState::mechanism() const
{
    const std::lock_guard lock(m_mutex);
    return m_mechanism;
}

bool GroupState::isEmpty() const
{
    const std::lock_guard lock(m_mutex);
    return m_live == 0;
}

bool GroupState::waitForEmptied(QDeadlineTimer deadline)
{
    std::unique_lock lock(m_mutex);
    const auto empty = [this] { return m_live == 0; };
    if (deadline.isForever()) {
        m_condition.wait(lock, empty);
        return true;
    }
    return m_condition.wait_until(lock, deadline.deadline<std::chrono::steady_clock>(), empty);
}

void GroupState::startBegins()
{
    const std::lock_guard lock(m_mutex);
    if (m_live++ == 0)
        post(ChangedEvent);
}

// Each is in its queue once; m_mutex is held.
void GroupState::post(QEvent::Type event)
{
    bool &posted = event == EmptiedEvent ? m_emptiedPosted : m_changedPosted;
    if (m_receiver && !std::exchange(posted, true))
        QCoreApplication::postEvent(m_receiver, new QEvent(event));
}

void GroupState::acknowledge(QEvent::Type event)
{
    const std::lock_guard lock(m_mutex);
    (event == EmptiedEvent ? m_emptiedPosted : m_changedPosted) = false;
}

void GroupState::end()
{
    const std::lock_guard lock(m_mutex);
    m_receiver = nullptr;
    m_ownerIsGone = true;
}

bool GroupState::hasEnded() const
{
    const std::lock_guard lock(m_mutex);
    return m_ownerIsGone;
}

void GroupState::add(const std::shared_ptr<ProcessRun> &run, Mechanism mechanism)
{
    m_runs.push_back(run);
    const std::lock_guard lock(m_mutex);
    if (std::exchange(m_mechanism, mechanism) != mechanism)
        post(ChangedEvent);
}

void GroupState::runIsOver(ProcessRun *run)
{
    if (const auto usage = run->tree()->usage())
        m_ended += *usage;
    std::erase_if(m_runs, [run](const auto &each) { return each.get() == run; });
    lookForMembers(); // who was in it is told of before the end of the group is
    const std::lock_guard lock(m_mutex);
    if (--m_live > 0)
        return;
    m_condition.notify_all();
    post(EmptiedEvent);
}

void GroupState::signal(int signal)
{
    for (const auto &run : m_runs)
        run->tree()->signal(signal);
}

void GroupState::kill()
{
    cancelPreparation();
    // at once for all of them, where the kernel can
    const bool atOnce = m_directory && m_directory->kill() == 0;
    for (const auto &run : m_runs) {
        // one that a keeper is just starting has still to be born into its cgroup
        const Native::Tree *tree = run->tree();
        if (!atOnce || tree->kind() != Native::TreeKind::CgroupV2 || tree->pid() == 0)
            run->tree()->kill();
    }
}

bool GroupState::isSuspended() const
{
    const std::lock_guard lock(m_mutex);
    return m_suspended;
}

int GroupState::setSuspended(bool suspended)
{
    {
        const std::lock_guard lock(m_mutex);
        if (std::exchange(m_suspended, suspended) != suspended)
            post(ChangedEvent);
    }
    const int error = m_directory ? m_directory->freeze(suspended) : 0;
    for (const auto &run : m_runs) {
        if (run->tree()->kind() != Native::TreeKind::CgroupV2)
            run->tree()->signal(suspended ? SIGSTOP : SIGCONT);
    }
    return error;
}

void GroupState::childEnded()
{
    if (m_nativeLimits.controllers())
        readLimitEvidence();
}

// In a cgroup the kernel has counted all of it; elsewhere it is added up from who is there and from
// the children that have ended.
GroupStats GroupState::statistics()
{
    lookForMembers();
    if (m_nativeLimits.controllers())
        readLimitEvidence();
    Native::Usage usage;
    const bool isCgroup =
            m_directory && std::all_of(m_runs.begin(), m_runs.end(), [](const auto &run) {
                return run->tree()->kind() == Native::TreeKind::CgroupV2;
            });
    if (isCgroup) {
        usage = Native::usageOfCgroup(m_directory->path());
    } else {
        usage = m_ended;
        usage.processes = usage.memory = 0;
        for (const auto &run : m_runs) {
            if (const auto ended = run->tree()->usage())
                usage += *ended;
            for (const Native::ProcessEntry &member : run->tree()->members())
                Native::addUsageOfProcess(member.pid, &usage);
        }
    }
    // who has ended and was not yet waited for is missing for a moment, or for ever
    usage.userMicroseconds = m_userMicroseconds =
            std::max(m_userMicroseconds, usage.userMicroseconds);
    usage.systemMicroseconds = m_systemMicroseconds =
            std::max(m_systemMicroseconds, usage.systemMicroseconds);
    GroupStats stats;
    stats.mechanism = mechanism();
    stats.time = GroupStats::Clock::now();
    assign(&stats.userTime, usage.userMicroseconds);
    assign(&stats.systemTime, usage.systemMicroseconds);
    assign(&stats.memoryBytes, usage.memory);
    assign(&stats.peakMemoryBytes, usage.peakMemory);
    assign(&stats.processes, usage.processes);
    assign(&stats.peakProcesses, usage.peakProcesses);
    assign(&stats.bytesRead, usage.bytesRead);
    assign(&stats.bytesWritten, usage.bytesWritten);
    return stats;
}

} // namespace ProcessKit
