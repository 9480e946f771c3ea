// SPDX-License-Identifier: MIT
#include "flood.h"

namespace {

void run(Bench &bench)
{
    const Comparison comparison = Flood::compareAll(bench);
    const QString unit = QStringLiteral("lines/s");
    const Samples classic = comparison.samples(Classic::name());
    const Samples view = comparison.samples(Flood::view);
    bench.add(figure(QStringLiteral("lines-view"), unit, view, classic, Target::ratioAtLeast(3)));
    bench.add(figure(QStringLiteral("lines-string"), unit, comparison.samples(Flood::string),
                     classic, Target::ratioAtLeast(2)));
    bench.add(figure(QStringLiteral("lines-signal"), unit, comparison.samples(Flood::signal),
                     classic));
    bench.add(
            figure(QStringLiteral("lines-view-bare"), unit, view, comparison.samples(Flood::bare)));
}

const Registration registration("lines", "decoded lines per second in a slot, of a flooding child",
                                run);

} // namespace
