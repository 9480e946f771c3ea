// SPDX-License-Identifier: MIT
#include "cleantest.h"
#include "commands.h"

#include <ProcessKit/profile.h>

using namespace PkTest;
using namespace ProcessKit;
using namespace std::chrono_literals;

// A run is measured, with everything that it starts.
class tst_Profile : public CleanTest
{
    Q_OBJECT

private Q_SLOTS:
    void measures_data();
    void measures();
    void endsLeftovers();
    void cancels();
    void failsToStart();
};

void tst_Profile::measures_data()
{
    addMechanismRows();
}

void tst_Profile::measures()
{
    QFETCH(Mechanism, mechanism);
    PK_REQUIRE_MECHANISM(mechanism);
    // what counts is done by a grandchild
    const Command command = helperShell(QStringLiteral(
            "(i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done); echo done; exit 3"));
    const RunProfile run = profile(command.withMechanism(mechanism), 5ms).result();
    QCOMPARE(run.result.exitCode(), std::optional<int>(3));
    QCOMPARE(run.result.standardOutput(), QStringLiteral("done\n"));
    QVERIFY(run.samples.size() >= 2);
    QVERIFY(run.cpuTime().value_or(0us) > 0us);
    QVERIFY(run.averageCpus().value_or(0) > 0);
    QVERIFY(run.peakMemoryBytes().value_or(0) > 0);
    QVERIFY(run.peakProcesses().value_or(0) >= 1);
    for (qsizetype i = 1; i < run.samples.size(); ++i) {
        QVERIFY(run.samples.at(i).time >= run.samples.at(i - 1).time);
        QVERIFY(run.samples.at(i).cpuTime() >= run.samples.at(i - 1).cpuTime());
        QCOMPARE(run.samples.at(i).mechanism, mechanism);
    }
}

void tst_Profile::endsLeftovers()
{
    const RunProfile run =
            profile(helperShell(QStringLiteral("pk-helper pause > /dev/null 2>&1 & exit 0")))
                    .result();
    QVERIFY(run.result.isSuccess());
}

void tst_Profile::cancels()
{
    QFuture<RunProfile> future = profile(helperCommand({ QStringLiteral("pause") }), 1ms);
    QVERIFY(reports().waitFor({ "paused" }));
    future.cancel();
    QVERIFY(waitFinished(future));
}

void tst_Profile::failsToStart()
{
    const RunProfile run = profile(Command(QStringLiteral("/no/such/program"))).result();
    QCOMPARE(run.result.outcome(), Outcome::NotStarted);
    QVERIFY(!run.averageCpus());
}

QTEST_GUILESS_MAIN(tst_Profile)
#include "tst_profile.moc"
