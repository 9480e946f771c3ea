// SPDX-License-Identifier: MIT
#include "cgroups.h"
#include "cleantest.h"
#include "procfs.h"

#include <ProcessKit/containedprocess.h>

#include <QtCore/qdir.h>
#include <QtCore/qfile.h>
#include <QtCore/qscopeguard.h>
#include <QtTest/qsignalspy.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace PkTest;
using namespace ProcessKit;
using Kind = ProcessKit::ProcessError::Kind;

// How a child begins, and how a start fails.
class tst_Launch : public CleanTest
{
    Q_OBJECT

private Q_SLOTS:
    void fails_data();
    void fails();
    void failsAndStartsAgain();
    void directoryFails_data();
    void directoryFails();
    void embeddedNul_data();
    void embeddedNul();
    void errorTextHasNoSecrets();
    void badInterpreter();
    void scriptWithoutInterpreter();
    void lookup_data();
    void lookup();
    void lookupMiss();
    void lookupPassesWhatCannotBeRun();
    void lookupWithoutPath();
    void relativeProgram();
    void manyArguments_data();
    void manyArguments();
    void argumentsArriveAsTheyAre_data();
    void argumentsArriveAsTheyAre();
    void largeEnvironment_data();
    void largeEnvironment();
    void oversize_data();
    void oversize();
    void environment_data();
    void environment();
    void workingDirectory_data();
    void workingDirectory();
    void descriptors_data();
    void descriptors();
    void inheritedDescriptors_data();
    void inheritedDescriptors();
    void signalState_data();
    void signalState();
    void fileModeMask_data();
    void fileModeMask();
    void removedCgroups();
    void fewDescriptors_data();
    void fewDescriptors();
};

static void addLaunchRows()
{
    addMechanismRows();
}

// starts, waits, and gives what the helper printed; empty with a failed test when it did not end
// well
static QByteArray outputOf(ContainedProcess &process, const QStringList &arguments)
{
    process.start(helper(), arguments);
    if (!process.waitForFinished(Patience) || process.exitCode() != 0
        || process.exitStatus() != QProcess::NormalExit) {
        QTest::qFail(qPrintable(QStringLiteral("exit %1: ").arg(process.exitCode())
                                + process.failure().diagnostic()),
                     __FILE__, __LINE__);
        return {};
    }
    return process.readAllStandardOutput();
}

static QString makeFile(const QString &path, const QByteArray &content, mode_t mode)
{
    QFile file(path);
    if (!file.open(QIODevice::WriteOnly) || file.write(content) != content.size())
        qFatal("cannot write a file");
    file.close();
    chmod(QFile::encodeName(path).constData(), mode);
    return path;
}

void tst_Launch::fails_data()
{
    QTest::addColumn<Mechanism>("mechanism");
    QTest::addColumn<QString>("program");
    QTest::addColumn<Kind>("kind");
    QTest::addColumn<int>("code");

    QDir().mkpath(temporaryPath(QStringLiteral("folder")));
    const QString plain = makeFile(temporaryPath(QStringLiteral("plain")), "text", 0644);
    const QString folder = temporaryPath(QStringLiteral("folder"));
    for (Mechanism mechanism :
         { Mechanism::CgroupV2, Mechanism::Subreaper, Mechanism::ProcessGroup }) {
        const QByteArray name = mechanismName(mechanism);
        const auto row = [&](const char *what, const QString &program, Kind kind, int code) {
            QTest::addRow("%s %s", name.constData(), what) << mechanism << program << kind << code;
        };
        row("missing", temporaryPath(QStringLiteral("missing")), Kind::NotFound, ENOENT);
        row("missing folder", temporaryPath(QStringLiteral("missing/program")), Kind::NotFound,
            ENOENT);
        row("not in the path", QStringLiteral("pk-no-such-program"), Kind::NotFound, ENOENT);
        row("directory", folder, Kind::PermissionDenied, EACCES);
        row("no permission", plain, Kind::PermissionDenied, EACCES);
        row("below a file", plain + QStringLiteral("/program"), Kind::NotFound, ENOTDIR);
        row("empty", QString(), Kind::InvalidArgument, 0);
    }
}

