// SPDX-License-Identifier: MIT
#include "cleantest.h"
#include "commands.h"

#include <ProcessKit/command.h>

#include <QtCore/qbuffer.h>
#include <QtCore/qfile.h>
#include <QtCore/qjsonobject.h>
#include <QtCore/qscopeguard.h>
#include <QtCore/qthread.h>

#include <signal.h>
#include <unistd.h>

using namespace PkTest;
using namespace ProcessKit;
using namespace std::chrono_literals;

using Kind = ProcessError::Kind;

// What a command is given, and what comes back of it.
class tst_Command : public CleanTest
{
    Q_OBJECT

private Q_SLOTS:
    void output_data();
    void output();
    void verbs();
    void verbErrors();
    void notStarted();
    void contradictions();
    void environment();
    void environmentFile();
    void which();
    void programArgument();
    void input();
    void inputOnlyOnce();
    void largeBothWays();
    void destinations();
    void merged();
    void combined();
    void encodings();
    void policies_data();
    void policies();
    void policyFails();
    void lineHandlers();
    void tees();
    void textTees();
    void teeThatFails();
    void textPolicies();
    void firstLine();
    void json();
    void parse();
    void settings_data();
    void settings();
    void badSettings();
    void usage();
    void live();
    void waitForSeveral();
    void detached();
    void detachedFails();
    void manyThreads();
    void debug();
};

void tst_Command::output_data()
{
    addMechanismRows();
}

void tst_Command::output()
{
    QFETCH(Mechanism, mechanism);
    PK_REQUIRE_MECHANISM(mechanism);
    const ProcessResult result = shell(QStringLiteral("echo out; echo err >&2; exit 3"))
                                         .withMechanism(mechanism)
                                         .output()
                                         .result();
    QCOMPARE(result.outcome(), Outcome::Exited);
    QCOMPARE(result.exitCode(), 3);
    QVERIFY(!result.isSuccess());
    QVERIFY(!result.timedOut());
    QCOMPARE(result.standardOutput(), QStringLiteral("out\n"));
    QCOMPARE(result.standardError(), QStringLiteral("err\n"));
    QCOMPARE(result.mechanism(), mechanism);
    QCOMPARE(result.standardOutputLineCount(), 1);
    QCOMPARE(result.standardErrorByteCount(), 4);
    QVERIFY(result.duration() > 0ns);
    QCOMPARE(result.attempts(), 1);
    QCOMPARE(result.error().kind(), Kind::Exit);
    QCOMPARE(result.error().exitCode(), 3);
    QCOMPARE(result.ensureSuccess().error(), result.error());
    QCOMPARE(result.diagnostic(), QStringLiteral("err\n"));
    QVERIFY(result.containsAny({ QStringLiteral("nothing"), QStringLiteral("OUT") }));
}

void tst_Command::verbs()
{
    QCOMPARE(*shell(QStringLiteral("echo ' a b  '; echo")).run().result(), QStringLiteral(" a b"));
    QCOMPARE(*shell(QStringLiteral("exit 7")).exitCode().result(), 7);
    QCOMPARE(*shell(QStringLiteral("exit 0")).probe().result(), true);
    QCOMPARE(*shell(QStringLiteral("exit 1")).probe().result(), false);
    QCOMPARE(*shell(QStringLiteral("printf 'a\\0b'")).outputBytes().result(),
             QByteArray("a\0b", 3));
    const Command accepts = shell(QStringLiteral("exit 5")).withSuccessCodes({ 5, 6 });
    QVERIFY(accepts.run().result().hasValue());
    QVERIFY(accepts.output().result().isSuccess());
    QVERIFY(!accepts.withArguments({})
                     .withInput(StdinSource::text(QStringLiteral("exit 0")))
                     .output()
                     .result()
                     .isSuccess()); // 0 is no longer a success
}

void tst_Command::verbErrors()
{
    const Expected<QString> failed =
            shell(QStringLiteral("echo what; printf 'why\\033[1m' >&2; exit 4")).run().result();
    QVERIFY(!failed);
    QCOMPARE(failed.error().kind(), Kind::Exit);
    QCOMPARE(failed.error().exitCode(), 4);
    QCOMPARE(failed.error().standardOutput(), QStringLiteral("what\n"));
    QVERIFY(!failed.error().text().contains(u'\x1b'));
    QVERIFY(!failed.error().text().contains(QLatin1String("/bin/sh")));
    QVERIFY(failed.error().diagnostic().contains(QLatin1String("why")));

    const ProcessResult killed = shell(QStringLiteral("kill -TERM $$")).output().result();
    QCOMPARE(killed.outcome(), Outcome::Signalled);
    QCOMPARE(killed.signal(), SIGTERM);
    QCOMPARE(killed.signalName(), QStringLiteral("SIGTERM"));
    QVERIFY(!killed.exitCode());
    QCOMPARE(shell(QStringLiteral("kill -KILL $$")).exitCode().result().error().kind(),
             Kind::Signalled);
    QCOMPARE(shell(QStringLiteral("exit 2")).probe().result().error().kind(), Kind::Exit);
}

