// SPDX-License-Identifier: MIT
#include "commands.h"

#include <ProcessKit/pipeline.h>

#include <QtCore/qfile.h>
#include <QtCore/qthread.h>

#include <signal.h>

#include <thread>

using namespace PkTest;
using namespace ProcessKit;
using namespace std::chrono_literals;

using Kind = ProcessError::Kind;

// Two or more ends of which each may come first.
struct Race
{
    enum class Interruption { None, Stop, Cancel, InTurns };

    std::function<QFuture<ProcessResult>(const std::stop_token &, int round)> start;
    QList<Outcome> runners; // what a result may say
    Interruption interruption = Interruption::None;
    std::chrono::microseconds longestLead{ 0 }; // of the start before the interruption
    int attempts = 1;
};

// The ends of a command that are not its program's own: timeouts, cancellations, and the races
// between them and the exit.
class tst_Ends : public CleanTest
{
    Q_OBJECT

private Q_SLOTS:
    void timeoutCaptured_data();
    void timeoutCaptured();
    void timeoutOfVerbs();
    void timeoutGrace_data();
    void timeoutGrace();
    void timeoutGraceOver();
    void timeoutZero_data();
    void timeoutZero();
    void timeoutHuge();
    void exitInTime();
    void inactivity_data();
    void inactivity();
    void inactivityReset_data();
    void inactivityReset();
    void firstWatchdogWins();
    void stoppedBefore();
    void stopped_data();
    void stopped();
    void stoppedGrace();
    void stoppedInRetryWait_data();
    void stoppedInRetryWait();
    void stopBeatsTimeout();
    void stopAfterExit_data();
    void stopAfterExit();
    void futureCancelled_data();
    void futureCancelled();
    void cancelledAtOnce();
    void cancelAfterEnd();
    void inputKeptOpen();
    void raceExitTimeout_data();
    void raceExitTimeout();
    void raceStopTimeout_data();
    void raceStopTimeout();
    void raceStopExit_data();
    void raceStopExit();
    void raceFutureExit();
    void raceFutureVerbs();
    void raceRetryStop();
    void raceRetryFuture();
    void racePipeline();

private:
    QString escapeShape(Mechanism mechanism) const;
    QByteArray escapeReport(Mechanism mechanism) const;
    Command tree(Mechanism mechanism) const;
    bool treeIsThere(Mechanism mechanism);
    bool everybodyIsGone();
    void run(const Race &race);
};

// How long the rounds of one race may take, of which there are as many as that allows.
class Rounds
{
public:
    bool next() { return ++m_count <= 2000 && !m_end.hasExpired(); }
    int count() const { return m_count; }

private:
    int m_count = 0;
    const QDeadlineTimer m_end{ 1200 };
};

// What is hardest to hold of what that mechanism promises to hold.
QString tst_Ends::escapeShape(Mechanism mechanism) const
{
    return mechanism == Mechanism::ProcessGroup ? QStringLiteral("grandchild")
                                                : QStringLiteral("setsid");
}

QByteArray tst_Ends::escapeReport(Mechanism mechanism) const
{
    return mechanism == Mechanism::ProcessGroup ? "grandchild" : "session";
}

// writes, leaves an orphan, and stays
Command tst_Ends::tree(Mechanism mechanism) const
{
    return helperShell(QStringLiteral("echo part; echo why >&2; pk-helper tree %1 now; "
                                      "exec pk-helper pause")
                               .arg(escapeShape(mechanism)))
            .withMechanism(mechanism);
}

bool tst_Ends::treeIsThere(Mechanism mechanism)
{
    return reports().waitFor({ escapeReport(mechanism), "paused" });
}

bool tst_Ends::everybodyIsGone()
{
    for (const PidHandle &handle : reports().handles()) {
        if (!handle.isGone())
            return false;
    }
    return true;
}

void tst_Ends::timeoutCaptured_data()
{
    addMechanismRows();
}

