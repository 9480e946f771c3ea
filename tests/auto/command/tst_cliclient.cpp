// SPDX-License-Identifier: MIT
#include "commands.h"

#include <ProcessKit/batch.h>
#include <ProcessKit/cliclient.h>
#include <ProcessKit/processgroup.h>

#include <QtCore/qcoreapplication.h>
#include <QtCore/qfile.h>
#include <QtCore/qjsonarray.h>

#include <signal.h>

using namespace PkTest;
using namespace ProcessKit;
using namespace std::chrono_literals;

using Kind = ProcessError::Kind;

// Remembers what it is asked to do and gives what it was told to, without any process.
class FakeRunner final : public ProcessRunner
{
public:
    QFuture<ProcessResult> execute(const Command &command, const Options &options) override
    {
        commands.append(command);
        allOptions.append(options);
        if (!isLate)
            return QtFuture::makeReadyFuture(answer);
        promises.push_back(std::make_unique<QPromise<ProcessResult>>());
        promises.back()->start();
        return promises.back()->future();
    }
    void finishAll()
    {
        for (const auto &promise : promises) {
            promise->addResult(answer);
            promise->finish();
        }
        promises.clear();
    }

    ProcessResult answer;
    bool isLate = false;
    QList<Command> commands;
    QList<Options> allOptions;
    std::vector<std::unique_ptr<QPromise<ProcessResult>>> promises;
};

// Clients of one tool, and what else runs commands.
class tst_CliClient : public CleanTest
{
    Q_OBJECT

public:
    bool worksAlone = false; // before anything was started

private Q_SLOTS:
    void alone();
    void arguments();
    void verbs();
    void gaps();
    void timeouts();
    void retries();
    void stopTokens();
    void environment();
    void environmentFiles();
    void wholeEnvironment();
    void seam();
    void seamLate();
    void seamCancelled();
    void groupRunner_data();
    void groupRunner();
    void groupRunnerMechanism_data();
    void groupRunnerMechanism();
    void groupRunnerAlone();
    void groupRunnerWithoutGroup();
    void raceGroupEnd();
};

static Command client()
{
    return Command(QStringLiteral("tool"), { QStringLiteral("--quiet") });
}

static QString value(const Command &command, const char *name)
{
    const auto environment = command.effectiveEnvironment();
    return environment ? environment->value(QString::fromLatin1(name), QStringLiteral("(none)"))
                       : QStringLiteral("(error)");
}

// A verb of a runner that starts nothing needs nothing that a start needs.
void tst_CliClient::alone()
{
    QVERIFY(worksAlone);
}

static bool runsWithoutAnyStart()
{
    FakeRunner runner;
    runner.isLate = true;
    const auto run = runner.run(client());
    const auto probe = runner.probe(client());
    runner.finishAll();
    return run.result().error().kind() == probe.result().error().kind();
}

void tst_CliClient::arguments()
{
    FakeRunner runner;
    const CliClient tool(client(), &runner);
    QCOMPARE(&tool.runner(), &runner);
    (void)tool.output({ QStringLiteral("a"), QStringLiteral("b c") });
    QCOMPARE(runner.commands.at(0).program(), QStringLiteral("tool"));
    QCOMPARE(
            runner.commands.at(0).arguments(),
            QStringList({ QStringLiteral("--quiet"), QStringLiteral("a"), QStringLiteral("b c") }));
    QCOMPARE(tool.defaults().arguments(), QStringList(QStringLiteral("--quiet")));
    QCOMPARE(&CliClient(QStringLiteral("x")).runner(), &ProcessRunner::instance());
    QCOMPARE(CliClient(QStringLiteral("x")).command({ QStringLiteral("y") }),
             Command(QStringLiteral("x"), { QStringLiteral("y") }));
}

