// SPDX-License-Identifier: MIT
#include "cgroups.h"
#include "cleantest.h"
#include "ownerprocess.h"
#include "procfs.h"
#include "shapes.h"

#include <ProcessKit/processgroup.h>

#include <QtTest/qsignalspy.h>

#include <signal.h>
#include <unistd.h>

using namespace PkTest;
using namespace ProcessKit;

// What the library relies on is killed under it.
class tst_KeeperLoss : public CleanTest
{
    Q_OBJECT

private Q_SLOTS:
    void idleKeeper();
    void keeperWithGroups_data();
    void keeperWithGroups();
    void keeperThenOwner_data();
    void keeperThenOwner();
    void keeperAgainAndAgain_data();
    void keeperAgainAndAgain();
    void groupKeeper_data();
    void groupKeeper();
    void groupKeeperOfAGroup();
    void noKeeper_data();
    void noKeeper();
    void stoppedKeeper_data();
    void stoppedKeeper();
};

static void killKeeper(qint64 keeper)
{
    const PidHandle handle(keeper);
    handle.sendSignal(SIGKILL);
    QVERIFY(handle.waitGone());
}

static bool hasNewKeeper(qint64 old)
{
    const qint64 now = Containment::keeperProcessId();
    return now > 0 && now != old;
}

void tst_KeeperLoss::idleKeeper()
{
    const qint64 keeper = Containment::keeperProcessId();
    QVERIFY(keeper > 0);
    QCOMPARE(procStat(keeper)->parent, qint64(getpid()));
    killKeeper(keeper);
    ContainedProcess process;
    process.start(helper(), { QStringLiteral("exit"), QStringLiteral("3") });
    QVERIFY2(process.waitForFinished(Patience), qPrintable(process.failure().diagnostic()));
    QCOMPARE(process.exitCode(), 3);
    QTRY_VERIFY_WITH_TIMEOUT(hasNewKeeper(keeper), Patience);
}

void tst_KeeperLoss::keeperWithGroups_data()
{
    addMechanismRows();
}

void tst_KeeperLoss::keeperWithGroups()
{
    QFETCH(Mechanism, mechanism);
    PK_REQUIRE_MECHANISM(mechanism);
    const Shape &shape = shapeNamed(mechanism == Mechanism::ProcessGroup ? "doublefork" : "daemon");
    ContainedProcess process;
    process.setRequestedMechanism(mechanism);
    QSignalSpy lost(&process, &ContainedProcess::containmentLost);
    process.start(helper(), { QStringLiteral("tree"), QString::fromLatin1(shape.name) });
    QVERIFY(process.waitForStarted(Patience));
    QVERIFY(reports().waitFor(shape.reports));
    const std::vector<PidHandle> members = reports().handles();

    const qint64 keeper = Containment::keeperProcessId();
    killKeeper(keeper);
    QTRY_VERIFY_WITH_TIMEOUT(Containment::keeperProcessId() != keeper, Patience);
    // where nothing needs one at once, the next start brings it
    if (mechanism != Mechanism::Subreaper)
        QTRY_VERIFY_WITH_TIMEOUT(hasNewKeeper(keeper), Patience);

    // The group goes on: a Subreaper has its own group keeper, others are handed to the new one.
    QCOMPARE(lost.count(), 0);
    for (const PidHandle &member : members)
        QVERIFY(!member.isGone());
    QCOMPARE(process.state(), QProcess::Running);
    process.kill();
    QVERIFY(process.waitForTreeEmptied(Patience));
    for (const PidHandle &member : members)
        QVERIFY(member.waitGone());
}

void tst_KeeperLoss::keeperThenOwner_data()
{
    addMechanismRows();
}

static qint64 keeperOf(qint64 application, qint64 without)
{
    for (const ProcStat &child : childrenOf(application)) {
        if (child.isAlive() && child.pid != without && child.name.startsWith("processkit"))
            return child.pid;
    }
    return 0;
}

