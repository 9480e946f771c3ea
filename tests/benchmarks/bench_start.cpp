// SPDX-License-Identifier: MIT
#include "barecgroup.h"
#include "benchmark.h"
#include "launches.h"
#include "resident.h"

#include <QtCore/qfile.h>

namespace {

const QString bare = QStringLiteral("bare clone3+waitid");

void measureAt(Bench &bench, const QString &size, const QString &program)
{
    const BareCgroup cgroup("start");
    const int count = bench.size(800, 5);
    const auto each = [count](double seconds) { return QList<double>{ seconds * 1e6 / count }; };

    const auto compare = [&](const QString &way, auto measureClassic, auto measureCgroup,
                             auto measureSubreaper) {
        Comparison comparison;
        comparison.add(InCgroup::name(), [&] { return each(measureCgroup()); });
        comparison.add(Classic::name(), [&] { return each(measureClassic()); });
        comparison.add(bare, [&] {
            const Stopwatch stopwatch;
            for (int i = 0; i < count; ++i) {
                BareChild child = bareStart(program, {}, cgroup.directory());
                bareReap(child);
            }
            return each(stopwatch.seconds());
        });
        comparison.add(InSubreaper::name(), [&] { return each(measureSubreaper()); });
        comparison.run(bench.runs);

        const QString name = QStringLiteral("start-%1-%2").arg(size, way);
        const QString unit = QStringLiteral("us/start");
        const Samples classic = comparison.samples(Classic::name());
        const Samples contained = comparison.samples(InCgroup::name());
        bench.add(figure(name, unit, contained, classic, Target::ratioAtMost(1.1)));
        bench.add(
                figure(name + QStringLiteral("-bare"), unit, contained, comparison.samples(bare)));
        bench.add(figure(name + QStringLiteral("-subreaper"), unit,
                         comparison.samples(InSubreaper::name()), classic));
    };

    compare(
            QStringLiteral("wait"), [&] { return launchAndWait<Classic>(program, count); },
            [&] { return launchAndWait<InCgroup>(program, count); },
            [&] { return launchAndWait<InSubreaper>(program, count); });
    compare(
            QStringLiteral("loop"), [&] { return launchFromLoop<Classic>(program, count, 1); },
            [&] { return launchFromLoop<InCgroup>(program, count, 1); },
            [&] { return launchFromLoop<InSubreaper>(program, count, 1); });
}

void run(Bench &bench)
{
    const QString program = helper("pk-true");
    {
        const ResidentMemory memory(10 << 20);
        measureAt(bench, QStringLiteral("10MB"), program);
    }
    const QString staticProgram = program + QStringLiteral("-static");
    if (QFile::exists(staticProgram))
        measureAt(bench, QStringLiteral("static"), staticProgram);
    else
        bench.unavailable(QStringLiteral("start-static"), QStringLiteral("no static C library"));
    const ResidentMemory memory(bench.size<std::size_t>(1 << 30, 64 << 20));
    measureAt(bench, QStringLiteral("1GB"), program);
}

const Registration registration("start",
                                "start and exit of a trivial program, one at a time, contained in "
                                "a cgroup of its own against uncontained",
                                run);

} // namespace