void tst_CliClient::verbs()
{
    FakeRunner runner;
    CliClient tool(client(), &runner);
    runner.answer = ProcessResult::fromExitCode(0, "[1]\n\n");
    QCOMPARE(tool.run({}).result(), QStringLiteral("[1]"));
    QCOMPARE(tool.exitCode({}).result(), 0);
    QCOMPARE(tool.probe({}).result(), true);
    QCOMPARE(tool.json({}).result()->array().size(), 1);
    QCOMPARE(tool.output({}).result(), runner.answer);
    QCOMPARE(tool.parse({}, [](const QString &text) { return text.size(); }).result(), 5);
    // what each verb asks for
    const QList<bool> asksForSuccess{ true, false, false, true, false, true };
    for (int i = 0; i < asksForSuccess.size(); ++i)
        QCOMPARE(runner.allOptions.at(i).successRequired, asksForSuccess.at(i));
    runner.answer = ProcessResult::fromExitCode(1);
    QCOMPARE(tool.run({}).result().error().exitCode(), 1);
    QCOMPARE(tool.exitCode({}).result(), 1);
    QCOMPARE(tool.output({}).result().exitCode(), 1);
    tool.setDefaults(Command(QStringLiteral("other")));
    (void)tool.output({});
    QCOMPARE(runner.commands.last().program(), QStringLiteral("other"));
}

void tst_CliClient::gaps()
{
    const CliClient tool(client().withWorkingDirectory(QStringLiteral("/default"))
                                 .withPreferredDirectory(QStringLiteral("/bin1")));
    const Command bare = tool.filledIn(Command());
    QCOMPARE(bare.program(), QStringLiteral("tool"));
    QCOMPARE(bare.workingDirectory(), QStringLiteral("/default"));
    QCOMPARE(bare.preferredDirectories(), QStringList(QStringLiteral("/bin1")));
    const Command own = tool.filledIn(Command(QStringLiteral("mine"))
                                              .withWorkingDirectory(QStringLiteral("/own"))
                                              .withPreferredDirectory(QStringLiteral("/bin2")));
    QCOMPARE(own.program(), QStringLiteral("mine"));
    QCOMPARE(own.workingDirectory(), QStringLiteral("/own"));
    QCOMPARE(own.preferredDirectories(), QStringList(QStringLiteral("/bin2")));
    QCOMPARE(tool.filledIn(own), own);
}

void tst_CliClient::timeouts()
{
    const CliClient tool(client().withTimeout(5s).withTimeoutGrace(2s).withInactivityTimeout(3s));
    QCOMPARE(tool.filledIn(Command()).timeout(), 5s);
    QCOMPARE(tool.filledIn(Command()).inactivityTimeout(), 3s);
    QCOMPARE(tool.filledIn(Command().withTimeout(1s)).timeout(), 1s);
    QCOMPARE(tool.filledIn(Command().withInactivityTimeout(1s)).inactivityTimeout(), 1s);
    QVERIFY(!tool.filledIn(Command().withoutTimeout()).timeout());
    QCOMPARE(tool.filledIn(Command().withoutTimeout().withTimeout(2s)).timeout(), 2s);
    QVERIFY(!tool.filledIn(Command().withTimeout(2s).withoutTimeout()).timeout());
    // it is refused in what comes of it, too
    QVERIFY(!tool.filledIn(tool.filledIn(Command().withoutTimeout())).timeout());

    // a grace of one's own stands although the timeout is a default
    const CliClient quick(helperCommand({}).withTimeout(500ms));
    const ProcessResult result =
            quick.filledIn(helperShell(QStringLiteral("trap 'echo bye; exit 0' USR1; "
                                                      "pk-helper pause & wait"))
                                   .withTimeoutGrace(1h, SIGUSR1))
                    .output()
                    .result();
    QCOMPARE(result.outcome(), Outcome::TimedOut);
    QCOMPARE(result.standardOutput(), QStringLiteral("bye\n"));
}

