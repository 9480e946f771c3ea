// SPDX-License-Identifier: MIT
#include "cgroups.h"
#include "cleantest.h"
#include "commands.h"
#include "procfs.h"

#include <ProcessKit/command.h>
#include <ProcessKit/processgroup.h>

#include <QtCore/qdir.h>
#include <QtCore/qfile.h>
#include <QtCore/qtemporarydir.h>
#include <QtTest/qsignalspy.h>

#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <limits>

using namespace PkTest;
using namespace ProcessKit;
using namespace std::chrono_literals;

using Limit = ResourceLimits::Limit;
using OomPolicy = ResourceLimits::OomPolicy;

Q_DECLARE_METATYPE(ProcessKit::ResourceLimits)

constexpr qint64 MiB = 1024 * 1024;

// A group may use so much and no more, wherever this host has the controllers for it.
class tst_Limits : public CleanTest
{
    Q_OBJECT

private Q_SLOTS:
    void movesOnlyWhenAllowed();
    void badValues_data();
    void badValues();
    void remembersLimits();
    void onlyCgroups_data();
    void onlyCgroups();
    void refusesBeforeStart();
    void memoryHog_data();
    void memoryHog();
    void crashIsNoHog();
    void forkBomb();
    void startBeyondTasks();
    void busyLoop();
    void changesWhileRunning();
    void rollsBack();
    void endsWhileItIsPrepared();
    void dropsGroups();
    void dropsPrivileges_data();
    void dropsPrivileges();

private:
    QByteArray whyNoLimits(const ResourceLimits &limits);
    bool m_hasTried = false;
};

// What a trial says; empty where limits are possible.
QByteArray tst_Limits::whyNoLimits(const ResourceLimits &limits)
{
    // Qt D-Bus keeps what it opens for as long as the program runs
    if (!std::exchange(m_hasTried, true)) {
        forgetDescriptors();
        if (qEnvironmentVariableIsSet("QTEST_MAY_MOVE"))
            Containment::setOwnCgroupPolicy(Containment::OwnCgroupPolicy::MayMove);
    }
    ProcessGroup group;
    if (const ProcessError error = group.updateLimits(limits))
        return error.diagnostic().toLocal8Bit();
    ContainedProcess *process = group.start(helper(), { QStringLiteral("none") });
    process->waitForFinished(Patience);
    const ProcessError error = process->failure();
    group.waitForEmptied(Patience);
    return error.diagnostic().toLocal8Bit();
}

#define PK_REQUIRE_LIMITS(limits) \
  do { \
    const QByteArray whyNot = whyNoLimits(limits); \
    if (!whyNot.isEmpty()) { \
      if (qEnvironmentVariableIsSet("PK_LIMITS_REQUIRED")) \
        QFAIL(whyNot.constData()); \
      QSKIP(whyNot.constData()); \
    } \
  } while (false)

static ResourceLimits memoryLimit(qint64 bytes)
{
    ResourceLimits limits;
    limits.memoryMax = bytes;
    limits.memorySwapMax = 0;
    return limits;
}

static ResourceLimits taskLimit(int tasks)
{
    ResourceLimits limits;
    limits.tasksMax = tasks;
    return limits;
}

static ResourceLimits cpuLimit(double quota)
{
    ResourceLimits limits;
    limits.cpuQuota = quota;
    return limits;
}

// the cgroup of the group that \a pid is in, as an outsider finds it
static QString groupCgroup(qint64 pid)
{
    return QDir::cleanPath(cgroupOf(pid) + QStringLiteral("/.."));
}

static QByteArray contentOf(const QString &directory, const char *name)
{
    QFile file(directory + u'/' + QLatin1String(name));
    return file.open(QIODevice::ReadOnly | QIODevice::Unbuffered) ? file.readAll().trimmed()
                                                                  : QByteArray();
}

static ContainedProcess *startHelper(ProcessGroup *group, const QStringList &arguments)
{
    return group->start(helperCommand(arguments).withInput(StdinSource::keptOpen()));
}

