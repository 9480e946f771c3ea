// SPDX-License-Identifier: MIT
#include "cleantest.h"
#include "ownerprocess.h"
#include "procfs.h"

#include <spawn.h>

#include <ProcessKit/containedprocess.h>

#include <QtCore/qfile.h>
#include <QtCore/qscopeguard.h>
#include <QtCore/qthread.h>
#include <QtTest/qsignalspy.h>

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace PkTest;
using namespace ProcessKit;
using Native::LaunchPlan;
using Native::LaunchStep;
using Native::SpawnResult;
using Flag = ContainedProcess::UnixProcessFlag;
using Flags = ContainedProcess::UnixProcessFlags;
using Kind = ProcessKit::ProcessError::Kind;
using Settings = LaunchPlan::Settings;

constexpr unsigned OtherUser = 65534;

// What a child is given on request: through the API by each mechanism, and the rest of it by each
// way in which the native layer starts a child.
class tst_ChildSettings : public CleanTest
{
    Q_OBJECT

private Q_SLOTS:
    void parameters();
    void ignoreSigPipe_data();
    void ignoreSigPipe();
    void resetSignalHandlers_data();
    void resetSignalHandlers();
    void closeFileDescriptors_data();
    void closeFileDescriptors();
    void createNewSession_data();
    void createNewSession();
    void terminal_data();
    void terminal();
    void resetIds_data();
    void resetIds();
    void resetIdsOfLater_data();
    void resetIdsOfLater();
    void disableCoreDumps_data();
    void disableCoreDumps();
    void failingStep_data();
    void failingStep();
    void detached();
    void failedModifier_data();
    void failedModifier();
    void failedModifierOfDetached();

    void numbers_data();
    void numbers();
    void otherUser_data();
    void otherUser();
    void deathSignal_data();
    void deathSignal();
    void refused_data();
    void refused();
};

// a line of /proc/PID/status without its name
static QByteArray statusLine(qint64 pid, const QByteArray &name)
{
    QFile file(QStringLiteral("/proc/%1/status").arg(pid));
    if (!file.open(QIODevice::ReadOnly))
        return {};
    const QByteArrayList lines = file.readAll().split('\n');
    for (const QByteArray &line : lines) {
        if (line.startsWith(name + ':'))
            return line.mid(name.size() + 1).simplified();
    }
    return {};
}

static bool ignores(qint64 pid, int signal)
{
    return statusLine(pid, "SigIgn").toULongLong(nullptr, 16) >> (signal - 1) & 1;
}

static rlimit limitOf(qint64 pid, __rlimit_resource resource)
{
    rlimit limit{};
    prlimit(pid_t(pid), resource, nullptr, &limit);
    return limit;
}

// What the API has

void tst_ChildSettings::parameters()
{
    ContainedProcess process;
    QCOMPARE(process.unixProcessParameters().flags, Flags());
    QCOMPARE(process.unixProcessParameters().lowestFileDescriptorToClose, 0);
    process.setUnixProcessParameters({ Flag::IgnoreSigPipe | Flag::ResetIds, 10 });
    QCOMPARE(process.unixProcessParameters().flags, Flag::ResetIds | Flag::IgnoreSigPipe);
    QCOMPARE(process.unixProcessParameters().lowestFileDescriptorToClose, 10);
    process.setUnixProcessParameters(Flag::UseVFork);
    QCOMPARE(process.unixProcessParameters().flags, Flags(Flag::UseVFork));
    QCOMPARE(process.unixProcessParameters().lowestFileDescriptorToClose, 0);
}

static bool startPausing(ContainedProcess &process, Mechanism mechanism, Flags flags)
{
    process.setRequestedMechanism(mechanism);
    process.setUnixProcessParameters(flags);
    process.start(helper(), { QStringLiteral("pause") });
    return process.waitForStarted(Patience);
}

void tst_ChildSettings::ignoreSigPipe_data()
{
    addMechanismRows();
}