void tst_CliClient::retries()
{
    const CliClient tool(client().withRetries(4));
    QCOMPARE(tool.filledIn(Command()).retryPolicy().retries, 4);
    QCOMPARE(tool.filledIn(Command().withRetries(1)).retryPolicy().retries, 1);
    QCOMPARE(tool.filledIn(Command().withRetries(RetryPolicy::never())).retryPolicy().retries, 0);
}

void tst_CliClient::stopTokens()
{
    std::stop_source own;
    std::stop_source clients;
    const CliClient tool(client().withStopToken(clients.get_token()));
    clients.request_stop();
    const Command bye = helperCommand({ QStringLiteral("bye") });
    QCOMPARE(tool.filledIn(bye).run().result().error().kind(), Kind::Cancelled);
    QVERIFY(tool.filledIn(bye.withStopToken(own.get_token())).run().result().hasValue());
    QCOMPARE(reports().count("bye"), 1);
}

void tst_CliClient::environment()
{
    const auto A = QStringLiteral("PK_A");
    const auto B = QStringLiteral("PK_B");
    const auto x = QStringLiteral("x");
    const CliClient tool(client().withVariable(A, QStringLiteral("first"))
                                 .withVariable(A, QStringLiteral("default")) // the last one counts
                                 .withVariable(B, QStringLiteral("default")));
    QCOMPARE(value(tool.filledIn(Command(x)), "PK_A"), QStringLiteral("default"));
    const Command own = tool.filledIn(Command(x).withVariable(A, QStringLiteral("own")));
    QCOMPARE(value(own, "PK_A"), QStringLiteral("own"));
    QCOMPARE(value(own, "PK_B"), QStringLiteral("default"));
    QCOMPARE(value(tool.filledIn(Command(x).withoutVariable(A)), "PK_A"), QStringLiteral("(none)"));
    QCOMPARE(value(tool.filledIn(Command(x)
                                         .withVariable(A, QStringLiteral("1"))
                                         .withVariable(A, QStringLiteral("2"))),
                   "PK_A"),
             QStringLiteral("2"));
    // cleared: nothing of the defaults
    const Command cleared = tool.filledIn(Command(x).withClearedEnvironment());
    QCOMPARE(cleared.effectiveEnvironment()->toStringList(), QStringList());
    // a list of what is allowed holds for those names only
    qputenv("PK_A", "parent");
    const Command allowed = tool.filledIn(Command(x).withAllowedVariables({ A }));
    QCOMPARE(value(allowed, "PK_A"), QStringLiteral("parent"));
    QCOMPARE(value(allowed, "PK_B"), QStringLiteral("default"));
    qunsetenv("PK_A");
    QCOMPARE(value(allowed, "PK_A"), QStringLiteral("(none)"));
    // what comes in front of a default
    const CliClient paths(client().withVariable(A, QStringLiteral("/default")));
    QCOMPARE(value(paths.filledIn(Command(x).withPathPrepended(A, QStringLiteral("/own"))), "PK_A"),
             QStringLiteral("/own:/default"));
}

void tst_CliClient::environmentFiles()
{
    const auto make = [this](const char *name, const char *content) {
        QFile file(temporaryPath(QString::fromLatin1(name)));
        if (file.open(QIODevice::WriteOnly))
            file.write(content);
        return file.fileName();
    };
    const QString defaults = make("defaults", "PK_A=default file\nPK_B=default file\n");
    const QString own = make("own", "PK_A=own file\n");
    const auto x = QStringLiteral("x");
    const CliClient tool(client().withEnvironmentFile(defaults));
    const Command filled = tool.filledIn(Command(x).withEnvironmentFile(own));
    QCOMPARE(value(filled, "PK_A"), QStringLiteral("own file"));
    QCOMPARE(value(filled, "PK_B"), QStringLiteral("default file"));
    QCOMPARE(value(tool.filledIn(
                           Command(x).withVariable(QStringLiteral("PK_B"), QStringLiteral("own"))),
                   "PK_B"),
             QStringLiteral("own"));
    // also against a variable of the defaults
    const CliClient sets(client().withVariable(QStringLiteral("PK_A"), QStringLiteral("default")));
    QCOMPARE(value(sets.filledIn(Command(x).withEnvironmentFile(own)), "PK_A"),
             QStringLiteral("own file"));
}