void tst_Ends::timeoutCaptured()
{
    QFETCH(Mechanism, mechanism);
    PK_REQUIRE_MECHANISM(mechanism);
    const auto future = tree(mechanism).withTimeout(1s).output();
    QVERIFY(treeIsThere(mechanism));
    const std::vector<PidHandle> handles = reports().handles();
    const ProcessResult result = future.result();
    for (const PidHandle &handle : handles)
        QVERIFY2(handle.isGone(), "the result is there, but not all of the tree is gone");
    QCOMPARE(result.outcome(), Outcome::TimedOut);
    QVERIFY(result.timedOut());
    QVERIFY(!result.isSuccess());
    QVERIFY(!result.exitCode());
    QVERIFY(!result.signal());
    QCOMPARE(result.standardOutput(), QStringLiteral("part\n"));
    QCOMPARE(result.standardError(), QStringLiteral("why\n"));
    QVERIFY(result.duration() >= 1s);
    QCOMPARE(result.attempts(), 1);
    const ProcessError error = result.error();
    QCOMPARE(error.kind(), Kind::Timeout);
    QVERIFY(error.text().contains(QLatin1String("1000")));
    QCOMPARE(error.standardOutput(), QStringLiteral("part\n"));
    QCOMPARE(error.standardError(), QStringLiteral("why\n"));
}

void tst_Ends::timeoutOfVerbs()
{
    const Command slow =
            helperShell(QStringLiteral("echo part; exec pk-helper pause")).withTimeout(300ms);
    const auto run = slow.run();
    const auto bytes = slow.outputBytes();
    const auto code = slow.exitCode();
    const auto probe = slow.probe();
    const auto json = slow.json();
    const auto lines = slow.jsonLines();
    const auto parsed = slow.parse([](const QString &text) { return text.size(); });
    const auto line = slow.firstLine([](QStringView) { return false; });
    QCOMPARE(run.result().error().kind(), Kind::Timeout);
    QCOMPARE(bytes.result().error().kind(), Kind::Timeout);
    QCOMPARE(code.result().error().kind(), Kind::Timeout);
    QCOMPARE(probe.result().error().kind(), Kind::Timeout);
    QCOMPARE(json.result().error().kind(), Kind::Timeout);
    QCOMPARE(lines.result().error().kind(), Kind::Timeout);
    QCOMPARE(parsed.result().error().kind(), Kind::Timeout);
    QCOMPARE(line.result().error().kind(), Kind::Timeout);
    QCOMPARE(run.result().error().standardOutput(), QStringLiteral("part\n"));
}

void tst_Ends::timeoutGrace_data()
{
    addMechanismRows();
}

// The signal is another one, and who ends of it is not waited for any longer.
void tst_Ends::timeoutGrace()
{
    QFETCH(Mechanism, mechanism);
    PK_REQUIRE_MECHANISM(mechanism);
    const ProcessResult result =
            helperShell(QStringLiteral("trap 'echo bye; exit 7' USR1; echo ready; "
                                       "pk-helper pause & wait"))
                    .withMechanism(mechanism)
                    .withTimeout(700ms)
                    .withTimeoutGrace(1h, SIGUSR1)
                    .output()
                    .result();
    QCOMPARE(result.outcome(), Outcome::TimedOut);
    QVERIFY(!result.exitCode());
    QCOMPARE(result.standardOutput(), QStringLiteral("ready\nbye\n"));
    QVERIFY(everybodyIsGone());
}

void tst_Ends::timeoutGraceOver()
{
    const ProcessResult result =
            helperShell(QStringLiteral("trap '' TERM; echo ready; pk-helper tree ignore-term now; "
                                       "exec pk-helper ignoreterm </dev/zero"))
                    .withTimeout(300ms)
                    .withTimeoutGrace(300ms)
                    .output()
                    .result();
    QCOMPARE(result.outcome(), Outcome::TimedOut);
    QVERIFY(result.duration() >= 600ms);
    QVERIFY(everybodyIsGone());
}

void tst_Ends::timeoutZero_data()
{
    addMechanismRows();
}

void tst_Ends::timeoutZero()
{
    QFETCH(Mechanism, mechanism);
    PK_REQUIRE_MECHANISM(mechanism);
    const Command command =
            helperCommand({ QStringLiteral("pause") }).withMechanism(mechanism).withTimeout(0ms);
    const ProcessResult result = command.output().result();
    QCOMPARE(result.outcome(), Outcome::TimedOut);
    QVERIFY(result.error().text().contains(u'0'));
    QCOMPARE(command.run().result().error().kind(), Kind::Timeout);
}

