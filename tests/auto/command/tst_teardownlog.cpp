// SPDX-License-Identifier: MIT
#include "commands.h"
#include "logcapture.h"

#include <ProcessKit/containedprocess.h>
#include <ProcessKit/processgroup.h>

#include <QtCore/qloggingcategory.h>

#include <signal.h>

using namespace PkTest;
using namespace ProcessKit;
using namespace std::chrono_literals;

class LifecycleLog : public LogCapture
{
public:
    LifecycleLog()
    {
        QLoggingCategory::setFilterRules(QStringLiteral("processkit.lifecycle=true"));
    }
    ~LifecycleLog() { QLoggingCategory::setFilterRules(QString()); }
};

// The phases of an end that begins with a signal, as they are logged.
class tst_TeardownLog : public CleanTest
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase_data();
    void offByDefault();
    void shutdown_data();
    void shutdown();
    void group_data();
    void group();
    void timeout_data();
    void timeout();
    void cancelInGrace();

private:
    static QStringList phases(const QStringList &lines, qint64 pid);
    std::unique_ptr<ContainedProcess> start(bool obedient, ProcessGroup *group = nullptr) const;
};

void tst_TeardownLog::initTestCase_data()
{
    addMechanismRows();
}

// what \a lines say about the end of \a pid, without the pid
QStringList tst_TeardownLog::phases(const QStringList &lines, qint64 pid)
{
    static const QStringList names{ QStringLiteral("soft_signal"), QStringLiteral("grace_started"),
                                    QStringLiteral("drained"), QStringLiteral("escalated"),
                                    QStringLiteral("spared") };
    QStringList phases;
    for (const QString &line : lines) {
        QStringList words = line.simplified().split(u' ');
        if (words.takeFirst() == QLatin1String("processkit.lifecycle:")
            && names.contains(words.value(0)) && words.takeAt(1).toLongLong() == pid)
            phases.append(words.join(u' '));
    }
    return phases;
}

std::unique_ptr<ContainedProcess> tst_TeardownLog::start(bool obedient, ProcessGroup *group) const
{
    QFETCH_GLOBAL(Mechanism, mechanism);
    auto process = std::make_unique<ContainedProcess>();
    process->setGroup(group);
    process->setRequestedMechanism(mechanism);
    const QString trap = obedient ? QString() : QStringLiteral("trap '' TERM; ");
    process->start(QStringLiteral("/bin/sh"),
                   { QStringLiteral("-c"), trap + QStringLiteral("echo ready; exec sleep 1000") });
    process->waitForReadyRead(Patience);
    return process;
}

void tst_TeardownLog::offByDefault()
{
    QFETCH_GLOBAL(Mechanism, mechanism);
    PK_REQUIRE_MECHANISM(mechanism);
    const LogCapture log;
    QVERIFY(start(true)->shutdown(5s).result().empty);
    QCOMPARE(log.lines(), QStringList());
}

void tst_TeardownLog::shutdown_data()
{
    QTest::addColumn<bool>("obedient");
    QTest::addColumn<std::chrono::milliseconds>("grace");
    QTest::addColumn<QStringList>("expected");
    const QString signal = QStringLiteral("soft_signal 15");
    QTest::newRow("drained") << true << std::chrono::milliseconds(60s)
                             << QStringList{ signal, QStringLiteral("grace_started 60000 ms"),
                                             QStringLiteral("drained") };
    QTest::newRow("escalated") << false << 20ms
                               << QStringList{ signal, QStringLiteral("grace_started 20 ms"),
                                               QStringLiteral("escalated") };
    QTest::newRow("killed at once") << false << 0ms << QStringList();
}

void tst_TeardownLog::shutdown()
{
    QFETCH_GLOBAL(Mechanism, mechanism);
    QFETCH(bool, obedient);
    QFETCH(std::chrono::milliseconds, grace);
    PK_REQUIRE_MECHANISM(mechanism);
    const LifecycleLog log;
    const auto process = start(obedient);
    const qint64 pid = process->processId();
    QVERIFY(process->shutdown(grace).result().empty);
    QTEST(phases(log.lines(), pid), "expected");
}