// A command that names all of its environment has said what it is to have.
void tst_CliClient::wholeEnvironment()
{
    QProcessEnvironment environment;
    environment.insert(QStringLiteral("PK_A"), QStringLiteral("own"));
    const CliClient tool(client().withVariable(QStringLiteral("PK_A"), QStringLiteral("default")));
    QCOMPARE(
            value(tool.filledIn(Command(QStringLiteral("x")).withEnvironment(environment)), "PK_A"),
            QStringLiteral("own"));
}

void tst_CliClient::seam()
{
    FakeRunner runner;
    runner.answer = ProcessResult::fromExitCode(1, "a\nb\n", "why\n");
    const Command command = helperCommand({ QStringLiteral("bye") });
    QCOMPARE(runner.output(command).result().standardOutput(), QStringLiteral("a\nb\n"));
    QCOMPARE(runner.run(command).result().error().standardError(), QStringLiteral("why\n"));
    QCOMPARE(runner.probe(command).result(), false);
    QCOMPARE(runner.exitCode(command).result(), 1);
    QCOMPARE(runner.outputBytes(command).result().error().kind(), Kind::Exit);
    QCOMPARE(runner.json(command).result().error().kind(), Kind::Exit);
    QCOMPARE(runner.firstLine(command).result(), QStringLiteral("a"));
    BatchOptions options;
    options.runner = &runner;
    QCOMPARE(outputAll({ command, command }, options).results().size(), 2);
    QCOMPARE(runner.commands.size(), 9);
    QCOMPARE(runner.commands.first(), command);
    QCOMPARE(reports().count("bye"), 0); // nothing was started
}

void tst_CliClient::seamLate()
{
    FakeRunner runner;
    runner.isLate = true;
    runner.answer = ProcessResult::fromExitCode(0, "here\n");
    const auto run = runner.run(client());
    const auto code = runner.exitCode(client());
    QVERIFY(!run.isFinished());
    runner.finishAll();
    QVERIFY(waitFinished(run));
    QCOMPARE(run.result(), QStringLiteral("here"));
    QCOMPARE(code.result(), 0);
    // one that goes without an answer
    const auto lost = runner.run(client());
    runner.promises.clear();
    QVERIFY(waitFinished(lost));
    QVERIFY(lost.isCanceled());
}

// A cancelled verb cancels what its runner does.
void tst_CliClient::seamCancelled()
{
    FakeRunner runner;
    runner.isLate = true;
    auto run = runner.run(client());
    QFutureWatcher<ProcessResult> watcher;
    QEventLoop loop;
    connect(&watcher, &QFutureWatcher<ProcessResult>::canceled, &loop, &QEventLoop::quit);
    watcher.setFuture(runner.promises.front()->future());
    run.cancel();
    QTimer::singleShot(Patience, &loop, &QEventLoop::quit);
    loop.exec();
    QVERIFY(runner.promises.front()->isCanceled());
    runner.finishAll();
    QVERIFY(waitFinished(run));
    QCOMPARE(run.resultCount(), 0);
}

void tst_CliClient::groupRunner_data()
{
    addMechanismRows();
}

