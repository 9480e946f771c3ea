// SPDX-License-Identifier: MIT
#include "cgroups.h"
#include "cleantest.h"
#include "procfs.h"

#include <ProcessKit/processgroup.h>

#include <QtCore/qthread.h>
#include <QtTest/qsignalspy.h>

#include <signal.h>
#include <unistd.h>

using namespace PkTest;
using namespace ProcessKit;
using namespace std::chrono_literals;

// What happens when things happen at the same time, and many times.
class tst_LaunchStress : public CleanTest
{
    Q_OBJECT

private Q_SLOTS:
    void thousandStarts_data();
    void thousandStarts();
    void startRacesDestruction_data();
    void startRacesDestruction();
    void exitRacesKill_data();
    void exitRacesKill();
    void exitRacesDestruction_data();
    void exitRacesDestruction();
    void manyAtOnce_data();
    void manyAtOnce();
    void manyThreads_data();
    void manyThreads();
    void treeOfAThousand_data();
    void treeOfAThousand();
};

void tst_LaunchStress::thousandStarts_data()
{
    addMechanismRows();
}

void tst_LaunchStress::thousandStarts()
{
    QFETCH(Mechanism, mechanism);
    PK_REQUIRE_MECHANISM(mechanism);
    const auto self = procStat(getpid());
    const qsizetype before = openDescriptors(getpid()).size();
    for (int i = 0; i < 1000; ++i) {
        ContainedProcess process;
        process.setRequestedMechanism(mechanism);
        process.start(helper(), { QStringLiteral("exit"), QString::number(i % 256) });
        QVERIFY2(process.waitForFinished(Patience), qPrintable(process.failure().diagnostic()));
        QCOMPARE(process.exitCode(), i % 256);
        if (i % 100 == 99) {
            // what is still being tidied up belongs to the latest few
            const qsizetype now = openDescriptors(getpid()).size();
            QVERIFY2(now < before + 60, QByteArray::number(now).constData());
            for (const QString &root : applicationCgroups(self->pid, self->startTime))
                QVERIFY(cgroupsBelow(root).size() < 30);
        }
    }
}

void tst_LaunchStress::startRacesDestruction_data()
{
    addMechanismRows();
}

void tst_LaunchStress::startRacesDestruction()
{
    QFETCH(Mechanism, mechanism);
    PK_REQUIRE_MECHANISM(mechanism);
    const QString shape = mechanism == Mechanism::ProcessGroup ? QStringLiteral("doublefork")
                                                               : QStringLiteral("daemon");
    for (int round = 0; round < 200; ++round) {
        auto process = std::make_unique<ContainedProcess>();
        process->setRequestedMechanism(mechanism);
        process->start(helper(), { QStringLiteral("tree"), shape });
        // a different amount of work between the start and the end in each round
        if (round % 4 == 1)
            process->write(QByteArray(round * 100, 'x'));
        if (round % 4 == 2)
            process->waitForStarted(0);
        if (round % 4 == 3)
            process->waitForStarted(Patience);
        if (round % 8 >= 4)
            QCoreApplication::processEvents();
        if (round % 3 == 1)
            process->kill();
        if (round % 3 == 2)
            (void)process->shutdown(0ms);
        process.reset();
    }
}

void tst_LaunchStress::exitRacesKill_data()
{
    addMechanismRows();
}

// whichever comes first is the outcome, told once
void tst_LaunchStress::exitRacesKill()
{
    QFETCH(Mechanism, mechanism);
    PK_REQUIRE_MECHANISM(mechanism);
    for (int round = 0; round < 200; ++round) {
        ContainedProcess process;
        process.setRequestedMechanism(mechanism);
        QSignalSpy exited(&process, &ContainedProcess::exited);
        QSignalSpy finished(&process, &ContainedProcess::finished);
        QSignalSpy emptied(&process, &ContainedProcess::treeEmptied);
        process.start(helper(), { QStringLiteral("exit"), QStringLiteral("5") });
        if (round % 2)
            QVERIFY(process.waitForStarted(Patience));
        if (round % 4 == 3)
            process.terminate();
        process.kill();
        if (process.state() != QProcess::NotRunning)
            QVERIFY2(process.waitForFinished(Patience),
                     qPrintable(QStringLiteral("round %1: state %2, %3")
                                        .arg(round)
                                        .arg(process.state())
                                        .arg(process.failure().diagnostic())));
        QVERIFY(process.waitForTreeEmptied(Patience));
        QTRY_COMPARE_WITH_TIMEOUT(emptied.count(), 1, Patience);
        QCOMPARE(finished.count(), 1);
        QCOMPARE(exited.count(), 1);
        if (process.exitStatus() == QProcess::NormalExit)
            QCOMPARE(process.exitCode(), 5);
        else
            QVERIFY(process.exitCode() == SIGKILL || process.exitCode() == SIGTERM);
    }
}

