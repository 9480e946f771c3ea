// SPDX-License-Identifier: MIT
#include "commands.h"

#include <QtCore/qfile.h>
#include <QtCore/qscopeguard.h>

#include <errno.h>

#include <cmath>
#include <limits>

using namespace PkTest;
using namespace ProcessKit;
using namespace std::chrono_literals;

using Kind = ProcessError::Kind;

// What is tried again, and how often.
class tst_Retry : public CleanTest
{
    Q_OBJECT

private Q_SLOTS:
    void delays_data();
    void delays();
    void policies();
    void worthwhile();
    void attempts_data();
    void attempts();
    void succeedsInTheEnd();
    void verbs();
    void classifier();
    void classifierSeesAll();
    void startThatFails();
    void byDefault();
    void timeoutIsForOne();
    void oneShotInput();
    void cancelled();
    void environment();
    void redirections();
    void hugeDelay();
    void firstResultIsTheLast();
};

// without a wait
static RetryPolicy atOnce(int retries)
{
    RetryPolicy policy;
    policy.retries = retries;
    policy.delay = 0ms;
    return policy;
}

static ProcessResult executed(const Command &command)
{
    return ProcessRunner::instance().execute(command, { true, true, nullptr }).result();
}

static Command fails(int code = 4)
{
    return helperShell(QStringLiteral("pk-helper bye; exit %1").arg(code));
}

void tst_Retry::delays_data()
{
    using ms = std::chrono::milliseconds;
    constexpr double infinity = std::numeric_limits<double>::infinity();
    QTest::addColumn<qint64>("delay");
    QTest::addColumn<double>("factor");
    QTest::addColumn<qint64>("maximum");
    QTest::addColumn<int>("attempt");
    QTest::addColumn<qint64>("expected");
    constexpr qint64 most = ms::max().count();
    constexpr int last = std::numeric_limits<int>::max();
    QTest::newRow("first") << qint64(100) << 2.0 << qint64(30000) << 1 << qint64(100);
    QTest::newRow("second") << qint64(100) << 2.0 << qint64(30000) << 2 << qint64(200);
    QTest::newRow("ninth") << qint64(100) << 2.0 << qint64(30000) << 9 << qint64(25600);
    QTest::newRow("tenth") << qint64(100) << 2.0 << qint64(30000) << 10 << qint64(30000);
    QTest::newRow("last") << qint64(100) << 2.0 << qint64(30000) << last << qint64(30000);
    QTest::newRow("before the first") << qint64(100) << 2.0 << qint64(30000) << 0 << qint64(100);
    QTest::newRow("negative attempt")
            << qint64(100) << 2.0 << qint64(30000) << -last << qint64(100);
    QTest::newRow("constant") << qint64(70) << 1.0 << qint64(30000) << 50 << qint64(70);
    QTest::newRow("shrinking") << qint64(70) << 0.5 << qint64(30000) << 5 << qint64(70);
    QTest::newRow("negative factor") << qint64(70) << -2.0 << qint64(30000) << 5 << qint64(70);
    QTest::newRow("not a number") << qint64(70) << std::nan("") << qint64(30000) << 5 << qint64(70);
    QTest::newRow("infinite") << qint64(70) << infinity << qint64(30000) << 5 << qint64(70);
    QTest::newRow("huge factor") << qint64(1) << 1e300 << qint64(30000) << 3 << qint64(30000);
    QTest::newRow("zero") << qint64(0) << 2.0 << qint64(30000) << last << qint64(0);
    QTest::newRow("negative") << qint64(-5) << 2.0 << qint64(30000) << 3 << qint64(0);
    QTest::newRow("above the maximum") << qint64(500) << 2.0 << qint64(300) << 1 << qint64(300);
    QTest::newRow("no maximum") << qint64(500) << 2.0 << most << last << most;
    QTest::newRow("longest") << most << 2.0 << most << 2 << most;
    QTest::newRow("negative maximum") << qint64(500) << 2.0 << qint64(-1) << 1 << qint64(0);
}

void tst_Retry::delays()
{
    QFETCH(qint64, delay);
    QFETCH(double, factor);
    QFETCH(qint64, maximum);
    QFETCH(int, attempt);
    QFETCH(qint64, expected);
    RetryPolicy policy;
    policy.delay = std::chrono::milliseconds(delay);
    policy.factor = factor;
    policy.maximumDelay = std::chrono::milliseconds(maximum);
    QCOMPARE(policy.longestDelay(attempt).count(), expected);
}