void tst_ChildSettings::ignoreSigPipe()
{
    QFETCH(Mechanism, mechanism);
    PK_REQUIRE_MECHANISM(mechanism);
    for (const Flags flags :
         { Flags(), Flags(Flag::IgnoreSigPipe), Flag::IgnoreSigPipe | Flag::ResetSignalHandlers }) {
        ContainedProcess process;
        QVERIFY(startPausing(process, mechanism, flags));
        QCOMPARE(ignores(process.processId(), SIGPIPE), flags != Flags());
        QCOMPARE(process.mechanism(), mechanism);
    }
}

void tst_ChildSettings::resetSignalHandlers_data()
{
    addMechanismRows();
}

// what is ignored stays so, as nohup(1) needs it, unless it is asked for
void tst_ChildSettings::resetSignalHandlers()
{
    QFETCH(Mechanism, mechanism);
    PK_REQUIRE_MECHANISM(mechanism);
    const auto before = signal(SIGUSR1, SIG_IGN);
    const auto restore = qScopeGuard([before] { signal(SIGUSR1, before); });
    for (const Flags flags : { Flags(), Flags(Flag::ResetSignalHandlers) }) {
        ContainedProcess process;
        QVERIFY(startPausing(process, mechanism, flags));
        QCOMPARE(ignores(process.processId(), SIGUSR1), flags == Flags());
    }
}

void tst_ChildSettings::closeFileDescriptors_data()
{
    addMechanismRows();
}

void tst_ChildSettings::closeFileDescriptors()
{
    QFETCH(Mechanism, mechanism);
    PK_REQUIRE_MECHANISM(mechanism);
    const int open = fcntl(STDERR_FILENO, F_DUPFD, 100);
    const int closing = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, open + 1);
    const int above = fcntl(STDERR_FILENO, F_DUPFD, closing + 1);
    const auto closeThem = qScopeGuard([=] {
        for (const int fd : { open, closing, above })
            close(fd);
    });
    QVERIFY(open >= 100 && closing > open && above > closing);
    QByteArray left;
    for (int fd = 3; fd < above; ++fd) {
        if (fcntl(fd, F_GETFD) == 0)
            left += ' ' + QByteArray::number(fd);
    }

    ContainedProcess process;
    process.setRequestedMechanism(mechanism);
    const auto seen = [&](const ContainedProcess::UnixProcessParameters &parameters) {
        process.setUnixProcessParameters(parameters);
        process.start(helper(), { QStringLiteral("fds") });
        return process.waitForFinished(Patience) ? process.readAllStandardOutput() : QByteArray();
    };
    QCOMPARE(seen({ Flag::CloseFileDescriptors }), "0 1 2\n");
    QCOMPARE(seen({ {}, above }), "0 1 2\n");
    QCOMPARE(seen({ Flag::CloseFileDescriptors, above }), "0 1 2" + left + '\n');
    process.setInheritedDescriptors({ open, closing });
    QCOMPARE(seen({ Flag::CloseFileDescriptors, open + 1 }).count(QByteArray::number(open)), 1);
}

void tst_ChildSettings::createNewSession_data()
{
    addMechanismRows();
}

void tst_ChildSettings::createNewSession()
{
    QFETCH(Mechanism, mechanism);
    PK_REQUIRE_MECHANISM(mechanism);
    for (const Flags flags : { Flags(), Flags(Flag::CreateNewSession) }) {
        ContainedProcess process;
        QVERIFY(startPausing(process, mechanism, flags));
        const auto stat = procStat(process.processId());
        QVERIFY(stat);
        QCOMPARE(stat->session, flags ? process.processId() : getsid(0));
        QCOMPARE(process.members().size(), 1);
        process.kill();
        QVERIFY(process.waitForFinished(Patience));
        QVERIFY(process.waitForTreeEmptied(Patience));
    }
}

static void addMechanismAndFlagRows(std::initializer_list<std::pair<const char *, Flags>> list)
{
    QTest::addColumn<Mechanism>("mechanism");
    QTest::addColumn<int>("flags");
    for (const Mechanism mechanism :
         { Mechanism::CgroupV2, Mechanism::Subreaper, Mechanism::ProcessGroup }) {
        for (const auto &[name, flags] : list) {
            QTest::addRow("%s %s", mechanismName(mechanism).constData(), name)
                    << mechanism << int(flags.toInt());
        }
    }
}

