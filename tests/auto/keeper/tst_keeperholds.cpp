// SPDX-License-Identifier: MIT
#include "cgroups.h"
#include "keepertest.h"
#include "procfs.h"

#include <owner_stamp.h>

#include <QtCore/qdir.h>
#include <QtCore/qfile.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace PkTest;
using ProcessKit::Native::OwnerStamp;

// What a keeper holds for its application: cgroups and process groups.
class tst_KeeperHolds : public KeeperTest
{
    Q_OBJECT

private Q_SLOTS:
    void init();
    void cleanup();

    void emptiesCgroup_data();
    void emptiesCgroup();
    void removesDeepCgroup();
    void isForestalled();
    void leavesOtherDirectories_data();
    void leavesOtherDirectories();
    void sweeps();
    void endsProcessGroup_data();
    void endsProcessGroup();
    void dropsProcessGroup();
    void leavesStrangers();

private:
    bool makePlace();
    QString makeCgroup(const QString &name);
    PidHandle startIn(const QString &cgroup, const QByteArrayList &arguments);
    bool hold(const QString &path);
    bool waitRemoved(const QString &path);

    QString m_place; // a cgroup of the test's own
};

void tst_KeeperHolds::init()
{
    KeeperTest::init();
    m_place.clear();
    expectLateEnds(); // empty is before gone: a process leaves its cgroup on its way out
}

void tst_KeeperHolds::cleanup()
{
    KeeperTest::cleanup();
    if (m_place.isEmpty())
        return;
    for (const QString &path : cgroupsBelow(m_place))
        rmdir(QFile::encodeName(path).constData());
    QCOMPARE(rmdir(QFile::encodeName(m_place).constData()), 0);
}

// false where no cgroup can be made
bool tst_KeeperHolds::makePlace()
{
    const QString own = cgroupOf(getpid());
    const QString place = own + QStringLiteral("/keeper-test-%1").arg(getpid());
    if (own.isEmpty() || mkdir(QFile::encodeName(place).constData(), 0755) != 0)
        return false;
    m_place = place;
    return true;
}

QString tst_KeeperHolds::makeCgroup(const QString &name)
{
    const QString path = m_place + QLatin1Char('/') + name;
    if (!QDir().mkpath(path))
        qFatal("no cgroup");
    return path;
}

// A child that runs pk-helper with these arguments: in the cgroup, or else in a process group of
// its own. It does so when this returns.
PidHandle tst_KeeperHolds::startIn(const QString &cgroup, const QByteArrayList &arguments)
{
    const QByteArray procs = QFile::encodeName(cgroup + QStringLiteral("/cgroup.procs"));
    const QByteArrayList command = helperCommand(arguments);
    std::vector<char *> argv;
    for (const QByteArray &argument : command)
        argv.push_back(const_cast<char *>(argument.constData()));
    argv.push_back(nullptr);
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
        qFatal("no pipe");
    const UniqueFd readEnd(ends[0]);
    UniqueFd writeEnd(ends[1]);
    const pid_t pid = fork();
    if (pid == 0) {
        const int fd = cgroup.isEmpty() ? -1 : open(procs.constData(), O_WRONLY | O_CLOEXEC);
        if (!cgroup.isEmpty() && write(fd, "0", 1) != 1)
            _exit(126);
        if (cgroup.isEmpty())
            setpgid(0, 0);
        execv(argv.front(), argv.data());
        _exit(127);
    }
    writeEnd.reset();
    char byte;
    if (read(readEnd.get(), &byte, 1) != 0)
        qFatal("no end of file");
    return PidHandle(pid);
}

bool tst_KeeperHolds::hold(const QString &path)
{
    return driver().control().send(Type::HoldCgroup, 0, QFile::encodeName(path).toStdString());
}

bool tst_KeeperHolds::waitRemoved(const QString &path)
{
    const UniqueFd watch(inotify_init1(IN_CLOEXEC));
    const QString parent = path.left(path.lastIndexOf(QLatin1Char('/')));
    inotify_add_watch(watch.get(), QFile::encodeName(parent).constData(), IN_DELETE);
    while (QFile::exists(path)) {
        pollfd entry{ watch.get(), POLLIN, 0 };
        if (poll(&entry, 1, Patience) <= 0)
            return false;
        char buffer[1024];
        if (read(watch.get(), buffer, sizeof buffer) < 0)
            return false;
    }
    return true;
}

void tst_KeeperHolds::emptiesCgroup_data()
{
    QTest::addColumn<QByteArray>("shape");
    QTest::addColumn<bool>("byApplication");
    for (const char *shape : { "none", "daemon", "sessionloop", "stopped", "zoo" }) {
        QTest::addRow("%s, control socket", shape) << QByteArray(shape) << false;
        QTest::addRow("%s, application", shape) << QByteArray(shape) << true;
    }
}