// In a cgroup that was delegated to it, a program is in its own way until it may move.
void tst_Limits::movesOnlyWhenAllowed()
{
    if (!qEnvironmentVariableIsSet("QTEST_MAY_MOVE"))
        QSKIP("this is not a delegated cgroup");
    QCOMPARE(Containment::ownCgroupPolicy(), Containment::OwnCgroupPolicy::Stay);
    const QString before = cgroupOf(getpid());
    Containment host = Containment::query();
    QCOMPARE(host.controllerSource(), ControllerSource::None);
    QVERIFY2(host.controllerReason().contains(QLatin1String("was not allowed to move")),
             qPrintable(host.controllerReason()));
    Containment::setOwnCgroupPolicy(Containment::OwnCgroupPolicy::MayMove);
    host = Containment::query();
    QCOMPARE(host.controllerSource(), ControllerSource::DelegatedSubtree);
    QCOMPARE(cgroupOf(getpid()), before); // asking moves nobody

    ProcessGroup group;
    QVERIFY(!group.updateLimits(taskLimit(5)));
    ContainedProcess *process = startHelper(&group, { QStringLiteral("pause") });
    QVERIFY2(process->waitForStarted(Patience), qPrintable(process->failure().diagnostic()));
    QCOMPARE(group.controllerSource(), ControllerSource::DelegatedSubtree);
    QCOMPARE(cgroupOf(getpid()), before + QStringLiteral("/processkit-members"));
    QVERIFY(groupCgroup(process->processId()).startsWith(before));
}

void tst_Limits::badValues_data()
{
    QTest::addColumn<ResourceLimits>("limits");
    QTest::addColumn<QString>("named");
    const auto row = [](const char *name, const char *named, auto change) {
        ResourceLimits limits;
        change(limits);
        QTest::newRow(name) << limits << QString::fromLatin1(named);
    };
    row("no memory", "memoryMax", [](ResourceLimits &l) { l.memoryMax = 0; });
    row("negative memory", "memoryMax", [](ResourceLimits &l) { l.memoryMax = -1; });
    row("no high memory", "memoryHigh", [](ResourceLimits &l) { l.memoryHigh = 0; });
    row("negative swap", "memorySwapMax", [](ResourceLimits &l) { l.memorySwapMax = -1; });
    row("no tasks", "tasksMax", [](ResourceLimits &l) { l.tasksMax = 0; });
    row("no CPU", "cpuQuota", [](ResourceLimits &l) { l.cpuQuota = 0; });
    row("too little CPU", "cpuQuota", [](ResourceLimits &l) { l.cpuQuota = 0.001; });
    row("CPU not a number", "cpuQuota",
        [](ResourceLimits &l) { l.cpuQuota = std::numeric_limits<double>::quiet_NaN(); });
    row("CPU without end", "cpuQuota",
        [](ResourceLimits &l) { l.cpuQuota = std::numeric_limits<double>::infinity(); });
    row("weight", "cpuWeight", [](ResourceLimits &l) { l.cpuWeight = 0; });
    row("great weight", "ioWeight", [](ResourceLimits &l) { l.ioWeight = 10001; });
    row("no device", "ioLimits", [](ResourceLimits &l) { l.ioLimits = { { {}, 1, {}, {}, {} } }; });
    row("file as device", "ioLimits", [](ResourceLimits &l) {
        l.ioLimits = { { QStringLiteral("/proc/version"), 1, {}, {}, {} } };
    });
    row("no such device", "ioLimits", [](ResourceLimits &l) {
        l.ioLimits = { { QStringLiteral("/dev/no/disk"), 1, {}, {}, {} } };
    });
}

void tst_Limits::badValues()
{
    QFETCH(ResourceLimits, limits);
    QFETCH(QString, named);
    ProcessGroup group;
    const ProcessError error = group.updateLimits(limits);
    QCOMPARE(error.kind(), ProcessError::Kind::InvalidArgument);
    QCOMPARE(error.operation(), named);
    QVERIFY(group.limits().isEmpty());
}

void tst_Limits::remembersLimits()
{
    ProcessGroup group;
    QVERIFY(group.limits().isEmpty());
    const ResourceLimits limits = memoryLimit(64 * MiB);
    QVERIFY(!group.updateLimits(limits));
    QCOMPARE(group.limits(), limits);
    QCOMPARE(group.controllerSource(), ControllerSource::None);
    QVERIFY(!group.limitEvidence().memoryMax);
    QVERIFY(!group.updateLimits({}));
    QVERIFY(group.limits().isEmpty());
}

void tst_Limits::onlyCgroups_data()
{
    QTest::addColumn<Mechanism>("mechanism");
    QTest::newRow("Subreaper") << Mechanism::Subreaper;
    QTest::newRow("ProcessGroup") << Mechanism::ProcessGroup;
}

