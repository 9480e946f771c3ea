// SPDX-License-Identifier: MIT
#include "cleantest.h"

#include <ProcessKit/containedprocess.h>

#include <QtCore/qregularexpression.h>
#include <QtTest/qsignalspy.h>

using namespace PkTest;
using namespace ProcessKit;

// Output that arrives as lines.
class tst_Lines : public CleanTest
{
    Q_OBJECT

private Q_SLOTS:
    void framing_data();
    void framing();
    void longLines_data();
    void longLines();
    void bothChannels();
    void numbersAndTimes();
    void singleLineSignals();
    void exclusive();
    void oneChannelAsLines();
    void connectLater();
    void disconnected();
    void flood_data();
    void flood();
    void linesBeforeFinished();
    void valueOutlivesProcess();
    void backPressure();
    void withoutEventLoop();
};

namespace {

struct Line
{
    QString text;
    OutputLine::Flags flags;
};

bool operator==(const Line &a, const Line &b)
{
    return a.text == b.text && a.flags == b.flags;
}

} // namespace

Q_DECLARE_METATYPE(QList<Line>)

static QStringList args(std::initializer_list<const char *> words)
{
    QStringList list;
    for (const char *word : words)
        list.append(QString::fromUtf8(word));
    return list;
}

void tst_Lines::framing_data()
{
    QTest::addColumn<QStringList>("writes");
    QTest::addColumn<QList<Line>>("expected");
    constexpr auto None = OutputLine::NoFlags;
    constexpr auto Open = OutputLine::Unterminated;
    const QString euro = QStringLiteral("\u20ac");
    const QString smile = QStringLiteral("\U0001F600");
    const QString bad = QString(QChar(QChar::ReplacementCharacter));

    QTest::newRow("nothing") << args({}) << QList<Line>();
    QTest::newRow("one") << args({ "one\\n" }) << QList<Line>{ { QStringLiteral("one"), None } };
    QTest::newRow("empty lines") << args({ "\\n\\na\\n\\n" })
                                 << QList<Line>{ { {}, None },
                                                 { {}, None },
                                                 { QStringLiteral("a"), None },
                                                 { {}, None } };
    QTest::newRow("unterminated") << args({ "a\\nlast" })
                                  << QList<Line>{ { QStringLiteral("a"), None },
                                                  { QStringLiteral("last"), Open } };
    QTest::newRow("carriage return") << args({ "a\\r\\nb\\r\\r\\nc\\rd\\n" })
                                     << QList<Line>{ { QStringLiteral("a"), None },
                                                     { QStringLiteral("b\r"), None },
                                                     { QStringLiteral("c\rd"), None } };
    QTest::newRow("carriage return across reads")
            << args({ "a\\r", "\\nb\\r", "c\\n" })
            << QList<Line>{ { QStringLiteral("a"), None }, { QStringLiteral("b\rc"), None } };
    QTest::newRow("empty line of CRLF")
            << args({ "\\r\\n\\r", "\\n" }) << QList<Line>{ { {}, None }, { {}, None } };
    QTest::newRow("carriage return at the end")
            << args({ "a\\r" }) << QList<Line>{ { QStringLiteral("a\r"), Open } };
    QTest::newRow("line across reads")
            << args({ "o", "n", "e\\nt", "wo\\n" })
            << QList<Line>{ { QStringLiteral("one"), None }, { QStringLiteral("two"), None } };
    QTest::newRow("UTF-8") << args({ "\\xe2\\x82\\xac\\xf0\\x9f\\x98\\x80\\n" })
                           << QList<Line>{ { euro + smile, None } };
    QTest::newRow("torn UTF-8") << args({ "\\xe2", "\\x82", "\\xac\\xf0\\x9f", "\\x98\\x80\\n" })
                                << QList<Line>{ { euro + smile, None } };
    QTest::newRow("UTF-8 torn over a line's begin")
            << args({ "a\\n\\xe2\\x82", "\\xac\\n" })
            << QList<Line>{ { QStringLiteral("a"), None }, { euro, None } };
    QTest::newRow("invalid UTF-8")
            << args({ "a\\xff", "b\\n" })
            << QList<Line>{ { QStringLiteral("a") + bad + QStringLiteral("b"), None } };
    QTest::newRow("NUL") << args({ "a\\0b\\n" })
                         << QList<Line>{ { QStringLiteral("a") + QChar(u'\0') + QStringLiteral("b"),
                                           None } };
    QTest::newRow("byte order mark in the middle")
            << args({ "a\\xef\\xbb\\xbf\\n" })
            << QList<Line>{ { QStringLiteral("a\uFEFF"), None } };
}