void tst_ChildSettings::terminal_data()
{
    addMechanismAndFlagRows(
            { { "kept", {} },
              { "left", Flag::DisconnectControllingTerminal },
              { "new session", Flag::CreateNewSession | Flag::DisconnectControllingTerminal } });
}

void tst_ChildSettings::terminal()
{
    QFETCH(Mechanism, mechanism);
    QFETCH(int, flags);
    PK_REQUIRE_MECHANISM(mechanism);
    expectOrphans();
    OwnerProcess process(mechanism, "finish");
    process.addOption("--terminal");
    process.addOption("--flags", QByteArray::number(flags));
    process.startProgram(QStringLiteral("/bin/cat"), { QStringLiteral("/proc/self/stat") });
    QVERIFY(process.wait());
    if (process.exitCode() == 77)
        QSKIP("no pseudo terminal is to be had here");
    const QByteArray output = process.output();
    const qsizetype at = output.indexOf("output=");
    const QByteArrayList fields = output.mid(at + 7).split(' '); // "PID (cat) R PARENT GROUP ..."
    QVERIFY2(at > 0 && fields.size() > 7, output.constData());
    const qint64 owner = reports().report("owner").pid;
    const bool newSession = Flags::fromInt(flags).testFlag(Flag::CreateNewSession);
    QCOMPARE(fields[5].toLongLong(), newSession ? fields[0].toLongLong() : owner);
    QCOMPARE(fields[6] == "0", flags != 0);
}

void tst_ChildSettings::resetIds_data()
{
    addMechanismAndFlagRows({ { "kept", {} }, { "reset", Flag::ResetIds } });
}

void tst_ChildSettings::resetIds()
{
    QFETCH(Mechanism, mechanism);
    QFETCH(int, flags);
    PK_REQUIRE_MECHANISM(mechanism);
    if (geteuid() != 0)
        QSKIP("only root can have another real user");
    expectOrphans();
    OwnerProcess process(mechanism, "finish");
    process.addOption("--real-ids", QByteArray::number(OtherUser));
    process.addOption("--flags", QByteArray::number(flags));
    process.startProgram(QStringLiteral("/bin/grep"),
                         { QStringLiteral("^[UG]id"), QStringLiteral("/proc/self/status") });
    QVERIFY(process.wait());
    const QByteArray output = process.output();
    const QByteArray other = '\t' + QByteArray::number(OtherUser);
    const QByteArray ids = flags ? other.repeated(4) : other + QByteArray("\t0").repeated(3);
    QVERIFY2(output.contains("output=Uid:" + ids + "|Gid:" + ids + '\n'), output.constData());
}

void tst_ChildSettings::resetIdsOfLater_data()
{
    addMechanismRows();
}

// the real ids that count are those at the start, which a keeper does not have by itself
void tst_ChildSettings::resetIdsOfLater()
{
    QFETCH(Mechanism, mechanism);
    PK_REQUIRE_MECHANISM(mechanism);
    if (geteuid() != 0)
        QSKIP("only root can have another real user");
    ContainedProcess process;
    process.setRequestedMechanism(mechanism);
    process.setUnixProcessParameters(Flag::ResetIds);
    QCOMPARE(setresuid(OtherUser, 0, 0), 0);
    const auto restore = qScopeGuard([] { (void)!setresuid(0, 0, 0); });
    process.start(QStringLiteral("/bin/sleep"), { QStringLiteral("300") });
    QVERIFY2(process.waitForStarted(Patience), qPrintable(process.errorString()));
    QCOMPARE(statusLine(process.processId(), "Uid"), "65534 65534 65534 65534");
    process.kill();
    QVERIFY(process.waitForTreeEmptied(Patience));
}

void tst_ChildSettings::disableCoreDumps_data()
{
    addMechanismRows();
}

