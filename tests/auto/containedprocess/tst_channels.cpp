// SPDX-License-Identifier: MIT
#include "cleantest.h"

#include <ProcessKit/containedprocess.h>

#include <QtCore/qfile.h>
#include <QtCore/qtextstream.h>
#include <QtTest/qsignalspy.h>

#include <fcntl.h>
#include <unistd.h>

using namespace PkTest;
using namespace ProcessKit;

// What goes in and comes out, read as a device.
class tst_Channels : public CleanTest
{
    Q_OBJECT

private Q_SLOTS:
    void echo_data();
    void echo();
    void twoChannels_data();
    void twoChannels();
    void switchChannels();
    void channelSignals();
    void mergedChannels();
    void forwarded_data();
    void forwarded();
    void forwardedInput();
    void unget();
    void textMode();
    void readLine();
    void transaction();
    void largeOutput_data();
    void largeOutput();
    void writeBeforeStart();
    void writeBuffer();
    void writeToTheDead();
    void closeWriteChannel();
    void closeReadChannel();
    void close();
    void childClosesItsOutput();
    void childClosesItsInput();
    void readyReadOnlyForNewData();
    void atEnd();
    void redirectInput();
    void redirectOutput_data();
    void redirectOutput();
    void redirectFails_data();
    void redirectFails();
    void nullDevice();
    void processToProcess_data();
    void processToProcess();
    void readLimit_data();
    void readLimit();
    void readLimitRaised();
    void noReadLimitWhileWaiting();
    void unread();
};

static QStringList args(std::initializer_list<const char *> words)
{
    QStringList list;
    for (const char *word : words)
        list.append(QString::fromUtf8(word));
    return list;
}

void tst_Channels::echo_data()
{
    QTest::addColumn<Mechanism>("mechanism");
    QTest::addColumn<int>("size");
    for (Mechanism mechanism :
         { Mechanism::CgroupV2, Mechanism::Subreaper, Mechanism::ProcessGroup }) {
        for (int size : { 0, 1, 4096, 65536, 1000000, 20000000 })
            QTest::addRow("%s %d", mechanismName(mechanism).constData(), size) << mechanism << size;
    }
}

static QByteArray pattern(int size)
{
    QByteArray bytes(size, Qt::Uninitialized);
    for (int i = 0; i < size; ++i)
        bytes[i] = char(i * 7 + i / 251);
    return bytes;
}

void tst_Channels::echo()
{
    QFETCH(Mechanism, mechanism);
    QFETCH(int, size);
    PK_REQUIRE_MECHANISM(mechanism);
    const QByteArray bytes = pattern(size);
    ContainedProcess process;
    process.setRequestedMechanism(mechanism);
    QByteArray received;
    qint64 written = 0;
    connect(&process, &ContainedProcess::readyRead, this, [&] { received += process.readAll(); });
    connect(&process, &ContainedProcess::bytesWritten, this, [&](qint64 count) {
        QVERIFY(count > 0);
        written += count;
    });
    QSignalSpy finished(&process, &ContainedProcess::finished);
    process.start(helper(), args({ "echo" }));
    QCOMPARE(process.write(bytes), size);
    process.closeWriteChannel();
    QTRY_COMPARE_WITH_TIMEOUT(finished.count(), 1, Patience);
    QCOMPARE(process.exitCode(), 0);
    QCOMPARE(written, size);
    QCOMPARE(received.size(), size);
    QVERIFY(received == bytes);
    QCOMPARE(process.bytesToWrite(), 0);
}

void tst_Channels::twoChannels_data()
{
    addMechanismRows();
}

void tst_Channels::twoChannels()
{
    QFETCH(Mechanism, mechanism);
    PK_REQUIRE_MECHANISM(mechanism);
    ContainedProcess process;
    process.setRequestedMechanism(mechanism);
    process.start(helper(),
                  args({ "write", "out one,", "err:err one,", "out two", "err:err two" }));
    QVERIFY(process.waitForFinished(Patience));
    QCOMPARE(process.readChannelCount(), 2);
    QCOMPARE(process.readAllStandardError(), "err one,err two");
    QCOMPARE(process.readAllStandardOutput(), "out one,out two");
    QCOMPARE(process.readAllStandardOutput(), "");
}

