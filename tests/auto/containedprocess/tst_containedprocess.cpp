// SPDX-License-Identifier: MIT
#include "cleantest.h"
#include "procfs.h"

#include <ProcessKit/containedprocess.h>
#include <ProcessKit/processgroup.h>

#include <QtCore/qdir.h>
#include <QtCore/qpointer.h>
#include <QtCore/qthread.h>
#include <QtTest/qsignalspy.h>

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

using namespace PkTest;
using namespace ProcessKit;
using namespace std::chrono_literals;

// The life of a ContainedProcess: states, signals, waiting, ends. QProcess's contract, mostly.
class tst_ContainedProcess : public CleanTest
{
    Q_OBJECT

private Q_SLOTS:
    void constructing();
    void properties();
    void signalSequence_data();
    void signalSequence();
    void startIsAsynchronous();
    void startWithModes_data();
    void startWithModes();
    void startWhileRunning();
    void startCommand();
    void openStarts();
    void exitCodes();
    void crash_data();
    void crash();
    void terminate();
    void terminateIgnored();
    void waitWithoutStart();
    void waitTimesOut();
    void waitForFinishedEmits();
    void waitInSlots_data();
    void waitInSlots();
    void restart();
    void restartInFinished();
    void restartWhileLeftoversLive();
    void killThenStart();
    void deleteInSlot_data();
    void deleteInSlot();
    void deleteWithEventsPending();
    void workerThread_data();
    void workerThread();
    void threadThatEnds_data();
    void threadThatEnds();
    void moveToThread();
    void childProcessModifier_data();
    void childProcessModifier();
    void modifierIsRunEachTime();
    void execute();
    void splitCommand();
    void statics();
    void detachedParameters();
    void detachedFails();
    void derived();
    void shutdown_data();
    void shutdown();
    void shutdownOfTheDead();
    void destructionIsQuiet();
    void processIds();
    void modifierThatForks_data();
    void modifierThatForks();
};

static QStringList args(std::initializer_list<const char *> words)
{
    QStringList list;
    for (const char *word : words)
        list.append(QString::fromUtf8(word));
    return list;
}

void tst_ContainedProcess::constructing()
{
    QObject parent;
    auto *process = new ContainedProcess(&parent);
    QCOMPARE(process->parent(), &parent);
    QCOMPARE(process->readChannel(), QProcess::StandardOutput);
    QCOMPARE(process->processChannelMode(), QProcess::SeparateChannels);
    QCOMPARE(process->inputChannelMode(), QProcess::ManagedInputChannel);
    QCOMPARE(process->workingDirectory(), QString());
    QVERIFY(process->processEnvironment().inheritsFromParent());
    QCOMPARE(process->error(), QProcess::UnknownError);
    QCOMPARE(process->state(), QProcess::NotRunning);
    QCOMPARE(process->processId(), 0);
    QCOMPARE(process->exitCode(), 0);
    QCOMPARE(process->exitStatus(), QProcess::NormalExit);
    QCOMPARE(process->bytesAvailable(), 0);
    QCOMPARE(process->bytesToWrite(), 0);
    QVERIFY(!process->canReadLine());
    QVERIFY(process->isSequential());
    QVERIFY(!process->isOpen());
    QVERIFY(process->atEnd());
    QCOMPARE(process->mechanism(), Mechanism::None);
    QCOMPARE(process->leftovers(), Leftovers::Drain);
    QCOMPARE(process->group(), nullptr);
    QVERIFY(process->isTreeEmpty());
    QVERIFY(!process->failure());
    QVERIFY(!process->streamsCut());
    QVERIFY(process->childProcessModifier() == nullptr);
    QVERIFY(process->program().isEmpty());
    QVERIFY(process->arguments().isEmpty());
    QVERIFY(process->inheritedDescriptors().isEmpty());

    QCOMPARE(QMetaType::fromType<Mechanism>().isValid(), true);
    QVERIFY(process->metaObject()->indexOfProperty("state") >= 0);
    QCOMPARE(process->property("state").value<QProcess::ProcessState>(), QProcess::NotRunning);
}

void tst_ContainedProcess::properties()
{
    ContainedProcess process;
    QSignalSpy limits(&process, &ContainedProcess::readLimitChanged);
    QSignalSpy policies(&process, &ContainedProcess::leftoversChanged);
    process.setReadLimit(12345);
    process.setReadLimit(12345);
    QCOMPARE(process.readLimit(), 12345);
    QCOMPARE(limits.count(), 1);
    process.setLeftovers(Leftovers::Leave);
    process.setLeftovers(Leftovers::Leave);
    QCOMPARE(process.leftovers(), Leftovers::Leave);
    QCOMPARE(policies.count(), 1);
    process.setMaximumLineLength(77);
    QCOMPARE(process.maximumLineLength(), 77);
    process.setProgram(QStringLiteral("program"));
    process.setArguments(args({ "a", "b" }));
    process.setWorkingDirectory(QStringLiteral("/tmp"));
    QCOMPARE(process.program(), QStringLiteral("program"));
    QCOMPARE(process.arguments(), args({ "a", "b" }));
    QCOMPARE(process.workingDirectory(), QStringLiteral("/tmp"));
    process.setReadChannel(QProcess::StandardError);
    QCOMPARE(process.readChannel(), QProcess::StandardError);
    process.setProcessChannelMode(QProcess::MergedChannels);
    QCOMPARE(process.processChannelMode(), QProcess::MergedChannels);
    process.setInputChannelMode(QProcess::ForwardedInputChannel);
    QCOMPARE(process.inputChannelMode(), QProcess::ForwardedInputChannel);
}