void tst_Lines::framing()
{
    QFETCH(QStringList, writes);
    QFETCH(QList<Line>, expected);
    ContainedProcess process;
    QList<Line> lines;
    connect(&process, &ContainedProcess::linesReady, this, [&](const QList<OutputLine> &batch) {
        QVERIFY(!batch.isEmpty());
        for (const OutputLine &line : batch) {
            lines.append({ line.toString(), line.flags() });
            QCOMPARE(line.text().toString(), line.toString());
            QCOMPARE(line.isComplete(), line.flags() == OutputLine::NoFlags);
        }
    });
    process.start(helper(), QStringList(QStringLiteral("write")) + writes);
    QVERIFY(process.waitForFinished(Patience));
    QCOMPARE(process.exitCode(), 0);
    QCOMPARE(lines.size(), expected.size());
    for (qsizetype i = 0; i < lines.size(); ++i) {
        QCOMPARE(lines[i].text, expected[i].text);
        QCOMPARE(lines[i].flags, expected[i].flags);
    }
}

void tst_Lines::longLines_data()
{
    QTest::addColumn<int>("limit");
    QTest::addColumn<int>("length");
    QTest::addColumn<bool>("terminated");
    for (int limit : { 1, 10, 1000 }) {
        for (int length : { limit - 1, limit, limit + 1, 2 * limit, 2 * limit + 1, 50 * limit }) {
            if (length == 0)
                continue;
            QTest::addRow("%d of %d", length, limit) << limit << length << true;
            QTest::addRow("%d of %d, unterminated", length, limit) << limit << length << false;
        }
    }
    QTest::newRow("5000000 of 65536") << 65536 << 5000000 << true;
}

// Fragments make up the line, in order; none is longer than the limit and nothing is lost.
void tst_Lines::longLines()
{
    QFETCH(int, limit);
    QFETCH(int, length);
    QFETCH(bool, terminated);
    ContainedProcess process;
    process.setMaximumLineLength(limit);
    QList<OutputLine> lines;
    connect(&process, &ContainedProcess::linesReady, this,
            [&](const QList<OutputLine> &batch) { lines += batch; });
    process.start(helper(),
                  { QStringLiteral("longline"), QString::number(length),
                    terminated ? QStringLiteral("newline") : QString() });
    QVERIFY(process.waitForFinished(Patience));
    QString text;
    for (qsizetype i = 0; i < lines.size(); ++i) {
        QVERIFY(lines[i].text().size() <= limit);
        text += lines[i].text();
        const bool last = i + 1 == lines.size();
        QCOMPARE(lines[i].flags().testFlag(OutputLine::Continuation), i > 0);
        QCOMPARE(lines[i].flags().testFlag(OutputLine::Fragment), !last);
        QCOMPARE(lines[i].flags().testFlag(OutputLine::Unterminated), last && !terminated);
    }
    QCOMPARE(text.size(), length);
    QCOMPARE(text.count(QLatin1Char('l')), length);
    if (length <= limit)
        QCOMPARE(lines.size(), 1);
    else
        QVERIFY(lines.size() > 1);
}

void tst_Lines::bothChannels()
{
    ContainedProcess process;
    QStringList output, error;
    QList<OutputLine> all;
    connect(&process, &ContainedProcess::linesReady, this, [&](const QList<OutputLine> &batch) {
        all += batch;
        for (const OutputLine &line : batch)
            (line.channel() == QProcess::StandardOutput ? output : error) += line.toString();
    });
    process.start(helper(), args({ "write", "o1\\n", "err:e1\\n", "o2\\n", "err:e2\\ne3" }));
    QVERIFY(process.waitForFinished(Patience));
    QCOMPARE(output, args({ "o1", "o2" }));
    QCOMPARE(error, args({ "e1", "e2", "e3" }));
    QCOMPARE(all.size(), 5);
    // numbered over both channels, without gaps, in the order of delivery
    for (qsizetype i = 0; i < all.size(); ++i)
        QCOMPARE(all[i].number(), all[0].number() + i);
}