void tst_Limits::onlyCgroups()
{
    QFETCH(Mechanism, mechanism);
    ProcessGroup group(mechanism);
    QVERIFY(!group.updateLimits(taskLimit(10)));
    ContainedProcess *process = startHelper(&group, { QStringLiteral("pause") });
    QVERIFY(!process->waitForStarted(Patience));
    QCOMPARE(process->failure().kind(), ProcessError::Kind::ResourceLimit);
    QVERIFY(group.waitForEmptied(Patience));

    QVERIFY(!group.updateLimits({}));
    process = startHelper(&group, { QStringLiteral("pause") });
    QVERIFY(process->waitForStarted(Patience));
    QCOMPARE(group.updateLimits(taskLimit(10)).kind(), ProcessError::Kind::ResourceLimit);
}

// On a host without controllers the start says what is missing, and starts nothing.
void tst_Limits::refusesBeforeStart()
{
    if (whyNoLimits(taskLimit(50)).isEmpty())
        QSKIP("limits are possible here");
    ProcessGroup group;
    QVERIFY(!group.updateLimits(taskLimit(50)));
    ContainedProcess *process =
            startHelper(&group, { QStringLiteral("tree"), QStringLiteral("none") });
    QSignalSpy started(process, &ContainedProcess::started);
    QVERIFY(!process->waitForStarted(Patience));
    QCOMPARE(process->failure().kind(), ProcessError::Kind::ResourceLimit);
    QVERIFY(!process->failure().diagnostic().isEmpty());
    QVERIFY(group.waitForEmptied(Patience));
    QCOMPARE(started.count(), 0);
    QCOMPARE(group.controllerSource(), ControllerSource::None);
}

void tst_Limits::memoryHog_data()
{
    QTest::addColumn<OomPolicy>("policy");
    QTest::newRow("one process") << OomPolicy::KillProcess;
    QTest::newRow("the whole group") << OomPolicy::KillGroup;
}

void tst_Limits::memoryHog()
{
    QFETCH(OomPolicy, policy);
    ResourceLimits limits = memoryLimit(48 * MiB);
    limits.oomPolicy = policy;
    PK_REQUIRE_LIMITS(limits);

    ProcessGroup group;
    QVERIFY(!group.updateLimits(limits));
    QSignalSpy reached(&group, &ProcessGroup::limitReached);
    QSignalSpy killed(&group, &ProcessGroup::oomKilled);
    ContainedProcess *modest = startHelper(&group, { QStringLiteral("pause") });
    QVERIFY(modest->waitForStarted(Patience));
    ContainedProcess *hog = startHelper(&group, { QStringLiteral("hog") });
    QSignalSpy finished(hog, &ContainedProcess::finished);
    QTRY_COMPARE_WITH_TIMEOUT(finished.count(), 1, Patience);

    QCOMPARE(hog->exitStatus(), QProcess::CrashExit);
    QCOMPARE(hog->exitCode(), SIGKILL);
    QVERIFY(hog->oomKills().value_or(0) >= 1);
    const LimitEvidence evidence = group.limitEvidence();
    QVERIFY(evidence.oomKills.value_or(0) >= 1);
    QVERIFY(evidence.isReached(Limit::MemoryMax));
    QTRY_VERIFY_WITH_TIMEOUT(killed.count() > 0, Patience);
    bool told = false;
    for (const QList<QVariant> &arguments : reached)
        told |= arguments.first().value<Limit>() == Limit::MemoryMax;
    QVERIFY(told);
    if (policy == OomPolicy::KillGroup) {
        QTRY_COMPARE_WITH_TIMEOUT(modest->state(), QProcess::NotRunning, Patience);
        QVERIFY(group.waitForEmptied(Patience));
    } else {
        QCOMPARE(modest->state(), QProcess::Running);
    }
    const GroupStats stats = group.statistics();
    QVERIFY(stats.peakMemoryBytes.value_or(limits.memoryMax.value()) >= 40 * MiB);
}

void tst_Limits::crashIsNoHog()
{
    PK_REQUIRE_LIMITS(memoryLimit(64 * MiB));
    ProcessGroup group;
    QVERIFY(!group.updateLimits(memoryLimit(64 * MiB)));
    GroupRunner runner(&group);
    const ProcessResult result =
            runner.output(helperCommand({ QStringLiteral("raise"), QString::number(SIGKILL) }))
                    .result();
    QCOMPARE(result.outcome(), Outcome::Signalled);
    QCOMPARE(result.oomKills(), std::optional<qint64>(0));
    const ProcessResult hog = runner.output(helperCommand({ QStringLiteral("hog") })).result();
    QCOMPARE(hog.outcome(), Outcome::Signalled);
    QVERIFY(hog.oomKills().value_or(0) >= 1);
    // its leaf is used again, and what was counted there is not this one's
    const ProcessResult after =
            runner.output(helperCommand({ QStringLiteral("exit"), QStringLiteral("0") })).result();
    QCOMPARE(after.oomKills(), std::optional<qint64>(0));
}

