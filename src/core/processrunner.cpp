// SPDX-License-Identifier: MIT
#include <ProcessKit/processrunner.h>

#include "cancelwatch_p.h"
#include "commandrun_p.h"
#include "processgroup_p.h"
#include "processresult_p.h"

#include <ProcessKit/processgroup.h>

namespace ProcessKit {

namespace {

// Starts everything for real, each in a container of its own.
class DefaultRunner final : public ProcessRunner
{
public:
    QFuture<ProcessResult> execute(const Command &command, const Options &options) override
    {
        return CommandRun::start(command, options);
    }
};

QString withoutTrailingSpace(QString text)
{
    while (!text.isEmpty() && text.back().isSpace())
        text.chop(1);
    return text;
}

Expected<QJsonDocument> parsedJson(const QString &program, const QByteArray &bytes,
                                   const QString &where)
{
    QJsonParseError error;
    const QJsonDocument document = QJsonDocument::fromJson(bytes, &error);
    if (error.error == QJsonParseError::NoError)
        return document;
    return ProcessError::parseError(program,
                                    QStringLiteral("JSON%1, offset %2: %3")
                                            .arg(where)
                                            .arg(error.offset)
                                            .arg(error.errorString()));
}

} // namespace

ProcessRunner::~ProcessRunner() = default;

ProcessRunner &ProcessRunner::instance()
{
    static DefaultRunner runner;
    return runner;
}

QFuture<ProcessResult> ProcessRunner::output(const Command &command)
{
    return execute(command, {});
}

QFuture<Expected<QByteArray>> ProcessRunner::outputBytes(const Command &command)
{
    return checked<QByteArray>(command, [](const ProcessResult &result) {
        return Expected<QByteArray>(result.standardOutputBytes());
    });
}

QFuture<Expected<QString>> ProcessRunner::run(const Command &command)
{
    return checked<QString>(command, [](const ProcessResult &result) {
        return Expected<QString>(withoutTrailingSpace(result.standardOutput()));
    });
}

QFuture<Expected<int>> ProcessRunner::exitCode(const Command &command)
{
    return converted<int>(execute(command, {}), [](const ProcessResult &result) {
        const std::optional<int> code = result.exitCode();
        return code ? Expected<int>(*code) : Expected<int>(result.error());
    });
}

QFuture<Expected<bool>> ProcessRunner::probe(const Command &command)
{
    return converted<bool>(
            execute(command.withSuccessCodes({ 0, 1 }), {}), [](const ProcessResult &result) {
                const ProcessError error = result.error();
                // a runner of another kind need not know what counts as a success here
                const bool isAnswer = !error
                        || (error.kind() == ProcessError::Kind::Exit
                            && (error.exitCode() == 0 || error.exitCode() == 1));
                return isAnswer ? Expected<bool>(result.exitCode() == 0) : Expected<bool>(error);
            });
}

QFuture<Expected<QString>>
ProcessRunner::firstLine(const Command &command,
                         const std::function<bool(QStringView line)> &predicate)
{
    Options options;
    options.until = predicate ? predicate : [](QStringView) { return true; };
    return converted<QString>(execute(command, options), [](const ProcessResult &result) {
        if (const std::optional<QString> line = foundLine(result))
            return Expected<QString>(*line);
        // one that has ended without it has answered as well
        const bool hasEnded =
                result.outcome() == Outcome::Exited || result.outcome() == Outcome::Signalled;
        return hasEnded ? Expected<QString>(QString()) : Expected<QString>(result.error());
    });
}

QFuture<Expected<QJsonDocument>> ProcessRunner::json(const Command &command)
{
    return checked<QJsonDocument>(command, [](const ProcessResult &result) {
        return parsedJson(result.program(), result.standardOutputBytes(), {});
    });
}

QFuture<Expected<QList<QJsonDocument>>> ProcessRunner::jsonLines(const Command &command)
{
    using Documents = QList<QJsonDocument>;
    return checked<Documents>(command, [](const ProcessResult &result) {
        Documents documents;
        int number = 0;
        const QList<QByteArray> lines = result.standardOutputBytes().split('\n');
        for (const QByteArray &line : lines) {
            ++number;
            if (line.trimmed().isEmpty())
                continue;
            const Expected<QJsonDocument> document =
                    parsedJson(result.program(), line, QStringLiteral(", line %1").arg(number));
            if (!document)
                return Expected<Documents>(document.error());
            documents.append(*document);
        }
        return Expected<Documents>(documents);
    });
}

std::optional<QString> ProcessRunner::foundLine(const ProcessResult &result)
{
    return result.d->foundLine;
}

void ProcessRunner::connectFutures(const QFuture<void> &outer, const QFuture<void> &inner,
                                   std::function<void()> finish)
{
    using Native::Reactor;
    int error = 0;
    // a runner of another kind may not have needed a reactor
    if (inner.isFinished() || !Reactor::start(&error)) {
        whenFinished(inner, std::move(finish));
        return;
    }
    const auto watch = std::make_shared<std::shared_ptr<void>>(); // lives and ends on the reactor
    Reactor::instance().post([outer, inner, watch] {
        *watch = watchCancellation(outer, [inner] { QFuture<void>(inner).cancel(); });
    });
    whenFinished(inner, [watch, finish = std::move(finish)] {
        Reactor::instance().post(
                [watch] { Reactor::instance().afterTurn([ended = std::move(*watch)] {}); });
        finish();
    });
}

class GroupRunner::Private
{
public:
    std::shared_ptr<GroupState> state;
};

GroupRunner::GroupRunner(const ProcessGroup *group)
    : d(std::make_shared<Private>(Private{ group->d->state }))
{
}

GroupRunner::~GroupRunner() = default;

QFuture<ProcessResult> GroupRunner::execute(const Command &command, const Options &options)
{
    const bool isLeftOpen = command.requestedMechanism() == Mechanism::None;
    return CommandRun::start(isLeftOpen ? command.withMechanism(d->state->requested()) : command,
                             options, d->state);
}

} // namespace ProcessKit
