// SPDX-License-Identifier: MIT
#include "benchmark.h"
#include "launches.h"

#include <ProcessKit/batch.h>

namespace {

using ProcessKit::Command;

QByteArray captureClassic(const QString &program, const QStringList &arguments)
{
    QProcess process;
    process.start(program, arguments);
    if (!process.waitForFinished(-1) || process.exitCode() != 0)
        throw Failure(process.errorString());
    return process.readAllStandardOutput();
}

QByteArray capture(const Command &command)
{
    const ProcessKit::ProcessResult result = command.output().result();
    if (!result.isSuccess())
        throw Failure(result.error().text());
    return result.standardOutputBytes();
}

void run(Bench &bench)
{
    const QString program = helper("pk-true");
    const QString verb = QStringLiteral("output()");
    const int count = bench.size(800, 5);
    Comparison single;
    single.add(verb, [&] {
        const Stopwatch stopwatch;
        for (int i = 0; i < count; ++i)
            capture(Command(program));
        return QList<double>{ stopwatch.seconds() * 1e6 / count };
    });
    single.add(Classic::name(), [&] {
        const Stopwatch stopwatch;
        for (int i = 0; i < count; ++i)
            captureClassic(program, {});
        return QList<double>{ stopwatch.seconds() * 1e6 / count };
    });
    single.run(bench.runs);
    bench.add(figure(QStringLiteral("output"), QStringLiteral("us/run"), single.samples(verb),
                     single.samples(Classic::name()), Target::ratioAtMost(1.15)));

    constexpr int width = 8;
    const int many = bench.size(1000, 20);
    Comparison batch;
    batch.add(verb, [&] {
        const Stopwatch stopwatch;
        const QList<ProcessKit::ProcessResult> results =
                ProcessKit::outputAll(QList<Command>(many, Command(program)), { width }).results();
        for (const ProcessKit::ProcessResult &result : results) {
            if (!result.isSuccess())
                throw Failure(result.error().text());
        }
        return QList<double>{ many / stopwatch.seconds() };
    });
    batch.add(Classic::name(), [&] {
        return QList<double>{ many / launchFromLoop<Classic>(program, many, width) };
    });
    batch.run(bench.runs);
    bench.add(figure(QStringLiteral("output8"), QStringLiteral("runs/s"), batch.samples(verb),
                     batch.samples(Classic::name()), Target::ratioAtLeast(1.2)));
}

const Registration registration("output",
                                "output() of a trivial program, alone and 1,000 with eight at once",
                                run);

} // namespace
