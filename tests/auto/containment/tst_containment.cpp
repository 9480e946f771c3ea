// SPDX-License-Identifier: MIT
#include "cgroups.h"
#include "cleantest.h"
#include "procfs.h"
#include "shapes.h"

#include <ProcessKit/containedprocess.h>

#include <QtTest/qsignalspy.h>

#include <errno.h>
#include <signal.h>
#include <unistd.h>

using namespace PkTest;
using namespace ProcessKit;
using namespace std::chrono_literals;

// Every shape that a tree can take, against every way in which it is ended, in every container.
class tst_Containment : public CleanTest
{
    Q_OBJECT

public:
    enum class End { Destroy, Kill, Shutdown, Exit, ExitAtOnce };
    Q_ENUM(End)

private Q_SLOTS:
    void query_data();
    void query();
    void tree_data();
    void tree();
    void defaultMechanism();
    void mechanismIsFixedByTheRequest();
    void terminateReachesTheWholeTree_data();
    void terminateReachesTheWholeTree();
    void membersAreListed_data();
    void membersAreListed();
    void recycledPid_data();
    void recycledPid();
    void detachedEscapes();
    void parallelTrees_data();
    void parallelTrees();
    void killTwice_data();
    void killTwice();

private:
    struct Ends
    {
        explicit Ends(ContainedProcess *process)
            : found(process, &ContainedProcess::leftoversFound),
              exited(process, &ContainedProcess::exited),
              finished(process, &ContainedProcess::finished),
              emptied(process, &ContainedProcess::treeEmptied)
        {
        }
        QSignalSpy found;
        QSignalSpy exited;
        QSignalSpy finished;
        QSignalSpy emptied;
    };
    void endTree(std::unique_ptr<ContainedProcess> &process, End end, const Shape &shape,
                 const Ends &ends);
    void verifyExit(ContainedProcess *process, End end, const Shape &shape, const Ends &ends);
};

void tst_Containment::query_data()
{
    addMechanismRows();
}

void tst_Containment::query()
{
    QFETCH(Mechanism, mechanism);
    const Containment answer = Containment::query(mechanism);
    if (answer.mechanism() != mechanism) {
        QVERIFY(!answer.reason().isEmpty());
        QSKIP(whyImpossible(mechanism).constData());
    }
    QVERIFY(answer.endsWithOwner());
    QCOMPARE(answer.holdsNewSessions(), mechanism != Mechanism::ProcessGroup);
    QVERIFY(answer.keeperSource() != Containment::KeeperSource::Unavailable);
    QCOMPARE(answer, Containment::query(mechanism));
    if (mechanism == Mechanism::CgroupV2)
        QVERIFY2(answer.location().startsWith(cgroupMount()), qPrintable(answer.location()));
}

void tst_Containment::tree_data()
{
    QTest::addColumn<Mechanism>("mechanism");
    QTest::addColumn<QByteArray>("shapeName");
    QTest::addColumn<End>("end");
    const auto ends = QMetaEnum::fromType<End>();
    for (Mechanism mechanism :
         { Mechanism::CgroupV2, Mechanism::Subreaper, Mechanism::ProcessGroup }) {
        for (const Shape &shape : shapes()) {
            for (int i = 0; i < ends.keyCount(); ++i) {
                const End end = End(ends.value(i));
                if (qstrcmp(shape.name, "main-stopped") == 0
                    && (end == End::Exit || end == End::ExitAtOnce))
                    continue; // stopped, it cannot exit
                if (mechanism == Mechanism::ProcessGroup && !shape.leaving.isEmpty()
                    && end == End::ExitAtOnce)
                    continue; // nobody knows whether it has left before the group is killed
                QTest::addRow("%s %s %s", mechanismName(mechanism).constData(), shape.name,
                              ends.key(i))
                        << mechanism << QByteArray(shape.name) << end;
            }
        }
    }
}