void tst_ContainedProcess::signalSequence_data()
{
    addMechanismRows();
}

void tst_ContainedProcess::signalSequence()
{
    QFETCH(Mechanism, mechanism);
    PK_REQUIRE_MECHANISM(mechanism);
    ContainedProcess process;
    process.setRequestedMechanism(mechanism);
    QByteArrayList log;
    connect(&process, &ContainedProcess::stateChanged, this, [&](QProcess::ProcessState state) {
        QCOMPARE(process.state(), state);
        log += state == QProcess::Starting   ? "starting"
                : state == QProcess::Running ? "running"
                                             : "not running";
    });
    connect(&process, &ContainedProcess::started, this, [&] { log += "started"; });
    connect(&process, &ContainedProcess::readyRead, this, [&] {
        if (log.constLast() != "read")
            log += "read";
        process.readAll();
    });
    connect(&process, &ContainedProcess::readChannelFinished, this, [&] { log += "end"; });
    connect(&process, &ContainedProcess::exited, this, [&](int code, QProcess::ExitStatus status) {
        QCOMPARE(code, 3);
        QCOMPARE(status, QProcess::NormalExit);
        log += "exited";
    });
    connect(&process, &ContainedProcess::finished, this,
            [&](int code, QProcess::ExitStatus status) {
                QCOMPARE(code, 3);
                QCOMPARE(status, QProcess::NormalExit);
                QCOMPARE(process.state(), QProcess::NotRunning);
                log += "finished";
            });
    connect(&process, &ContainedProcess::treeEmptied, this, [&] { log += "emptied"; });
    connect(&process, &ContainedProcess::errorOccurred, this, [&] { log += "error"; });
    process.start(QStringLiteral("/bin/sh"), args({ "-c", "echo text; exit 3" }));
    QTRY_VERIFY_WITH_TIMEOUT(log.contains("emptied") && log.contains("finished"), Patience);
    // where "exited" and "emptied" fall among the others is a matter of chance, but for these
    QCOMPARE(log.count("exited"), 1);
    QCOMPARE(log.count("emptied"), 1);
    QVERIFY(log.indexOf("exited") < log.indexOf("finished"));
    QVERIFY(log.indexOf("exited") <= log.indexOf("emptied"));
    log.removeAll("exited");
    log.removeAll("emptied");
    log.removeAll("end");
    QCOMPARE(log,
             QByteArrayList(
                     { "starting", "running", "started", "read", "not running", "finished" }));
}

void tst_ContainedProcess::startIsAsynchronous()
{
    ContainedProcess process;
    QSignalSpy started(&process, &ContainedProcess::started);
    QSignalSpy states(&process, &ContainedProcess::stateChanged);
    process.start(helper(), args({ "pause" }));
    QCOMPARE(process.state(), QProcess::Starting);
    QCOMPARE(states.count(), 1);
    QVERIFY(process.isOpen());
    QVERIFY(started.wait(Patience));
    QCOMPARE(process.state(), QProcess::Running);
    QVERIFY(process.processId() > 0);
    QVERIFY(process.waitForStarted(0)); // it has
    QCOMPARE(started.count(), 1);
}

void tst_ContainedProcess::startWithModes_data()
{
    QTest::addColumn<QIODevice::OpenMode>("mode");
    QTest::newRow("read") << QIODevice::OpenMode(QIODevice::ReadOnly);
    QTest::newRow("write") << QIODevice::OpenMode(QIODevice::WriteOnly);
    QTest::newRow("both") << QIODevice::OpenMode(QIODevice::ReadWrite);
    QTest::newRow("neither") << QIODevice::OpenMode(QIODevice::NotOpen);
    QTest::newRow("unbuffered") << QIODevice::OpenMode(QIODevice::ReadWrite
                                                       | QIODevice::Unbuffered);
}

void tst_ContainedProcess::startWithModes()
{
    QFETCH(QIODevice::OpenMode, mode);
    ContainedProcess process;
    process.start(helper(), args({ "echo" }), mode);
    QVERIFY2(process.waitForStarted(Patience), qPrintable(process.errorString()));
    QCOMPARE(process.isReadable(), mode.testFlag(QIODevice::ReadOnly));
    QCOMPARE(process.isWritable(), mode.testFlag(QIODevice::WriteOnly));
    if (process.isWritable())
        QCOMPARE(process.write("text"), 4);
    process.closeWriteChannel();
    QVERIFY(process.waitForFinished(Patience));
    QCOMPARE(process.exitCode(), 0);
    if (process.isReadable())
        QCOMPARE(process.readAll(), process.isWritable() ? QByteArray("text") : QByteArray());
}

void tst_ContainedProcess::startWhileRunning()
{
    ContainedProcess process;
    QSignalSpy started(&process, &ContainedProcess::started);
    process.start(helper(), args({ "pause" }));
    QVERIFY(process.waitForStarted(Patience));
    const qint64 pid = process.processId();
    QTest::ignoreMessage(QtWarningMsg, "QProcess::start: Process is already running");
    process.start(helper(), args({ "exit" }));
    QCOMPARE(process.processId(), pid);
    QCOMPARE(process.state(), QProcess::Running);
    QCOMPARE(started.count(), 1);
}