void tst_Command::notStarted()
{
    const ProcessResult missing = Command(QStringLiteral("there-is-no-such")).output().result();
    QCOMPARE(missing.outcome(), Outcome::NotStarted);
    QCOMPARE(missing.error().kind(), Kind::NotFound);
    QVERIFY(!missing.error().searchedDirectories().isEmpty());
    QCOMPARE(Command().run().result().error().kind(), Kind::InvalidArgument);
    QCOMPARE(shell(QString())
                     .withWorkingDirectory(QStringLiteral("/none"))
                     .run()
                     .result()
                     .error()
                     .kind(),
             Kind::WorkingDirectory);
}

void tst_Command::contradictions()
{
    const Command echo(QStringLiteral("echo"));
    const auto kind = [](const Command &command) { return command.run().result().error().kind(); };
    QCOMPARE(kind(echo.withMergedErrors().withStandardError(OutputDestination::null())),
             Kind::InvalidArgument);
    QCOMPARE(kind(echo.withStandardOutput(OutputDestination::null())
                          .withOutputTee(std::make_shared<QBuffer>())),
             Kind::InvalidArgument);
    QCOMPARE(kind(echo.withMergedErrors().withErrorTextTee(std::make_shared<QBuffer>())),
             Kind::InvalidArgument);
    QCOMPARE(kind(echo.withOutputPolicy({ OutputPolicy::Overflow::Fail, -1, -1 })),
             Kind::InvalidArgument);
    QCOMPARE(kind(echo.withTimeout(-1ms)), Kind::InvalidArgument);
    QCOMPARE(kind(echo.withInactivityTimeout(1s)
                          .withStandardOutput(OutputDestination::null())
                          .withStandardError(OutputDestination::null())),
             Kind::InvalidArgument);
    QCOMPARE(kind(echo.withTimeoutGrace(1s, 4711)), Kind::InvalidArgument);
    QCOMPARE(kind(echo.withVariable(QStringLiteral("A=B"), {})), Kind::InvalidArgument);
    QCOMPARE(kind(echo.withArgument(QString(QChar::Null))), Kind::InvalidArgument);
    QCOMPARE(kind(echo.withMechanism(Mechanism::JobObject)), Kind::Unsupported);
    QCOMPARE(kind(echo.withStandardOutput(OutputDestination::file(QStringLiteral("/none/x")))),
             Kind::Redirection);
}

void tst_Command::environment()
{
    const Command print = Command(QStringLiteral("/usr/bin/env"));
    const auto variables = [](const Command &command) {
        QStringList lines = command.run().result()->split(u'\n');
        lines.sort();
        return lines;
    };
    qputenv("PK_PARENT", "yes");
    const auto remove = qScopeGuard([] { qunsetenv("PK_PARENT"); });
    QVERIFY(variables(print).contains(QStringLiteral("PK_PARENT=yes")));
    QVERIFY(!variables(print.withoutVariable(QStringLiteral("PK_PARENT")))
                     .contains(QStringLiteral("PK_PARENT=yes")));
    QCOMPARE(variables(print.withClearedEnvironment()
                               .withVariable(QStringLiteral("A"), QStringLiteral("1=2"))
                               .withVariable(QStringLiteral("B"), QString())
                               .withPathPrepended(QStringLiteral("P"), QStringLiteral("/x"))
                               .withPathPrepended(QStringLiteral("P"), QStringLiteral("/y"))),
             QStringList(
                     { QStringLiteral("A=1=2"), QStringLiteral("B="), QStringLiteral("P=/y:/x") }));
    const Command allowed = print.withAllowedVariables(
            { QStringLiteral("PK_PARENT"), QStringLiteral("PK_NOT_THERE") });
    QCOMPARE(variables(allowed), QStringList(QStringLiteral("PK_PARENT=yes")));
    qputenv("PK_PARENT", "later"); // it is read at each start
    QCOMPARE(variables(allowed), QStringList(QStringLiteral("PK_PARENT=later")));
    QCOMPARE(allowed.effectiveEnvironment()->toStringList(),
             QStringList(QStringLiteral("PK_PARENT=later")));
}

