// SPDX-License-Identifier: MIT
#include "commands.h"

#include <ProcessKit/batch.h>

#include <QtCore/qfile.h>
#include <QtCore/qthread.h>

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

using namespace PkTest;
using namespace ProcessKit;
using namespace std::chrono_literals;

using Kind = ProcessError::Kind;

// Many commands of which some run at once.
class tst_Batch : public CleanTest
{
    Q_OBJECT

private Q_SLOTS:
    void order();
    void empty();
    void limit_data();
    void limit();
    void startsWhenOneEnds();
    void completionOrder();
    void progress();
    void notStarted();
    void failFast_data();
    void failFast();
    void failFastKeepsWhatIsThere();
    void cancel_data();
    void cancel();
    void cancelAtOnce();
    void many();
    void withoutEventLoop();
    void readyResults();
    void cancelledByRunner();
    void raceCancel();
};

// Gives what it was made with, without any process.
class ReadyRunner final : public ProcessRunner
{
public:
    explicit ReadyRunner(const ProcessResult &result) : m_result(result) { }

    QFuture<ProcessResult> execute(const Command &, const Options &) override
    {
        return QtFuture::makeReadyFuture(m_result);
    }

private:
    const ProcessResult m_result;
};

static QList<Command> exits(int count)
{
    QList<Command> commands;
    for (int i = 0; i < count; ++i)
        commands.append(helperCommand({ QStringLiteral("exit"), QString::number(i % 100) }));
    return commands;
}

static bool isOrdered(const QList<ProcessResult> &results)
{
    for (int i = 0; i < results.size(); ++i) {
        if (results.at(i).exitCode() != i % 100)
            return false;
    }
    return true;
}

void tst_Batch::order()
{
    const QList<ProcessResult> results = outputAll(exits(20), { 3 }).results();
    QCOMPARE(results.size(), 20);
    QVERIFY(isOrdered(results));
    QCOMPARE(outputAll(exits(5)).results().size(), 5); // the limit has a default
    QCOMPARE(outputAll(exits(5), { -7 }).results().size(), 5);
    QCOMPARE(outputAll(exits(5), { 1000 }).results().size(), 5);
}

void tst_Batch::empty()
{
    const QFuture<ProcessResult> future = outputAll({});
    QVERIFY(waitFinished(future));
    QVERIFY(!future.isCanceled());
    QCOMPARE(future.resultCount(), 0);
}

void tst_Batch::limit_data()
{
    QTest::addColumn<int>("limit");
    QTest::newRow("one") << 1;
    QTest::newRow("two") << 2;
    QTest::newRow("five") << 5;
}

// Each command writes down when it begins and when it ends, which counts those that run.
void tst_Batch::limit()
{
    QFETCH(int, limit);
    const QString name = temporaryPath(QStringLiteral("log%1").arg(limit));
    const Command logs =
            shell(QStringLiteral("echo + >>%1; read x </dev/null; echo - >>%1").arg(name));
    const auto results = outputAll(QList<Command>(30, logs), { limit }).results();
    QCOMPARE(results.size(), 30);
    QFile file(name);
    QVERIFY(file.open(QIODevice::ReadOnly));
    int running = 0;
    int most = 0;
    int starts = 0;
    while (!file.atEnd()) {
        const bool begins = file.readLine().startsWith('+');
        running += begins ? 1 : -1;
        starts += begins ? 1 : 0;
        most = std::max(most, running);
    }
    QCOMPARE(starts, 30);
    QCOMPARE(running, 0);
    QVERIFY2(most <= limit, qPrintable(QString::number(most)));
}

void tst_Batch::startsWhenOneEnds()
{
    QFuture<ProcessResult> future =
            outputAll(QList<Command>(6, helperCommand({ QStringLiteral("pause") })), { 3 });
    const auto alive = [this] {
        const auto handles = reports().handles();
        return std::count_if(handles.begin(), handles.end(),
                             [](const PidHandle &handle) { return !handle.isGone(); });
    };
    for (int ended = 0; ended < 3; ++ended) {
        QVERIFY(reports().waitForCount("paused", 3 + ended));
        QVERIFY(alive() <= 3);
        QCOMPARE(reports().count("paused"), 3 + ended);
        const Report first = reports().reports().at(ended);
        PidHandle(first.pid, first.startTime).sendSignal(SIGTERM);
    }
    QVERIFY(reports().waitForCount("paused", 6));
    for (const PidHandle &handle : reports().handles())
        handle.sendSignal(SIGTERM);
    QVERIFY(waitFinished(future));
    for (const ProcessResult &result : future.results())
        QCOMPARE(result.signal(), SIGTERM);
}

