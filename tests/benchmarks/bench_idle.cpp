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

struct State
{
    qint64 ownSwitches = 0;
    qint64 keeperSwitches = 0;
    qint64 ownBytes = 0;
    qint64 keeperBytes = 0;
};

State switchesOf(const std::vector<pid_t> &processes)
{
    State state;
    for (pid_t process : processes)
        (process == getpid() ? state.ownSwitches : state.keeperSwitches) +=
                contextSwitches(process);
    return state;
}

State memoryOf(const std::vector<pid_t> &processes)
{
    State state;
    for (pid_t process : processes)
        (process == getpid() ? state.ownBytes : state.keeperBytes) += privateBytes(process);
    return state;
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

// until what the starts left to do is done
void settle(const std::vector<pid_t> &processes)
{
    State before;
    State after = switchesOf(processes);
    for (int tries = 0; tries < 25; ++tries) {
        before = after;
        runLoopFor(200);
        after = switchesOf(processes);
        if (after.ownSwitches - before.ownSwitches <= 1
            && after.keeperSwitches == before.keeperSwitches)
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

    const State memoryBefore = memoryOf(observed());
    std::vector<std::unique_ptr<typename Subject::Process>> children;
    children.reserve(std::size_t(count));
    for (int i = 0; i < count; ++i)
        children.push_back(startIdle<Subject>());
    const std::vector<pid_t> processes = observed();
    settle(processes);
    const State memoryAfter = memoryOf(processes);

    const State before = switchesOf(processes);
    runLoopFor(bench.size(10'000, 100));
    const State after = switchesOf(processes);

    // one switch is that of the loop that waits for its timer
    bench.partResult = {
        { QStringLiteral("wakeups"), double(after.ownSwitches - before.ownSwitches - 1) },
        { QStringLiteral("keeperWakeups"), double(after.keeperSwitches - before.keeperSwitches) },
        { QStringLiteral("bytes"), double(memoryAfter.ownBytes - memoryBefore.ownBytes) / count },
        { QStringLiteral("keeperBytes"),
          double(memoryAfter.keeperBytes - memoryBefore.keeperBytes) / count },
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