void tst_Containment::tree()
{
    QFETCH(Mechanism, mechanism);
    QFETCH(QByteArray, shapeName);
    QFETCH(End, end);
    PK_REQUIRE_MECHANISM(mechanism);
    const Shape &shape = shapeNamed(shapeName);

    auto process = std::make_unique<ContainedProcess>();
    process->setRequestedMechanism(mechanism);
    const Ends ends(process.get());
    process->start(helper(),
                   { QStringLiteral("tree"), QString::fromLatin1(shapeName),
                     end == End::ExitAtOnce ? QStringLiteral("now") : QStringLiteral("eof") });
    QVERIFY2(process->waitForStarted(Patience), qPrintable(process->failure().diagnostic()));
    QCOMPARE(process->mechanism(), mechanism);

    // A tree whose first process has gone may be ended before all of it has reported.
    std::vector<PidHandle> members;
    if (end != End::ExitAtOnce) {
        QVERIFY(reports().waitFor(shape.reports));
        const qint64 direct = process->processId();
        for (const Report &report : reports().reports()) {
            const bool leaves =
                    mechanism == Mechanism::ProcessGroup && shape.leaving.contains(report.name);
            if (report.name == "main")
                QCOMPARE(report.pid, direct);
            if (!leaves)
                members.emplace_back(report.pid, report.startTime);
        }
    }

    endTree(process, end, shape, ends);
    if (QTest::currentTestFailed())
        return;
    for (const PidHandle &member : members)
        QVERIFY2(member.waitGone(), qPrintable(QString::number(member.pid())));

    // What has left a process group is not promised to be ended; so the test does it;
    // loops end when they find no channel for reports.
    if (mechanism == Mechanism::ProcessGroup && !shape.leaving.isEmpty()) {
        QVERIFY(!Containment::query(mechanism).holdsNewSessions());
        reports().close();
        for (PidHandle &left : reports().handles())
            left.end();
        expectOrphans(); // and to reap it, as process 1
    }
    const QString alive = survivors();
    QVERIFY2(alive.isEmpty(), qPrintable(alive));
}

void tst_Containment::endTree(std::unique_ptr<ContainedProcess> &process, End end,
                              const Shape &shape, const Ends &ends)
{
    const Mechanism mechanism = process->mechanism();
    switch (end) {
    case End::Destroy:
        process.reset();
        break;
    case End::Kill:
        process->kill();
        QVERIFY(process->waitForTreeEmptied(Patience));
        QVERIFY(process->isTreeEmpty());
        QVERIFY(process->members().isEmpty());
        QVERIFY(process->waitForFinished(Patience) || process->state() == QProcess::NotRunning);
        QCOMPARE(process->exitStatus(), QProcess::CrashExit);
        break;
    case End::Shutdown: {
        // what obeys is waited for; what does not, or makes more all the time, is not
        const bool stubborn = shape.ignoresTerm || shape.endless;
        const ShutdownReport report = process->shutdown(stubborn ? 50ms : 60000ms).result();
        QCOMPARE(report.mechanism, mechanism);
        QVERIFY(report.empty);
        QCOMPARE(report.guaranteed, mechanism != Mechanism::ProcessGroup);
        if (shape.ignoresTerm) {
            QVERIFY(report.escalated);
            QVERIFY(report.membersAfterGrace >= 2);
            QVERIFY(report.elapsed >= 50ms);
        } else if (!shape.endless) {
            QVERIFY(!report.escalated);
            QCOMPARE(report.membersAfterGrace, 0);
        }
        if (mechanism != Mechanism::ProcessGroup && !shape.endless)
            QVERIFY(report.membersBefore >= shape.reports.size());
        QVERIFY(process->isTreeEmpty());
        break;
    }
    case End::Exit:
    case End::ExitAtOnce:
        process->closeWriteChannel();
        verifyExit(process.get(), end, shape, ends);
        break;
    }
}

void tst_Containment::verifyExit(ContainedProcess *process, End end, const Shape &shape,
                                 const Ends &ends)
{
    const Mechanism mechanism = process->mechanism();
    QTRY_COMPARE_WITH_TIMEOUT(ends.emptied.count(), 1, Patience);
    QTRY_COMPARE_WITH_TIMEOUT(ends.finished.count(), 1, Patience);
    QCOMPARE(ends.exited.count(), 1);
    QCOMPARE(process->exitCode(), 0);
    QCOMPARE(process->exitStatus(), QProcess::NormalExit);
    QVERIFY(process->isTreeEmpty());
    if (end == End::ExitAtOnce)
        return; // how much of the tree there was by then is a matter of chance

    // A list of what forks all the time is out of date at once; and a process group without a
    // parent in its session gets SIGHUP from the kernel if a member is stopped (POSIX).
    if (shape.endless
        || (mechanism == Mechanism::ProcessGroup && shape.reports.contains("stopping")))
        return;
    const bool onlyOutside = mechanism == Mechanism::ProcessGroup
            && shape.leaving.size() + 1 == shape.reports.size();
    const bool expected = shape.leftovers && !onlyOutside;
    QCOMPARE(ends.found.count(), expected ? 1 : 0);
    if (!expected)
        return;
    QList<qint64> pids;
    for (const ProcessInfo &info : ends.found[0][0].value<QList<ProcessInfo>>())
        pids.append(info.processId());
    const qint64 main = reports().report("main").pid;
    for (const Report &report : reports().reports()) {
        const bool outside =
                mechanism == Mechanism::ProcessGroup && shape.leaving.contains(report.name);
        if (report.pid != main && !outside)
            QVERIFY2(pids.contains(report.pid), report.name.constData());
    }
}

