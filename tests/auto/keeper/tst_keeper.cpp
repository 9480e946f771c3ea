// SPDX-License-Identifier: MIT
#include "keepertest.h"
#include "procfs.h"
#include "shapes.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace PkTest;

// The groups of the Subreaper mechanism, by the messages that an application sends.
class tst_Keeper : public KeeperTest
{
    Q_OBJECT

private Q_SLOTS:
    void exits_data();
    void exits();
    void fails_data();
    void fails();
    void passesDescriptors();
    void closesItsCopies();
    void giveCleanSignals();
    void keepsItsSession();
    void staysWithLeftovers();
    void signalsEveryMember();
    void ends_data();
    void ends();
    void endsManyLoops();
    void endsBeforeLaunch();
    void refusesSecondLaunch();
    void reportsLostGroup_data();
    void reportsLostGroup();
    void losesSeveralGroups();
    void outlivesItsKeeper();

private:
    QByteArray outputOf(const QByteArrayList &command,
                        const QList<KeeperDriver::Descriptor> &descriptors = {});
};

static bool isExit(const std::optional<Message> &message, int code, int status)
{
    std::int32_t gotCode = 0;
    std::int32_t gotStatus = 0;
    Message copy;
    if (!message || message->type != Type::Exited)
        return false;
    copy.payload = message->payload;
    return copy.take(&gotCode) && copy.take(&gotStatus) && gotCode == code && gotStatus == status;
}

static bool isType(const std::optional<Message> &message, Type type)
{
    return message && message->type == type;
}

static void addShapes()
{
    for (const Shape &shape : shapes())
        QTest::newRow(shape.name) << QByteArray(shape.name);
}

void tst_Keeper::exits_data()
{
    QTest::addColumn<QByteArrayList>("arguments");
    QTest::addColumn<int>("code");
    QTest::addColumn<int>("status");
    QTest::newRow("0") << QByteArrayList{ "exit", "0" } << int(CLD_EXITED) << 0;
    QTest::newRow("7") << QByteArrayList{ "exit", "7" } << int(CLD_EXITED) << 7;
    QTest::newRow("raise 15") << QByteArrayList{ "raise", "15" } << int(CLD_KILLED) << 15;
}

void tst_Keeper::exits()
{
    QFETCH(QByteArrayList, arguments);
    QFETCH(int, code);
    QFETCH(int, status);
    Group group = driver().launch(helperCommand(arguments));
    QVERIFY(group.child > 0);
    QVERIFY(isExit(group.socket.next(), code, status));
    QVERIFY(isType(group.socket.next(), Type::Emptied));
    QVERIFY(group.socket.waitClosed());
    QVERIFY(group.keeper.waitGone());
}

void tst_Keeper::fails_data()
{
    QTest::addColumn<QByteArray>("program");
    QTest::addColumn<int>("error");
    QTest::newRow("missing") << QByteArray("/nonexistent/program") << ENOENT;
    QTest::newRow("directory") << QByteArray("/") << EACCES;
}

void tst_Keeper::fails()
{
    QFETCH(QByteArray, program);
    QFETCH(int, error);
    Group group = driver().startLaunch({ program });
    std::optional<Message> message = group.socket.next();
    QVERIFY(isType(message, Type::LaunchFailed));
    std::int32_t step = 0;
    std::int32_t gotError = 0;
    QVERIFY(message->take(&step) && message->take(&gotError));
    QCOMPARE(step, int(LaunchStep::Execute));
    QCOMPARE(gotError, error);
    QVERIFY(group.socket.waitClosed());
}

QByteArray tst_Keeper::outputOf(const QByteArrayList &command,
                                const QList<KeeperDriver::Descriptor> &descriptors)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
        return {};
    UniqueFd readEnd(ends[0]);
    UniqueFd writeEnd(ends[1]);
    QList<KeeperDriver::Descriptor> all = descriptors;
    all.append({ writeEnd.get(), 1 });
    Group group = driver().launch(command, all);
    writeEnd.reset();
    QByteArray output;
    char buffer[4096];
    for (ssize_t length; (length = read(readEnd.get(), buffer, sizeof buffer)) > 0;)
        output.append(buffer, length);
    return output;
}

