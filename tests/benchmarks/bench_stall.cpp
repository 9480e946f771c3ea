// SPDX-License-Identifier: MIT
#include "barespawn.h"
#include "flood.h"

#include <csignal>
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace {

const QString idle = QStringLiteral("idle loop, busy machine");

// Lets the event loop run and takes the time between the turns of a timer of one millisecond.
// Returns milliseconds: the longest, the one that 99.9 % stay below, and the most CPU time that
// this thread has used from one turn to the next, which is the part that is not the scheduler's.
QList<double> measureTurns(QEventLoop &loop, int duration)
{
    QList<double> gaps;
    gaps.reserve(duration * 2);
    QTimer turns;
    turns.setTimerType(Qt::PreciseTimer);
    const qint64 end = monotonicTime() + qint64(duration) * 1'000'000;
    qint64 last = 0;
    qint64 lastCpu = 0;
    double longestCpu = 0;
    QObject::connect(&turns, &QTimer::timeout, &loop, [&] {
        const qint64 now = monotonicTime();
        const qint64 cpu = threadCpuTime();
        if (last != 0) {
            gaps.append(double(now - last) / 1e6);
            longestCpu = qMax(longestCpu, double(cpu - lastCpu) / 1e6);
        }
        last = now;
        lastCpu = cpu;
        if (now >= end)
            loop.quit();
    });
    turns.start(1);
    runLoop(loop);
    return { quantile(gaps, 1), quantile(gaps, 0.999), longestCpu };
}

template<typename Process>
QList<double> measureFlood(Process &process, const Flood::Tally &tally, int duration)
{
    QEventLoop loop;
    failOnError(process, loop);
    QObject::connect(&process, &Process::finished, &loop, [&loop] { loop.exit(2); });
    process.start(helper("pk-flood"), { QStringLiteral("0") });
    if (!process.waitForStarted())
        throw Failure(process.errorString());
    QList<double> gaps = measureTurns(loop, duration);
    process.disconnect();
    process.kill();
    process.waitForFinished();
    if (tally.lines() == 0)
        throw Failure(QStringLiteral("no line came"));
    return gaps;
}

// Two programs that keep the machine as busy as a flood and its reader do, while nothing happens in
// our loop: what the scheduler alone does to a timer.
QList<double> measureIdle(int duration)
{
    const int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
    QList<BareChild> busy;
    for (int i = 0; i < 2; ++i)
        busy += bareStart(helper("pk-flood"), QStringLiteral("0"), -1, null);
    close(null);
    QEventLoop loop;
    QList<double> gaps = measureTurns(loop, duration);
    for (BareChild &child : busy) {
        syscall(SYS_pidfd_send_signal, child.pidfd, SIGKILL, nullptr, 0);
        bareReap(child);
    }
    return gaps;
}

void run(Bench &bench)
{
    const int duration = bench.size(1500, 50);
    const QString ours = QStringLiteral("linesReady");

    Comparison comparison;
    comparison.add(ours, [duration] {
        ProcessKit::ContainedProcess process;
        Flood::Tally tally;
        Flood::connectReader(process, Flood::Way::String, tally);
        return measureFlood(process, tally, duration);
    });
    comparison.add(Classic::name(), [duration] {
        QProcess process;
        Flood::Tally tally;
        Flood::connectReader(process, tally);
        return measureFlood(process, tally, duration);
    });
    comparison.add(idle, [duration] { return measureIdle(duration); });
    comparison.run(bench.runs);

    const QString unit = QStringLiteral("ms");
    const Samples worst = comparison.samples(ours);
    bench.add(figure(QStringLiteral("stall"), unit, worst, comparison.samples(Classic::name()),
                     Target::valueAtMost(4), Summary::Worst));
    bench.add(figure(QStringLiteral("stall-idle"), unit, worst, comparison.samples(idle), {},
                     Summary::Worst));
    bench.add(figure(QStringLiteral("stall-p99.9"), unit, comparison.samples(ours, 1),
                     comparison.samples(Classic::name(), 1)));
    bench.add(figure(QStringLiteral("stall-cpu"), unit, comparison.samples(ours, 2),
                     comparison.samples(Classic::name(), 2), {}, Summary::Worst));
}

const Registration registration("stall",
                                "the longest time between two turns of an event loop with a timer "
                                "of 1 ms, while a child floods",
                                run);

} // namespace