void tst_Channels::switchChannels()
{
    ContainedProcess process;
    process.start(helper(), args({ "write", "out\\n", "err:error\\n" }));
    QVERIFY(process.waitForFinished(Patience));
    for (int i = 0; i < 2; ++i) {
        process.setReadChannel(QProcess::StandardOutput);
        QCOMPARE(process.currentReadChannel(), 0);
        QCOMPARE(process.peek(1), i == 0 ? "o" : "t");
        QCOMPARE(process.read(1), i == 0 ? "o" : "t"); // half of it stays in QIODevice's buffer
        QCOMPARE(process.bytesAvailable(), i == 0 ? 3 : 1);
        process.setReadChannel(QProcess::StandardError);
        QCOMPARE(process.currentReadChannel(), 1);
        QCOMPARE(process.read(1), i == 0 ? "e" : "r");
        if (i == 0) {
            process.setCurrentReadChannel(0);
            QCOMPARE(process.readChannel(), QProcess::StandardOutput);
            QCOMPARE(process.read(1), "u");
        }
    }
    process.setReadChannel(QProcess::StandardOutput);
    QCOMPARE(process.readAll(), "\n");
    process.setReadChannel(QProcess::StandardError);
    QCOMPARE(process.readAll(), "ror\n");
}

void tst_Channels::channelSignals()
{
    ContainedProcess process;
    QSignalSpy any(&process, &ContainedProcess::readyRead);
    QSignalSpy output(&process, &ContainedProcess::readyReadStandardOutput);
    QSignalSpy error(&process, &ContainedProcess::readyReadStandardError);
    QSignalSpy channel(&process, &ContainedProcess::channelReadyRead);
    QSignalSpy ended(&process, &ContainedProcess::readChannelFinished);
    process.start(helper(), args({ "write", "err:error" }));
    QVERIFY(process.waitForFinished(Patience));
    QVERIFY(error.count() >= 1);
    QCOMPARE(output.count(), 0);
    QCOMPARE(any.count(), 0); // only of the current channel
    QVERIFY(channel.count() >= 1);
    QCOMPARE(channel[0][0].toInt(), 1);
    QVERIFY(ended.count() >= 1);
    QCOMPARE(process.readAllStandardError(), "error");

    process.setReadChannel(QProcess::StandardError);
    process.start(helper(), args({ "write", "err:error" }));
    QVERIFY(process.waitForReadyRead(Patience));
    QVERIFY(any.count() >= 1);
    QVERIFY(process.state() == QProcess::NotRunning || process.waitForFinished(Patience));
    QCOMPARE(process.readAll(), "error");
}

void tst_Channels::mergedChannels()
{
    ContainedProcess process;
    process.setProcessChannelMode(QProcess::MergedChannels);
    process.start(helper(), args({ "write", "one ", "err:two ", "three ", "err:four" }));
    QVERIFY(process.waitForFinished(Patience));
    QCOMPARE(process.readAllStandardOutput(), "one two three four"); // in the order of writing
    QTest::ignoreMessage(QtWarningMsg,
                         "QProcess::readAllStandardError: Called with MergedChannels");
    QCOMPARE(process.readAllStandardError(), "");
}

void tst_Channels::forwarded_data()
{
    QTest::addColumn<QProcess::ProcessChannelMode>("mode");
    QTest::addColumn<QByteArray>("ourOutput");
    QTest::addColumn<QByteArray>("ourError");
    QTest::addColumn<QByteArray>("readOutput");
    QTest::addColumn<QByteArray>("readError");
    const QByteArray out = "out\n", err = "err\n", none;
    QTest::newRow("both") << QProcess::ForwardedChannels << out << err << none << none;
    QTest::newRow("output") << QProcess::ForwardedOutputChannel << out << none << none << err;
    QTest::newRow("error") << QProcess::ForwardedErrorChannel << none << err << out << none;
}