void tst_KeeperLoss::keeperThenOwner()
{
    QFETCH(Mechanism, mechanism);
    PK_REQUIRE_MECHANISM(mechanism);
    expectOrphans();
    const Shape &shape = shapeNamed(mechanism == Mechanism::ProcessGroup ? "doublefork" : "daemon");
    OwnerProcess process(mechanism, "pause");
    process.start({ "tree", shape.name });
    QVERIFY(reports().waitFor(shape.reports + QList<QByteArray>{ "started" }));
    const std::vector<PidHandle> members = reports().handles();
    const Report application = reports().report("owner");
    const qint64 keeper = reports().report("keeper").pid;
    QCOMPARE(keeperOf(application.pid, 0), keeper);
    killKeeper(keeper);
    // a start that goes through the new one comes after all that was said to it before
    process.sendLine();
    QVERIFY(reports().waitFor({ "again" }));
    QVERIFY(keeperOf(application.pid, keeper) > 0);
    const PidHandle second(keeperOf(application.pid, keeper));

    process.kill();
    for (const PidHandle &member : members)
        QVERIFY(member.waitGone());
    QVERIFY(second.waitGone());
    const QString alive = survivors();
    QVERIFY2(alive.isEmpty(), qPrintable(alive));
    QVERIFY(applicationCgroups(application.pid, application.startTime).isEmpty());
}

void tst_KeeperLoss::keeperAgainAndAgain_data()
{
    addMechanismRows();
}

// starts, each of which meets the death of the keeper at another moment
void tst_KeeperLoss::keeperAgainAndAgain()
{
    QFETCH(Mechanism, mechanism);
    PK_REQUIRE_MECHANISM(mechanism);
    for (int round = 0; round < 20; ++round) {
        ContainedProcess process;
        process.setRequestedMechanism(mechanism);
        if (round % 2)
            PidHandle(Containment::keeperProcessId()).sendSignal(SIGKILL);
        process.start(helper(), { QStringLiteral("tree"), QStringLiteral("none") });
        if (round % 2 == 0)
            PidHandle(Containment::keeperProcessId()).sendSignal(SIGKILL);
        // it has ended either way: by its input, by the loss of its container, or unstarted
        process.closeWriteChannel();
        if (process.waitForStarted(Patience))
            QVERIFY(process.state() == QProcess::NotRunning || process.waitForFinished(Patience));
        else
            QVERIFY2(process.failure(),
                     qPrintable(QStringLiteral("round %1, %2, exit %3: %4")
                                        .arg(round)
                                        .arg(process.state())
                                        .arg(process.exitCode())
                                        .arg(process.errorString())));
        QVERIFY(process.waitForTreeEmptied(Patience));
    }
    ContainedProcess last;
    last.setRequestedMechanism(mechanism);
    last.start(helper(), { QStringLiteral("exit") });
    QVERIFY2(last.waitForFinished(Patience), qPrintable(last.failure().diagnostic()));
    QTRY_VERIFY_WITH_TIMEOUT(procStat(Containment::keeperProcessId()).has_value(), Patience);
}

void tst_KeeperLoss::groupKeeper_data()
{
    QTest::addColumn<QByteArray>("shapeName");
    for (const char *shape : { "none", "daemon", "zoo", "sessionloop" })
        QTest::newRow(shape) << QByteArray(shape);
}

void tst_KeeperLoss::groupKeeper()
{
    QFETCH(QByteArray, shapeName);
    PK_REQUIRE_MECHANISM(Mechanism::Subreaper);
    const Shape &shape = shapeNamed(shapeName);
    ContainedProcess process;
    process.setRequestedMechanism(Mechanism::Subreaper);
    QSignalSpy lost(&process, &ContainedProcess::containmentLost);
    QSignalSpy finished(&process, &ContainedProcess::finished);
    QSignalSpy emptied(&process, &ContainedProcess::treeEmptied);
    process.start(helper(), { QStringLiteral("tree"), QString::fromLatin1(shapeName) });
    QVERIFY(reports().waitFor(shape.reports));
    const std::vector<PidHandle> members = reports().handles();
    const auto direct = procStat(process.processId());
    QVERIFY(direct.has_value());
    QVERIFY(direct->parent != getpid());
    const PidHandle keeper(direct->parent);
    QCOMPARE(procStat(direct->parent)->parent, Containment::keeperProcessId());
    keeper.sendSignal(SIGKILL);

    QVERIFY(lost.count() == 1 || lost.wait(Patience));
    const auto error = lost[0][0].value<ProcessKit::ProcessError>();
    QCOMPARE(error.kind(), ProcessKit::ProcessError::Kind::ContainmentLost);
    for (const PidHandle &member : members)
        QVERIFY2(member.waitGone(), qPrintable(QString::number(member.pid())));
    QTRY_COMPARE_WITH_TIMEOUT(emptied.count(), 1, Patience);
    QTRY_COMPARE_WITH_TIMEOUT(process.state(), QProcess::NotRunning, Patience);
    QCOMPARE(process.exitStatus(), QProcess::CrashExit);
    QCOMPARE(finished.count(), 1);
    QVERIFY(keeper.waitGone());
    const QString alive = survivors();
    QVERIFY2(alive.isEmpty(), qPrintable(alive));

    process.start(helper(), { QStringLiteral("exit"), QStringLiteral("4") });
    QVERIFY(process.waitForFinished(Patience));
    QCOMPARE(process.exitCode(), 4);
}