void tst_TeardownLog::group_data()
{
    QTest::addColumn<bool>("spares");
    QTest::newRow("spared") << true;
    QTest::newRow("escalated") << false;
}

void tst_TeardownLog::group()
{
    QFETCH_GLOBAL(Mechanism, mechanism);
    QFETCH(bool, spares);
    PK_REQUIRE_MECHANISM(mechanism);
    const LifecycleLog log;
    ProcessGroup group;
    const auto first = start(false, &group);
    const auto second = start(true, &group);
    const qint64 pid = first->processId();
    const StopPolicy policy = StopPolicy().then(SIGTERM, 20ms).then(SIGTERM, 30ms);
    const ShutdownReport report = group.stop(spares ? policy.sparing() : policy).result();
    QCOMPARE(report.escalated, !spares);
    QStringList expected{ QStringLiteral("soft_signal 15"), QStringLiteral("grace_started 20 ms"),
                          QStringLiteral("soft_signal 15"), QStringLiteral("grace_started 30 ms"),
                          spares ? QStringLiteral("spared") : QStringLiteral("escalated") };
    QCOMPARE(phases(log.lines(), pid), expected);
    QCOMPARE(phases(log.lines(), second->processId()), QStringList());
    QVERIFY(group.stop(StopPolicy::kill()).result().empty);
    QCOMPARE(phases(log.lines(), pid), expected); // it has one end
}

void tst_TeardownLog::timeout_data()
{
    QTest::addColumn<int>("signal");
    QTest::newRow("drained") << SIGTERM;
    QTest::newRow("escalated") << SIGCONT; // which ends nobody
}

void tst_TeardownLog::timeout()
{
    QFETCH_GLOBAL(Mechanism, mechanism);
    QFETCH(int, signal);
    PK_REQUIRE_MECHANISM(mechanism);
    const LifecycleLog log;
    const bool ends = signal == SIGTERM;
    const std::chrono::milliseconds grace = ends ? 60s : 20ms;
    const auto process = shell(QStringLiteral("exec sleep 1000"))
                                 .withMechanism(mechanism)
                                 .withTimeout(10ms)
                                 .withTimeoutGrace(grace, signal)
                                 .start();
    const qint64 pid = process->processId();
    QVERIFY(process->waitForTreeEmptied(Patience));
    const QStringList expected{ QStringLiteral("soft_signal %1").arg(signal),
                                QStringLiteral("grace_started %1 ms").arg(grace.count()),
                                ends ? QStringLiteral("drained") : QStringLiteral("escalated") };
    QCOMPARE(phases(log.lines(), pid), expected);
}

// A cancellation signals again, and it is still one end.
void tst_TeardownLog::cancelInGrace()
{
    QFETCH_GLOBAL(Mechanism, mechanism);
    PK_REQUIRE_MECHANISM(mechanism);
    const LifecycleLog log;
    const auto process = shell(QStringLiteral("exec sleep 1000"))
                                 .withMechanism(mechanism)
                                 .withTimeout(10ms)
                                 .withTimeoutGrace(60s, SIGCONT)
                                 .withCancelGrace(20ms, SIGCONT)
                                 .start();
    const qint64 pid = process->processId();
    QObject::connect(process.get(), &ContainedProcess::errorOccurred, process.get(),
                     [&process] { process->cancel(); });
    QVERIFY(process->waitForTreeEmptied(Patience));
    const QString signal = QStringLiteral("soft_signal %1").arg(SIGCONT);
    const QStringList expected{ signal, QStringLiteral("grace_started 60000 ms"), signal,
                                QStringLiteral("grace_started 20 ms"),
                                QStringLiteral("escalated") };
    QCOMPARE(phases(log.lines(), pid), expected);
}

QTEST_GUILESS_MAIN(tst_TeardownLog)
#include "tst_teardownlog.moc"