void tst_Keeper::passesDescriptors()
{
    // targets where the keeper has its own descriptors, and where the sources arrive
    QList<KeeperDriver::Descriptor> descriptors;
    std::vector<UniqueFd> files;
    QByteArray expected;
    QByteArray script;
    for (int target = 3; target < 40; ++target) {
        int ends[2];
        QCOMPARE(pipe2(ends, O_CLOEXEC), 0);
        files.emplace_back(ends[0]);
        const UniqueFd writeEnd(ends[1]);
        const QByteArray line = QByteArray::number(target) + '\n';
        QCOMPARE(write(writeEnd.get(), line.constData(), size_t(line.size())), line.size());
        descriptors.prepend({ ends[0], target });
        expected += line;
        script += "cat /dev/fd/" + QByteArray::number(target) + ';';
    }
    QCOMPARE(outputOf({ "/bin/sh", "-c", script }, descriptors), expected);
    QCOMPARE(outputOf(helperCommand({ "fds" })).trimmed(), QByteArray("0 1 2"));
}

void tst_Keeper::closesItsCopies()
{
    // End of file, though a member and the keepers live on.
    int ends[2];
    QCOMPARE(pipe2(ends, O_CLOEXEC), 0);
    UniqueFd readEnd(ends[0]);
    UniqueFd writeEnd(ends[1]);
    Group group = driver().launch({ "/bin/sh", "-c", "exec sleep 300 >/dev/null" },
                                  { { writeEnd.get(), 1 } });
    QVERIFY(group.child > 0);
    writeEnd.reset();
    char byte;
    QCOMPARE(read(readEnd.get(), &byte, 1), ssize_t(0));
}

void tst_Keeper::giveCleanSignals()
{
    QFile status(QStringLiteral("/proc/self/status"));
    QVERIFY(status.open(QIODevice::ReadOnly));
    QByteArray ignored;
    for (const QByteArray &line : status.readAll().split('\n')) {
        if (line.startsWith("SigIgn:"))
            ignored = line;
    }
    const QByteArray output = outputOf(helperCommand({ "signals" }));
    QVERIFY2(output.contains("SigBlk:\t0000000000000000"), output.constData());
    // what the application ignores, and nothing else (but SIGPIPE, which is reset)
    const auto number = [](const QByteArray &line) { return line.mid(8).toULongLong(nullptr, 16); };
    QByteArray got;
    for (const QByteArray &line : output.split('\n')) {
        if (line.startsWith("SigIgn:"))
            got = line;
    }
    constexpr quint64 reset = (1ULL << (SIGPIPE - 1)) | (1ULL << (SIGCHLD - 1));
    QCOMPARE(number(got), number(ignored) & ~reset);
}

void tst_Keeper::keepsItsSession()
{
    Group group = driver().launch(helperCommand({ "pause" }));
    QVERIFY(group.child > 0);
    const auto child = procStat(group.child);
    const auto keeper = procStat(driver().keeper().pid());
    QVERIFY(child && keeper);
    QCOMPARE(child->session, procStat(getpid())->session);
    QCOMPARE(keeper->session, child->session);
    QCOMPARE(keeper->group, keeper->pid);
}

void tst_Keeper::staysWithLeftovers()
{
    Group group = driver().launch(helperCommand({ "tree", "daemon", "now" }));
    QVERIFY(reports().waitFor({ "daemon" }));
    QVERIFY(isExit(group.socket.next(), CLD_EXITED, 0));
    const Report daemon = reports().report("daemon");
    PidHandle handle(daemon.pid, daemon.startTime);
    QVERIFY(!handle.isGone());
    QCOMPARE(procStat(daemon.pid)->parent, group.keeper.pid());
    handle.sendSignal(SIGKILL);
    QVERIFY(isType(group.socket.next(), Type::Emptied));
    QVERIFY(handle.isGone());
}

void tst_Keeper::signalsEveryMember()
{
    Group group = launchShape("deep");
    QVERIFY(group.child > 0);
    QVERIFY(group.socket.send(Type::Signal, 0, bytesOf(std::int32_t(SIGTERM))));
    QVERIFY(isExit(group.socket.next(), CLD_KILLED, SIGTERM));
    QVERIFY(isType(group.socket.next(), Type::Emptied));
}

void tst_Keeper::ends_data()
{
    QTest::addColumn<QByteArray>("shape");
    QTest::addColumn<QByteArray>("how");
    for (const Shape &shape : shapes()) {
        for (const char *how : { "kill", "group socket", "control socket", "application", "all" }) {
            QTest::addRow("%s, %s", shape.name, how) << QByteArray(shape.name) << QByteArray(how);
        }
    }
}

