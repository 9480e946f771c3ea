// SPDX-License-Identifier: MIT
#include "pipelinerun_p.h"

#include <QtCore/qdebug.h>

namespace ProcessKit {

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

Pipeline::Pipeline(const QList<Command> &stages) : d(new PipelineData)
{
    d->stages = stages;
}

Pipeline::Pipeline(const Pipeline &other) = default;
Pipeline::Pipeline(Pipeline &&other) noexcept = default;
Pipeline &Pipeline::operator=(const Pipeline &other) = default;
Pipeline &Pipeline::operator=(Pipeline &&other) noexcept = default;
Pipeline::~Pipeline() = default;

QList<Command> Pipeline::stages() const
{
    return d->stages;
}

std::optional<std::chrono::milliseconds> Pipeline::timeout() const
{
    return d->timeout;
}

Pipeline Pipeline::withStage(const Command &stage) const
{
    Pipeline pipeline = *this;
    pipeline.d->stages.append(stage);
    return pipeline;
}

Pipeline Pipeline::withTimeout(std::chrono::milliseconds timeout) const
{
    Pipeline pipeline = *this;
    pipeline.d->timeout = timeout;
    return pipeline;
}

Pipeline Pipeline::withStopToken(const std::stop_token &token) const
{
    Pipeline pipeline = *this;
    pipeline.d->stopToken = token;
    return pipeline;
}

QFuture<ProcessResult> Pipeline::output() const
{
    return runner()->output(lastStage());
}

QFuture<Expected<QByteArray>> Pipeline::outputBytes() const
{
    return runner()->outputBytes(lastStage());
}

QFuture<Expected<QString>> Pipeline::run() const
{
    return runner()->run(lastStage());
}

QFuture<Expected<int>> Pipeline::exitCode() const
{
    return runner()->exitCode(lastStage());
}

QFuture<Expected<bool>> Pipeline::probe() const
{
    return runner()->probe(lastStage());
}

QFuture<Expected<QString>>
Pipeline::firstLine(const std::function<bool(QStringView line)> &predicate) const
{
    return runner()->firstLine(lastStage(), predicate);
}

QFuture<Expected<QJsonDocument>> Pipeline::json() const
{
    return runner()->json(lastStage());
}

QFuture<Expected<QList<QJsonDocument>>> Pipeline::jsonLines() const
{
    return runner()->jsonLines(lastStage());
}

Pipeline operator|(const Pipeline &pipeline, const Command &stage)
{
    return pipeline.withStage(stage);
}

Pipeline operator|(const Command &first, const Command &second)
{
    return Pipeline({ first, second });
}

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
QDebug operator<<(QDebug debug, const Pipeline &pipeline)
{
    const QDebugStateSaver saver(debug);
    debug.nospace() << "Pipeline(" << pipeline.stages() << ')';
    return debug;
}
#endif

} // namespace ProcessKit