void tst_Batch::completionOrder()
{
    QList<Command> commands;
    QList<QByteArray> gates;
    for (int i = 0; i < 4; ++i) {
        gates.append(QFile::encodeName(temporaryPath(QStringLiteral("gate%1").arg(i))));
        QCOMPARE(::mkfifo(gates.last().constData(), 0600), 0);
        commands.append(shell(
                QStringLiteral("read x <%1; exit %2").arg(QFile::decodeName(gates.last())).arg(i)));
    }
    QFutureWatcher<ProcessResult> watcher;
    QList<int> ready;
    connect(&watcher, &QFutureWatcher<ProcessResult>::resultReadyAt, this, [&](int index) {
        ready.append(index);
        QCOMPARE(watcher.resultAt(index).exitCode(), index);
    });
    watcher.setFuture(outputAll(commands, { 4 }));
    const QList<int> wanted{ 2, 0, 3, 1 };
    for (const int index : wanted) {
        const int fd = ::open(gates.at(index).constData(), O_WRONLY | O_CLOEXEC); // or waits
        QVERIFY(fd >= 0);
        ::close(fd);
        QTRY_COMPARE_WITH_TIMEOUT(ready.value(ready.size() - 1, -1), index, Patience);
    }
    QCOMPARE(ready, wanted);
    QVERIFY(waitFinished(watcher.future()));
}

void tst_Batch::progress()
{
    QFutureWatcher<ProcessResult> watcher;
    QList<int> values;
    int maximum = -1;
    connect(&watcher, &QFutureWatcher<ProcessResult>::progressRangeChanged, this,
            [&](int, int most) { maximum = most; });
    connect(&watcher, &QFutureWatcher<ProcessResult>::progressValueChanged, this,
            [&](int value) { values.append(value); });
    const QFuture<ProcessResult> future = outputAll(exits(10), { 2 });
    watcher.setFuture(future);
    QVERIFY(waitFinished(future));
    QTRY_VERIFY(watcher.isFinished());
    QCoreApplication::processEvents();
    QCOMPARE(maximum, 10);
    QVERIFY(std::is_sorted(values.begin(), values.end()));
    QVERIFY(!values.isEmpty());
    QCOMPARE(future.progressMinimum(), 0);
    QCOMPARE(future.progressMaximum(), 10);
    QCOMPARE(future.progressValue(), 10);
}

void tst_Batch::notStarted()
{
    QList<Command> commands = exits(6);
    commands[1] = Command(QStringLiteral("there-is-no-such"));
    commands[3] = Command(); // refused at once
    commands[4] = commands[4].withWorkingDirectory(QStringLiteral("/none"));
    const auto results = outputAll(commands, { 2 }).results();
    QCOMPARE(results.size(), 6);
    QCOMPARE(results.at(0).exitCode(), 0);
    QCOMPARE(results.at(1).outcome(), Outcome::NotStarted);
    QCOMPARE(results.at(1).error().kind(), Kind::NotFound);
    QCOMPARE(results.at(2).exitCode(), 2);
    QCOMPARE(results.at(3).error().kind(), Kind::InvalidArgument);
    QCOMPARE(results.at(4).error().kind(), Kind::WorkingDirectory);
    QCOMPARE(results.at(5).exitCode(), 5);
}

void tst_Batch::failFast_data()
{
    QTest::addColumn<Command>("failing");
    QTest::addColumn<Kind>("kind");
    QTest::newRow("exit") << helperShell(QStringLiteral("pk-helper bye; exit 9")) << Kind::Exit;
    QTest::newRow("not found") << Command(QStringLiteral("there-is-no-such")) << Kind::NotFound;
    QTest::newRow("refused") << Command() << Kind::InvalidArgument;
    QTest::newRow("timeout") << helperCommand({ QStringLiteral("ignoreterm") })
                                        .withInput(StdinSource::file(QStringLiteral("/dev/zero")))
                                        .withTimeout(50ms)
                             << Kind::Timeout;
}

// The first failure ends those that run; those behind it are never started; each has a result.
void tst_Batch::failFast()
{
    QFETCH(Command, failing);
    QFETCH(Kind, kind);
    const Command pause = helperCommand({ QStringLiteral("pause") });
    BatchOptions options;
    options.limit = 3;
    options.failFast = true;
    const QFuture<ProcessResult> future =
            outputAll({ pause, pause, failing, pause, pause }, options);
    QVERIFY(waitFinished(future));
    QVERIFY(!future.isCanceled());
    QCOMPARE(future.resultCount(), 5);
    QCOMPARE(future.progressValue(), 5);
    for (int i = 0; i < 5; ++i) {
        const ProcessResult result = future.resultAt(i);
        QCOMPARE(result.error().kind(), i == 2 ? kind : Kind::Cancelled);
        if (i != 2)
            QCOMPARE(result.outcome(), Outcome::Cancelled);
        if (i != 2)
            QCOMPARE(result.program(), helper());
    }
    QVERIFY(reports().count("paused") <= 2);
    for (const PidHandle &handle : reports().handles())
        QVERIFY(handle.isGone());
}