void tst_Command::environmentFile()
{
    const QString name = temporaryPath(QStringLiteral("variables"));
    QFile file(name);
    QVERIFY(file.open(QIODevice::WriteOnly));
    file.write("# said before\n\nA=b c\r\nD=e=f\n");
    file.close();
    const Command print = Command(QStringLiteral("/usr/bin/env"))
                                  .withClearedEnvironment()
                                  .withEnvironmentFile(name);
    QCOMPARE(*print.run().result(), QStringLiteral("A=b c\nD=e=f"));
    QVERIFY(file.open(QIODevice::Append));
    file.write("nothing\n");
    file.close();
    const ProcessError error = print.run().result().error();
    QCOMPARE(error.kind(), Kind::InvalidArgument);
    QVERIFY(error.text().contains(u'5'));
    QVERIFY(error.diagnostic().contains(name));
}

void tst_Command::which()
{
    const QString name = temporaryPath(QStringLiteral("pk-tool"));
    QFile file(name);
    QVERIFY(file.open(QIODevice::WriteOnly));
    file.write("#!/bin/sh\necho \"tool $0\"\n");
    file.setPermissions(QFile::ReadOwner | QFile::WriteOwner | QFile::ExeOwner | QFile::ReadOther
                        | QFile::ExeOther);
    file.close();
    const Command tool(QStringLiteral("pk-tool"));
    QCOMPARE(tool.which().error().kind(), Kind::NotFound);
    const QString directory = name.left(name.lastIndexOf(u'/'));
    const Command preferred = tool.withPreferredDirectory(directory);
    QCOMPARE(*preferred.which(), name);
    QCOMPARE(*preferred.run().result(), QStringLiteral("tool ") + name);
    // a PATH of the child's counts, ours does not
    QCOMPARE(*tool.withVariable(QStringLiteral("PATH"), directory).which(), name);
    const ProcessError error = tool.withPreferredDirectory(QStringLiteral("/none")).which().error();
    QCOMPARE(error.searchedDirectories().first(), QStringLiteral("/none"));
}

void tst_Command::programArgument()
{
    QCOMPARE(*shell(QStringLiteral("echo $0")).run().result(), QStringLiteral("/bin/sh"));
    QCOMPARE(*Command(QStringLiteral("/bin/sh"))
                      .withProgramArgument(QStringLiteral("-other"))
                      .withInput(QStringLiteral("echo $0"))
                      .run()
                      .result(),
             QStringLiteral("-other"));
}

void tst_Command::input()
{
    const Command cat(QStringLiteral("cat"));
    QCOMPARE(*cat.run().result(), QString());
    QCOMPARE(*cat.withInput(QStringLiteral("text")).run().result(), QStringLiteral("text"));
    QCOMPARE(*cat.withInput(StdinSource::lines({ QStringLiteral("a"), QStringLiteral("b") }))
                      .outputBytes()
                      .result(),
             "a\nb\n");
    const QString name = temporaryPath(QStringLiteral("input"));
    QFile file(name);
    QVERIFY(file.open(QIODevice::WriteOnly));
    file.write("of a file");
    file.close();
    QCOMPARE(*cat.withInput(StdinSource::file(name)).run().result(), QStringLiteral("of a file"));
    QCOMPARE(
            cat.withInput(StdinSource::file(QStringLiteral("/none"))).run().result().error().kind(),
            Kind::Redirection);
    auto buffer = std::make_unique<QBuffer>();
    buffer->setData(QByteArray(200000, 'x'));
    QVERIFY(buffer->open(QIODevice::ReadOnly));
    QCOMPARE(*cat.withInput(StdinSource::device(std::move(buffer))).outputBytes().result(),
             QByteArray(200000, 'x'));
    // nobody can write to a captured process: it sees the end at once
    QCOMPARE(*cat.withInput(StdinSource::keptOpen()).run().result(), QString());
    // who does not read is not hurt
    QVERIFY(Command(QStringLiteral("true"))
                    .withInput(StdinSource::bytes(QByteArray(1 << 20, 'x')))
                    .run()
                    .result());
}