void tst_KeeperHolds::emptiesCgroup()
{
    QFETCH(QByteArray, shape);
    QFETCH(bool, byApplication);
    if (!makePlace())
        QSKIP("no cgroup can be made here");
    const QString held = makeCgroup(QStringLiteral("held"));
    const QString nested = makeCgroup(QStringLiteral("held/run1/of-a-member"));
    const QString other = makeCgroup(QStringLiteral("other"));
    const PidHandle spared = startIn(other, { "pause" });
    const PidHandle member = startIn(nested, { "pause" });
    startIn(makeCgroup(QStringLiteral("held/run2")), { "tree", shape, "now" });

    QVERIFY(hold(held));
    QVERIFY(hold(held + QLatin1Char('/'))); // twice is once
    if (byApplication)
        driver().killApplication();
    else
        driver().control().close();
    QVERIFY(driver().keeper().waitGone());
    QVERIFY(!QFile::exists(held));
    QVERIFY(member.waitGone());
    QVERIFY(!spared.isGone());
    PidHandle(spared.pid()).end();
}

// Somebody else removes the cgroup the moment it is empty, as another application's keeper does
// that sweeps: the kernel then takes back what it was about to report.
void tst_KeeperHolds::isForestalled()
{
    if (!makePlace())
        QSKIP("no cgroup can be made here");
    for (int round = 0; round < 20; ++round) {
        const QString held = makeCgroup(QStringLiteral("held"));
        const QByteArray path = QFile::encodeName(held);
        QVERIFY(hold(held));
        const PidHandle member = startIn(held, { "pause" });
        driver().control().close();
        while (rmdir(path.constData()) != 0 && errno == EBUSY) { }
        QVERIFY2(driver().keeper().waitGone(), QByteArray::number(round).constData());
        QVERIFY(member.waitGone());
        restartKeeper(KeeperDriver::Greeting::Yes);
    }
}

void tst_KeeperHolds::removesDeepCgroup()
{
    if (!makePlace())
        QSKIP("no cgroup can be made here");
    const QString held = makeCgroup(QStringLiteral("held"));
    QString deep = held;
    for (int level = 0; level < 200; ++level) {
        deep += QStringLiteral("/x");
        QCOMPARE(mkdir(QFile::encodeName(deep).constData(), 0755), 0);
        QCOMPARE(mkdir(QFile::encodeName(deep + QLatin1Char('y')).constData(), 0755), 0);
    }
    const PidHandle member = startIn(deep, { "pause" });
    QVERIFY(hold(held));
    driver().control().close();
    QVERIFY(driver().keeper().waitGone());
    QVERIFY(!QFile::exists(held));
    QVERIFY(member.waitGone());
}

void tst_KeeperHolds::leavesOtherDirectories_data()
{
    QTest::addColumn<QString>("path");
    QTest::newRow("missing") << QStringLiteral("/nonexistent/cgroup");
    QTest::newRow("file") << QStringLiteral("/proc/self/stat");
    QTest::newRow("root") << QStringLiteral("//");
    QTest::newRow("directory") << QString();
}

void tst_KeeperHolds::leavesOtherDirectories()
{
    QFETCH(QString, path);
    const QTemporaryDir directory;
    QVERIFY(QDir(directory.path()).mkdir(QStringLiteral("empty")));
    if (path.isEmpty())
        path = directory.filePath(QStringLiteral("empty"));
    QVERIFY(hold(path));
    driver().control().close();
    QVERIFY(driver().keeper().waitGone());
    QVERIFY(QFile::exists(directory.filePath(QStringLiteral("empty"))));
}

