// SPDX-License-Identifier: MIT
#include "flood.h"
#include "barespawn.h"
#include "programs/floodlines.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <unistd.h>

namespace Flood {

const QString view = QStringLiteral("linesReady, QStringView");
const QString string = QStringLiteral("linesReady, QString");
const QString signal = QStringLiteral("standardOutputLine");
const QString bare = QStringLiteral("bare read+memchr");

Tally Tally::expected(qint64 lines)
{
    Tally block;
    Tally rest;
    for (int i = 0; i < FLOOD_BLOCK_LINES; ++i) {
        char text[FLOOD_LINE_MAX];
        const int length = flood_line(text, i) - 1; // without the line end
        const QString line = QString::fromUtf8(text, length);
        block.add(line);
        if (i < lines % FLOOD_BLOCK_LINES)
            rest.add(line);
    }
    const qint64 blocks = lines / FLOOD_BLOCK_LINES;
    rest.m_lines += blocks * block.m_lines;
    rest.m_characters += blocks * block.m_characters;
    rest.m_mark += quint64(blocks) * block.m_mark;
    return rest;
}

void connectReader(ProcessKit::ContainedProcess &process, Way way, Tally &tally)
{
    using namespace ProcessKit;
    switch (way) {
    case Way::View:
        QObject::connect(&process, &ContainedProcess::linesReady, &process,
                         [&tally](const QList<OutputLine> &lines) {
                             for (const OutputLine &line : lines)
                                 tally.add(line.text());
                         });
        break;
    case Way::String:
        QObject::connect(&process, &ContainedProcess::linesReady, &process,
                         [&tally](const QList<OutputLine> &lines) {
                             for (const OutputLine &line : lines) {
                                 const QString text = line.toString();
                                 tally.add(text);
                             }
                         });
        break;
    case Way::Signal:
        QObject::connect(&process, &ContainedProcess::standardOutputLine, &process,
                         [&tally](const QString &line) { tally.add(line); });
        break;
    }
}

void connectReader(QProcess &process, Tally &tally)
{
    QObject::connect(&process, &QProcess::readyReadStandardOutput, &process, [&process, &tally] {
        while (process.canReadLine()) {
            const QString line = QString::fromUtf8(process.readLine());
            tally.add(QStringView(line).chopped(1));
        }
    });
}

namespace {

template<typename Process>
QList<double> measureLoop(Process &process, const Tally &tally, qint64 lines)
{
    QEventLoop loop;
    failOnError(process, loop);
    QObject::connect(&process, &Process::finished, &loop, &QEventLoop::quit);
    const qint64 cpu = threadCpuTime();
    const Stopwatch stopwatch;
    process.start(helper("pk-flood"), { QString::number(lines) });
    runLoop(loop);
    const double seconds = stopwatch.seconds();
    const double milliseconds = double(threadCpuTime() - cpu) / 1e6;
    if (tally != Tally::expected(lines)) {
        throw Failure(QStringLiteral("%1 of %2 lines came, or not as they were written")
                              .arg(tally.lines())
                              .arg(lines));
    }
    return { double(lines) / seconds, milliseconds * 1e6 / double(lines) };
}

} // namespace

QList<double> measure(Way way, qint64 lines)
{
    ProcessKit::ContainedProcess process;
    Tally tally;
    connectReader(process, way, tally);
    return measureLoop(process, tally, lines);
}

QList<double> measureClassic(qint64 lines)
{
    QProcess process;
    Tally tally;
    connectReader(process, tally);
    return measureLoop(process, tally, lines);
}

QList<double> measureBare(qint64 lines)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0)
        throw Failure(QStringLiteral("pipe2: %1").arg(QString::fromLocal8Bit(strerror(errno))));
    const qint64 cpu = threadCpuTime();
    const Stopwatch stopwatch;
    BareChild child = bareStart(helper("pk-flood"), QString::number(lines), -1, ends[1]);
    close(ends[1]);

    static char buffer[65536];
    qint64 found = 0;
    ssize_t count;
    while ((count = read(ends[0], buffer, sizeof buffer)) > 0) {
        const char *at = buffer;
        const char *const end = buffer + count;
        while ((at = static_cast<const char *>(std::memchr(at, '\n', std::size_t(end - at))))) {
            ++found;
            ++at;
        }
    }
    bareReap(child);
    const double seconds = stopwatch.seconds();
    const double milliseconds = double(threadCpuTime() - cpu) / 1e6;
    close(ends[0]);
    if (found != lines)
        throw Failure(QStringLiteral("%1 of %2 lines came").arg(found).arg(lines));
    return { double(lines) / seconds, milliseconds * 1e6 / double(lines) };
}

Comparison compareAll(const Bench &bench)
{
    const qint64 lines = bench.size(2'000'000, 3'000);
    Comparison comparison;
    comparison.add(view, [lines] { return measure(Way::View, lines); });
    comparison.add(Classic::name(), [lines] { return measureClassic(lines); });
    comparison.add(string, [lines] { return measure(Way::String, lines); });
    comparison.add(bare, [lines] { return measureBare(lines); });
    comparison.add(signal, [lines] { return measure(Way::Signal, lines); });
    comparison.run(bench.runs);
    return comparison;
}

} // namespace Flood
