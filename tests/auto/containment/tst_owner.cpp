// SPDX-License-Identifier: MIT
#include "cgroups.h"
#include "cleantest.h"
#include "ownerprocess.h"
#include "procfs.h"
#include "shapes.h"

#include <QtCore/qfile.h>
#include <QtCore/qscopeguard.h>

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace PkTest;
using namespace ProcessKit;

// An application ends, in whichever way: nothing that it started outlives it.
class tst_Owner : public CleanTest
{
    Q_OBJECT

private Q_SLOTS:
    void dies_data();
    void dies();
    void diesWhileStarting_data();
    void diesWhileStarting();
    void anotherSweeps();
    void leavesRecycledPidsAlone_data();
    void leavesRecycledPidsAlone();
    void closedDescriptors_data();
    void closedDescriptors();
    void livesInKilledCgroup();
    void startingThreadEnds_data();
    void startingThreadEnds();

private:
    void verifyNothingIsLeft(const std::vector<PidHandle> &members);
};

// after the keeper has gone, so has everything that it kept
void tst_Owner::verifyNothingIsLeft(const std::vector<PidHandle> &members)
{
    for (const PidHandle &member : members)
        QVERIFY2(member.waitGone(), qPrintable(QString::number(member.pid())));
    const QString alive = survivors();
    QVERIFY2(alive.isEmpty(), qPrintable(alive));
    const Report owner = reports().report("owner");
    const QStringList cgroups = applicationCgroups(owner.pid, owner.startTime);
    QVERIFY2(cgroups.isEmpty(), qPrintable(cgroups.join(QLatin1Char(' '))));
}

void tst_Owner::dies_data()
{
    QTest::addColumn<Mechanism>("mechanism");
    QTest::addColumn<QByteArray>("shapeName");
    QTest::addColumn<QByteArray>("how");
    QTest::addColumn<bool>("group");
    const auto add = [](Mechanism mechanism, const char *shape, const char *how, bool group) {
        QTest::addRow("%s %s %s%s", mechanismName(mechanism).constData(), shape, how,
                      group ? " group" : "")
                << mechanism << QByteArray(shape) << QByteArray(how) << group;
    };
    for (const char *how :
         { "SIGKILL", "exit", "_exit", "abort", "terminate", "segv", "return", "kill", "delete" }) {
        for (Mechanism mechanism : { Mechanism::CgroupV2, Mechanism::Subreaper }) {
            add(mechanism, "zoo", how, false);
            add(mechanism, "zoo", how, true);
        }
        add(Mechanism::ProcessGroup, "doublefork", how, false);
        add(Mechanism::ProcessGroup, "stopped", how, true);
    }
    for (Mechanism mechanism :
         { Mechanism::CgroupV2, Mechanism::Subreaper, Mechanism::ProcessGroup }) {
        for (const Shape &shape : shapes()) {
            if (mechanism != Mechanism::ProcessGroup || shape.leaving.isEmpty())
                add(mechanism, shape.name, "SIGKILL", false);
        }
    }
}

void tst_Owner::dies()
{
    QFETCH(Mechanism, mechanism);
    QFETCH(QByteArray, shapeName);
    QFETCH(QByteArray, how);
    QFETCH(bool, group);
    PK_REQUIRE_MECHANISM(mechanism);
    expectOrphans();

    OwnerProcess process(mechanism, how == "SIGKILL" ? "pause" : how);
    if (group)
        process.addOption("--group");
    process.start({ "tree", shapeName });
    QVERIFY(reports().waitFor(shapeNamed(shapeName).reports + QList<QByteArray>{ "started" }));
    const std::vector<PidHandle> members = reports().handles(); // the owner and its keeper too
    const Report owner = reports().report("owner");
    QVERIFY(reports().count("keeper") == 1);
    QCOMPARE(applicationCgroups(owner.pid, owner.startTime).isEmpty(),
             mechanism != Mechanism::CgroupV2);

    if (how == "SIGKILL")
        process.kill();
    else
        process.sendLine();
    if (how == "delete") {
        // the objects go first, then the application by the end of its input
        QVERIFY(reports().waitFor({ "deleted" }));
        process.closeInput();
    }
    verifyNothingIsLeft(members);
}

