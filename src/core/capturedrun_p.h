// SPDX-License-Identifier: MIT
#ifndef PROCESSKIT_CAPTUREDRUN_P_H
#define PROCESSKIT_CAPTUREDRUN_P_H

#include "capture_p.h"
#include "command_p.h"
#include "linesplitter_p.h"
#include "processresult_p.h"
#include "processrun_p.h"

namespace ProcessKit {

// the outcome of a run that was made to end
Outcome toOutcome(Verdict verdict);

// One start of a command whose output is kept until it can be told as a result. Reactor thread.
class CapturedRun : public std::enable_shared_from_this<CapturedRun>
{
public:
    // \a until: the tree is ended at the first line of standard output that it says yes to
    explicit CapturedRun(const Command &command, std::function<bool(QStringView)> until = {});

    // \a changed is called whenever something is new, until stop()
    void launch(RunSetup setup, std::function<void()> changed);
    void stop();

    const RunNews &news() const { return m_news; } // but for the output
    bool hasExited() const { return m_news.exit || m_news.failure; }
    // the result is complete
    bool isDone() const;
    bool hasFoundLine() const { return m_foundLine.has_value(); }
    // Once; what is left of the output is told before.
    ProcessResult takeResult(bool wholeOutputRequired);

    void cancel();
    void kill();
    // a verdict that was given elsewhere
    void end(Verdict verdict);

private:
    void handle(RunNews news);
    void takeOutput(std::size_t channel, ByteQueue *bytes);
    void noteOrder(std::size_t channel, qint64 length);
    void tellLines(const QList<OutputLine> &lines);
    void copyLine(const OutputLine &line);
    void fillIn(ProcessResultData *data);
    Outcome outcome() const;
    ProcessError problemBeside(const ProcessResultData &data, bool wholeOutputRequired) const;

    const Command m_command;
    const std::function<bool(QStringView)> m_until;
    std::function<void()> m_changed;
    std::shared_ptr<ProcessRun> m_run;
    std::array<Capture, 2> m_captures;
    std::array<std::optional<LineSplitter>, 2> m_splitters;
    std::array<std::shared_ptr<QIODevice>, 2> m_tees;
    std::array<std::shared_ptr<QIODevice>, 2> m_textTees;
    qint64 m_lineNumber = 0;
    QList<ProcessResultData::Piece> m_order; // of what has come, over both streams
    RunNews m_news;
    std::optional<QString> m_foundLine;
};

} // namespace ProcessKit

#endif // PROCESSKIT_CAPTUREDRUN_P_H