void tst_Command::inputOnlyOnce()
{
    int left = 3;
    const Command cat = Command(QStringLiteral("cat")).withInput(StdinSource::generator([&left] {
        return left-- > 0 ? QByteArray("piece ") : QByteArray();
    }));
    QVERIFY(cat.standardInput().isOneShot());
    QCOMPARE(*cat.run().result(), QStringLiteral("piece piece piece"));
    const ProcessError error = cat.run().result().error();
    QCOMPARE(error.kind(), Kind::InvalidArgument);
}

// one MiB each way on all three streams at once
void tst_Command::largeBothWays()
{
    const QByteArray bytes(1 << 20, 'y');
    const ProcessResult result = shell(QStringLiteral("tee /dev/stderr"))
                                         .withInput(StdinSource::bytes(bytes))
                                         .output()
                                         .result();
    QCOMPARE(result.standardOutputBytes(), bytes);
    QCOMPARE(result.standardErrorBytes(), bytes);
}

void tst_Command::destinations()
{
    const QString name = temporaryPath(QStringLiteral("output"));
    const Command echo = shell(QStringLiteral("echo out; echo err >&2"));
    const auto content = [&name] {
        QFile file(name);
        return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray();
    };
    const ProcessResult truncated =
            echo.withStandardOutput(OutputDestination::file(name)).output().result();
    QCOMPARE(truncated.standardOutput(), QString());
    QCOMPARE(truncated.standardError(), QStringLiteral("err\n"));
    QCOMPARE(content(), "out\n");
    QVERIFY(echo.withStandardOutput(OutputDestination::appendedFile(name)).run().result());
    QCOMPARE(content(), "out\nout\n");
    QVERIFY(echo.withStandardOutput(OutputDestination::file(name)).run().result());
    QCOMPARE(content(), "out\n");
    const ProcessResult null = echo.withStandardError(OutputDestination::null()).output().result();
    QCOMPARE(null.standardError(), QString());
}

void tst_Command::merged()
{
    QString script;
    QString expected;
    for (int i = 0; i < 50; ++i) {
        script +=
                QStringLiteral("echo %1 %2;").arg(i).arg(i % 3 ? QString() : QStringLiteral(">&2"));
        expected += QString::number(i) + u'\n';
    }
    const ProcessResult result = shell(script).withMergedErrors().output().result();
    QCOMPARE(result.standardOutput(), expected);
    QCOMPARE(result.standardError(), QString());
}

void tst_Command::combined()
{
    // each waits for the one before to have been seen
    const QString script = QStringLiteral("echo a; read x; echo b >&2; read x; echo c");
    auto process = shell(script).withInput(StdinSource::keptOpen()).start();
    QVERIFY(process->waitForReadyRead(Patience));
    process->write("\n");
    process->write("\n");
    QVERIFY(process->waitForFinished(Patience));
    const ProcessResult result = shell(QStringLiteral("echo one; echo two >&2")).output().result();
    QVERIFY(result.combinedOutput() == QLatin1String("one\ntwo\n")
            || result.combinedOutput() == QLatin1String("two\none\n"));
}

void tst_Command::encodings()
{
    const Command latin = shell(QStringLiteral("printf 'gr\\374n'"));
    QCOMPARE(*latin.withEncoding(QStringConverter::Latin1).run().result(),
             QStringLiteral("gr\u00fcn"));
    QVERIFY(latin.run().result()->contains(QChar::ReplacementCharacter));
    QCOMPARE(*shell(QStringLiteral("printf '\\357\\273\\277text'")).run().result(),
             QStringLiteral("text"));
    // of a character that is cut off, something is left as well
    QCOMPARE(*shell(QStringLiteral("printf 'gr\\303'")).run().result(), QStringLiteral("gr\ufffd"));
    const Command wide = shell(QStringLiteral("printf '\\377\\376g\\0r\\0\\374'"));
    QCOMPARE(*wide.withEncoding(QStringConverter::Utf16).run().result(),
             QStringLiteral("gr\ufffd"));
    QCOMPARE(*latin.withDecoder(
                           [](const QByteArray &bytes) { return QString::number(bytes.size()); })
                      .run()
                      .result(),
             QStringLiteral("4"));
}