void tst_Retry::policies()
{
    const RetryPolicy policy;
    QCOMPARE(policy.retries, 3);
    QCOMPARE(policy.delay, 100ms);
    QCOMPARE(policy.factor, 2.0);
    QCOMPARE(policy.maximumDelay, 30s);
    QVERIFY(policy.jitter);
    QCOMPARE(RetryPolicy::never().retries, 0);
    QCOMPARE(fails().retryPolicy().retries, 0);
    QCOMPARE(fails().withRetries(7).retryPolicy().retries, 7);
}

void tst_Retry::worthwhile()
{
    const auto of = [](Kind kind, int code) {
        return RetryPolicy::isWorthwhile(
                ProcessError(kind, QStringLiteral("x"), QStringLiteral("y"), code));
    };
    for (const Kind kind : { Kind::Exit, Kind::Signalled, Kind::Timeout, Kind::InactivityTimeout,
                             Kind::ResourceLimit })
        QVERIFY(of(kind, 0));
    for (const Kind kind : { Kind::None, Kind::NotFound, Kind::PermissionDenied,
                             Kind::WorkingDirectory, Kind::Unsupported, Kind::Parse,
                             Kind::OutputTooLarge, Kind::Cancelled, Kind::InvalidArgument })
        QVERIFY(!of(kind, 0));
    QVERIFY(of(Kind::Spawn, ETXTBSY));
    QVERIFY(!of(Kind::Cancelled, EINTR));
    QVERIFY(!of(Kind::InvalidArgument, EBUSY));
    RetryPolicy always;
    always.classifier = [](const ProcessError &) { return true; };
    QVERIFY(!always.shouldRetry({}));
    QVERIFY(!always.shouldRetry(ProcessError(Kind::Cancelled, {}, {}, 0)));
    QVERIFY(always.shouldRetry(ProcessError(Kind::NotFound, {}, {}, 0)));
}

void tst_Retry::attempts_data()
{
    QTest::addColumn<int>("retries");
    QTest::addColumn<int>("attempts");
    QTest::newRow("none") << 0 << 1;
    QTest::newRow("negative") << -3 << 1;
    QTest::newRow("one") << 1 << 2;
    QTest::newRow("five") << 5 << 6;
}

void tst_Retry::attempts()
{
    QFETCH(int, retries);
    QFETCH(int, attempts);
    const ProcessResult result = executed(fails().withRetries(atOnce(retries)));
    QCOMPARE(result.exitCode(), 4);
    QCOMPARE(result.attempts(), attempts);
    QCOMPARE(reports().count("bye"), attempts);
}

void tst_Retry::succeedsInTheEnd()
{
    const QString name = temporaryPath(QStringLiteral("tries"));
    const Command third =
            shell(QStringLiteral("echo x >>%1; echo try; test $(wc -l <%1) -ge 3").arg(name))
                    .withRetries(atOnce(9));
    const ProcessResult result = executed(third);
    QVERIFY(result.isSuccess());
    QCOMPARE(result.attempts(), 3);
    QCOMPARE(result.standardOutput(), QStringLiteral("try\n")); // of the last one only
}

// Those that ask for success are retried, those that take what comes are not.
void tst_Retry::verbs()
{
    const Command command = fails().withRetries(atOnce(2));
    auto tries = [this, before = 0]() mutable {
        const int all = reports().count("bye");
        return all - std::exchange(before, all);
    };
    QCOMPARE(command.output().result().attempts(), 1);
    QCOMPARE(tries(), 1);
    QCOMPARE(command.exitCode().result(), 4);
    QCOMPARE(tries(), 1);
    QCOMPARE(command.probe().result().error().kind(), Kind::Exit);
    QCOMPARE(tries(), 1);
    QVERIFY(command.firstLine().result().hasValue());
    QCOMPARE(tries(), 1);
    QCOMPARE(command.run().result().error().exitCode(), 4);
    QCOMPARE(tries(), 3);
    QCOMPARE(command.outputBytes().result().error().exitCode(), 4);
    QCOMPARE(tries(), 3);
    QCOMPARE(command.json().result().error().kind(), Kind::Exit);
    QCOMPARE(tries(), 3);
    QCOMPARE(command.jsonLines().result().error().kind(), Kind::Exit);
    QCOMPARE(tries(), 3);
    QCOMPARE(command.parse([](const QString &text) { return text; }).result().error().kind(),
             Kind::Exit);
    QCOMPARE(tries(), 3);
}