void tst_ContainedProcess::startCommand()
{
    ContainedProcess process;
    process.startCommand(QLatin1Char('"') + helper() + QStringLiteral("\" args \"one two\" three"));
    QVERIFY(process.waitForFinished(Patience));
    QCOMPARE(process.readAll(), "2\n7:one two\n5:three\n");
    QCOMPARE(process.program(), helper());
    QTest::ignoreMessage(QtWarningMsg,
                         "QProcess::startCommand: empty or whitespace-only command was provided");
    process.startCommand(QStringLiteral("  "));
    QVERIFY(!process.waitForStarted(Patience));
    QCOMPARE(process.error(), QProcess::FailedToStart);
}

void tst_ContainedProcess::openStarts()
{
    ContainedProcess process;
    process.setProgram(helper());
    process.setArguments(args({ "lines", "1" }));
    QVERIFY(process.open(QIODevice::ReadOnly));
    QVERIFY(process.waitForFinished(Patience));
    QCOMPARE(process.readAll(), "1\n");
    process.start();
    QVERIFY(process.waitForFinished(Patience));
    QCOMPARE(process.readAll(), "1\n");
}

void tst_ContainedProcess::exitCodes()
{
    for (int code = 0; code < 256; code += 15) {
        ContainedProcess process;
        process.start(helper(), { QStringLiteral("exit"), QString::number(code) });
        QVERIFY(process.waitForFinished(Patience));
        QCOMPARE(process.exitCode(), code);
        QCOMPARE(process.exitStatus(), QProcess::NormalExit);
        QCOMPARE(process.error(), QProcess::UnknownError);
    }
}

void tst_ContainedProcess::crash_data()
{
    QTest::addColumn<Mechanism>("mechanism");
    QTest::addColumn<int>("signal");
    for (Mechanism mechanism :
         { Mechanism::CgroupV2, Mechanism::Subreaper, Mechanism::ProcessGroup }) {
        for (int signal : { SIGKILL, SIGTERM, SIGUSR1, SIGABRT }) {
            QTest::addRow("%s %d", mechanismName(mechanism).constData(), signal)
                    << mechanism << signal;
        }
    }
}

void tst_ContainedProcess::crash()
{
    QFETCH(Mechanism, mechanism);
    QFETCH(int, signal);
    PK_REQUIRE_MECHANISM(mechanism);
    ContainedProcess process;
    process.setRequestedMechanism(mechanism);
    QSignalSpy errors(&process, &ContainedProcess::errorOccurred);
    QSignalSpy finished(&process, &ContainedProcess::finished);
    if (signal == SIGABRT)
        process.start(helper(), args({ "abort" }));
    else
        process.start(helper(), { QStringLiteral("raise"), QString::number(signal) });
    QVERIFY(process.waitForFinished(Patience));
    QCOMPARE(process.exitStatus(), QProcess::CrashExit);
    QCOMPARE(process.exitCode(), signal);
    QCOMPARE(process.error(), QProcess::Crashed);
    QCOMPARE(errors.count(), 1);
    QCOMPARE(errors[0][0].value<QProcess::ProcessError>(), QProcess::Crashed);
    QCOMPARE(finished.count(), 1);
    QCOMPARE(finished[0][1].value<QProcess::ExitStatus>(), QProcess::CrashExit);
    QVERIFY(!process.failure()); // it had started
}

void tst_ContainedProcess::terminate()
{
    ContainedProcess process;
    process.start(helper(), args({ "onterm", "9" }));
    QVERIFY(process.waitForReadyRead(Patience));
    process.terminate();
    QVERIFY(process.waitForFinished(Patience));
    QCOMPARE(process.exitStatus(), QProcess::NormalExit);
    QCOMPARE(process.exitCode(), 9);
    QCOMPARE(process.readAll(), "ready\nterminated\n");
}

void tst_ContainedProcess::terminateIgnored()
{
    ContainedProcess process;
    process.start(helper(), args({ "ignoreterm" }));
    QVERIFY(process.waitForReadyRead(Patience));
    process.terminate();
    process.closeWriteChannel();
    QVERIFY(process.waitForFinished(Patience));
    QCOMPARE(process.exitStatus(), QProcess::NormalExit); // it went by itself
    QCOMPARE(process.exitCode(), 0);
}

void tst_ContainedProcess::waitWithoutStart()
{
    ContainedProcess process;
    QVERIFY(!process.waitForStarted(Patience));
    QVERIFY(!process.waitForReadyRead(Patience));
    QVERIFY(!process.waitForBytesWritten(Patience));
    QVERIFY(!process.waitForFinished(Patience));
    QVERIFY(process.waitForTreeEmptied(Patience));
    process.closeWriteChannel();
    process.closeReadChannel(QProcess::StandardOutput);
    process.close();
}

