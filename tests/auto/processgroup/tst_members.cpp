// SPDX-License-Identifier: MIT
#include "cgroups.h"
#include "cleantest.h"
#include "commands.h"
#include "procfs.h"

#include <ProcessKit/command.h>
#include <ProcessKit/processgroup.h>

#include <QtTest/qsignalspy.h>

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace PkTest;
using namespace ProcessKit;
using namespace std::chrono_literals;

using Kind = ProcessError::Kind;

// Who is in a group is told, and others are taken in and let go.
class tst_Members : public CleanTest
{
    Q_OBJECT

private Q_SLOTS:
    void comeAndGo_data();
    void comeAndGo();
    void manyThatComeAndGo();
    void adopts();
    void adoptsWholeTrees();
    void adoptedEndByThemselves();
    void refusesToAdopt();
    void refusesWithoutCgroup_data();
    void refusesWithoutCgroup();
    void releases();
    void refusesToRelease();
};

// the pids that a signal has told of
static QList<qint64> pidsOf(const QSignalSpy &spy)
{
    QList<qint64> pids;
    for (const QList<QVariant> &arguments : spy)
        pids.append(arguments.first().value<ProcessInfo>().processId());
    return pids;
}

// A child of this test's that the library does not know of, with a child of its own. Both have
// reported themselves when it returns; 0 when they have not.
static pid_t startOutside(ReportChannel *reports, const QByteArrayList &arguments, int expected)
{
    const int before = reports->reports().size();
    const pid_t pid = ::fork();
    if (pid == 0) {
        int ends[2]; // an input without end: it holds the other side itself
        if (::pipe(ends) == 0)
            ::dup2(ends[0], STDIN_FILENO);
        const QByteArray program = helper().toLocal8Bit();
        std::vector<char *> argv{ const_cast<char *>(program.constData()) };
        for (const QByteArray &argument : arguments)
            argv.push_back(const_cast<char *>(argument.constData()));
        argv.push_back(nullptr);
        ::execv(argv[0], argv.data());
        ::_exit(127);
    }
    QElapsedTimer timer;
    timer.start();
    while (reports->reports().size() < before + expected) {
        if (timer.hasExpired(Patience))
            return 0;
        QTest::qWait(1); // the channel has no event of its own
    }
    return pid;
}

