// SPDX-License-Identifier: MIT
#include "commands.h"
#include "logcapture.h"

#include <ProcessKit/batch.h>
#include <ProcessKit/cliclient.h>
#include <ProcessKit/containedprocess.h>
#include <ProcessKit/pipeline.h>

#include <QtCore/qcoreapplication.h>
#include <QtCore/qdebug.h>
#include <QtCore/qdir.h>
#include <QtCore/qfile.h>
#include <QtCore/qloggingcategory.h>

using namespace PkTest;
using namespace ProcessKit;
using namespace std::chrono_literals;

using Kind = ProcessError::Kind;

namespace {

const QString sentinel = QStringLiteral("hUnTeR2");

} // namespace

// What may be secret is in nothing that is written down by itself.
class tst_Secrets : public CleanTest
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase_data();
    void results();
    void errors_data();
    void errors();
    void live();
    void debugStreams();
    void parseErrors();
    void redactedFirstLine();

private:
    Command secretive(const QString &script) const;
    static void checkLog(const QStringList &lines);
    static bool isSilent(const ProcessError &error);
    static bool isSilent(const ProcessResult &result);
};

template<typename T>
static QString streamed(const T &value)
{
    QString text;
    QDebug(&text) << value;
    return text;
}

void tst_Secrets::initTestCase_data()
{
    addMechanismRows();
}

// one that has a secret everywhere
Command tst_Secrets::secretive(const QString &script) const
{
    const QString directory = temporaryPath(sentinel);
    QDir().mkpath(directory);
    return Command(QStringLiteral("/bin/sh"),
                   { QStringLiteral("-c"),
                     QStringLiteral("cat; cat >&2; echo $SECRET; echo $SECRET >&2; ") + script,
                     sentinel, QStringLiteral("--password=") + sentinel })
            .withVariable(QStringLiteral("SECRET"), sentinel)
            .withWorkingDirectory(directory)
            .withInput(sentinel);
}

bool tst_Secrets::isSilent(const ProcessError &error)
{
    return !error.text().contains(sentinel) && !streamed(error).contains(sentinel);
}

bool tst_Secrets::isSilent(const ProcessResult &result)
{
    return !streamed(result).contains(sentinel) && isSilent(result.error());
}

void tst_Secrets::checkLog(const QStringList &lines)
{
    bool isLogged = false;
    for (const QString &line : lines) {
        isLogged = isLogged || line.startsWith(QLatin1String("processkit."));
        QVERIFY2(!line.contains(sentinel), qPrintable(line));
    }
    QVERIFY2(isLogged, "nothing was logged: the rules do not hold");
}

void tst_Secrets::results()
{
    QFETCH_GLOBAL(Mechanism, mechanism);
    PK_REQUIRE_MECHANISM(mechanism);
    const LogCapture log;
    RetryPolicy policy;
    policy.retries = 1;
    policy.delay = 0ms;
    std::stop_source stopped;
    stopped.request_stop();
    QList<ProcessResult> results;
    for (const Command &command :
         { secretive(QString()), secretive(QStringLiteral("exit 3")),
           secretive(QStringLiteral("kill -TERM $$")),
           secretive(QStringLiteral("sleep 100")).withTimeout(100ms),
           secretive(QStringLiteral("sleep 100")).withTimeout(100ms).withTimeoutGrace(5s),
           secretive(QStringLiteral("sleep 100")).withInactivityTimeout(100ms),
           secretive(QStringLiteral("sleep 100 & exit 0")),
           secretive(QString()).withStopToken(stopped.get_token()),
           secretive(QString()).withOutputPolicy(
                   OutputPolicy::bytes(3, OutputPolicy::Overflow::Fail)) })
        results.append(command.withMechanism(mechanism).output().result());
    const Expected<QString> retried = secretive(QStringLiteral("exit 3"))
                                              .withMechanism(mechanism)
                                              .withRetries(policy)
                                              .run()
                                              .result();
    const ProcessResult chained = (secretive(QString()).withMechanism(mechanism)
                                   | secretive(QStringLiteral("exit 4")).withMechanism(mechanism))
                                          .output()
                                          .result();
    auto cancelled = secretive(QStringLiteral("sleep 100")).withMechanism(mechanism).run();
    cancelled.cancel();
    const bool isFinished = waitFinished(cancelled);
    QVERIFY(isFinished);
    QVERIFY(results.first().standardOutput().contains(sentinel)); // it is there all the same
    for (const ProcessResult &result : std::as_const(results))
        QVERIFY2(isSilent(result), qPrintable(streamed(result)));
    QVERIFY(retried.error().standardOutput().contains(sentinel));
    QVERIFY(retried.error().diagnostic().contains(sentinel));
    QVERIFY(isSilent(retried.error()));
    QVERIFY(isSilent(chained));
    checkLog(log.lines());
}

