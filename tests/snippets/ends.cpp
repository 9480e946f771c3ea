// SPDX-License-Identifier: MIT
#include "snippets.h"

// The C++ of doc/timeouts-and-cancellation.md

void Snippets::timeout()
{
    const Command build = shell("echo begun; sleep 1000");
    //! [timeout]
    const Command limited = build.withTimeout(500ms);
    const ProcessResult result = limited.output().result(); // data
    if (result.outcome() == Outcome::TimedOut)
        qInfo() << result.standardOutput().size() << "characters had come";
    const ProcessError error = limited.run().result().error(); // an error
    //! [timeout]
    QCOMPARE(result.standardOutput(), "begun\n");
    QCOMPARE(error.kind(), ProcessError::Kind::Timeout);
    QCOMPARE(error.standardOutput(), "begun\n");
}

void Snippets::timeoutGrace()
{
    const Command server = shell("trap 'echo saved; exit' TERM; echo up; sleep 1000 & wait");
    //! [timeoutGrace]
    const ProcessResult result = server.withTimeout(500ms).withTimeoutGrace(5s).output().result();
    //! [timeoutGrace]
    QCOMPARE(result.outcome(), Outcome::TimedOut);
    QCOMPARE(result.standardOutput(), "up\nsaved\n");
}

void Snippets::inactivity()
{
    const Command download = shell("echo 10%; sleep 1000");
    //! [inactivity]
    const ProcessResult result = download.withInactivityTimeout(200ms).output().result();
    const bool hangs = result.outcome() == Outcome::WentQuiet;
    //! [inactivity]
    QVERIFY(hangs && result.timedOut());
}

void Snippets::cancelFuture()
{
    const Command build = shell("sleep 1000");
    //! [cancelFuture]
    QFuture<ProcessResult> future = build.output();
    future.cancel();
    future.waitForFinished(); // the whole tree is gone
    const bool hasResult = future.isResultReadyAt(0);
    //! [cancelFuture]
    QVERIFY(!hasResult && future.isCanceled());
}

void Snippets::canceledHandler()
{
    const Command build = shell("sleep 1000");
    QString status;
    const auto setStatus = [&status](const QString &text) { status = text; };
    //! [canceledHandler]
    QFuture<ProcessResult> future = build.output();
    future.then(this, [setStatus](const ProcessResult &) {
              setStatus("built");
          }).onCanceled(this, [setStatus] { setStatus("cancelled"); });
    //! [canceledHandler]
    future.cancel();
    QTRY_COMPARE(status, "cancelled");
}

void Snippets::stopToken()
{
    const QList<Command> steps = { shell("sleep 1000"), shell("sleep 1000") };
    //! [stopToken]
    std::stop_source stop;
    QList<QFuture<ProcessResult>> running;
    for (const Command &step : steps)
        running.append(step.withStopToken(stop.get_token()).withCancelGrace(2s).output());
    stop.request_stop(); // from any thread
    const Outcome outcome = running.first().result().outcome();
    //! [stopToken]
    QCOMPARE(outcome, Outcome::Cancelled);
    QCOMPARE(running.last().result().error().kind(), ProcessError::Kind::Cancelled);
}

void Snippets::leftovers()
{
    const Command build = shell("sleep 1000 & echo built");
    //! [leftovers]
    const ProcessResult result = build.withLeftovers(Leftovers::KillAtOnce).output().result();
    for (const ProcessInfo &forgotten : result.leftovers())
        qInfo() << "left behind, and ended:" << forgotten.name();
    //! [leftovers]
    QVERIFY(result.isSuccess());
    QCOMPARE(result.standardOutput(), "built\n");
    QCOMPARE(result.leftovers().size(), 1);
}