void tst_Containment::defaultMechanism()
{
    const Containment best = Containment::query();
    QVERIFY(best.mechanism() == Mechanism::CgroupV2 || best.mechanism() == Mechanism::Subreaper);
    QCOMPARE(best.mechanism() == Mechanism::CgroupV2, isPossible(Mechanism::CgroupV2));
    ContainedProcess process;
    QSignalSpy changed(&process, &ContainedProcess::mechanismChanged);
    process.start(helper(), { QStringLiteral("exit") });
    QVERIFY(process.waitForFinished(Patience));
    QCOMPARE(process.mechanism(), best.mechanism());
    QCOMPARE(changed.count(), 1);
}

void tst_Containment::mechanismIsFixedByTheRequest()
{
    ContainedProcess process;
    QCOMPARE(process.requestedMechanism(), Mechanism::None);
    process.setRequestedMechanism(Mechanism::JobObject);
    QCOMPARE(process.requestedMechanism(), Mechanism::JobObject);
    QSignalSpy errors(&process, &ContainedProcess::errorOccurred);
    process.start(helper(), { QStringLiteral("exit") });
    QVERIFY(!process.waitForStarted(Patience));
    QCOMPARE(process.error(), QProcess::FailedToStart);
    QCOMPARE(process.failure().kind(), ProcessKit::ProcessError::Kind::Unsupported);
    QCOMPARE(errors.count(), 1);
    QCOMPARE(process.state(), QProcess::NotRunning);
}

void tst_Containment::terminateReachesTheWholeTree_data()
{
    addMechanismRows();
}

void tst_Containment::terminateReachesTheWholeTree()
{
    QFETCH(Mechanism, mechanism);
    PK_REQUIRE_MECHANISM(mechanism);
    for (const char *shape : { "stopped", "flat", "main-stopped" }) {
        ContainedProcess process;
        process.setRequestedMechanism(mechanism);
        process.start(helper(), { QStringLiteral("tree"), QString::fromLatin1(shape) });
        QVERIFY(reports().waitFor(shapeNamed(shape).reports));
        process.terminate();
        QVERIFY(process.waitForTreeEmptied(Patience));
        QVERIFY(process.state() == QProcess::NotRunning || process.waitForFinished(Patience));
        QCOMPARE(process.exitStatus(), QProcess::CrashExit);
        QCOMPARE(process.exitCode(), SIGTERM);
        for (const PidHandle &member : reports().handles())
            QVERIFY(member.isGone());
    }
}

void tst_Containment::membersAreListed_data()
{
    addMechanismRows();
}

void tst_Containment::membersAreListed()
{
    QFETCH(Mechanism, mechanism);
    PK_REQUIRE_MECHANISM(mechanism);
    ContainedProcess process;
    process.setRequestedMechanism(mechanism);
    QVERIFY(process.members().isEmpty());
    QVERIFY(process.isTreeEmpty());
    process.start(helper(), { QStringLiteral("tree"), QStringLiteral("doublefork") });
    QVERIFY(reports().waitFor({ "main", "orphan" }));
    QVERIFY(!process.isTreeEmpty());

    const QList<ProcessInfo> members = process.members();
    QCOMPARE(members.size(), 2);
    for (const char *name : { "main", "orphan" }) {
        const Report report = reports().report(name);
        bool found = false;
        for (const ProcessInfo &info : members) {
            if (info.processId() != report.pid)
                continue;
            found = true;
            QCOMPARE(info.startTicks(), report.startTime);
            QCOMPARE(info.name(), QStringLiteral("pk-helper"));
            QVERIFY(info.isRunning());
            QVERIFY(info.startTime().isValid());
        }
        QVERIFY2(found, name);
    }
    process.kill();
    QVERIFY(process.waitForTreeEmptied(Patience));
    for (const ProcessInfo &info : members)
        QVERIFY(!info.isRunning());
}

void tst_Containment::recycledPid_data()
{
    addMechanismRows();
}