// the standard output and error of this test lead into files for the time of a start
class Redirected
{
public:
    explicit Redirected(const QString &prefix)
        : m_output(prefix + QStringLiteral("out")), m_error(prefix + QStringLiteral("err"))
    {
        const QFile::OpenMode mode = QFile::ReadWrite | QFile::Truncate;
        if (!m_output.open(mode) || !m_error.open(mode))
            qFatal("cannot open a file");
        m_saved[0] = fcntl(1, F_DUPFD_CLOEXEC, 10);
        m_saved[1] = fcntl(2, F_DUPFD_CLOEXEC, 10);
        dup2(m_output.handle(), 1);
        dup2(m_error.handle(), 2);
    }
    void restore()
    {
        for (int i = 0; i < 2; ++i) {
            if (m_saved[i] < 0)
                continue;
            dup2(m_saved[i], i + 1);
            ::close(m_saved[i]);
            m_saved[i] = -1;
        }
    }
    ~Redirected() { restore(); }
    QByteArray output() { return readFrom(m_output); }
    QByteArray error() { return readFrom(m_error); }

private:
    static QByteArray readFrom(QFile &file)
    {
        file.seek(0);
        return file.readAll();
    }
    QFile m_output;
    QFile m_error;
    int m_saved[2];
};

void tst_Channels::forwarded()
{
    QFETCH(QProcess::ProcessChannelMode, mode);
    QFETCH(QByteArray, ourOutput);
    QFETCH(QByteArray, ourError);
    QFETCH(QByteArray, readOutput);
    QFETCH(QByteArray, readError);
    for (Mechanism mechanism :
         { Mechanism::CgroupV2, Mechanism::Subreaper, Mechanism::ProcessGroup }) {
        if (!isPossible(mechanism))
            continue;
        ContainedProcess process;
        process.setRequestedMechanism(mechanism);
        process.setProcessChannelMode(mode);
        Redirected ours(temporaryPath(QStringLiteral("forwarded-")));
        process.start(helper(), args({ "write", "out\\n", "err:err\\n" }));
        const bool finished = process.waitForFinished(Patience);
        ours.restore();
        QVERIFY(finished);
        QCOMPARE(process.exitCode(), 0);
        QCOMPARE(ours.output(), ourOutput);
        QCOMPARE(ours.error(), ourError);
        QCOMPARE(process.readAllStandardOutput(), readOutput);
        QCOMPARE(process.readAllStandardError(), readError);
    }
}

void tst_Channels::forwardedInput()
{
    int ends[2];
    QCOMPARE(pipe2(ends, O_CLOEXEC), 0);
    const int saved = fcntl(0, F_DUPFD_CLOEXEC, 10);
    dup2(ends[0], 0);
    ContainedProcess process;
    process.setInputChannelMode(QProcess::ForwardedInputChannel);
    process.start(helper(), args({ "echo" }));
    const bool started = process.waitForStarted(Patience);
    const bool written = ::write(ends[1], "through", 7) == 7;
    ::close(ends[1]);
    ::close(ends[0]);
    if (saved >= 0) {
        dup2(saved, 0);
        ::close(saved);
    } else {
        ::close(0);
    }
    QVERIFY(started);
    QVERIFY(written);
    QVERIFY(process.waitForFinished(Patience));
    QCOMPARE(process.readAll(), "through");
}

void tst_Channels::unget()
{
    ContainedProcess process;
    process.start(helper(), args({ "write", "abc" }));
    QVERIFY(process.waitForFinished(Patience));
    char c = 0;
    QVERIFY(process.getChar(&c));
    QCOMPARE(c, 'a');
    process.ungetChar(c);
    process.ungetChar('z');
    QCOMPARE(process.bytesAvailable(), 4);
    QCOMPARE(process.readAll(), "zabc");
}

void tst_Channels::textMode()
{
    ContainedProcess process;
    process.start(helper(), args({ "lines", "3", "0", "out", "crlf" }),
                  QIODevice::ReadWrite | QIODevice::Text);
    QVERIFY(process.waitForFinished(Patience));
    QCOMPARE(process.readAll(), "1\n2\n3\n");
    process.start(helper(), args({ "lines", "1", "0", "out", "crlf" }));
    QVERIFY(process.waitForFinished(Patience));
    QCOMPARE(process.readAll(), "1\r\n");
}

void tst_Channels::readLine()
{
    ContainedProcess process;
    process.start(helper(), args({ "write", "one\\ntwo\\nthr", "ee\\nlast" }));
    QVERIFY(process.waitForFinished(Patience));
    QVERIFY(process.canReadLine());
    QCOMPARE(process.readLine(), "one\n");
    QCOMPARE(process.readLine(2), "t");
    QCOMPARE(process.readLine(), "wo\n");
    QTextStream stream(&process);
    QCOMPARE(stream.readLine(), QStringLiteral("three"));
    QCOMPARE(stream.readLine(), QStringLiteral("last"));
    QVERIFY(!process.canReadLine());
}