void tst_ChildSettings::disableCoreDumps()
{
    QFETCH(Mechanism, mechanism);
    PK_REQUIRE_MECHANISM(mechanism);
    const rlimit before = limitOf(0, RLIMIT_CORE);
    const rlimit some{ before.rlim_max, before.rlim_max };
    if (some.rlim_cur == 0)
        QSKIP("core dumps are disabled for all programs here");
    QCOMPARE(setrlimit(RLIMIT_CORE, &some), 0);
    const auto restore = qScopeGuard([before] { setrlimit(RLIMIT_CORE, &before); });
    for (const Flags flags : { Flags(), Flags(Flag::DisableCoreDumps) }) {
        ContainedProcess process;
        QVERIFY(startPausing(process, mechanism, flags));
        const rlimit limit = limitOf(process.processId(), RLIMIT_CORE);
        QCOMPARE(limit.rlim_cur, flags ? 0 : some.rlim_cur);
        QCOMPARE(limit.rlim_max, some.rlim_max);
    }
}

void tst_ChildSettings::failingStep_data()
{
    QTest::addColumn<Mechanism>("mechanism");
    QTest::addColumn<QString>("call");
    QTest::addColumn<int>("flags");
    QTest::addColumn<QByteArray>("kind");
    struct Step
    {
        const char *call;
        Flag flag;
        const char *kind;
    };
    static constexpr Step steps[] = { { "setsid", Flag::CreateNewSession, "Spawn" },
                                      { "setresgid", Flag::ResetIds, "PermissionDenied" },
                                      { "setresuid", Flag::ResetIds, "PermissionDenied" } };
    for (const Mechanism mechanism :
         { Mechanism::CgroupV2, Mechanism::Subreaper, Mechanism::ProcessGroup }) {
        for (const Step &step : steps) {
            QTest::addRow("%s %s", mechanismName(mechanism).constData(), step.call)
                    << mechanism << QString::fromLatin1(step.call) << int(step.flag)
                    << QByteArray(step.kind);
        }
    }
}

void tst_ChildSettings::failingStep()
{
    QFETCH(Mechanism, mechanism);
    QFETCH(QString, call);
    QFETCH(int, flags);
    QFETCH(QByteArray, kind);
    PK_REQUIRE_MECHANISM(mechanism);
    expectOrphans();
    OwnerProcess process(mechanism, "once");
    process.setWrapper(faults(),
                       { call, QStringLiteral("EPERM"), QStringLiteral("1"), QStringLiteral("1") });
    process.addOption("--flags", QByteArray::number(flags));
    process.start({ "exit", "7" });
    QVERIFY(process.wait());
    const QByteArray output = process.output();
    const QByteArray errors = process.errorOutput();
    if (process.exitCode() == 77 && output.isEmpty())
        QSKIP(errors.trimmed().constData());
    QVERIFY2(output.contains("result first error kind=" + kind + " operation=" + call.toLatin1()
                             + " code=1\n"),
             (output + errors).constData());
    QVERIFY2(output.contains("result second ok exit=7"), (output + errors).constData());
}

void tst_ChildSettings::detached()
{
    expectOrphans();
    ContainedProcess process;
    process.setProgram(helper());
    process.setArguments({ QStringLiteral("pause") });
    process.setUnixProcessParameters(Flag::IgnoreSigPipe | Flag::CreateNewSession
                                     | Flag::DisconnectControllingTerminal);
    qint64 pid = 0;
    QVERIFY2(process.startDetached(&pid), qPrintable(process.errorString()));
    PidHandle handle(pid);
    const bool ignored = ignores(pid, SIGPIPE);
    const auto stat = procStat(pid);
    handle.end();
    QVERIFY(ignored);
    QVERIFY(stat && stat->session == pid);
}

void tst_ChildSettings::failedModifier_data()
{
    addMechanismRows();
}

