// SPDX-License-Identifier: MIT
#include "commands.h"

#include <ProcessKit/batch.h>
#include <ProcessKit/pipeline.h>

#include <QtCore/qcoreapplication.h>
#include <QtCore/qthread.h>
#include <QtCore/qthreadpool.h>

#ifdef PK_HAS_QCORO
#  include <QCoroFuture>
#  include <QCoroTask>
#endif

#include <stdexcept>

using namespace PkTest;
using namespace ProcessKit;
using namespace std::chrono_literals;

using Kind = ProcessError::Kind;

// Where what hangs on a verb is called, and that it may wait for the next verb.
class tst_Continuations : public CleanTest
{
    Q_OBJECT

private Q_SLOTS:
    void inContext();
    void inContextOfAnotherThread();
    void withoutContext();
    void withoutContextMayBlock_data();
    void withoutContextMayBlock();
    void nested();
    void manyNested();
    void batchInContinuation();
    void cancelledChain();
    void failedStart();
    void blockingWithoutEventLoop();
    void blockingInSlot();
    void blockingInPool();
    void blockingInHandler();
    void contextDies();
    void everythingDies();
    void futureDropped();
    void throwingParser();
    void awaited();
    void awaitedMany();
};

static Command echo(int number)
{
    return helperShell(QStringLiteral("echo %1").arg(number));
}

static int number(const Expected<QString> &text)
{
    return text ? text->toInt() : -1;
}

void tst_Continuations::inContext()
{
    QThread *thread = nullptr;
    int got = 0;
    echo(5).run().then(this, [&](const Expected<QString> &text) {
        thread = QThread::currentThread();
        got = number(text);
    });
    QTRY_COMPARE_WITH_TIMEOUT(got, 5, Patience);
    QCOMPARE(thread, QThread::currentThread());
    const auto program = echo(6).output().then(
            this, [](const ProcessResult &result) { return result.standardOutput(); });
    QVERIFY(waitFinished(program));
    QCOMPARE(program.result(), QStringLiteral("6\n"));
}

void tst_Continuations::inContextOfAnotherThread()
{
    QThread thread;
    thread.start();
    auto *context = new QObject;
    context->moveToThread(&thread);
    QThread *called = nullptr;
    const auto future = echo(7).run().then(context, [&called](const Expected<QString> &text) {
        called = QThread::currentThread();
        // and may block there, as another verb's result does not come by that event loop
        return number(text) + number(echo(1).run().result());
    });
    QVERIFY(waitFinished(future));
    QCOMPARE(future.result(), 8);
    QCOMPARE(called, &thread);
    context->deleteLater();
    thread.quit();
    QVERIFY(thread.wait(Patience));
}

void tst_Continuations::withoutContext()
{
    QThread *thread = nullptr;
    const auto future = helperShell(QStringLiteral("exec sleep 0.1"))
                                .run()
                                .then([&thread](const Expected<QString> &text) {
                                    thread = QThread::currentThread();
                                    return bool(text);
                                });
    QVERIFY(future.result()); // this thread has no event loop to run now
    QVERIFY(thread != QThread::currentThread());
}

void tst_Continuations::withoutContextMayBlock_data()
{
    addMechanismRows();
}

void tst_Continuations::withoutContextMayBlock()
{
    QFETCH(Mechanism, mechanism);
    PK_REQUIRE_MECHANISM(mechanism);
    const auto future =
            echo(1).withMechanism(mechanism).run().then([mechanism](const Expected<QString> &text) {
                return number(text) + number(echo(2).withMechanism(mechanism).run().result());
            });
    QVERIFY(waitFinished(future));
    QCOMPARE(future.result(), 3);
}

static int sumDownFrom(int depth)
{
    if (depth == 0)
        return 0;
    return echo(depth)
            .run()
            .then([depth](const Expected<QString> &text) {
                return number(text) + sumDownFrom(depth - 1);
            })
            .result();
}