void tst_Channels::transaction()
{
    ContainedProcess process;
    process.start(helper(), args({ "write", "abcdef" }));
    QVERIFY(process.waitForFinished(Patience));
    process.startTransaction();
    QCOMPARE(process.read(4), "abcd");
    process.rollbackTransaction();
    QCOMPARE(process.skip(1), 1);
    process.startTransaction();
    QCOMPARE(process.read(2), "bc");
    process.commitTransaction();
    QCOMPARE(process.readAll(), "def");
}

void tst_Channels::largeOutput_data()
{
    addMechanismRows();
}

void tst_Channels::largeOutput()
{
    QFETCH(Mechanism, mechanism);
    PK_REQUIRE_MECHANISM(mechanism);
    ContainedProcess process;
    process.setRequestedMechanism(mechanism);
    process.start(helper(), args({ "flood", "30000000", "both" }));
    qint64 output = 0, error = 0;
    while (process.state() != QProcess::NotRunning) {
        if (!process.waitForReadyRead(Patience))
            break;
        output += process.readAllStandardOutput().size();
        error += process.readAllStandardError().size();
    }
    QVERIFY(process.state() == QProcess::NotRunning || process.waitForFinished(Patience));
    output += process.readAllStandardOutput().size();
    error += process.readAllStandardError().size();
    QCOMPARE(process.exitCode(), 0);
    QCOMPARE(output, 30000000);
    QCOMPARE(error, 30000000);
}

void tst_Channels::writeBeforeStart()
{
    // what is written while it is being started arrives, in order
    ContainedProcess process;
    process.start(helper(), args({ "echo" }));
    QCOMPARE(process.state(), QProcess::Starting);
    process.write("one ");
    process.write("two ");
    QCOMPARE(process.bytesToWrite(), 8);
    QVERIFY(process.waitForStarted(Patience));
    process.write("three");
    process.closeWriteChannel();
    QVERIFY(process.waitForFinished(Patience));
    QCOMPARE(process.readAll(), "one two three");
}

void tst_Channels::writeBuffer()
{
    ContainedProcess process;
    process.start(helper(), args({ "pause" })); // never reads
    QVERIFY(process.waitForStarted(Patience));
    const QByteArray block(1000000, 'b');
    for (int i = 0; i < 5; ++i)
        QCOMPARE(process.write(block), block.size());
    QVERIFY(process.waitForBytesWritten(Patience)); // the pipe takes some of it
    QVERIFY(process.bytesToWrite() > 0);
    QVERIFY(process.bytesToWrite() < 5 * block.size());
    while (process.waitForBytesWritten(50)) { }
    QVERIFY(process.bytesToWrite() > 0);
    process.kill();
    QVERIFY(process.waitForFinished(Patience));
}

void tst_Channels::writeToTheDead()
{
    ContainedProcess process;
    process.start(helper(), args({ "exit" }));
    QVERIFY(process.waitForStarted(Patience));
    // a program that does not read its input is no reason for a signal or a crash
    for (int i = 0; i < 100 && process.state() == QProcess::Running; ++i) {
        process.write(QByteArray(100000, 'x'));
        process.waitForBytesWritten(10);
    }
    QVERIFY(process.state() == QProcess::NotRunning || process.waitForFinished(Patience));
    QCOMPARE(process.exitCode(), 0);
    QCOMPARE(process.exitStatus(), QProcess::NormalExit);
}

void tst_Channels::closeWriteChannel()
{
    ContainedProcess process;
    process.start(helper(), args({ "aftereof", "100000" }));
    QVERIFY(process.waitForStarted(Patience));
    process.write(QByteArray(500000, 'i'));
    process.closeWriteChannel(); // after what is still to be written
    QVERIFY(process.waitForFinished(Patience));
    QCOMPARE(process.readAll().size(), 100000);
    QCOMPARE(process.exitCode(), 0);
}