void tst_Secrets::errors_data()
{
    QTest::addColumn<Command>("command");
    QTest::addColumn<Kind>("kind");
    const Command command(QStringLiteral("true"));
    const QString path = u'/' + sentinel;
    QTest::newRow("program") << Command(sentinel) << Kind::NotFound;
    QTest::newRow("program with path") << Command(path) << Kind::NotFound;
    QTest::newRow("program in directory")
            << Command(sentinel).withVariable(QStringLiteral("PATH"), path) << Kind::NotFound;
    QTest::newRow("preferred")
            << Command(QStringLiteral("there-is-no-such")).withPreferredDirectory(path)
            << Kind::NotFound;
    QTest::newRow("directory") << command.withWorkingDirectory(path) << Kind::WorkingDirectory;
    QTest::newRow("input file") << command.withInput(StdinSource::file(path)) << Kind::Redirection;
    QTest::newRow("output file") << command.withStandardOutput(OutputDestination::file(path + path))
                                 << Kind::Redirection;
    QTest::newRow("error file") << command.withStandardError(OutputDestination::file(path + path))
                                << Kind::Redirection;
    QTest::newRow("environment file") << command.withEnvironmentFile(path) << Kind::InvalidArgument;
    QTest::newRow("variable name")
            << command.withVariable(sentinel + u'=', sentinel) << Kind::InvalidArgument;
    QTest::newRow("variable value")
            << command.withVariable(QStringLiteral("A"), sentinel + QChar(QChar::Null))
            << Kind::InvalidArgument;
    QTest::newRow("argument") << command.withArgument(sentinel + QChar(QChar::Null))
                              << Kind::InvalidArgument;
    QTest::newRow("no program") << Command(QString(), { sentinel }) << Kind::InvalidArgument;
}

void tst_Secrets::errors()
{
    QFETCH_GLOBAL(Mechanism, mechanism);
    QFETCH(Command, command);
    QFETCH(Kind, kind);
    PK_REQUIRE_MECHANISM(mechanism);
    command = command.withMechanism(mechanism);
    const LogCapture log;
    const ProcessResult result = command.output().result();
    const ProcessError error = command.run().result().error();
    const ProcessResult chained = (command | command).output().result();
    (void)shell(QStringLiteral("exit 0")).output().result(); // for something to be logged
    QCOMPARE(error.kind(), kind);
    QVERIFY2(isSilent(result), qPrintable(result.error().text()));
    QVERIFY2(isSilent(error), qPrintable(error.text()));
    QVERIFY2(isSilent(chained), qPrintable(chained.error().text()));
    checkLog(log.lines());
}