// each waits in the continuation of the one before
void tst_Continuations::nested()
{
    QCOMPARE(sumDownFrom(8), 36);
}

void tst_Continuations::manyNested()
{
    QList<QFuture<int>> futures;
    for (int i = 0; i < 50; ++i) {
        futures.append(echo(i).run().then(
                [](const Expected<QString> &text) { return number(text) + sumDownFrom(3); }));
    }
    for (int i = 0; i < 50; ++i) {
        QVERIFY(waitFinished(futures.at(i), Patience * 3));
        QCOMPARE(futures.at(i).result(), i + 6);
    }
}

void tst_Continuations::batchInContinuation()
{
    const auto future = echo(1).output().then([](const ProcessResult &) {
        const auto results = outputAll({ echo(1), echo(2), echo(3) }, { 1 }).results();
        const auto chained = (echo(4) | Command(QStringLiteral("cat"))).run().result();
        return int(results.size()) + number(chained);
    });
    QVERIFY(waitFinished(future));
    QCOMPARE(future.result(), 7);
}

void tst_Continuations::cancelledChain()
{
    auto future = helperCommand({ QStringLiteral("pause") }).run();
    bool isCalled = false;
    const auto chain = future.then([&isCalled](const Expected<QString> &) {
                                 isCalled = true;
                                 return 1;
                             }).onCanceled([] { return 2; });
    QVERIFY(reports().waitFor({ "paused" }));
    future.cancel();
    QVERIFY(waitFinished(chain));
    QCOMPARE(chain.result(), 2);
    QVERIFY(!isCalled);
}

void tst_Continuations::failedStart()
{
    for (const QString &program : { QString(), QStringLiteral("there-is-no-such") }) {
        const auto kind = Command(program).run().then(
                this, [](const Expected<QString> &text) { return text.error().kind(); });
        QVERIFY(waitFinished(kind));
        QCOMPARE(kind.result(), program.isEmpty() ? Kind::InvalidArgument : Kind::NotFound);
    }
}

void tst_Continuations::blockingWithoutEventLoop()
{
    QCOMPARE(number(echo(1).run().result()), 1);
    QList<QFuture<Expected<QString>>> futures;
    for (int i = 0; i < 20; ++i)
        futures.append(echo(i).run());
    for (int i = 19; i >= 0; --i)
        QCOMPARE(number(futures.at(i).result()), i);
}

void tst_Continuations::blockingInSlot()
{
    int got = 0;
    QObject object;
    connect(&object, &QObject::objectNameChanged, this, [&](const QString &name) {
        got = number(echo(name.toInt()).run().result());
        if (got < 3)
            object.setObjectName(QString::number(got + 1)); // and once more from within
    });
    QMetaObject::invokeMethod(
            &object, [&object] { object.setObjectName(QStringLiteral("1")); },
            Qt::QueuedConnection);
    QTRY_COMPARE_WITH_TIMEOUT(got, 3, Patience);
}

void tst_Continuations::blockingInPool()
{
    std::atomic<int> sum = 0;
    {
        QThreadPool pool;
        pool.setMaxThreadCount(4);
        for (int i = 1; i <= 20; ++i)
            pool.start([&sum, i] { sum += number(echo(i).run().result()); });
        QVERIFY(pool.waitForDone(Patience * 3));
    }
    QCOMPARE(sum.load(), 210);
}

// What a handler in a context does comes after the run, in that context's thread.
void tst_Continuations::blockingInHandler()
{
    int sum = 0;
    const auto future =
            helperShell(QStringLiteral("echo 1; echo 2"))
                    .withLineHandler(this,
                                     [&sum](const OutputLine &line) {
                                         sum += number(echo(line.text().toInt()).run().result());
                                     })
                    .run();
    QVERIFY(waitFinished(future));
    QTRY_COMPARE_WITH_TIMEOUT(sum, 3, Patience);
}

