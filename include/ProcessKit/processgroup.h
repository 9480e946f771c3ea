// SPDX-License-Identifier: MIT
#ifndef PROCESSKIT_PROCESSGROUP_H
#define PROCESSKIT_PROCESSGROUP_H

#include <ProcessKit/adoptionreport.h>
#include <ProcessKit/containedprocess.h>
#include <ProcessKit/expected.h>
#include <ProcessKit/groupstats.h>
#include <ProcessKit/limitevidence.h>
#include <ProcessKit/resourcelimits.h>
#include <ProcessKit/stoppolicy.h>

#include <QtCore/qobject.h>

#include <memory>

namespace ProcessKit {

class ProcessGroupPrivate;

class PROCESSKIT_EXPORT ProcessGroup : public QObject
{
    Q_OBJECT
    Q_PROPERTY(ProcessKit::Mechanism mechanism READ mechanism NOTIFY mechanismChanged)
    Q_PROPERTY(bool empty READ isEmpty NOTIFY emptyChanged)
    Q_PROPERTY(bool suspended READ isSuspended NOTIFY suspendedChanged)
    Q_PROPERTY(std::chrono::milliseconds samplingInterval READ samplingInterval WRITE
                       setSamplingInterval NOTIFY samplingIntervalChanged)
    Q_PROPERTY(bool tracksMembers READ tracksMembers WRITE setTracksMembers NOTIFY
                       tracksMembersChanged)

public:
    explicit ProcessGroup(QObject *parent = nullptr);
    explicit ProcessGroup(Mechanism requested, QObject *parent = nullptr);
    ~ProcessGroup() override;

    ContainedProcess *start(const QString &program, const QStringList &arguments = {});
    ContainedProcess *start(const Command &command);
    QList<ContainedProcess *> startedProcesses() const;
    std::chrono::milliseconds samplingInterval() const;
    void setSamplingInterval(std::chrono::milliseconds interval);
    bool tracksMembers() const;
    void setTracksMembers(bool tracks);
    bool hearsOfForks() const;

    // thread-safe
    Mechanism mechanism() const;
    bool isEmpty() const;
    bool isSuspended() const;
    QList<ProcessInfo> members() const;
    GroupStats statistics() const;
    Expected<AdoptionReport> adopt(qint64 processId);
    ProcessError release(qint64 processId);
    ProcessError signal(int signal);
    ProcessError suspend();
    ProcessError resume();
    QFuture<ShutdownReport> shutdown(std::chrono::milliseconds grace = std::chrono::seconds(2));
    QFuture<ShutdownReport> stop(const StopPolicy &policy);
    bool waitForEmptied(int msecs = 30000);
    ResourceLimits limits() const;
    ProcessError updateLimits(const ResourceLimits &limits);
    LimitEvidence limitEvidence() const;
    ControllerSource controllerSource() const;

public Q_SLOTS:
    void kill();
    void terminate();

Q_SIGNALS:
    void processStarted(ProcessKit::ContainedProcess *process);
    void processExited(ProcessKit::ContainedProcess *process, int exitCode,
                       QProcess::ExitStatus exitStatus);
    void emptied();
    void emptyChanged(bool empty);
    void mechanismChanged(ProcessKit::Mechanism mechanism);
    void suspendedChanged(bool suspended);
    void samplingIntervalChanged(std::chrono::milliseconds interval);
    void statisticsSampled(const ProcessKit::GroupStats &statistics);
    void tracksMembersChanged(bool tracks);
    void memberAppeared(const ProcessKit::ProcessInfo &member);
    void memberGone(const ProcessKit::ProcessInfo &member);
    void limitReached(ProcessKit::ResourceLimits::Limit limit, qint64 times);
    void oomKilled(qint64 processes);
    void containmentLost(const ProcessKit::ProcessError &error);

protected:
    bool event(QEvent *event) override;
    void timerEvent(QTimerEvent *event) override;

private:
    Q_DISABLE_COPY_MOVE(ProcessGroup)
    ProcessError setSuspended(bool suspended);
    void tellEvidence();
    void tellMembers();
    friend class ContainedProcess;
    friend class GroupRunner;
    friend class ContainedProcessPrivate;
    std::unique_ptr<ProcessGroupPrivate> d;
};

} // namespace ProcessKit

#endif // PROCESSKIT_PROCESSGROUP_H
