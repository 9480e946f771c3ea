// SPDX-License-Identifier: MIT
#ifndef PROCESSKIT_COMMANDRUN_P_H
#define PROCESSKIT_COMMANDRUN_P_H

#include "capture_p.h"
#include "command_p.h"
#include "linesplitter_p.h"
#include "processresult_p.h"
#include "processrun_p.h"

#include <QtCore/qpromise.h>

namespace ProcessKit {

// One verb that is being carried out, with its retries: lives on the reactor from the call until
// the result is there.
class CommandRun : public std::enable_shared_from_this<CommandRun>
{
public:
    // Any thread.
    static QFuture<ProcessResult> start(const Command &command,
                                        const ProcessRunner::Options &options,
                                        std::shared_ptr<GroupState> group = {});

private:
    CommandRun(const Command &command, const ProcessRunner::Options &options,
               std::shared_ptr<GroupState> group);

    void launch(RunSetup setup);
    void handle(RunNews news);
    void takeOutput(int channel, ByteQueue *bytes);
    void takeLines(int channel, QByteArrayView bytes);
    void tellLines(const QList<OutputLine> &lines);
    void complete();
    void conclude(ProcessResult result);
    bool retries(const ProcessError &error);
    void again();
    void cancel();
    ProcessResult result();

    const Command m_command;
    const ProcessRunner::Options m_options;
    const std::shared_ptr<GroupState> m_group;
    QPromise<ProcessResult> m_promise;
    std::shared_ptr<void> m_cancelWatch;
    Native::Reactor::Timer m_retryTimer;
    int m_attempts = 0;
    bool m_cancelled = false;
    // while a retry is waited for
    std::optional<std::stop_callback<std::function<void()>>> m_stopCallback;

    // of this attempt
    std::shared_ptr<ProcessRun> m_run;
    std::array<Capture, 2> m_captures;
    std::array<std::optional<LineSplitter>, 2> m_splitters;
    qint64 m_lineNumber = 0;
    QList<ProcessResultData::Piece> m_order; // of what has come, over both streams
    RunNews m_news; // without the bytes
    std::optional<QString> m_foundLine;
    std::array<std::shared_ptr<QIODevice>, 2> m_tees;
};

} // namespace ProcessKit

#endif // PROCESSKIT_COMMANDRUN_P_H
