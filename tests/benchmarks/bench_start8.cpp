// SPDX-License-Identifier: MIT
#include "barecgroup.h"
#include "benchmark.h"
#include "launches.h"
#include "resident.h"

#include <poll.h>

namespace {

const QString bare = QStringLiteral("bare clone3+poll");
constexpr int width = 8;

double launchBare(const QString &program, int count, int cgroup)
{
    const Stopwatch stopwatch;
    BareChild children[width];
    pollfd waits[width];
    int started = 0;
    int finished = 0;
    const auto launch = [&](int slot) {
        waits[slot] = { -1, POLLIN, 0 };
        if (started == count)
            return;
        ++started;
        children[slot] = bareStart(program, {}, cgroup);
        waits[slot].fd = children[slot].pidfd;
    };
    for (int slot = 0; slot < width; ++slot)
        launch(slot);
    while (finished < count) {
        poll(waits, width, -1);
        for (int slot = 0; slot < width; ++slot) {
            if (waits[slot].fd >= 0 && waits[slot].revents) {
                bareReap(children[slot]);
                ++finished;
                launch(slot);
            }
        }
    }
    return stopwatch.seconds();
}

void measureAt(Bench &bench, const QString &size, std::size_t bytes)
{
    const ResidentMemory memory(bytes);
    const BareCgroup cgroup("start8");
    const QString program = helper("pk-true");
    const int count = bench.size(2000, 20);
    const auto rate = [count](double seconds) { return QList<double>{ count / seconds }; };

    Comparison comparison;
    comparison.add(InCgroup::name(),
                   [&] { return rate(launchFromLoop<InCgroup>(program, count, width)); });
    comparison.add(Classic::name(),
                   [&] { return rate(launchFromLoop<Classic>(program, count, width)); });
    comparison.add(bare, [&] { return rate(launchBare(program, count, cgroup.directory())); });
    comparison.add(InSubreaper::name(),
                   [&] { return rate(launchFromLoop<InSubreaper>(program, count, width)); });
    comparison.run(bench.runs);

    const QString name = QStringLiteral("start8-%1").arg(size);
    const QString unit = QStringLiteral("starts/s");
    const Samples classic = comparison.samples(Classic::name());
    const Samples contained = comparison.samples(InCgroup::name());
    bench.add(figure(name, unit, contained, classic, Target::ratioAtLeast(1.2)));
    bench.add(figure(name + QStringLiteral("-bare"), unit, contained, comparison.samples(bare)));
    bench.add(figure(name + QStringLiteral("-subreaper"), unit,
                     comparison.samples(InSubreaper::name()), classic));
}

void run(Bench &bench)
{
    measureAt(bench, QStringLiteral("10MB"), 10 << 20);
    measureAt(bench, QStringLiteral("1GB"), bench.size<std::size_t>(1 << 30, 64 << 20));
}

const Registration registration("start8",
                                "starts per second from an event loop with eight in flight", run);

} // namespace
