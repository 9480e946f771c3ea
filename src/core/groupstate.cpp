// SPDX-License-Identifier: MIT
#include "groupstate_p.h"

#include "processrun_p.h"

#include "cgroup_directory.h"

#include <QtCore/qcoreapplication.h>

#include <csignal>

namespace ProcessKit {

GroupState::GroupState(Mechanism requested, QObject *receiver)
    : m_requested(requested), m_receiver(receiver)
{
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

std::shared_ptr<Native::CgroupDirectory> GroupState::directory(int *error)
{
    if (!m_directory)
        m_directory = Native::CgroupDirectory::ofGroup(error);
    return m_directory;
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
    std::erase_if(m_runs, [run](const auto &each) { return each.get() == run; });
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
    // at once for all of them, where the kernel can
    const bool atOnce = m_directory && m_directory->kill() == 0;
    for (const auto &run : m_runs) {
        if (!atOnce || run->tree()->kind() != Native::TreeKind::CgroupV2)
            run->tree()->kill();
    }
}

} // namespace ProcessKit
