// SPDX-License-Identifier: MIT
#include "cgroups.h"
#include "cleantest.h"
#include "commands.h"
#include "procfs.h"

#include <ProcessKit/command.h>
#include <ProcessKit/processgroup.h>

#include <QtCore/qfile.h>
#include <QtTest/qsignalspy.h>

#include <signal.h>
#include <unistd.h>

using namespace PkTest;
using namespace ProcessKit;
using namespace std::chrono_literals;

// A group is told to do something, stands still, and is measured.
class tst_GroupControl : public CleanTest
{
    Q_OBJECT

private Q_SLOTS:
    void signalled_data();
    void signalled();
    void badSignals();
    void suspends_data();
    void suspends();
    void refusesStarts_data();
    void refusesStarts();
    void endsSuspended_data();
    void endsSuspended();
    void statistics_data();
    void statistics();
    void samples();
    void stops_data();
    void stops();
};

// whether an outsider sees it stand still
static bool standsStill(qint64 pid, Mechanism mechanism)
{
    if (mechanism != Mechanism::CgroupV2) {
        const auto stat = procStat(pid);
        return stat && stat->state == 'T';
    }
    QFile events(cgroupOf(pid) + QStringLiteral("/cgroup.events"));
    return events.open(QIODevice::ReadOnly | QIODevice::Unbuffered)
            && events.readAll().contains("frozen 1");
}

void tst_GroupControl::signalled_data()
{
    addMechanismRows();
}

void tst_GroupControl::signalled()
{
    QFETCH(Mechanism, mechanism);
    PK_REQUIRE_MECHANISM(mechanism);
    ProcessGroup group(mechanism);
    QList<ContainedProcess *> processes;
    for (int i = 0; i < 3; ++i) {
        processes.append(group.start(shell(QStringLiteral("trap 'echo told; exit 5' USR1; echo up; "
                                                          "while :; do read x; done"))
                                             .withInput(StdinSource::keptOpen())));
        QVERIFY(processes.last()->waitForReadyRead(Patience));
        processes.last()->readAll();
    }
    QVERIFY(!group.signal(SIGUSR1));
    for (ContainedProcess *process : std::as_const(processes)) {
        process->closeWriteChannel(); // ends the read that defers the trap
        if (process->state() != QProcess::NotRunning)
            QVERIFY(process->waitForFinished(Patience));
        QCOMPARE(process->exitCode(), 5);
        QCOMPARE(process->readAll(), "told\n");
    }
    QVERIFY(group.waitForEmptied(Patience));
}

void tst_GroupControl::badSignals()
{
    ProcessGroup group;
    QCOMPARE(group.signal(0).kind(), ProcessError::Kind::InvalidArgument);
    QCOMPARE(group.signal(NSIG).kind(), ProcessError::Kind::InvalidArgument);
    QVERIFY(!group.signal(SIGHUP)); // nobody is there to be told
}

void tst_GroupControl::suspends_data()
{
    addMechanismRows();
}

void tst_GroupControl::suspends()
{
    QFETCH(Mechanism, mechanism);
    PK_REQUIRE_MECHANISM(mechanism);
    ProcessGroup group(mechanism);
    QSignalSpy changes(&group, &ProcessGroup::suspendedChanged);
    ContainedProcess *process = group.start(shell(QStringLiteral("sleep 1000 & echo $!; wait")));
    QVERIFY(process->waitForReadyRead(Patience));
    const qint64 grandchild = process->readLine().trimmed().toLongLong();
    const qint64 pid = process->processId();
    QVERIFY(!group.suspend());
    QVERIFY(group.isSuspended());
    QVERIFY(!group.suspend()); // twice is once
    QTRY_VERIFY_WITH_TIMEOUT(standsStill(pid, mechanism), Patience);
    QTRY_VERIFY_WITH_TIMEOUT(standsStill(grandchild, mechanism), Patience);
    QTRY_COMPARE(changes.size(), 1);
    QVERIFY(!group.resume());
    QVERIFY(!group.isSuspended());
    QTRY_VERIFY_WITH_TIMEOUT(!standsStill(pid, mechanism), Patience);
    QTRY_VERIFY_WITH_TIMEOUT(!standsStill(grandchild, mechanism), Patience);
    QTRY_COMPARE(changes.size(), 2);
    group.kill();
    QVERIFY(group.waitForEmptied(Patience));
}

void tst_GroupControl::refusesStarts_data()
{
    addMechanismRows();
}

void tst_GroupControl::refusesStarts()
{
    QFETCH(Mechanism, mechanism);
    PK_REQUIRE_MECHANISM(mechanism);
    ProcessGroup group(mechanism);
    QVERIFY(!group.suspend());
    ContainedProcess *refused = group.start(QStringLiteral("true"));
    QVERIFY(!refused->waitForStarted(Patience));
    QCOMPARE(refused->failure().kind(), ProcessError::Kind::Suspended);
    QVERIFY(!group.resume());
    ContainedProcess *process = group.start(QStringLiteral("true"));
    QVERIFY(process->waitForFinished(Patience));
    QCOMPARE(process->exitCode(), 0);
    QVERIFY(group.waitForEmptied(Patience));
}

