// SPDX-License-Identifier: MIT
#include "cgroups.h"
#include "cleantest.h"
#include "ownerprocess.h"

#include <QtCore/qregularexpression.h>

using namespace PkTest;
using namespace ProcessKit;

// Each system call of a launch fails once, at each place where it is made: in the application, in
// its keeper and in the child. The launch then succeeds in another way or fails with a typed error,
// the next one succeeds, and nothing is left running.
class tst_LaunchFaults : public CleanTest
{
    Q_OBJECT

private Q_SLOTS:
    void fault_data();
    void fault();
    void sweep_data();
    void sweep();
    void lowLimit_data();
    void lowLimit();
};

// UBSan looks at memory through a pipe of its own, and takes it for bad when it gets none.
#ifdef __SANITIZE_ADDRESS__
constexpr bool SanitizerNeedsPipes = true;
#else
constexpr bool SanitizerNeedsPipes = false;
#endif

constexpr int SkippedByFaults = 77;
constexpr int MostCalls = 60;

void tst_LaunchFaults::fault_data()
{
    QTest::addColumn<Mechanism>("mechanism");
    QTest::addColumn<QString>("call");
    QTest::addColumn<QString>("error");
    struct Fault
    {
        const char *call;
        const char *error;
    };
    static const Fault list[] = {
        { "pipe2", "EMFILE" },         { "pipe2", "ENFILE" },
        { "clone3", "EAGAIN" },        { "clone3", "ENOMEM" },
        { "clone3", "ENOSYS" },        { "clone3", "EPERM" },
        { "clone", "EAGAIN" },         { "epoll_create1", "EMFILE" },
        { "epoll_ctl", "ENOMEM" },     { "epoll_ctl", "ENOSPC" },
        { "eventfd2", "EMFILE" },      { "timerfd_create", "EMFILE" },
        { "inotify_init1", "EMFILE" }, { "inotify_add_watch", "ENOSPC" },
        { "memfd_create", "EMFILE" },  { "memfd_create", "ENOMEM" },
        { "socketpair", "EMFILE" },    { "sendmsg", "EAGAIN" },
        { "sendmsg", "ENOMEM" },       { "recvmsg", "ENOMEM" },
        { "openat", "EMFILE" },        { "openat", "ENOMEM" },
        { "mkdirat", "ENOMEM" },       { "mkdirat", "EAGAIN" }, // cgroup.max.descendants
        { "mkdir", "EAGAIN" },         { "pidfd_open", "EMFILE" },
        { "execve", "ENOMEM" },        { "execve", "EAGAIN" },
        { "execveat", "ENOMEM" },      { "dup3", "EMFILE" },
        { "fcntl", "EMFILE" },         { "setpgid", "EPERM" },
        { "prctl", "EINVAL" },
    };
    for (Mechanism mechanism :
         { Mechanism::CgroupV2, Mechanism::Subreaper, Mechanism::ProcessGroup }) {
        for (const Fault &fault : list) {
            QTest::addRow("%s %s %s", mechanismName(mechanism).constData(), fault.call, fault.error)
                    << mechanism << QString::fromLatin1(fault.call)
                    << QString::fromLatin1(fault.error);
        }
    }
}

void tst_LaunchFaults::fault()
{
    QFETCH(Mechanism, mechanism);
    QFETCH(QString, call);
    QFETCH(QString, error);
    PK_REQUIRE_MECHANISM(mechanism);
    if (SanitizerNeedsPipes && call == QLatin1String("pipe2"))
        QSKIP("the sanitizer itself needs pipes");
    expectOrphans();

    static const QRegularExpression counts(QStringLiteral("calls (\\d+) failed (\\d+)"));
    for (int at = 1; at <= MostCalls; ++at) {
        OwnerProcess process(mechanism, "once");
        const QString place = QString::number(at);
        process.setWrapper(faults(), { call, error, place, place });
        process.start({ "exit", "7" });
        const bool ended = process.wait();
        const QByteArray output = process.output();
        const QByteArray errors = process.errorOutput();
        const QByteArray what =
                "failing at call " + QByteArray::number(at) + ": " + output + errors;
        if (process.exitCode() == SkippedByFaults && output.isEmpty())
            QSKIP(errors.trimmed().constData());
        QVERIFY2(ended, what.constData());
        QVERIFY2(!process.crashed() && process.exitCode() == 0, what.constData());
        QVERIFY2(output.contains("result first ok ") || output.contains("result first error kind="),
                 what.constData());
        QVERIFY2(!output.contains("kind=None") && !output.contains("operation= "),
                 what.constData());
        QVERIFY2(output.contains("result second ok exit=7 status=NormalExit"), what.constData());
        const QString alive = survivors();
        QVERIFY2(alive.isEmpty(), (what + alive.toLocal8Bit()).constData());
        const Report owner = reports().lastReport("owner");
        QVERIFY(applicationCgroups(owner.pid, owner.startTime).isEmpty());
        const auto match = counts.match(QString::fromLatin1(errors));
        QVERIFY2(match.hasMatch(), what.constData());
        if (match.captured(2).toInt() == 0)
            return; // it makes no more calls than those
    }
}

