// SPDX-License-Identifier: MIT
#include "commands.h"

#include <ProcessKit/containedprocess.h>
#include <ProcessKit/pipeline.h>

#include <QtCore/qbuffer.h>
#include <QtCore/qscopeguard.h>
#include <QtCore/qthread.h>

#include <atomic>

using namespace PkTest;
using namespace ProcessKit;
using namespace std::chrono_literals;

using Kind = ProcessError::Kind;

namespace {

// What somebody sends, as a socket has it.
class Channel : public QIODevice
{
public:
    Channel() { QIODevice::open(ReadOnly | Unbuffered); }

    void send(const QByteArray &bytes)
    {
        m_bytes += bytes;
        Q_EMIT readyRead();
    }
    void finish()
    {
        m_finished = true;
        Q_EMIT readChannelFinished();
    }
    bool isSequential() const override { return true; }
    qint64 bytesAvailable() const override { return m_bytes.size(); }

protected:
    qint64 readData(char *data, qint64 size) override
    {
        if (m_bytes.isEmpty())
            return m_finished ? -1 : 0;
        const qint64 count = qMin(size, qint64(m_bytes.size()));
        std::copy_n(m_bytes.constData(), count, data);
        m_bytes.remove(0, count);
        return count;
    }
    qint64 writeData(const char *, qint64) override { return -1; }

private:
    QByteArray m_bytes;
    bool m_finished = false;
};

// Always has something.
class Endless : public QIODevice
{
public:
    Endless() { QIODevice::open(ReadOnly | Unbuffered); }
    bool isSequential() const override { return true; }
    qint64 given() const { return m_given; }

protected:
    qint64 readData(char *data, qint64 size) override
    {
        std::fill_n(data, size, 'x');
        m_given += size;
        return size;
    }
    qint64 writeData(const char *, qint64) override { return -1; }

private:
    std::atomic<qint64> m_given = 0;
};

Command cat()
{
    return Command(QStringLiteral("cat"));
}

} // namespace

// Devices that are read in their own thread: what a command's process reads comes when it comes.
class tst_DeviceInput : public CleanTest
{
    Q_OBJECT

private Q_SLOTS:
    void inPieces();
    void endedBefore();
    void closed_data();
    void closed();
    void otherThread_data();
    void otherThread();
    void randomAccess();
    void process();
    void bounded();
    void destroyed();
    void destroyedBefore();
    void notWanted();
    void blockedThread();
    void onlyOnce();
    void takenOver();
    void live();
    void pipeline();
    void startFails();
};

void tst_DeviceInput::inPieces()
{
    Channel channel;
    channel.send("first ");
    QByteArray heard;
    const auto process = helperCommand({ QStringLiteral("echo") })
                                 .withInput(StdinSource::device(&channel))
                                 .start();
    QObject::connect(process.get(), &ContainedProcess::readyRead, process.get(),
                     [&] { heard += process->readAll(); });
    QTRY_COMPARE(heard, "first ");
    channel.send("second ");
    QTRY_COMPARE(heard, "first second ");
    channel.send("third");
    channel.finish();
    QTRY_COMPARE(process->state(), QProcess::NotRunning);
    QCOMPARE(heard, "first second third");
}

// then even those who block in the device's thread have it
void tst_DeviceInput::endedBefore()
{
    Channel channel;
    channel.send("all of it");
    channel.finish();
    QCOMPARE(*cat().withInput(StdinSource::device(&channel)).run().result(),
             QStringLiteral("all of it"));
    Channel notOpen;
    notOpen.close();
    QCOMPARE(*cat().withInput(StdinSource::device(&notOpen)).run().result(), QString());
    QCOMPARE(
            *cat().withInput(StdinSource::device(static_cast<QIODevice *>(nullptr))).run().result(),
            QString());
}

void tst_DeviceInput::closed_data()
{
    QTest::addColumn<qint64>("size");
    QTest::newRow("nothing") << qint64(0);
    QTest::newRow("little") << qint64(100);
    QTest::newRow("more than may be on the way") << qint64(1000000);
}

void tst_DeviceInput::closed()
{
    QFETCH(qint64, size);
    Channel channel;
    const auto future = cat().withInput(StdinSource::device(&channel)).outputBytes();
    channel.send(QByteArray(size, 'x'));
    channel.close();
    QVERIFY(waitFinished(future));
    QCOMPARE(future.result()->size(), size);
}

void tst_DeviceInput::otherThread_data()
{
    QTest::addColumn<bool>("movesLater");
    QTest::newRow("there from the begin") << false;
    QTest::newRow("moved there") << true;
}

void tst_DeviceInput::otherThread()
{
    QFETCH(bool, movesLater);
    QThread thread;
    const auto join = qScopeGuard([&thread] {
        thread.quit();
        thread.wait();
    });
    auto *channel = new Channel;
    if (!movesLater)
        channel->moveToThread(&thread);
    const Command command = cat().withInput(StdinSource::device(channel));
    if (movesLater)
        channel->moveToThread(&thread);
    QByteArray sent;
    for (int i = 0; i < 100; ++i)
        sent += QByteArray(i * 100, char('a' + i % 26));
    connect(&thread, &QThread::started, channel, [channel, sent] {
        for (qsizetype at = 0; at < sent.size(); at += 5000)
            channel->send(sent.mid(at, 5000));
        channel->finish();
    });
    const auto future = command.outputBytes();
    thread.start();
    QCOMPARE(*future.result(), sent); // blocks, here
    channel->deleteLater();
}