void tst_Secrets::live()
{
    QFETCH_GLOBAL(Mechanism, mechanism);
    PK_REQUIRE_MECHANISM(mechanism);
    const LogCapture log;
    QList<ProcessError> failures;
    for (const Command &command :
         { secretive(QStringLiteral("sleep 100")).withTimeout(100ms),
           secretive(QString()).withWorkingDirectory(u'/' + sentinel), Command(sentinel) }) {
        const auto process = command.withMechanism(mechanism).start();
        process->waitForFinished(Patience);
        failures.append(process->failure());
    }
    const auto sleeper =
            secretive(QStringLiteral("exec sleep 100")).withMechanism(mechanism).start();
    QVERIFY(sleeper->waitForStarted(Patience));
    QVERIFY(sleeper->shutdown(5s).result().empty);
    for (const ProcessError &failure : std::as_const(failures)) {
        QVERIFY(failure.kind() != Kind::None);
        QVERIFY2(isSilent(failure), qPrintable(failure.text()));
    }
    checkLog(log.lines());
}

void tst_Secrets::debugStreams()
{
    const Command command = secretive(QString())
                                    .withProgramArgument(sentinel)
                                    .withPathPrepended(QStringLiteral("P"), sentinel)
                                    .withEnvironmentFile(sentinel)
                                    .withPreferredDirectory(sentinel)
                                    .withStandardOutput(OutputDestination::file(sentinel))
                                    .withInput(StdinSource::file(sentinel));
    QVERIFY(!streamed(command).contains(sentinel));
    QVERIFY(streamed(command).contains(QLatin1String("SECRET")));
    QVERIFY(!streamed(command | command).contains(sentinel));
    QVERIFY(!streamed(QList<Command>{ command }).contains(sentinel));
    QVERIFY(command.commandLine().contains(sentinel)); // which is for this
    const ProcessResult result = secretive(QString()).output().result();
    QVERIFY(!streamed(result).contains(sentinel));
    QVERIFY(!streamed(result.leftovers()).contains(sentinel));
    QVERIFY(!streamed(QVariant::fromValue(result)).contains(sentinel));
    QVERIFY(!streamed(QVariant::fromValue(command)).contains(sentinel));
}

void tst_Secrets::parseErrors()
{
    const Command print = secretive(QString());
    QVERIFY(isSilent(print.json().result().error()));
    QVERIFY(isSilent(print.jsonLines().result().error()));
    QCOMPARE(print.json().result().error().kind(), Kind::Parse);
    // a parser's own words are in it: one line, of bounded length
    const auto error = print.parse([](const QString &) {
                                return Expected<int>(ProcessError::parseError(
                                        QStringLiteral("sh"),
                                        QString(1000, u'x') + QStringLiteral("\n\x1b[1m")));
                            })
                               .result()
                               .error();
    QVERIFY(error.text().size() <= 201);
    QVERIFY(!error.text().contains(u'\n'));
}

// The line that a verb gives is the one that the output has.
void tst_Secrets::redactedFirstLine()
{
    const Command print =
            Command(QStringLiteral("printf"),
                    { QStringLiteral("\\n\\033[1m%1\\033[0m\\nplain\\n").arg(sentinel) })
                    .withEscapeSequencesRemoved()
                    .withRedaction([](const QString &line) {
                        return line.contains(sentinel) ? QString() : line;
                    });
    const auto found = print.firstLine([](QStringView line) { return line.contains(sentinel); });
    QVERIFY(found.result().hasValue());
    QCOMPARE(*found.result(), QString());
    QVERIFY(!found.result()->isNull()); // one was found
    QVERIFY(!print.firstLine().result()->isNull());
    QCOMPARE(*print.withRedaction({})
                      .firstLine([](QStringView line) { return line.contains(sentinel); })
                      .result(),
             sentinel);
    QVERIFY(print.firstLine([](QStringView) { return false; }).result()->isNull());
}

int main(int argc, char **argv)
{
    qputenv("QT_LOGGING_RULES", "processkit.*=true");
    QCoreApplication application(argc, argv);
    tst_Secrets test;
    return QTest::qExec(&test, argc, argv);
}
#include "tst_secrets.moc"