void tst_Command::policies_data()
{
    using Overflow = OutputPolicy::Overflow;
    QTest::addColumn<int>("overflow");
    QTest::addColumn<qint64>("bytes");
    QTest::addColumn<qint64>("lines");
    QTest::addColumn<QByteArray>("kept");
    const auto row = [](const char *name, Overflow overflow, qint64 bytes, qint64 lines,
                        const char *kept) {
        QTest::newRow(name) << int(overflow) << bytes << lines << QByteArray(kept);
    };
    row("all", Overflow::DropOldest, -1, -1, "1\n2\n3\n4\n5");
    row("last lines", Overflow::DropOldest, -1, 2, "4\n5");
    row("first lines", Overflow::DropNewest, -1, 2, "1\n2\n");
    row("last bytes", Overflow::DropOldest, 3, -1, "4\n5");
    row("first bytes", Overflow::DropNewest, 3, -1, "1\n2");
    row("nothing", Overflow::DropNewest, 0, -1, "");
    row("no last lines", Overflow::DropOldest, -1, 0, "");
    row("both", Overflow::DropNewest, 100, 1, "1\n");
    row("just enough", Overflow::DropNewest, 9, 5, "1\n2\n3\n4\n5");
}

void tst_Command::policies()
{
    QFETCH(int, overflow);
    QFETCH(qint64, bytes);
    QFETCH(qint64, lines);
    QFETCH(QByteArray, kept);
    const QByteArray all = "1\n2\n3\n4\n5";
    const Command print =
            shell(QStringLiteral("printf '1\\n2\\n3\\n4\\n5'"))
                    .withOutputPolicy({ OutputPolicy::Overflow(overflow), bytes, lines });
    const ProcessResult result = print.output().result();
    QVERIFY(result.isSuccess());
    QCOMPARE(result.standardOutputBytes(), kept);
    QCOMPARE(result.isTruncated(), kept != all);
    QCOMPARE(result.standardOutputByteCount(), all.size());
    QCOMPARE(result.standardOutputLineCount(), 5);
    const Expected<QString> whole = print.run().result();
    QCOMPARE(whole.error().kind(), kept == all ? Kind::None : Kind::OutputTooLarge);
}

void tst_Command::policyFails()
{
    const Command flood = Command(helper(), { QStringLiteral("flood"), QStringLiteral("100000") });
    const ProcessResult result =
            flood.withOutputPolicy(OutputPolicy::bytes(1000, OutputPolicy::Overflow::Fail))
                    .output()
                    .result();
    QVERIFY(!result.isSuccess());
    QCOMPARE(result.error().kind(), Kind::OutputTooLarge);
    QCOMPARE(result.exitCode(), 0); // it was read to its end
    QCOMPARE(result.standardOutputBytes().size(), 1000);
}

void tst_Command::lineHandlers()
{
    QStringList lines;
    const Command print = shell(QStringLiteral("echo a; echo; printf b"));
    QVERIFY(print.withLineHandler(
                         [&lines](const OutputLine &line) { lines.append(line.toString()); })
                    .run()
                    .result());
    QCOMPARE(lines, QStringList({ QStringLiteral("a"), QString(), QStringLiteral("b") }));

    lines.clear();
    QThread *thread = nullptr;
    QObject context;
    QVERIFY(print.withLineHandler(&context,
                                  [&](const OutputLine &line) {
                                      lines.append(line.toString());
                                      thread = QThread::currentThread();
                                  })
                    .run()
                    .result());
    QTRY_COMPARE(lines.size(), 3);
    QCOMPARE(thread, QThread::currentThread());
}

void tst_Command::tees()
{
    const auto output = std::make_shared<QBuffer>();
    const auto errors = std::make_shared<QBuffer>();
    QVERIFY(output->open(QIODevice::WriteOnly) && errors->open(QIODevice::WriteOnly));
    QVERIFY(shell(QStringLiteral("printf 'a\\0b'; echo e >&2"))
                    .withOutputTee(output)
                    .withErrorTee(errors)
                    .run()
                    .result());
    QCOMPARE(output->data(), QByteArray("a\0b", 3));
    QCOMPARE(errors->data(), "e\n");
}