void tst_Batch::failFastKeepsWhatIsThere()
{
    QList<Command> commands = exits(1) + exits(1) + exits(1) + exits(2) + exits(1);
    BatchOptions options;
    options.limit = 1;
    options.failFast = true;
    const auto results = outputAll(commands, options).results();
    QCOMPARE(results.size(), 6);
    for (int i = 0; i < 4; ++i)
        QCOMPARE(results.at(i).exitCode(), 0);
    QCOMPARE(results.at(4).exitCode(), 1);
    QCOMPARE(results.at(5).outcome(), Outcome::Cancelled);
}

void tst_Batch::cancel_data()
{
    addMechanismRows();
}

void tst_Batch::cancel()
{
    QFETCH(Mechanism, mechanism);
    PK_REQUIRE_MECHANISM(mechanism);
    const Command pause = helperCommand({ QStringLiteral("pause") }).withMechanism(mechanism);
    const Command bye = helperCommand({ QStringLiteral("bye") }).withMechanism(mechanism);
    QFuture<ProcessResult> future = outputAll({ bye, pause, pause, pause, pause, pause }, { 2 });
    QVERIFY(reports().waitFor({ "bye", "paused", "paused" }));
    const bool firstIsThere = future.isResultReadyAt(0);
    future.cancel();
    QVERIFY(waitFinished(future));
    QVERIFY(future.isCanceled());
    for (const PidHandle &handle : reports().handles())
        QVERIFY2(handle.isGone(), "the future has finished, but not all processes are gone");
    QCOMPARE(reports().count("paused"), 2); // nothing was started any more
    QVERIFY(firstIsThere);
    QCOMPARE(future.resultAt(0).exitCode(), 0); // what was delivered stays
}

void tst_Batch::cancelAtOnce()
{
    for (int i = 0; i < 50; ++i) {
        QFuture<ProcessResult> future =
                outputAll(QList<Command>(10, helperCommand({ QStringLiteral("pause") })), { 2 });
        future.cancel();
        QVERIFY(waitFinished(future));
    }
    for (const PidHandle &handle : reports().handles())
        QVERIFY(handle.isGone());
}

void tst_Batch::many()
{
    const auto results = outputAll(exits(200), { 8 }).results();
    QCOMPARE(results.size(), 200);
    QVERIFY(isOrdered(results));
}

void tst_Batch::withoutEventLoop()
{
    bool isGood = false;
    const std::unique_ptr<QThread> thread(QThread::create([&isGood] {
        const auto results = outputAll(exits(40), { 4 }).results();
        isGood = results.size() == 40 && isOrdered(results);
    }));
    thread->start();
    QVERIFY(thread->wait(Patience * 3));
    QVERIFY(isGood);
}

// A runner that has its results at once: one end may not nest in another.
void tst_Batch::readyResults()
{
    ReadyRunner runner(
            helperCommand({ QStringLiteral("exit"), QStringLiteral("4") }).output().result());
    BatchOptions options;
    options.runner = &runner;
    options.limit = 2;
    const auto future = outputAll(QList<Command>(20000, Command(QStringLiteral("any"))), options);
    QVERIFY(future.isFinished());
    QCOMPARE(future.resultCount(), 20000);
    QCOMPARE(future.resultAt(19999).exitCode(), 4);
    options.failFast = true;
    const auto failed = outputAll(QList<Command>(10, Command(QStringLiteral("any"))), options);
    QVERIFY(failed.isFinished());
    QCOMPARE(failed.resultCount(), 10);
    QCOMPARE(failed.resultAt(0).exitCode(), 4);
    QCOMPARE(failed.resultAt(9).outcome(), Outcome::Cancelled);
}

void tst_Batch::cancelledByRunner()
{
    class Refusing final : public ProcessRunner
    {
    public:
        QFuture<ProcessResult> execute(const Command &command, const Options &options) override
        {
            QFuture<ProcessResult> future = instance().execute(command, options);
            if (++count == 2)
                future.cancel();
            return future;
        }
        int count = 0;
    };
    Refusing runner;
    BatchOptions options;
    options.runner = &runner;
    options.limit = 2;
    QList<Command> commands = exits(4);
    commands[1] = helperCommand({ QStringLiteral("pause") });
    const auto future = outputAll(commands, options);
    QVERIFY(waitFinished(future));
    QCOMPARE(future.resultCount(), 4);
    QCOMPARE(future.resultAt(0).exitCode(), 0);
    QCOMPARE(future.resultAt(1).outcome(), Outcome::Cancelled);
    QCOMPARE(future.resultAt(3).exitCode(), 3);
}

void tst_Batch::raceCancel()
{
    const QDeadlineTimer end(2000);
    int rounds = 0;
    int complete = 0;
    for (; rounds < 1000 && !end.hasExpired(); ++rounds) {
        BatchOptions options;
        options.limit = 3;
        options.failFast = rounds % 2;
        QFuture<ProcessResult> future = outputAll(exits(6), options);
        spin(6ms);
        future.cancel();
        QVERIFY(waitFinished(future));
        complete += future.resultCount() == 6 ? 1 : 0;
    }
    qInfo("%d batches, %d were faster", rounds, complete);
}

QTEST_GUILESS_MAIN(tst_Batch)
#include "tst_batch.moc"
