// SPDX-License-Identifier: MIT
#include "processresult_p.h"

#include "capture_p.h"
#include "processerror_p.h"

#include <QtCore/qdebug.h>

#include <string.h>

#include <algorithm>

namespace ProcessKit {

/*!
    \enum ProcessKit::Outcome
    \brief How a run has come to its end.

    \value NotStarted
        It was never started: ProcessResult::error() tells why.
    \value Exited
        The process has exited by itself, with ProcessResult::exitCode(). Also where firstLine() has
        ended it because the line was there.
    \value Signalled
        A signal has ended it: ProcessResult::signal().
    \value TimedOut
        Its time was over, and its tree was ended. See Command::withTimeout().
    \value WentQuiet
        It wrote nothing for too long, and its tree was ended. See Command::withInactivityTimeout().
    \value Cancelled
        A stop was requested, and its tree was ended. See Command::withStopToken().
    \value Unknown
        Its end was not seen: somebody else has taken the exit status, see
        ContainedProcess::exitCode(), or its group keeper was killed.

    A process that had exited before its time was over or a stop was requested keeps its outcome,
    however late its output is read. A cancellation beats a timeout.

    \sa ProcessResult::outcome()
*/

/*!
    \class ProcessKit::ResourceUsage
    \inmodule ProcessKit
    \inheaderfile ProcessKit/ProcessResult
    \brief What a run has used, as the kernel counts it.

    The times are those of the whole tree where its cgroup (cpu.stat) or its group keeper counts
    them; with Mechanism::ProcessGroup they are those of the direct child and of what that has
    waited for (getrusage(2)). A tree whose members were left to go on has used what it had when the
    result was made.

    \sa ProcessResult::resourceUsage()
*/

/*!
    \variable ProcessKit::ResourceUsage::userTime
    \brief Processor time in user mode.
*/

/*!
    \variable ProcessKit::ResourceUsage::systemTime
    \brief Processor time in the kernel.
*/

/*!
    \property ProcessKit::ResourceUsage::maximumResidentBytes
    \brief The most memory that was resident at a time, in bytes: that of the largest process, not
    of all of them together.
*/

/*!
    \variable ProcessKit::ResourceUsage::maximumResidentBytes
    \brief The most memory that was resident at a time, in bytes.
*/

/*!
    \fn bool ProcessKit::ResourceUsage::operator==(const ResourceUsage &, const ResourceUsage &)

    Returns \c true if both are equal in every field.
*/

/*!
    \class ProcessKit::ProcessResult
    \inmodule ProcessKit
    \inheaderfile ProcessKit/ProcessResult
    \brief What came of a run: how it ended, and what was written.

    \code
    const ProcessResult result = Command("make").withTimeout(10min).output().result();
    if (!result.isSuccess())
        qWarning() << result.error() << "after" << result.standardOutputLineCount() << "lines";
    \endcode

    outcome() tells how the run ended; that is data, not a judgement. isSuccess(), error() and
    ensureSuccess() judge it by the success codes of the command.

    An object is an implicitly shared value, and its functions are reentrant. Text is decoded at
    each call: keep it where it is needed more than once.

    A runner that starts nothing makes results with fromExitCode() and its like.

    \sa Command::output(), Pipeline::output()
*/

QString ProcessResultData::decoded(const QByteArray &encoded) const
{
    if (decoder)
        return decoder(encoded);
    // without a state: a character that is cut off at the end is told of, not waited for
    QStringDecoder convert(encoding, QStringConverter::Flag::Stateless);
    return convert(encoded);
}

void ProcessResultData::setCommand(const CommandData &command)
{
    program = command.program;
    successCodes = command.successCodes;
    encoding = command.encoding;
    decoder = command.decoder;
    timeout = command.timeout.value_or(std::chrono::milliseconds(-1));
}

/*!
    Constructs a result of nothing: Outcome::NotStarted. The error is ProcessError::Kind::Spawn.
*/
ProcessResult::ProcessResult() : d(new ProcessResultData) { }
ProcessResult::ProcessResult(ProcessResultData *data) : d(data) { }
/*!
    Constructs a copy of \a other.
*/
ProcessResult::ProcessResult(const ProcessResult &other) = default;
/*!
    Moves \a other into a new object. Nothing may be done with \a other afterwards but to assign to
    it or to destroy it.
*/
ProcessResult::ProcessResult(ProcessResult &&other) noexcept = default;
/*!
    Assigns \a other.
*/
ProcessResult &ProcessResult::operator=(const ProcessResult &other) = default;
/*!
    Moves \a other here. Nothing may be done with \a other afterwards but to assign to it or to
    destroy it.
*/
ProcessResult &ProcessResult::operator=(ProcessResult &&other) noexcept = default;
/*!
    Destroys the value.
*/
ProcessResult::~ProcessResult() = default;

namespace {

ProcessResultData *made(Outcome outcome, int code, const QByteArray &standardOutput,
                        const QByteArray &standardError)
{
    auto *data = new ProcessResultData;
    data->isMade = true;
    data->outcome = outcome;
    data->code = code;
    data->attempts = 1;
    data->bytes = { standardOutput, standardError };
    for (const std::size_t channel : { 0, 1 }) {
        Capture capture; // which counts
        capture.append(data->bytes[channel]);
        data->byteCounts[channel] = capture.byteCount();
        data->lineCounts[channel] = capture.lineCount();
    }
    return data;
}

} // namespace

/*!
    Returns the result of a process that has exited with \a exitCode, after it wrote \a
    standardOutput and \a standardError.

    This and the following functions are for a ProcessRunner that starts nothing, as a test has one.
    What they return is of no program, and 0 is its only success code; see withCommand(). Nothing
    was dropped of it, and it was held by Mechanism::None.

    \code
    class Fake : public ProcessRunner
    {
    public:
        QFuture<ProcessResult> execute(const Command &command, const Options &) override
        {
            return QtFuture::makeReadyFuture(answers.value(command.arguments().value(0)));
        }
        QHash<QString, ProcessResult> answers; // to the first argument
    };
    \endcode

    \sa fromSignal(), fromOutcome(), fromError()
*/
ProcessResult ProcessResult::fromExitCode(int exitCode, const QByteArray &standardOutput,
                                          const QByteArray &standardError)
{
    return ProcessResult(made(Outcome::Exited, exitCode, standardOutput, standardError));
}

/*!
    Returns the result of a process that \a signal has ended, after it wrote \a standardOutput and
    \a standardError.
*/
ProcessResult ProcessResult::fromSignal(int signal, const QByteArray &standardOutput,
                                        const QByteArray &standardError)
{
    return ProcessResult(made(Outcome::Signalled, signal, standardOutput, standardError));
}

/*!
    Returns the result of a process with the \a outcome Outcome::TimedOut, Outcome::WentQuiet,
    Outcome::Cancelled or Outcome::Unknown, which had written \a standardOutput and \a
    standardError by then. For other outcomes there are other functions.
*/
ProcessResult ProcessResult::fromOutcome(Outcome outcome, const QByteArray &standardOutput,
                                         const QByteArray &standardError)
{
    return ProcessResult(made(outcome, 0, standardOutput, standardError));
}

/*!
    Returns the result of a start that has failed with \a error: Outcome::NotStarted, or
    Outcome::Cancelled if that is the kind of the error.
*/
ProcessResult ProcessResult::fromError(const ProcessError &error)
{
    const bool isCancelled = error.kind() == ProcessError::Kind::Cancelled;
    ProcessResult result(made(isCancelled ? Outcome::Cancelled : Outcome::NotStarted, 0, {}, {}));
    result.d->attempts = 0;
    result.d->program = error.program();
    result.d->error = error;
    return result;
}

/*!
    Returns a copy that is a result of \a command: with its program(), its success codes, its
    encoding and decoder, and its timeout for the text of an error. The output stays as it is: text
    and output policies, handlers and tees are for those who run the command.
*/
ProcessResult ProcessResult::withCommand(const Command &command) const
{
    ProcessResult result = *this;
    result.d->setCommand(*command.d);
    return result;
}

/*!
    \property ProcessKit::ProcessResult::program
    \brief The program as it was given. Of a pipeline, that of the stage to blame, or of the last
    one.
*/
QString ProcessResult::program() const
{
    return d->program;
}

/*!
    \property ProcessKit::ProcessResult::outcome
    \brief How the run has ended.
*/
Outcome ProcessResult::outcome() const noexcept
{
    return d->outcome;
}

/*!
    Returns the exit code, if the process has exited by itself.
*/
std::optional<int> ProcessResult::exitCode() const noexcept
{
    return d->outcome == Outcome::Exited ? std::optional(d->code) : std::nullopt;
}

/*!
    Returns the number of the signal that has ended the process (signal(7)), if one did and nobody
    here had ordered it by a timeout or a cancellation.
*/
std::optional<int> ProcessResult::signal() const noexcept
{
    return d->outcome == Outcome::Signalled ? std::optional(d->code) : std::nullopt;
}

/*!
    Returns the name of signal(), such as \c SIGTERM. It is empty where there is no signal or it has
    no name, as real-time signals.
*/
QString ProcessResult::signalName() const
{
    const char *name = d->outcome == Outcome::Signalled ? ::sigabbrev_np(d->code) : nullptr;
    return name ? QLatin1String("SIG") + QLatin1String(name) : QString();
}

/*!
    \property ProcessKit::ProcessResult::success
    \brief Whether the process has exited with one of Command::successCodes(), and nothing was wrong
    besides.

    What is wrong besides is more output than a policy of OutputPolicy::Overflow::Fail allows, and
    an input that could not be written.
*/
bool ProcessResult::isSuccess() const noexcept
{
    return d->outcome == Outcome::Exited && d->successCodes.contains(d->code) && !d->error;
}

/*!
    Returns \c true if the process was ended by its timeout or its inactivity timeout.
*/
bool ProcessResult::timedOut() const noexcept
{
    return d->outcome == Outcome::TimedOut || d->outcome == Outcome::WentQuiet;
}

/*!
    Returns what stands between this result and a success; no error if isSuccess(). The kind follows
    the outcome():

    \table
        \header
            \li Outcome
            \li ProcessError::Kind
        \row
            \li NotStarted
            \li that of the start
        \row
            \li Exited
            \li Exit; with a success code OutputTooLarge or Input
        \row
            \li Signalled
            \li Signalled
        \row
            \li TimedOut
            \li Timeout
        \row
            \li WentQuiet
            \li InactivityTimeout
        \row
            \li Cancelled
            \li Cancelled
        \row
            \li Unknown
            \li Spawn
    \endtable

    An error of a process that has run has its output: ProcessError::standardOutput() and
    ProcessError::standardError(). That of a cancellation has none.
*/
ProcessError ProcessResult::error() const
{
    using Kind = ProcessError::Kind;
    if (isSuccess())
        return {};
    const bool otherwiseFine = d->outcome == Outcome::Exited && d->successCodes.contains(d->code);
    const bool hasRun = d->outcome != Outcome::NotStarted && d->outcome != Outcome::Cancelled
            && d->outcome != Outcome::Unknown;
    if (otherwiseFine || (!hasRun && d->error))
        return d->error;
    auto *error = new ProcessErrorData;
    error->program = d->program;
    switch (d->outcome) {
    case Outcome::Exited:
        error->kind = Kind::Exit;
        error->operation = QStringLiteral("exit code %1").arg(d->code);
        error->exitCode = d->code;
        break;
    case Outcome::Signalled:
        error->kind = Kind::Signalled;
        error->operation = signalName();
        error->signal = d->code;
        break;
    case Outcome::TimedOut:
        error->kind = Kind::Timeout;
        error->operation = d->timeout.count() >= 0
                ? QStringLiteral("timeout after %1 ms").arg(d->timeout.count())
                : QStringLiteral("timeout");
        break;
    case Outcome::WentQuiet:
        error->kind = Kind::InactivityTimeout;
        error->operation = QStringLiteral("no output for too long");
        break;
    case Outcome::Cancelled:
        error->kind = Kind::Cancelled;
        error->operation = QStringLiteral("cancelled");
        return ProcessError(error);
    case Outcome::NotStarted:
        error->kind = Kind::Spawn;
        error->operation = QStringLiteral("nothing was started");
        return ProcessError(error);
    case Outcome::Unknown:
        error->kind = Kind::Spawn;
        error->operation = QStringLiteral("the exit was not observed");
        break;
    }
    error->standardOutput = standardOutput();
    error->standardError = standardError();
    return ProcessError(error);
}

/*!
    Returns this result if isSuccess(), and error() otherwise.
*/
Expected<ProcessResult> ProcessResult::ensureSuccess() const
{
    const ProcessError problem = error();
    return problem ? Expected<ProcessResult>(problem) : Expected<ProcessResult>(*this);
}

/*!
    \property ProcessKit::ProcessResult::standardOutput
    \brief What was written to standard output, decoded, as far as it was kept.
*/
QString ProcessResult::standardOutput() const
{
    return d->decoded(d->bytes[0]);
}

/*!
    \property ProcessKit::ProcessResult::standardError
    \brief What was written to standard error, decoded, as far as it was kept. Of a pipeline, that
    of the stage to blame, or of the last one.
*/
QString ProcessResult::standardError() const
{
    return d->decoded(d->bytes[1]);
}

/*!
    Returns what was written to standard output, as far as it was kept. With a text policy it is the
    UTF-8 of the new text: see Command::withRedaction().
*/
QByteArray ProcessResult::standardOutputBytes() const
{
    return d->bytes[0];
}

/*!
    Returns what was written to standard error, as standardOutputBytes() does for standard output.
*/
QByteArray ProcessResult::standardErrorBytes() const
{
    return d->bytes[1];
}

/*!
    \property ProcessKit::ProcessResult::combinedOutput
    \brief Both streams together, in the order of reading.

    That is not always the order of writing; with Command::withMergedErrors() standardOutput() has
    it. Where something was dropped, a text policy was applied, or a pipeline blames a stage, it is
    standard output followed by standard error.
*/
QString ProcessResult::combinedOutput() const
{
    if (d->order.isEmpty()) {
        const QString output = standardOutput();
        const QString errors = standardError();
        const bool needsLineEnd = !output.isEmpty() && !errors.isEmpty() && !output.endsWith(u'\n');
        return needsLineEnd ? output + u'\n' + errors : output + errors;
    }
    QByteArray combined;
    combined.reserve(d->bytes[0].size() + d->bytes[1].size());
    qint64 taken[2] = { 0, 0 };
    for (const ProcessResultData::Piece &piece : std::as_const(d->order)) {
        const QByteArray &bytes = d->bytes[std::size_t(piece.channel)];
        combined.append(bytes.constData() + taken[piece.channel], piece.length);
        taken[piece.channel] += piece.length;
    }
    return d->decoded(combined);
}

/*!
    Returns what the process had to say about itself: standard error, or standard output where the
    former holds nothing but white space.
*/
QString ProcessResult::diagnostic() const
{
    const QString errors = standardError();
    return errors.trimmed().isEmpty() ? standardOutput() : errors;
}

/*!
    Returns \c true if one of \a texts is in standard output or standard error, in upper or lower
    case.
*/
bool ProcessResult::containsAny(const QStringList &texts) const
{
    const QString output = standardOutput();
    const QString errors = standardError();
    return std::any_of(texts.begin(), texts.end(), [&](const QString &text) {
        return output.contains(text, Qt::CaseInsensitive)
                || errors.contains(text, Qt::CaseInsensitive);
    });
}

/*!
    Returns how many bytes came from standard output, those included that were not kept.
*/
qint64 ProcessResult::standardOutputByteCount() const noexcept
{
    return d->byteCounts[0];
}

/*!
    Returns how many bytes came from standard error, those included that were not kept.
*/
qint64 ProcessResult::standardErrorByteCount() const noexcept
{
    return d->byteCounts[1];
}

/*!
    Returns how many lines came from standard output, those included that were not kept. A last one
    without a line end counts.
*/
qint64 ProcessResult::standardOutputLineCount() const noexcept
{
    return d->lineCounts[0];
}

/*!
    Returns how many lines came from standard error, as standardOutputLineCount() does for standard
    output.
*/
qint64 ProcessResult::standardErrorLineCount() const noexcept
{
    return d->lineCounts[1];
}

/*!
    \property ProcessKit::ProcessResult::truncated
    \brief Whether the OutputPolicy has dropped something of either stream.
*/
bool ProcessResult::isTruncated() const noexcept
{
    return d->truncated;
}

/*!
    \property ProcessKit::ProcessResult::streamsCut
    \brief Whether a stream had not ended when it was no longer read, because others than the
    process still held it. See Leftovers.
*/
bool ProcessResult::streamsCut() const noexcept
{
    return d->cut;
}

/*!
    Returns the time from the launch to the exit of the process; 0 if it was not started. Of a
    command that was retried it is that of the last attempt, of a pipeline the longest of its
    stages.
*/
std::chrono::nanoseconds ProcessResult::duration() const noexcept
{
    return d->duration;
}

/*!
    Returns how many attempts were made to run the command, retries included. A command that was
    refused before anything was done counts 0.
*/
int ProcessResult::attempts() const noexcept
{
    return d->attempts;
}

/*!
    Returns those that were alive when the process had exited by itself. It is empty in a
    ProcessGroup and of a Pipeline, where they are not looked for.

    \sa Command::withLeftovers()
*/
QList<ProcessInfo> ProcessResult::leftovers() const
{
    return d->leftovers;
}

/*!
    \property ProcessKit::ProcessResult::mechanism
    \brief What held the tree; Mechanism::None if nothing was started.
*/
Mechanism ProcessResult::mechanism() const noexcept
{
    return d->mechanism;
}

/*!
    Returns what the run has used, if it is known. Of a pipeline it is that of the last stage.
*/
std::optional<ResourceUsage> ProcessResult::resourceUsage() const noexcept
{
    return d->usage;
}

/*!
    Returns how many processes of the tree the kernel has killed because its group needed more
   memory than ResourceLimits::memoryMax: this tells such an end from any other SIGKILL. It is known
   in a ProcessGroup that has a limit of memory or of tasks with it; no value otherwise.
*/
std::optional<qint64> ProcessResult::oomKills() const noexcept
{
    return d->oomKills;
}

/*!
    \fn bool ProcessKit::ProcessResult::operator==(const ProcessResult &a, const ProcessResult &b)

    Returns \c true if \a a and \a b have the same program, outcome, code, output, error, duration,
    leftovers and flags.
*/

/*!
    \fn bool ProcessKit::ProcessResult::operator!=(const ProcessResult &a, const ProcessResult &b)

    Returns \c true if \a a and \a b are not equal.
*/
bool operator==(const ProcessResult &a, const ProcessResult &b) noexcept
{
    if (a.d == b.d)
        return true;
    return a.d->program == b.d->program && a.d->outcome == b.d->outcome && a.d->code == b.d->code
            && a.d->bytes == b.d->bytes && a.d->error == b.d->error
            && a.d->truncated == b.d->truncated && a.d->cut == b.d->cut
            && a.d->duration == b.d->duration && a.d->leftovers == b.d->leftovers;
}

#ifndef QT_NO_DEBUG_STREAM
/*!
    \relates ProcessKit::ProcessResult

    Writes the outcome of \a result and how many bytes were written to \a debug. The output itself
    and the program are left out, for they may be secret.
*/
QDebug operator<<(QDebug debug, const ProcessResult &result)
{
    // what was written may be secret; how much it was is not
    const QDebugStateSaver saver(debug);
    debug.nospace() << "ProcessResult(" << result.outcome();
    if (const auto code = result.exitCode())
        debug << ", code " << *code;
    if (result.signal())
        debug << ", " << result.signalName();
    debug << ", " << result.standardOutputByteCount() << " + " << result.standardErrorByteCount()
          << " bytes" << (result.isTruncated() ? ", truncated" : "") << ')';
    return debug;
}
#endif

} // namespace ProcessKit
