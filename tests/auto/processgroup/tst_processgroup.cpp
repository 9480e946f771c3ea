// SPDX-License-Identifier: MIT
#include "cgroups.h"
#include "cleantest.h"
#include "procfs.h"

#include <ProcessKit/processgroup.h>

#include <QtCore/qpointer.h>
#include <QtCore/qthread.h>
#include <QtTest/qsignalspy.h>

#include <signal.h>
#include <unistd.h>

using namespace PkTest;
using namespace ProcessKit;
using namespace std::chrono_literals;

// Several processes in one container.
class tst_ProcessGroup : public CleanTest
{
    Q_OBJECT

private Q_SLOTS:
    void empty();
    void start_data();
    void start();
    void startFails();
    void signalSequence_data();
    void signalSequence();
    void leftoversStay_data();
    void leftoversStay();
    void killOneOfThem_data();
    void killOneOfThem();
    void destroyOneOfThem_data();
    void destroyOneOfThem();
    void kill_data();
    void kill();
    void terminate_data();
    void terminate();
    void shutdown_data();
    void shutdown();
    void shutdownOfEmpty();
    void destroy_data();
    void destroy();
    void destroyInSlot_data();
    void destroyInSlot();
    void destroyWhileStarting_data();
    void destroyWhileStarting();
    void setGroup_data();
    void setGroup();
    void refillAfterEmptied_data();
    void refillAfterEmptied();
    void otherThreads_data();
    void otherThreads();
    void waitWithoutEventLoop();
    void processesAreListed_data();
    void processesAreListed();
    void groupsAreSeparate_data();
    void groupsAreSeparate();
    void impossibleMechanism();
};

static QStringList args(std::initializer_list<const char *> words)
{
    QStringList list;
    for (const char *word : words)
        list.append(QString::fromUtf8(word));
    return list;
}

void tst_ProcessGroup::empty()
{
    ProcessGroup group;
    QVERIFY(group.isEmpty());
    QVERIFY(group.members().isEmpty());
    QVERIFY(group.startedProcesses().isEmpty());
    QVERIFY(group.waitForEmptied(Patience));
    group.kill();
    group.terminate();
    QCOMPARE(group.property("empty").toBool(), true);
}

void tst_ProcessGroup::start_data()
{
    addMechanismRows();
}

void tst_ProcessGroup::start()
{
    QFETCH(Mechanism, mechanism);
    PK_REQUIRE_MECHANISM(mechanism);
    ProcessGroup group(mechanism);
    ContainedProcess *first = group.start(helper(), args({ "echo" }));
    QVERIFY(first);
    QVERIFY(!group.isEmpty()); // from the call on
    ContainedProcess *second = group.start(helper(), args({ "echo" }));
    QCOMPARE(first->parent(), &group);
    QCOMPARE(first->group(), &group);
    QCOMPARE(group.startedProcesses(), QList<ContainedProcess *>({ first, second }));
    QVERIFY(first->waitForStarted(Patience));
    QVERIFY(second->waitForStarted(Patience));
    QCOMPARE(group.mechanism(), mechanism);
    QCOMPARE(first->mechanism(), mechanism);
    first->write("one");
    second->write("two");
    first->closeWriteChannel();
    second->closeWriteChannel();
    QVERIFY(first->waitForFinished(Patience));
    QVERIFY(second->waitForFinished(Patience));
    QCOMPARE(first->readAll(), "one");
    QCOMPARE(second->readAll(), "two");
    QVERIFY(group.waitForEmptied(Patience));
    QVERIFY(group.isEmpty());
}

void tst_ProcessGroup::startFails()
{
    ProcessGroup group;
    QSignalSpy started(&group, &ProcessGroup::processStarted);
    ContainedProcess *process = group.start(QStringLiteral("/nonexistent"));
    QVERIFY(process);
    QVERIFY(!process->waitForStarted(Patience));
    QCOMPARE(process->failure().kind(), ProcessKit::ProcessError::Kind::NotFound);
    QVERIFY(group.waitForEmptied(Patience));
    QVERIFY(group.isEmpty());
    QCoreApplication::processEvents();
    QCOMPARE(started.count(), 0);
}