void tst_Launch::fails()
{
    QFETCH(Mechanism, mechanism);
    QFETCH(QString, program);
    QFETCH(Kind, kind);
    QFETCH(int, code);
    PK_REQUIRE_MECHANISM(mechanism);

    ContainedProcess process;
    process.setRequestedMechanism(mechanism);
    // our own PATH may lead through what this user may not look into
    auto environment = QProcessEnvironment::systemEnvironment();
    environment.insert(QStringLiteral("PATH"), QStringLiteral("/usr/bin:/bin"));
    process.setProcessEnvironment(environment);
    QSignalSpy errors(&process, &ContainedProcess::errorOccurred);
    QSignalSpy states(&process, &ContainedProcess::stateChanged);
    QSignalSpy started(&process, &ContainedProcess::started);
    QSignalSpy finished(&process, &ContainedProcess::finished);
    process.start(program, {});
    QVERIFY(!process.waitForStarted(Patience));
    QCOMPARE(errors.count(), 1);
    QCOMPARE(errors[0][0].value<QProcess::ProcessError>(), QProcess::FailedToStart);
    QCOMPARE(process.error(), QProcess::FailedToStart);
    QCOMPARE(process.state(), QProcess::NotRunning);
    QCOMPARE(process.processId(), 0);
    QCOMPARE(started.count(), 0);
    QCOMPARE(finished.count(), 0);
    QVERIFY(!process.errorString().isEmpty());
    if (!program.isEmpty()) {
        QCOMPARE(states.count(), 2);
        QCOMPARE(states[0][0].value<QProcess::ProcessState>(), QProcess::Starting);
        QCOMPARE(states[1][0].value<QProcess::ProcessState>(), QProcess::NotRunning);
    }
    const auto failure = process.failure();
    QCOMPARE(failure.kind(), kind);
    QCOMPARE(failure.nativeCode(), code);
    QCOMPARE(failure.program(), program);
    QVERIFY(!failure.text().isEmpty());
    QVERIFY(process.isTreeEmpty());
    QVERIFY(process.waitForTreeEmptied(Patience));
    QVERIFY(!process.waitForFinished(Patience));
    QVERIFY(!process.waitForReadyRead(Patience));
}

// the object is as good as new after a failure, and forgets the error when a start succeeds
void tst_Launch::failsAndStartsAgain()
{
    ContainedProcess process;
    for (int i = 0; i < 5; ++i) {
        process.start(temporaryPath(QStringLiteral("missing")), {});
        QVERIFY(!process.waitForStarted(Patience));
        QCOMPARE(process.failure().kind(), Kind::NotFound);
        QCOMPARE(outputOf(process, { QStringLiteral("lines"), QStringLiteral("1") }), "1\n");
        QCOMPARE(process.failure().kind(), Kind::None);
    }
}

void tst_Launch::directoryFails_data()
{
    addLaunchRows();
}

void tst_Launch::directoryFails()
{
    QFETCH(Mechanism, mechanism);
    PK_REQUIRE_MECHANISM(mechanism);
    const QString file = makeFile(temporaryPath(QStringLiteral("file")), "text", 0644);
    for (const QString &directory : { temporaryPath(QStringLiteral("missing")), file }) {
        ContainedProcess process;
        process.setRequestedMechanism(mechanism);
        process.setWorkingDirectory(directory);
        QSignalSpy errors(&process, &ContainedProcess::errorOccurred);
        process.start(helper(), { QStringLiteral("exit") });
        QVERIFY(!process.waitForStarted(Patience));
        QCOMPARE(errors.count(), 1);
        QCOMPARE(process.error(), QProcess::FailedToStart);
        QVERIFY2(process.errorString().startsWith(QLatin1String("chdir:")),
                 qPrintable(process.errorString()));
        QCOMPARE(process.failure().kind(), Kind::WorkingDirectory);
        QCOMPARE(process.failure().nativeCode(), directory == file ? ENOTDIR : ENOENT);
    }
}

