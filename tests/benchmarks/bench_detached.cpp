// SPDX-License-Identifier: MIT
#include "barespawn.h"
#include "benchmark.h"
#include "resident.h"
#include "subjects.h"

namespace {

template<typename Process>
double detachedPerSecond(const QString &program, int count)
{
    const Stopwatch stopwatch;
    for (int i = 0; i < count; ++i) {
        if (!Process::startDetached(program, {}))
            throw Failure(QStringLiteral("startDetached failed"));
    }
    return count / stopwatch.seconds();
}

void measureAt(Bench &bench, const QString &size, std::size_t bytes, const Target &target)
{
    const ResidentMemory memory(bytes);
    const QString program = helper("pk-true");
    const QString ours = QStringLiteral("ContainedProcess");
    const QString bare = QStringLiteral("bare clone3 (not detached)");

    Comparison comparison;
    comparison.add(ours, [&] {
        return QList<double>{ detachedPerSecond<ProcessKit::ContainedProcess>(program,
                                                                              bench.size(100, 2)) };
    });
    comparison.add(Classic::name(), [&] {
        return QList<double>{ detachedPerSecond<QProcess>(program, bench.size(5, 2)) };
    });
    comparison.add(bare, [&] {
        const int count = bench.size(100, 2);
        const Stopwatch stopwatch;
        for (int i = 0; i < count; ++i) {
            BareChild child = bareStart(program, {}, -1);
            bareReap(child);
        }
        return QList<double>{ count / stopwatch.seconds() };
    });
    comparison.run(bench.runs);

    const QString name = QStringLiteral("detached-%1").arg(size);
    const QString unit = QStringLiteral("starts/s");
    bench.add(figure(name, unit, comparison.samples(ours), comparison.samples(Classic::name()),
                     target));
    bench.add(figure(name + QStringLiteral("-bare"), unit, comparison.samples(ours),
                     comparison.samples(bare)));
}

void run(Bench &bench)
{
    measureAt(bench, QStringLiteral("10MB"), 10 << 20, {});
    measureAt(bench, QStringLiteral("1GB"), bench.size<std::size_t>(1 << 30, 64 << 20),
              Target::ratioAtLeast(50));
}

const Registration registration("detached", "startDetached() in a large program", run);

} // namespace