void tst_Containment::recycledPid()
{
    QFETCH(Mechanism, mechanism);
    PK_REQUIRE_MECHANISM(mechanism);
    ContainedProcess process;
    process.setRequestedMechanism(mechanism);
    process.start(helper(), { QStringLiteral("tree"), QStringLiteral("none") });
    QVERIFY(reports().waitFor({ "main" }));
    const qint64 pid = process.processId();
    const ProcessInfo info = process.members().value(0);
    QCOMPARE(info.processId(), pid);
    process.closeWriteChannel();
    QVERIFY(process.waitForFinished(Patience));
    QVERIFY(process.waitForTreeEmptied(Patience));
    QVERIFY2(!procStat(pid), "a process that is over still has its pid");

    PidHandle victim = startWithPid(pid, info.startTicks());
    if (victim.pid() < 0 && errno == EPERM)
        QSKIP("this user may not choose a pid");
    QCOMPARE(victim.pid(), pid);
    QVERIFY(reports().waitFor({ "paused" }));
    process.terminate();
    process.kill();
    const ShutdownReport report = process.shutdown(0ms).result();
    QVERIFY(report.empty);
    QCOMPARE(report.membersBefore, 0);
    QVERIFY(!info.isRunning());
    {
        // one more start and end: all that was asked for above has been done when it is over
        ContainedProcess other;
        other.setRequestedMechanism(mechanism);
        other.start(helper(), { QStringLiteral("exit") });
        QVERIFY(other.waitForFinished(Patience));
        QVERIFY(other.waitForTreeEmptied(Patience));
    }
    QVERIFY(!victim.isGone());
    const auto stat = procStat(pid);
    QVERIFY(stat && stat->isAlive());
    victim.end();
}

void tst_Containment::detachedEscapes()
{
    qint64 pid = 0;
    {
        ContainedProcess process;
        process.setProgram(helper());
        process.setArguments({ QStringLiteral("pause") });
        QVERIFY(process.startDetached(&pid));
    }
    QVERIFY(pid > 0);
    PidHandle escaped(pid);
    QVERIFY(reports().waitFor({ "paused" }));
    QCOMPARE(reports().report("paused").pid, pid);
    QVERIFY(!escaped.isGone());
    const auto stat = procStat(pid);
    QVERIFY(stat.has_value());
    QVERIFY(stat->parent != getpid() || getpid() == 1);
    QVERIFY(stat->session != getsid(0));
    escaped.end();
    expectOrphans();

    qint64 second = 0;
    QVERIFY(ContainedProcess::startDetached(helper(), { QStringLiteral("pause") },
                                            temporaryPath(QString()), &second));
    QVERIFY(reports().waitForCount("paused", 2));
    PidHandle(second).end();
}

void tst_Containment::parallelTrees_data()
{
    addMechanismRows();
}

// the end of one tree is the end of that one only
void tst_Containment::parallelTrees()
{
    QFETCH(Mechanism, mechanism);
    PK_REQUIRE_MECHANISM(mechanism);
    constexpr int Count = 8;
    std::vector<std::unique_ptr<ContainedProcess>> processes;
    for (int i = 0; i < Count; ++i) {
        auto process = std::make_unique<ContainedProcess>();
        process->setRequestedMechanism(mechanism);
        process->start(helper(), { QStringLiteral("tree"), QStringLiteral("doublefork") });
        processes.push_back(std::move(process));
    }
    QVERIFY(reports().waitForCount("main", Count));
    QVERIFY(reports().waitForCount("orphan", Count));
    for (int left = Count; left > 0; --left) {
        const QList<ProcessInfo> ended = processes.back()->members();
        QCOMPARE(ended.size(), 2);
        if (left % 2)
            processes.back()->kill();
        processes.pop_back();
        for (const ProcessInfo &info : ended)
            QVERIFY(PidHandle(info.processId(), info.startTicks()).waitGone());
        for (const auto &process : processes)
            QCOMPARE(process->members().size(), 2);
    }
}

void tst_Containment::killTwice_data()
{
    addMechanismRows();
}

void tst_Containment::killTwice()
{
    QFETCH(Mechanism, mechanism);
    PK_REQUIRE_MECHANISM(mechanism);
    ContainedProcess process;
    process.setRequestedMechanism(mechanism);
    process.kill(); // never started
    process.terminate();
    process.start(helper(), { QStringLiteral("tree"), QStringLiteral("flat") });
    QVERIFY(reports().waitFor({ "main", "last" }));
    process.kill();
    process.kill();
    process.terminate();
    QVERIFY(process.waitForTreeEmptied(Patience));
    process.kill();
    QVERIFY(process.state() == QProcess::NotRunning || process.waitForFinished(Patience));
    QCOMPARE(process.exitCode(), SIGKILL);
}

QTEST_GUILESS_MAIN(tst_Containment)
#include "tst_containment.moc"