// "as long as it takes" is said with the largest number, too
void tst_Ends::timeoutHuge()
{
    constexpr auto longest = std::chrono::milliseconds::max();
    const Command echo = shell(QStringLiteral("sleep 0.1; echo here"))
                                 .withTimeout(longest)
                                 .withTimeoutGrace(longest)
                                 .withCancelGrace(longest);
    QCOMPARE(echo.withInactivityTimeout(longest).run().result(), QStringLiteral("here"));
    const ProcessResult chained =
            (echo | Command(QStringLiteral("cat"))).withTimeout(longest).output().result();
    QVERIFY(chained.isSuccess());
    QCOMPARE(helperShell(QStringLiteral("pk-helper pause & trap 'exit 3' USR1; wait"))
                     .withTimeout(500ms)
                     .withTimeoutGrace(longest, SIGUSR1)
                     .output()
                     .result()
                     .outcome(),
             Outcome::TimedOut);
}

// Who has ended before its time was over keeps its outcome, although the thread that looks after
// it comes to that later.
void tst_Ends::exitInTime()
{
    constexpr auto timeout = 700ms;
    constexpr int size = 100 * 1024; // more than a pipe holds
    int calls = 0;
    bool sawTheEnd = false;
    QElapsedTimer sinceStart;
    const auto elapsed = [&] { return std::chrono::milliseconds(sinceStart.elapsed()); };
    const Command command =
            helperShell(QStringLiteral("head -c %1 >/dev/null; exec pk-helper bye").arg(size))
                    .withTimeout(timeout)
                    .withInput(StdinSource::generator([&] {
                        if (++calls == 1)
                            return QByteArray(size, 'x');
                        sawTheEnd = reports().waitFor({ "bye" })
                                && PidHandle(reports().report("bye").pid,
                                             reports().report("bye").startTime)
                                           .waitGone();
                        sawTheEnd &= elapsed() < timeout;
                        while (elapsed() < timeout + 50ms)
                            QThread::yieldCurrentThread(); // it is held up
                        return QByteArray();
                    }));
    sinceStart.start();
    const ProcessResult result = command.output().result();
    if (!sawTheEnd)
        QSKIP("this host is too slow for it");
    QCOMPARE(result.outcome(), Outcome::Exited);
    QCOMPARE(result.exitCode(), 0);
}

void tst_Ends::inactivity_data()
{
    addMechanismRows();
}

void tst_Ends::inactivity()
{
    QFETCH(Mechanism, mechanism);
    PK_REQUIRE_MECHANISM(mechanism);
    const Command quiet = tree(mechanism).withInactivityTimeout(600ms);
    const ProcessResult result = quiet.output().result();
    QVERIFY(everybodyIsGone());
    QCOMPARE(result.outcome(), Outcome::WentQuiet);
    QVERIFY(result.timedOut());
    QVERIFY(!result.exitCode());
    QCOMPARE(result.standardOutput(), QStringLiteral("part\n"));
    QCOMPARE(result.error().kind(), Kind::InactivityTimeout);
    const ProcessError error = quiet.run().result().error();
    QCOMPARE(error.kind(), Kind::InactivityTimeout);
    QCOMPARE(error.standardError(), QStringLiteral("why\n"));
}

void tst_Ends::inactivityReset_data()
{
    QTest::addColumn<QString>("word");
    QTest::newRow("output") << QStringLiteral("printf x");
    QTest::newRow("errors") << QStringLiteral("printf x >&2");
    QTest::newRow("in turn") << QStringLiteral("printf x; exec 3>&1 1>&2 2>&3");
}

void tst_Ends::inactivityReset()
{
    QFETCH(QString, word);
    const ProcessResult result =
            shell(QStringLiteral("for i in 1 2 3 4 5 6 7 8; do %1; sleep 0.15; done").arg(word))
                    .withInactivityTimeout(900ms)
                    .output()
                    .result();
    QCOMPARE(result.outcome(), Outcome::Exited);
    QVERIFY(result.duration() > 900ms);
    QCOMPARE(result.standardOutputByteCount() + result.standardErrorByteCount(), 8);
}

void tst_Ends::firstWatchdogWins()
{
    const Command pause = helperCommand({ QStringLiteral("pause") });
    QCOMPARE(pause.withTimeout(50ms).withInactivityTimeout(1h).output().result().outcome(),
             Outcome::TimedOut);
    QCOMPARE(pause.withTimeout(1h).withInactivityTimeout(50ms).output().result().outcome(),
             Outcome::WentQuiet);
}