void tst_Retry::classifier()
{
    RetryPolicy policy = atOnce(5);
    int calls = 0;
    policy.classifier = [&calls](const ProcessError &error) {
        return ++calls < 3 && error.exitCode() == 4;
    };
    QCOMPARE(executed(fails().withRetries(policy)).attempts(), 3);
    QCOMPARE(calls, 3);
    calls = 0;
    QCOMPARE(executed(fails(5).withRetries(policy)).attempts(), 1);
    QCOMPARE(calls, 1);
    calls = 0;
    QCOMPARE(executed(fails(0).withRetries(policy)).attempts(), 1); // a success is not asked about
    QCOMPARE(calls, 0);
}

void tst_Retry::classifierSeesAll()
{
    RetryPolicy policy = atOnce(1);
    QList<ProcessError> errors;
    policy.classifier = [&errors](const ProcessError &error) {
        errors.append(error);
        return false;
    };
    const Command speaks =
            shell(QStringLiteral("echo out; echo why >&2; exit 6")).withRetries(policy);
    QVERIFY(!speaks.run().result());
    QVERIFY(!speaks.withTimeout(50ms)
                     .withArguments({ QStringLiteral("-c"), QStringLiteral("exec sleep 100") })
                     .run()
                     .result());
    QVERIFY(!speaks.withOutputPolicy(OutputPolicy::bytes(1))
                     .withSuccessCodes({ 6 })
                     .run()
                     .result());
    QCOMPARE(errors.size(), 3);
    QCOMPARE(errors.at(0).kind(), Kind::Exit);
    QCOMPARE(errors.at(0).exitCode(), 6);
    QCOMPARE(errors.at(0).standardOutput(), QStringLiteral("out\n"));
    QCOMPARE(errors.at(0).standardError(), QStringLiteral("why\n"));
    QCOMPARE(errors.at(1).kind(), Kind::Timeout);
    QCOMPARE(errors.at(2).kind(), Kind::OutputTooLarge);
}

void tst_Retry::startThatFails()
{
    RetryPolicy policy = atOnce(2);
    int calls = 0;
    policy.classifier = [&calls](const ProcessError &error) {
        ++calls;
        return error.kind() == Kind::NotFound;
    };
    const ProcessResult result =
            executed(Command(QStringLiteral("there-is-no-such")).withRetries(policy));
    QCOMPARE(result.error().kind(), Kind::NotFound);
    QCOMPARE(result.attempts(), 3);
    QCOMPARE(calls, 2); // nobody is asked about the last one
}

void tst_Retry::byDefault()
{
    const auto attempts = [](const Command &command) {
        return executed(command.withRetries(atOnce(2))).attempts();
    };
    QCOMPARE(attempts(fails()), 3);
    QCOMPARE(attempts(shell(QStringLiteral("kill -KILL $$"))), 3);
    QCOMPARE(attempts(shell(QStringLiteral("exec sleep 100")).withTimeout(30ms)), 3);
    QCOMPARE(attempts(shell(QStringLiteral("exec sleep 100")).withInactivityTimeout(30ms)), 3);
    QCOMPARE(attempts(Command(QStringLiteral("there-is-no-such"))), 1);
    QCOMPARE(attempts(shell(QString()).withWorkingDirectory(QStringLiteral("/none"))), 1);
    QCOMPARE(attempts(Command(QStringLiteral("/etc/passwd"))), 1);
    QCOMPARE(attempts(shell(QStringLiteral("echo too much"))
                              .withOutputPolicy(OutputPolicy::bytes(1))),
             1);
}

// The next attempt has all of its time.
void tst_Retry::timeoutIsForOne()
{
    const QString name = temporaryPath(QStringLiteral("slow"));
    const Command second = shell(QStringLiteral("test -e %1 && { sleep 0.4; echo late; exit 0; }; "
                                                "touch %1; exec sleep 100")
                                         .arg(name))
                                   .withTimeout(1s)
                                   .withRetries(atOnce(1));
    const ProcessResult result = executed(second);
    QVERIFY(result.isSuccess());
    QCOMPARE(result.attempts(), 2);
    QCOMPARE(result.standardOutput(), QStringLiteral("late\n"));
}

void tst_Retry::oneShotInput()
{
    int left = 1;
    const Command command = helperShell(QStringLiteral("cat; pk-helper bye; exit 4"))
                                    .withRetries(atOnce(5))
                                    .withInput(StdinSource::generator([&left] {
                                        return left-- > 0 ? QByteArray("once") : QByteArray();
                                    }));
    const ProcessResult result = executed(command);
    QCOMPARE(result.exitCode(), 4); // the first error, as it is
    QCOMPARE(result.attempts(), 1);
    QCOMPARE(result.standardOutput(), QStringLiteral("once"));
    QCOMPARE(reports().count("bye"), 1);
    // one that can be read again is
    const ProcessResult again = executed(helperShell(QStringLiteral("cat; exit 4"))
                                                 .withRetries(atOnce(2))
                                                 .withInput(QStringLiteral("twice")));
    QCOMPARE(again.attempts(), 3);
    QCOMPARE(again.standardOutput(), QStringLiteral("twice"));
}

