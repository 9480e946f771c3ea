// SPDX-License-Identifier: MIT
#include "benchmark.h"
#include "subjects.h"

#include <ProcessKit/processgroup.h>

#include <time.h>

using namespace ProcessKit;

namespace {

constexpr int waitMs = 30'000;

double processCpuTime()
{
    timespec time;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return double(time.tv_sec) + double(time.tv_nsec) / 1e9;
}

// far beyond what is used: they are about what it costs to have them
void limit(ProcessGroup *group)
{
    ResourceLimits limits;
    limits.memoryMax = qint64(1) << 40;
    limits.tasksMax = 30'000;
    if (const ProcessError error = group->updateLimits(limits))
        throw Failure(error.diagnostic());
}

void require(const ContainedProcess &process)
{
    if (process.failure().kind() == ProcessError::Kind::ResourceLimit)
        throw Unavailable(process.failure().diagnostic());
    if (process.failure())
        throw Failure(process.failure().diagnostic());
}

// CPU time of one look at a group, in this whole program.
QList<double> measureSample(Mechanism mechanism, bool limited, int size, int looks)
{
    ProcessGroup group(mechanism);
    if (limited)
        limit(&group);
    ContainedProcess *tree = group.start(helper("pk-tree"), { QString::number(size - 1) });
    while (!tree->canReadLine() && tree->waitForReadyRead(waitMs)) { }
    require(*tree);
    const double before = processCpuTime();
    for (int i = 0; i < looks; ++i)
        group.statistics();
    const double used = processCpuTime() - before;
    group.kill();
    group.waitForEmptied(waitMs);
    return { used * 1e6 / looks };
}

void runSample(Bench &bench)
{
    const int size = bench.size(200, 10);
    const int looks = bench.size(200, 3);
    const QString limitedName = QStringLiteral("CgroupV2 with controllers");
    Comparison comparison;
    comparison.add(limitedName, [=] { return measureSample(Mechanism::None, true, size, looks); });
    comparison.add(InCgroup::name(),
                   [=] { return measureSample(Mechanism::CgroupV2, false, size, looks); });
    comparison.add(InSubreaper::name(),
                   [=] { return measureSample(Mechanism::Subreaper, false, size, looks); });
    comparison.run(bench.runs);
    const QString unit = QStringLiteral("us CPU");
    bench.add(figure(QStringLiteral("sample-controllers"), unit, comparison.samples(limitedName),
                     {}, Target::valueAtMost(1000)));
    bench.add(figure(QStringLiteral("sample"), unit, comparison.samples(InCgroup::name()), {},
                     Target::valueAtMost(1000)));
    bench.add(figure(QStringLiteral("sample-subreaper"), unit,
                     comparison.samples(InSubreaper::name())));
}

// start to finished() of a trivial program in a group that has been started in before
QList<double> measureStarts(bool limited, int count)
{
    ProcessGroup group;
    if (limited)
        limit(&group);
    const auto runOne = [&group] {
        ContainedProcess process;
        process.setGroup(&group);
        process.start(helper("pk-true"));
        process.waitForFinished(waitMs);
        require(process);
    };
    runOne();
    const Stopwatch stopwatch;
    for (int i = 0; i < count; ++i)
        runOne();
    return { stopwatch.seconds() * 1e6 / count };
}

void runLimited(Bench &bench)
{
    const int count = bench.size(500, 3);
    const QString limited = QStringLiteral("group with limits");
    const QString ordinary = QStringLiteral("ordinary group");
    Comparison comparison;
    comparison.add(limited, [count] { return measureStarts(true, count); });
    comparison.add(ordinary, [count] { return measureStarts(false, count); });
    comparison.run(bench.runs);
    bench.add(figure(QStringLiteral("limited-start"), QStringLiteral("us"),
                     comparison.samples(limited), comparison.samples(ordinary),
                     Target::ratioAtMost(1.2)));
}

const Registration sample("sample", "one look at what a group of 200 processes has used",
                          runSample);
const Registration limitedStart("limited-start", "start and exit in a group that has limits",
                                runLimited);

} // namespace
