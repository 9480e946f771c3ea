// SPDX-License-Identifier: MIT
#include "pipelinerun_p.h"

#include "cancelwatch_p.h"
#include "convert_p.h"
#include "replies_p.h"

#include "pipe_stock.h"

#include <errno.h>
#include <signal.h>

#include <algorithm>

namespace ProcessKit {

using namespace std::chrono_literals;
using Native::Reactor;

namespace {

// for those behind a stage that has failed, to come to their ends by themselves
constexpr auto tearDownGrace = 200ms;
// for what a stage has left behind
constexpr auto leftoverGrace = 2s;

} // namespace

int culpritOf(const std::vector<StageEnd> &ends)
{
    int suspect = -1;
    const int last = int(ends.size()) - 1;
    for (int i = 0; i <= last; ++i) {
        const StageEnd &end = ends[std::size_t(i)];
        const bool isForgiven = end.isUnchecked && end.isStatusOnly;
        if (end.isClean || isForgiven)
            continue;
        if (!end.isBrokenPipe && !end.wasTornDown)
            return i;
        if (suspect < 0)
            suspect = i;
    }
    return suspect;
}

QFuture<ProcessResult> PipelineRun::start(const PipelineData &pipeline,
                                          const ProcessRunner::Options &options)
{
    std::shared_ptr<PipelineRun> run(new PipelineRun(pipeline, options));
    const QFuture<ProcessResult> future = run->m_promise.future();
    run->m_promise.start();

    auto setups = std::make_shared<std::vector<RunSetup>>();
    ProcessError problem = run->prepare(setups.get());
    if (!problem)
        problem = startReactor({});
    if (problem) {
        run->m_promise.addResult(ProcessResult::fromError(problem));
        run->m_promise.finish();
        return future;
    }
    Reactor::instance().post([run, setups] { run->launch(std::move(*setups)); });
    return future;
}

PipelineRun::PipelineRun(const PipelineData &pipeline, const ProcessRunner::Options &options)
    : m_pipeline(pipeline),
      m_options(options),
      m_group(std::make_shared<GroupState>(Mechanism::None, nullptr))
{
    for (const Command &command : pipeline.stages)
        m_stages.push_back({ command, nullptr, false, false, nullptr });
}

ProcessError PipelineRun::prepare(std::vector<RunSetup> *setups) const
{
    using Kind = ProcessError::Kind;
    if (m_stages.size() < 2)
        return ProcessError(Kind::InvalidArgument, {},
                            QStringLiteral("pipeline with fewer than two stages"), EINVAL);
    if (m_pipeline.timeout && *m_pipeline.timeout < 0ms)
        return ProcessError(Kind::InvalidArgument, m_stages.front().command.program(),
                            QStringLiteral("negative timeout"), EINVAL);
    if (m_pipeline.stopToken.stop_requested()) // before a file is touched or an input is taken
        return ProcessError(Kind::Cancelled, m_stages.front().command.program(),
                            QStringLiteral("start"), ECANCELED);
    setups->resize(m_stages.size());
    for (std::size_t i = 0; i < m_stages.size(); ++i) {
        Command command = m_stages[i].command;
        if (command.d->retry && command.d->retry->retries > 0)
            return ProcessError(Kind::InvalidArgument, command.program(),
                                QStringLiteral("retries of one stage of a pipeline"), EINVAL);
        if (i + 1 < m_stages.size() && command.d->inactivityTimeout)
            return ProcessError(Kind::InvalidArgument, command.program(),
                                QStringLiteral("inactivity timeout of a stage whose output goes to "
                                               "the next"),
                                EINVAL);
        // what lies between two stages is a pipe, whatever the commands would do alone
        if (i > 0)
            command = command.withInput(StdinSource::nothing());
        if (i + 1 < m_stages.size())
            command = command.withStandardOutput(OutputDestination::pipe());
        RunSetup &setup = (*setups)[i];
        if (const ProcessError problem = CommandLaunch::prepare(command, &setup))
            return problem;
        setup.closesInput = true;
        setup.group = m_group;
    }
    return {};
}

ProcessError PipelineRun::connect(std::vector<RunSetup> *setups) const
{
    for (std::size_t i = 0; i + 1 < setups->size(); ++i) {
        Native::Pipe pipe = Native::takePipe();
        if (!pipe.readEnd)
            return toError({ Native::LaunchStep::Pipe, errno }, m_stages[i].command.program());
        RunSetup::Stream &output = (*setups)[i].streams[1];
        output.end = RunSetup::End::Descriptor;
        output.descriptor = std::move(pipe.writeEnd);
        RunSetup::Stream &input = (*setups)[i + 1].streams[0];
        input.end = RunSetup::End::Descriptor;
        input.descriptor = std::move(pipe.readEnd);
    }
    return {};
}

void PipelineRun::launch(std::vector<RunSetup> setups)
{
    const auto self = shared_from_this();
    if (const ProcessError problem = connect(&setups)) {
        runReply([self, problem] {
            self->m_promise.addResult(ProcessResult::fromError(problem));
            self->m_promise.finish();
        });
        return;
    }
    m_cancelWatch = watchCancellation(QFuture<void>(m_promise.future()), [weak = weak_from_this()] {
        if (const auto run = weak.lock())
            run->end(Verdict::Cancelled);
    });
    for (std::size_t i = 0; i < m_stages.size(); ++i) {
        const bool isLast = i + 1 == m_stages.size();
        m_stages[i].run = std::make_shared<CapturedRun>(m_stages[i].command,
                                                        isLast ? m_options.until : nullptr);
        m_stages[i].run->launch(std::move(setups[i]), [self] { self->proceed(); });
    }
    m_launched = true;
    if (m_pipeline.timeout)
        m_timeoutTimer.start(*m_pipeline.timeout, [self] { self->end(Verdict::TimedOut); });
    m_stopRequest.watch(m_pipeline.stopToken, [weak = weak_from_this()] {
        if (const auto run = weak.lock())
            run->end(Verdict::Cancelled);
    });
}

void PipelineRun::proceed()
{
    if (!m_launched)
        return;
    noticeFailures();
    boundLeftovers();
    const bool isDone = std::all_of(m_stages.begin(), m_stages.end(),
                                    [](const Stage &stage) { return stage.run->isDone(); });
    if (isDone)
        conclude();
}

// A stage that fails makes the others pointless, and one of them may be silent for ever; but those
// behind it may still have something to say of what they got.
void PipelineRun::noticeFailures()
{
    for (Stage &stage : m_stages) {
        if (stage.hasFailed || !hasFailed(stage))
            continue;
        stage.hasFailed = true;
        const RunNews &news = stage.run->news();
        if (news.verdict == Verdict::Cancelled)
            end(Verdict::Cancelled);
        else if (stage.run->hasFoundLine() || news.failure)
            tearDown();
        else if (!m_tearDownTimer.isActive())
            m_tearDownTimer.start(tearDownGrace, [this] { tearDown(); });
    }
}

void PipelineRun::boundLeftovers()
{
    for (Stage &stage : m_stages) {
        const RunNews &news = stage.run->news();
        if (!news.exit || news.emptied || stage.drain)
            continue;
        stage.drain = std::make_unique<Reactor::Timer>();
        stage.drain->start(leftoverGrace, [run = stage.run] { run->kill(); });
    }
}

// not merely because of the others
bool PipelineRun::hasFailed(const Stage &stage) const
{
    const RunNews &news = stage.run->news();
    if (news.failure || news.verdict || stage.run->hasFoundLine())
        return true;
    if (!news.exit || stage.wasTornDown)
        return false;
    const CommandData &command = *stage.command.d;
    if (command.isUncheckedInPipe)
        return false;
    return news.exit->signalled ? news.exit->code != SIGPIPE
                                : !command.successCodes.contains(news.exit->code);
}

void PipelineRun::tearDown()
{
    for (Stage &stage : m_stages) {
        if (!stage.run->hasExited()) {
            stage.wasTornDown = true;
            stage.run->kill();
        }
    }
}

void PipelineRun::end(Verdict verdict)
{
    if (m_verdict == Verdict::Cancelled || (m_verdict && verdict != Verdict::Cancelled))
        return;
    const bool isOver = std::all_of(m_stages.begin(), m_stages.end(),
                                    [](const Stage &stage) { return stage.run->hasExited(); });
    if (isOver)
        return;
    m_verdict = verdict;
    for (const Stage &stage : m_stages)
        stage.run->end(verdict);
}

StageEnd PipelineRun::endOf(const Stage &stage, const ProcessResult &result)
{
    const CommandData &command = *stage.command.d;
    StageEnd end;
    end.isClean = result.isSuccess();
    end.isUnchecked = command.isUncheckedInPipe;
    end.isStatusOnly =
            result.outcome() == Outcome::Exited || result.outcome() == Outcome::Signalled;
    end.isBrokenPipe = result.signal() == SIGPIPE;
    end.wasTornDown = stage.wasTornDown;
    return end;
}

// What comes out is the last stage's; how it ended is the culprit's, if there is one.
void PipelineRun::conclude()
{
    m_timeoutTimer.stop();
    m_tearDownTimer.stop();
    m_stopRequest.reset();
    Reactor::instance().afterTurn([watch = std::move(m_cancelWatch)] {}); // it may be its signal

    std::vector<ProcessResult> results;
    std::vector<StageEnd> ends;
    for (Stage &stage : m_stages) {
        results.push_back(stage.run->takeResult(m_options.wholeOutputRequired));
        ends.push_back(endOf(stage, results.back()));
        stage.run->stop();
    }
    // an unchecked last stage keeps its code, but not the right to be cut off
    if (ends.back().isUnchecked && results.back().outcome() != Outcome::Exited)
        ends.back().isUnchecked = false;
    const int culprit = culpritOf(ends);
    ProcessResult result = results.back();
    result.d->attempts = 1;
    if (ends.back().isUnchecked && results.back().exitCode())
        result.d->successCodes.append(*results.back().exitCode());
    if (m_verdict) {
        result.d->outcome = toOutcome(*m_verdict);
        result.d->timeout = m_pipeline.timeout.value_or(-1ms);
    } else if (culprit >= 0 && !m_stages.back().run->hasFoundLine()) {
        const ProcessResultData &blamed = *results[std::size_t(culprit)].d;
        result.d->program = blamed.program;
        result.d->outcome = blamed.outcome;
        result.d->code = blamed.code;
        result.d->successCodes = blamed.successCodes;
        result.d->error = blamed.error;
        result.d->timeout = blamed.timeout;
        result.d->bytes[1] = blamed.bytes[1];
        result.d->byteCounts[1] = blamed.byteCounts[1];
        result.d->lineCounts[1] = blamed.lineCounts[1];
        result.d->order.clear();
    }
    for (const ProcessResult &stage : results)
        result.d->duration = std::max(result.d->duration, stage.d->duration);
    const bool hasLeftovers = std::any_of(m_stages.begin(), m_stages.end(), [](const Stage &stage) {
        return !stage.run->news().emptied;
    });
    if (hasLeftovers)
        m_group->kill();
    m_stages.clear();
    runReply([self = shared_from_this(), result] {
        self->m_promise.addResult(result);
        self->m_promise.finish();
    });
}

} // namespace ProcessKit
