// SPDX-License-Identifier: MIT
#ifndef PROCESSKIT_BENCH_FLOOD_H
#define PROCESSKIT_BENCH_FLOOD_H

#include "benchmark.h"
#include "subjects.h"

#include <QtCore/qstringview.h>

// A child that writes lines as fast as it can, read to its end in one of several ways.
namespace Flood {

// What the slot of every subject does with a line: it looks at it, and so proves that it came.
class Tally
{
public:
    void add(QStringView line)
    {
        ++m_lines;
        m_characters += line.size();
        if (!line.isEmpty())
            m_mark += line.front().unicode() ^ line.back().unicode();
    }
    qint64 lines() const { return m_lines; }
    friend bool operator==(const Tally &, const Tally &) = default;

    static Tally expected(qint64 lines);

private:
    qint64 m_lines = 0;
    qint64 m_characters = 0;
    quint64 m_mark = 0;
};

enum class Way {
    View, // linesReady, read as QStringView
    String, // linesReady, a QString made of each line
    Signal, // standardOutputLine
};

// connect the slots that read \a process into \a tally
void connectReader(ProcessKit::ContainedProcess &process, Way way, Tally &tally);
void connectReader(QProcess &process, Tally &tally);

// The two quantities of a flood: lines per second until finished(), and milliseconds of CPU time of
// the thread of the slots for a million lines. Throws Failure, also when a line is missing.
QList<double> measure(Way way, qint64 lines);
QList<double> measureClassic(qint64 lines);
// read(2) into one buffer and memchr(3) for the line ends: no text is made
QList<double> measureBare(qint64 lines);

extern const QString view;
extern const QString string;
extern const QString signal;
extern const QString bare;

// All of them, under the names above and that of Classic.
Comparison compareAll(const Bench &bench);

} // namespace Flood

#endif // PROCESSKIT_BENCH_FLOOD_H