void tst_Launch::embeddedNul_data()
{
    QTest::addColumn<int>("where");
    QTest::newRow("program") << 0;
    QTest::newRow("argument") << 1;
    QTest::newRow("environment") << 2;
    QTest::newRow("working directory") << 3;
}

// cut off at the NUL, it would silently be another program, argument, ...
void tst_Launch::embeddedNul()
{
    QFETCH(int, where);
    const QString text = QStringLiteral("be") + QChar(u'\0') + QStringLiteral("fore");
    ContainedProcess process;
    QStringList arguments = { QStringLiteral("args") };
    QString program = helper();
    if (where == 0)
        program += text;
    if (where == 1)
        arguments.append(text);
    if (where == 2) {
        QProcessEnvironment environment = emptyEnvironment();
        environment.insert(QStringLiteral("NAME"), text);
        process.setProcessEnvironment(environment);
    }
    if (where == 3)
        process.setWorkingDirectory(QStringLiteral("/") + text);
    process.start(program, arguments);
    QVERIFY(!process.waitForStarted(Patience));
    QCOMPARE(process.error(), QProcess::FailedToStart);
    QCOMPARE(process.failure().kind(), Kind::InvalidArgument);
}

void tst_Launch::errorTextHasNoSecrets()
{
    const QString secret = QStringLiteral("hunter2");
    ContainedProcess process;
    QProcessEnvironment environment = emptyEnvironment();
    environment.insert(QStringLiteral("PASSWORD"), secret);
    process.setProcessEnvironment(environment);
    for (const QString &directory : { QString(), QStringLiteral("/nonexistent-") + secret }) {
        process.setWorkingDirectory(directory);
        process.start(QStringLiteral("/nonexistent"), { secret });
        QVERIFY(!process.waitForStarted(Patience));
        QString debug;
        QDebug(&debug) << process.failure() << static_cast<QObject *>(&process);
        QVERIFY2(!process.failure().text().contains(secret), qPrintable(process.failure().text()));
        QVERIFY2(!process.errorString().contains(secret), qPrintable(process.errorString()));
        QVERIFY2(!debug.contains(secret), qPrintable(debug));
    }
}

void tst_Launch::badInterpreter()
{
    const QString script =
            makeFile(temporaryPath(QStringLiteral("script")), "#!/nonexistent/interpreter\n", 0755);
    ContainedProcess process;
    process.start(script, {});
    QVERIFY(!process.waitForStarted(Patience));
    QCOMPARE(process.error(), QProcess::FailedToStart);
    QCOMPARE(process.failure().kind(), Kind::NotFound);
    QCOMPARE(process.failure().nativeCode(), ENOENT);
}

void tst_Launch::scriptWithoutInterpreter()
{
    const QString script = makeFile(temporaryPath(QStringLiteral("garbage")), "garbage\n", 0755);
    ContainedProcess process;
    process.start(script, {});
    QVERIFY(!process.waitForStarted(Patience));
    QCOMPARE(process.failure().kind(), Kind::Spawn);
    QCOMPARE(process.failure().nativeCode(), ENOEXEC);
}

void tst_Launch::lookup_data()
{
    addLaunchRows();
}