void tst_Ends::stoppedBefore()
{
    const QString name = temporaryPath(QStringLiteral("precious"));
    QFile file(name);
    QVERIFY(file.open(QIODevice::WriteOnly) && file.write("old") == 3);
    file.close();
    std::stop_source source;
    source.request_stop();
    int generated = 0;
    const Command bye = helperCommand({ QStringLiteral("bye") }).withStopToken(source.get_token());
    const ProcessResult result = bye.output().result();
    QCOMPARE(result.outcome(), Outcome::Cancelled);
    QCOMPARE(result.error().kind(), Kind::Cancelled);
    QVERIFY(!result.exitCode());
    QVERIFY(!result.isSuccess());
    QCOMPARE(bye.run().result().error().kind(), Kind::Cancelled);
    QCOMPARE(bye.exitCode().result().error().kind(), Kind::Cancelled);
    QCOMPARE(bye.firstLine().result().error().kind(), Kind::Cancelled);
    QCOMPARE(bye.parse([](const QString &text) { return text; }).result().error().kind(),
             Kind::Cancelled);
    RetryPolicy always;
    always.delay = 0ms;
    always.classifier = [](const ProcessError &) { return true; };
    QCOMPARE(bye.withRetries(always).run().result().error().kind(), Kind::Cancelled);
    QCOMPARE((Command(QStringLiteral("cat")) | bye).run().result().error().kind(), Kind::Cancelled);
    QCOMPARE((helperCommand({ QStringLiteral("bye") }) | helperCommand({ QStringLiteral("bye") }))
                     .withStopToken(source.get_token())
                     .run()
                     .result()
                     .error()
                     .kind(),
             Kind::Cancelled);
    // what is not started has touched nothing
    const Command touches = bye.withStandardOutput(OutputDestination::file(name))
                                    .withInput(StdinSource::generator([&generated] {
                                        ++generated;
                                        return QByteArray();
                                    }));
    QCOMPARE(touches.run().result().error().kind(), Kind::Cancelled);
    QCOMPARE(generated, 0);
    QVERIFY(file.open(QIODevice::ReadOnly));
    QCOMPARE(file.readAll(), "old");
    // the input is still there for a run that takes place
    QVERIFY(touches.withStopToken({}).run().result());
    QCOMPARE(generated, 1);
    QCOMPARE(reports().count("bye"), 1);
}

void tst_Ends::stopped_data()
{
    addMechanismRows();
}

void tst_Ends::stopped()
{
    QFETCH(Mechanism, mechanism);
    PK_REQUIRE_MECHANISM(mechanism);
    std::stop_source source;
    const auto future = tree(mechanism).withStopToken(source.get_token()).output();
    QVERIFY(treeIsThere(mechanism));
    const std::vector<PidHandle> handles = reports().handles();
    source.request_stop();
    const ProcessResult result = future.result();
    for (const PidHandle &handle : handles)
        QVERIFY(handle.isGone());
    QCOMPARE(result.outcome(), Outcome::Cancelled);
    QVERIFY(!result.timedOut());
    QVERIFY(!result.exitCode());
    QCOMPARE(result.error().kind(), Kind::Cancelled);
    QCOMPARE(result.error().standardOutput(), QString());
}

void tst_Ends::stoppedGrace()
{
    std::stop_source source;
    const auto future = helperShell(QStringLiteral("trap 'echo bye; exit 0' USR1; "
                                                   "pk-helper pause & pk-helper bye; wait; wait"))
                                .withStopToken(source.get_token())
                                .withCancelGrace(1h, SIGUSR1)
                                .output();
    QVERIFY(reports().waitFor({ "paused", "bye" }));
    source.request_stop();
    const ProcessResult result = future.result();
    QCOMPARE(result.outcome(), Outcome::Cancelled);
    QCOMPARE(result.standardOutput(), QStringLiteral("bye\n"));
}

void tst_Ends::stoppedInRetryWait_data()
{
    QTest::addColumn<bool>("byToken");
    QTest::newRow("token") << true;
    QTest::newRow("future") << false;
}

