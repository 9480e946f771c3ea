// SPDX-License-Identifier: MIT
#include "snippets.h"

// The C++ of doc/cookbook.md

void Snippets::oneLine()
{
    //! [oneLine]
    const QString host = Command("uname", { "-n" }).run().result().valueOr("unknown");
    //! [oneLine]
    QVERIFY(!host.isEmpty() && host != "unknown");
}

void Snippets::isInstalled()
{
    //! [isInstalled]
    const bool hasShell = Command("sh").which().hasValue();
    //! [isInstalled]
    QVERIFY(hasShell);
    QVERIFY(!Command("there-is-no-such").which());
}

namespace {

//! [button]
class Builder : public QObject
{
public:
    Builder()
    {
        connect(&m_build, &QFutureWatcherBase::finished, this, [this] {
            wasStopped = m_build.isCanceled();
            succeeded = !wasStopped && m_build.result().isSuccess();
        });
    }
    ~Builder() override
    {
        stop();
        m_build.waitForFinished();
    }
    void start(const Command &build) { m_build.setFuture(build.output()); }
    void stop() { m_build.cancel(); } // the button's slot
    bool succeeded = false;
    bool wasStopped = false;

private:
    QFutureWatcher<ProcessResult> m_build;
};
//! [button]

} // namespace

void Snippets::button()
{
    Builder builder;
    builder.start(Command("true"));
    QTRY_VERIFY(builder.succeeded);
    builder.start(shell("sleep 1000"));
    builder.stop();
    QTRY_VERIFY(builder.wasStopped);
}

void Snippets::progress()
{
    const Command build = shell("echo '[1/2] a'; echo '[2/2] b'");
    int value = 0;
    const auto setValue = [&value](int percent) { value = percent; };
    //! [progress]
    static const QRegularExpression step("^\\[(\\d+)/(\\d+)\\]");
    const auto future =
            build.withLineHandler(this, [setValue](const OutputLine &line) {
                     const auto match = step.match(line.toString());
                     if (match.hasMatch())
                         setValue(100 * match.captured(1).toInt() / match.captured(2).toInt());
                 }).output();
    //! [progress]
    QTRY_COMPARE(value, 100);
    QVERIFY(future.result().isSuccess());
}

void Snippets::keepLog()
{
    const Command build = shell("echo compiling; echo warning >&2");
    const QString fileName = temporaryPath("log");
    //! [keepLog]
    const auto log = std::make_shared<QFile>(fileName);
    if (log->open(QIODevice::WriteOnly | QIODevice::Append)) {
        build.withOutputTextTee(log).withErrorTextTee(log).output().waitForFinished();
        log->close();
    }
    //! [keepLog]
    QCOMPARE(readFile(fileName).size(), sizeof "compiling\nwarning\n" - 1);
}

void Snippets::fileToFile()
{
    const QString source = writeFile("source", "b\na\n");
    const QString target = temporaryPath("target");
    //! [fileToFile]
    const Expected<QString> done = Command("sort")
                                           .withInput(StdinSource::file(source))
                                           .withStandardOutput(OutputDestination::file(target))
                                           .run()
                                           .result();
    //! [fileToFile]
    QVERIFY(done.hasValue());
    QCOMPARE(readFile(target), "a\nb\n");
}

void Snippets::shellScript()
{
    const QString fileName = writeFile("a name with 'quotes'", "x\n");
    //! [shellScript]
    const Command script("sh", { "-c", "wc -l <\"$1\" | tr -d ' '", "sh", fileName });
    const Expected<QString> lines = script.run().result();
    //! [shellScript]
    QCOMPARE(lines.valueOr("none"), "1");
}

void Snippets::secret()
{
    const QString password = "4711";
    //! [secret]
    const Command login = Command("cat").withInput(password + '\n'); // not as an argument
    const auto hide = [password](QString line) { return line.replace(password, "***"); };
    const Expected<QString> answer = login.withRedaction(hide).run().result();
    //! [secret]
    QCOMPARE(answer.valueOr("none"), "***");
}