void tst_ContainedProcess::waitTimesOut()
{
    ContainedProcess process;
    process.start(helper(), args({ "pause" }));
    QVERIFY(process.waitForStarted(Patience));
    QVERIFY(!process.waitForFinished(1));
    QCOMPARE(process.error(), QProcess::Timedout);
    QCOMPARE(process.state(), QProcess::Running);
    QVERIFY(!process.waitForReadyRead(1));
    QVERIFY(!process.waitForTreeEmptied(1));
    QVERIFY(!process.waitForFinished(0));
    process.kill();
    QVERIFY(process.waitForFinished(Patience));
    QCOMPARE(process.error(), QProcess::Crashed);
}

// a wait delivers what happens, on this thread, without an event loop
void tst_ContainedProcess::waitForFinishedEmits()
{
    ContainedProcess process;
    QByteArray seen;
    QSignalSpy started(&process, &ContainedProcess::started);
    QSignalSpy finished(&process, &ContainedProcess::finished);
    connect(&process, &ContainedProcess::readyReadStandardOutput, this, [&] {
        QCOMPARE(QThread::currentThread(), process.thread());
        seen += process.readAllStandardOutput();
    });
    process.start(helper(), args({ "lines", "1000" }));
    QVERIFY(process.waitForFinished(Patience));
    QCOMPARE(started.count(), 1);
    QCOMPARE(finished.count(), 1);
    QCOMPARE(seen.count('\n'), 1000);
    QCoreApplication::processEvents();
    QCOMPARE(started.count(), 1); // an event that was already posted says nothing twice
    QCOMPARE(finished.count(), 1);
    QCOMPARE(seen.count('\n'), 1000);
}

void tst_ContainedProcess::waitInSlots_data()
{
    QTest::addColumn<QByteArray>("slot");
    for (const char *slot : { "started", "readyRead", "stateChanged", "linesReady" })
        QTest::newRow(slot) << QByteArray(slot);
}

void tst_ContainedProcess::waitInSlots()
{
    QFETCH(QByteArray, slot);
    ContainedProcess process;
    int depth = 0;
    int deepest = 0;
    bool finishedInside = false;
    QSignalSpy finished(&process, &ContainedProcess::finished);
    const auto wait = [&] {
        if (process.state() != QProcess::Running || depth > 0)
            return;
        deepest = qMax(deepest, ++depth);
        finishedInside = process.waitForFinished(Patience);
        --depth;
    };
    if (slot == "started")
        connect(&process, &ContainedProcess::started, this, wait);
    if (slot == "readyRead")
        connect(&process, &ContainedProcess::readyRead, this, wait);
    if (slot == "stateChanged")
        connect(&process, &ContainedProcess::stateChanged, this, wait);
    if (slot == "linesReady")
        connect(&process, &ContainedProcess::linesReady, this, wait);
    process.start(helper(), args({ "write", "first\\n", "second\\n", "third\\n" }));
    QTRY_COMPARE_WITH_TIMEOUT(finished.count(), 1, Patience);
    QCOMPARE(process.state(), QProcess::NotRunning);
    QCOMPARE(finished.count(), 1);
    if (slot == "started" || slot == "stateChanged") {
        QVERIFY(finishedInside);
        QCOMPARE(deepest, 1);
    }
    if (slot != "linesReady")
        QCOMPARE(process.readAll(), "first\nsecond\nthird\n");
}

void tst_ContainedProcess::restart()
{
    ContainedProcess process;
    QSignalSpy started(&process, &ContainedProcess::started);
    QSignalSpy finished(&process, &ContainedProcess::finished);
    for (int i = 0; i < 20; ++i) {
        process.start(helper(), { QStringLiteral("exit"), QString::number(i) });
        if (i % 3 == 0)
            QVERIFY(process.waitForFinished(Patience));
        else
            QTRY_COMPARE_WITH_TIMEOUT(finished.count(), i + 1, Patience);
        QCOMPARE(process.exitCode(), i);
        QCOMPARE(process.bytesAvailable(), 0);
    }
    QCOMPARE(started.count(), 20);
    QCOMPARE(finished.count(), 20);

    // what is left of one run is not seen in the next
    process.start(helper(), args({ "lines", "3" }));
    QVERIFY(process.waitForFinished(Patience));
    QVERIFY(process.bytesAvailable() > 0);
    process.start(helper(), args({ "write", "new" }));
    QVERIFY(process.waitForFinished(Patience));
    QCOMPARE(process.readAll(), "new");
}

void tst_ContainedProcess::restartInFinished()
{
    ContainedProcess process;
    int rounds = 0;
    connect(&process, &ContainedProcess::finished, this, [&](int code) {
        QCOMPARE(code, rounds);
        if (++rounds < 10)
            process.start(helper(), { QStringLiteral("exit"), QString::number(rounds) });
    });
    process.start(helper(), args({ "exit", "0" }));
    QTRY_COMPARE_WITH_TIMEOUT(rounds, 10, Patience);
}

// A new start does not wait for the leftovers of the one before; they end as they would have.
void tst_ContainedProcess::restartWhileLeftoversLive()
{
    ContainedProcess process;
    process.start(helper(), args({ "tree", "grandchild" }));
    QVERIFY(reports().waitFor({ "main", "grandchild" }));
    const std::vector<PidHandle> members = reports().handles();
    process.closeWriteChannel();
    QVERIFY(process.waitForFinished(Patience));
    process.start(helper(), args({ "exit", "2" }));
    QVERIFY(process.waitForFinished(Patience));
    QCOMPARE(process.exitCode(), 2);
    for (const PidHandle &member : members)
        QVERIFY(member.waitGone());
}