void tst_ChildSettings::failedModifier()
{
    QFETCH(Mechanism, mechanism);
    PK_REQUIRE_MECHANISM(mechanism);
    if (mechanism == Mechanism::Subreaper)
        QSKIP("a keeper cannot run what is code of ours");
    ContainedProcess process;
    process.setRequestedMechanism(mechanism);
    QSignalSpy errors(&process, &ContainedProcess::errorOccurred);
    QSignalSpy started(&process, &ContainedProcess::started);
    const auto failureText = [&](const QByteArray &description, int error) {
        process.setChildProcessModifier([&process, description, error] {
            process.failChildProcessModifier(description.constData(), error);
        });
        process.start(helper(), { QStringLiteral("exit") });
        return process.waitForStarted(Patience) ? QString() : process.errorString();
    };
    const QString prefix = QStringLiteral("Child process modifier reported error: ");
    QCOMPARE(failureText("aux comm channel", EBADF),
             prefix + QStringLiteral("aux comm channel: ") + qt_error_string(EBADF));
    QCOMPARE(process.error(), QProcess::FailedToStart);
    QCOMPARE(process.failure().kind(), Kind::Spawn);
    QCOMPARE(process.failure().nativeCode(), EBADF);
    QCOMPARE(failureText("out of luck", 0), prefix + QStringLiteral("out of luck"));
    QCOMPARE(failureText(QByteArray(2000, 'x'), 0).count(u'x'), 503);
    QCOMPARE(errors.count(), 3);
    QCOMPARE(started.count(), 0);

    process.setChildProcessModifier([] {});
    process.start(helper(), { QStringLiteral("exit"), QStringLiteral("4") });
    QVERIFY(process.waitForFinished(Patience));
    QCOMPARE(process.exitCode(), 4);
}

void tst_ChildSettings::failedModifierOfDetached()
{
    expectOrphans();
    ContainedProcess process;
    process.setProgram(helper());
    process.setArguments({ QStringLiteral("exit") });
    process.setChildProcessModifier(
            [&process] { process.failChildProcessModifier("detached", EPERM); });
    QVERIFY(!process.startDetached());
    QCOMPARE(process.errorString(),
             QStringLiteral("Child process modifier reported error: detached: ")
                     + qt_error_string(EPERM));
}

// What only the native layer has as yet

enum class Way {
    SharedMemory,
    Fork,
    Keeper, // the plan has travelled, and knows what the child would have from us
};

static void addWays()
{
    QTest::addColumn<Way>("way");
    QTest::newRow("shared memory") << Way::SharedMemory;
    QTest::newRow("fork") << Way::Fork;
    QTest::newRow("keeper") << Way::Keeper;
}

static LaunchPlan planFor(const Settings &settings)
{
    LaunchPlan plan;
    plan.candidates.append("/bin/sleep"); // where any user may look
    plan.arguments.append("another name");
    plan.arguments.append("300");
    plan.environment.append(CleanTest::token().toStdString());
    plan.descriptors = { { 0, 0 }, { 1, 1 }, { 2, 2 } };
    plan.settings = settings;
    return plan;
}

static SpawnResult spawn(LaunchPlan plan, Way way, Native::SpawnOptions options = {})
{
    const std::function<void()> modifier = [] {};
    if (way == Way::Fork)
        options.modifier = &modifier;
    if (way == Way::Keeper) {
        LaunchPlan::Attributes &attributes = plan.attributes.emplace();
        attributes = {};
        attributes.fileModeMask = 022;
        attributes.realUser = getuid();
        attributes.realGroup = getgid();
        for (unsigned resource = 0; resource < attributes.limits.size(); ++resource)
            attributes.limits[resource] = limitOf(0, __rlimit_resource(resource));
        const std::vector<LaunchPlan::Descriptor> descriptors = plan.descriptors;
        std::optional<LaunchPlan> arrived = LaunchPlan::deserialize(plan.serialize());
        if (!arrived)
            return {};
        plan = std::move(*arrived);
        plan.descriptors = descriptors;
    }
    return Native::spawn(plan, options);
}

// ends a child of ours and takes its status
static int reap(const SpawnResult &child, bool kill = true)
{
    siginfo_t info{};
    if (child.pid > 0 && (!kill || ::kill(child.pid, SIGKILL) == 0))
        waitid(P_PID, id_t(child.pid), &info, WEXITED);
    return info.si_status;
}

void tst_ChildSettings::numbers_data()
{
    addWays();
}

