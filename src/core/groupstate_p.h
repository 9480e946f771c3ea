// SPDX-License-Identifier: MIT
#ifndef PROCESSKIT_GROUPSTATE_P_H
#define PROCESSKIT_GROUPSTATE_P_H

#include "cgroup_limits.h"
#include "controller_place.h"
#include "tree.h"
#include "usage.h"

#include <ProcessKit/adoptionreport.h>
#include <ProcessKit/containment.h>
#include <ProcessKit/expected.h>
#include <ProcessKit/groupstats.h>
#include <ProcessKit/limitevidence.h>
#include <ProcessKit/processerror.h>
#include <ProcessKit/processinfo.h>
#include <ProcessKit/resourcelimits.h>

#include <QtCore/qcoreevent.h>
#include <QtCore/qdeadlinetimer.h>

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

namespace ProcessKit {

class MemberTracker;
class ProcessRun;

namespace Native {
class CgroupDirectory;
}

// What the members of one ProcessGroup share; it outlives the object until the last is gone.
class GroupState : public std::enable_shared_from_this<GroupState>
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
    ResourceLimits limits() const;
    ControllerSource controllerSource() const;
    LimitEvidence limitEvidence() const; // as it was read last
    // who has come and gone since the last call, in this order
    struct MemberChange
    {
        ProcessInfo member;
        bool appeared;
    };
    QList<MemberChange> takeMemberChanges();
    // In force at once where something was started in the group, else from its first start on.
    ProcessError setLimits(const ResourceLimits &limits);

    // The reactor's thread.
    // Says by what mechanism a start of \a program is to be held, or why it cannot be; at once,
    // except where systemd has to be asked for controllers first.
    using Prepared = std::function<void(Native::TreeKind kind, const ProcessError &problem)>;
    void prepare(const QString &program, Mechanism requested, bool withModifier, Prepared then);
    void cancelPreparation();
    const std::shared_ptr<Native::CgroupDirectory> &directory() const { return m_directory; }
    LimitEvidence readLimitEvidence();
    void add(const std::shared_ptr<ProcessRun> &run, Mechanism mechanism);
    void runIsOver(ProcessRun *run);
    const std::vector<std::shared_ptr<ProcessRun>> &runs() const { return m_runs; }
    void signal(int signal);
    void kill();
    // 0 or errno
    int setSuspended(bool suspended);
    void childEnded();
    GroupStats statistics();
    void setTracksMembers(bool tracks);
    void lookForMembers();
    std::vector<Native::ProcessEntry> members() const;
    Expected<AdoptionReport> adopt(qint64 processId, const ProcessError &prepared);
    ProcessError release(qint64 processId);

private:
    void post(QEvent::Type event);
    ProcessError makeDirectory(const QString &program);
    ProcessError makeLimitedDirectory(const QString &program, const Native::ControllerPlace &place);
    void prepared(const ProcessError &problem);
    ProcessError beginSetting(const Native::CgroupLimits &native,
                              std::optional<Native::UniqueFd> *cgroup);
    void watchLimits();

    const Mechanism m_requested;
    std::shared_ptr<Native::CgroupDirectory> m_directory;
    Native::CgroupLimits m_nativeLimits;
    std::vector<std::function<void(const ProcessError &)>> m_preparing;
    std::shared_ptr<MemberTracker> m_tracker;
    std::vector<std::shared_ptr<ProcessRun>> m_runs;
    Native::Usage m_ended; // of trees that are not there any more
    // the most that was told; time that was used does not come back
    std::optional<std::uint64_t> m_userMicroseconds;
    std::optional<std::uint64_t> m_systemMicroseconds;

    std::mutex m_limitsMutex; // held by who sets them, before m_mutex

    mutable std::mutex m_mutex;
    std::condition_variable m_condition;
    QObject *m_receiver;
    Mechanism m_mechanism = Mechanism::None; // of the last start
    int m_live = 0;
    bool m_suspended = false;
    ResourceLimits m_limits;
    ControllerSource m_controllerSource = ControllerSource::None;
    LimitEvidence m_evidence;
    QList<MemberChange> m_memberChanges;
    bool m_changedPosted = false;
    bool m_emptiedPosted = false;
    bool m_ownerIsGone = false;
};

} // namespace ProcessKit

#endif // PROCESSKIT_GROUPSTATE_P_H