void tst_Lines::numbersAndTimes()
{
    ContainedProcess process;
    QList<OutputLine> all;
    connect(&process, &ContainedProcess::linesReady, this,
            [&](const QList<OutputLine> &batch) { all += batch; });
    for (int run = 0; run < 2; ++run) {
        all.clear();
        const auto before = OutputLine::Clock::now();
        process.start(helper(), args({ "lines", "5000", "20", "both" }));
        QVERIFY(process.waitForFinished(Patience));
        QCOMPARE(all.size(), 10000);
        const qint64 first = all[0].number();
        for (qsizetype i = 0; i < all.size(); ++i) {
            QCOMPARE(all[i].number(), first + i);
            QVERIFY(all[i].time() >= before && all[i].time() <= OutputLine::Clock::now());
            if (i > 0)
                QVERIFY(all[i].time() >= all[i - 1].time());
        }
        QVERIFY(first == 0 || first == 1); // each run counts anew
    }
    OutputLine none;
    QVERIFY(none.text().isEmpty());
    QCOMPARE(none.number(), -1);
    QVERIFY(none != all[0]);
    QCOMPARE(all[0], all[0]);
}

void tst_Lines::singleLineSignals()
{
    ContainedProcess process;
    QSignalSpy output(&process, &ContainedProcess::standardOutputLine);
    QSignalSpy error(&process, &ContainedProcess::standardErrorLine);
    QSignalSpy finished(&process, &ContainedProcess::finished);
    process.start(helper(), args({ "write", "one\\ntwo\\r\\n", "err:bad\\n", "last" }));
    QVERIFY(finished.wait(Patience));
    QCOMPARE(output.count(), 3);
    QCOMPARE(output[0][0].toString(), QStringLiteral("one"));
    QCOMPARE(output[1][0].toString(), QStringLiteral("two"));
    QCOMPARE(output[2][0].toString(), QStringLiteral("last"));
    QCOMPARE(error.count(), 1);
    QCOMPARE(error[0][0].toString(), QStringLiteral("bad"));
}

void tst_Lines::exclusive()
{
    ContainedProcess process;
    QSignalSpy lines(&process, &ContainedProcess::linesReady);
    QSignalSpy ready(&process, &ContainedProcess::readyRead);
    QSignalSpy channel(&process, &ContainedProcess::channelReadyRead);
    process.start(helper(), args({ "lines", "100", "10", "both" }));
    QVERIFY(process.waitForFinished(Patience));
    QVERIFY(lines.count() > 0);
    QCOMPARE(ready.count(), 0);
    QCOMPARE(channel.count(), 0);
    QCOMPARE(process.bytesAvailable(), 0);
    QCOMPARE(process.readAllStandardOutput(), "");
    QCOMPARE(process.readAllStandardError(), "");
}

void tst_Lines::oneChannelAsLines()
{
    ContainedProcess process;
    QSignalSpy error(&process, &ContainedProcess::standardErrorLine);
    QSignalSpy ready(&process, &ContainedProcess::readyReadStandardOutput);
    process.start(helper(), args({ "write", "out\\n", "err:error\\n" }));
    QVERIFY(process.waitForFinished(Patience));
    QCOMPARE(error.count(), 1);
    QVERIFY(ready.count() > 0);
    QCOMPARE(process.readAllStandardOutput(), "out\n");
    QCOMPARE(process.readAllStandardError(), "");
}

// a connection that is made while the process runs: what came before is the device's
void tst_Lines::connectLater()
{
    ContainedProcess process;
    process.start(helper(), args({ "write", "before\\n", "wait", "after\\n" }));
    QVERIFY(process.waitForReadyRead(Patience));
    QStringList lines;
    connect(&process, &ContainedProcess::standardOutputLine, this,
            [&](const QString &line) { lines += line; });
    process.write("\n");
    QVERIFY(process.waitForFinished(Patience));
    QCOMPARE(lines, args({ "after" }));
    QCOMPARE(process.readAll(), "before\n");
}