// One that dies before the end. (A then() with a context that has died is an error of Qt's own to
// notice: its assertion, in builds that have them.)
void tst_Continuations::contextDies()
{
#ifndef QT_NO_DEBUG
    QSKIP("Qt's own assertion forbids it");
#endif
    auto *context = new QObject;
    bool isCalled = false;
    auto chain =
            helperShell(QStringLiteral("pk-helper bye; exec pk-helper pause"))
                    .withTimeout(300ms)
                    .run()
                    .then(context, [&isCalled](const Expected<QString> &) { isCalled = true; });
    QVERIFY(reports().waitFor({ "bye" }));
    delete context;
    QVERIFY(waitFinished(chain));
    QVERIFY(!isCalled);
}

// The program's own objects go first, all of them in the middle of everything.
void tst_Continuations::everythingDies()
{
    std::stop_source source;
    {
        QObject context;
        QList<QFuture<void>> chains;
        const Command pause =
                helperCommand({ QStringLiteral("pause") }).withStopToken(source.get_token());
        for (int i = 0; i < 5; ++i) {
            (void)pause.run();
            (void)pause.output();
            (void)(pause | pause).run();
            (void)outputAll({ pause, pause, pause }, { 2 });
            (void)pause.firstLine();
            chains.append(pause.run().then([](const Expected<QString> &) {}));
        }
        QVERIFY(reports().waitForCount("paused", 35));
    }
    source.request_stop();
    for (const PidHandle &handle : reports().handles())
        QVERIFY(handle.waitGone());
}

// Who drops a future has not cancelled it.
void tst_Continuations::futureDropped()
{
    (void)helperCommand({ QStringLiteral("bye") }).run();
    QVERIFY(reports().waitFor({ "bye" }));
}

void tst_Continuations::throwingParser()
{
#ifdef QT_NO_EXCEPTIONS
    QSKIP("without exceptions");
#else
    const auto future = echo(1).parse(
            [](const QString &text) -> int { throw std::runtime_error(text.toStdString()); });
    QString caught;
    try {
        (void)future.result();
    } catch (const std::runtime_error &error) {
        caught = QString::fromLatin1(error.what());
    }
    QCOMPARE(caught, QStringLiteral("1\n"));
#endif
}

#ifdef PK_HAS_QCORO
static QCoro::Task<int> sumOf(Command first, Command second)
{
    const Expected<QString> a = co_await first.run();
    const Expected<QString> b = co_await second.run();
    co_return number(a) + number(b);
}

static QCoro::Task<Kind> kindOf(Command command)
{
    const ProcessResult result = co_await command.output();
    co_return result.error().kind();
}
#endif

void tst_Continuations::awaited()
{
#ifdef PK_HAS_QCORO
    QCOMPARE(QCoro::waitFor(sumOf(echo(3), echo(4))), 7);
    QCOMPARE(QCoro::waitFor(kindOf(Command(QStringLiteral("there-is-no-such")))), Kind::NotFound);
    QCOMPARE(QCoro::waitFor(kindOf(Command())), Kind::InvalidArgument); // finished at once
    QCOMPARE(QCoro::waitFor(kindOf(helperCommand({ QStringLiteral("pause") }).withTimeout(50ms))),
             Kind::Timeout);
#else
    QSKIP("QCoro is not here");
#endif
}

void tst_Continuations::awaitedMany()
{
#ifdef PK_HAS_QCORO
    std::vector<QCoro::Task<int>> tasks;
    for (int i = 0; i < 20; ++i)
        tasks.push_back(sumOf(echo(i), echo(1)));
    for (int i = 0; i < 20; ++i)
        QCOMPARE(QCoro::waitFor(tasks[std::size_t(i)]), i + 1);
#else
    QSKIP("QCoro is not here");
#endif
}

QTEST_GUILESS_MAIN(tst_Continuations)
#include "tst_continuations.moc"
