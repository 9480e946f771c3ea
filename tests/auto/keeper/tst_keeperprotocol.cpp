// SPDX-License-Identifier: MIT
#include "keepertest.h"
#include "procfs.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace PkTest;
namespace KeeperProtocol = ProcessKit::Native::KeeperProtocol;

// What a keeper makes of messages that no application should send, and of those it has to refuse.
class tst_KeeperProtocol : public KeeperTest
{
    Q_OBJECT

private Q_SLOTS:
    void codes();
    void survivesNoMalformedPacket_data();
    void survivesNoMalformedPacket();
    void groupEndsAtMalformedPacket_data();
    void groupEndsAtMalformedPacket();
    void wantsGreeting_data();
    void wantsGreeting();
    void refusesOtherUser_data();
    void refusesOtherUser();
    void losesNoMessage();
    void managesWithoutDescriptors();
    void refusesToRunAlone();

private:
    void addMalformedPackets();
};

static QByteArray packet(const Message &message)
{
    return QByteArray::fromStdString(KeeperProtocol::encode(message));
}

static Message makeMessage(Type type, std::uint32_t id = 0, std::string payload = {})
{
    Message message;
    message.type = type;
    message.id = id;
    message.payload = std::move(payload);
    return message;
}

void tst_KeeperProtocol::codes()
{
    const Message sent = makeMessage(Type::HoldCgroup, 77, "/some/path");
    Message received;
    QVERIFY(KeeperProtocol::decode(KeeperProtocol::encode(sent), &received));
    QCOMPARE(received.type, sent.type);
    QCOMPARE(received.id, sent.id);
    QCOMPARE(received.payload, sent.payload);
}

void tst_KeeperProtocol::addMalformedPackets()
{
    QTest::addColumn<QByteArray>("bytes");
    const QByteArray good = packet(makeMessage(Type::HoldCgroup, 1, "/nonexistent"));
    const auto changed = [&good](qsizetype at, char value) {
        QByteArray bytes = good;
        bytes[at] = value;
        return bytes;
    };
    QTest::newRow("empty") << QByteArray();
    QTest::newRow("one byte") << QByteArray(1, '\0');
    QTest::newRow("truncated header") << good.left(15);
    QTest::newRow("truncated payload") << good.chopped(1);
    QTest::newRow("too much") << good + 'x';
    QTest::newRow("other version") << changed(0, char(0x7f));
    QTest::newRow("type 0") << changed(4, 0);
    QTest::newRow("unknown type") << changed(5, 1);
    QTest::newRow("flags") << changed(6, 1);
    QTest::newRow("length") << changed(13, 1);
    QTest::newRow("relative path") << changed(16, 'x');
    QTest::newRow("embedded NUL") << changed(20, 0);
    QTest::newRow("a keeper's message") << packet(makeMessage(Type::Ready));
    QTest::newRow("payload where there is none") << packet(makeMessage(Type::MakeGroup, 1, "x"));
    QTest::newRow("payload too short") << packet(makeMessage(Type::HoldProcessGroup, 1, "short"));
    QTest::newRow("longer than any message") << QByteArray(60000, 'x');
    QTest::newRow("long path") << packet(makeMessage(Type::HoldCgroup, 1, std::string(4097, '/')));
}

void tst_KeeperProtocol::survivesNoMalformedPacket_data()
{
    addMalformedPackets();
}

void tst_KeeperProtocol::survivesNoMalformedPacket()
{
    QFETCH(QByteArray, bytes);
    Group group = launchShape("daemon");
    QVERIFY(group.child > 0);
    QVERIFY(driver().control().sendBytes(bytes));
    // It counts as the end of the application: nothing else is served, ...
    driver().control().send(Type::MakeGroup, 99);
    // ... and with the groups, which end by themselves, the keeper ends.
    group.socket.close();
    QVERIFY(driver().keeper().waitGone());
}

void tst_KeeperProtocol::groupEndsAtMalformedPacket_data()
{
    addMalformedPackets();
    QTest::newRow("not a group's message") << packet(makeMessage(Type::MakeGroup, 1));
}

void tst_KeeperProtocol::groupEndsAtMalformedPacket()
{
    QFETCH(QByteArray, bytes);
    Group group = launchShape("daemon");
    QVERIFY(group.child > 0);
    QVERIFY(group.socket.sendBytes(bytes));
    QVERIFY(group.keeper.waitGone());
    QVERIFY(!driver().keeper().isGone());
    Group next = driver().launch(helperCommand({ "exit", "0" }));
    QVERIFY(next.child > 0);
    QVERIFY(next.keeper.waitGone());
}

void tst_KeeperProtocol::wantsGreeting_data()
{
    QTest::addColumn<QByteArray>("bytes");
    QByteArray other = packet(makeMessage(Type::Hello));
    other[0] = 2;
    QTest::newRow("other version") << other;
    QTest::newRow("without a handle") << packet(makeMessage(Type::Hello));
    QTest::newRow("something else") << packet(makeMessage(Type::HoldCgroup, 0, "/nonexistent"));
    QTest::newRow("nothing") << QByteArray();
}

void tst_KeeperProtocol::wantsGreeting()
{
    QFETCH(QByteArray, bytes);
    restartKeeper(KeeperDriver::Greeting::No);
    QVERIFY(driver().control().sendBytes(bytes));
    QVERIFY(driver().keeper().waitGone());
}