void tst_Channels::closeReadChannel()
{
    ContainedProcess process;
    process.start(helper(), args({ "write", "wait", "out", "err:error" }));
    QVERIFY(process.waitForStarted(Patience));
    process.closeReadChannel(QProcess::StandardOutput);
    process.write("\n");
    QVERIFY(process.waitForFinished(Patience));
    QCOMPARE(process.exitCode(), 0); // it is not killed by SIGPIPE: what it writes is discarded
    QCOMPARE(process.readAllStandardOutput(), "");
    QCOMPARE(process.readAllStandardError(), "error");
}

void tst_Channels::close()
{
    ContainedProcess process;
    process.start(helper(), args({ "pause" }));
    QVERIFY(process.waitForStarted(Patience));
    const PidHandle child(process.processId());
    process.close(); // ends it, as QProcess has it
    QCOMPARE(process.state(), QProcess::NotRunning);
    QVERIFY(!process.isOpen());
    QVERIFY(child.waitGone());
}

void tst_Channels::childClosesItsOutput()
{
    ContainedProcess process;
    QSignalSpy ended(&process, &ContainedProcess::readChannelFinished);
    process.start(helper(), args({ "closeout" }));
    QVERIFY(process.waitForStarted(Patience));
    QVERIFY(reports().waitFor({ "closed" }));
    QVERIFY(process.waitForReadyRead(Patience) || process.bytesAvailable() > 0);
    QCOMPARE(process.state(), QProcess::Running); // that its output has ended is not its end
    QCOMPARE(process.readAll(), "before\n");
    process.closeWriteChannel();
    QVERIFY(process.waitForFinished(Patience));
    QCOMPARE(process.exitCode(), 0);
    QVERIFY(ended.count() >= 1);
}

void tst_Channels::childClosesItsInput()
{
    ContainedProcess process;
    QSignalSpy errors(&process, &ContainedProcess::errorOccurred);
    process.start(helper(), args({ "closein" }));
    QVERIFY(process.waitForReadyRead(Patience));
    process.write("nobody reads this");
    QVERIFY(!process.waitForBytesWritten(Patience));
    QCOMPARE(process.error(), QProcess::WriteError);
    QVERIFY(errors.count() >= 1);
    QCOMPARE(process.state(), QProcess::Running);
}

void tst_Channels::readyReadOnlyForNewData()
{
    ContainedProcess process;
    QSignalSpy ready(&process, &ContainedProcess::readyRead);
    process.start(helper(), args({ "write", "one", "wait", "two" }));
    QVERIFY(process.waitForReadyRead(Patience));
    QCOMPARE(ready.count(), 1);
    QVERIFY(!process.waitForReadyRead(1));
    QCoreApplication::processEvents();
    QCOMPARE(ready.count(), 1);
    process.write("\n");
    QVERIFY(process.waitForReadyRead(Patience));
    QCOMPARE(ready.count(), 2);
    QVERIFY(process.state() == QProcess::NotRunning || process.waitForFinished(Patience));
    QCOMPARE(ready.count(), 2);
    QCOMPARE(process.readAll(), "onetwo");
}

void tst_Channels::atEnd()
{
    ContainedProcess process;
    process.start(helper(), args({ "write", "line\\n" }));
    QVERIFY(process.waitForReadyRead(Patience));
    while (!process.atEnd())
        process.read(1);
    QCOMPARE(process.bytesAvailable(), 0);
    QVERIFY(process.state() == QProcess::NotRunning || process.waitForFinished(Patience));
    QVERIFY(process.atEnd());
    QCOMPARE(process.read(1), "");
    char c;
    QCOMPARE(process.read(&c, 1), -1); // the end, not "nothing yet"
}

static QString makeFile(const QString &path, const QByteArray &content)
{
    QFile file(path);
    if (!file.open(QFile::WriteOnly) || file.write(content) != content.size())
        qFatal("cannot write a file");
    return path;
}

static QByteArray contentOf(const QString &path)
{
    QFile file(path);
    return file.open(QFile::ReadOnly) ? file.readAll() : QByteArray("unreadable");
}

void tst_Channels::redirectInput()
{
    ContainedProcess process;
    process.setStandardInputFile(makeFile(temporaryPath(QStringLiteral("input")), "from a file"));
    process.start(helper(), args({ "echo" }));
    QVERIFY(process.waitForStarted(Patience));
    QTest::ignoreMessage(
            QtWarningMsg,
            QRegularExpression(QStringLiteral("QProcess::writeData|QIODevice::write")));
    QVERIFY(process.write("dropped") <= 0);
    QVERIFY(process.waitForFinished(Patience));
    QCOMPARE(process.readAll(), "from a file");
}

