// SPDX-License-Identifier: MIT
#ifndef PROCESSKIT_PIPELINERUN_P_H
#define PROCESSKIT_PIPELINERUN_P_H

#include "capturedrun_p.h"
#include "groupstate_p.h"

#include <ProcessKit/pipeline.h>

#include <QtCore/qpromise.h>

namespace ProcessKit {

class PipelineData : public QSharedData
{
public:
    QList<Command> stages;
    std::optional<std::chrono::milliseconds> timeout;
    std::stop_token stopToken;
};

// How one stage has ended, as far as it matters for the question which of them is to blame.
struct StageEnd
{
    bool isClean = false; // an exit code that it calls a success
    bool isStatusOnly = false; // what is wrong is its exit code or signal, nothing else
    bool isUnchecked = false;
    bool isBrokenPipe = false; // it has died because nobody reads on
    bool wasTornDown = false; // by us, after another one had failed
};

// The index of the stage whose end is that of the whole, or -1 when all is well. The rule is that
// of the shells' pipefail, but for stages that only suffer from what another one did.
int culpritOf(const std::vector<StageEnd> &ends);

// A chain of processes in one container, each connected with the next by a pipe of the kernel's.
class PipelineRun : public std::enable_shared_from_this<PipelineRun>
{
public:
    // Any thread.
    static QFuture<ProcessResult> start(const PipelineData &pipeline,
                                        const ProcessRunner::Options &options);

private:
    struct Stage
    {
        Command command;
        std::shared_ptr<CapturedRun> run;
        bool hasFailed = false; // seen and acted upon
        bool wasTornDown = false;
        // of what the stage has left behind, which may hold the pipe of the next one
        std::unique_ptr<Native::Reactor::Timer> drain;
    };

    PipelineRun(const PipelineData &pipeline, const ProcessRunner::Options &options);
    ProcessError prepare(std::vector<RunSetup> *setups) const;
    ProcessError connect(std::vector<RunSetup> *setups) const;
    void launch(std::vector<RunSetup> setups);
    void proceed();
    void noticeFailures();
    void boundLeftovers();
    void tearDown();
    void end(Verdict verdict);
    void conclude();
    bool hasFailed(const Stage &stage) const;
    static StageEnd endOf(const Stage &stage, const ProcessResult &result);

    const PipelineData m_pipeline;
    const ProcessRunner::Options m_options;
    const std::shared_ptr<GroupState> m_group;
    std::vector<Stage> m_stages;
    std::optional<Verdict> m_verdict; // over all of them
    bool m_launched = false;
    QPromise<ProcessResult> m_promise;
    std::shared_ptr<void> m_cancelWatch;
    StopRequest m_stopRequest;
    Native::Reactor::Timer m_timeoutTimer;
    Native::Reactor::Timer m_tearDownTimer;
};

} // namespace ProcessKit

#endif // PROCESSKIT_PIPELINERUN_P_H