void tst_ContainedProcess::killThenStart()
{
    ContainedProcess process;
    for (int i = 0; i < 20; ++i) {
        process.start(helper(), args({ "pause" }));
        if (i % 2)
            QVERIFY(process.waitForStarted(Patience));
        process.kill();
        QVERIFY(process.waitForFinished(Patience));
        QCOMPARE(process.exitStatus(), QProcess::CrashExit);
        QCOMPARE(process.state(), QProcess::NotRunning);
    }
}

namespace {

using Slot = std::function<void()>;
using Connector = void (*)(ContainedProcess *, QObject *, const Slot &);

template<auto Signal>
void connectTo(ContainedProcess *process, QObject *context, const Slot &slot)
{
    QObject::connect(process, Signal, context, [slot] { slot(); });
}

template<QProcess::ProcessState Wanted>
void connectToState(ContainedProcess *process, QObject *context, const Slot &slot)
{
    QObject::connect(process, &ContainedProcess::stateChanged, context,
                     [slot](QProcess::ProcessState state) {
                         if (state == Wanted)
                             slot();
                     });
}

struct Moment
{
    const char *name;
    Connector connect;
    const char *command; // for pk-helper; none: a program that does not exist
};

constexpr Moment moments[] = {
    { "starting", connectToState<QProcess::Starting>, "pause" },
    { "running", connectToState<QProcess::Running>, "pause" },
    { "not running", connectToState<QProcess::NotRunning>, "exit" },
    { "started", connectTo<&ContainedProcess::started>, "pause" },
    { "mechanismChanged", connectTo<&ContainedProcess::mechanismChanged>, "pause" },
    { "readyRead", connectTo<&ContainedProcess::readyRead>, "lines 9" },
    { "channelReadyRead", connectTo<&ContainedProcess::channelReadyRead>, "lines 9 0 both" },
    { "readyReadStandardOutput", connectTo<&ContainedProcess::readyReadStandardOutput>,
      "lines 9 0 both" },
    { "readyReadStandardError", connectTo<&ContainedProcess::readyReadStandardError>,
      "lines 9 0 both" },
    { "readChannelFinished", connectTo<&ContainedProcess::readChannelFinished>, "lines 9" },
    { "bytesWritten", connectTo<&ContainedProcess::bytesWritten>, "echo" },
    { "linesReady", connectTo<&ContainedProcess::linesReady>, "lines 9 0 both" },
    { "standardOutputLine", connectTo<&ContainedProcess::standardOutputLine>, "lines 9 0 both" },
    { "standardErrorLine", connectTo<&ContainedProcess::standardErrorLine>, "lines 9 0 both" },
    { "exited", connectTo<&ContainedProcess::exited>, "exit" },
    { "finished", connectTo<&ContainedProcess::finished>, "lines 9" },
    { "treeEmptied", connectTo<&ContainedProcess::treeEmptied>, "lines 9" },
    { "leftoversFound", connectTo<&ContainedProcess::leftoversFound>, "tree grandchild now" },
    { "errorOccurred, no start", connectTo<&ContainedProcess::errorOccurred>, nullptr },
    { "errorOccurred, crash", connectTo<&ContainedProcess::errorOccurred>, "raise 9" },
};

} // namespace

void tst_ContainedProcess::deleteInSlot_data()
{
    QTest::addColumn<Mechanism>("mechanism");
    QTest::addColumn<int>("index");
    QTest::addColumn<bool>("waiting");
    for (Mechanism mechanism : { Mechanism::CgroupV2, Mechanism::Subreaper }) {
        for (int i = 0; i < int(std::size(moments)); ++i) {
            for (const bool waiting : { false, true }) {
                QTest::addRow("%s %s%s", mechanismName(mechanism).constData(), moments[i].name,
                              waiting ? " in a wait" : "")
                        << mechanism << i << waiting;
            }
        }
    }
}

void tst_ContainedProcess::deleteInSlot()
{
    QFETCH(Mechanism, mechanism);
    QFETCH(int, index);
    QFETCH(bool, waiting);
    PK_REQUIRE_MECHANISM(mechanism);
    const Moment &moment = moments[index];
    QPointer<ContainedProcess> process = new ContainedProcess;
    process->setRequestedMechanism(mechanism);
    moment.connect(process, this, [&process] { delete process; });
    const QStringList command = QString::fromLatin1(moment.command).split(QLatin1Char(' '));
    process->start(moment.command ? helper() : QStringLiteral("/nonexistent"), command);
    if (process && qstrcmp(moment.command, "echo") == 0)
        process->write("text");
    if (waiting && process && !process->waitForFinished(Patience) && process)
        process->waitForTreeEmptied(Patience);
    QTRY_VERIFY_WITH_TIMEOUT(!process, Patience);
}

// events that were posted for an object are not delivered to another at the same address
void tst_ContainedProcess::deleteWithEventsPending()
{
    for (int round = 0; round < 50; ++round) {
        auto process = std::make_unique<ContainedProcess>();
        process->start(helper(), args({ "lines", "10" }));
        QVERIFY(reports().reports().isEmpty());
        QVERIFY(process->waitForStarted(Patience));
        process.reset();
        ContainedProcess next;
        QSignalSpy states(&next, &ContainedProcess::stateChanged);
        QCoreApplication::processEvents();
        QCOMPARE(states.count(), 0);
        QCOMPARE(next.state(), QProcess::NotRunning);
    }
}