void tst_Retry::cancelled()
{
    std::stop_source source;
    RetryPolicy policy = atOnce(5);
    int calls = 0;
    policy.classifier = [&calls](const ProcessError &) {
        ++calls;
        return true;
    };
    const auto future =
            ProcessRunner::instance().execute(helperCommand({ QStringLiteral("pause") })
                                                      .withRetries(policy)
                                                      .withStopToken(source.get_token()),
                                              { true, true, nullptr });
    QVERIFY(reports().waitFor({ "paused" }));
    source.request_stop();
    QCOMPARE(future.result().outcome(), Outcome::Cancelled);
    QCOMPARE(future.result().attempts(), 1);
    QCOMPARE(calls, 0);
    QCOMPARE(reports().count("paused"), 1);
}

// What a command takes from its surroundings, each attempt takes anew.
void tst_Retry::environment()
{
    const auto remove = qScopeGuard([] { qunsetenv("PK_ATTEMPT"); });
    qputenv("PK_ATTEMPT", "1");
    RetryPolicy policy = atOnce(2);
    int calls = 0;
    policy.classifier = [&calls](const ProcessError &) {
        qputenv("PK_ATTEMPT", QByteArray::number(++calls + 1));
        return true;
    };
    const Command print =
            Command(QStringLiteral("/bin/sh"),
                    { QStringLiteral("-c"), QStringLiteral("echo $PK_ATTEMPT; exit 1") })
                    .withRetries(policy);
    QCOMPARE(
            executed(print.withAllowedVariables({ QStringLiteral("PK_ATTEMPT") })).standardOutput(),
            QStringLiteral("3\n"));
    calls = 0;
    qputenv("PK_ATTEMPT", "1");
    QCOMPARE(executed(print).standardOutput(), QStringLiteral("3\n"));
    policy.classifier = [](const ProcessError &) {
        qunsetenv("PK_ATTEMPT");
        return true;
    };
    QCOMPARE(executed(print.withRetries(policy).withAllowedVariables(
                              { QStringLiteral("PK_ATTEMPT") }))
                     .standardOutput(),
             QStringLiteral("\n"));
}

void tst_Retry::redirections()
{
    const QString name = temporaryPath(QStringLiteral("output"));
    const Command writes = shell(QStringLiteral("echo line; exit 1")).withRetries(atOnce(2));
    const auto content = [&name] {
        QFile file(name);
        return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray();
    };
    QCOMPARE(executed(writes.withStandardOutput(OutputDestination::file(name))).attempts(), 3);
    QCOMPARE(content(), "line\n");
    QCOMPARE(executed(writes.withStandardOutput(OutputDestination::appendedFile(name))).attempts(),
             3);
    QCOMPARE(content(), "line\nline\nline\nline\n");
}

void tst_Retry::hugeDelay()
{
    for (const bool jitter : { false, true }) {
        std::stop_source source;
        QSemaphore failed;
        RetryPolicy policy;
        policy.delay = policy.maximumDelay = std::chrono::milliseconds::max();
        policy.jitter = jitter;
        policy.classifier = [&failed](const ProcessError &) {
            failed.release();
            return true;
        };
        const auto future = ProcessRunner::instance().execute(
                fails().withRetries(policy).withStopToken(source.get_token()),
                { true, true, nullptr });
        QVERIFY(failed.tryAcquire(1, Patience));
        QVERIFY(!failed.tryAcquire(1, 100)); // it does not come at once
        source.request_stop();
        QVERIFY(waitFinished(future));
        QCOMPARE(future.result().outcome(), Outcome::Cancelled);
    }
}

// whatever went before, the result is that of the last attempt
void tst_Retry::firstResultIsTheLast()
{
    const QString name = temporaryPath(QStringLiteral("changes"));
    const ProcessResult result = executed(
            shell(QStringLiteral("test -e %1 && kill -TERM $$; touch %1; exit 3").arg(name))
                    .withRetries(atOnce(1)));
    QCOMPARE(result.attempts(), 2);
    QCOMPARE(result.outcome(), Outcome::Signalled);
}

QTEST_GUILESS_MAIN(tst_Retry)
#include "tst_retry.moc"
