// SPDX-License-Identifier: MIT
#ifndef PROCESSKIT_COMMANDRUN_P_H
#define PROCESSKIT_COMMANDRUN_P_H

#include "capturedrun_p.h"

namespace ProcessKit {

// One verb that is being carried out, with its retries: lives on the reactor from the call until
// the result is there.
class CommandRun : public std::enable_shared_from_this<CommandRun>
{
public:
    using CancelWatch = ProcessRunner::CancelWatch;
    using Done = ProcessRunner::Done;

    // Any thread. \a done is called in this one when nothing can be started, else where it may
    // block.
    static void start(const Command &command, const ProcessRunner::Options &options,
                      std::shared_ptr<GroupState> group, CancelWatch watch, Done done);
    static QFuture<ProcessResult> start(const Command &command,
                                        const ProcessRunner::Options &options,
                                        std::shared_ptr<GroupState> group = {});

private:
    CommandRun(const Command &command, const ProcessRunner::Options &options,
               std::shared_ptr<GroupState> group, Done done);

    void launch(RunSetup setup);
    void proceed();
    bool retries(const ProcessError &error) const;
    void waitForRetry();
    void cancel();
    void conclude(ProcessResult result);

    const Command m_command;
    const ProcessRunner::Options m_options;
    const std::shared_ptr<GroupState> m_group;
    Done m_done;
    std::shared_ptr<void> m_cancelWatch;
    std::shared_ptr<CapturedRun> m_attempt;
    int m_attempts = 0;
    bool m_cancelled = false;
    Native::Reactor::Timer m_retryTimer;
    // while a retry is waited for
    StopRequest m_stopRequest;
};

} // namespace ProcessKit

#endif // PROCESSKIT_COMMANDRUN_P_H
