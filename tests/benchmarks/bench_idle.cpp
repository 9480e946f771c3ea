// SPDX-License-Identifier: MIT
#include "benchmark.h"
#include "subjects.h"
#include "threadstat.h"

#include <memory>
#include <unistd.h>
#include <vector>

namespace {

using ProcessKit::Containment;

// All that works for the application: itself, the keeper and the group keepers.
std::vector<pid_t> observed()
{
    std::vector<pid_t> processes{ getpid() };
    const pid_t keeper = pid_t(Containment::keeperProcessId());
    if (keeper > 0) {
        for (pid_t process : sameProgramTree(keeper))
            processes.push_back(process);
    }
    return processes;
}

struct Switches
{
    qint64 own = 0;
    qint64 keepers = 0;
};

qint64 keeperSwitches(const std::vector<pid_t> &processes)
{
    qint64 sum = 0;
    for (pid_t process : processes)
        sum += process == getpid() ? 0 : contextSwitches(process);
    return sum;
}

qint64 keeperBytes(const std::vector<pid_t> &processes)
{
    qint64 sum = 0;
    for (pid_t process : processes)
        sum += process == getpid() ? 0 : privateBytes(process);
    return sum;
}

void runLoopFor(int milliseconds)
{
    QEventLoop loop;
    QTimer end;
    end.setSingleShot(true);
    QObject::connect(&end, &QTimer::timeout, &loop, &QEventLoop::quit);
    end.start(milliseconds);
    loop.exec();
}

// What is switched while the loop runs. Our own are read nearest to the loop, because to read those
// of hundreds of keepers takes long enough for this thread to be preempted.
Switches switchesDuring(const std::vector<pid_t> &processes, int milliseconds)
{
    const qint64 keepersBefore = keeperSwitches(processes);
    const qint64 ownBefore = contextSwitches(getpid());
    runLoopFor(milliseconds);
    const qint64 ownAfter = contextSwitches(getpid());
    const qint64 keepersAfter = keeperSwitches(processes);
    // one is that of the loop, which waits for its timer
    return { ownAfter - ownBefore - 1, keepersAfter - keepersBefore };
}

// until what the starts left to do is done
void settle(const std::vector<pid_t> &processes)
{
    for (int tries = 0; tries < 25; ++tries) {
        const Switches switches = switchesDuring(processes, 200);
        if (switches.own <= 0 && switches.keepers <= 0)
            break;
    }
}

template<typename Subject>
std::unique_ptr<typename Subject::Process> startIdle()
{
    auto process = std::make_unique<typename Subject::Process>();
    Subject::prepare(*process);
    process->start(helper("pk-pause"), {});
    if (!process->waitForStarted())
        throw Failure(process->errorString());
    return process;
}

// In a process of its own for each subject, so that nothing is left of the one before.
template<typename Subject>
void measurePart(Bench &bench)
{
    const int count = qMin(bench.size(500, 10), (raiseDescriptorLimit() - 100) / 8);
    {
        // what is started and allocated once
        std::vector<std::unique_ptr<typename Subject::Process>> first;
        constexpr int warmUp = 3;
        first.reserve(warmUp);
        for (int i = 0; i < warmUp; ++i)
            first.push_back(startIdle<Subject>());
        for (auto &process : first) {
            process->kill();
            process->waitForFinished();
        }
    }
    settle(observed());

    const qint64 bytesBefore = privateBytes(getpid());
    const qint64 keeperBytesBefore = keeperBytes(observed());
    std::vector<std::unique_ptr<typename Subject::Process>> children;
    children.reserve(std::size_t(count));
    for (int i = 0; i < count; ++i)
        children.push_back(startIdle<Subject>());
    const std::vector<pid_t> processes = observed();
    settle(processes);
    const qint64 bytesAfter = privateBytes(getpid());
    const qint64 keeperBytesAfter = keeperBytes(processes);
    const Switches switches = switchesDuring(processes, bench.size(10'000, 100));

    bench.partResult = {
        { QStringLiteral("wakeups"), double(switches.own) },
        { QStringLiteral("keeperWakeups"), double(switches.keepers) },
        { QStringLiteral("bytes"), double(bytesAfter - bytesBefore) / count },
        { QStringLiteral("keeperBytes"), double(keeperBytesAfter - keeperBytesBefore) / count },
    };
    for (auto &process : children) {
        process->kill();
        process->waitForFinished();
    }
}

void run(Bench &bench)
{
    if (bench.part == Classic::name())
        return measurePart<Classic>(bench);
    if (bench.part == InCgroup::name())
        return measurePart<InCgroup>(bench);
    if (bench.part == InSubreaper::name())
        return measurePart<InSubreaper>(bench);

    // Ten seconds of waiting say the same each time, so once is enough.
    Comparison comparison;
    for (const QString &subject : { Classic::name(), InCgroup::name(), InSubreaper::name() }) {
        Comparison::Measure measure = [&bench, subject]() -> QList<double> {
            const QJsonObject result = bench.runPart(subject);
            const double keeperBytes = result.value(u"keeperBytes").toDouble();
            return { result.value(u"wakeups").toDouble(),
                     result.value(u"bytes").toDouble() + keeperBytes,
                     result.value(u"keeperWakeups").toDouble(), keeperBytes };
        };
        comparison.add(subject, measure);
    }
    comparison.run(1, false);

    const QString wakeups = QStringLiteral("in 10 s");
    const QString bytes = QStringLiteral("bytes/child");
    const Samples classicWakeups = comparison.samples(Classic::name(), 0);
    const Samples classicBytes = comparison.samples(Classic::name(), 1);
    const auto add = [&](const QString &name, const QString &subject) {
        bench.add(figure(name + QStringLiteral("-wakeups"), wakeups, comparison.samples(subject, 0),
                         classicWakeups, Target::valueAtMost(0)));
        bench.add(figure(name + QStringLiteral("-keeper-wakeups"), wakeups,
                         comparison.samples(subject, 2), {}, Target::valueAtMost(0)));
        bench.add(figure(name + QStringLiteral("-bytes"), bytes, comparison.samples(subject, 1),
                         classicBytes, Target::valueAtMost(8192)));
        bench.add(figure(name + QStringLiteral("-keeper-bytes"), bytes,
                         comparison.samples(subject, 3)));
    };
    add(QStringLiteral("idle"), InCgroup::name());
    add(QStringLiteral("idle-subreaper"), InSubreaper::name());
}

const Registration
        registration("idle", "500 idle children: wake-ups in 10 s, memory of each in the program",
                     run);

} // namespace