void tst_ChildSettings::numbers()
{
    QFETCH(Way, way);
    constexpr int bestEffortLowest = 2 << 13 | 7;
    constexpr int whoProcess = 1;
    cpu_set_t ours;
    QCOMPARE(sched_getaffinity(0, sizeof ours, &ours), 0);
    int processor = 0;
    while (!CPU_ISSET(processor, &ours))
        ++processor;
    const rlimit fileBefore = limitOf(0, RLIMIT_FSIZE);

    Settings settings;
    settings.given = Settings::Niceness | Settings::IoPriority | Settings::FileModeMask
            | Settings::NewSession | Settings::IgnoreSigPipe | Settings::NoCoreDumps;
    settings.niceness = 7;
    settings.ioPriority = bestEffortLowest;
    settings.fileModeMask = 0027;
    settings.addProcessor(unsigned(processor));
    settings.limited = 1 << RLIMIT_NOFILE | 1 << RLIMIT_CPU;
    settings.limits[RLIMIT_NOFILE] = { 61, 67 };
    settings.limits[RLIMIT_CPU] = { 1000, 2000 };
    const SpawnResult child = spawn(planFor(settings), way);
    const auto end = qScopeGuard([&child] { reap(child); });
    QVERIFY2(!child.failure, QByteArray::number(child.failure.error).constData());

    // the exec lets go of our memory before it has laid out the child's
    QTRY_COMPARE(commandLine(child.pid).replace('\0', ' ').trimmed(), "another name 300");
    QCOMPARE(getpriority(PRIO_PROCESS, id_t(child.pid)), 7);
    QCOMPARE(syscall(SYS_ioprio_get, whoProcess, child.pid), bestEffortLowest);
    QCOMPARE(statusLine(child.pid, "Umask"), "0027");
    QCOMPARE(getsid(child.pid), child.pid);
    QVERIFY(ignores(child.pid, SIGPIPE));
    cpu_set_t theirs;
    QCOMPARE(sched_getaffinity(child.pid, sizeof theirs, &theirs), 0);
    QCOMPARE(CPU_COUNT(&theirs), 1);
    QVERIFY(CPU_ISSET(processor, &theirs));
    const rlimit files = limitOf(child.pid, RLIMIT_NOFILE);
    QCOMPARE(files.rlim_cur, 61);
    QCOMPARE(files.rlim_max, 67);
    QCOMPARE(limitOf(child.pid, RLIMIT_CPU).rlim_max, 2000);
    QCOMPARE(limitOf(child.pid, RLIMIT_CORE).rlim_cur, 0);
    QCOMPARE(limitOf(child.pid, RLIMIT_FSIZE).rlim_max, fileBefore.rlim_max);
}

void tst_ChildSettings::otherUser_data()
{
    addWays();
}

void tst_ChildSettings::otherUser()
{
    QFETCH(Way, way);
    if (geteuid() != 0)
        QSKIP("only root can start as another user");
    const auto idsOf = [way](const Settings &settings) {
        const SpawnResult child = spawn(planFor(settings), way);
        const QByteArray ids = statusLine(child.pid, "Uid") + '/' + statusLine(child.pid, "Gid")
                + '/' + statusLine(child.pid, "Groups");
        reap(child);
        return child.failure ? QByteArray::number(int(child.failure.step)) : ids;
    };
    const int dumpable = prctl(PR_GET_DUMPABLE);
    const gid_t groupsBefore = getgid();

    Settings settings;
    settings.given = Settings::UserId | Settings::GroupId | Settings::Groups;
    settings.userId = OtherUser;
    settings.groupId = 1234;
    settings.groups = { 1, 70000 };
    QCOMPARE(idsOf(settings), "65534 65534 65534 65534/1234 1234 1234 1234/1 70000");
    settings.groups = {};
    QCOMPARE(idsOf(settings), "65534 65534 65534 65534/1234 1234 1234 1234/");
    // a user without groups does not keep ours
    settings.given = Settings::UserId | Settings::GroupId;
    QCOMPARE(idsOf(settings), "65534 65534 65534 65534/1234 1234 1234 1234/1234");
    settings.given = Settings::UserId;
    const QByteArray group = QByteArray::number(groupsBefore);
    QCOMPARE(idsOf(settings),
             "65534 65534 65534 65534/" + (group + ' ').repeated(3) + group + '/' + group);
    // the child has had our memory
    QCOMPARE(prctl(PR_GET_DUMPABLE), dumpable);
}