void tst_Owner::diesWhileStarting_data()
{
    addMechanismRows();
}

// Killed at each point of a series of starts: at the start of the application (0), which is while
// its keeper is being started, and after so many trees.
void tst_Owner::diesWhileStarting()
{
    QFETCH(Mechanism, mechanism);
    PK_REQUIRE_MECHANISM(mechanism);
    expectOrphans();
    const QByteArray shape = mechanism == Mechanism::ProcessGroup ? "doublefork" : "daemon";
    for (int point = 0; point < 40; ++point) {
        const int wanted = reports().count("main") + point % 10;
        const int owners = reports().count("owner");
        OwnerProcess process(mechanism, "pause");
        process.addOption("--count", "20");
        process.start({ "tree", shape });
        QVERIFY(reports().waitForCount("owner", owners + 1));
        QVERIFY(reports().waitForCount("main", wanted));
        process.kill();
        process.wait();
        const QString alive = survivors();
        QVERIFY2(alive.isEmpty(), qPrintable(alive));
        // its keeper, which may not have got as far as to be known, has then gone or is about to
        const Report owner = reports().lastReport("owner");
        QTRY_COMPARE_WITH_TIMEOUT(applicationCgroups(owner.pid, owner.startTime), QStringList(),
                                  Patience);
    }
}

// A keeper that starts sweeps what dead applications have left, while the keeper of one of those is
// doing the same: both come to their end.
void tst_Owner::anotherSweeps()
{
    PK_REQUIRE_MECHANISM(Mechanism::CgroupV2);
    expectOrphans();
    for (int round = 1; round <= 25; ++round) {
        OwnerProcess process(Mechanism::CgroupV2, "pause");
        process.addOption("--count", "4");
        process.start({ "tree", "flat" });
        QVERIFY(reports().waitForCount("started", round));
        QVERIFY(reports().waitForCount("last", 4 * round));
        const Report keeper = reports().lastReport("keeper");
        PidHandle handle(keeper.pid, keeper.startTime);
        OwnerProcess other(Mechanism::CgroupV2, "finish");
        other.addOption("--count", "3");
        other.start({ "exit" });
        process.kill();
        const bool ended = handle.waitGone();
        handle.end(); // its environment does not tell that it is ours
        QVERIFY2(ended, qPrintable(QStringLiteral("round %1").arg(round)));
        QVERIFY(other.wait());
        QCOMPARE(other.exitCode(), 0);
        const Report owner = reports().lastReport("owner");
        QTRY_COMPARE_WITH_TIMEOUT(applicationCgroups(owner.pid, owner.startTime), QStringList(),
                                  Patience);
    }
}

void tst_Owner::leavesRecycledPidsAlone_data()
{
    addMechanismRows();
}

// A process of the application has ended and something else has got its pid: the keeper, which
// has heard of the first, must not take the second for it.
void tst_Owner::leavesRecycledPidsAlone()
{
    QFETCH(Mechanism, mechanism);
    PK_REQUIRE_MECHANISM(mechanism);
    expectOrphans();
    OwnerProcess process(mechanism, "pause");
    process.start({ "bye" });
    QVERIFY(reports().waitFor({ "bye", "keeper" }));
    const qint64 pid = reports().report("bye").pid;
    const PidHandle keeper(reports().report("keeper").pid);
    QTRY_VERIFY_WITH_TIMEOUT(!procStat(pid), Patience);

    PidHandle victim = startWithPid(pid, reports().report("bye").startTime);
    if (victim.pid() < 0 && errno == EPERM)
        QSKIP("this user may not choose a pid");
    QCOMPARE(victim.pid(), pid);
    QVERIFY(reports().waitFor({ "paused" }));
    process.kill();
    QVERIFY(keeper.waitGone());
    QVERIFY(!victim.isGone());
    victim.end();
}

