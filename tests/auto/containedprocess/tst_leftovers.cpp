// SPDX-License-Identifier: MIT
#include "cleantest.h"

#include <ProcessKit/containedprocess.h>

#include <QtTest/qsignalspy.h>

#include <signal.h>

using namespace PkTest;
using namespace ProcessKit;

// What is still alive when the direct child has exited.
class tst_Leftovers : public CleanTest
{
    Q_OBJECT

private Q_SLOTS:
    void lastWords_data();
    void lastWords();
    void quietHolder_data();
    void quietHolder();
    void talker();
    void killAtOnce();
    void leave();
    void leaveThenKill();
    void leaveThenDestroy();
    void reported();
    void noneToReport();
    void terminateReachesLeftovers();
    void changedWhileRunning();
    void exitedComesFirst();
};

static QStringList args(std::initializer_list<const char *> words)
{
    QStringList list;
    for (const char *word : words)
        list.append(QString::fromUtf8(word));
    return list;
}

void tst_Leftovers::lastWords_data()
{
    addMechanismRows();
}

// a grandchild writes 100 ms after its parent has exited
void tst_Leftovers::lastWords()
{
    QFETCH(Mechanism, mechanism);
    PK_REQUIRE_MECHANISM(mechanism);
    for (const bool lines : { false, true }) {
        ContainedProcess process;
        process.setRequestedMechanism(mechanism);
        QStringList seen;
        if (lines)
            connect(&process, &ContainedProcess::standardOutputLine, this,
                    [&](const QString &line) { seen += line; });
        QSignalSpy finished(&process, &ContainedProcess::finished);
        process.start(helper(), args({ "late", "100", "last words\\n" }));
        QVERIFY(finished.wait(Patience));
        QCOMPARE(process.exitCode(), 0);
        if (lines)
            QCOMPARE(seen, args({ "last words" }));
        else
            QCOMPARE(process.readAll(), "last words\n");
        QVERIFY(!process.streamsCut());
        QVERIFY(process.waitForTreeEmptied(Patience));
    }
}

void tst_Leftovers::quietHolder_data()
{
    addMechanismRows();
}

// one that keeps the streams and says nothing does not hold up the end
void tst_Leftovers::quietHolder()
{
    QFETCH(Mechanism, mechanism);
    PK_REQUIRE_MECHANISM(mechanism);
    ContainedProcess process;
    process.setRequestedMechanism(mechanism);
    QSignalSpy found(&process, &ContainedProcess::leftoversFound);
    process.start(helper(), args({ "hold" }));
    QVERIFY(process.waitForFinished(Patience));
    QVERIFY(process.waitForTreeEmptied(Patience));
    QTRY_COMPARE_WITH_TIMEOUT(found.count(), 1, Patience);
    QCOMPARE(process.exitCode(), 0);
    QVERIFY(process.streamsCut()); // it was not their own end
}

// output prolongs the drain, but not for ever
void tst_Leftovers::talker()
{
    ContainedProcess process;
    process.start(helper(), args({ "late", "50", "more\\n", "1000" }));
    QVERIFY(process.waitForFinished(Patience));
    QVERIFY(process.waitForTreeEmptied(Patience));
    const auto said = process.readAll().count('\n');
    QVERIFY2(said >= 3 && said < 1000, QByteArray::number(said).constData());
    QVERIFY(process.streamsCut());
}

void tst_Leftovers::killAtOnce()
{
    ContainedProcess process;
    process.setLeftovers(Leftovers::KillAtOnce);
    process.start(helper(), args({ "late", "5000", "too late\\n" }));
    QVERIFY(process.waitForFinished(Patience));
    QVERIFY(process.waitForTreeEmptied(Patience));
    QCOMPARE(process.readAll(), "");
}

void tst_Leftovers::leave()
{
    ContainedProcess process;
    process.setLeftovers(Leftovers::Leave);
    QSignalSpy emptied(&process, &ContainedProcess::treeEmptied);
    QSignalSpy exited(&process, &ContainedProcess::exited);
    QSignalSpy found(&process, &ContainedProcess::leftoversFound);
    process.start(helper(), args({ "tree", "daemon" }));
    QVERIFY(reports().waitFor({ "main", "daemon" }));
    process.closeWriteChannel();
    QVERIFY(process.waitForFinished(Patience));
    QCOMPARE(exited.count(), 1);
    QVERIFY(!process.isTreeEmpty());
    QVERIFY(!process.waitForTreeEmptied(1));
    QCOMPARE(emptied.count(), 0);
    const auto members = process.members();
    QCOMPARE(members.size(), 1);
    QCOMPARE(members[0].processId(), reports().report("daemon").pid);
    QTRY_COMPARE_WITH_TIMEOUT(found.count(), 1, Patience);

    // it ends by itself, and that is told
    PidHandle(members[0].processId()).sendSignal(SIGTERM);
    QVERIFY(emptied.count() || emptied.wait(Patience));
    QVERIFY(process.isTreeEmpty());
}

