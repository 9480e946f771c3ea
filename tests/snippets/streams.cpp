// SPDX-License-Identifier: MIT
#include "snippets.h"

#include <atomic>

// The C++ of doc/output-and-input.md

void Snippets::streams()
{
    const Command command = shell("echo out; echo err >&2");
    //! [streams]
    const ProcessResult result = command.output().result();
    const QString text = result.standardOutput(); // decoded
    const QByteArray bytes = result.standardOutputBytes(); // as they came
    const QString errors = result.standardError();
    const QString all = result.combinedOutput(); // in the order of reading
    //! [streams]
    QVERIFY(text == "out\n" && bytes == "out\n" && errors == "err\n");
    QCOMPARE(all.size(), 8);
}

void Snippets::encoding()
{
    const Command list = shell("printf 'gr\\374n'");
    //! [encoding]
    const QString name = list.withEncoding(QStringConverter::Latin1).run().result().valueOr("?");
    //! [encoding]
    QCOMPARE(name, QStringLiteral("gr\u00fcn"));
}

void Snippets::merged()
{
    const Command build = shell("echo compiling; echo warning >&2; echo linking");
    //! [merged]
    const QString log = build.withMergedErrors().output().result().standardOutput();
    //! [merged]
    QCOMPARE(log, "compiling\nwarning\nlinking\n");
}

void Snippets::policy()
{
    const Command build = shell("seq 1 100; exit 2");
    //! [policy]
    const ProcessResult result =
            build.withMergedErrors().withOutputPolicy(OutputPolicy::lines(20)).output().result();
    if (!result.isSuccess())
        qInfo("the last lines of %lld", qlonglong(result.standardOutputLineCount()));
    //! [policy]
    QVERIFY(result.isTruncated());
    QVERIFY(result.standardOutput().startsWith("81\n"));
    QCOMPARE(result.standardOutputLineCount(), 100);
}

void Snippets::policyFails()
{
    const Command command = shell("seq 1 1000");
    //! [policyFails]
    const auto limited = OutputPolicy::bytes(1000, OutputPolicy::Overflow::Fail);
    const ProcessResult result = command.withOutputPolicy(limited).output().result();
    const bool isTooMuch = result.error().kind() == ProcessError::Kind::OutputTooLarge;
    //! [policyFails]
    QVERIFY(isTooMuch);
    QCOMPARE(result.standardOutputBytes().size(), 1000);
}

void Snippets::lineHandler()
{
    const Command build = shell("echo '[1/2] a'; echo '[2/2] b'");
    QStringList view;
    const auto show = [&view](const QString &text) { view.append(text); };
    //! [lineHandler]
    const auto future = build.withLineHandler(this, [show](const OutputLine &line) {
                                 show(line.toString()); // in the thread of this object
                             }).run();
    //! [lineHandler]
    QTRY_COMPARE(view, QStringList({ "[1/2] a", "[2/2] b" }));
    QVERIFY(future.result().hasValue());
}

void Snippets::lineHandlerHere()
{
    const Command build = shell("echo fine; echo a warning; echo another warning");
    //! [lineHandlerHere]
    std::atomic<int> warnings = 0;
    const auto count = [&warnings](const OutputLine &line) {
        if (line.text().contains(u"warning")) // on the I/O thread: be quick
            ++warnings;
    };
    build.withLineHandler(count).output().waitForFinished();
    //! [lineHandlerHere]
    QCOMPARE(warnings.load(), 2);
}

void Snippets::tee()
{
    const Command build = shell("echo compiling");
    const QString fileName = temporaryPath("build.log");
    //! [tee]
    const auto log = std::make_shared<QFile>(fileName);
    if (log->open(QIODevice::WriteOnly)) {
        const ProcessResult result = build.withOutputTee(log).output().result();
        log->close(); // now it is ours again
    }
    //! [tee]
    QCOMPARE(readFile(fileName), "compiling\n");
}

void Snippets::textTee()
{
    const Command build = shell("echo compiling; printf '\\033[1mtoken: 4711\\033[0m\\n'");
    const auto log = std::make_shared<QBuffer>();
    QVERIFY(log->open(QIODevice::WriteOnly));
    const auto hideToken = [](const QString &line) {
        return line.startsWith("token:") ? QString("token: ***") : line;
    };
    //! [textTee]
    const Command logged = build.withOutputTextTee(log)
                                   .withErrorTextTee(log)
                                   .withEscapeSequencesRemoved()
                                   .withRedaction(hideToken);
    const Expected<QString> done = logged.run().result();
    //! [textTee]
    QVERIFY(done);
    QCOMPARE(log->data(), "compiling\ntoken: ***\n");
}

void Snippets::redaction()
{
    const Command login = shell("echo user: ada; echo token: 4711");
    //! [redaction]
    const auto hideToken = [](const QString &line) {
        return line.startsWith("token:") ? QString("token: ***") : line;
    };
    const Expected<QString> text = login.withRedaction(hideToken).run().result();
    //! [redaction]
    QCOMPARE(text.valueOr("none"), "user: ada\ntoken: ***");
}

void Snippets::escapes()
{
    const Command list = shell("printf '\\033[1mbold\\033[0m'");
    //! [escapes]
    const Expected<QString> plain = list.withEscapeSequencesRemoved().run().result();
    //! [escapes]
    QCOMPARE(plain.valueOr("none"), "bold");
}

void Snippets::destinations()
{
    const Command dump = shell("echo data; echo note >&2");
    const QString fileName = temporaryPath("dump");
    //! [destinations]
    const ProcessResult result = dump.withStandardOutput(OutputDestination::file(fileName))
                                         .withStandardError(OutputDestination::null())
                                         .output()
                                         .result();
    //! [destinations]
    QVERIFY(result.isSuccess() && result.standardOutput().isEmpty());
    QCOMPARE(readFile(fileName), "data\n");
}

void Snippets::input()
{
    //! [input]
    const Command sort("sort");
    const auto sorted = sort.withInput(StdinSource::lines({ "b", "a" })).run().result();
    const auto upper = Command("tr", { "a-z", "A-Z" }).withInput("text").run().result();
    //! [input]
    QCOMPARE(sorted.valueOr("none"), "a\nb");
    QCOMPARE(upper.valueOr("none"), "TEXT");
}

void Snippets::generator()
{
    //! [generator]
    const auto numbers = StdinSource::generator([next = 1]() mutable {
        return next <= 1000 ? QByteArray::number(next++) + '\n' : QByteArray();
    });
    const auto count = Command("wc", { "-l" }).withInput(numbers).run().result();
    //! [generator]
    QCOMPARE(count.valueOr("none").trimmed(), "1000");
}

void Snippets::deviceInput()
{
    const auto sender = shell("echo packed").start();
    QIODevice *socket = sender.get();
    const Command unpack("cat");
    QString shown;
    const auto show = [&shown](const Expected<QString> &text) { shown = text.valueOr("?"); };
    //! [deviceInput]
    unpack.withInput(StdinSource::device(socket)).run().then(this, show);
    //! [deviceInput]
    QTRY_COMPARE(shown, "packed");
}

void Snippets::dialogue()
{
    //! [dialogue]
    auto calculator = Command("cat").withInput(StdinSource::keptOpen()).start();
    calculator->write("1 + 2\n");
    calculator->closeWriteChannel();
    calculator->waitForFinished();
    const QByteArray answer = calculator->readAllStandardOutput();
    //! [dialogue]
    QCOMPARE(answer, "1 + 2\n");
}