void tst_Command::textTees()
{
    const auto raw = std::make_shared<QBuffer>();
    const auto output = std::make_shared<QBuffer>();
    const auto both = std::make_shared<QBuffer>();
    for (const auto &buffer : { raw, output, both })
        QVERIFY(buffer->open(QIODevice::WriteOnly));
    QList<QString> handled;
    const Command print =
            shell(QStringLiteral("printf '\\344h\\r\\n\\033[1mkey 1\\033[0m\\n\\nkey 2'"))
                    .withEncoding(QStringConverter::Latin1)
                    .withEscapeSequencesRemoved()
                    .withRedaction([](const QString &line) {
                        return line.startsWith(QLatin1String("key")) ? QStringLiteral("\u2026")
                                                                     : line;
                    });
    QVERIFY(print.withOutputTee(raw)
                    .withOutputTextTee(output)
                    .withLineHandler(
                            [&handled](const OutputLine &line) { handled.append(line.toString()); })
                    .run()
                    .result());
    QCOMPARE(raw->data(), "\344h\r\n\033[1mkey 1\033[0m\n\nkey 2");
    QCOMPARE(output->data(), "\303\244h\n\342\200\246\n\n\342\200\246");
    QCOMPARE(handled.value(3), QStringLiteral("key 2"));

    // no handler, and one device for both
    QVERIFY(shell(QStringLiteral("echo a; echo b >&2"))
                    .withOutputTextTee(both)
                    .withErrorTextTee(both)
                    .run()
                    .result());
    QVERIFY(both->data() == "a\nb\n" || both->data() == "b\na\n");

    // in parts, of which nothing is lost
    output->seek(0);
    output->buffer().clear();
    QVERIFY(helperCommand({ QStringLiteral("longline"), QStringLiteral("3000000") })
                    .withOutputTextTee(output)
                    .run()
                    .result());
    QCOMPARE(output->data().size(), 3000000);
}

void tst_Command::teeThatFails()
{
    struct Full : QIODevice
    {
        qint64 readData(char *, qint64) override { return -1; }
        qint64 writeData(const char *, qint64) override
        {
            ++writes;
            return -1;
        }
        int writes = 0;
    };
    const auto raw = std::make_shared<Full>();
    const auto text = std::make_shared<Full>();
    QVERIFY(raw->open(QIODevice::WriteOnly | QIODevice::Unbuffered)
            && text->open(QIODevice::WriteOnly | QIODevice::Unbuffered));
    QCOMPARE(*helperCommand({ QStringLiteral("lines"), QStringLiteral("3") })
                      .withOutputTee(raw)
                      .withOutputTextTee(text)
                      .run()
                      .result(),
             QStringLiteral("1\n2\n3"));
    QCOMPARE(raw->writes, 1);
    QCOMPARE(text->writes, 1);
}

void tst_Command::textPolicies()
{
    const Command print = shell(QStringLiteral(
            "printf '\\033[1mbold\\033[0m\\033]0;title\\007 password=x\\001\\n'; echo plain"));
    const ProcessResult result = print.withEscapeSequencesRemoved()
                                         .withRedaction([](const QString &line) {
                                             return line.contains(QLatin1String("password"))
                                                     ? QStringLiteral("***")
                                                     : line;
                                         })
                                         .output()
                                         .result();
    QCOMPARE(result.standardOutput(), QStringLiteral("***\nplain\n"));
    QVERIFY(!result.standardOutputBytes().contains("password"));
    QCOMPARE(print.withEscapeSequencesRemoved().output().result().standardOutput(),
             QStringLiteral("bold password=x\nplain\n"));
}

void tst_Command::firstLine()
{
    const Command endless =
            shell(QStringLiteral("i=0; while :; do i=$((i+1)); echo line $i; done"));
    QCOMPARE(*endless.firstLine([](QStringView line) { return line.endsWith(u'7'); }).result(),
             QStringLiteral("line 7"));
    QCOMPARE(*endless.firstLine().result(), QStringLiteral("line 1"));
    const Expected<QString> none =
            shell(QStringLiteral("echo a; exit 3"))
                    .firstLine([](QStringView line) { return line == QLatin1String("b"); })
                    .result();
    QVERIFY(none);
    QVERIFY(none->isNull());
    QCOMPARE(endless.withTimeout(50ms)
                     .withLineHandler([](const OutputLine &) {})
                     .firstLine([](QStringView) { return false; })
                     .result()
                     .error()
                     .kind(),
             Kind::Timeout);
}

void tst_Command::json()
{
    QCOMPARE(shell(QStringLiteral("echo '{\"a\": 1}'"))
                     .json()
                     .result()
                     ->object()
                     .value(QStringLiteral("a")),
             QJsonValue(1));
    QCOMPARE(shell(QStringLiteral("echo '{\"a\": '")).json().result().error().kind(), Kind::Parse);
    QCOMPARE(shell(QStringLiteral("echo '[1]'; echo; echo '{}'")).jsonLines().result()->size(), 2);
    const ProcessError error =
            shell(QStringLiteral("echo '[1]'; echo no")).jsonLines().result().error();
    QCOMPARE(error.kind(), Kind::Parse);
    QVERIFY(error.text().contains(u'2'));
}