void tst_Leftovers::leaveThenKill()
{
    ContainedProcess process;
    process.setLeftovers(Leftovers::Leave);
    process.start(helper(), args({ "tree", "daemon", "now" }));
    QVERIFY(process.waitForFinished(Patience));
    QVERIFY(reports().waitFor({ "daemon" }));
    QVERIFY(!process.isTreeEmpty());
    process.kill();
    QVERIFY(process.waitForTreeEmptied(Patience));
    for (const PidHandle &member : reports().handles())
        QVERIFY(member.waitGone());
    QCOMPARE(process.exitStatus(), QProcess::NormalExit);
}

void tst_Leftovers::leaveThenDestroy()
{
    {
        ContainedProcess process;
        process.setLeftovers(Leftovers::Leave);
        process.start(helper(), args({ "tree", "daemon", "now" }));
        QVERIFY(process.waitForFinished(Patience));
        QVERIFY(reports().waitFor({ "daemon" }));
    }
    for (const PidHandle &member : reports().handles())
        QVERIFY(member.waitGone());
}

void tst_Leftovers::reported()
{
    ContainedProcess process;
    QSignalSpy found(&process, &ContainedProcess::leftoversFound);
    process.start(helper(), args({ "tree", "setsid" }));
    QVERIFY(reports().waitFor({ "main", "session" }));
    process.closeWriteChannel();
    QVERIFY(found.wait(Patience));
    QCOMPARE(found.count(), 1);
    const auto leftovers = found[0][0].value<QList<ProcessInfo>>();
    QCOMPARE(leftovers.size(), 1);
    QCOMPARE(leftovers[0].processId(), reports().report("session").pid);
    QCOMPARE(leftovers[0].startTicks(), reports().report("session").startTime);
    QCOMPARE(leftovers[0].name(), QStringLiteral("pk-helper"));
    QVERIFY(process.waitForTreeEmptied(Patience));
    QCOMPARE(found.count(), 1);
}

void tst_Leftovers::noneToReport()
{
    ContainedProcess process;
    QSignalSpy found(&process, &ContainedProcess::leftoversFound);
    for (int i = 0; i < 20; ++i) {
        process.start(helper(), args({ "lines", "10" }));
        QVERIFY(process.waitForFinished(Patience));
        QVERIFY(process.waitForTreeEmptied(Patience));
    }
    QCoreApplication::processEvents();
    QCOMPARE(found.count(), 0);
}

void tst_Leftovers::terminateReachesLeftovers()
{
    ContainedProcess process;
    process.setLeftovers(Leftovers::Leave);
    process.start(helper(), args({ "tree", "daemon", "now" }));
    QVERIFY(process.waitForFinished(Patience));
    QVERIFY(reports().waitFor({ "daemon" }));
    process.terminate();
    QVERIFY(process.waitForTreeEmptied(Patience));
}

void tst_Leftovers::changedWhileRunning()
{
    ContainedProcess process;
    process.start(helper(), args({ "tree", "daemon" }));
    QVERIFY(reports().waitFor({ "main", "daemon" }));
    process.setLeftovers(Leftovers::Leave);
    process.closeWriteChannel();
    QVERIFY(process.waitForFinished(Patience));
    QVERIFY(!process.waitForTreeEmptied(1));
    QVERIFY(!PidHandle(reports().report("daemon").pid).isGone());
}

void tst_Leftovers::exitedComesFirst()
{
    ContainedProcess process;
    QByteArrayList log;
    connect(&process, &ContainedProcess::exited, this, [&] {
        log += "exited";
        QCOMPARE(process.state(), QProcess::Running); // its streams are still open
    });
    connect(&process, &ContainedProcess::leftoversFound, this, [&] { log += "found"; });
    connect(&process, &ContainedProcess::finished, this, [&] { log += "finished"; });
    connect(&process, &ContainedProcess::treeEmptied, this, [&] { log += "emptied"; });
    process.start(helper(), args({ "late", "100", "word" }));
    QTRY_COMPARE_WITH_TIMEOUT(log.size(), 4, Patience);
    QCOMPARE(log.value(0), "exited");
    QCOMPARE(log.value(1), "found");
    QVERIFY(log.contains("finished"));
    QVERIFY(log.contains("emptied"));
    QCOMPARE(process.readAll(), "word");
}

QTEST_GUILESS_MAIN(tst_Leftovers)
#include "tst_leftovers.moc"
