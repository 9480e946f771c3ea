// SPDX-License-Identifier: MIT
#include "snippets.h"

// The C++ of doc/running-commands.md

void Snippets::git()
{
    if (!enterRepository())
        QSKIP("there is no git");
    QString shown;
    const auto show = [&shown](const Expected<QString> &head) { shown = head.valueOr("none"); };
    //! [git]
    Command git("git", { "rev-parse", "HEAD" });
    ProcessResult result = git.output().result(); // blocks: any thread, no event loop needed
    git.withTimeout(30s).run().then(this, [show](Expected<QString> head) { show(head); });
    //! [git]
    QVERIFY(result.isSuccess());
    QTRY_COMPARE(shown, result.standardOutput().trimmed());
}

void Snippets::builders()
{
    const QString directory = QDir::tempPath();
    //! [builders]
    const Command git = Command("git").withWorkingDirectory(directory).withTimeout(1min);
    const Command status = git.withMoreArguments({ "status", "--porcelain" });
    const Command fetch = git.withMoreArguments({ "fetch" }).withTimeout(10min);
    //! [builders]
    QVERIFY(git.arguments().isEmpty());
    QCOMPARE(status.arguments().size(), 2);
    QVERIFY(status.timeout() == 1min && fetch.timeout() == 10min);
}

void Snippets::result()
{
    QString reason;
    //! [result]
    const ProcessResult result = Command("sh", { "-c", "echo why >&2; exit 3" }).output().result();
    if (result.exitCode() == 3)
        reason = result.diagnostic(); // standard error, or else standard output
    else if (!result.isSuccess())
        qWarning() << result.error();
    //! [result]
    QCOMPARE(reason, "why\n");
}

void Snippets::expected()
{
    QString label;
    //! [expected]
    const Expected<QString> release = Command("uname", { "-r" }).run().result();
    if (release)
        label = "Linux " + *release;
    else
        label = release.error().text(); // one line, without paths
    //! [expected]
    QVERIFY(label.startsWith("Linux ") && !label.endsWith('\n'));
}

void Snippets::successCodes()
{
    const QString fileName = writeFile("hay", "straw\n");
    //! [successCodes]
    const Command grep = Command("grep", { "-c", "needle", fileName }).withSuccessCodes({ 0, 1 });
    const Expected<QString> count = grep.run().result();
    //! [successCodes]
    QCOMPARE(count.valueOr("none"), "0");
}

void Snippets::probe()
{
    const QString fileName = writeFile("hay", "straw\nneedle\n");
    QString found;
    //! [probe]
    const Expected<bool> hasNeedle = Command("grep", { "-q", "needle", fileName }).probe().result();
    if (!hasNeedle)
        qWarning() << hasNeedle.error(); // no such file, no grep
    else
        found = *hasNeedle ? "yes" : "no";
    //! [probe]
    QCOMPARE(found, "yes");
}

void Snippets::firstLine()
{
    const Command server = shell("echo starting; echo listening on 4711; exec sleep 1000");
    //! [firstLine]
    const auto isAddress = [](QStringView line) { return line.startsWith(u"listening on "); };
    const Expected<QString> line = server.withTimeout(10s).firstLine(isAddress).result();
    //! [firstLine]
    QCOMPARE(line.valueOr("none"), "listening on 4711");
}

void Snippets::parse()
{
    //! [parse]
    const auto toNumber = [](const QString &text) -> Expected<int> {
        bool isNumber = false;
        const int number = text.trimmed().toInt(&isNumber);
        if (!isNumber)
            return ProcessError::parseError("nproc", "no number");
        return number;
    };
    const Expected<int> processors = Command("nproc").parse(toNumber).result();
    //! [parse]
    QVERIFY(processors.valueOr(0) > 0);
    QCOMPARE(Command("echo", { "many" }).parse(toNumber).result().error().kind(),
             ProcessError::Kind::Parse);
}

void Snippets::json()
{
    const Command describe = Command("echo", { "{\"version\": 3}" });
    //! [json]
    const Expected<QJsonDocument> document = describe.json().result();
    const int version = document ? document->object().value("version").toInt() : 0;
    //! [json]
    QCOMPARE(version, 3);
}

void Snippets::which()
{
    const QString directory = temporaryPath(".");
    QFile::setPermissions(writeFile("linter", "#!/bin/sh\necho fine\n"),
                          QFile::ReadOwner | QFile::ExeOwner);
    //! [which]
    const Command linter = Command("linter").withPreferredDirectory(directory);
    const Expected<QString> file = linter.which();
    if (!file)
        qWarning() << "looked in" << file.error().searchedDirectories();
    //! [which]
    QVERIFY(file.hasValue() && file->endsWith("/linter"));
    QCOMPARE(linter.run().result().valueOr("none"), "fine");
}

void Snippets::environment()
{
    const QString tools = "/opt/tools/bin";
    //! [environment]
    const Command build = Command("env")
                                  .withAllowedVariables({ "HOME", "PATH" })
                                  .withVariable("LC_ALL", "C")
                                  .withPathPrepended("PATH", tools);
    //! [environment]
    const QStringList variables = build.run().result().valueOr(QString()).split('\n');
    QVERIFY(variables.contains("LC_ALL=C"));
    QVERIFY(!variables.filter(QRegularExpression("^PATH=/opt/tools/bin:")).isEmpty());
    QVERIFY(variables.filter("PK_TEST_TOKEN").isEmpty());
}