// a bare name is looked up where the child would look, not where we would
void tst_Launch::lookup()
{
    QFETCH(Mechanism, mechanism);
    PK_REQUIRE_MECHANISM(mechanism);
    const QString folder = temporaryPath(QStringLiteral("programs"));
    QDir().mkpath(folder);
    const QString program = folder + QStringLiteral("/pk-only-there");
    QFile::link(helper(), program);
    ContainedProcess process;
    process.setRequestedMechanism(mechanism);
    QProcessEnvironment environment = emptyEnvironment();
    environment.insert(QStringLiteral("PATH"), QStringLiteral("/nonexistent:") + folder);
    process.setProcessEnvironment(environment);
    process.start(QStringLiteral("pk-only-there"),
                  { QStringLiteral("lines"), QStringLiteral("1") });
    QVERIFY2(process.waitForFinished(Patience), qPrintable(process.failure().diagnostic()));
    QCOMPARE(process.readAllStandardOutput(), "1\n");

    // and a name that our own PATH would find is not found in another one
    environment.insert(QStringLiteral("PATH"), folder);
    process.setProcessEnvironment(environment);
    process.start(QStringLiteral("sh"), { QStringLiteral("-c"), QStringLiteral("true") });
    QVERIFY(!process.waitForStarted(Patience));
    QCOMPARE(process.failure().kind(), Kind::NotFound);
}

void tst_Launch::lookupMiss()
{
    ContainedProcess process;
    QProcessEnvironment environment = emptyEnvironment();
    environment.insert(QStringLiteral("PATH"), QStringLiteral("/nonexistent/a:/nonexistent/b"));
    process.setProcessEnvironment(environment);
    process.start(QStringLiteral("pk-no-such-program"), {});
    QVERIFY(!process.waitForStarted(Patience));
    const auto failure = process.failure();
    QCOMPARE(failure.kind(), Kind::NotFound);
    QCOMPARE(failure.searchedDirectories(),
             QStringList({ QStringLiteral("/nonexistent/a"), QStringLiteral("/nonexistent/b") }));
    QVERIFY(failure.diagnostic().contains(QStringLiteral("/nonexistent/b")));
}

void tst_Launch::lookupPassesWhatCannotBeRun()
{
    const QString first = temporaryPath(QStringLiteral("first"));
    const QString second = temporaryPath(QStringLiteral("second"));
    QDir().mkpath(first + QStringLiteral("/pk-twice"));
    QDir().mkpath(second);
    QFile::link(helper(), second + QStringLiteral("/pk-twice"));
    ContainedProcess process;
    QProcessEnvironment environment = emptyEnvironment();
    environment.insert(QStringLiteral("PATH"), first + QLatin1Char(':') + second);
    process.setProcessEnvironment(environment);
    process.start(QStringLiteral("pk-twice"), { QStringLiteral("exit"), QStringLiteral("3") });
    QVERIFY2(process.waitForFinished(Patience), qPrintable(process.failure().diagnostic()));
    QCOMPARE(process.exitCode(), 3);

    // when nothing else is there, what could not be run is the reason
    environment.insert(QStringLiteral("PATH"), first);
    process.setProcessEnvironment(environment);
    process.start(QStringLiteral("pk-twice"), {});
    QVERIFY(!process.waitForStarted(Patience));
    QCOMPARE(process.failure().kind(), Kind::PermissionDenied);
}

void tst_Launch::lookupWithoutPath()
{
    ContainedProcess process;
    process.setProcessEnvironment(emptyEnvironment());
    process.start(QStringLiteral("true"), {}); // in the system's default path
    QVERIFY2(process.waitForFinished(Patience), qPrintable(process.failure().diagnostic()));
    QCOMPARE(process.exitCode(), 0);
}

// a relative program is relative to the directory of the child, as QProcess has it on Unix
void tst_Launch::relativeProgram()
{
    ContainedProcess process;
    process.setWorkingDirectory(QCoreApplication::applicationDirPath());
    process.start(QStringLiteral("./pk-helper"), { QStringLiteral("cwd") });
    QVERIFY2(process.waitForFinished(Patience), qPrintable(process.failure().diagnostic()));
    QCOMPARE(process.readAll(), QCoreApplication::applicationDirPath().toLocal8Bit() + '\n');
    process.setWorkingDirectory(QStringLiteral("/"));
    process.start(QStringLiteral("./pk-helper"), { QStringLiteral("cwd") });
    QVERIFY(!process.waitForStarted(Patience));
    QCOMPARE(process.failure().kind(), Kind::NotFound);
}