void tst_ProcessGroup::signalSequence_data()
{
    addMechanismRows();
}

void tst_ProcessGroup::signalSequence()
{
    QFETCH(Mechanism, mechanism);
    PK_REQUIRE_MECHANISM(mechanism);
    ProcessGroup group(mechanism);
    QByteArrayList log;
    ContainedProcess *process = nullptr;
    connect(&group, &ProcessGroup::processStarted, this, [&](ContainedProcess *which) {
        QCOMPARE(which, process);
        log += "started";
    });
    connect(&group, &ProcessGroup::processExited, this,
            [&](ContainedProcess *which, int code, QProcess::ExitStatus status) {
                QCOMPARE(which, process);
                QCOMPARE(code, 4);
                QCOMPARE(status, QProcess::NormalExit);
                log += "exited";
            });
    connect(&group, &ProcessGroup::emptied, this, [&] {
        QVERIFY(group.isEmpty());
        log += "emptied";
    });
    QSignalSpy changes(&group, &ProcessGroup::emptyChanged);
    process = group.start(helper(), args({ "exit", "4" }));
    QTRY_COMPARE_WITH_TIMEOUT(log, QByteArrayList({ "started", "exited", "emptied" }), Patience);
    QTRY_COMPARE_WITH_TIMEOUT(changes.count(), 2, Patience);
    QCOMPARE(changes[0][0].toBool(), false);
    QCOMPARE(changes[1][0].toBool(), true);
}

void tst_ProcessGroup::leftoversStay_data()
{
    addMechanismRows();
}

// in a shared group what a process leaves behind goes on, until the group ends
void tst_ProcessGroup::leftoversStay()
{
    QFETCH(Mechanism, mechanism);
    PK_REQUIRE_MECHANISM(mechanism);
    ProcessGroup group(mechanism);
    QSignalSpy emptied(&group, &ProcessGroup::emptied);
    ContainedProcess *process = group.start(helper(), args({ "tree", "doublefork", "now" }));
    QVERIFY(process->waitForFinished(Patience));
    QVERIFY(reports().waitFor({ "orphan" }));
    // other members come and go, longer than any drain of a private tree
    for (int i = 0; i < 3; ++i) {
        ContainedProcess *other = group.start(helper(), args({ "late", "100", "x" }));
        QVERIFY(other->waitForFinished(Patience));
        QVERIFY(other->waitForTreeEmptied(Patience));
    }
    const PidHandle orphan(reports().report("orphan").pid);
    QVERIFY(!orphan.isGone());
    QVERIFY(!group.isEmpty());
    QCOMPARE(emptied.count(), 0);
    QCOMPARE(group.members().size(), 1);
    group.kill();
    QVERIFY(group.waitForEmptied(Patience));
    QVERIFY(orphan.isGone());
    QTRY_COMPARE_WITH_TIMEOUT(emptied.count(), 1, Patience);
}

void tst_ProcessGroup::killOneOfThem_data()
{
    addMechanismRows();
}

// one member's whole tree, and nothing of the others
void tst_ProcessGroup::killOneOfThem()
{
    QFETCH(Mechanism, mechanism);
    PK_REQUIRE_MECHANISM(mechanism);
    ProcessGroup group(mechanism);
    ContainedProcess *first = group.start(helper(), args({ "tree", "doublefork" }));
    QVERIFY(reports().waitFor({ "main", "orphan" }));
    const std::vector<PidHandle> ofFirst = reports().handles();
    ContainedProcess *second = group.start(helper(), args({ "tree", "grandchild" }));
    QVERIFY(reports().waitFor({ "main", "main", "grandchild" }));
    QVERIFY(second->waitForStarted(Patience));
    first->kill();
    QVERIFY(first->waitForTreeEmptied(Patience));
    for (const PidHandle &member : ofFirst)
        QVERIFY(member.waitGone());
    QVERIFY(!group.isEmpty());
    QCOMPARE(group.members().size(), 2);
    QCOMPARE(second->members().size(), 2);
    QCOMPARE(second->state(), QProcess::Running);
    const ShutdownReport report = second->shutdown(60s).result();
    QVERIFY(report.empty);
    QCOMPARE(report.membersBefore, 2);
    QVERIFY(group.waitForEmptied(Patience));
}

