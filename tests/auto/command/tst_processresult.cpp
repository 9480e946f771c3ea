// SPDX-License-Identifier: MIT
#include "commands.h"

#include <signal.h>

using namespace PkTest;
using namespace ProcessKit;
using namespace std::chrono_literals;

using Kind = ProcessError::Kind;

// Answers by the first argument, without any process.
class Fake final : public ProcessRunner
{
public:
    QFuture<ProcessResult> execute(const Command &command, const Options &) override
    {
        return QtFuture::makeReadyFuture(
                answers.value(command.arguments().value(0)).withCommand(command));
    }
    QHash<QString, ProcessResult> answers;
};

// Results that are made by hand, for runners that start nothing.
class tst_ProcessResult : public CleanTest
{
    Q_OBJECT

private Q_SLOTS:
    void fake();
    void fakeLines();
    void likeReal_data();
    void likeReal();
    void outcomes_data();
    void outcomes();
    void ofNothing();
    void fromError();
    void withCommand();
};

void tst_ProcessResult::fake()
{
    Fake runner;
    runner.answers[QStringLiteral("branch")] = ProcessResult::fromExitCode(0, "main\nwork\n");
    runner.answers[QStringLiteral("push")] = ProcessResult::fromExitCode(1, {}, "rejected\n");
    const auto git = [](const char *verb) {
        return Command(QStringLiteral("git"), { QString::fromLatin1(verb) });
    };
    QCOMPARE(runner.run(git("branch")).result(), QStringLiteral("main\nwork"));
    const ProcessError error = runner.run(git("push")).result().error();
    QCOMPARE(error.kind(), Kind::Exit);
    QCOMPARE(error.program(), QStringLiteral("git"));
    QCOMPARE(error.standardError(), QStringLiteral("rejected\n"));
    QVERIFY(runner.run(git("push").withSuccessCodes({ 1 })).result());
    // what nobody has thought of is no success
    QCOMPARE(runner.run(git("pull")).result().error().kind(), Kind::Spawn);
    QCOMPARE(runner.exitCode(git("pull")).result().error().kind(), Kind::Spawn);
}

void tst_ProcessResult::fakeLines()
{
    Fake runner;
    runner.answers[QString()] = ProcessResult::fromExitCode(0, "one\r\ntw\366\nlast");
    const Command command = Command(QStringLiteral("x")).withEncoding(QStringConverter::Latin1);
    QCOMPARE(runner.firstLine(command).result(), QStringLiteral("one"));
    const auto lineWith = [&](const QString &text) {
        return *runner.firstLine(command, [text](QStringView line) {
                          return line.contains(text);
                      }).result();
    };
    QCOMPARE(lineWith(QStringLiteral("w")), QStringLiteral("tw\u00f6"));
    QCOMPARE(lineWith(QStringLiteral("last")), QStringLiteral("last"));
    QVERIFY(lineWith(QStringLiteral("more")).isNull());
}

void tst_ProcessResult::likeReal_data()
{
    QTest::addColumn<QString>("script");
    QTest::addColumn<ProcessResult>("made");
    QTest::newRow("success") << "printf 'a\\nb'" << ProcessResult::fromExitCode(0, "a\nb");
    QTest::newRow("failure") << "echo no >&2; exit 3" << ProcessResult::fromExitCode(3, {}, "no\n");
    QTest::newRow("signal") << "echo x; kill -TERM $$" << ProcessResult::fromSignal(SIGTERM, "x\n");
    QTest::newRow("timeout") << "echo x; exec sleep 1000"
                             << ProcessResult::fromOutcome(Outcome::TimedOut, "x\n");
}