void tst_Launch::manyArguments_data()
{
    addLaunchRows();
}

void tst_Launch::manyArguments()
{
    QFETCH(Mechanism, mechanism);
    PK_REQUIRE_MECHANISM(mechanism);
    QStringList arguments(QStringLiteral("argcount"));
    for (int i = 0; i < 10000; ++i)
        arguments.append(QStringLiteral("argument-%1").arg(i, 5, 10, QLatin1Char('0')));
    ContainedProcess process;
    process.setRequestedMechanism(mechanism);
    QCOMPARE(outputOf(process, arguments), "10000 140000\n");
    QCOMPARE(process.arguments().size(), 10001);
}

void tst_Launch::argumentsArriveAsTheyAre_data()
{
    addLaunchRows();
}

void tst_Launch::argumentsArriveAsTheyAre()
{
    QFETCH(Mechanism, mechanism);
    PK_REQUIRE_MECHANISM(mechanism);
    const QStringList arguments = { QString(),
                                    QStringLiteral(" a b "),
                                    QStringLiteral("\"quoted\""),
                                    QStringLiteral("'single'"),
                                    QStringLiteral("back\\slash"),
                                    QStringLiteral("line\nfeed"),
                                    QStringLiteral("$HOME `id` *"),
                                    QStringLiteral("\u00e4\u20ac\U0001F600"),
                                    QString() };
    QByteArray expected = QByteArray::number(arguments.size()) + '\n';
    for (const QString &argument : arguments) {
        const QByteArray bytes = QFile::encodeName(argument);
        expected += QByteArray::number(bytes.size()) + ':' + bytes + '\n';
    }
    ContainedProcess process;
    process.setRequestedMechanism(mechanism);
    QCOMPARE(outputOf(process, QStringList(QStringLiteral("args")) + arguments), expected);
}

// What the kernel takes for one string and for all of them; proc(5), execve(2).
static qsizetype longestString()
{
    return 32 * sysconf(_SC_PAGESIZE) - 1;
}

static qsizetype mostArguments()
{
    return sysconf(_SC_ARG_MAX);
}

void tst_Launch::largeEnvironment_data()
{
    addLaunchRows();
}

void tst_Launch::largeEnvironment()
{
    QFETCH(Mechanism, mechanism);
    PK_REQUIRE_MECHANISM(mechanism);
    ContainedProcess process;
    process.setRequestedMechanism(mechanism);

    // the longest single entry
    QProcessEnvironment environment = emptyEnvironment();
    const auto before = environment.keys().size();
    const QString name = QStringLiteral("LONG");
    environment.insert(name, QString(longestString() - name.size() - 1, QLatin1Char('v')));
    process.setProcessEnvironment(environment);
    QCOMPARE(outputOf(process, { QStringLiteral("envsize") }).split(' ').value(0).toInt(),
             int(before + 1));

    // as much in all as fits: pointers count, and the kernel keeps a little for itself
    environment = emptyEnvironment();
    qsizetype left = mostArguments() - 64 * 1024;
    int count = 0;
    while (left > 0) {
        const qsizetype length = qMin<qsizetype>(left, 64 * 1024);
        environment.insert(QStringLiteral("E%1").arg(++count),
                           QString(qMax<qsizetype>(length - 32, 1), QLatin1Char('v')));
        left -= length;
    }
    process.setProcessEnvironment(environment);
    const QByteArray size = outputOf(process, { QStringLiteral("envsize") });
    QCOMPARE(size.split(' ').value(0).toInt(), int(before) + count);
    QVERIFY(size.split(' ').value(1).trimmed().toLongLong() > mostArguments() - 128 * 1024);
}