void tst_ProcessGroup::destroyOneOfThem_data()
{
    addMechanismRows();
}

void tst_ProcessGroup::destroyOneOfThem()
{
    QFETCH(Mechanism, mechanism);
    PK_REQUIRE_MECHANISM(mechanism);
    ProcessGroup group(mechanism);
    ContainedProcess *first = group.start(helper(), args({ "tree", "doublefork" }));
    QVERIFY(reports().waitFor({ "main", "orphan" }));
    const std::vector<PidHandle> ofFirst = reports().handles();
    ContainedProcess *second = group.start(helper(), args({ "pause" }));
    QVERIFY(second->waitForStarted(Patience));
    delete first;
    QCOMPARE(group.startedProcesses(), QList<ContainedProcess *>({ second }));
    for (const PidHandle &member : ofFirst)
        QVERIFY(member.waitGone());
    QCOMPARE(second->state(), QProcess::Running);
    QCOMPARE(second->members().size(), 1);
}

void tst_ProcessGroup::kill_data()
{
    addMechanismRows();
}

void tst_ProcessGroup::kill()
{
    QFETCH(Mechanism, mechanism);
    PK_REQUIRE_MECHANISM(mechanism);
    ProcessGroup group(mechanism);
    QList<ContainedProcess *> processes;
    for (const char *shape : { "flat", "deep", "forkloop", "stopped", "ignore-term" })
        processes += group.start(helper(), args({ "tree", shape }));
    QVERIFY(reports().waitForCount("main", 5));
    QVERIFY(reports().waitFor({ "last", "deepest", "loop", "stopping", "deaf" }));
    group.kill();
    QVERIFY(group.waitForEmptied(Patience));
    QVERIFY(group.members().isEmpty());
    for (const PidHandle &member : reports().handles())
        QVERIFY(member.waitGone());
    for (ContainedProcess *process : processes) {
        QTRY_COMPARE_WITH_TIMEOUT(process->state(), QProcess::NotRunning, Patience);
        QCOMPARE(process->exitStatus(), QProcess::CrashExit);
        QCOMPARE(process->exitCode(), SIGKILL);
    }
}

void tst_ProcessGroup::terminate_data()
{
    addMechanismRows();
}

void tst_ProcessGroup::terminate()
{
    QFETCH(Mechanism, mechanism);
    PK_REQUIRE_MECHANISM(mechanism);
    ProcessGroup group(mechanism);
    ContainedProcess *polite = group.start(helper(), args({ "onterm", "8" }));
    ContainedProcess *tree = group.start(helper(), args({ "tree", "stopped" }));
    QVERIFY(reports().waitFor({ "ready", "main", "stopping", "below" }));
    group.terminate();
    QVERIFY(group.waitForEmptied(Patience));
    QVERIFY(polite->state() == QProcess::NotRunning || polite->waitForFinished(Patience));
    QCOMPARE(polite->exitCode(), 8);
    QVERIFY(tree->state() == QProcess::NotRunning || tree->waitForFinished(Patience));
    QCOMPARE(tree->exitCode(), SIGTERM);
}

void tst_ProcessGroup::shutdown_data()
{
    addMechanismRows();
}