void tst_Owner::closedDescriptors_data()
{
    QTest::addColumn<QByteArray>("digits");
    QTest::addColumn<Mechanism>("mechanism");
    for (const char *digits : { "0", "1", "2", "01", "02", "12", "012" }) {
        for (Mechanism mechanism : { Mechanism::CgroupV2, Mechanism::Subreaper })
            QTest::addRow("%s %s", digits, mechanismName(mechanism).constData())
                    << QByteArray(digits) << mechanism;
    }
}

void tst_Owner::closedDescriptors()
{
    QFETCH(QByteArray, digits);
    QFETCH(Mechanism, mechanism);
    PK_REQUIRE_MECHANISM(mechanism);
    expectOrphans();
    OwnerProcess process(mechanism, "finish");
    process.addOption("--close", digits);
    process.addOption("--count", "3");
    process.start({ "stdio" });
    QVERIFY(process.wait());
    QCOMPARE(process.exitCode(), 0);
    QCOMPARE(reports().count("result"), 3);
    for (const Report &report : reports().reports()) {
        if (report.name != "result")
            continue;
        QVERIFY2(report.extra.startsWith("ok exit=0 status=NormalExit"), report.extra.constData());
        const auto output = report.extra.mid(report.extra.indexOf("output=") + 7).split('|');
        QCOMPARE(output.size(), 3);
        for (const QByteArray &target : output)
            QVERIFY2(target.startsWith("pipe:") || target.startsWith("socket:"),
                     target.constData());
        QVERIFY(output[0] != output[1] && output[1] != output[2] && output[0] != output[2]);
    }
}

// Linux 6.18 kills what is born from a cgroup that was killed once into one that was not: whoever
// manages services may have done that to the application's before it was started there.
void tst_Owner::livesInKilledCgroup()
{
    PK_REQUIRE_MECHANISM(Mechanism::CgroupV2);
    expectOrphans();
    const QString place = QStringLiteral("%1/pk-test-%2").arg(cgroupOf(getpid())).arg(getpid());
    const QByteArray path = QFile::encodeName(place);
    QCOMPARE(mkdir(path.constData(), 0755), 0);
    const auto remove = qScopeGuard([&] { rmdir(path.constData()); });
    QFile kill(place + QStringLiteral("/cgroup.kill"));
    QVERIFY(kill.open(QIODevice::WriteOnly | QIODevice::Unbuffered) && kill.write("1") == 1);

    OwnerProcess process(Mechanism::CgroupV2, "finish");
    process.setWrapper(QStringLiteral("/bin/sh"),
                       { QStringLiteral("-c"),
                         QStringLiteral("echo 0 >\"$0/cgroup.procs\" && exec \"$@\""), place });
    process.addOption("--count", "3");
    process.start({ "lines", "1" });
    QVERIFY(process.wait());
    const QByteArray output = process.output();
    QCOMPARE(output.count("result ok exit=0"), 3);
    QCOMPARE(process.exitCode(), 0);
    QTRY_VERIFY_WITH_TIMEOUT(cgroupsBelow(place).isEmpty() && !isPopulated(place), Patience);
}

void tst_Owner::startingThreadEnds_data()
{
    addMechanismRows();
}

void tst_Owner::startingThreadEnds()
{
    QFETCH(Mechanism, mechanism);
    PK_REQUIRE_MECHANISM(mechanism);
    expectOrphans();
    OwnerProcess process(mechanism, "pause");
    process.addOption("--thread");
    process.start({ "tree", "doublefork" });
    QVERIFY(reports().waitFor({ "main", "orphan", "started" }));
    const std::vector<PidHandle> members = reports().handles();
    for (const PidHandle &member : members)
        QVERIFY(!member.isGone());
    process.kill();
    verifyNothingIsLeft(members);
}

QTEST_GUILESS_MAIN(tst_Owner)
#include "tst_owner.moc"