void tst_CliClient::groupRunner()
{
    QFETCH(Mechanism, mechanism);
    PK_REQUIRE_MECHANISM(mechanism);
    auto group = std::make_unique<ProcessGroup>(mechanism);
    GroupRunner runner(group.get());
    const CliClient tool(helperCommand({}).withMechanism(mechanism), &runner);
    QCOMPARE(tool.exitCode({ QStringLiteral("exit"), QStringLiteral("3") }).result(), 3);
    QVERIFY(group->waitForEmptied(Patience));
    const auto paused = tool.output({ QStringLiteral("pause") });
    const auto left = tool.output(
            { QStringLiteral("tree"), QStringLiteral("grandchild"), QStringLiteral("now") });
    QVERIFY(reports().waitFor({ "paused", "grandchild" }));
    QVERIFY(!group->isEmpty());
    QCOMPARE(left.result().exitCode(), 0); // what it left behind stays in the group
    const std::vector<PidHandle> handles = reports().handles();
    for (const PidHandle &handle : handles)
        QVERIFY(!handle.isGone());
    group.reset();
    QVERIFY(waitFinished(paused));
    QCOMPARE(paused.result().signal(), SIGKILL);
    for (const PidHandle &handle : handles)
        QVERIFY(handle.waitGone());
}

void tst_CliClient::groupRunnerMechanism_data()
{
    addMechanismRows();
}

// the mechanism that a group was asked for holds what its runner starts, too
void tst_CliClient::groupRunnerMechanism()
{
    QFETCH(Mechanism, mechanism);
    PK_REQUIRE_MECHANISM(mechanism);
    const ProcessGroup group(mechanism);
    GroupRunner runner(&group);
    QCOMPARE(runner.output(helperCommand({ QStringLiteral("exit") })).result().mechanism(),
             mechanism);
}

// A verb ends its own tree only.
void tst_CliClient::groupRunnerAlone()
{
    ProcessGroup group;
    GroupRunner runner(&group);
    std::stop_source source;
    const Command pause = helperCommand({ QStringLiteral("pause") });
    const auto other = runner.output(pause);
    QVERIFY(reports().waitFor({ "paused" }));
    const PidHandle first(reports().report("paused").pid, reports().report("paused").startTime);
    auto cancelled = runner.run(pause);
    const auto stopped = runner.run(pause.withStopToken(source.get_token()));
    QCOMPARE(runner.output(pause.withTimeout(50ms)).result().outcome(), Outcome::TimedOut);
    cancelled.cancel();
    source.request_stop();
    QVERIFY(waitFinished(cancelled));
    QCOMPARE(stopped.result().error().kind(), Kind::Cancelled);
    QVERIFY(!first.isGone());
    group.kill();
    QCOMPARE(other.result().signal(), SIGKILL);
}

// Nothing is started that nobody would end.
void tst_CliClient::groupRunnerWithoutGroup()
{
    auto group = std::make_unique<ProcessGroup>();
    GroupRunner runner(group.get());
    group.reset();
    const Command leaves = helperCommand(
            { QStringLiteral("tree"), QStringLiteral("grandchild"), QStringLiteral("now") });
    QCOMPARE(runner.output(leaves).result().outcome(), Outcome::Cancelled);
    QCOMPARE(runner.run(leaves).result().error().kind(), Kind::Cancelled);
    QCOMPARE(reports().count("grandchild"), 0);
}

void tst_CliClient::raceGroupEnd()
{
    const QDeadlineTimer end(1000);
    for (int i = 0; i < 500 && !end.hasExpired(); ++i) {
        auto group = std::make_unique<ProcessGroup>();
        GroupRunner runner(group.get());
        const auto future = runner.output(helperCommand({ QStringLiteral("pause") }));
        if (i % 2)
            spin(1ms);
        group.reset();
        QVERIFY(waitFinished(future));
        QVERIFY(future.result().outcome() == Outcome::Cancelled
                || future.result().signal() == SIGKILL);
    }
}

int main(int argc, char **argv)
{
    QCoreApplication application(argc, argv);
    tst_CliClient test;
    test.worksAlone = runsWithoutAnyStart();
    return QTest::qExec(&test, argc, argv);
}
#include "tst_cliclient.moc"