void tst_Ends::stoppedInRetryWait()
{
    QFETCH(bool, byToken);
    std::stop_source source;
    QSemaphore failed;
    RetryPolicy policy;
    policy.retries = 5;
    policy.delay = policy.maximumDelay = 1h;
    policy.jitter = false;
    policy.classifier = [&failed](const ProcessError &) {
        failed.release();
        return true;
    };
    const Command command = helperShell(QStringLiteral("pk-helper bye; exit 4"))
                                    .withRetries(policy)
                                    .withStopToken(source.get_token());
    QFuture<ProcessResult> future =
            ProcessRunner::instance().execute(command, { true, false, nullptr });
    QVERIFY(failed.tryAcquire(1, Patience));
    if (byToken)
        source.request_stop();
    else
        future.cancel();
    QVERIFY(waitFinished(future));
    QCOMPARE(reports().count("bye"), 1);
    if (!byToken) {
        QVERIFY(future.isCanceled());
        QCOMPARE(future.resultCount(), 0);
        return;
    }
    QCOMPARE(future.result().outcome(), Outcome::Cancelled);
    QCOMPARE(future.result().error().kind(), Kind::Cancelled);
    QCOMPARE(future.result().attempts(), 1);
}

// It is in the grace of its timeout when it is cancelled; from there on it counts as cancelled,
// which has a grace of its own: none.
void tst_Ends::stopBeatsTimeout()
{
    std::stop_source source;
    const ProcessResult result =
            helperShell(QStringLiteral("trap 'echo told' USR1; echo ready; "
                                       "while :; do pk-helper pause & wait; done"))
                    .withTimeout(700ms)
                    .withTimeoutGrace(1h, SIGUSR1)
                    .withStopToken(source.get_token())
                    .withLineHandler([&source](const OutputLine &line) {
                        if (line.text() == QLatin1String("told"))
                            source.request_stop();
                    })
                    .output()
                    .result();
    QCOMPARE(result.outcome(), Outcome::Cancelled);
    QVERIFY(!result.timedOut());
    QCOMPARE(result.error().kind(), Kind::Cancelled);
    QVERIFY(everybodyIsGone());
}

void tst_Ends::stopAfterExit_data()
{
    addMechanismRows();
}

// The program has exited; what it left behind holds its streams, so the run still goes on.
void tst_Ends::stopAfterExit()
{
    QFETCH(Mechanism, mechanism);
    PK_REQUIRE_MECHANISM(mechanism);
    if (mechanism == Mechanism::Subreaper)
        QSKIP("the keeper's word of the exit may come later than ours of the stop");
    std::stop_source source;
    QSemaphore told;
    std::atomic<qint64> pid = 0;
    const auto future = helperShell(QStringLiteral("echo $$; pk-helper hold; exit 3"))
                                .withMechanism(mechanism)
                                .withStopToken(source.get_token())
                                .withLineHandler([&](const OutputLine &line) {
                                    pid = line.text().toLongLong();
                                    told.release();
                                })
                                .output();
    QVERIFY(told.tryAcquire(1, Patience));
    QVERIFY(PidHandle(pid).waitGone());
    source.request_stop();
    const ProcessResult result = future.result();
    QCOMPARE(result.outcome(), Outcome::Exited);
    QCOMPARE(result.exitCode(), 3);
    QCOMPARE(result.error().kind(), Kind::Exit);
}

void tst_Ends::futureCancelled_data()
{
    QTest::addColumn<Mechanism>("mechanism");
    QTest::addColumn<QString>("verb");
    for (Mechanism mechanism :
         { Mechanism::CgroupV2, Mechanism::Subreaper, Mechanism::ProcessGroup }) {
        for (const char *verb : { "output", "run", "parse", "firstLine", "exitCode", "probe",
                                  "outputBytes", "json", "jsonLines" }) {
            QTest::addRow("%s %s", mechanismName(mechanism).constData(), verb)
                    << mechanism << QString::fromLatin1(verb);
        }
    }
}

template<typename T>
static bool endsWhenCancelled(QFuture<T> future)
{
    future.cancel();
    return waitFinished(future) && future.isCanceled() && future.isFinished()
            && future.resultCount() == 0;
}