void tst_Command::parse()
{
    const Command print = shell(QStringLiteral("echo 42"));
    QCOMPARE(*print.parse([](const QString &text) { return text.trimmed().toInt(); }).result(), 42);
    const auto refuse = [](const QString &) {
        return Expected<int>(
                ProcessError::parseError(QStringLiteral("sh"), QStringLiteral("not what I want")));
    };
    QCOMPARE(print.parse(refuse).result().error().kind(), Kind::Parse);
}

void tst_Command::settings_data()
{
    addMechanismRows();
}

void tst_Command::settings()
{
    QFETCH(Mechanism, mechanism);
    PK_REQUIRE_MECHANISM(mechanism);
    const auto told = [mechanism](const Command &command) {
        const Expected<QString> text = command.withMechanism(mechanism).run().result();
        return text ? *text : text.error().diagnostic();
    };
    QCOMPARE(told(Command(QStringLiteral("nice")).withNiceness(7)), QStringLiteral("7"));
    QCOMPARE(told(Command(QStringLiteral("nice")).withPriority(Command::Priority::Idle)),
             QStringLiteral("19"));
    QCOMPARE(told(shell(QStringLiteral("umask")).withFileModeMask(0123)), QStringLiteral("0123"));
    QCOMPARE(told(shell(QStringLiteral("ulimit -Sn; ulimit -Hn"))
                          .withResourceLimit(Command::Resource::OpenFiles, 100, 200)),
             QStringLiteral("100\n200"));
    QCOMPARE(told(shell(QStringLiteral("grep Cpus_allowed_list /proc/self/status | cut -f2"))
                          .withProcessors({ 0 })),
             QStringLiteral("0"));
    QCOMPARE(told(Command(QStringLiteral("ionice")).withIoPriority(Command::IoPriorityClass::Idle)),
             QStringLiteral("idle"));
    QCOMPARE(told(shell(QStringLiteral("set -- $(cat /proc/$$/stat); [ $6 = $$ ] && echo leader"))
                          .withNewSession()),
             QStringLiteral("leader"));
    if (geteuid() != 0)
        return;
    const Command dropped =
            shell(QStringLiteral("id -u; id -g; id -G")).withUser(65534).withGroup(65534);
    QCOMPARE(told(dropped), QStringLiteral("65534\n65534\n65534"));
    QCOMPARE(told(dropped.withSupplementaryGroups({ 1, 2 })),
             QStringLiteral("65534\n65534\n65534 1 2"));
}

void tst_Command::badSettings()
{
    const Command none(QStringLiteral("true"));
    const auto text = [](const Command &command) { return command.run().result().error().text(); };
    QVERIFY(text(none.withNiceness(20)).startsWith(QLatin1String("niceness")));
    QVERIFY(text(none.withProcessors({})).startsWith(QLatin1String("processors")));
    QVERIFY(text(none.withResourceLimit(Command::Resource::CpuTime, 2, 1))
                    .startsWith(QLatin1String("resource limit")));
    QVERIFY(text(none.withIoPriority(Command::IoPriorityClass::BestEffort, 8))
                    .startsWith(QLatin1String("I/O priority")));
    if (geteuid() != 0) {
        const ProcessError error = none.withUser(0).run().result().error();
        QCOMPARE(error.kind(), Kind::PermissionDenied);
    }
}

void tst_Command::usage()
{
    const ProcessResult result =
            shell(QStringLiteral("i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done"))
                    .output()
                    .result();
    if (result.mechanism() == Mechanism::Subreaper)
        QSKIP("a keeper has reaped it");
    QVERIFY(result.resourceUsage());
    QVERIFY(result.resourceUsage()->userTime + result.resourceUsage()->systemTime > 0us);
    QVERIFY(result.resourceUsage()->maximumResidentBytes > 100000);
}

void tst_Command::live()
{
    auto process = Command(QStringLiteral("cat")).withInput(StdinSource::keptOpen()).start();
    QVERIFY(process->waitForStarted(Patience));
    process->write("through");
    process->closeWriteChannel();
    QVERIFY(process->waitForFinished(Patience));
    QCOMPARE(process->readAllStandardOutput(), "through");

    process = shell(QStringLiteral("sleep 100")).withTimeout(20ms).start();
    QVERIFY(process->waitForFinished(Patience));
    QCOMPARE(process->failure().kind(), Kind::Timeout);
    QCOMPARE(process->exitStatus(), QProcess::CrashExit);

    process = shell(QStringLiteral("sleep 100")).start();
    QVERIFY(process->waitForStarted(Patience));
    process->cancel();
    QVERIFY(process->waitForFinished(Patience));
    QCOMPARE(process->failure().kind(), Kind::Cancelled);

    process = Command(QStringLiteral("true")).withOutputPolicy(OutputPolicy::bytes(1)).start();
    QVERIFY(!process->waitForStarted(Patience));
    QCOMPARE(process->failure().kind(), Kind::InvalidArgument);
}