void tst_KeeperProtocol::refusesOtherUser_data()
{
    QTest::addColumn<int>("user");
    QTest::addColumn<int>("group");
    QTest::newRow("user") << 65534 << -1;
    QTest::newRow("group") << -1 << 65534;
}

// A program that has given up a privilege and asks a keeper that still has it.
void tst_KeeperProtocol::refusesOtherUser()
{
    QFETCH(int, user);
    QFETCH(int, group);
    if (geteuid() != 0)
        QSKIP("only root can become another user");
    Group running = launchShape("none");
    QVERIFY(running.child > 0);
    SocketPair waiting;
    KeeperSocket unused(std::move(waiting.ours));
    QVERIFY(driver().control().send(Type::MakeGroup, 5, {}, { waiting.keepers.get() }));
    waiting.keepers.reset();
    const std::string leader = bytesOf(std::int64_t(driver().application()))
            + bytesOf(procStat(driver().application())->startTime);

    const pid_t other = fork();
    if (other == 0) {
        if (setresgid(gid_t(group), gid_t(group), gid_t(group)) != 0
            || setresuid(uid_t(user), uid_t(user), uid_t(user)) != 0)
            _exit(1);
        const bool sent = driver().control().send(Type::HoldProcessGroup, 1, leader)
                && driver().control().send(Type::MakeGroup, 6)
                && running.socket.send(Type::Signal, 0, bytesOf(std::int32_t(SIGKILL)))
                && unused.send(Type::Launch);
        _exit(sent ? 0 : 2);
    }
    int status = 0;
    QCOMPARE(waitpid(other, &status, 0), other);
    QCOMPARE(status, 0);

    std::optional<Message> refusal = driver().control().next();
    QVERIFY(refusal && refusal->type == Type::GroupFailed);
    QCOMPARE(refusal->id, 6u);
    std::int32_t error = 0;
    QVERIFY(refusal->take(&error));
    QCOMPARE(error, EPERM);
    refusal = unused.next();
    std::int32_t step = 0;
    QVERIFY(refusal && refusal->type == Type::LaunchFailed && refusal->take(&step)
            && refusal->take(&error));
    QCOMPARE(step, int(LaunchStep::Keeper));
    QCOMPARE(error, EPERM);
    QVERIFY(unused.waitClosed());

    // the signal was not sent: what comes next was asked for later, by ourselves
    QVERIFY(running.socket.send(Type::Signal, 0, bytesOf(std::int32_t(SIGUSR1))));
    refusal = running.socket.next();
    std::int32_t code = 0;
    QVERIFY(refusal && refusal->type == Type::Exited && refusal->take(&code)
            && refusal->take(&status));
    QCOMPARE(status, SIGUSR1);
}

void tst_KeeperProtocol::losesNoMessage()
{
    // more answers than any socket holds while nobody reads them
    constexpr std::uint32_t count = 5000;
    for (std::uint32_t id = 1; id <= count; ++id)
        QVERIFY(driver().control().send(Type::MakeGroup, id));
    for (std::uint32_t id = 1; id <= count; ++id) {
        const std::optional<Message> answer = driver().control().next();
        QVERIFY(answer && answer->type == Type::GroupFailed);
        QCOMPARE(answer->id, id);
    }
}

void tst_KeeperProtocol::managesWithoutDescriptors()
{
    // room for what a keeper has itself, and for hardly more
    rlimit previous{};
    const pid_t keeper = pid_t(driver().keeper().pid());
    const rlimit narrow{ 9, 9 };
    QCOMPARE(prlimit(keeper, RLIMIT_NOFILE, &narrow, &previous), 0);
    QList<KeeperDriver::Descriptor> descriptors;
    for (int target = 3; target < 12; ++target)
        descriptors.append({ STDIN_FILENO, target });
    Group group = driver().startLaunch(helperCommand({ "pause" }), descriptors);
    std::optional<Message> failure = group.socket.next();
    std::int32_t step = 0;
    std::int32_t error = 0;
    QVERIFY(failure && failure->type == Type::LaunchFailed && failure->take(&step)
            && failure->take(&error));
    QCOMPARE(error, EMFILE);
    QVERIFY(group.socket.waitClosed());
    QVERIFY(!driver().keeper().isGone());
}

void tst_KeeperProtocol::refusesToRunAlone()
{
    int ends[2];
    QCOMPARE(pipe2(ends, O_CLOEXEC), 0);
    const UniqueFd readEnd(ends[0]);
    UniqueFd writeEnd(ends[1]);
    const QByteArray program = keeperProgram();
    const pid_t pid = fork();
    if (pid == 0) {
        dup2(writeEnd.get(), STDERR_FILENO);
        close(KeeperProtocol::ControlDescriptor);
        execl(program.constData(), "processkit-keeper", nullptr);
        _exit(127);
    }
    writeEnd.reset();
    int status = 0;
    QCOMPARE(waitpid(pid, &status, 0), pid);
    QCOMPARE(WEXITSTATUS(status), 2);
    char text[200];
    const auto length = read(readEnd.get(), text, sizeof text);
    QVERIFY(length > 0);
    QVERIFY(QByteArray(text, length).contains("is started by programs"));
}

QTEST_GUILESS_MAIN(tst_KeeperProtocol)
#include "tst_keeperprotocol.moc"