void tst_ChildSettings::deathSignal_data()
{
    QTest::addColumn<Way>("way");
    QTest::addColumn<bool>("asOtherUser");
    for (const bool other : { false, true }) {
        QTest::addRow("shared memory%s", other ? ", other user" : "") << Way::SharedMemory << other;
        QTest::addRow("fork%s", other ? ", other user" : "") << Way::Fork << other;
    }
}

// it comes when the thread ends that has spawned the child, also when the child's ids are others
void tst_ChildSettings::deathSignal()
{
    QFETCH(Way, way);
    QFETCH(bool, asOtherUser);
    if (asOtherUser && geteuid() != 0)
        QSKIP("only root can start as another user");
    Settings settings;
    settings.given = Settings::DeathSignal;
    settings.deathSignal = SIGUSR2;
    if (asOtherUser) {
        settings.given |= Settings::UserId;
        settings.userId = OtherUser;
    }
    SpawnResult child;
    const std::unique_ptr<QThread> thread(QThread::create([&] {
        Native::SpawnOptions options;
        options.deathSignal = SIGKILL;
        child = spawn(planFor(settings), way, options);
    }));
    thread->start();
    QVERIFY(thread->wait(Patience));
    QVERIFY(!child.failure);
    QCOMPARE(reap(child, false), SIGUSR2);
}

void tst_ChildSettings::refused_data()
{
    QTest::addColumn<Way>("way");
    QTest::addColumn<int>("step");
    QTest::addColumn<int>("code");
    for (const auto &[name, way] :
         { std::pair("shared memory", Way::SharedMemory), std::pair("fork", Way::Fork),
           std::pair("keeper", Way::Keeper) }) {
        const auto row = [&name = name, &way = way](const char *what, LaunchStep step, int code) {
            QTest::addRow("%s, %s", name, what) << way << int(step) << code;
        };
        row("limit", LaunchStep::Limits, EINVAL);
        row("I/O class", LaunchStep::IoPriority, EINVAL);
        row("no processor", LaunchStep::Processors, EINVAL);
        row("death signal", LaunchStep::DeathSignal, EINVAL);
        row("no group", LaunchStep::GroupId, EINVAL);
        row("less nice", LaunchStep::Priority, EACCES);
        row("groups", LaunchStep::Groups, EPERM);
        row("group", LaunchStep::GroupId, EPERM);
    }
}

void tst_ChildSettings::refused()
{
    QFETCH(Way, way);
    QFETCH(int, step);
    QFETCH(int, code);
    if (code != EINVAL && geteuid() == 0)
        QSKIP("root may do that");
    Settings settings;
    switch (LaunchStep(step)) {
    case LaunchStep::Limits:
        settings.limited = 1 << RLIMIT_NOFILE;
        settings.limits[RLIMIT_NOFILE] = { 2, 1 };
        break;
    case LaunchStep::IoPriority:
        settings.given = Settings::IoPriority;
        settings.ioPriority = 7 << 13;
        break;
    case LaunchStep::Processors:
        settings.given = Settings::Processors;
        break;
    case LaunchStep::DeathSignal:
        settings.given = Settings::DeathSignal;
        settings.deathSignal = 99;
        break;
    case LaunchStep::Priority:
        settings.given = Settings::Niceness;
        settings.niceness = -20;
        break;
    case LaunchStep::Groups:
        settings.given = Settings::UserId;
        break;
    default:
        settings.given = Settings::GroupId;
        settings.groupId = code == EINVAL ? ~0U : 0;
        break;
    }
    const SpawnResult child = spawn(planFor(settings), way);
    reap(child);
    QCOMPARE(int(child.failure.step), step);
    QCOMPARE(child.failure.error, code);
    QCOMPARE(child.pid, -1);
}

QTEST_GUILESS_MAIN(tst_ChildSettings)
#include "tst_childsettings.moc"