void tst_Command::waitForSeveral()
{
    const Command waits = Command(QStringLiteral("cat")).withInput(StdinSource::keptOpen());
    std::vector<std::unique_ptr<ContainedProcess>> owned;
    QList<ContainedProcess *> processes;
    for (int i = 0; i < 4; ++i) {
        owned.push_back(waits.start());
        processes.append(owned.back().get());
    }
    QCOMPARE(ContainedProcess::waitForAnyFinished(processes, 10), -1);
    processes[2]->closeWriteChannel();
    QCOMPARE(ContainedProcess::waitForAnyFinished(processes, Patience), 2);
    QVERIFY(!ContainedProcess::waitForAllFinished(processes, 10));
    // a chatty one is read while another is waited for
    processes[0]->write(QByteArray(1 << 20, 'x'));
    for (ContainedProcess *process : processes)
        process->closeWriteChannel();
    QVERIFY(ContainedProcess::waitForAllFinished(processes, Patience));
    QCOMPARE(processes[0]->readAllStandardOutput().size(), 1 << 20);
    QCOMPARE(ContainedProcess::waitForAnyFinished(processes, 0), 0);
    QCOMPARE(ContainedProcess::waitForAnyFinished({}, 0), -1);
}

void tst_Command::detached()
{
    expectOrphans();
    const QString name = temporaryPath(QStringLiteral("pid"));
    const Command command = shell(QStringLiteral("echo $$; exec sleep 1000"));
    const Expected<qint64> pid =
            command.withStandardOutput(OutputDestination::file(name)).startDetached();
    QVERIFY(pid);
    PidHandle handle(*pid);
    QFile file(name);
    QTRY_VERIFY(file.exists() && file.size() > 0);
    QVERIFY(file.open(QIODevice::ReadOnly));
    QCOMPARE(file.readAll().trimmed(), QByteArray::number(*pid));
    QVERIFY(!handle.isGone());
    handle.end();

    QVERIFY(command.withTimeout(1s).startDetached().error().text().startsWith(
            QLatin1String("timeout")));
    QVERIFY(command.withInput(QStringLiteral("x"))
                    .startDetached()
                    .error()
                    .text()
                    .startsWith(QLatin1String("input")));
    QCOMPARE(Command(QStringLiteral("there-is-no-such")).startDetached().error().kind(),
             Kind::NotFound);
}

// where orphans come to us, those that have failed do, too
void tst_Command::detachedFails()
{
    QCOMPARE(shell(QString())
                     .withWorkingDirectory(QStringLiteral("/none"))
                     .startDetached()
                     .error()
                     .kind(),
             Kind::WorkingDirectory);
}

// blocking calls on many threads, none of which has an event loop
void tst_Command::manyThreads()
{
    std::vector<std::unique_ptr<QThread>> threads;
    std::atomic<int> good = 0;
    for (int i = 0; i < 8; ++i) {
        threads.emplace_back(QThread::create([&good, i] {
            for (int j = 0; j < 10; ++j)
                good += shell(QStringLiteral("exit %1").arg(i)).exitCode().result().valueOr(-1)
                        == i;
        }));
        threads.back()->start();
    }
    for (const auto &thread : threads)
        thread->wait();
    QCOMPARE(good.load(), 80);
}

void tst_Command::debug()
{
    QString text;
    QDebug(&text)
            << Command(QStringLiteral("tool"), { QStringLiteral("secret1") })
                       .withVariable(QStringLiteral("NAME"), QStringLiteral("secret2"))
                       .withWorkingDirectory(QStringLiteral("/secret3"))
            << shell(QStringLiteral("echo secret4; echo secret5 >&2; exit 1")).output().result();
    QVERIFY(text.contains(QLatin1String("NAME")));
    QVERIFY2(!text.contains(QLatin1String("secret")), qPrintable(text));
    QCOMPARE(Command(QStringLiteral("a b"), { QString(), QStringLiteral("it's") }).commandLine(),
             QStringLiteral("'a b' '' 'it'\\''s'"));
}

QTEST_GUILESS_MAIN(tst_Command)
#include "tst_command.moc"
