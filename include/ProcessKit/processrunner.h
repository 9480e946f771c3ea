// SPDX-License-Identifier: MIT
#ifndef PROCESSKIT_PROCESSRUNNER_H
#define PROCESSKIT_PROCESSRUNNER_H

#include <ProcessKit/expected.h>
#include <ProcessKit/processresult.h>

#include <QtCore/qfuture.h>
#include <QtCore/qjsondocument.h>
#include <QtCore/qpromise.h>

#include <exception>
#include <functional>
#include <memory>
#include <type_traits>

namespace ProcessKit {

class Command;
class ProcessGroup;
class Profiler;

class PROCESSKIT_EXPORT ProcessRunner
{
public:
    // What a verb asks for beside the command.
    struct Options
    {
        bool successRequired = false; // and retried by the command's policy
        bool wholeOutputRequired = false; // what a policy has dropped is an error
        std::function<bool(QStringView line)> until; // ends the tree at the first such line
    };

    virtual ~ProcessRunner();
    static ProcessRunner &instance();

    virtual QFuture<ProcessResult> execute(const Command &command, const Options &options) = 0;

    QFuture<ProcessResult> output(const Command &command);
    QFuture<Expected<QByteArray>> outputBytes(const Command &command);
    QFuture<Expected<QString>> run(const Command &command);
    QFuture<Expected<int>> exitCode(const Command &command);
    QFuture<Expected<bool>> probe(const Command &command);
    QFuture<Expected<QString>>
    firstLine(const Command &command, const std::function<bool(QStringView line)> &predicate = {});
    QFuture<Expected<QJsonDocument>> json(const Command &command);
    QFuture<Expected<QList<QJsonDocument>>> jsonLines(const Command &command);

    template<typename Parser>
    auto parse(const Command &command, Parser parser)
    {
        using Parsed = std::invoke_result_t<Parser, QString>;
        if constexpr (isExpected<Parsed>) {
            return checked<typename Parsed::Value>(
                    command, [parser = std::move(parser)](const ProcessResult &result) {
                        return parser(result.standardOutput());
                    });
        } else {
            return checked<Parsed>(command,
                                   [parser = std::move(parser)](const ProcessResult &result) {
                                       return Expected<Parsed>(parser(result.standardOutput()));
                                   });
        }
    }

private:
    friend class BatchRun;
    friend class CommandRun;
    friend class DefaultRunner;
    friend class GroupRunner;
    friend class Profiler;

    // Makes what calls \a cancel for as long as it lives, on the I/O thread.
    using CancelWatch = std::function<std::shared_ptr<void>(std::function<void()> cancel)>;
    // Told the result, or null where a cancellation has left none; where it may block.
    using Done = std::function<void(const ProcessResult *result)>;

    // execute() without a future: for those who need none, and know of the cancellation themselves
    virtual void carryOut(const Command &command, const Options &options, CancelWatch watch,
                          Done done);
    static CancelWatch cancellationOf(const QFuture<void> &future);

    template<typename T, typename Convert>
    QFuture<Expected<T>> converted(const Command &command, const Options &options, Convert convert)
    {
        auto promise = std::make_shared<QPromise<Expected<T>>>();
        const QFuture<Expected<T>> future = promise->future();
        promise->start();
        carryOut(command, options, cancellationOf(QFuture<void>(future)),
                 [promise, convert = std::move(convert)](const ProcessResult *result) mutable {
                     // without a result it is the end of the promise that tells of the end
                     if (result) {
                         QT_TRY
                         {
                             if (!promise->isCanceled())
                                 promise->addResult(convert(*result));
                         }
                         QT_CATCH(...)
                         {
#ifndef QT_NO_EXCEPTIONS
                             promise->setException(std::current_exception());
#endif
                         }
                         promise->finish();
                     }
                     promise.reset();
                 });
        return future;
    }

    template<typename T, typename Convert>
    QFuture<Expected<T>> checked(const Command &command, Convert convert)
    {
        Options options;
        options.successRequired = true;
        options.wholeOutputRequired = true;
        return converted<T>(command, options,
                            [convert = std::move(convert)](const ProcessResult &result) {
                                const ProcessError error = result.error();
                                return error ? Expected<T>(error) : convert(result);
                            });
    }

    static std::optional<QString> foundLine(const ProcessResult &result,
                                            const std::function<bool(QStringView)> &until);
};

class PROCESSKIT_EXPORT GroupRunner final : public ProcessRunner
{
public:
    explicit GroupRunner(const ProcessGroup *group);
    ~GroupRunner() override;

    QFuture<ProcessResult> execute(const Command &command, const Options &options) override;

private:
    void carryOut(const Command &command, const Options &options, CancelWatch watch,
                  Done done) override;
    Command inGroup(const Command &command) const;
    class Private;
    std::shared_ptr<const Private> d;
};

} // namespace ProcessKit

#endif // PROCESSKIT_PROCESSRUNNER_H
