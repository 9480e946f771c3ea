// SPDX-License-Identifier: MIT
#include "benchmark.h"
#include "resident.h"
#include "subjects.h"

#include <ProcessKit/command.h>

#include <fstream>
#include <string>

namespace {

using ProcessKit::Command;
using ProcessKit::OutputPolicy;

const QString verb = QStringLiteral("output()");
const QString capped = QStringLiteral("capped");

Command zeros(qint64 bytes)
{
    return Command(QStringLiteral("head"),
                   { QStringLiteral("-c"), QString::number(bytes), QStringLiteral("/dev/zero") });
}

// the highest resident size that this process has had
qint64 peakBytes()
{
    std::ifstream status("/proc/self/status");
    for (std::string line; std::getline(status, line);) {
        if (line.rfind("VmHWM:", 0) == 0)
            return std::stoll(line.substr(6)) * 1024;
    }
    return 0;
}

QByteArray take(const Command &command)
{
    const ProcessKit::ProcessResult result = command.output().result();
    if (!result.isSuccess())
        throw Failure(result.error().text());
    return result.standardOutputBytes();
}

// In a process of its own for each subject: the peak is that of its whole life.
void measurePart(Bench &bench)
{
    const bool isCapped = bench.part == capped;
    const qint64 size = isCapped ? bench.size<qint64>(1 << 30, 1 << 22)
                                 : bench.size<qint64>(100 << 20, 1 << 20);
    take(zeros(1 << 20)); // what is allocated once
    const qint64 before = peakBytes();
    const Stopwatch stopwatch;
    qint64 kept = 0;
    QByteArray bytes;
    if (bench.part == Classic::name()) {
        QProcess process;
        process.start(zeros(size).program(), zeros(size).arguments());
        if (!process.waitForFinished(-1))
            throw Failure(process.errorString());
        bytes = process.readAllStandardOutput();
    } else {
        bytes = take(isCapped ? zeros(size).withOutputPolicy(OutputPolicy::bytes(1 << 20))
                              : zeros(size));
    }
    kept = bytes.size();
    const double seconds = stopwatch.seconds();
    bench.partResult = {
        { QStringLiteral("rate"), double(size) / seconds / (1 << 20) },
        { QStringLiteral("perByte"), double(peakBytes() - before) / double(kept) },
        { QStringLiteral("growth"), double(peakBytes() - before) / (1 << 20) },
    };
}

void run(Bench &bench)
{
    if (!bench.part.isEmpty())
        return measurePart(bench);
    Comparison comparison;
    for (const QString &subject : { verb, Classic::name(), capped }) {
        comparison.add(subject, [&bench, subject]() -> QList<double> {
            const QJsonObject result = bench.runPart(subject);
            return { result.value(u"rate").toDouble(), result.value(u"perByte").toDouble(),
                     result.value(u"growth").toDouble() };
        });
    }
    comparison.run(bench.runs, false);
    bench.add(figure(QStringLiteral("capture"), QStringLiteral("MiB/s"), comparison.samples(verb),
                     comparison.samples(Classic::name()), Target::ratioAtLeast(1)));
    bench.add(figure(QStringLiteral("capture-memory"), QStringLiteral("bytes/byte"),
                     comparison.samples(verb, 1), comparison.samples(Classic::name(), 1),
                     Target::valueAtMost(1.3)));
    bench.add(figure(QStringLiteral("capture-capped"), QStringLiteral("MiB/s"),
                     comparison.samples(capped), comparison.samples(Classic::name())));
    bench.add(figure(QStringLiteral("capture-capped-memory"), QStringLiteral("MiB"),
                     comparison.samples(capped, 2), {}, Target::valueAtMost(8)));
}

const Registration registration("capture",
                                "100 MiB kept, and 1 GiB without a line end under a cap of 1 MiB: "
                                "rate and memory",
                                run);

} // namespace