void tst_Channels::redirectOutput_data()
{
    QTest::addColumn<bool>("error");
    QTest::addColumn<QIODevice::OpenMode>("mode");
    for (const bool error : { false, true }) {
        QTest::addRow("%s truncate", error ? "error" : "output")
                << error << QIODevice::OpenMode(QIODevice::Truncate);
        QTest::addRow("%s append", error ? "error" : "output")
                << error << QIODevice::OpenMode(QIODevice::Append);
    }
}

void tst_Channels::redirectOutput()
{
    QFETCH(bool, error);
    QFETCH(QIODevice::OpenMode, mode);
    const QString path = makeFile(temporaryPath(QStringLiteral("output")), "before\n");
    const QByteArray before = mode == QIODevice::Append ? "before\n" : "";
    for (Mechanism mechanism :
         { Mechanism::CgroupV2, Mechanism::Subreaper, Mechanism::ProcessGroup }) {
        if (!isPossible(mechanism))
            continue;
        makeFile(path, "before\n");
        ContainedProcess process;
        process.setRequestedMechanism(mechanism);
        if (error)
            process.setStandardErrorFile(path, mode);
        else
            process.setStandardOutputFile(path, mode);
        process.start(helper(), args({ "write", "out\\n", "err:err\\n" }));
        QVERIFY(process.waitForFinished(Patience));
        QCOMPARE(contentOf(path), before + (error ? "err\n" : "out\n"));
        QCOMPARE(process.readAllStandardOutput(), error ? "out\n" : "");
        QCOMPARE(process.readAllStandardError(), error ? "" : "err\n");
    }
}

void tst_Channels::redirectFails_data()
{
    QTest::addColumn<int>("stream");
    QTest::newRow("input") << 0;
    QTest::newRow("output") << 1;
    QTest::newRow("error") << 2;
}

void tst_Channels::redirectFails()
{
    QFETCH(int, stream);
    ContainedProcess process;
    const QString missing = QStringLiteral("/nonexistent/file");
    if (stream == 0)
        process.setStandardInputFile(missing);
    if (stream == 1)
        process.setStandardOutputFile(missing);
    if (stream == 2)
        process.setStandardErrorFile(missing);
    QSignalSpy errors(&process, &ContainedProcess::errorOccurred);
    process.start(helper(), args({ "exit" }));
    QVERIFY(!process.waitForStarted(Patience));
    QCOMPARE(process.error(), QProcess::FailedToStart);
    QCOMPARE(errors.count(), 1);
    QCOMPARE(process.failure().kind(), ProcessKit::ProcessError::Kind::Redirection);
    QCOMPARE(process.failure().nativeCode(), ENOENT);
    QCOMPARE(process.state(), QProcess::NotRunning);
}

void tst_Channels::nullDevice()
{
    ContainedProcess process;
    process.setStandardOutputFile(ContainedProcess::nullDevice());
    process.setStandardErrorFile(ContainedProcess::nullDevice());
    process.setStandardInputFile(ContainedProcess::nullDevice());
    process.start(helper(), args({ "stdio" }));
    QVERIFY(process.waitForFinished(Patience));
    QCOMPARE(process.exitCode(), 0);
    QVERIFY(!process.isReadable());
    QCOMPARE(reports().report("stdio").extra, "/dev/null");
}

void tst_Channels::processToProcess_data()
{
    addMechanismRows();
}

void tst_Channels::processToProcess()
{
    QFETCH(Mechanism, mechanism);
    PK_REQUIRE_MECHANISM(mechanism);
    ContainedProcess first, second, third;
    for (ContainedProcess *process : { &first, &second, &third })
        process->setRequestedMechanism(mechanism);
    first.setStandardOutputProcess(&second);
    second.setStandardOutputProcess(&third);
    first.start(helper(), args({ "echo" }));
    second.start(helper(), args({ "echo" }));
    third.start(helper(), args({ "echo" }));
    QVERIFY(third.waitForStarted(Patience));
    const QByteArray bytes = pattern(300000);
    first.write(bytes);
    first.closeWriteChannel();
    QVERIFY(third.waitForFinished(Patience));
    QVERIFY(third.readAll() == bytes);
    QVERIFY(first.state() == QProcess::NotRunning || first.waitForFinished(Patience));
    QVERIFY(second.state() == QProcess::NotRunning || second.waitForFinished(Patience));
    QCOMPARE(first.bytesAvailable(), 0);
    QCOMPARE(second.bytesAvailable(), 0);
}

