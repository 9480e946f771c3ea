// SPDX-License-Identifier: MIT
#include "pipelinerun_p.h"

#include <QtCore/qdebug.h>

namespace ProcessKit {

/*!
    \class ProcessKit::Pipeline
    \inmodule ProcessKit
    \inheaderfile ProcessKit/Pipeline
    \brief Commands of which each one reads what the one before it writes, in one container.

    \code
    const Pipeline count = Command("git", { "log", "--format=%an" }) | Command("sort")
            | Command("uniq", { "-c" });
    const Expected<QString> authors = count.run().result();
    \endcode

    The stages are connected by pipes of the kernel's: what passes between them does not pass
    through this program. They are started together. The verbs are those of Command, and so are
    their rules for threads and cancelling.

    \section1 Streams

    The first stage reads its own input, the last one writes the result. What the commands say about
    the streams in between does not count; a line handler, a tee or a policy of a stage that is not
    the last one gets its standard error only. Command::withMergedErrors() sends the errors of a
    stage into the pipe.

    \section1 Who is to blame

    The exit code, the signal, the program and the standard error of the result are those of one
    stage, the standard output is always that of the last one. It is the first stage, from the left,
    that has failed: with an exit code that is not one of its success codes, with a signal, with a
    timeout of its own, or because it could not be started. But:

    \list
        \li A stage that died of SIGPIPE, because nobody reads on, and one that was ended because
            another one had failed, are blamed only where there is nobody else.
        \li A stage with Command::withUncheckedInPipe() is not blamed for its exit code or its
            signal. As the last stage it is for a signal, and its exit code is that of the result
            and counts as success.
        \li A pipeline that was itself ended, by withTimeout() or a cancellation, blames nobody.
    \endlist

    It is the rule of the shells' \c pipefail, with the first instead of the last, and without those
    that only suffer.

    \section1 Ends

    When a stage has failed, those that are still running after 200 ms are killed: a silent one in
    front of it would wait for ever, and those behind it may have something to say of what they got.
    When a stage could not be started, they are killed at once.

    What a stage leaves behind is killed 2 s after its exit, and at the latest when all stages have
    exited and the output has ended: it may hold the pipe of the next one. Command::withLeftovers()
    is not asked.

    After a timeout or a cancellation the future is finished when the trees of all stages are gone.

    A pipeline is an implicitly shared value.

    \sa Command::withUncheckedInPipe()
*/

namespace {

class PipelineRunner final : public ProcessRunner
{
public:
    explicit PipelineRunner(const PipelineData &pipeline) : m_pipeline(pipeline) { }

