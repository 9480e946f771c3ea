// SPDX-License-Identifier: MIT
#ifndef PROGRESS_H
#define PROGRESS_H

#include <ProcessKit/OutputLine>

#include <QStringList>

#include <optional>

// What Ninja says in front of each line: "[3/25] Building CXX object ...".
struct Progress
{
    int done = 0;
    int total = 0;

    int percent() const { return total > 0 ? done * 100 / total : 0; }
    static std::optional<Progress> fromLine(QStringView line);
};

// A bar and the last lines of output. Redrawn in place on a terminal; elsewhere (a file, a CI log)
// one plain line for every tenth of the build.
class ProgressView
{
public:
    ProgressView();

    void addLines(const QList<ProcessKit::OutputLine> &lines);
    void setProgress(Progress progress);
    void clear();
    void printLastLines();

private:
    void redraw();
    void print(const QString &text);
    QString bar() const;

    Progress m_progress;
    QStringList m_lastLines;
    const bool m_onTerminal;
    int m_rowsDrawn = 0;
    int m_tenthPrinted = 0;
};

#endif // PROGRESS_H