void tst_Launch::oversize_data()
{
    addLaunchRows();
}

void tst_Launch::oversize()
{
    QFETCH(Mechanism, mechanism);
    PK_REQUIRE_MECHANISM(mechanism);
    for (int what = 0; what < 3; ++what) {
        ContainedProcess process;
        process.setRequestedMechanism(mechanism);
        QStringList arguments(QStringLiteral("exit"));
        QProcessEnvironment environment = emptyEnvironment();
        if (what == 0)
            environment.insert(QStringLiteral("L"), QString(longestString(), QLatin1Char('v')));
        if (what == 1) {
            for (int i = 0; i < mostArguments() / 65536 + 2; ++i)
                environment.insert(QStringLiteral("E%1").arg(i), QString(65536, QLatin1Char('v')));
        }
        if (what == 2)
            arguments.append(QString(longestString() + 1, QLatin1Char('a')));
        process.setProcessEnvironment(environment);
        process.start(helper(), arguments);
        QVERIFY(!process.waitForStarted(Patience));
        QCOMPARE(process.error(), QProcess::FailedToStart);
        QCOMPARE(process.failure().nativeCode(), E2BIG);
        QVERIFY(process.failure().kind() == Kind::ResourceLimit
                || process.failure().kind() == Kind::Spawn
                || process.failure().kind() == Kind::InvalidArgument);
        QVERIFY(!process.failure().text().contains(QStringLiteral("vvvv")));
    }
}

void tst_Launch::environment_data()
{
    addLaunchRows();
}

void tst_Launch::environment()
{
    QFETCH(Mechanism, mechanism);
    PK_REQUIRE_MECHANISM(mechanism);
    ContainedProcess process;
    process.setRequestedMechanism(mechanism);
    QVERIFY(process.processEnvironment().isEmpty());
    QVERIFY(process.environment().isEmpty());

    // without one of its own, the child has ours as it is at the start
    qputenv("PK_INHERITED", "yes");
    QVERIFY(outputOf(process, { QStringLiteral("env") }).contains("PK_INHERITED=yes\n"));
    qunsetenv("PK_INHERITED");
    QVERIFY(!outputOf(process, { QStringLiteral("env") }).contains("PK_INHERITED"));

    QProcessEnvironment environment = emptyEnvironment();
    environment.insert(QStringLiteral("EMPTY"), QStringLiteral(""));
    environment.insert(QStringLiteral("TEXT"), QStringLiteral("a=b c\u20ac"));
    process.setProcessEnvironment(environment);
    QCOMPARE(process.processEnvironment(), environment);
    const QByteArray output = outputOf(process, { QStringLiteral("env") });
    QCOMPARE(output.count('\n'), environment.keys().size());
    QVERIFY(output.contains("\nEMPTY=\n") || output.startsWith("EMPTY=\n"));
    QVERIFY(output.contains(QStringLiteral("TEXT=a=b c\u20ac\n").toLocal8Bit()));

    process.setProcessEnvironment(QProcessEnvironment(QProcessEnvironment::InheritFromParent));
    QVERIFY(outputOf(process, { QStringLiteral("env") }).contains(token() + '\n'));

    process.setEnvironment({ QString::fromLatin1(token()), QStringLiteral("ONLY=this") });
    QCOMPARE(outputOf(process, { QStringLiteral("env") }).count('\n'), 2);
}

void tst_Launch::workingDirectory_data()
{
    addLaunchRows();
}

