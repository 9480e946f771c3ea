// SPDX-License-Identifier: MIT
#include "cleantest.h"
#include "commands.h"

#include <ProcessKit/pipelinesession.h>

#include <QtCore/qfile.h>
#include <QtTest/qsignalspy.h>

#include <signal.h>

using namespace PkTest;
using namespace ProcessKit;
using namespace std::chrono_literals;

using Kind = ProcessError::Kind;

static Command exits(int code)
{
    return shell(QStringLiteral("cat >/dev/null; exit %1").arg(code));
}

class tst_Pipeline : public CleanTest
{
    Q_OBJECT

private Q_SLOTS:
    void output_data();
    void output();
    void verbs();
    void ends();
    void attribution_data();
    void attribution();
    void notStarted();
    void tearsDown();
    void brokenPipe();
    void stageTimeout();
    void chainTimeout();
    void cancel();
    void mergedStage();
    void leakedPipe();
    void refused();
    void session();
    void sessionEnds();
};

void tst_Pipeline::output_data()
{
    addMechanismRows();
}

void tst_Pipeline::output()
{
    QFETCH(Mechanism, mechanism);
    PK_REQUIRE_MECHANISM(mechanism);
    const auto held = [mechanism](const Command &command) {
        return command.withMechanism(mechanism);
    };
    const ProcessResult result = (held(shell(QStringLiteral("seq 1 1000; echo first >&2")))
                                  | held(Command(QStringLiteral("grep"), { QStringLiteral("7") }))
                                  | held(Command(QStringLiteral("wc"), { QStringLiteral("-l") })))
                                         .output()
                                         .result();
    QVERIFY2(result.isSuccess(), qPrintable(result.error().diagnostic()));
    QCOMPARE(result.standardOutput().trimmed(), QStringLiteral("271"));
    QCOMPARE(result.standardError(), QString());
    QCOMPARE(result.mechanism(), mechanism);
}

void tst_Pipeline::verbs()
{
    const Pipeline sorted =
            shell(QStringLiteral("printf 'b\\na\\n'")) | Command(QStringLiteral("sort"));
    QCOMPARE(*sorted.run().result(), QStringLiteral("a\nb"));
    QCOMPARE(*sorted.outputBytes().result(), "a\nb\n");
    QCOMPARE(*sorted.exitCode().result(), 0);
    QCOMPARE(*sorted.firstLine().result(), QStringLiteral("a"));
    QCOMPARE(*(shell(QStringLiteral("echo x")) | exits(1)).probe().result(), false);
    QVERIFY(sorted.parse([](const QString &text) { return text.size(); }).result() == 4);
    QVERIFY((shell(QStringLiteral("while :; do echo y; done")) | Command(QStringLiteral("cat")))
                    .firstLine()
                    .result()
            == QStringLiteral("y"));
}

// The first stage reads, the last one writes; what lies between is not what the commands would do
// alone.
void tst_Pipeline::ends()
{
    const QString name = temporaryPath(QStringLiteral("never-made"));
    const Expected<QString> through =
            (Command(QStringLiteral("cat"))
                     .withInput(QStringLiteral("in"))
                     .withStandardOutput(OutputDestination::file(name))
             | Command(QStringLiteral("cat")).withInput(QStringLiteral("other")))
                    .run()
                    .result();
    QCOMPARE(*through, QStringLiteral("in"));
    QVERIFY(!QFile::exists(name));
}

void tst_Pipeline::attribution_data()
{
    QTest::addColumn<QList<int>>("codes"); // 100 and more: unchecked
    QTest::addColumn<int>("code");
    QTest::addColumn<bool>("success");
    QTest::newRow("clean") << QList<int>{ 0, 0, 0 } << 0 << true;
    QTest::newRow("first") << QList<int>{ 3, 0, 0 } << 3 << false;
    QTest::newRow("leftmost") << QList<int>{ 0, 4, 5 } << 4 << false;
    QTest::newRow("last") << QList<int>{ 0, 0, 6 } << 6 << false;
    QTest::newRow("unchecked") << QList<int>{ 103, 0, 0 } << 0 << true;
    QTest::newRow("checked outranks unchecked") << QList<int>{ 103, 0, 5 } << 5 << false;
    QTest::newRow("unchecked last") << QList<int>{ 0, 0, 107 } << 7 << true;
}

void tst_Pipeline::attribution()
{
    QFETCH(QList<int>, codes);
    QFETCH(int, code);
    QFETCH(bool, success);
    Pipeline pipeline;
    for (const int each : codes)
        pipeline = pipeline | exits(each % 100).withUncheckedInPipe(each >= 100);
    const ProcessResult result = pipeline.output().result();
    QCOMPARE(result.exitCode(), code);
    QCOMPARE(result.isSuccess(), success);
}

void tst_Pipeline::notStarted()
{
    const ProcessResult result =
            (shell(QStringLiteral("sleep 100")) | Command(QStringLiteral("there-is-no-such"))
             | Command(QStringLiteral("cat")))
                    .output()
                    .result();
    QCOMPARE(result.outcome(), Outcome::NotStarted);
    QCOMPARE(result.error().kind(), Kind::NotFound);
    QCOMPARE(result.program(), QStringLiteral("there-is-no-such"));
}

// A silent stage in front of one that has failed does not hold the chain up.
void tst_Pipeline::tearsDown()
{
    const ProcessResult result =
            (shell(QStringLiteral("sleep 1000")) | shell(QStringLiteral("echo why >&2; exit 9"))
             | Command(QStringLiteral("cat")))
                    .output()
                    .result();
    QCOMPARE(result.exitCode(), 9);
    QCOMPARE(result.standardError(), QStringLiteral("why\n"));
}

