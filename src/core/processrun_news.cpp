// SPDX-License-Identifier: MIT
#include "processrun_p.h"

#include <QtCore/qcoreapplication.h>

// The letter box between a run and its owner.

namespace ProcessKit {

using Native::Reactor;

void RunNews::append(RunNews &&later)
{
    const auto take = [](auto *mine, auto &theirs) {
        if (theirs)
            *mine = std::move(theirs);
    };
    take(&launched, later.launched);
    take(&failure, later.failure);
    take(&exit, later.exit);
    take(&verdict, later.verdict);
    take(&leftovers, later.leftovers);
    take(&lost, later.lost);
    for (std::size_t i = 0; i < bytes.size(); ++i)
        bytes[i].append(std::move(later.bytes[i]));
    if (lines.isEmpty())
        lines = std::move(later.lines);
    else
        lines += later.lines;
    written += later.written;
    writeError = later.writeError ? later.writeError : writeError;
    cut |= later.cut;
    finished |= later.finished;
    emptied |= later.emptied;
}

bool RunNews::isEmpty() const
{
    return !launched && !failure && !exit && !verdict && !leftovers && bytes[0].isEmpty()
            && bytes[1].isEmpty() && lines.isEmpty() && !written && !writeError && !lost
            && !finished && !emptied;
}

// There are news, and perhaps more in the same turn of the reactor: an end comes as several. The
// owner is woken once, at the end of the turn. m_mutex is held.
void ProcessRun::noteNews()
{
    ++m_newsCount;
    if (!std::exchange(m_wakePosted, true))
        Reactor::instance().post([self = shared_from_this()] { self->wakeOwner(); });
}

void ProcessRun::wakeOwner()
{
    {
        const std::lock_guard lock(m_mutex);
        m_wakePosted = false;
        if (m_newsCount == m_newsTaken)
            return; // it has come by itself
        if (const auto bell = m_bell.lock())
            bell->ring();
        if (m_waiting == 0 && !m_consumer) {
            if (m_receiver && !std::exchange(m_eventPosted, true))
                QCoreApplication::postEvent(m_receiver, new QEvent(NewsEvent));
            return;
        }
    }
    m_condition.notify_all(); // not under the lock, or the waiter would wake only to wait for it
    if (const Consumer consumer = m_consumer) // which may say forgetReceiver()
        consumer(takeNews());
}

RunNews ProcessRun::takeNews()
{
    const std::lock_guard lock(m_mutex);
    m_newsTaken = m_newsCount;
    m_pendingLineBytes = 0;
    if (m_output.paused || m_error.paused)
        Reactor::instance().post([self = shared_from_this()] { self->resumeReading(); });
    return std::exchange(m_news, {});
}

void ProcessRun::acknowledgeEvent()
{
    const std::lock_guard lock(m_mutex);
    m_eventPosted = false;
}

void ProcessRun::holdEvents()
{
    const std::lock_guard lock(m_mutex);
    m_eventPosted = true;
}

void ProcessRun::postEvent()
{
    const std::lock_guard lock(m_mutex);
    if (m_receiver && !std::exchange(m_eventPosted, true))
        QCoreApplication::postEvent(m_receiver, new QEvent(NewsEvent));
}

bool ProcessRun::waitForNews(QDeadlineTimer deadline)
{
    std::unique_lock lock(m_mutex);
    const auto news = [this] { return m_newsCount != m_newsTaken; };
    ++m_waiting;
    bool came = true;
    if (deadline.isForever())
        m_condition.wait(lock, news);
    else
        came = m_condition.wait_until(lock, deadline.deadline<std::chrono::steady_clock>(), news);
    --m_waiting;
    return came;
}

void ProcessRun::setBell(const std::shared_ptr<NewsBell> &bell)
{
    const std::lock_guard lock(m_mutex);
    m_bell = bell;
}

qint64 ProcessRun::waitForLaunch()
{
    std::unique_lock lock(m_mutex);
    m_launchCondition.wait(lock, [this] { return m_pid >= 0; });
    return m_pid;
}

void ProcessRun::bytesConsumed(qint64 count)
{
    const std::lock_guard lock(m_mutex);
    m_unread -= count;
    if ((m_output.paused || m_error.paused) && m_unread < m_readLimit)
        Reactor::instance().post([self = shared_from_this()] { self->resumeReading(); });
}

void ProcessRun::setReadLimit(qint64 bytes)
{
    const std::lock_guard lock(m_mutex);
    m_readLimit = bytes;
    Reactor::instance().post([self = shared_from_this()] { self->resumeReading(); });
}

void ProcessRun::setInterests(int interests)
{
    const std::lock_guard lock(m_mutex);
    const int changed = std::exchange(m_interests, interests) ^ interests;
    if (changed & (OutputLines | ErrorLines))
        Reactor::instance().post([self = shared_from_this()] { self->resumeReading(); });
    if (changed & interests & LaunchNews && m_news.launched)
        noteNews();
}

bool ProcessRun::isSilentlyRunning() const
{
    const std::lock_guard lock(m_mutex);
    return m_pid > 0 && !(m_interests & LaunchNews);
}

void ProcessRun::forgetReceiver()
{
    const std::lock_guard lock(m_mutex);
    m_consumer = nullptr;
    m_receiver = nullptr;
    m_news = {};
}

} // namespace ProcessKit