void tst_GroupControl::endsSuspended_data()
{
    addMechanismRows();
}

// shutdown() does not spend its grace on those who stand still, kill() reaches them
void tst_GroupControl::endsSuspended()
{
    QFETCH(Mechanism, mechanism);
    PK_REQUIRE_MECHANISM(mechanism);
    ProcessGroup group(mechanism);
    for (const bool kill : { false, true }) {
        ContainedProcess *process = group.start(helper(), { QStringLiteral("pause") });
        QVERIFY(process->waitForStarted(Patience));
        QVERIFY(!group.suspend());
        QTRY_VERIFY_WITH_TIMEOUT(standsStill(process->processId(), mechanism), Patience);
        if (kill) {
            group.kill();
            QVERIFY(group.waitForEmptied(Patience));
            QVERIFY(!group.resume());
        } else {
            const ShutdownReport report =
                    group.shutdown(std::chrono::milliseconds(Patience)).result();
            QVERIFY(report.empty);
            QVERIFY(!report.escalated);
            QVERIFY(!group.isSuspended());
        }
    }
}

void tst_GroupControl::statistics_data()
{
    addMechanismRows();
}

void tst_GroupControl::statistics()
{
    QFETCH(Mechanism, mechanism);
    PK_REQUIRE_MECHANISM(mechanism);
    ProcessGroup group(mechanism);
    QCOMPARE(group.statistics().mechanism, Mechanism::None);
    ContainedProcess *idle = group.start(helper(), { QStringLiteral("pause") });
    QVERIFY(idle->waitForStarted(Patience));
    ContainedProcess *busy = group.start(
            shell(QStringLiteral("i=0; while [ $i -lt 60000 ]; do i=$((i+1)); done; echo done; "
                                 "read x"))
                    .withInput(StdinSource::keptOpen()));
    QVERIFY(busy->waitForReadyRead(Patience));
    const GroupStats during = group.statistics();
    QCOMPARE(during.mechanism, mechanism);
    QCOMPARE(during.processes, 2);
    QVERIFY(during.memoryBytes.value_or(0) > 100000);
    QVERIFY(during.cpuTime());
    QVERIFY(*during.cpuTime() > 10ms);
    busy->closeWriteChannel();
    QVERIFY(busy->waitForFinished(Patience));
    const GroupStats after = group.statistics();
    QCOMPARE(after.processes, 1);
    if (mechanism != Mechanism::Subreaper) // whose keeper has reaped it
        QVERIFY(*after.cpuTime() > 10ms); // what has ended counts
    group.kill();
    QVERIFY(group.waitForEmptied(Patience));
    if (mechanism == Mechanism::CgroupV2)
        QVERIFY(*group.statistics().cpuTime() > 10ms);
}

void tst_GroupControl::samples()
{
    ProcessGroup group;
    QSignalSpy samples(&group, &ProcessGroup::statisticsSampled);
    QSignalSpy intervals(&group, &ProcessGroup::samplingIntervalChanged);
    group.setSamplingInterval(1ms);
    group.setSamplingInterval(1ms);
    QCOMPARE(intervals.size(), 1);
    QTRY_VERIFY_WITH_TIMEOUT(samples.size() >= 3, Patience);
    group.setSamplingInterval(-1ms);
    QCOMPARE(group.samplingInterval(), 0ms);
}

void tst_GroupControl::stops_data()
{
    addMechanismRows();
}

void tst_GroupControl::stops()
{
    QFETCH(Mechanism, mechanism);
    PK_REQUIRE_MECHANISM(mechanism);
    ProcessGroup group(mechanism);
    const auto start = [&group](const QString &ignored) {
        ContainedProcess *process = group.start(shell(
                QStringLiteral("trap '' %1; echo up; while :; do sleep 1000; done").arg(ignored)));
        return process->waitForReadyRead(Patience);
    };
    const auto patience = std::chrono::milliseconds(Patience);

    QVERIFY(start(QStringLiteral("INT")));
    ShutdownReport report =
            group.stop(StopPolicy().then(SIGINT, 20ms).then(SIGTERM, patience)).result();
    QCOMPARE(report.step, 1);
    QVERIFY(report.empty && !report.escalated);

    QVERIFY(start(QStringLiteral("INT TERM")));
    report = group.stop(StopPolicy().then(SIGINT, 20ms).then(SIGTERM, 20ms).sparing()).result();
    QCOMPARE(report.step, 1);
    QVERIFY(!report.empty && !report.escalated);
    QVERIFY(report.membersAfterGrace > 0);
    QVERIFY(!group.isEmpty());
    report = group.stop(StopPolicy::kill()).result();
    QCOMPARE(report.step, -1);
    QVERIFY(report.empty && report.escalated);
}

QTEST_GUILESS_MAIN(tst_GroupControl)
#include "tst_groupcontrol.moc"