void tst_Channels::readLimit_data()
{
    QTest::addColumn<Mechanism>("mechanism");
    QTest::addColumn<int>("limit");
    for (Mechanism mechanism : { Mechanism::CgroupV2, Mechanism::Subreaper }) {
        for (int limit : { 1000, 65536, 1000000 })
            QTest::addRow("%s %d", mechanismName(mechanism).constData(), limit)
                    << mechanism << limit;
    }
}

// past the limit nothing is read until something is consumed: the child is made to wait
void tst_Channels::readLimit()
{
    QFETCH(Mechanism, mechanism);
    QFETCH(int, limit);
    PK_REQUIRE_MECHANISM(mechanism);
    constexpr qint64 Total = 40000000;
    constexpr qint64 OneRead = 1024 * 1024; // what one read may bring beyond the limit
    ContainedProcess process;
    process.setRequestedMechanism(mechanism);
    process.setReadLimit(limit);
    process.start(helper(), { QStringLiteral("flood"), QString::number(Total) });
    QVERIFY(process.waitForReadyRead(Patience));
    // other work passes through the I/O thread; this child's output does not, any more
    for (int i = 0; i < 5; ++i)
        QCOMPARE(ContainedProcess::execute(helper(), args({ "exit" })), 0);
    QCoreApplication::processEvents();
    QVERIFY2(process.bytesAvailable() <= limit + OneRead,
             QByteArray::number(process.bytesAvailable()).constData());
    QCOMPARE(reports().count("flooded"), 0);
    QCOMPARE(process.state(), QProcess::Running);

    qint64 received = 0;
    for (;;) {
        QVERIFY(process.bytesAvailable() <= limit + OneRead);
        const qint64 size = process.readAll().size();
        received += size;
        if (size == 0 && !process.waitForReadyRead(Patience))
            break;
    }
    QVERIFY(process.state() == QProcess::NotRunning || process.waitForFinished(Patience));
    received += process.readAll().size();
    QCOMPARE(received, Total);
    QCOMPARE(process.exitCode(), 0);
    QCOMPARE(reports().count("flooded"), 1);
    QVERIFY(!process.streamsCut());
}

void tst_Channels::readLimitRaised()
{
    ContainedProcess process;
    process.setReadLimit(1000);
    process.start(helper(), args({ "flood", "10000000" }));
    QVERIFY(process.waitForReadyRead(Patience));
    process.setReadLimit(0); // none
    QVERIFY(process.waitForFinished(Patience));
    QCOMPARE(process.bytesAvailable(), 10000000);
    QCOMPARE(process.readAll().size(), 10000000);
}

// A wait for the end of a child that waits for us to read would never end; the limit gives way.
void tst_Channels::noReadLimitWhileWaiting()
{
    ContainedProcess process;
    process.setReadLimit(1000);
    process.start(helper(), args({ "flood", "5000000" }));
    QVERIFY(process.waitForReadyRead(Patience));
    const bool finished = process.waitForFinished(300);
    if (finished)
        QCOMPARE(process.bytesAvailable(), 5000000);
    else
        QCOMPARE(process.error(), QProcess::Timedout);
    QByteArray all;
    while (process.bytesAvailable() || process.waitForReadyRead(Patience))
        all += process.readAll();
    QCOMPARE(all.size(), 5000000);
}

// output that nobody has read is there after the end, at least as long as until the next start
void tst_Channels::unread()
{
    ContainedProcess process;
    QSignalSpy finished(&process, &ContainedProcess::finished);
    process.start(helper(), args({ "lines", "1000" }));
    QVERIFY(finished.wait(Patience));
    QVERIFY(process.bytesAvailable() > 3000);
    QCOMPARE(process.readAll().count('\n'), 1000);
}

QTEST_GUILESS_MAIN(tst_Channels)
#include "tst_channels.moc"
