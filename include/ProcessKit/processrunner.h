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

protected:
    template<typename T, typename Convert>
    QFuture<Expected<T>> converted(const QFuture<ProcessResult> &future, Convert convert)
    {
        auto promise = std::make_shared<QPromise<Expected<T>>>();
        QFuture<Expected<T>> converted = promise->future();
        promise->start();
        connectFutures(QFuture<void>(converted), QFuture<void>(future),
                       [promise, future, convert = std::move(convert)]() mutable {
                           // without a result it is the end of the promise that tells of the end
                           if (future.resultCount() > 0) {
                               QT_TRY
                               {
                                   promise->addResult(convert(future.result()));
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
        return converted;
    }

private:
    template<typename T, typename Convert>
    QFuture<Expected<T>> checked(const Command &command, Convert convert)
    {
        Options options;
        options.successRequired = true;
        options.wholeOutputRequired = true;
        return converted<T>(execute(command, options),
                            [convert = std::move(convert)](const ProcessResult &result) {
                                const ProcessError error = result.error();
                                return error ? Expected<T>(error) : convert(result);
                            });
    }

    // Runs \a finish when \a inner has finished, and cancels it when \a outer is cancelled.
    static void connectFutures(const QFuture<void> &outer, const QFuture<void> &inner,
                               std::function<void()> finish);
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
    class Private;
    std::shared_ptr<const Private> d;
};

} // namespace ProcessKit

#endif // PROCESSKIT_PROCESSRUNNER_H
