// SPDX-License-Identifier: MIT
#include "flood.h"

namespace {

void run(Bench &bench)
{
    const Comparison comparison = Flood::compareAll(bench);
    const auto add = [&](const QString &name, const QString &subject, const QString &reference,
                         const Target &target) {
        bench.add(figure(name, QStringLiteral("ms/Mlines"), comparison.samples(subject, 1),
                         comparison.samples(reference, 1), target));
    };
    add(QStringLiteral("gui-cpu-view"), Flood::view, Classic::name(), Target::ratioAtMost(0.4));
    add(QStringLiteral("gui-cpu-string"), Flood::string, Classic::name(), Target::ratioAtMost(0.4));
    add(QStringLiteral("gui-cpu-signal"), Flood::signal, Classic::name(), {});
    add(QStringLiteral("gui-cpu-view-bare"), Flood::view, Flood::bare, {});
}

const Registration registration("gui-cpu",
                                "CPU time of the thread of the slots, for a million lines", run);

} // namespace