void tst_Launch::workingDirectory()
{
    QFETCH(Mechanism, mechanism);
    PK_REQUIRE_MECHANISM(mechanism);
    const QString folder = QDir(temporaryPath(QString())).canonicalPath();
    ContainedProcess process;
    process.setRequestedMechanism(mechanism);
    process.setWorkingDirectory(folder);
    QCOMPARE(outputOf(process, { QStringLiteral("cwd") }), folder.toLocal8Bit() + '\n');
    process.setWorkingDirectory(QString());
    QCOMPARE(outputOf(process, { QStringLiteral("cwd") }),
             QDir::currentPath().toLocal8Bit() + '\n');

    // ours may change at any time; what counts is the one at the start
    const QString before = QDir::currentPath();
    QDir::setCurrent(folder);
    process.setWorkingDirectory(QStringLiteral("."));
    const QByteArray relative = outputOf(process, { QStringLiteral("cwd") });
    process.setWorkingDirectory(QString());
    const QByteArray inherited = outputOf(process, { QStringLiteral("cwd") });
    QDir::setCurrent(before);
    QCOMPARE(relative, folder.toLocal8Bit() + '\n');
    QCOMPARE(inherited, folder.toLocal8Bit() + '\n');
}

void tst_Launch::descriptors_data()
{
    addLaunchRows();
}

void tst_Launch::descriptors()
{
    QFETCH(Mechanism, mechanism);
    PK_REQUIRE_MECHANISM(mechanism);
    const int leaky = open("/dev/null", O_RDWR); // without close-on-exec
    const int high = fcntl(leaky, F_DUPFD, 200);
    QVERIFY(leaky > 2 && high >= 200);
    ContainedProcess process;
    process.setRequestedMechanism(mechanism);
    const QByteArray seen = outputOf(process, { QStringLiteral("fds") });
    close(leaky);
    close(high);
    QCOMPARE(seen, "0 1 2\n");
}

void tst_Launch::inheritedDescriptors_data()
{
    addLaunchRows();
}

void tst_Launch::inheritedDescriptors()
{
    QFETCH(Mechanism, mechanism);
    PK_REQUIRE_MECHANISM(mechanism);
    const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    const int high = fcntl(null, F_DUPFD_CLOEXEC, 150);
    ContainedProcess process;
    process.setRequestedMechanism(mechanism);
    process.setInheritedDescriptors({ high, null });
    QCOMPARE(process.inheritedDescriptors(), QList<int>({ high, null }));
    const QByteArray seen = outputOf(process, { QStringLiteral("fds") });
    const QByteArray path = outputOf(process, { QStringLiteral("fdpath"), QString::number(high) });
    // ours stay close-on-exec for everything else
    const bool closing = fcntl(null, F_GETFD) == FD_CLOEXEC && fcntl(high, F_GETFD) == FD_CLOEXEC;
    close(null);
    close(high);
    QCOMPARE(seen, "0 1 2 " + QByteArray::number(null) + ' ' + QByteArray::number(high) + '\n');
    QCOMPARE(path, "/dev/null\n");
    QVERIFY(closing);

    // one that is not open is an error before anything runs
    process.start(helper(), { QStringLiteral("exit") });
    QVERIFY(!process.waitForStarted(Patience));
    QCOMPARE(process.error(), QProcess::FailedToStart);
    QCOMPARE(process.failure().nativeCode(), EBADF);
}

void tst_Launch::signalState_data()
{
    addLaunchRows();
}

void tst_Launch::signalState()
{
    QFETCH(Mechanism, mechanism);
    PK_REQUIRE_MECHANISM(mechanism);
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    const auto pipeBefore = signal(SIGPIPE, SIG_IGN);
    const auto handlerBefore = signal(SIGUSR2, [](int) {});
    ContainedProcess process;
    process.setRequestedMechanism(mechanism);
    const QByteArray state = outputOf(process, { QStringLiteral("signals") });
    signal(SIGPIPE, pipeBefore);
    signal(SIGUSR2, handlerBefore);
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    QCOMPARE(state,
             QByteArray("SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n"
                        "SigCgt:\t0000000000000000\n"));
}

void tst_Launch::fileModeMask_data()
{
    addLaunchRows();
}