void tst_Limits::forkBomb()
{
    PK_REQUIRE_LIMITS(taskLimit(20));
    ProcessGroup group;
    QVERIFY(!group.updateLimits(taskLimit(20)));
    QSignalSpy reached(&group, &ProcessGroup::limitReached);
    ContainedProcess *bomb = startHelper(&group, { QStringLiteral("forkbomb") });
    QVERIFY(reports().waitFor({ "forkbomb" }));
    QCOMPARE(reports().report("forkbomb").extra.toInt(), 19);
    QTRY_VERIFY_WITH_TIMEOUT(reached.count() > 0, Patience);
    QCOMPARE(reached.first().first().value<Limit>(), Limit::TasksMax);
    QVERIFY(group.limitEvidence().isReached(Limit::TasksMax));
    QCOMPARE(group.members().size(), 20);
    QCOMPARE(group.statistics().processes, std::optional<int>(20));
    bomb->kill();
    QVERIFY(group.waitForEmptied(Patience));
    QVERIFY(group.limitEvidence().isReached(Limit::TasksMax)); // and so it stays
}

void tst_Limits::startBeyondTasks()
{
    PK_REQUIRE_LIMITS(taskLimit(1));
    ProcessGroup group;
    QVERIFY(!group.updateLimits(taskLimit(1)));
    QVERIFY(startHelper(&group, { QStringLiteral("pause") })->waitForStarted(Patience));
    ContainedProcess *second = startHelper(&group, { QStringLiteral("pause") });
    QVERIFY(!second->waitForStarted(Patience));
    QCOMPARE(second->failure().kind(), ProcessError::Kind::ResourceLimit);
    QVERIFY(group.limitEvidence().isReached(Limit::TasksMax));
}

void tst_Limits::busyLoop()
{
    PK_REQUIRE_LIMITS(cpuLimit(0.2));
    ProcessGroup group;
    QVERIFY(!group.updateLimits(cpuLimit(0.2)));
    QSignalSpy reached(&group, &ProcessGroup::limitReached);
    group.setSamplingInterval(20ms);
    startHelper(&group, { QStringLiteral("busy") });
    QTRY_VERIFY_WITH_TIMEOUT(reached.count() > 1, Patience);
    QCOMPARE(reached.first().first().value<Limit>(), Limit::CpuQuota);
    QVERIFY(group.limitEvidence().isReached(Limit::CpuQuota));
    // the kernel adds it up when it lets them run again
    QTRY_VERIFY_WITH_TIMEOUT(group.limitEvidence().throttledTime.value_or(0us) > 0us, Patience);
}

void tst_Limits::changesWhileRunning()
{
    PK_REQUIRE_LIMITS(taskLimit(5));
    ProcessGroup group;
    QVERIFY(!group.updateLimits(taskLimit(5)));
    ContainedProcess *process = startHelper(&group, { QStringLiteral("pause") });
    QVERIFY(process->waitForStarted(Patience));
    QVERIFY(group.controllerSource() != ControllerSource::None);
    const QString cgroup = groupCgroup(process->processId());
    QCOMPARE(contentOf(cgroup, "pids.max"), "5");
    QVERIFY(!group.updateLimits(taskLimit(7)));
    QCOMPARE(contentOf(cgroup, "pids.max"), "7");
    // what is not given any more is lifted, and what needs another controller gets it
    ResourceLimits memory = memoryLimit(32 * MiB);
    memory.memoryHigh = 16 * MiB;
    QVERIFY(!group.updateLimits(memory));
    QCOMPARE(contentOf(cgroup, "pids.max"), "max");
    QCOMPARE(contentOf(cgroup, "memory.max"), QByteArray::number(32 * MiB));
    QCOMPARE(contentOf(cgroup, "memory.high"), QByteArray::number(16 * MiB));
    QVERIFY(!group.updateLimits({}));
    QCOMPARE(contentOf(cgroup, "memory.max"), "max");
    QCOMPARE(contentOf(cgroup, "memory.high"), "max");
}