void Snippets::settings()
{
    //! [settings]
    const Command indexer = Command("nice")
                                    .withPriority(Command::Priority::Idle)
                                    .withIoPriority(Command::IoPriorityClass::Idle)
                                    .withFileModeMask(077)
                                    .withResourceLimit(Command::Resource::OpenFiles, 256);
    //! [settings]
    QCOMPARE(indexer.run().result().valueOr("none"), "19");
}

void Snippets::context()
{
    QString text;
    QThread *thread = nullptr;
    const auto setText = [&](const QString &newText) {
        text = newText;
        thread = QThread::currentThread();
    };
    //! [context]
    Command("uname", { "-r" }).run().then(this, [setText](const Expected<QString> &release) {
        setText(release ? *release : release.error().text()); // in this object's thread
    });
    //! [context]
    QTRY_VERIFY(!text.isEmpty());
    QCOMPARE(thread, QThread::currentThread());
}

void Snippets::chain()
{
    if (!enterRepository())
        QSKIP("there is no git");
    //! [chain]
    const QFuture<Expected<QString>> subject =
            Command("git", { "rev-parse", "HEAD" }).run().then([](const Expected<QString> &head) {
                // a thread of ProcessKit's own: it may block
                return head ? Command("git", { "show", "-s", "--format=%s", *head }).run().result()
                            : head;
            });
    //! [chain]
    QCOMPARE(subject.result().valueOr("none"), "First");
}

void Snippets::retries()
{
    const QString counter = writeFile("counter", "");
    const Command download =
            shell("echo x >>" + counter + "; test $(wc -l <" + counter + ") -ge 3 || exit 75");
    //! [retries]
    RetryPolicy policy;
    policy.retries = 5;
    policy.delay = 10ms;
    policy.classifier = [](const ProcessError &error) { return error.exitCode() == 75; };
    const Expected<QString> text = download.withRetries(policy).run().result();
    //! [retries]
    QVERIFY(text.hasValue());
    QCOMPARE(readFile(counter), "x\nx\nx\n");
}

void Snippets::batch()
{
    const QList<Command> commands = { shell("sleep 0.1; echo a"), shell("echo b"),
                                      shell("exit 1") };
    int failures = 0;
    //! [batch]
    BatchOptions options;
    options.limit = 2; // at a time
    const QList<ProcessResult> results = outputAll(commands, options).results();
    for (const ProcessResult &result : results) // in the order of the commands
        failures += result.isSuccess() ? 0 : 1;
    //! [batch]
    QCOMPARE(failures, 1);
    QCOMPARE(results.first().standardOutput(), "a\n");
}

void Snippets::groupRunner()
{
    const Command command = shell("sleep 1000 >/dev/null 2>&1 & echo started");
    //! [groupRunner]
    ProcessGroup session;
    GroupRunner runner(&session);
    const Expected<QString> text = runner.run(command).result(); // leaves a server behind
    const ShutdownReport report = session.shutdown(1s).result(); // which ends here
    //! [groupRunner]
    QCOMPARE(text.valueOr("none"), "started");
    QVERIFY(report.empty && report.membersBefore == 1);
}

namespace {

//! [client]
class Git : public CliClient
{
public:
    explicit Git(const QString &directory, ProcessRunner *runner = nullptr)
        : CliClient(Command("git").withWorkingDirectory(directory).withTimeout(30s), runner)
    {
    }
    QFuture<Expected<QStringList>> branches() const
    {
        return parse({ "branch", "--format=%(refname:short)" },
                     [](const QString &text) { return text.split('\n', Qt::SkipEmptyParts); });
    }
};
//! [client]

//! [otherRunner]
class Canned : public ProcessRunner
{
public:
    QFuture<ProcessResult> execute(const Command &command, const Options &) override
    {
        asked.append(command.arguments());
        return QtFuture::makeReadyFuture(answer.withCommand(command));
    }
    ProcessResult answer;
    QList<QStringList> asked;
};
//! [otherRunner]

} // namespace

void Snippets::client()
{
    if (!enterRepository())
        QSKIP("there is no git");
    const Expected<QStringList> branches = Git(QDir::currentPath()).branches().result();
    QCOMPARE(branches.valueOr(QStringList()).size(), 1);
}

void Snippets::filledIn()
{
    const CliClient client(Command("git").withTimeout(30s).withVariable("LC_ALL", "C"));
    //! [filledIn]
    const Command given = Command("git", { "gc" }).withoutTimeout();
    const Command command = client.filledIn(given); // with the client's environment
    //! [filledIn]
    QVERIFY(!command.timeout());
    QCOMPARE(command.effectiveEnvironment()->value("LC_ALL"), "C");
}

void Snippets::otherRunner()
{
    //! [otherRunnerUse]
    Canned runner;
    runner.answer = ProcessResult::fromExitCode(0, "main\nwork\n");
    const Git git("/", &runner);
    const Expected<QStringList> branches = git.branches().result();
    //! [otherRunnerUse]
    QCOMPARE(branches.valueOr(QStringList()), QStringList({ "main", "work" }));
    QCOMPARE(runner.asked.first().first(), "branch");
}

void Snippets::live()
{
    //! [live]
    std::unique_ptr<ContainedProcess> sleeper =
            Command("sleep", { "1000" }).withTimeout(1h).start();
    connect(sleeper.get(), &ContainedProcess::finished, this, [] { qInfo("over"); });
    sleeper.reset(); // ends the tree
    //! [live]
}