void tst_Launch::fileModeMask()
{
    QFETCH(Mechanism, mechanism);
    PK_REQUIRE_MECHANISM(mechanism);
    ContainedProcess process;
    process.setRequestedMechanism(mechanism);
    const mode_t before = umask(0137);
    const QByteArray mask = outputOf(process, { QStringLiteral("umask") });
    umask(before);
    QCOMPARE(mask, QByteArray::number(0137) + '\n');
}

// Somebody tidies up empty cgroups, ours among them: the next start makes new ones.
void tst_Launch::removedCgroups()
{
    PK_REQUIRE_MECHANISM(Mechanism::CgroupV2);
    const auto self = procStat(getpid());
    const auto remove = [](const QString &path) {
        return rmdir(QFile::encodeName(path).constData()) == 0;
    };
    for (const bool all : { false, true, true }) {
        ContainedProcess process;
        process.setRequestedMechanism(Mechanism::CgroupV2);
        QCOMPARE(outputOf(process, { QStringLiteral("lines"), QStringLiteral("1") }), "1\n");
        QVERIFY(process.waitForTreeEmptied(Patience));
        for (const QString &root : applicationCgroups(self->pid, self->startTime)) {
            for (const QString &leaf : cgroupsBelow(root))
                QVERIFY(remove(leaf));
            QVERIFY(!all || remove(root));
        }
        QCOMPARE(outputOf(process, { QStringLiteral("lines"), QStringLiteral("1") }), "1\n");
        QCOMPARE(process.mechanism(), Mechanism::CgroupV2);
    }
}

void tst_Launch::fewDescriptors_data()
{
    addLaunchRows();
}

// With each number of descriptors left over, a start works or fails with a typed error; with
// enough of them it works again.
void tst_Launch::fewDescriptors()
{
    QFETCH(Mechanism, mechanism);
    PK_REQUIRE_MECHANISM(mechanism);
    rlimit before{};
    QCOMPARE(getrlimit(RLIMIT_NOFILE, &before), 0);
    // the limit is on numbers, so those below the highest have to be in use
    const int used = openDescriptors(getpid()).lastKey() + 1;
    QList<int> fill;
    for (int fd = 0; (fd = open("/dev/null", O_RDONLY | O_CLOEXEC)) < used && fd >= 0;)
        fill.append(fd);
    close(openDescriptors(getpid()).lastKey());
    const auto release = qScopeGuard([&fill] {
        for (int fd : std::as_const(fill))
            close(fd);
    });
    bool failed = false;
    bool succeeded = false;
    for (int spare = 0; spare < 40; ++spare) {
        rlimit few = before;
        few.rlim_cur = rlim_t(used + spare);
        QCOMPARE(setrlimit(RLIMIT_NOFILE, &few), 0);
        ContainedProcess process;
        process.setRequestedMechanism(mechanism);
        process.start(helper(), { QStringLiteral("lines"), QStringLiteral("2") });
        const bool started = process.waitForStarted(Patience);
        const bool finished = started && process.waitForFinished(Patience);
        setrlimit(RLIMIT_NOFILE, &before);
        if (started) {
            QVERIFY(finished);
            QCOMPARE(process.readAllStandardOutput(), "1\n2\n");
            succeeded = true;
        } else {
            QCOMPARE(process.error(), QProcess::FailedToStart);
            QVERIFY2(process.failure().kind() == Kind::ResourceLimit,
                     qPrintable(process.failure().diagnostic()));
            QCOMPARE(process.failure().nativeCode(), EMFILE);
            failed = true;
        }
        QVERIFY(process.waitForTreeEmptied(Patience));
        QCOMPARE(outputOf(process, { QStringLiteral("lines"), QStringLiteral("1") }), "1\n");
    }
    QVERIFY(failed);
    QVERIFY(succeeded);
}

QTEST_GUILESS_MAIN(tst_Launch)
#include "tst_launch.moc"