void tst_ProcessGroup::shutdown()
{
    QFETCH(Mechanism, mechanism);
    PK_REQUIRE_MECHANISM(mechanism);
    ProcessGroup group(mechanism);
    group.start(helper(), args({ "tree", "flat" }));
    group.start(helper(), args({ "tree", "doublefork" }));
    QVERIFY(reports().waitFor({ "main", "main", "last", "orphan" }));
    QVERIFY(group.members().size() >= 67);
    ShutdownReport report = group.shutdown(60s).result();
    QCOMPARE(report.mechanism, mechanism);
    QCOMPARE(report.membersBefore, 67);
    QCOMPARE(report.membersAfterGrace, 0);
    QVERIFY(!report.escalated);
    QVERIFY(report.empty);
    QCOMPARE(report.guaranteed, mechanism != Mechanism::ProcessGroup);
    QVERIFY(report.elapsed > 0ns);
    QVERIFY(group.isEmpty());

    // one that obeys, two that do not
    for (const QStringList &arguments : { args({ "tree", "ignore-term" }), args({ "onterm" }) })
        QVERIFY(group.start(helper(), arguments)->waitForStarted(Patience)); // and is counted
    QVERIFY(reports().waitFor({ "deaf", "main", "main", "main", "ready" }));
    bool told = false;
    group.shutdown(50ms).then(this, [&](const ShutdownReport &result) {
        report = result;
        told = true;
    });
    QTRY_VERIFY_WITH_TIMEOUT(told, Patience);
    QCOMPARE(report.membersBefore, 3);
    QCOMPARE(report.membersAfterGrace, 2);
    QVERIFY(report.escalated);
    QVERIFY(report.empty);
    QVERIFY(report.elapsed >= 50ms);
}

void tst_ProcessGroup::shutdownOfEmpty()
{
    ProcessGroup group;
    const ShutdownReport report = group.shutdown(60s).result();
    QVERIFY(report.empty);
    QVERIFY(!report.escalated);
    QCOMPARE(report.membersBefore, 0);
}

void tst_ProcessGroup::destroy_data()
{
    addMechanismRows();
}

void tst_ProcessGroup::destroy()
{
    QFETCH(Mechanism, mechanism);
    PK_REQUIRE_MECHANISM(mechanism);
    QPointer<ContainedProcess> process;
    {
        ProcessGroup group(mechanism);
        process = group.start(helper(), args({ "tree", "stopped" }));
        group.start(helper(), args({ "tree", "doublefork", "now" }));
        group.start(helper(), args({ "tree", "ignore-term" }));
        QVERIFY(reports().waitFor({ "main", "main", "stopping", "orphan", "deaf" }));
    }
    QVERIFY(!process);
    for (const PidHandle &member : reports().handles())
        QVERIFY(member.waitGone());
}

void tst_ProcessGroup::destroyInSlot_data()
{
    QTest::addColumn<Mechanism>("mechanism");
    QTest::addColumn<QByteArray>("slot");
    for (Mechanism mechanism : { Mechanism::CgroupV2, Mechanism::Subreaper }) {
        for (const char *slot :
             { "processStarted", "processExited", "emptied", "emptyChanged", "member started",
               "member readyRead", "member finished", "member treeEmptied" }) {
            QTest::addRow("%s %s", mechanismName(mechanism).constData(), slot)
                    << mechanism << QByteArray(slot);
        }
    }
}

void tst_ProcessGroup::destroyInSlot()
{
    QFETCH(Mechanism, mechanism);
    QFETCH(QByteArray, slot);
    PK_REQUIRE_MECHANISM(mechanism);
    QPointer<ProcessGroup> group = new ProcessGroup(mechanism);
    const auto destroy = [&group] { delete group; };
    if (slot == "processStarted")
        connect(group, &ProcessGroup::processStarted, this, destroy);
    if (slot == "processExited")
        connect(group, &ProcessGroup::processExited, this, destroy);
    if (slot == "emptied")
        connect(group, &ProcessGroup::emptied, this, destroy);
    if (slot == "emptyChanged") {
        connect(group, &ProcessGroup::emptyChanged, this, [&](bool empty) {
            if (empty)
                delete group;
        });
    }
    group->start(helper(), args({ "tree", "doublefork" }));
    QVERIFY(reports().waitFor({ "main", "orphan" }));
    ContainedProcess *process = group->start(helper(), args({ "lines", "5" }));
    if (slot == "member started")
        connect(process, &ContainedProcess::started, this, destroy);
    if (slot == "member readyRead")
        connect(process, &ContainedProcess::readyRead, this, destroy);
    if (slot == "member finished")
        connect(process, &ContainedProcess::finished, this, destroy);
    if (slot == "member treeEmptied")
        connect(process, &ContainedProcess::treeEmptied, this, destroy);
    if (slot.startsWith("empt"))
        group->kill();
    QTRY_VERIFY_WITH_TIMEOUT(!group, Patience);
    for (const PidHandle &member : reports().handles())
        QVERIFY(member.waitGone());
}