void tst_ContainedProcess::workerThread_data()
{
    addMechanismRows();
}

// everything on a thread without an event loop
void tst_ContainedProcess::workerThread()
{
    QFETCH(Mechanism, mechanism);
    PK_REQUIRE_MECHANISM(mechanism);
    QByteArray output;
    bool started = false, readable = false, written = false, finished = false, emptied = false;
    const std::unique_ptr<QThread> thread(QThread::create([&] {
        ContainedProcess process;
        process.setRequestedMechanism(mechanism);
        process.start(helper(), args({ "echo" }));
        started = process.waitForStarted(Patience);
        process.write("text");
        written = process.waitForBytesWritten(Patience);
        readable = process.bytesAvailable() > 0 || process.waitForReadyRead(Patience);
        process.closeWriteChannel();
        finished = process.waitForFinished(Patience);
        emptied = process.waitForTreeEmptied(Patience);
        output = process.readAll();
    }));
    thread->start();
    QVERIFY(thread->wait(4 * Patience));
    QVERIFY(started);
    QVERIFY(written);
    QVERIFY(readable);
    QVERIFY(finished);
    QVERIFY(emptied);
    QCOMPARE(output, "text");
}

void tst_ContainedProcess::threadThatEnds_data()
{
    addMechanismRows();
}

// the thread that started a process ends; the process goes on and is still ours
void tst_ContainedProcess::threadThatEnds()
{
    QFETCH(Mechanism, mechanism);
    PK_REQUIRE_MECHANISM(mechanism);
    std::unique_ptr<ContainedProcess> process;
    const std::unique_ptr<QThread> thread(QThread::create([&] {
        process = std::make_unique<ContainedProcess>();
        process->setRequestedMechanism(mechanism);
        process->start(helper(), args({ "tree", "doublefork" }));
        process->waitForStarted(Patience);
        process->moveToThread(QCoreApplication::instance()->thread());
    }));
    thread->start();
    QVERIFY(thread->wait(Patience));
    QVERIFY(reports().waitFor({ "main", "orphan" }));
    QCOMPARE(process->thread(), QThread::currentThread());
    QCOMPARE(process->state(), QProcess::Running);
    for (const PidHandle &member : reports().handles())
        QVERIFY(!member.isGone());
    QSignalSpy finished(process.get(), &ContainedProcess::finished);
    process->closeWriteChannel();
    QVERIFY(finished.count() || finished.wait(Patience));
    QCOMPARE(process->exitCode(), 0);
    QCOMPARE(process->exitStatus(), QProcess::NormalExit);
    QVERIFY(process->waitForTreeEmptied(Patience));
}

void tst_ContainedProcess::moveToThread()
{
    // while it runs, to a thread with an event loop: what follows is told there
    auto *process = new ContainedProcess;
    QThread thread;
    thread.start();
    process->start(helper(), args({ "echo" }));
    QVERIFY(process->waitForStarted(Patience));
    QAtomicInt right = 0;
    QAtomicInt finished = 0;
    connect(process, &ContainedProcess::readyRead, process, [&] {
        if (QThread::currentThread() == &thread)
            right.fetchAndAddOrdered(1);
    });
    connect(process, &ContainedProcess::finished, process, [&] {
        finished.fetchAndAddOrdered(QThread::currentThread() == &thread ? 1 : 100);
        delete process;
        thread.quit();
    });
    process->moveToThread(&thread);
    QMetaObject::invokeMethod(process, [&] {
        process->write("text");
        process->closeWriteChannel();
    });
    QVERIFY(thread.wait(Patience));
    QCOMPARE(finished.loadAcquire(), 1);
    QVERIFY(right.loadAcquire() >= 1);
}

void tst_ContainedProcess::childProcessModifier_data()
{
    addMechanismRows();
}

void tst_ContainedProcess::childProcessModifier()
{
    QFETCH(Mechanism, mechanism);
    PK_REQUIRE_MECHANISM(mechanism);
    ContainedProcess process;
    process.setRequestedMechanism(mechanism);
    process.setChildProcessModifier([] {
        const char text[] = "from the modifier\n";
        if (::write(STDOUT_FILENO, text, sizeof text - 1) < 0)
            _exit(99);
        if (setenv("PK_MODIFIED", "no effect", 1) != 0)
            _exit(98);
    });
    QVERIFY(process.childProcessModifier() != nullptr);
    process.start(helper(), args({ "lines", "1" }));
    if (!process.waitForStarted(Patience)) {
        // a container that cannot do it says so
        QCOMPARE(process.failure().kind(), ProcessKit::ProcessError::Kind::Unsupported);
        QVERIFY(mechanism == Mechanism::Subreaper);
        return;
    }
    QVERIFY(process.waitForFinished(Patience));
    QCOMPARE(process.readAll(), "from the modifier\n1\n");
    QCOMPARE(qgetenv("PK_MODIFIED"), QByteArray()); // it ran in the child only
    QCOMPARE(process.mechanism(), mechanism);
}