void tst_Lines::disconnected()
{
    ContainedProcess process;
    QStringList lines;
    const auto connection = connect(&process, &ContainedProcess::standardOutputLine, this,
                                    [&](const QString &line) { lines += line; });
    process.start(helper(), args({ "write", "before\\n", "wait", "after\\n" }));
    QTRY_COMPARE_WITH_TIMEOUT(lines, args({ "before" }), Patience);
    disconnect(connection);
    process.write("\n");
    QVERIFY(process.waitForFinished(Patience));
    QCOMPARE(lines, args({ "before" }));
    QCOMPARE(process.readAll(), "after\n");
}

void tst_Lines::flood_data()
{
    addMechanismRows();
}

void tst_Lines::flood()
{
    QFETCH(Mechanism, mechanism);
    PK_REQUIRE_MECHANISM(mechanism);
    ContainedProcess process;
    process.setRequestedMechanism(mechanism);
    qint64 count = 0;
    bool ordered = true;
    connect(&process, &ContainedProcess::linesReady, this, [&](const QList<OutputLine> &batch) {
        for (const OutputLine &line : batch) {
            ++count;
            const auto text = line.text();
            const auto dots = text.indexOf(QLatin1Char('.'));
            ordered = ordered && text.left(dots).toLongLong() == count && text.size() == 40;
        }
    });
    QSignalSpy finished(&process, &ContainedProcess::finished);
    process.start(helper(), args({ "lines", "500000", "40" }));
    QVERIFY(finished.wait(Patience));
    QCOMPARE(count, 500000);
    QVERIFY(ordered);
}

void tst_Lines::linesBeforeFinished()
{
    for (int round = 0; round < 50; ++round) {
        ContainedProcess process;
        int lines = 0;
        int atFinish = -1;
        connect(&process, &ContainedProcess::linesReady, this,
                [&](const QList<OutputLine> &batch) { lines += int(batch.size()); });
        connect(&process, &ContainedProcess::finished, this, [&] { atFinish = lines; });
        process.start(helper(), args({ "lines", "100", "0", "both" }));
        QTRY_VERIFY_WITH_TIMEOUT(atFinish >= 0, Patience);
        QCOMPARE(atFinish, 200);
    }
}

void tst_Lines::valueOutlivesProcess()
{
    QList<OutputLine> kept;
    {
        ContainedProcess process;
        connect(&process, &ContainedProcess::linesReady, this,
                [&](const QList<OutputLine> &batch) { kept += batch; });
        process.start(helper(), args({ "lines", "3" }));
        QVERIFY(process.waitForFinished(Patience));
    }
    QCOMPARE(kept.size(), 3);
    QCOMPARE(kept[2].toString(), QStringLiteral("3"));
}

// lines that are not taken count against the read limit as bytes do
void tst_Lines::backPressure()
{
    ContainedProcess process;
    process.setReadLimit(100000);
    qint64 bytes = 0;
    connect(&process, &ContainedProcess::linesReady, this, [&](const QList<OutputLine> &batch) {
        for (const OutputLine &line : batch)
            bytes += line.text().size() + 1;
    });
    process.start(helper(), args({ "flood", "40000000" }));
    QVERIFY(process.waitForStarted(Patience));
    // this thread takes no events now
    for (int i = 0; i < 5; ++i)
        QCOMPARE(ContainedProcess::execute(helper(), args({ "exit" })), 0);
    QCOMPARE(reports().count("flooded"), 0);
    QSignalSpy finished(&process, &ContainedProcess::finished);
    QVERIFY(finished.wait(Patience));
    QCOMPARE(bytes, 40000000);
    QCOMPARE(reports().count("flooded"), 1);
}

void tst_Lines::withoutEventLoop()
{
    ContainedProcess process;
    QStringList lines;
    connect(&process, &ContainedProcess::standardOutputLine, this,
            [&](const QString &line) { lines += line; });
    process.start(helper(), args({ "write", "one\\n", "wait", "two\\n" }));
    QVERIFY(process.waitForReadyRead(Patience)); // lines are reading, too
    QCOMPARE(lines, args({ "one" }));
    process.write("\n");
    QVERIFY(process.waitForFinished(Patience));
    QCOMPARE(lines, args({ "one", "two" }));
}

QTEST_GUILESS_MAIN(tst_Lines)
#include "tst_lines.moc"