    QFuture<ProcessResult> execute(const Command &command, const Options &options) override
    {
        PipelineData pipeline = m_pipeline;
        if (!pipeline.stages.isEmpty())
            pipeline.stages.last() = command;
        return PipelineRun::start(pipeline, options);
    }

private:
    const PipelineData m_pipeline;
};

} // namespace

/*!
    Constructs the pipeline of \a stages. With fewer than two each verb fails with
    ProcessError::Kind::InvalidArgument; so it does where a stage has retries.
*/
Pipeline::Pipeline(const QList<Command> &stages) : d(new PipelineData)
{
    d->stages = stages;
}

/*!
    Constructs a copy of \a other.
*/
Pipeline::Pipeline(const Pipeline &other) = default;
/*!
    Moves \a other into a new object. Nothing may be done with \a other afterwards but to assign to
    it or to destroy it.
*/
Pipeline::Pipeline(Pipeline &&other) noexcept = default;
/*!
    Assigns \a other.
*/
Pipeline &Pipeline::operator=(const Pipeline &other) = default;
/*!
    Moves \a other here. Nothing may be done with \a other afterwards but to assign to it or to
    destroy it.
*/
Pipeline &Pipeline::operator=(Pipeline &&other) noexcept = default;
/*!
    Destroys the value. What was started from it goes on.
*/
Pipeline::~Pipeline() = default;

/*!
    Returns the commands, the first one first.
*/
QList<Command> Pipeline::stages() const
{
    return d->stages;
}

/*!
    Returns the time that all stages have together, if it is limited. By default it is not.
*/
std::optional<std::chrono::milliseconds> Pipeline::timeout() const
{
    return d->timeout;
}

/*!
    Returns a copy with \a stage behind the others.
*/
Pipeline Pipeline::withStage(const Command &stage) const
{
    Pipeline pipeline = *this;
    pipeline.d->stages.append(stage);
    return pipeline;
}

/*!
    Returns a copy whose stages are all ended when \a timeout has passed since they were started,
    each as its Command::withTimeoutGrace() says. The outcome is Outcome::TimedOut, the output what
    had come by then. Stages may have timeouts of their own besides.
*/
Pipeline Pipeline::withTimeout(std::chrono::milliseconds timeout) const
{
    Pipeline pipeline = *this;
    pipeline.d->timeout = timeout;
    return pipeline;
}

/*!
    Returns a copy that is cancelled when a stop is requested through \a token: all stages are
    ended, each as its Command::withCancelGrace() says, and the outcome is Outcome::Cancelled. The
    stop of one stage's own token cancels the whole pipeline as well.
*/
Pipeline Pipeline::withStopToken(const std::stop_token &token) const
{
    Pipeline pipeline = *this;
    pipeline.d->stopToken = token;
    return pipeline;
}

/*!
    Runs the pipeline and gives its result. See Command::output().
*/
QFuture<ProcessResult> Pipeline::output() const
{
    return runner()->output(lastStage());
}

/*!
    Runs the pipeline and gives its output as bytes; success is required. See
    Command::outputBytes().
*/
QFuture<Expected<QByteArray>> Pipeline::outputBytes() const
{
    return runner()->outputBytes(lastStage());
}

/*!
    Runs the pipeline and gives its output without white space at its end; success is required. See
    Command::run().
*/
QFuture<Expected<QString>> Pipeline::run() const
{
    return runner()->run(lastStage());
}

/*!
    Runs the pipeline and gives the exit code of the stage to blame, or that of the last one. See
    Command::exitCode().
*/
QFuture<Expected<int>> Pipeline::exitCode() const
{
    return runner()->exitCode(lastStage());
}

/*!
    Runs the pipeline and gives \c true for the exit code 0 and \c false for 1 of the last stage,
    for which both are a success. See Command::probe().
*/
QFuture<Expected<bool>> Pipeline::probe() const
{
    return runner()->probe(lastStage());
}

/*!
    Runs the pipeline until the last stage has written a line for which \a predicate returns \c
    true, ends all stages, and gives the line. See Command::firstLine().
*/
QFuture<Expected<QString>>
Pipeline::firstLine(const std::function<bool(QStringView line)> &predicate) const
{
    return runner()->firstLine(lastStage(), predicate);
}

/*!
    Runs the pipeline and gives its output as a JSON document; success is required. See
    Command::json().
*/
QFuture<Expected<QJsonDocument>> Pipeline::json() const
{
    return runner()->json(lastStage());
}

/*!
    \fn template<typename Parser> auto ProcessKit::Pipeline::parse(Parser parser) const

    Runs the pipeline and gives what \a parser makes of its output; success is required. See
    ProcessRunner::parse().
*/

/*!
    Runs the pipeline and gives each line of its output as a JSON document; success is required. See
    Command::jsonLines().
*/
QFuture<Expected<QList<QJsonDocument>>> Pipeline::jsonLines() const
{
    return runner()->jsonLines(lastStage());
}

/*!
    \relates ProcessKit::Pipeline

    Returns \a pipeline with \a stage behind its others.
*/
Pipeline operator|(const Pipeline &pipeline, const Command &stage)
{
    return pipeline.withStage(stage);
}

/*!
    \relates ProcessKit::Pipeline

    Returns the pipeline in which \a second reads what \a first writes.
*/
Pipeline operator|(const Command &first, const Command &second)
{
    return Pipeline({ first, second });
}

/*!
    \fn bool ProcessKit::Pipeline::operator==(const Pipeline &a, const Pipeline &b)

    Returns \c true if the stages and the timeouts of \a a and \a b are equal. Stop tokens are not
    compared.
*/

/*!
    \fn bool ProcessKit::Pipeline::operator!=(const Pipeline &a, const Pipeline &b)

    Returns \c true if \a a and \a b are not equal.
*/
bool operator==(const Pipeline &a, const Pipeline &b) noexcept
{
    return a.d == b.d || (a.d->stages == b.d->stages && a.d->timeout == b.d->timeout);
}

std::unique_ptr<ProcessRunner> Pipeline::runner() const
{
    return std::make_unique<PipelineRunner>(*d);
}

Command Pipeline::lastStage() const
{
    return d->stages.isEmpty() ? Command() : d->stages.last();
}

#ifndef QT_NO_DEBUG_STREAM
/*!
    \relates ProcessKit::Pipeline

    Writes the stages of \a pipeline to \a debug, as those of Command are written.
*/
QDebug operator<<(QDebug debug, const Pipeline &pipeline)
{
    const QDebugStateSaver saver(debug);
    debug.nospace() << "Pipeline(" << pipeline.stages() << ')';
    return debug;
}
#endif

} // namespace ProcessKit