void tst_Ends::futureCancelled()
{
    QFETCH(Mechanism, mechanism);
    QFETCH(QString, verb);
    PK_REQUIRE_MECHANISM(mechanism);
    const Command command = tree(mechanism);
    const auto cancels = [&](auto future) {
        return treeIsThere(mechanism) && endsWhenCancelled(future);
    };
    if (verb == QLatin1String("output"))
        QVERIFY(cancels(command.output()));
    else if (verb == QLatin1String("run"))
        QVERIFY(cancels(command.run()));
    else if (verb == QLatin1String("parse"))
        QVERIFY(cancels(command.parse([](const QString &text) { return text; })));
    else if (verb == QLatin1String("firstLine"))
        QVERIFY(cancels(command.firstLine([](QStringView) { return false; })));
    else if (verb == QLatin1String("exitCode"))
        QVERIFY(cancels(command.exitCode()));
    else if (verb == QLatin1String("probe"))
        QVERIFY(cancels(command.probe()));
    else if (verb == QLatin1String("outputBytes"))
        QVERIFY(cancels(command.outputBytes()));
    else if (verb == QLatin1String("json"))
        QVERIFY(cancels(command.json()));
    else
        QVERIFY(cancels(command.jsonLines()));
    QVERIFY2(everybodyIsGone(), "the future has finished, but not all of the tree is gone");
}

void tst_Ends::cancelledAtOnce()
{
    for (int i = 0; i < 100; ++i) {
        QVERIFY(endsWhenCancelled(helperCommand({ QStringLiteral("pause") }).output()));
        QVERIFY(endsWhenCancelled(helperCommand({ QStringLiteral("pause") }).run()));
        QVERIFY(endsWhenCancelled((helperCommand({ QStringLiteral("pause") })
                                   | helperCommand({ QStringLiteral("pause") }))
                                          .run()));
    }
    QVERIFY(everybodyIsGone());
}

void tst_Ends::cancelAfterEnd()
{
    std::stop_source source;
    const Command command =
            shell(QStringLiteral("echo a; exit 3")).withStopToken(source.get_token());
    QFuture<ProcessResult> output = command.output();
    QFuture<Expected<QString>> run = command.run();
    QCOMPARE(output.result().exitCode(), 3);
    QCOMPARE(run.result().error().kind(), Kind::Exit);
    source.request_stop();
    output.cancel();
    run.cancel();
    QCOMPARE(output.result().outcome(), Outcome::Exited);
    QCOMPARE(output.result().standardOutput(), QStringLiteral("a\n"));
    QCOMPARE(run.result().error().kind(), Kind::Exit);
}

// Nobody can write into it when the output is captured: it is at its end at once.
void tst_Ends::inputKeptOpen()
{
    const ProcessResult result = Command(QStringLiteral("cat"))
                                         .withInput(StdinSource::keptOpen())
                                         .withTimeout(5s)
                                         .output()
                                         .result();
    QCOMPARE(result.outcome(), Outcome::Exited);
}

static Command exitsWith3()
{
    return helperCommand({ QStringLiteral("exit"), QStringLiteral("3") });
}

// Whoever has won has to be told as the winner.
static void checkWinner(const ProcessResult &result, int attempts)
{
    switch (result.outcome()) {
    case Outcome::Exited:
        QCOMPARE(result.exitCode(), 3);
        QCOMPARE(result.error().kind(), Kind::Exit);
        QCOMPARE(result.attempts(), attempts);
        break;
    case Outcome::TimedOut:
        QVERIFY(!result.exitCode());
        QCOMPARE(result.error().kind(), Kind::Timeout);
        break;
    case Outcome::Cancelled:
        QCOMPARE(result.error().kind(), Kind::Cancelled);
        QVERIFY(result.attempts() <= attempts);
        break;
    default:
        QFAIL("somebody who did not take part");
    }
}

void tst_Ends::run(const Race &race)
{
    using By = Race::Interruption;
    QMap<Outcome, int> wins;
    for (Rounds rounds; rounds.next();) {
        std::stop_source source;
        QFuture<ProcessResult> future = race.start(source.get_token(), rounds.count());
        if (race.interruption != By::None)
            spin(race.longestLead);
        const bool isCancelled = race.interruption == By::Cancel
                || (race.interruption == By::InTurns && rounds.count() % 2 == 0);
        if (isCancelled)
            future.cancel();
        else if (race.interruption != By::None)
            source.request_stop();
        QVERIFY(waitFinished(future));
        if (isCancelled && future.resultCount() == 0) { // which a stop does not make of it
            QVERIFY(future.isCanceled());
            ++wins[Outcome::Cancelled];
            continue;
        }
        const ProcessResult result = future.result();
        QVERIFY(race.runners.contains(result.outcome()));
        checkWinner(result, race.attempts);
        if (QTest::currentTestFailed())
            return;
        ++wins[result.outcome()];
    }
    qInfo() << wins;
}

void tst_Ends::raceExitTimeout_data()
{
    addMechanismRows();
}