void tst_KeeperHolds::sweeps()
{
    if (!makePlace())
        QSKIP("no cgroup can be made here");
    const auto make = [this](const OwnerStamp &stamp) {
        return makeCgroup(QString::fromStdString(stamp.name()));
    };
    OwnerStamp own = OwnerStamp::own();
    QVERIFY(own.pid != 0);
    OwnerStamp dead = own;
    dead.startTime += 1; // its pid is ours: recycled
    OwnerStamp elsewhere = dead;
    elsewhere.pidNamespace += 1;
    OwnerStamp otherBoot = dead;
    otherBoot.bootId = otherBoot.bootId == "00000000" ? "11111111" : "00000000";

    const QString deadPath = make(dead);
    const QString deadEmptyPath = makeCgroup(QString::fromStdString([&] {
        OwnerStamp stamp = dead;
        stamp.startTime += 1;
        return stamp.name();
    }()));
    const QString livePath = make(own);
    const QString elsewherePath = make(elsewhere);
    const QString otherBootPath = make(otherBoot);
    const QString strangePath = makeCgroup(QStringLiteral("processkit-1-2-3"));
    const PidHandle orphan =
            startIn(makeCgroup(QString::fromStdString(dead.name()) + QStringLiteral("/run1")),
                    { "tree", "sessionloop", "now" });
    const PidHandle live = startIn(livePath, { "pause" });
    const PidHandle foreign = startIn(elsewherePath, { "pause" });

    OwnerStamp application;
    const auto stat = procStat(driver().application());
    QVERIFY(stat);
    application = own;
    application.pid = pid_t(stat->pid);
    application.startTime = stat->startTime;
    const QString held = make(application);
    QVERIFY(hold(held));
    QVERIFY(waitRemoved(deadPath));
    QVERIFY(waitRemoved(deadEmptyPath));
    QVERIFY(orphan.waitGone());
    for (const QString &path : { held, livePath, elsewherePath, otherBootPath, strangePath })
        QVERIFY2(QFile::exists(path), qPrintable(path));
    QVERIFY(!live.isGone());
    QVERIFY(!foreign.isGone());
    QVERIFY(!driver().keeper().isGone());
    PidHandle(live.pid()).end();
    PidHandle(foreign.pid()).end();
}

void tst_KeeperHolds::endsProcessGroup_data()
{
    QTest::addColumn<bool>("withHandle");
    QTest::addColumn<bool>("leaderLives");
    QTest::newRow("handle, leader") << true << true;
    QTest::newRow("handle, no leader") << true << false;
    QTest::newRow("leader") << false << true;
    QTest::newRow("no leader") << false << false;
}

void tst_KeeperHolds::endsProcessGroup()
{
    QFETCH(bool, withHandle);
    QFETCH(bool, leaderLives);
    // without the handle of its leader a group is ended member by member, which no loop waits for
    const bool loops = withHandle || leaderLives;
    PidHandle leader = startIn({}, { "tree", loops ? "forkloop" : "grandchild", "now" });
    QVERIFY(reports().waitFor({ loops ? "loop" : "grandchild" }));
    const auto stat = procStat(leader.pid());
    QVERIFY(stat);
    const UniqueFd handle(int(syscall(SYS_pidfd_open, pid_t(leader.pid()), 0)));
    if (!leaderLives)
        leader.end(); // and reaped: only its number is left

    const std::string payload = bytesOf(std::int64_t(stat->pid)) + bytesOf(stat->startTime);
    QVERIFY(driver().control().send(Type::HoldProcessGroup, 1, payload,
                                    withHandle ? std::vector<int>{ handle.get() }
                                               : std::vector<int>{}));
    driver().killApplication();
    QVERIFY(driver().keeper().waitGone());
    QVERIFY(leader.waitGone());
}

void tst_KeeperHolds::dropsProcessGroup()
{
    PidHandle leader = startIn({}, { "pause" });
    const auto stat = procStat(leader.pid());
    QVERIFY(stat);
    const std::string payload = bytesOf(std::int64_t(stat->pid)) + bytesOf(stat->startTime);
    QVERIFY(driver().control().send(Type::HoldProcessGroup, 1, payload));
    QVERIFY(driver().control().send(Type::DropProcessGroup, 1));
    driver().control().close();
    QVERIFY(driver().keeper().waitGone());
    QVERIFY(!leader.isGone());
    leader.end();
}

void tst_KeeperHolds::leavesStrangers()
{
    // the number is that of another group by now: its leader started at another time
    PidHandle leader = startIn({}, { "pause" });
    const auto stat = procStat(leader.pid());
    QVERIFY(stat);
    QVERIFY(driver().control().send(Type::HoldProcessGroup, 1,
                                    bytesOf(std::int64_t(stat->pid))
                                            + bytesOf(stat->startTime - 1)));
    QVERIFY(driver().control().send(Type::HoldProcessGroup, 2,
                                    bytesOf(std::int64_t(stat->pid))
                                            + bytesOf(stat->startTime + 1)));
    // and nobody means all processes, or our own group
    for (std::int64_t number : { 1, 0, -1 }) {
        QVERIFY(driver().control().send(Type::HoldProcessGroup, 3,
                                        bytesOf(number) + bytesOf(std::uint64_t(0))));
    }
    driver().control().close();
    QVERIFY(driver().keeper().waitGone());
    QVERIFY(!leader.isGone());
    leader.end();
}

QTEST_GUILESS_MAIN(tst_KeeperHolds)
#include "tst_keeperholds.moc"