void tst_Keeper::ends()
{
    QFETCH(QByteArray, shape);
    QFETCH(QByteArray, how);
    Group group = launchShape(shape);
    QVERIFY(group.child > 0);
    std::vector<PidHandle> members = reports().handles();

    if (how == "kill") {
        QVERIFY(group.socket.send(Type::Kill));
        QVERIFY(isExit(group.socket.next(), CLD_KILLED, SIGKILL));
        QVERIFY(isType(group.socket.next(), Type::Emptied));
        for (const PidHandle &member : members)
            QVERIFY(member.isGone());
    }
    if (how == "group socket" || how == "all")
        group.socket.close();
    if (how == "application" || how == "all")
        driver().killApplication();
    if (how == "control socket" || how == "all") {
        driver().control().close();
        if (how != "all") {
            // one who lives and has not closed the group keeps it
            QVERIFY(!group.keeper.isGone());
            driver().killApplication();
        }
    }
    QVERIFY(group.keeper.waitGone());
    for (const PidHandle &member : members)
        QVERIFY(member.isGone());
}

void tst_Keeper::endsManyLoops()
{
    const QByteArray loops = "for shape in forkloop sessionloop forkloop sessionloop forkloop; do "
            + helperCommand({ "tree" }).join(' ') + " $shape now & done; wait; exec sleep 300";
    Group group = driver().launch({ "/bin/sh", "-c", loops });
    QVERIFY(group.child > 0);
    QVERIFY(reports().waitForCount("loop", 5));
    QVERIFY(group.socket.send(Type::Kill));
    QVERIFY(isExit(group.socket.next(), CLD_KILLED, SIGKILL));
    QVERIFY(isType(group.socket.next(), Type::Emptied));
}

void tst_Keeper::endsBeforeLaunch()
{
    SocketPair pair;
    KeeperSocket socket(std::move(pair.ours));
    QVERIFY(driver().control().send(Type::MakeGroup, 1, {}, { pair.keepers.get() }));
    pair.keepers.reset();
    QVERIFY(socket.send(Type::Kill));
    QVERIFY(socket.waitClosed());
}

void tst_Keeper::refusesSecondLaunch()
{
    Group group = driver().launch(helperCommand({ "pause" }));
    QVERIFY(group.child > 0);
    QVERIFY(group.socket.send(Type::Launch));
    QVERIFY(isExit(group.socket.next(), CLD_KILLED, SIGKILL));
    QVERIFY(isType(group.socket.next(), Type::Emptied));
}

void tst_Keeper::reportsLostGroup_data()
{
    QTest::addColumn<QByteArray>("shape");
    addShapes();
}

void tst_Keeper::reportsLostGroup()
{
    QFETCH(QByteArray, shape);
    Group other = driver().launch(helperCommand({ "tree", "daemon", "now" }));
    QVERIFY(reports().waitFor({ "daemon" }));
    const Report daemon = reports().report("daemon");
    const PidHandle spared(daemon.pid, daemon.startTime);
    Group group = launchShape(shape);
    QVERIFY(group.child > 0);
    std::vector<PidHandle> members = reports().handles();

    group.keeper.sendSignal(SIGKILL);
    const std::optional<Message> lost = driver().control().next();
    QVERIFY(isType(lost, Type::GroupLost));
    QCOMPARE(lost->id, group.id);
    for (const PidHandle &member : members)
        QVERIFY(member.isGone() != (member.pid() == spared.pid()));
    // and the next group is made as before
    Group next = driver().launch(helperCommand({ "exit", "3" }));
    QVERIFY(isExit(next.socket.next(), CLD_EXITED, 3));
}

void tst_Keeper::losesSeveralGroups()
{
    std::vector<Group> groups;
    for (int i = 0; i < 10; ++i) {
        groups.push_back(driver().launch(helperCommand({ "tree", "sessionloop", "now" })));
        QVERIFY(groups.back().child > 0);
    }
    QVERIFY(reports().waitForCount("loop", 10));
    QSet<std::uint32_t> expected;
    for (const Group &group : groups) {
        group.keeper.sendSignal(SIGKILL);
        expected.insert(group.id);
    }
    for (int i = 0; i < 10; ++i) {
        const std::optional<Message> lost = driver().control().next();
        QVERIFY(isType(lost, Type::GroupLost));
        QVERIFY(expected.remove(lost->id));
    }
    QVERIFY(childrenOf(driver().keeper().pid()).isEmpty());
}

void tst_Keeper::outlivesItsKeeper()
{
    // A group goes on without the keeper that made it, and still ends with the application.
    Group group = launchShape("daemon");
    QVERIFY(group.child > 0);
    expectKeeperEnds(-1);
    driver().keeper().sendSignal(SIGKILL);
    QVERIFY(driver().keeper().waitGone());
    QVERIFY(!group.keeper.isGone());
    driver().killApplication();
    QVERIFY(group.keeper.waitGone());
}

QTEST_GUILESS_MAIN(tst_Keeper)
#include "tst_keeper.moc"