void Snippets::lastLines()
{
    const Command build = shell("seq 1 1000; exit 1");
    QString message;
    //! [lastLines]
    const Expected<ProcessResult> result = build.withMergedErrors()
                                                   .withOutputPolicy(OutputPolicy::lines(3))
                                                   .output()
                                                   .result()
                                                   .ensureSuccess();
    if (!result)
        message = result.error().standardOutput();
    //! [lastLines]
    QCOMPARE(message, "998\n999\n1000\n");
}

void Snippets::listOfValues()
{
    //! [listOfValues]
    const auto toSizes = [](const QString &text) {
        QMap<QString, qint64> sizes;
        for (const QString &line : text.split('\n', Qt::SkipEmptyParts))
            sizes.insert(line.section('\t', 1), line.section('\t', 0, 0).toLongLong());
        return sizes;
    };
    const auto sizes = Command("printf", { "12\\ta\\n7\\tb c\\n" }).parse(toSizes).result();
    //! [listOfValues]
    QVERIFY(sizes.hasValue());
    QCOMPARE(sizes->value("b c"), 7);
}

void Snippets::manyFiles()
{
    const QStringList fileNames = { writeFile("one", "1"), writeFile("two", "22") };
    //! [manyFiles]
    QList<Command> commands;
    for (const QString &fileName : fileNames)
        commands.append(Command("cksum").withMoreArguments({ fileName }));
    const QList<ProcessResult> sums = outputAll(commands).results(); // one for each processor
    //! [manyFiles]
    QCOMPARE(sums.size(), 2);
    QVERIFY(sums.last().isSuccess() && sums.last().standardOutput().contains("two"));
}

void Snippets::flaky()
{
    const QString marker = temporaryPath("marker");
    const Command fetch = shell("test -e " + marker + " || { touch " + marker + "; exit 1; }");
    //! [flaky]
    const Expected<QString> text = fetch.withTimeout(1min).withRetries(3).run().result();
    //! [flaky]
    QVERIFY(text.hasValue());
}

void Snippets::background()
{
    const Command index("true");
    //! [background]
    const auto future = index.withPriority(Command::Priority::Idle)
                                .withIoPriority(Command::IoPriorityClass::Idle)
                                .output();
    //! [background]
    QVERIFY(future.result().isSuccess());
}

void Snippets::waitForServer()
{
    const Command server = shell("echo starting; echo ready; exec sleep 1000");
    //! [waitForServer]
    const std::unique_ptr<ContainedProcess> process = server.start();
    bool isReady = false;
    while (!isReady && (process->canReadLine() || process->waitForReadyRead(10000)))
        isReady = process->canReadLine() && process->readLine() == "ready\n";
    //! [waitForServer]
    QVERIFY(isReady);
}

void Snippets::showCommand()
{
    const Command command = Command("echo", { "it's", "a b" });
    //! [showCommand]
    const QString line = command.commandLine(); // for people, and for a shell
    const Expected<QString> file = command.which();
    const Expected<QProcessEnvironment> environment = command.effectiveEnvironment();
    //! [showCommand]
    QCOMPARE(line, "echo 'it'\\''s' 'a b'");
    QVERIFY(file.hasValue() && environment.hasValue());
}

void Snippets::cleanEnvironment()
{
    const Command tool("env");
    //! [cleanEnvironment]
    const Command clean = tool.withAllowedVariables({ "PATH", "HOME", "TMPDIR" });
    //! [cleanEnvironment]
    QVERIFY(!clean.run().result().valueOr("PK_TEST_TOKEN").contains("PK_TEST_TOKEN"));
}

void Snippets::outlive()
{
    //! [outlive]
    const Expected<qint64> processId = Command("true").startDetached();
    //! [outlive]
    QVERIFY(processId.valueOr(0) > 0);
}