void tst_ProcessGroup::destroyWhileStarting_data()
{
    addMechanismRows();
}

void tst_ProcessGroup::destroyWhileStarting()
{
    QFETCH(Mechanism, mechanism);
    PK_REQUIRE_MECHANISM(mechanism);
    for (int round = 0; round < 50; ++round) {
        ProcessGroup group(mechanism);
        for (int i = 0; i < round % 5 + 1; ++i)
            group.start(helper(), args({ "tree", "doublefork" }));
        if (round % 3 == 1)
            group.startedProcesses().constFirst()->waitForStarted(Patience);
        if (round % 3 == 2)
            QCoreApplication::processEvents();
        if (round % 4 == 3)
            group.kill();
    }
}

void tst_ProcessGroup::setGroup_data()
{
    addMechanismRows();
}

// a process that the program itself owns, in the group
void tst_ProcessGroup::setGroup()
{
    QFETCH(Mechanism, mechanism);
    PK_REQUIRE_MECHANISM(mechanism);
    auto group = std::make_unique<ProcessGroup>(mechanism);
    ContainedProcess process;
    process.setGroup(group.get());
    QCOMPARE(process.group(), group.get());
    QSignalSpy started(group.get(), &ProcessGroup::processStarted);
    QSignalSpy finished(&process, &ContainedProcess::finished);
    process.start(helper(), args({ "tree", "doublefork" }));
    QVERIFY(reports().waitFor({ "main", "orphan" }));
    QVERIFY(process.waitForStarted(Patience));
    QCOMPARE(process.mechanism(), mechanism);
    QCOMPARE(group->members().size(), 2);
    QTRY_COMPARE_WITH_TIMEOUT(started.count(), 1, Patience);
    group.reset();
    QCOMPARE(process.group(), nullptr);
    for (const PidHandle &member : reports().handles())
        QVERIFY(member.waitGone());
    QVERIFY(finished.count() || finished.wait(Patience));
    QCOMPARE(process.state(), QProcess::NotRunning);
    QCOMPARE(process.exitCode(), SIGKILL);

    // without a group it is a private tree again
    process.start(helper(), args({ "exit", "1" }));
    QVERIFY(process.waitForFinished(Patience));
    QCOMPARE(process.exitCode(), 1);
}

void tst_ProcessGroup::refillAfterEmptied_data()
{
    addMechanismRows();
}

void tst_ProcessGroup::refillAfterEmptied()
{
    QFETCH(Mechanism, mechanism);
    PK_REQUIRE_MECHANISM(mechanism);
    ProcessGroup group(mechanism);
    QSignalSpy emptied(&group, &ProcessGroup::emptied);
    for (int i = 1; i <= 20; ++i) {
        ContainedProcess *process = group.start(helper(), args({ "tree", "flat" }));
        QVERIFY(process->waitForStarted(Patience));
        if (i % 2)
            group.kill();
        else
            process->kill();
        QTRY_COMPARE_WITH_TIMEOUT(emptied.count(), i, Patience);
        QVERIFY(group.isEmpty());
        delete process;
    }
    QVERIFY(group.startedProcesses().isEmpty());
}

void tst_ProcessGroup::otherThreads_data()
{
    addMechanismRows();
}