static void endOutside(pid_t pid)
{
    ::kill(pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
}

void tst_Members::comeAndGo_data()
{
    addMechanismRows();
}

void tst_Members::comeAndGo()
{
    QFETCH(Mechanism, mechanism);
    PK_REQUIRE_MECHANISM(mechanism);
    ProcessGroup group(mechanism);
    QSignalSpy appeared(&group, &ProcessGroup::memberAppeared);
    QSignalSpy gone(&group, &ProcessGroup::memberGone);
    QSignalSpy emptied(&group, &ProcessGroup::emptied);
    group.setTracksMembers(true);
    QVERIFY(group.tracksMembers());
    group.setSamplingInterval(50ms); // for kernels that do not tell of forks
    ContainedProcess *process = group.start(helperShell(
            QStringLiteral("pk-helper pause & echo $!; wait; echo alone; exec pk-helper pause")));
    QVERIFY(process->waitForStarted(Patience));
    QVERIFY(process->waitForReadyRead(Patience));
    const qint64 second = process->readLine().trimmed().toLongLong();
    QTRY_VERIFY_WITH_TIMEOUT(pidsOf(appeared).contains(second), Patience);
    QVERIFY(pidsOf(appeared).contains(process->processId()));
    const QList<ProcessInfo> members = group.members();
    const auto info = std::find_if(members.begin(), members.end(), [&](const ProcessInfo &member) {
        return member.processId() == second;
    });
    QVERIFY(info != members.end());
    const QStringList words{ helper(), QStringLiteral("pause") }; // the shell's, until it executes
    QTRY_COMPARE_WITH_TIMEOUT(info->readCommandLine(), words, Patience);
    QCOMPARE(gone.count(), 0);

    ::kill(pid_t(second), SIGKILL);
    QTRY_COMPARE_WITH_TIMEOUT(pidsOf(gone), QList<qint64>{ second }, Patience);
    QCOMPARE(emptied.count(), 0);
    group.kill();
    QTRY_COMPARE_WITH_TIMEOUT(emptied.count(), 1, Patience);
    QCOMPARE(gone.count(), 2); // told before the group's end

    group.setTracksMembers(false);
    appeared.clear();
    QVERIFY(group.start(helperCommand({ QStringLiteral("pause") }))->waitForStarted(Patience));
    group.kill();
    QTRY_COMPARE_WITH_TIMEOUT(emptied.count(), 2, Patience);
    QCOMPARE(appeared.count(), 0);
}

// Whoever was told of as come is told of as gone.
void tst_Members::manyThatComeAndGo()
{
    ProcessGroup group;
    QSignalSpy appeared(&group, &ProcessGroup::memberAppeared);
    QSignalSpy gone(&group, &ProcessGroup::memberGone);
    QSignalSpy emptied(&group, &ProcessGroup::emptied);
    group.setTracksMembers(true);
    group.setSamplingInterval(50ms);
    ContainedProcess *process = group.start(helperShell(
            QStringLiteral("for i in 1 2 3 4 5 6 7 8 9 10; do pk-helper pause & done; wait")));
    QTRY_COMPARE_WITH_TIMEOUT(appeared.count(), 11, Patience);
    QCOMPARE(gone.count(), 0);
    process->kill();
    QTRY_COMPARE_WITH_TIMEOUT(emptied.count(), 1, Patience);
    QList<qint64> came = pidsOf(appeared);
    QList<qint64> went = pidsOf(gone);
    std::sort(came.begin(), came.end());
    std::sort(went.begin(), went.end());
    QCOMPARE(went, came);
}

void tst_Members::adopts()
{
    PK_REQUIRE_MECHANISM(Mechanism::CgroupV2);
    const pid_t pid = startOutside(&reports(), { "tree", "grandchild" }, 2);
    QVERIFY(pid);
    {
        ProcessGroup group;
        QSignalSpy emptied(&group, &ProcessGroup::emptied);
        const Expected<AdoptionReport> report = group.adopt(pid);
        if (!report && report.error().kind() == Kind::PermissionDenied) {
            group.kill();
            endOutside(pid);
            QSKIP("this user may not move the processes of this host");
        }
        QVERIFY2(report, qPrintable(report.error().diagnostic()));
        QCOMPARE(report->adopted.size(), 2);
        QVERIFY(report->leftOutside.isEmpty());
        QVERIFY(!group.isEmpty());
        QCOMPARE(group.members().size(), 2);
        QVERIFY(!group.signal(SIGCONT));

        const Expected<AdoptionReport> again = group.adopt(pid);
        QVERIFY(again);
        QVERIFY(again->adopted.isEmpty());

        group.kill();
        QVERIFY(group.waitForEmptied(Patience));
        QTRY_COMPARE_WITH_TIMEOUT(emptied.count(), 1, Patience);
    }
    int status = 0;
    QCOMPARE(::waitpid(pid, &status, 0), pid); // it was our child all the time
    QVERIFY(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

// What descends from it comes along.
void tst_Members::adoptsWholeTrees()
{
    PK_REQUIRE_MECHANISM(Mechanism::CgroupV2);
    const pid_t pid = startOutside(&reports(), { "tree", "deep" }, 2);
    QVERIFY(pid);
    ProcessGroup group;
    const Expected<AdoptionReport> report = group.adopt(pid);
    if (!report && report.error().kind() == Kind::PermissionDenied) {
        for (PidHandle &handle : reports().handles())
            handle.end();
        endOutside(pid);
        QSKIP("this user may not move the processes of this host");
    }
    QVERIFY2(report, qPrintable(report.error().diagnostic()));
    QCOMPARE(report->adopted.size(), 17);
    group.kill();
    QVERIFY(group.waitForEmptied(Patience));
    QCOMPARE(::waitpid(pid, nullptr, 0), pid);
}

void tst_Members::adoptedEndByThemselves()
{
    PK_REQUIRE_MECHANISM(Mechanism::CgroupV2);
    const pid_t pid = startOutside(&reports(), { "tree", "none" }, 1);
    QVERIFY(pid);
    ProcessGroup group;
    QSignalSpy gone(&group, &ProcessGroup::memberGone);
    QSignalSpy emptied(&group, &ProcessGroup::emptied);
    group.setTracksMembers(true);
    const Expected<AdoptionReport> report = group.adopt(pid);
    endOutside(pid);
    if (!report && report.error().kind() == Kind::PermissionDenied)
        QSKIP("this user may not move the processes of this host");
    QVERIFY2(report, qPrintable(report.error().diagnostic()));
    QTRY_COMPARE_WITH_TIMEOUT(emptied.count(), 1, Patience);
    QCOMPARE(pidsOf(gone), QList<qint64>{ pid });
}

void tst_Members::refusesToAdopt()
{
    PK_REQUIRE_MECHANISM(Mechanism::CgroupV2);
    ProcessGroup group;
    QCOMPARE(group.adopt(::getpid()).error().kind(), Kind::InvalidArgument);
    if (::getppid() > 0)
        QCOMPARE(group.adopt(::getppid()).error().kind(), Kind::InvalidArgument);
    QCOMPARE(group.adopt(Containment::keeperProcessId()).error().kind(), Kind::InvalidArgument);
    for (const qint64 pid : { qint64(0), qint64(-1), qint64(0x7ffffffe) })
        QCOMPARE(group.adopt(pid).error().kind(), Kind::NotFound);
    QVERIFY(group.isEmpty());
}

void tst_Members::refusesWithoutCgroup_data()
{
    QTest::addColumn<Mechanism>("mechanism");
    QTest::newRow("Subreaper") << Mechanism::Subreaper;
    QTest::newRow("ProcessGroup") << Mechanism::ProcessGroup;
}

void tst_Members::refusesWithoutCgroup()
{
    QFETCH(Mechanism, mechanism);
    ProcessGroup group(mechanism);
    QCOMPARE(group.adopt(::getppid()).error().kind(), Kind::Unsupported);
    ContainedProcess *process =
            group.start(helperShell(QStringLiteral("pk-helper pause & echo $!; wait")));
    QVERIFY(process->waitForReadyRead(Patience));
    const qint64 second = process->readLine().trimmed().toLongLong();
    QCOMPARE(group.release(second).kind(), Kind::Unsupported);
}

void tst_Members::releases()
{
    PK_REQUIRE_MECHANISM(Mechanism::CgroupV2);
    qint64 released = 0;
    {
        ProcessGroup group;
        QSignalSpy appeared(&group, &ProcessGroup::memberAppeared);
        QSignalSpy gone(&group, &ProcessGroup::memberGone);
        group.setTracksMembers(true);
        group.setSamplingInterval(50ms);
        ContainedProcess *process =
                group.start(helperShell(QStringLiteral("pk-helper pause & echo $!; wait")));
        QVERIFY(process->waitForReadyRead(Patience));
        released = process->readLine().trimmed().toLongLong();
        QTRY_VERIFY_WITH_TIMEOUT(pidsOf(appeared).contains(released), Patience);
        const ProcessError error = group.release(released);
        if (error.kind() == Kind::PermissionDenied)
            QSKIP("this user may not move processes out of a group on this host");
        QVERIFY2(!error, qPrintable(error.diagnostic()));
        QTRY_VERIFY_WITH_TIMEOUT(pidsOf(gone).contains(released), Patience);
        QCOMPARE(group.members().size(), 1);
        group.kill();
        QVERIFY(group.waitForEmptied(Patience));
    }
    const auto stat = procStat(released);
    QVERIFY(stat && stat->state != 'Z');
    ::kill(pid_t(released), SIGKILL);
    expectOrphans();
}

void tst_Members::refusesToRelease()
{
    PK_REQUIRE_MECHANISM(Mechanism::CgroupV2);
    ProcessGroup group;
    ContainedProcess *process = group.start(helperCommand({ QStringLiteral("pause") }));
    QVERIFY(process->waitForStarted(Patience));
    QCOMPARE(group.release(process->processId()).kind(), Kind::Unsupported);
    for (const qint64 pid : { qint64(0), qint64(-1), qint64(::getpid()) })
        QCOMPARE(group.release(pid).kind(), Kind::NotFound);
    QCOMPARE(group.members().size(), 1);
}

QTEST_GUILESS_MAIN(tst_Members)
#include "tst_members.moc"
