// SPDX-License-Identifier: MIT
#include <ProcessKit/processrunner.h>

#include "cancelwatch_p.h"
#include "commandrun_p.h"
#include "linesplitter_p.h"
#include "processgroup_p.h"
#include "processresult_p.h"

#include <ProcessKit/processgroup.h>

#include <algorithm>

namespace ProcessKit {

/*!
    \class ProcessKit::ProcessRunner
    \inmodule ProcessKit
    \inheaderfile ProcessKit/ProcessRunner
    \brief Carries commands out; the place where something else can be put instead.

    The verbs of Command are short for those of instance(). Code that takes a ProcessRunner, as
    CliClient does, can be given another one: one that starts in a ProcessGroup, see GroupRunner, or
    one for a test that starts nothing.

    execute() is the only function to implement. All verbs are made of it: they check and convert
    the ProcessResult that it gives, which can be made by hand: see ProcessResult::fromExitCode().

    \code
    class Recorder : public ProcessRunner
    {
    public:
        QFuture<ProcessResult> execute(const Command &command, const Options &options) override
        {
            commands.append(command.commandLine());
            return ProcessRunner::instance().execute(command, options);
        }
        QStringList commands;
    };
    \endcode

    The verbs are thread-safe if execute() is, as those of instance() and of a GroupRunner are. A
    runner of one's own may be destroyed while futures of it are not finished, as far as its own
    execute() allows it.
*/

/*!
    \class ProcessKit::ProcessRunner::Options
    \inmodule ProcessKit
    \inheaderfile ProcessKit/ProcessRunner
    \brief What a verb asks of ProcessRunner::execute() beside the command.
*/

/*!
    \variable ProcessKit::ProcessRunner::Options::successRequired
    \brief Whether everything but a success is a failure, and is retried as Command::retryPolicy()
    says. The default is \c false.
*/

/*!
    \variable ProcessKit::ProcessRunner::Options::wholeOutputRequired
    \brief Whether it is an error, ProcessError::Kind::OutputTooLarge, when the output policy has
    dropped something. The default is \c false.
*/

/*!
    \variable ProcessKit::ProcessRunner::Options::until
    \brief Where it is set, the tree is ended at the first line of standard output for which it
    returns \c true.

    It is called on the I/O thread, and must be quick and not block.
*/

/*!
    \fn QFuture<ProcessResult> ProcessKit::ProcessRunner::execute(const Command &command, const Options &options)

    Runs \a command as \a options ask for, and gives its result: one for every end but that by
    QFuture::cancel(), which needs a QCoreApplication. It does not block.

    An implementation has to finish the future on a thread where those who have attached something
    to it may block, and only when nothing of the command is left that was to be ended.
*/

/*!
    \fn template<typename Parser> auto ProcessKit::ProcessRunner::parse(const Command &command, Parser parser)

    Runs \a command and gives what \a parser makes of its standard output. Success is required, as
    for run().

    The parser is a function of a QString, the whole output. It returns the value, or an Expected
    with the value or an error; see ProcessError::parseError(). The future is a
    \c{QFuture<Expected<T>>} for both. The parser is called on a thread of ProcessKit's own, where
    it may block.

    \code
    const auto count = [](const QString &text) { return text.count('\n'); };
    const Expected<int> files = Command("git", { "ls-files" }).parse(count).result();
    \endcode
*/

/*!
    \class ProcessKit::GroupRunner
    \inmodule ProcessKit
    \inheaderfile ProcessKit/ProcessRunner
    \brief Starts commands as members of a ProcessGroup.

    What outlives a command stays in the group: see Leftovers. A time or a cancellation of a command
    ends the tree of that command, and of nobody else. While the group is suspended, a start fails
    with ProcessError::Kind::Suspended.

    It may outlive the group. The end of the group ends what runs in it; the results then tell of a
    signal. What is started afterwards is held like a group of its own, which nobody ends but this
    program's end.
*/

// Starts everything for real, each in a container of its own.
class DefaultRunner final : public ProcessRunner
{
public:
    QFuture<ProcessResult> execute(const Command &command, const Options &options) override
    {
        return CommandRun::start(command, options);
    }

private:
    void carryOut(const Command &command, const Options &options, CancelWatch watch,
                  Done done) override
    {
        CommandRun::start(command, options, {}, std::move(watch), std::move(done));
    }
};

namespace {

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

/*!
    Destroys the runner.
*/
ProcessRunner::~ProcessRunner() = default;

/*!
    Returns the runner that starts everything for real, each command in a container of its own. It
    can be used on any thread until the program ends.
*/
ProcessRunner &ProcessRunner::instance()
{
    static DefaultRunner runner;
    return runner;
}

/*!
    Runs \a command and gives its result. See Command::output().
*/
QFuture<ProcessResult> ProcessRunner::output(const Command &command)
{
    return execute(command, {});
}

/*!
    Runs \a command and gives its standard output as bytes; success is required. See
    Command::outputBytes().
*/
QFuture<Expected<QByteArray>> ProcessRunner::outputBytes(const Command &command)
{
    return checked<QByteArray>(command, [](const ProcessResult &result) {
        return Expected<QByteArray>(result.standardOutputBytes());
    });
}

/*!
    Runs \a command and gives its standard output without white space at its end; success is
    required. See Command::run().
*/
QFuture<Expected<QString>> ProcessRunner::run(const Command &command)
{
    return checked<QString>(command, [](const ProcessResult &result) {
        return Expected<QString>(withoutTrailingSpace(result.standardOutput()));
    });
}

/*!
    Runs \a command and gives its exit code. See Command::exitCode().
*/
QFuture<Expected<int>> ProcessRunner::exitCode(const Command &command)
{
    return converted<int>(command, {}, [](const ProcessResult &result) {
        const std::optional<int> code = result.exitCode();
        return code ? Expected<int>(*code) : Expected<int>(result.error());
    });
}

/*!
    Runs \a command and gives \c true for the exit code 0, \c false for 1, and an error for
    everything else. See Command::probe().
*/
QFuture<Expected<bool>> ProcessRunner::probe(const Command &command)
{
    return converted<bool>(command.withSuccessCodes({ 0, 1 }), {}, [](const ProcessResult &result) {
        const ProcessError error = result.error();
        // a runner of another kind need not know what counts as a success here
        const bool isAnswer = !error
                || (error.kind() == ProcessError::Kind::Exit
                    && (error.exitCode() == 0 || error.exitCode() == 1));
        return isAnswer ? Expected<bool>(result.exitCode() == 0) : Expected<bool>(error);
    });
}

/*!
    Runs \a command until a line of standard output for which \a predicate returns \c true, ends its
    tree, and gives the line. See Command::firstLine().
*/
QFuture<Expected<QString>>
ProcessRunner::firstLine(const Command &command,
                         const std::function<bool(QStringView line)> &predicate)
{
    Options options;
    options.until = predicate ? predicate : [](QStringView) { return true; };
    const auto until = options.until;
    return converted<QString>(command, options, [until](const ProcessResult &result) {
        if (const std::optional<QString> line = foundLine(result, until))
            return Expected<QString>(*line);
        // one that has ended without it has answered as well
        const bool hasEnded =
                result.outcome() == Outcome::Exited || result.outcome() == Outcome::Signalled;
        return hasEnded ? Expected<QString>(QString()) : Expected<QString>(result.error());
    });
}

/*!
    Runs \a command and gives its standard output as a JSON document; success is required. See
    Command::json().
*/
QFuture<Expected<QJsonDocument>> ProcessRunner::json(const Command &command)
{
    return checked<QJsonDocument>(command, [](const ProcessResult &result) {
        return parsedJson(result.program(), result.standardOutputBytes(), {});
    });
}

/*!
    Runs \a command and gives each line of its standard output as a JSON document; success is
    required. See Command::jsonLines().
*/
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

std::optional<QString> ProcessRunner::foundLine(const ProcessResult &result,
                                                const std::function<bool(QStringView)> &until)
{
    if (!result.d->isMade)
        return result.d->foundLine;
    // there was no run during which somebody could have looked
    LineSplitter splitter(QProcess::StandardOutput, result.d->encoding);
    QList<OutputLine> lines;
    qint64 number = 0;
    splitter.feed(result.d->bytes[0], &lines, &number);
    splitter.finish(&lines, &number);
    const auto found = std::find_if(lines.cbegin(), lines.cend(), [&until](const OutputLine &line) {
        return until(line.text());
    });
    return found == lines.cend() ? std::nullopt : std::optional(found->toString());
}

ProcessRunner::CancelWatch ProcessRunner::cancellationOf(const QFuture<void> &future)
{
    return [future](std::function<void()> cancel) {
        return watchCancellation(future, std::move(cancel));
    };
}

void ProcessRunner::carryOut(const Command &command, const Options &options, CancelWatch watch,
                             Done done)
{
    using Native::Reactor;
    const QFuture<ProcessResult> future = execute(command, options);
    const auto finish = [future, done = std::move(done)] {
        const std::optional<ProcessResult> result =
                future.resultCount() > 0 ? std::optional(future.result()) : std::nullopt;
        done(result ? &*result : nullptr);
    };
    int error = 0;
    // a runner of another kind may not have needed a reactor
    if (future.isFinished() || !Reactor::start(&error)) {
        whenFinished(QFuture<void>(future), finish);
        return;
    }
    const auto watching =
            std::make_shared<std::shared_ptr<void>>(); // lives and ends on the reactor
    Reactor::instance().post([future, watching, watch = std::move(watch)] {
        *watching = watch([future] { QFuture<ProcessResult>(future).cancel(); });
    });
    whenFinished(QFuture<void>(future), [watching, finish] {
        Reactor::instance().post(
                [watching] { Reactor::instance().afterTurn([ended = std::move(*watching)] {}); });
        finish();
    });
}

class GroupRunner::Private
{
public:
    std::shared_ptr<GroupState> state;
};

/*!
    Constructs a runner for \a group, which is not null.
*/
GroupRunner::GroupRunner(const ProcessGroup *group)
    : d(std::make_shared<Private>(Private{ group->d->state }))
{
}

/*!
    Destroys the runner. What it has started goes on.
*/
GroupRunner::~GroupRunner() = default;

/*!
    \reimp
*/
QFuture<ProcessResult> GroupRunner::execute(const Command &command, const Options &options)
{
    return CommandRun::start(inGroup(command), options, d->state);
}

void GroupRunner::carryOut(const Command &command, const Options &options, CancelWatch watch,
                           Done done)
{
    CommandRun::start(inGroup(command), options, d->state, std::move(watch), std::move(done));
}

Command GroupRunner::inGroup(const Command &command) const
{
    const bool isLeftOpen = command.requestedMechanism() == Mechanism::None;
    return isLeftOpen ? command.withMechanism(d->state->requested()) : command;
}

} // namespace ProcessKit