void tst_ContainedProcess::modifierIsRunEachTime()
{
    ContainedProcess process;
    process.setChildProcessModifier([] { _exit(41); });
    for (int i = 0; i < 3; ++i) {
        process.start(helper(), args({ "exit" }));
        // it ended before it could execute anything: with its code, or as a failed start
        if (process.waitForStarted(Patience)) {
            QVERIFY(process.waitForFinished(Patience));
            QCOMPARE(process.exitCode(), 41);
        } else {
            QVERIFY(process.failure());
        }
    }
    process.setChildProcessModifier({});
    process.start(helper(), args({ "exit", "1" }));
    QVERIFY(process.waitForFinished(Patience));
    QCOMPARE(process.exitCode(), 1);
}

void tst_ContainedProcess::execute()
{
    QCOMPARE(ContainedProcess::execute(helper(), args({ "exit", "17" })), 17);
    QCOMPARE(ContainedProcess::execute(QStringLiteral("/nonexistent")), -2);
    QCOMPARE(ContainedProcess::execute(helper(), args({ "raise", "9" })), -1);
}

void tst_ContainedProcess::splitCommand()
{
    for (const char *command : { "", " ", "a", " a  b ", "\"a b\" c", "a\"b c\"d",
                                 "\"\"\"quoted\"\"\"", "a '' b", "\"open" }) {
        const QString text = QString::fromLatin1(command);
        QCOMPARE(ContainedProcess::splitCommand(text), QProcess::splitCommand(text));
    }
}

void tst_ContainedProcess::statics()
{
    QCOMPARE(ContainedProcess::systemEnvironment(), QProcess::systemEnvironment());
    QCOMPARE(ContainedProcess::nullDevice(), QProcess::nullDevice());
}

void tst_ContainedProcess::detachedParameters()
{
    const QString file = temporaryPath(QStringLiteral("detached"));
    const QString folder = QDir(temporaryPath(QString())).canonicalPath();
    ContainedProcess process;
    process.setProgram(QStringLiteral("/bin/sh"));
    process.setArguments({ QStringLiteral("-c"),
                           QStringLiteral("pwd; echo $PK_VALUE; exec \"$0\" pause"), helper() });
    process.setWorkingDirectory(folder);
    QProcessEnvironment environment = emptyEnvironment();
    environment.insert(QStringLiteral("PK_VALUE"), QStringLiteral("the value"));
    process.setProcessEnvironment(environment);
    process.setStandardOutputFile(file);
    process.setStandardInputFile(ContainedProcess::nullDevice());
    qint64 pid = 0;
    QVERIFY2(process.startDetached(&pid), qPrintable(process.errorString()));
    QCOMPARE(process.state(), QProcess::NotRunning);
    QVERIFY(reports().waitFor({ "paused" }));
    QCOMPARE(reports().report("paused").pid, pid);
    PidHandle(pid).end();
    QFile output(file);
    QVERIFY(output.open(QIODevice::ReadOnly));
    QCOMPARE(output.readAll(), folder.toLocal8Bit() + "\nthe value\n");
}

void tst_ContainedProcess::detachedFails()
{
    qint64 pid = 4711;
    QVERIFY(!ContainedProcess::startDetached(QStringLiteral("/nonexistent"), {}, {}, &pid));
    QVERIFY(pid <= 0);
    QVERIFY(!ContainedProcess::startDetached(helper(), args({ "exit" }),
                                             QStringLiteral("/nonexistent")));
    ContainedProcess process;
    process.setProgram(QStringLiteral("/nonexistent"));
    QSignalSpy errors(&process, &ContainedProcess::errorOccurred);
    QVERIFY(!process.startDetached());
    QCOMPARE(process.error(), QProcess::FailedToStart);
    QCOMPARE(process.failure().kind(), ProcessKit::ProcessError::Kind::NotFound);
}

// a subclass, as programs make them of QProcess
class Derived : public ContainedProcess
{
public:
    using ContainedProcess::setProcessState;
    int reads = 0;

protected:
    qint64 readData(char *data, qint64 size) override
    {
        ++reads;
        return ContainedProcess::readData(data, size);
    }
};

void tst_ContainedProcess::derived()
{
    Derived process;
    process.start(helper(), args({ "lines", "1" }));
    QVERIFY(process.waitForFinished(Patience));
    QCOMPARE(process.readAll(), "1\n");
    QVERIFY(process.reads > 0);
    QSignalSpy states(&process, &ContainedProcess::stateChanged);
    process.setProcessState(QProcess::Starting);
    QCOMPARE(process.state(), QProcess::Starting);
    process.setProcessState(QProcess::NotRunning);
    QCOMPARE(states.count(), 2);
}

void tst_ContainedProcess::shutdown_data()
{
    addMechanismRows();
}