void tst_Ends::raceExitTimeout()
{
    QFETCH(Mechanism, mechanism);
    PK_REQUIRE_MECHANISM(mechanism);
    run({ [=](const std::stop_token &, int round) {
             return exitsWith3()
                     .withMechanism(mechanism)
                     .withTimeout(std::chrono::milliseconds(round % 3))
                     .output();
         },
          { Outcome::Exited, Outcome::TimedOut } });
}

void tst_Ends::raceStopTimeout_data()
{
    addMechanismRows();
}

void tst_Ends::raceStopTimeout()
{
    QFETCH(Mechanism, mechanism);
    PK_REQUIRE_MECHANISM(mechanism);
    run({ [=](const std::stop_token &token, int) {
             return helperCommand({ QStringLiteral("pause") })
                     .withMechanism(mechanism)
                     .withTimeout(1ms)
                     .withStopToken(token)
                     .output();
         },
          { Outcome::Cancelled, Outcome::TimedOut },
          Race::Interruption::Stop,
          3ms });
}

void tst_Ends::raceStopExit_data()
{
    addMechanismRows();
}

void tst_Ends::raceStopExit()
{
    QFETCH(Mechanism, mechanism);
    PK_REQUIRE_MECHANISM(mechanism);
    run({ [=](const std::stop_token &token, int) {
             return exitsWith3().withMechanism(mechanism).withStopToken(token).output();
         },
          { Outcome::Cancelled, Outcome::Exited },
          Race::Interruption::Stop,
          3ms });
}

void tst_Ends::raceFutureExit()
{
    run({ [=](const std::stop_token &, int) { return exitsWith3().output(); },
          { Outcome::Exited },
          Race::Interruption::Cancel,
          3ms });
}

// many at once, and cancelled by another thread than the one that waits
void tst_Ends::raceFutureVerbs()
{
    int cancelled = 0;
    int ended = 0;
    for (Rounds rounds; rounds.next();) {
        QList<QFuture<Expected<QString>>> futures;
        for (int i = 0; i < 8; ++i) {
            const Command command = helperCommand({ QStringLiteral("lines"), QStringLiteral("3") });
            futures.append(i % 2 ? command.run() : command.firstLine());
        }
        std::thread canceller([futures] {
            for (auto future : futures) {
                spin(800us);
                future.cancel();
            }
        });
        bool allFinish = true;
        for (const auto &future : futures)
            allFinish = allFinish && waitFinished(future);
        canceller.join();
        QVERIFY(allFinish);
        for (int i = 0; i < 8; ++i) {
            if (futures.at(i).resultCount() == 0) {
                ++cancelled;
                QVERIFY(futures.at(i).isCanceled());
            } else {
                ++ended;
                QCOMPARE(futures.at(i).result().error().kind(), Kind::None);
                QCOMPARE(*futures.at(i).result(),
                         i % 2 ? QStringLiteral("1\n2\n3") : QStringLiteral("1"));
            }
        }
    }
    qInfo("%d cancelled, %d ended", cancelled, ended);
}

static QFuture<ProcessResult> retried(const Command &command, int round)
{
    RetryPolicy policy;
    policy.retries = 3;
    policy.delay = std::chrono::milliseconds(round % 2);
    policy.factor = 1;
    return ProcessRunner::instance().execute(command.withRetries(policy), { true, true, nullptr });
}

void tst_Ends::raceRetryStop()
{
    run({ [=](const std::stop_token &token, int round) {
             return retried(exitsWith3().withStopToken(token), round);
         },
          { Outcome::Cancelled, Outcome::Exited },
          Race::Interruption::Stop,
          8ms,
          4 });
}

void tst_Ends::raceRetryFuture()
{
    run({ [=](const std::stop_token &, int round) { return retried(exitsWith3(), round); },
          { Outcome::Exited },
          Race::Interruption::Cancel,
          8ms,
          4 });
}

void tst_Ends::racePipeline()
{
    run({ [=](const std::stop_token &token, int round) {
             return (exitsWith3() | exitsWith3())
                     .withTimeout(std::chrono::milliseconds(round % 5))
                     .withStopToken(token)
                     .output();
         },
          { Outcome::Cancelled, Outcome::Exited, Outcome::TimedOut },
          Race::Interruption::InTurns,
          6ms });
}

QTEST_GUILESS_MAIN(tst_Ends)
#include "tst_ends.moc"
