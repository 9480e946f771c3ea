// SPDX-License-Identifier: MIT
#ifndef PROCESSKIT_PIPELINE_H
#define PROCESSKIT_PIPELINE_H

#include <ProcessKit/command.h>

namespace ProcessKit {

class PipelineData;

class PROCESSKIT_EXPORT Pipeline
{
public:
    explicit Pipeline(const QList<Command> &stages = {});
    Pipeline(const Pipeline &other);
    Pipeline(Pipeline &&other) noexcept;
    Pipeline &operator=(const Pipeline &other);
    Pipeline &operator=(Pipeline &&other) noexcept;
    ~Pipeline();

    QList<Command> stages() const;
    std::optional<std::chrono::milliseconds> timeout() const;
    [[nodiscard]] Pipeline withStage(const Command &stage) const;
    [[nodiscard]] Pipeline withTimeout(std::chrono::milliseconds timeout) const;
    [[nodiscard]] Pipeline withStopToken(const std::stop_token &token) const;

    QFuture<ProcessResult> output() const;
    QFuture<Expected<QByteArray>> outputBytes() const;
    QFuture<Expected<QString>> run() const;
    QFuture<Expected<int>> exitCode() const;
    QFuture<Expected<bool>> probe() const;
    QFuture<Expected<QString>>
    firstLine(const std::function<bool(QStringView line)> &predicate = {}) const;
    QFuture<Expected<QJsonDocument>> json() const;
    QFuture<Expected<QList<QJsonDocument>>> jsonLines() const;
    template<typename Parser>
    auto parse(Parser parser) const
    {
        return runner()->parse(lastStage(), std::move(parser));
    }

    friend PROCESSKIT_EXPORT bool operator==(const Pipeline &a, const Pipeline &b) noexcept;
    friend bool operator!=(const Pipeline &a, const Pipeline &b) noexcept { return !(a == b); }

private:
    friend class PipelineRun;
    friend class PipelineSession;
    // runs what comes before the last stage in front of the command that it is given
    std::unique_ptr<ProcessRunner> runner() const;
    Command lastStage() const;
    QSharedDataPointer<PipelineData> d;
};

PROCESSKIT_EXPORT Pipeline operator|(const Pipeline &pipeline, const Command &stage);
PROCESSKIT_EXPORT Pipeline operator|(const Command &first, const Command &second);

#ifndef QT_NO_DEBUG_STREAM
PROCESSKIT_EXPORT QDebug operator<<(QDebug debug, const Pipeline &pipeline);
#endif

} // namespace ProcessKit

Q_DECLARE_TYPEINFO(ProcessKit::Pipeline, Q_RELOCATABLE_TYPE);

#endif // PROCESSKIT_PIPELINE_H