void tst_ContainedProcess::shutdown()
{
    QFETCH(Mechanism, mechanism);
    PK_REQUIRE_MECHANISM(mechanism);
    ContainedProcess process;
    process.setRequestedMechanism(mechanism);

    // obeys
    process.start(helper(), args({ "onterm", "6" }));
    QVERIFY(process.waitForReadyRead(Patience));
    ShutdownReport report = process.shutdown(60s).result(); // no event loop turns meanwhile
    QCOMPARE(report.mechanism, mechanism);
    QCOMPARE(report.membersBefore, 1);
    QCOMPARE(report.membersAfterGrace, 0);
    QVERIFY(!report.escalated);
    QVERIFY(report.empty);
    QVERIFY(report.elapsed > 0ns && report.elapsed < 60s);
    QVERIFY(process.waitForFinished(Patience) || process.state() == QProcess::NotRunning);
    QCOMPARE(process.exitCode(), 6);
    QCOMPARE(process.readAll(), "ready\nterminated\n");

    // does not; by the event loop this time
    process.start(helper(), args({ "ignoreterm" }));
    QVERIFY(process.waitForReadyRead(Patience));
    bool told = false;
    process.shutdown(20ms).then(this, [&](const ShutdownReport &result) {
        report = result;
        told = true;
    });
    QTRY_VERIFY_WITH_TIMEOUT(told, Patience);
    QVERIFY(report.escalated);
    QCOMPARE(report.membersAfterGrace, 1);
    QVERIFY(report.empty);
    QVERIFY(report.elapsed >= 20ms);
    QTRY_COMPARE_WITH_TIMEOUT(process.state(), QProcess::NotRunning, Patience);
    QCOMPARE(process.exitCode(), SIGKILL);

    // the object goes, the future is told nevertheless
    QFuture<ShutdownReport> future;
    {
        ContainedProcess other;
        other.setRequestedMechanism(mechanism);
        other.start(helper(), args({ "ignoreterm" }));
        QVERIFY(other.waitForReadyRead(Patience));
        future = other.shutdown(60s);
    }
    future.waitForFinished();
    QVERIFY(future.isFinished());

    // twice at once
    process.start(helper(), args({ "ignoreterm" }));
    QVERIFY(process.waitForReadyRead(Patience));
    const auto first = process.shutdown(60s);
    const auto second = process.shutdown(0ms);
    QVERIFY(second.result().empty);
    QVERIFY(first.result().empty);
}

void tst_ContainedProcess::shutdownOfTheDead()
{
    ContainedProcess process;
    ShutdownReport report = process.shutdown().result();
    QVERIFY(report.empty);
    QVERIFY(!report.escalated);
    QCOMPARE(report.membersBefore, 0);
    process.start(helper(), args({ "exit", "3" }));
    QVERIFY(process.waitForFinished(Patience));
    QVERIFY(process.waitForTreeEmptied(Patience));
    report = process.shutdown(0ms).result();
    QVERIFY(report.empty);
    QVERIFY(!report.escalated);
    QCOMPARE(process.exitCode(), 3); // a late stop does not change the outcome
    QCOMPARE(process.exitStatus(), QProcess::NormalExit);
}

void tst_ContainedProcess::destructionIsQuiet()
{
    // no warning, no signal after the destructor has begun, and no wait for the child
    static int warnings;
    warnings = 0;
    const auto before = qInstallMessageHandler(
            [](QtMsgType, const QMessageLogContext &, const QString &) { ++warnings; });
    QByteArrayList log;
    {
        ContainedProcess process;
        process.start(helper(), args({ "ignoreterm" }));
        process.waitForReadyRead(Patience);
        connect(&process, &ContainedProcess::finished, this, [&] { log += "finished"; });
        connect(&process, &ContainedProcess::stateChanged, this, [&] { log += "state"; });
        connect(&process, &ContainedProcess::treeEmptied, this, [&] { log += "emptied"; });
        connect(&process, &ContainedProcess::errorOccurred, this, [&] { log += "error"; });
    }
    qInstallMessageHandler(before);
    QCOMPARE(warnings, 0);
    QCOMPARE(log, QByteArrayList());
}

void tst_ContainedProcess::processIds()
{
    ContainedProcess process;
    process.start(helper(), args({ "ids" }));
    QVERIFY(process.waitForStarted(Patience));
    const qint64 pid = process.processId();
    QVERIFY(process.waitForFinished(Patience));
    QCOMPARE(process.readAll().split(' ').value(0).toLongLong(), pid);
    QCOMPARE(process.processId(), 0);
}

void tst_ContainedProcess::modifierThatForks_data()
{
    addMechanismRows();
}

// What a modifier starts belongs to the tree, and holds nothing up.
void tst_ContainedProcess::modifierThatForks()
{
    QFETCH(Mechanism, mechanism);
    PK_REQUIRE_MECHANISM(mechanism);
    ContainedProcess process;
    process.setRequestedMechanism(mechanism);
    process.setChildProcessModifier([] {
        if (fork() == 0) {
            alarm(30);
            for (;;)
                pause();
        }
    });
    process.start(helper(), args({ "tree", "none" }));
    if (mechanism == Mechanism::Subreaper) {
        QVERIFY(!process.waitForStarted(Patience));
        QCOMPARE(process.failure().kind(), ProcessKit::ProcessError::Kind::Unsupported);
        return;
    }
    QVERIFY(process.waitForStarted(Patience));
    QVERIFY(reports().waitFor({ "main" }));
    const QList<ProcessInfo> members = process.members();
    QCOMPARE(members.size(), 2);
    process.kill();
    QVERIFY(process.waitForTreeEmptied(Patience));
    for (const ProcessInfo &info : members)
        QVERIFY(!info.isRunning());
}

QTEST_GUILESS_MAIN(tst_ContainedProcess)
#include "tst_containedprocess.moc"