void tst_LaunchFaults::sweep_data()
{
    QTest::addColumn<QString>("call");
    QTest::addColumn<QString>("error");
    for (const char *error : { "EMFILE", "ENFILE", "ENOMEM", "EACCES" })
        QTest::addRow("openat %s", error) << QStringLiteral("openat") << QString::fromLatin1(error);
    for (const char *call : { "read", "getdents64" })
        QTest::addRow("%s ENOMEM", call) << QString::fromLatin1(call) << QStringLiteral("ENOMEM");
}

// A keeper that starts sweeps what dead applications have left. One that cannot find out who is
// alive, because a call of it fails, leaves the others alone.
void tst_LaunchFaults::sweep()
{
    QFETCH(QString, call);
    QFETCH(QString, error);
    PK_REQUIRE_MECHANISM(Mechanism::CgroupV2);
    expectOrphans();
    ContainedProcess bystander;
    bystander.setRequestedMechanism(Mechanism::CgroupV2);
    bystander.start(helper(), { QStringLiteral("pause") });
    QVERIFY(bystander.waitForStarted(Patience));

    for (int at = 1; at <= MostCalls; ++at) {
        OwnerProcess process(Mechanism::CgroupV2, "once");
        const QString place = QString::number(at);
        process.setWrapper(faults(), { call, error, place, place });
        process.start({ "exit", "7" });
        QVERIFY(process.wait());
        const QByteArray errors = process.errorOutput();
        if (process.exitCode() == SkippedByFaults)
            QSKIP(errors.trimmed().constData());
        QVERIFY2(!bystander.waitForFinished(0), QByteArray::number(at).constData());
        QCOMPARE(bystander.state(), QProcess::Running);
        if (errors.contains(" failed 0"))
            break; // it makes no more calls than those
    }
    bystander.kill();
    QVERIFY(bystander.waitForFinished(Patience));
}

void tst_LaunchFaults::lowLimit_data()
{
    addMechanismRows();
}

// the same with every call at once, from the first start of an application on
void tst_LaunchFaults::lowLimit()
{
    QFETCH(Mechanism, mechanism);
    PK_REQUIRE_MECHANISM(mechanism);
    if (SanitizerNeedsPipes)
        QSKIP("the sanitizer itself needs pipes");
    expectOrphans();
    bool succeeded = false;
    for (int limit = 4; limit < 60 && !succeeded; ++limit) {
        OwnerProcess process(mechanism, "finish");
        process.addOption("--nofile", QByteArray::number(limit));
        process.start({ "lines", "1" });
        QVERIFY(process.wait());
        const QByteArray output = process.output();
        const QByteArray what =
                "limit " + QByteArray::number(limit) + ": " + output + process.errorOutput();
        QVERIFY2(!process.crashed() && process.exitCode() == 0, what.constData());
        succeeded = output.contains("result ok exit=0") && output.contains("output=1");
        QVERIFY2(succeeded || output.contains("result error kind=ResourceLimit")
                         || output.contains("result error kind=Keeper"),
                 what.constData());
        const QString alive = survivors();
        QVERIFY2(alive.isEmpty(), (what + alive.toLocal8Bit()).constData());
    }
    QVERIFY(succeeded);
}

QTEST_GUILESS_MAIN(tst_LaunchFaults)
#include "tst_launchfaults.moc"
