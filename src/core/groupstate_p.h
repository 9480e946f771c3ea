// SPDX-License-Identifier: MIT
#ifndef PROCESSKIT_GROUPSTATE_P_H
#define PROCESSKIT_GROUPSTATE_P_H

#include "usage.h"

#include <ProcessKit/containment.h>
#include <ProcessKit/groupstats.h>
#include <ProcessKit/processinfo.h>

#include <QtCore/qcoreevent.h>
#include <QtCore/qdeadlinetimer.h>

#include <condition_variable>
#include <memory>
#include <mutex>
#include <vector>

namespace ProcessKit {

class ProcessRun;

namespace Native {
class CgroupDirectory;
}

// What the members of one ProcessGroup share; it outlives the object until the last is gone.
class GroupState
{
public:
    // Two, so that the end is told after what the processes have to tell of theirs.
    static constexpr QEvent::Type ChangedEvent = QEvent::Type(QEvent::User + 0x504c);
    static constexpr QEvent::Type EmptiedEvent = QEvent::Type(QEvent::User + 0x504d);

    GroupState(Mechanism requested, QObject *receiver);
    ~GroupState();

    // Any thread.
    Mechanism requested() const { return m_requested; }
    Mechanism mechanism() const;
    bool isEmpty() const;
    bool isSuspended() const;
    bool waitForEmptied(QDeadlineTimer deadline);
    void startBegins(); // counted from the call of start(), so that isEmpty() is true to the caller
    // the event has arrived
    void acknowledge(QEvent::Type event);
    // whom the group belonged to is gone, and what was in it is being ended
    void end();
    bool hasEnded() const;

    // The reactor's thread.
    std::shared_ptr<Native::CgroupDirectory> directory(int *error);
    void add(const std::shared_ptr<ProcessRun> &run, Mechanism mechanism);
    void runIsOver(ProcessRun *run);
    const std::vector<std::shared_ptr<ProcessRun>> &runs() const { return m_runs; }
    void signal(int signal);
    void kill();
    // 0 or errno
    int setSuspended(bool suspended);
    void childEnded(const rusage &usage);
    GroupStats statistics() const;

private:
    void post(QEvent::Type event);

    const Mechanism m_requested;
    std::shared_ptr<Native::CgroupDirectory> m_directory;
    std::vector<std::shared_ptr<ProcessRun>> m_runs;
    Native::Usage m_ended; // of the direct children that have ended

    mutable std::mutex m_mutex;
    std::condition_variable m_condition;
    QObject *m_receiver;
    Mechanism m_mechanism = Mechanism::None; // of the last start
    int m_live = 0;
    bool m_suspended = false;
    bool m_changedPosted = false;
    bool m_emptiedPosted = false;
    bool m_ownerIsGone = false;
};

} // namespace ProcessKit

#endif // PROCESSKIT_GROUPSTATE_P_H