void tst_Pipeline::brokenPipe()
{
    const Command yes(QStringLiteral("yes"));
    const Command head(QStringLiteral("head"), { QStringLiteral("-n1") });
    const ProcessResult result = (yes | head).output().result();
    QCOMPARE(result.signal(), SIGPIPE);
    QCOMPARE(result.standardOutput(), QStringLiteral("y\n"));
    QVERIFY((yes.withUncheckedInPipe() | head).run().result().hasValue());
    // whose reader has failed is not to blame
    QCOMPARE((yes | shell(QStringLiteral("exit 8"))).output().result().exitCode(), 8);
}

void tst_Pipeline::stageTimeout()
{
    const ProcessResult result =
            (shell(QStringLiteral("sleep 1000")).withTimeout(30ms) | Command(QStringLiteral("cat")))
                    .output()
                    .result();
    QCOMPARE(result.outcome(), Outcome::TimedOut);
    QCOMPARE(result.program(), QStringLiteral("/bin/sh"));
}

void tst_Pipeline::chainTimeout()
{
    const ProcessResult result =
            (shell(QStringLiteral("echo part; sleep 1000")) | Command(QStringLiteral("cat")))
                    .withTimeout(200ms)
                    .output()
                    .result();
    QCOMPARE(result.outcome(), Outcome::TimedOut);
    QCOMPARE(result.standardOutput(), QStringLiteral("part\n"));
}

void tst_Pipeline::cancel()
{
    std::stop_source source;
    const auto future = (shell(QStringLiteral("sleep 1000")) | Command(QStringLiteral("cat")))
                                .withStopToken(source.get_token())
                                .run();
    source.request_stop();
    QCOMPARE(future.result().error().kind(), Kind::Cancelled);

    auto output = (shell(QStringLiteral("sleep 1000")) | Command(QStringLiteral("cat"))).output();
    output.cancel();
    output.waitForFinished();
    QVERIFY(output.isCanceled());
}

void tst_Pipeline::mergedStage()
{
    const ProcessResult result =
            (shell(QStringLiteral("echo a; echo b >&2; echo c; exit 3")).withMergedErrors()
             | Command(QStringLiteral("cat")))
                    .output()
                    .result();
    QCOMPARE(result.standardOutput(), QStringLiteral("a\nb\nc\n"));
    QCOMPARE(result.standardError(), QString());
    QCOMPARE(result.exitCode(), 3);
}

// What a stage leaves behind holds the pipe: the next one does not wait for it for ever.
void tst_Pipeline::leakedPipe()
{
    const ProcessResult result =
            (shell(QStringLiteral("sleep 1000 & echo done")) | Command(QStringLiteral("cat")))
                    .output()
                    .result();
    QVERIFY(result.isSuccess());
    QCOMPARE(result.standardOutput(), QStringLiteral("done\n"));
}

void tst_Pipeline::refused()
{
    QCOMPARE((exits(0).withInactivityTimeout(1s) | exits(0)).run().result().error().kind(),
             Kind::InvalidArgument);
    QCOMPARE(Pipeline().run().result().error().kind(), Kind::InvalidArgument);
    QCOMPARE((exits(0) | exits(0)).withTimeout(-1ms).run().result().error().kind(),
             Kind::InvalidArgument);
    QCOMPARE((exits(0).withRetries(2) | exits(0)).run().result().error().kind(),
             Kind::InvalidArgument);
}

void tst_Pipeline::session()
{
    PipelineSession session;
    QStringList lines;
    connect(&session, &PipelineSession::linesReady, this, [&](const QList<OutputLine> &batch) {
        for (const OutputLine &line : batch)
            lines.append(line.toString());
    });
    QSignalSpy finished(&session, &PipelineSession::finished);
    session.start(shell(QStringLiteral("printf 'b\\na\\n'")) | Command(QStringLiteral("sort")));
    QVERIFY(session.isRunning());
    QTRY_COMPARE_WITH_TIMEOUT(finished.size(), 1, Patience);
    QCOMPARE(lines, QStringList({ QStringLiteral("a"), QStringLiteral("b") }));
    QVERIFY(!session.isRunning());
    QVERIFY(session.result().isSuccess());

    session.start(shell(QStringLiteral("echo x; sleep 1000")) | Command(QStringLiteral("cat")));
    QTRY_COMPARE_WITH_TIMEOUT(lines.size(), 3, Patience);
    session.cancel();
    QCOMPARE(session.result().outcome(), Outcome::Cancelled); // without the event loop
    QTRY_COMPARE_WITH_TIMEOUT(finished.size(), 2, Patience);
}

void tst_Pipeline::sessionEnds()
{
    std::stop_source source;
    auto session = std::make_unique<PipelineSession>();
    session->start(
            (shell(QStringLiteral("while :; do echo y; done")) | Command(QStringLiteral("cat")))
                    .withStopToken(source.get_token()));
    QSignalSpy lines(session.get(), &PipelineSession::linesReady);
    QTRY_VERIFY_WITH_TIMEOUT(!lines.isEmpty(), Patience);
    source.request_stop();
    QCOMPARE(session->result().outcome(), Outcome::Cancelled);
    QFuture<ProcessResult> future;
    session = std::make_unique<PipelineSession>();
    session->start(shell(QStringLiteral("sleep 1000")) | Command(QStringLiteral("cat")));
    future = session->future();
    session.reset();
    QCOMPARE(future.result().outcome(), Outcome::Cancelled);
}

QTEST_GUILESS_MAIN(tst_Pipeline)
#include "tst_pipeline.moc"