void tst_DeviceInput::randomAccess()
{
    QBuffer buffer;
    buffer.setData(QByteArray(1000000, 'b'));
    QVERIFY(buffer.open(QIODevice::ReadOnly));
    const auto future = cat().withInput(StdinSource::device(&buffer)).outputBytes();
    QVERIFY(waitFinished(future));
    QCOMPARE(*future.result(), buffer.data());
}

void tst_DeviceInput::process()
{
    ContainedProcess producer;
    producer.start(helper(), { QStringLiteral("lines"), QStringLiteral("100000") });
    const Command count(QStringLiteral("wc"), { QStringLiteral("-l") });
    const auto future = count.withInput(StdinSource::device(&producer)).run();
    QVERIFY(waitFinished(future));
    QCOMPARE(future.result()->trimmed(), QStringLiteral("100000"));
}

void tst_DeviceInput::bounded()
{
    Endless endless;
    const auto future =
            Command(QStringLiteral("head"), { QStringLiteral("-c"), QStringLiteral("3000000") })
                    .withInput(StdinSource::device(&endless))
                    .outputBytes();
    QVERIFY(endless.given() <= 256 * 1024);
    QVERIFY(waitFinished(future));
    QCOMPARE(future.result()->size(), 3000000);
    // 64 KiB in the pipe, 256 KiB in the box, as much with the I/O thread
    QVERIFY2(endless.given() < 3000000 + 700000, QByteArray::number(endless.given()).constData());
}

void tst_DeviceInput::destroyed()
{
    auto channel = std::make_unique<Channel>();
    const auto future = cat().withInput(StdinSource::device(channel.get())).output();
    channel->send("a part");
    channel.reset();
    QVERIFY(waitFinished(future));
    QCOMPARE(future.result().error().kind(), Kind::Input);
    QCOMPARE(future.result().standardOutput(), QStringLiteral("a part"));
    QVERIFY(!future.result().isSuccess());
}

void tst_DeviceInput::destroyedBefore()
{
    auto channel = std::make_unique<Channel>();
    const Command command = cat().withInput(StdinSource::device(channel.get()));
    channel.reset();
    QCOMPARE(command.run().result().error().kind(), Kind::Input);
}

// What has not been read then is there for the next one.
void tst_DeviceInput::notWanted()
{
    Channel channel;
    const auto future = helperCommand({ QStringLiteral("exit"), QStringLiteral("0") })
                                .withInput(StdinSource::device(&channel))
                                .run();
    QVERIFY(waitFinished(future));
    QVERIFY(future.result());
    channel.send("later");
    QCOMPARE(channel.readAll(), "later");
}

// As the page says: nothing comes while the device's thread is blocked, but the timeout does.
void tst_DeviceInput::blockedThread()
{
    Channel channel;
    QMetaObject::invokeMethod(
            &channel, [&channel] { channel.send("too late"); }, Qt::QueuedConnection);
    const ProcessResult result =
            cat().withInput(StdinSource::device(&channel)).withTimeout(100ms).output().result();
    QCOMPARE(result.outcome(), Outcome::TimedOut);
    QCOMPARE(result.standardOutput(), QString());
}

void tst_DeviceInput::onlyOnce()
{
    Channel channel;
    channel.finish();
    const StdinSource source = StdinSource::device(&channel);
    QVERIFY(source.isOneShot());
    QVERIFY(cat().withInput(source).run().result());
    QCOMPARE(cat().withInput(source).run().result().error().kind(), Kind::InvalidArgument);
}

void tst_DeviceInput::takenOver()
{
    auto channel = std::make_unique<Channel>();
    QPointer<Channel> watched(channel.get());
    {
        const auto future = cat().withInput(StdinSource::device(std::move(channel))).run();
        watched->send("text");
        watched->finish();
        QVERIFY(waitFinished(future));
        QCOMPARE(*future.result(), QStringLiteral("text"));
    }
    QTRY_VERIFY(!watched);

    // that of a source that is never used
    channel = std::make_unique<Channel>();
    watched = channel.get();
    StdinSource::device(std::move(channel));
    QTRY_VERIFY(!watched);
}

void tst_DeviceInput::live()
{
    auto channel = std::make_unique<Channel>();
    const QPointer<Channel> watched(channel.get());
    const auto process = cat().withInput(StdinSource::device(std::move(channel))).start();
    QVERIFY(!process->isWritable());
    QVERIFY(watched); // although the command is gone
    watched->send("live");
    watched->finish();
    QTRY_COMPARE(process->state(), QProcess::NotRunning);
    QCOMPARE(process->readAll(), "live");
    QTRY_VERIFY(!watched);
}

void tst_DeviceInput::pipeline()
{
    Channel channel;
    const auto future = (cat().withInput(StdinSource::device(&channel)) | cat()).run();
    channel.send("through both");
    channel.finish();
    QVERIFY(waitFinished(future));
    QCOMPARE(*future.result(), QStringLiteral("through both"));
}

void tst_DeviceInput::startFails()
{
    Channel channel;
    const auto future =
            Command(QStringLiteral("/none")).withInput(StdinSource::device(&channel)).run();
    QVERIFY(waitFinished(future));
    QCOMPARE(future.result().error().kind(), Kind::NotFound);
    channel.send("still there");
    QCOMPARE(channel.readAll(), "still there");
}

QTEST_GUILESS_MAIN(tst_DeviceInput)
#include "tst_deviceinput.moc"
