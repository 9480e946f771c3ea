// SPDX-License-Identifier: MIT
#include "benchmark.h"
#include "resident.h"
#include "subjects.h"

namespace {

// How long start() keeps its caller, which is the GUI thread of an application.
template<typename Subject>
QList<double> measureCalls(int count)
{
    QList<double> durations;
    for (int i = 0; i < count; ++i) {
        typename Subject::Process process;
        Subject::prepare(process);
        QEventLoop loop;
        failOnError(process, loop);
        QObject::connect(&process, &Subject::Process::finished, &loop, &QEventLoop::quit);
        const Stopwatch stopwatch;
        process.start(helper("pk-true"), {});
        durations += stopwatch.seconds() * 1e6;
        runLoop(loop);
    }
    return { quantile(durations, 0.5), quantile(durations, 0.99) };
}

void run(Bench &bench)
{
    const ResidentMemory memory(bench.size<std::size_t>(1 << 30, 64 << 20));
    const int count = bench.size(300, 5);
    Comparison comparison;
    comparison.add(InCgroup::name(), [count] { return measureCalls<InCgroup>(count); });
    comparison.add(Classic::name(), [count] { return measureCalls<Classic>(count); });
    comparison.add(InSubreaper::name(), [count] { return measureCalls<InSubreaper>(count); });
    comparison.run(bench.runs);

    const QString unit = QStringLiteral("us");
    const Samples classic = comparison.samples(Classic::name());
    bench.add(figure(QStringLiteral("start-call"), unit, comparison.samples(InCgroup::name()),
                     classic));
    bench.add(figure(QStringLiteral("start-call-p99"), unit,
                     comparison.samples(InCgroup::name(), 1),
                     comparison.samples(Classic::name(), 1)));
    bench.add(figure(QStringLiteral("start-call-subreaper"), unit,
                     comparison.samples(InSubreaper::name()), classic));
}

const Registration registration("start-call",
                                "how long start() keeps its caller in a program of 1 GB", run);

} // namespace