void tst_LaunchStress::exitRacesDestruction_data()
{
    addMechanismRows();
}

void tst_LaunchStress::exitRacesDestruction()
{
    QFETCH(Mechanism, mechanism);
    PK_REQUIRE_MECHANISM(mechanism);
    for (int round = 0; round < 200; ++round) {
        ContainedProcess process;
        process.setRequestedMechanism(mechanism);
        process.start(helper(), { QStringLiteral("late"), QStringLiteral("0") });
        if (round % 2)
            QVERIFY(process.waitForStarted(Patience));
        if (round % 4 == 3)
            QVERIFY(process.waitForReadyRead(Patience));
    }
}

void tst_LaunchStress::manyAtOnce_data()
{
    addMechanismRows();
}

void tst_LaunchStress::manyAtOnce()
{
    QFETCH(Mechanism, mechanism);
    PK_REQUIRE_MECHANISM(mechanism);
    constexpr int Count = 60;
    std::vector<std::unique_ptr<ContainedProcess>> processes;
    int finished = 0;
    for (int i = 0; i < Count; ++i) {
        auto process = std::make_unique<ContainedProcess>();
        process->setRequestedMechanism(mechanism);
        connect(process.get(), &ContainedProcess::finished, this, [&] { ++finished; });
        process->start(helper(), { QStringLiteral("echo") });
        process->write("number " + QByteArray::number(i));
        process->closeWriteChannel();
        processes.push_back(std::move(process));
    }
    QTRY_COMPARE_WITH_TIMEOUT(finished, Count, Patience);
    for (int i = 0; i < Count; ++i) {
        QCOMPARE(processes[size_t(i)]->readAllStandardOutput(), "number " + QByteArray::number(i));
        QCOMPARE(processes[size_t(i)]->exitCode(), 0);
    }
}

void tst_LaunchStress::manyThreads_data()
{
    addMechanismRows();
}

void tst_LaunchStress::manyThreads()
{
    QFETCH(Mechanism, mechanism);
    PK_REQUIRE_MECHANISM(mechanism);
    QAtomicInt right = 0;
    std::vector<std::unique_ptr<QThread>> threads;
    for (int t = 0; t < 8; ++t) {
        threads.emplace_back(QThread::create([&right, mechanism] {
            for (int i = 0; i < 25; ++i) {
                ContainedProcess process;
                process.setRequestedMechanism(mechanism);
                process.start(helper(), { QStringLiteral("lines"), QString::number(i + 1) });
                if (process.waitForFinished(Patience)
                    && process.readAllStandardOutput().count('\n') == i + 1)
                    right.fetchAndAddOrdered(1);
            }
        }));
        threads.back()->start();
    }
    for (const auto &thread : threads)
        QVERIFY(thread->wait());
    QCOMPARE(right.loadAcquire(), 8 * 25);
}

void tst_LaunchStress::treeOfAThousand_data()
{
    addMechanismRows();
}

void tst_LaunchStress::treeOfAThousand()
{
    QFETCH(Mechanism, mechanism);
    PK_REQUIRE_MECHANISM(mechanism);
    ProcessGroup group(mechanism);
    for (int i = 0; i < 15; ++i)
        QVERIFY(group.start(helper(), { QStringLiteral("tree"), QStringLiteral("flat") }));
    QVERIFY(reports().waitForCount("main", 15));
    QVERIFY(reports().waitForCount("last", 15));
    QCOMPARE(group.members().size(), 15 * 65);
    group.kill();
    QVERIFY(group.waitForEmptied(Patience));
    QVERIFY(group.members().isEmpty());
}

QTEST_GUILESS_MAIN(tst_LaunchStress)
#include "tst_launchstress.moc"
