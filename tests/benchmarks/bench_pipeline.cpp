// SPDX-License-Identifier: MIT
#include "benchmark.h"
#include "subjects.h"

#include <ProcessKit/pipeline.h>

namespace {

using ProcessKit::Command;

void run(Bench &bench)
{
    const qint64 size = bench.size<qint64>(1 << 30, 1 << 20);
    const QString count = QString::number(size);
    const auto rate = [size](const Stopwatch &stopwatch) {
        return QList<double>{ double(size) / stopwatch.seconds() / (1 << 20) };
    };
    const QString ours = QStringLiteral("Pipeline");
    const QString shell = QStringLiteral("sh");
    Comparison comparison;
    comparison.add(ours, [&] {
        const Stopwatch stopwatch;
        const ProcessKit::Expected<QString> counted =
                (Command(QStringLiteral("head"),
                         { QStringLiteral("-c"), count, QStringLiteral("/dev/zero") })
                 | Command(QStringLiteral("cat"))
                 | Command(QStringLiteral("wc"), { QStringLiteral("-c") }))
                        .run()
                        .result();
        if (!counted || *counted != count)
            throw Failure(counted.error().text());
        return rate(stopwatch);
    });
    comparison.add(shell, [&] {
        const Stopwatch stopwatch;
        QProcess process;
        process.start(QStringLiteral("/bin/sh"),
                      { QStringLiteral("-c"),
                        QStringLiteral("head -c %1 /dev/zero | cat | wc -c").arg(count) });
        if (!process.waitForFinished(-1)
            || process.readAllStandardOutput().trimmed() != count.toLatin1())
            throw Failure(process.errorString());
        return rate(stopwatch);
    });
    comparison.run(bench.runs);
    bench.add(figure(QStringLiteral("pipeline"), QStringLiteral("MiB/s"), comparison.samples(ours),
                     comparison.samples(shell), Target::ratioAtLeast(0.95)));
}

const Registration registration("pipeline", "1 GiB through three stages, against the shell", run);

} // namespace