void tst_KeeperLoss::groupKeeperOfAGroup()
{
    PK_REQUIRE_MECHANISM(Mechanism::Subreaper);
    ProcessGroup group(Mechanism::Subreaper);
    QSignalSpy lost(&group, &ProcessGroup::containmentLost);
    QSignalSpy emptied(&group, &ProcessGroup::emptied);
    ContainedProcess *first =
            group.start(helper(), { QStringLiteral("tree"), QStringLiteral("daemon") });
    ContainedProcess *second =
            group.start(helper(), { QStringLiteral("tree"), QStringLiteral("setsid") });
    QVERIFY(reports().waitFor({ "main", "main", "daemon", "session" }));
    const std::vector<PidHandle> members = reports().handles();
    const qint64 keeper = procStat(first->processId())->parent;
    const qint64 other = procStat(second->processId())->parent;
    PidHandle(keeper).sendSignal(SIGKILL);
    if (other != keeper)
        PidHandle(other).sendSignal(SIGKILL);
    QVERIFY(lost.count() >= 1 || lost.wait(Patience));
    for (const PidHandle &member : members)
        QVERIFY(member.waitGone());
    QTRY_COMPARE_WITH_TIMEOUT(emptied.count(), 1, Patience);
    QVERIFY(group.isEmpty());
}

void tst_KeeperLoss::noKeeper_data()
{
    addMechanismRows();
}

// PROCESSKIT_KEEPER leads to nothing that can be run
void tst_KeeperLoss::noKeeper()
{
    QFETCH(Mechanism, mechanism);
    PK_REQUIRE_MECHANISM(mechanism);
    expectOrphans();
    for (const bool optional : { false, true }) {
        OwnerProcess process(mechanism, "finish");
        process.setEnvironmentEntry("PROCESSKIT_KEEPER", "/nonexistent/processkit-keeper");
        if (optional)
            process.addOption("--optional");
        process.start({ "exit", "3" });
        QVERIFY(process.wait());
        const QByteArray output = process.output();
        // a Subreaper is a keeper's child: it cannot do without
        if (optional && mechanism != Mechanism::Subreaper)
            QVERIFY2(output.contains("ok exit=3"), output.constData());
        else
            QVERIFY2(output.contains("error kind=Keeper"), output.constData());
    }
}

void tst_KeeperLoss::stoppedKeeper_data()
{
    addMechanismRows();
}

// a keeper that does not answer holds up neither a kill nor a destruction in this process
void tst_KeeperLoss::stoppedKeeper()
{
    QFETCH(Mechanism, mechanism);
    PK_REQUIRE_MECHANISM(mechanism);
    if (mechanism == Mechanism::Subreaper)
        QSKIP("a Subreaper's processes are its keeper's own");
    ContainedProcess process;
    process.setRequestedMechanism(mechanism);
    process.start(helper(), { QStringLiteral("tree"), QStringLiteral("doublefork") });
    QVERIFY(reports().waitFor({ "main", "orphan" }));
    const PidHandle keeper(Containment::keeperProcessId());
    keeper.sendSignal(SIGSTOP);
    process.kill();
    const bool emptied = process.waitForTreeEmptied(Patience);
    keeper.sendSignal(SIGCONT);
    QVERIFY(emptied);
}

QTEST_GUILESS_MAIN(tst_KeeperLoss)
#include "tst_keeperloss.moc"