// the thread-safe calls, all at once, while the owner's thread starts and destroys
void tst_ProcessGroup::otherThreads()
{
    QFETCH(Mechanism, mechanism);
    PK_REQUIRE_MECHANISM(mechanism);
    ProcessGroup group(mechanism);
    QAtomicInt stop = 0;
    QAtomicInt wrong = 0;
    std::vector<std::unique_ptr<QThread>> threads;
    const auto addThread = [&](auto work) {
        threads.emplace_back(QThread::create([&stop, work]() mutable {
            while (!stop.loadAcquire())
                work();
        }));
        threads.back()->start();
    };
    addThread([&] {
        // What is started after a kill is not meant by it, so it goes on killing; it asks for
        // the members in between, which takes as long as what was asked for before.
        group.kill();
        (void)group.members();
    });
    addThread([&] {
        (void)group.isEmpty();
        (void)group.mechanism();
        (void)group.waitForEmptied(1);
    });
    addThread([&] {
        for (const ProcessInfo &info : group.members())
            wrong.fetchAndAddOrdered(info.isNull() ? 1 : 0);
    });
    addThread([&, future = QFuture<ShutdownReport>()]() mutable {
        if (future.isFinished())
            future = group.shutdown(0ms);
    });
    // each look at the members of a process group reads all of /proc
    const int rounds = mechanism == Mechanism::ProcessGroup ? 8 : 30;
    for (int i = 0; i < rounds; ++i) {
        ContainedProcess *process = group.start(helper(), args({ "tree", "doublefork" }));
        if (i % 2)
            process->waitForFinished(Patience);
        delete process;
    }
    stop.storeRelease(1);
    for (const auto &thread : threads)
        QVERIFY(thread->wait(2 * Patience));
    QCOMPARE(wrong.loadAcquire(), 0);
}

void tst_ProcessGroup::waitWithoutEventLoop()
{
    bool emptied = false;
    ShutdownReport report;
    const std::unique_ptr<QThread> thread(QThread::create([&] {
        ProcessGroup group;
        group.start(helper(), args({ "onterm" }))->waitForReadyRead(Patience);
        report = group.shutdown(60s).result();
        group.start(helper(), args({ "exit" }));
        emptied = group.waitForEmptied(Patience);
    }));
    thread->start();
    QVERIFY(thread->wait(2 * Patience));
    QVERIFY(emptied);
    QVERIFY(report.empty);
    QVERIFY(!report.escalated);
}

void tst_ProcessGroup::processesAreListed_data()
{
    addMechanismRows();
}

void tst_ProcessGroup::processesAreListed()
{
    QFETCH(Mechanism, mechanism);
    PK_REQUIRE_MECHANISM(mechanism);
    ProcessGroup group(mechanism);
    group.start(helper(), args({ "tree", "doublefork" }));
    group.start(helper(), args({ "pause" }));
    QVERIFY(reports().waitFor({ "main", "orphan", "paused" }));
    QList<qint64> pids;
    for (const ProcessInfo &info : group.members()) {
        pids.append(info.processId());
        const auto stat = procStat(info.processId());
        QVERIFY(stat.has_value());
        QCOMPARE(info.startTicks(), stat->startTime);
        QCOMPARE(info.parentProcessId(), stat->parent);
    }
    QCOMPARE(pids.size(), 3);
    for (const char *name : { "main", "orphan", "paused" })
        QVERIFY(pids.contains(reports().report(name).pid));
}

void tst_ProcessGroup::groupsAreSeparate_data()
{
    addMechanismRows();
}

void tst_ProcessGroup::groupsAreSeparate()
{
    QFETCH(Mechanism, mechanism);
    PK_REQUIRE_MECHANISM(mechanism);
    ProcessGroup first(mechanism);
    ProcessGroup second(mechanism);
    first.start(helper(), args({ "tree", "doublefork" }));
    second.start(helper(), args({ "tree", "doublefork" }));
    QVERIFY(reports().waitForCount("main", 2));
    QVERIFY(reports().waitForCount("orphan", 2));
    first.kill();
    QVERIFY(first.waitForEmptied(Patience));
    QVERIFY(!second.isEmpty());
    QCOMPARE(second.members().size(), 2);
}

void tst_ProcessGroup::impossibleMechanism()
{
    ProcessGroup group(Mechanism::JobObject);
    ContainedProcess *process = group.start(helper(), args({ "exit" }));
    QVERIFY(process);
    QVERIFY(!process->waitForStarted(Patience));
    QCOMPARE(process->failure().kind(), ProcessKit::ProcessError::Kind::Unsupported);
    QVERIFY(group.isEmpty());
}

QTEST_GUILESS_MAIN(tst_ProcessGroup)
#include "tst_processgroup.moc"