void tst_Limits::rollsBack()
{
    ResourceLimits impossible = memoryLimit(100 * MiB);
    impossible.ioLimits = { { QStringLiteral("4095:77"), 1000, {}, {}, {} } };
    ResourceLimits possible = memoryLimit(50 * MiB);
    possible.ioLimits = {};
    PK_REQUIRE_LIMITS(possible);
    ProcessGroup group;
    QVERIFY(!group.updateLimits(possible));
    ContainedProcess *process = startHelper(&group, { QStringLiteral("pause") });
    QVERIFY(process->waitForStarted(Patience));
    const QString cgroup = groupCgroup(process->processId());
    const ProcessError error = group.updateLimits(impossible);
    QCOMPARE(error.kind(), ProcessError::Kind::ResourceLimit);
    QVERIFY2(error.operation() == QLatin1String("io.max")
                     || error.operation() == QLatin1String("cgroup.subtree_control"),
             qPrintable(error.operation()));
    QCOMPARE(contentOf(cgroup, "memory.max"), QByteArray::number(50 * MiB));
    QCOMPARE(group.limits(), possible);
}

// A start that waits for systemd can be ended like any other.
void tst_Limits::endsWhileItIsPrepared()
{
    PK_REQUIRE_LIMITS(taskLimit(5));
    for (int round = 0; round < 3; ++round) {
        ProcessGroup group;
        QVERIFY(!group.updateLimits(taskLimit(5)));
        startHelper(&group, { QStringLiteral("pause") });
        if (round == 0)
            continue; // destroyed
        if (round == 1)
            group.kill();
        else
            group.shutdown(0ms).waitForFinished();
        QVERIFY(group.waitForEmptied(Patience));
    }
}

void tst_Limits::dropsGroups()
{
    PK_REQUIRE_LIMITS(taskLimit(5));
    QString parent;
    for (int i = 0; i < 100; ++i) {
        ProcessGroup group;
        QVERIFY(!group.updateLimits(taskLimit(5)));
        ContainedProcess *process = startHelper(&group, { QStringLiteral("pause") });
        QVERIFY(process->waitForStarted(Patience));
        if (i == 0)
            parent = QDir::cleanPath(groupCgroup(process->processId()) + QStringLiteral("/.."));
        group.kill();
        QVERIFY(group.waitForEmptied(Patience));
    }
    QVERIFY(QDir(parent).exists());
    const auto groups = [&] {
        return QDir(parent).entryList({ QStringLiteral("group*") }, QDir::Dirs).size();
    };
    QTRY_COMPARE_WITH_TIMEOUT(groups(), 0, Patience); // they go on the I/O thread
}

void tst_Limits::dropsPrivileges_data()
{
    QTest::addColumn<bool>("setUser");
    QTest::newRow("another user") << false;
    QTest::newRow("another user, and root again by a set-user-id program") << true;
}

// Another user's processes are held and limited like ours, and one that has gained privileges ends
// like the others.
void tst_Limits::dropsPrivileges()
{
    QFETCH(bool, setUser);
    if (::geteuid() != 0)
        QSKIP("only root can start processes of another user");
    PK_REQUIRE_LIMITS(taskLimit(5));
    constexpr unsigned other = 65534;
    // where that user can execute it, beside a FIFO to which it may not report
    QTemporaryDir place(QStringLiteral("/var/tmp/pk-limits-XXXXXX"));
    const QString program = place.filePath(QStringLiteral("pk-helper"));
    QVERIFY(QFile::copy(helper(), program));
    QVERIFY(::chmod(QFile::encodeName(place.path()).constData(), 0755) == 0);
    QVERIFY(::chmod(QFile::encodeName(program).constData(), setUser ? 04755 : 0755) == 0);

    ProcessGroup group;
    QVERIFY(!group.updateLimits(taskLimit(5)));
    ContainedProcess *process =
            group.start(Command(program, { QStringLiteral("pause") }).withUser(other));
    QVERIFY2(process->waitForStarted(Patience), qPrintable(process->failure().diagnostic()));
    // execve(2) lets the parent go on before the new program has its credentials
    const QByteArray ids = setUser ? "Uid:\t65534\t0\t0\t0" : "Uid:\t65534\t65534\t65534\t65534";
    const QString proc = QStringLiteral("/proc/%1").arg(process->processId());
    QTRY_VERIFY_WITH_TIMEOUT(contentOf(proc, "status").contains(ids), Patience);
    QCOMPARE(contentOf(groupCgroup(process->processId()), "pids.max"), "5");
    group.kill();
    QVERIFY(group.waitForEmptied(Patience));
}

QTEST_GUILESS_MAIN(tst_Limits)
#include "tst_limits.moc"