// There is no way to tell it from one that a process has caused, but for what was measured.
void tst_ProcessResult::likeReal()
{
    QFETCH(QString, script);
    QFETCH(ProcessResult, made);
    // the time is long enough for the output that the row expects
    const Command command =
            shell(script).withTimeout(made.timedOut() ? std::chrono::milliseconds(500) : 60s);
    const ProcessResult real = command.output().result();
    made = made.withCommand(command);
    QCOMPARE(made.program(), real.program());
    QCOMPARE(made.outcome(), real.outcome());
    QCOMPARE(made.exitCode(), real.exitCode());
    QCOMPARE(made.signal(), real.signal());
    QCOMPARE(made.isSuccess(), real.isSuccess());
    QCOMPARE(made.error(), real.error());
    QCOMPARE(made.error().text(), real.error().text());
    QCOMPARE(made.standardOutput(), real.standardOutput());
    QCOMPARE(made.standardError(), real.standardError());
    QCOMPARE(made.combinedOutput(), real.combinedOutput());
    QCOMPARE(made.standardOutputByteCount(), real.standardOutputByteCount());
    QCOMPARE(made.standardOutputLineCount(), real.standardOutputLineCount());
    QCOMPARE(made.standardErrorByteCount(), real.standardErrorByteCount());
    QCOMPARE(made.standardErrorLineCount(), real.standardErrorLineCount());
    QCOMPARE(made.attempts(), real.attempts());
    QCOMPARE(made.isTruncated(), real.isTruncated());
}

void tst_ProcessResult::outcomes_data()
{
    QTest::addColumn<Outcome>("outcome");
    QTest::addColumn<Kind>("kind");
    QTest::newRow("timeout") << Outcome::TimedOut << Kind::Timeout;
    QTest::newRow("silence") << Outcome::WentQuiet << Kind::InactivityTimeout;
    QTest::newRow("cancellation") << Outcome::Cancelled << Kind::Cancelled;
    QTest::newRow("unknown") << Outcome::Unknown << Kind::Spawn;
}

void tst_ProcessResult::outcomes()
{
    QFETCH(Outcome, outcome);
    QFETCH(Kind, kind);
    const ProcessResult result = ProcessResult::fromOutcome(outcome, "out", "err");
    QCOMPARE(result.outcome(), outcome);
    QCOMPARE(result.error().kind(), kind);
    QVERIFY(!result.isSuccess() && !result.exitCode() && !result.signal());
    QCOMPARE(result.standardOutputBytes(), "out");
    QCOMPARE(result.standardErrorBytes(), "err");
}

void tst_ProcessResult::ofNothing()
{
    const ProcessResult result;
    QCOMPARE(result.outcome(), Outcome::NotStarted);
    QVERIFY(!result.isSuccess());
    QCOMPARE(result.error().kind(), Kind::Spawn);
    QVERIFY(!result.ensureSuccess());
}

void tst_ProcessResult::fromError()
{
    const ProcessError error(Kind::NotFound, QStringLiteral("tool"), QStringLiteral("execve"),
                             ENOENT);
    const ProcessResult result = ProcessResult::fromError(error);
    QCOMPARE(result.outcome(), Outcome::NotStarted);
    QCOMPARE(result.error(), error);
    QCOMPARE(result.program(), QStringLiteral("tool"));
    QCOMPARE(result.attempts(), 0);
    const ProcessError cancelled(Kind::Cancelled, QStringLiteral("tool"), QStringLiteral("start"),
                                 0);
    QCOMPARE(ProcessResult::fromError(cancelled).outcome(), Outcome::Cancelled);
    QCOMPARE(ProcessResult::fromError(cancelled).error(), cancelled);
}

void tst_ProcessResult::withCommand()
{
    const ProcessResult plain = ProcessResult::fromExitCode(2, "\344");
    const ProcessResult result = plain.withCommand(Command(QStringLiteral("tool"))
                                                           .withSuccessCodes({ 2 })
                                                           .withEncoding(QStringConverter::Latin1));
    QVERIFY(result.isSuccess());
    QCOMPARE(result.program(), QStringLiteral("tool"));
    QCOMPARE(result.standardOutput(), QStringLiteral("\u00e4"));
    QVERIFY(!plain.isSuccess()); // it is a copy
    QCOMPARE(plain.standardOutput(), QStringLiteral("\ufffd"));
}

QTEST_GUILESS_MAIN(tst_ProcessResult)
#include "tst_processresult.moc"
