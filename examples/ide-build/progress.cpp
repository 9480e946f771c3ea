// SPDX-License-Identifier: MIT
#include "progress.h"

#include <cstdio>

#include <sys/ioctl.h>
#include <unistd.h>

using namespace Qt::StringLiterals;

namespace {

constexpr qsizetype LinesShown = 5;
constexpr int BarWidth = 40;

int terminalWidth()
{
    winsize size = {};
    return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

} // namespace

std::optional<Progress> Progress::fromLine(QStringView line)
{
    const qsizetype slash = line.indexOf(u'/');
    const qsizetype end = line.indexOf(u']');
    if (!line.startsWith(u'[') || slash < 0 || end < slash)
        return {};
    bool doneOk = false;
    bool totalOk = false;
    const Progress progress = { line.mid(1, slash - 1).toInt(&doneOk),
                                line.mid(slash + 1, end - slash - 1).toInt(&totalOk) };
    if (!doneOk || !totalOk)
        return {};
    return progress;
}

ProgressView::ProgressView() : m_onTerminal(isatty(STDOUT_FILENO)) { }

void ProgressView::addLines(const QList<ProcessKit::OutputLine> &lines)
{
    for (const ProcessKit::OutputLine &line : lines.last(qMin(lines.size(), LinesShown)))
        m_lastLines.append(line.toString());
    m_lastLines = m_lastLines.last(qMin(m_lastLines.size(), LinesShown));
    redraw();
}

void ProgressView::setProgress(Progress progress)
{
    m_progress = progress;
    redraw();
}

void ProgressView::redraw()
{
    if (!m_onTerminal) {
        const int tenth = m_progress.percent() / 10;
        if (tenth > m_tenthPrinted)
            print(bar() + u'\n');
        m_tenthPrinted = tenth;
        return;
    }

    clear();
    const int width = terminalWidth() - 1;
    QString text = bar().left(width) + u'\n';
    for (const QString &line : std::as_const(m_lastLines))
        text += (u"    "_s + line).left(width) + u'\n';
    m_rowsDrawn = 1 + int(m_lastLines.size());
    print(text);
}

void ProgressView::clear()
{
    // Cursor up to the first row that we drew, then erase to the end of the screen.
    if (m_rowsDrawn > 0)
        print(u"\x1b[%1A\x1b[J"_s.arg(m_rowsDrawn));
    m_rowsDrawn = 0;
}

// What a failed build said is to stay on the screen.
void ProgressView::printLastLines()
{
    clear();
    for (const QString &line : std::as_const(m_lastLines))
        print(u"    "_s + line + u'\n');
}

void ProgressView::print(const QString &text)
{
    std::fputs(qPrintable(text), stdout);
    std::fflush(stdout);
}

QString ProgressView::bar() const
{
    const int filled = BarWidth * m_progress.percent() / 100;
    QString text = u"  ["_s + QString(filled, u'#') + QString(BarWidth - filled, u'.') + u']';
    if (m_progress.total > 0) { // else it is configuring
        text += u" %1 %  %2/%3"_s.arg(m_progress.percent(), 3)
                        .arg(m_progress.done)
                        .arg(m_progress.total);
    }
    return text;
}
