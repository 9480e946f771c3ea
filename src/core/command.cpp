// SPDX-License-Identifier: MIT
#include "command_p.h"

#include "linerelay_p.h"

#include <ProcessKit/containedprocess.h>

#include <QtCore/qdebug.h>

#include <algorithm>

namespace ProcessKit {

/*!
    \class ProcessKit::Command
    \inmodule ProcessKit
    \inheaderfile ProcessKit/Command
    \brief A program and everything that decides how it is run, as a value.

    \code
    Command git("git", { "rev-parse", "HEAD" });
    ProcessResult result = git.output().result(); // blocks; needs no event loop
    git.withTimeout(30s).run().then(this, [](Expected<QString> head) { ... });
    \endcode

    The functions whose names begin with \c with return a changed copy and leave the command as it
    is. The verbs carry it out; each has a container of its own for the run, and gives a QFuture:

    \table
        \header
            \li Verb
            \li The future's value
            \li An error is
        \row
            \li output()
            \li ProcessResult
            \li part of the result: a start that failed, an exit code or a timeout is data
        \row
            \li run()
            \li the output as text, without white space at its end
            \li everything but an exit code of successCodes()
        \row
            \li outputBytes()
            \li the output as bytes
            \li as with run()
        \row
            \li parse(), json(), jsonLines()
            \li the output, understood
            \li as with run(); and what cannot be parsed
        \row
            \li exitCode()
            \li the exit code
            \li whatever is not an exit
        \row
            \li probe()
            \li \c true for 0, \c false for 1
            \li everything else
        \row
            \li firstLine()
            \li the first line that fits; the tree is ended then
            \li a failed start, a timeout, a cancellation
        \row
            \li start()
            \li a ContainedProcess, at once
            \li told by the object
        \row
            \li startDetached()
            \li the process id of a process that outlives this program; at once, no future
            \li a start that failed
    \endtable

    \section1 When settings take effect

    Nothing is looked at before a verb is called. The call, in the caller's thread, checks the
    settings, takes what it needs from the environment and the current directory of this process,
    and opens the files of the streams; each retry does it again. Settings that contradict each
    other make the start fail with ProcessError::Kind::InvalidArgument, before anything is started.

    \section1 Threads

    A command is an implicitly shared value. Its functions are reentrant, and the verbs can be
    called on any thread. QFuture::result() and QFuture::waitForFinished() block without an event
    loop, the thread of the GUI included, and cannot deadlock with one.

    What is attached to the future with QFuture::then() and a context object runs in that object's
    thread. Without one it runs on a thread of ProcessKit's own, where it may block, also for
    another command; or in the caller's thread, if the future has been finished before.

    Line handlers, generators, the devices of tees, redaction policies, retry classifiers and the
    predicates of firstLine() are called on the I/O thread, which reads and writes for all processes
    of the program. They must be quick and must not block, wait for a future, or throw. What they
    refer to has to exist until the future is finished.

    \section1 Cancelling

    QFuture::cancel() ends the whole tree, and the future then has no result. A \c std::stop_token
    does the same and leaves a result, with Outcome::Cancelled. See withStopToken() and
    withCancelGrace(). What is attached with QFuture::then() is not called for a future that was
    cancelled; what is attached with QFuture::onCanceled() is. QFuture::result() may not be called
    for it: ask QFuture::isResultReadyAt() first, after QFuture::waitForFinished().

    \sa ProcessRunner, Pipeline, CliClient, outputAll(), ContainedProcess
*/

/*!
    \enum ProcessKit::Command::Priority
    \brief How much processor time a process gets beside others, as a nice value (sched(7)).

    \value Idle
        Nice value 19.
    \value BelowNormal
        Nice value 10.
    \value Normal
        Nice value 0, whatever that of this process is.
    \value AboveNormal
        Nice value -5. Below the own nice value needs CAP_SYS_NICE or a RLIMIT_NICE that allows it.
    \value High
        Nice value -10, with the same need.

    \sa withPriority(), withNiceness()
*/

/*!
    \enum ProcessKit::Command::IoPriorityClass
    \brief The class of I/O scheduling (ioprio_set(2)).

    \value RealTime
        Before all others. Needs CAP_SYS_ADMIN or CAP_SYS_NICE.
    \value BestEffort
        The class of most processes, with a level from 0 (first) to 7 (last).
    \value Idle
        Only when nobody else wants the disk. It has no level.

    \sa withIoPriority()
*/

/*!
    \enum ProcessKit::Command::Resource
    \brief What setrlimit(2) limits for each process of the tree on its own.

    \value CpuTime
        Processor time in seconds (RLIMIT_CPU). At the soft limit the process gets SIGXCPU.
    \value CoreSize
        Size of a core dump in bytes (RLIMIT_CORE).
    \value DataSize
        Size of the data segment in bytes (RLIMIT_DATA).
    \value FileSize
        Size of a file that is written, in bytes (RLIMIT_FSIZE). Beyond it the process gets SIGXFSZ.
    \value OpenFiles
        One more than the greatest descriptor number (RLIMIT_NOFILE).
    \value StackSize
        Size of the main thread's stack in bytes (RLIMIT_STACK).

    \sa withResourceLimit()
*/

/*!
    \variable ProcessKit::Command::Unlimited
    \brief The value of a resource limit that limits nothing (RLIM_INFINITY).
*/

/*!
    \typedef ProcessKit::Command::LineHandler

    A function that is given each line of output: \c{void(const OutputLine &)}.
*/

/*!
    \typedef ProcessKit::Command::TextPolicy

    A function that is given a line without its line end and returns what is to be kept in its
    place: \c{QString(const QString &)}.
*/

/*!
    Constructs the command to run \a program with \a arguments. Arguments are passed as they are: no
    shell is involved, and nothing is to be quoted.

    A program without a slash is looked for in the directories of withPreferredDirectory(), then in
    the PATH of the \e{child's} environment. An empty program makes each verb fail with
    ProcessError::Kind::InvalidArgument.
*/
Command::Command(const QString &program, const QStringList &arguments) : d(new CommandData)
{
    d->program = program;
    d->arguments = arguments;
}

/*!
    Constructs a copy of \a other.
*/
Command::Command(const Command &other) = default;
/*!
    Moves \a other into a new object. Nothing may be done with \a other afterwards but to assign to
    it or to destroy it.
*/
Command::Command(Command &&other) noexcept = default;
/*!
    Assigns \a other.
*/
Command &Command::operator=(const Command &other) = default;
/*!
    Moves \a other here. Nothing may be done with \a other afterwards but to assign to it or to
    destroy it.
*/
Command &Command::operator=(Command &&other) noexcept = default;
/*!
    Destroys the value. What was started from it goes on.
*/
Command::~Command() = default;

template<typename Change>
Command Command::changed(Change change) const
{
    Command copy = *this;
    change(*copy.d);
    return copy;
}

/*!
    \property ProcessKit::Command::program
    \brief The program, as it was given.
*/
QString Command::program() const
{
    return d->program;
}

/*!
    \property ProcessKit::Command::arguments
    \brief The arguments, without the program.
*/
QStringList Command::arguments() const
{
    return d->arguments;
}

/*!
    \property ProcessKit::Command::workingDirectory
    \brief The working directory of the process; empty, the default, is that of this process at the
    start.
*/
QString Command::workingDirectory() const
{
    return d->workingDirectory;
}

/*!
    Returns what was given to withProgramArgument(); empty if nothing was.
*/
QString Command::programArgument() const
{
    return d->programArgument;
}

/*!
    Returns the directories of withPreferredDirectory(), in the order of the search.
*/
QStringList Command::preferredDirectories() const
{
    return d->preferredDirectories;
}

/*!
    Returns a copy that runs \a program.
*/
Command Command::withProgram(const QString &program) const
{
    return changed([&](CommandData &data) { data.program = program; });
}

/*!
    Returns a copy whose arguments are \a arguments and no others.
*/
Command Command::withArguments(const QStringList &arguments) const
{
    return changed([&](CommandData &data) { data.arguments = arguments; });
}

/*!
    Returns a copy with \a argument behind the other arguments.
*/
Command Command::withArgument(const QString &argument) const
{
    return changed([&](CommandData &data) { data.arguments.append(argument); });
}

/*!
    Returns a copy with \a arguments behind the other arguments.
*/
Command Command::withMoreArguments(const QStringList &arguments) const
{
    return changed([&](CommandData &data) { data.arguments += arguments; });
}

/*!
    Returns a copy that runs in \a directory. One that is relative counts from the current directory
    of this process at the start. Where it cannot be entered, the start fails with
    ProcessError::Kind::WorkingDirectory.

    The files of the streams and of withEnvironmentFile() are opened by this process, so their names
    do not count from \a directory.
*/
Command Command::withWorkingDirectory(const QString &directory) const
{
    return changed([&](CommandData &data) { data.workingDirectory = directory; });
}

/*!
    Returns a copy whose process sees \a argument as its own name, \c{argv[0]}. By default that is
    the file that was found, as with QProcess.
*/
Command Command::withProgramArgument(const QString &argument) const
{
    return changed([&](CommandData &data) { data.programArgument = argument; });
}

/*!
    Returns a copy that looks for a program without a slash in \a directory first, before the PATH.
    Several are searched in the order in which they were given. A relative one counts from the
    current directory of this process at the start.
*/
Command Command::withPreferredDirectory(const QString &directory) const
{
    return changed([&](CommandData &data) { data.preferredDirectories.append(directory); });
}

/*!
    Returns the file that a verb would execute now. The program is looked for in the preferred
    directories and in the PATH of the child's environment; relative elements of the PATH count from
    the child's working directory. A program with a slash is returned as it is, whether it exists or
    not.

    The errors are those of a start: ProcessError::Kind::NotFound, with
    ProcessError::searchedDirectories(), ProcessError::Kind::PermissionDenied if there is only a
    file that may not be executed, and ProcessError::Kind::InvalidArgument.
*/
Expected<QString> Command::which() const
{
    return CommandLaunch::which(*this);
}

// for people, and for a shell that is asked to do the same
/*!
    Returns the program and its arguments as one line that a POSIX shell would take apart the same
    way. Directory, environment and streams are not in it. It may hold secrets: show it, do not log
    it.
*/
QString Command::commandLine() const
{
    const auto quoted = [](const QString &word) {
        const bool isPlain = !word.isEmpty() && std::all_of(word.begin(), word.end(), [](QChar c) {
            return (c.unicode() < 128 && c.isLetterOrNumber())
                    || QStringLiteral("_-+=./:,@%").contains(c);
        });
        if (isPlain)
            return word;
        QString escaped = word;
        escaped.replace(u'\'', QLatin1String("'\\''"));
        return QString(u'\'' + escaped + u'\'');
    };
    QString line = quoted(d->program);
    for (const QString &argument : d->arguments)
        line += u' ' + quoted(argument);
    return line;
}

/*!
    Returns a copy whose environment begins as \a environment, in place of that of this process. One
    that inherits (QProcessEnvironment::InheritFromParent) is that of this process at the start.

    The environment of the process is made in this order, whatever the order of the calls was:

    \list 1
        \li This environment; nothing of it after withClearedEnvironment(), and only the named
            variables
            after withAllowedVariables().
        \li The files of withEnvironmentFile(), in the order of the calls.
        \li withVariable(), withoutVariable() and withPathPrepended(), in the order of the calls.
    \endlist

    \sa effectiveEnvironment()
*/
Command Command::withEnvironment(const QProcessEnvironment &environment) const
{
    return changed([&](CommandData &data) { data.environment = environment; });
}

/*!
    Returns a copy that sets the environment variable \a name to \a value. A name that is empty or
    holds a \c{=}, and a NUL character in either, make the start fail with
    ProcessError::Kind::InvalidArgument.
*/
Command Command::withVariable(const QString &name, const QString &value) const
{
    return changed([&](CommandData &data) {
        data.changes.append({ EnvironmentChange::Kind::Set, name, value });
    });
}

/*!
    Returns a copy without the environment variable \a name.
*/
Command Command::withoutVariable(const QString &name) const
{
    return changed([&](CommandData &data) {
        data.changes.append({ EnvironmentChange::Kind::Unset, name, {} });
    });
}

/*!
    Returns a copy that puts \a directory in front of the list of directories in the environment
    variable \a name, for example \c PATH, with a colon between them.
*/
Command Command::withPathPrepended(const QString &name, const QString &directory) const
{
    return changed([&](CommandData &data) {
        data.changes.append({ EnvironmentChange::Kind::Prepend, name, directory });
    });
}

/*!
    Returns a copy that takes over nothing of the environment it would begin with. What is allowed
    by withAllowedVariables() is still taken over.

    Without a PATH a program is looked for in \c{/bin:/usr/bin}, as execvp(3) does.
*/
Command Command::withClearedEnvironment() const
{
    return changed([&](CommandData &data) { data.clearsEnvironment = true; });
}

/*!
    Returns a copy that takes over nothing of the environment it would begin with but the variables
    \a names, as far as they exist. Several calls add up.
*/
Command Command::withAllowedVariables(const QStringList &names) const
{
    return changed([&](CommandData &data) { data.allowedVariables += names; });
}

/*!
    Returns a copy that reads variables from the file \a fileName at each start: lines of the form
    \c{NAME=VALUE} in UTF-8. Empty lines and those that begin with \c{#} are skipped. A value is
    taken as it is, up to the end of the line: there are no quotes and no references.

    A file that cannot be opened and a line of another form make the start fail with
    ProcessError::Kind::InvalidArgument; the error's text() has the number of the line, its
    diagnostic() the name of the file.
*/
Command Command::withEnvironmentFile(const QString &fileName) const
{
    return changed([&](CommandData &data) { data.environmentFiles.append(fileName); });
}

/*!
    Returns the environment that a process would be given now, or the error with which a start would
    fail because of it.

    \sa withEnvironment()
*/
Expected<QProcessEnvironment> Command::effectiveEnvironment() const
{
    return CommandLaunch::environment(*this);
}

/*!
    Returns what the process reads from its standard input. The default is StdinSource::nothing().
*/
StdinSource Command::standardInput() const
{
    return d->input;
}

/*!
    Returns where standard output goes. The default is OutputDestination::pipe().
*/
OutputDestination Command::standardOutput() const
{
    return d->destinations[0];
}

/*!
    Returns where standard error goes. The default is OutputDestination::pipe().
*/
OutputDestination Command::standardError() const
{
    return d->destinations[1];
}

/*!
    Returns whether standard error goes where standard output goes. The default is \c false.
*/
bool Command::mergesErrors() const
{
    return d->mergesErrors;
}

/*!
    Returns how much of the output is kept. The default is OutputPolicy::unbounded().
*/
OutputPolicy Command::outputPolicy() const
{
    return d->outputPolicy;
}

/*!
    Returns a copy whose process reads \a source.
*/
Command Command::withInput(const StdinSource &source) const
{
    return changed([&](CommandData &data) { data.input = source; });
}

/*!
    \overload

    Returns a copy whose process reads \a text in UTF-8, then the end of the file.
*/
Command Command::withInput(const QString &text) const
{
    return changed([&](CommandData &data) { data.input = StdinSource::text(text); });
}

/*!
    Returns a copy whose standard output goes to \a destination. What goes elsewhere than to the
    pipe is in no result.
*/
Command Command::withStandardOutput(const OutputDestination &destination) const
{
    return changed([&](CommandData &data) { data.destinations[0] = destination; });
}

/*!
    Returns a copy whose standard error goes to \a destination. It cannot be combined with
    withMergedErrors(), but for OutputDestination::pipe(), which changes nothing: the start fails
    with ProcessError::Kind::InvalidArgument.
*/
Command Command::withStandardError(const OutputDestination &destination) const
{
    return changed([&](CommandData &data) { data.destinations[1] = destination; });
}

/*!
    Returns a copy whose standard error goes where standard output goes, if \a merged is \c true.
    Both are written to one pipe or file, so that they come in the order of writing;
    ProcessResult::standardError() is empty.
*/
Command Command::withMergedErrors(bool merged) const
{
    return changed([&](CommandData &data) { data.mergesErrors = merged; });
}

/*!
    Returns a copy that keeps of each of the two streams what \a policy lets through.

    By default everything is kept. The verbs that need the whole output, those that require success,
    fail with ProcessError::Kind::OutputTooLarge where anything was dropped.
*/
Command Command::withOutputPolicy(const OutputPolicy &policy) const
{
    return changed([&](CommandData &data) { data.outputPolicy = policy; });
}

/*!
    Returns a copy whose output is \a encoding; the default is QStringConverter::Utf8. What is not
    valid becomes U+FFFD, and a byte order mark at the begin is dropped. It holds for text and for
    lines.
*/
Command Command::withEncoding(QStringConverter::Encoding encoding) const
{
    return changed([&](CommandData &data) { data.encoding = encoding; });
}

/*!
    Returns a copy whose ProcessResult turns bytes into text with \a decoder, for encodings that
    QStringConverter does not know. It is given all the bytes of one stream (of both for
    ProcessResult::combinedOutput()), in the thread that asks for the text, each time. Where a text
    policy is set, it is called on the I/O thread. Lines are not made with it, but with
    withEncoding().
*/
Command Command::withDecoder(const std::function<QString(const QByteArray &)> &decoder) const
{
    return changed([&](CommandData &data) { data.decoder = decoder; });
}

/*!
    Returns a copy that calls \a handler for each line of both streams while the process runs.
    Several handlers are called in the order in which they were given.

    It is called on the I/O thread: see \l{Threads}. A handler that takes its time delays every
    process of the program. The last lines have been given to it before the future is finished.

    Lines are what the process wrote: neither withRedaction(), withEscapeSequencesRemoved() nor
    withOutputPolicy() applies to them. Each attempt of a command that is retried gives its lines.
*/
Command Command::withLineHandler(const LineHandler &handler) const
{
    return changed([&](CommandData &data) { data.lineHandlers.append(handler); });
}

/*!
    \overload

    Calls \a handler in the thread of \a context, from its event loop, with one event for each line.
    The last of them may come after the future is finished. No more are called when \a context is
    destroyed, which it should be in its own thread after the end of the run.

    The events are not bounded: for a process that writes much, use ContainedProcess::linesReady(),
    which hands over batches and reads no faster than they are taken.
*/
Command Command::withLineHandler(QObject *context, const LineHandler &handler) const
{
    const auto relay = std::make_shared<LineRelay>();
    relay->moveToThread(nullptr); // it has no events, and may be used and destroyed by any thread
    QObject::connect(relay.get(), &LineRelay::line, context, handler, Qt::QueuedConnection);
    return withLineHandler([relay](const OutputLine &line) { Q_EMIT relay->line(line); });
}

/*!
    Returns a copy that also writes what comes from standard output to \a device: the bytes as they
    come, before every policy.

    The device has to be open for writing. During the run it belongs to the I/O thread: nobody else
    may use it, and it must not block or need an event loop; a QFile or a QBuffer is fitting. A
    write that fails ends the copying, not the run. The device is neither flushed nor closed: do it
    when the future is finished. It is kept alive by the command and by the run.

    A stream that does not come through the pipe, see withStandardOutput(), has no tee: the start
    fails with ProcessError::Kind::InvalidArgument.

    \sa withErrorTee()
*/
Command Command::withOutputTee(const std::shared_ptr<QIODevice> &device) const
{
    return changed([&](CommandData &data) { data.tees[0] = device; });
}

/*!
    Returns a copy that also writes what comes from standard error to \a device, as withOutputTee()
    does with standard output. Where errors are merged there is none: the start fails with
    ProcessError::Kind::InvalidArgument.
*/
Command Command::withErrorTee(const std::shared_ptr<QIODevice> &device) const
{
    return changed([&](CommandData &data) { data.tees[1] = device; });
}

/*!
    Returns a copy whose ProcessResult has \a policy applied to each line of both streams, so that
    secrets are in no result and in no error made from it. It comes after
    withEscapeSequencesRemoved().

    It is called on the I/O thread when the output is complete: see \l{Threads}. The bytes of the
    result are then the UTF-8 of the new text, and ProcessResult::combinedOutput() is standard
    output followed by standard error; the counts of bytes and lines are still those of what the
    process wrote.

    It does not apply to line handlers, tees, and the line of firstLine(), which get what was
    written.
*/
Command Command::withRedaction(const TextPolicy &policy) const
{
    return changed([&](CommandData &data) { data.redaction = policy; });
}

/*!
    Returns a copy whose ProcessResult has no escape and control sequences (ECMA-48: colours,
    titles, cursor movements) and no control characters but tab, line feed and carriage return in
    its text, if \a removed is \c true. It applies to what withRedaction() applies to, before it.
*/
Command Command::withEscapeSequencesRemoved(bool removed) const
{
    return changed([&](CommandData &data) { data.removesEscapeSequences = removed; });
}

/*!
    Returns the exit codes that are a success. The default is 0 alone.
*/
QList<int> Command::successCodes() const
{
    return d->successCodes;
}

/*!
    Returns the time that the process has, if it is limited. By default it is not.
*/
std::optional<std::chrono::milliseconds> Command::timeout() const
{
    return d->timeout;
}

/*!
    Returns how long the process may write nothing, if that is limited. By default it is not.
*/
std::optional<std::chrono::milliseconds> Command::inactivityTimeout() const
{
    return d->inactivityTimeout;
}

/*!
    Returns how often a run that fails is tried again. The default is RetryPolicy::never().
*/
RetryPolicy Command::retryPolicy() const
{
    return d->retry.value_or(RetryPolicy::never());
}

/*!
    Returns what happens to those that outlive the process. The default is Leftovers::Drain.
*/
Leftovers Command::leftovers() const
{
    return d->leftovers;
}

/*!
    Returns the mechanism that is asked for. The default, Mechanism::None, is the best that the host
    gives.
*/
Mechanism Command::requestedMechanism() const
{
    return d->mechanism;
}

/*!
    Returns a copy for which the exit codes \a codes are a success, and no others: 0 is none unless
    it is among them. An empty list changes nothing.

    They decide ProcessResult::isSuccess() and what the verbs that require success accept. probe()
    has codes of its own.
*/
Command Command::withSuccessCodes(const QList<int> &codes) const
{
    return changed([&](CommandData &data) {
        if (!codes.isEmpty())
            data.successCodes = codes;
    });
}

/*!
    Returns whether the exit of this stage says nothing about its pipeline. The default is \c false.
*/
bool Command::isUncheckedInPipe() const
{
    return d->isUncheckedInPipe;
}

/*!
    Returns a copy whose exit code or signal does not make a Pipeline fail, if \a unchecked is \c
    true; as for \c yes in front of \c head, which a SIGPIPE ends. A start that failed or a timeout
    of the stage still counts.

    \sa Pipeline
*/
Command Command::withUncheckedInPipe(bool unchecked) const
{
    return changed([&](CommandData &data) { data.isUncheckedInPipe = unchecked; });
}

/*!
    Returns a copy whose process has \a timeout, counted from the launch; with retries, for each
    attempt. Then its whole tree is ended as withTimeoutGrace() says. A negative time makes the
    start fail with ProcessError::Kind::InvalidArgument.

    The outcome is Outcome::TimedOut: data for output(), with what had been written, and
    ProcessError::Kind::Timeout for the other verbs. A process that has exited in time keeps its
    outcome, however long its streams are still read. The future is finished when the whole tree is
    gone.
*/
Command Command::withTimeout(std::chrono::milliseconds timeout) const
{
    return changed([&](CommandData &data) {
        data.timeout = timeout;
        data.refusesTimeout = false;
    });
}

/*!
    Returns a copy without a timeout, which CliClient::filledIn() does not fill in either.
*/
Command Command::withoutTimeout() const
{
    return changed([&](CommandData &data) {
        data.timeout.reset();
        data.refusesTimeout = true;
    });
}

/*!
    Returns a copy whose tree is ended, as withTimeoutGrace() says, when nothing has come through
    the pipes of its standard output and error for \a timeout, counted from the launch or from the
    last output. A stream that goes elsewhere does not count. The outcome is Outcome::WentQuiet, the
    error ProcessError::Kind::InactivityTimeout.

    A time of 0 or less makes the start fail with ProcessError::Kind::InvalidArgument.
*/
Command Command::withInactivityTimeout(std::chrono::milliseconds timeout) const
{
    return changed([&](CommandData &data) { data.inactivityTimeout = timeout; });
}

/*!
    Returns a copy that asks before it kills: when a time is over, every process of the tree gets \a
    signal (and SIGCONT), and what is left after \a grace is killed. The default is no grace: the
    tree is killed at once.

    A negative grace and a number that is no signal, see signal(7), make the start fail with
    ProcessError::Kind::InvalidArgument. 15 is SIGTERM.
*/
Command Command::withTimeoutGrace(std::chrono::milliseconds grace, int signal) const
{
    return changed([&](CommandData &data) {
        data.timeoutGrace = grace;
        data.timeoutSignal = signal;
        data.hasTimeoutGrace = true;
    });
}

/*!
    Returns a copy that does for a cancellation what withTimeoutGrace() does for a timeout: every
    process gets \a signal, and what is left after \a grace is killed. The default is no grace.

    It holds for QFuture::cancel(), withStopToken() and ContainedProcess::cancel() alike.
*/
Command Command::withCancelGrace(std::chrono::milliseconds grace, int signal) const
{
    return changed([&](CommandData &data) {
        data.cancelGrace = grace;
        data.cancelSignal = signal;
    });
}

/*!
    Returns a copy that is cancelled when a stop is requested through \a token. Unlike after
    QFuture::cancel() there is a result: its outcome is Outcome::Cancelled, and the error of every
    verb ProcessError::Kind::Cancelled. The future is finished when the whole tree is gone.

    A stop that was requested before means that nothing is started. A cancellation beats a timeout,
    also one whose grace is running; a process that has exited before keeps its outcome. No retry
    follows.
*/
Command Command::withStopToken(const std::stop_token &token) const
{
    return changed([&](CommandData &data) { data.stopToken = token; });
}

/*!
    Returns a copy that is run again as \a policy says when it fails.

    Only the verbs that require success retry: run(), outputBytes(), parse(), json() and
    jsonLines(). A failure of the parser is none of the run, and is not retried. A command whose
    input can be read only once, see StdinSource::isOneShot(), is never retried.
    ProcessResult::attempts() tells how often it was run. A stage of a Pipeline cannot have retries.

    Each attempt takes the environment, the files and the directories as they are then, on the I/O
    thread. As with every look at the environment (environ(7)), nobody may change it meanwhile.
*/
Command Command::withRetries(const RetryPolicy &policy) const
{
    return changed([&](CommandData &data) { data.retry = policy; });
}

/*!
    \overload

    Returns a copy that is run up to \a retries times more, with the delays that RetryPolicy has by
    default. 0 means never, whatever a CliClient would fill in.
*/
Command Command::withRetries(int retries) const
{
    RetryPolicy policy;
    policy.retries = retries;
    return withRetries(policy);
}

/*!
    Returns a copy that treats those that outlive the process as \a policy says. In a ProcessGroup
    and in a Pipeline it is not asked.

    What is left by a verb with Leftovers::Leave is held by nobody but the container: it ends by
    itself, or with this program. Use start() to hold it.
*/
Command Command::withLeftovers(Leftovers policy) const
{
    return changed([&](CommandData &data) { data.leftovers = policy; });
}

/*!
    Returns a copy that is held by \a mechanism and by nothing else. Where the host cannot do it,
    the start fails with ProcessError::Kind::Unsupported.
*/
Command Command::withMechanism(Mechanism mechanism) const
{
    return changed([&](CommandData &data) { data.mechanism = mechanism; });
}

/*!
    Runs the command and gives a ProcessResult, whatever came of it: an exit code, a signal, a
    timeout and a start that failed are data. ProcessResult::isSuccess() and ProcessResult::error()
    judge it.

    This and the other verbs are short for those of ProcessRunner::instance().
*/
QFuture<ProcessResult> Command::output() const
{
    return ProcessRunner::instance().output(*this);
}

/*!
    Runs the command and gives its standard output as bytes. Success is required, as for run().
*/
QFuture<Expected<QByteArray>> Command::outputBytes() const
{
    return ProcessRunner::instance().outputBytes(*this);
}

/*!
    Runs the command and gives its standard output as text, without white space at its end.

    Success is required: an exit with one of successCodes(), and the whole output. Otherwise the
    error is

    \list
        \li ProcessError::Kind::Exit or ProcessError::Kind::Signalled for another end;
        \li ProcessError::Kind::Timeout, ProcessError::Kind::InactivityTimeout or
            ProcessError::Kind::Cancelled for one that was ordered;
        \li ProcessError::Kind::OutputTooLarge where an OutputPolicy has dropped something;
        \li ProcessError::Kind::Input where its input could not be written;
        \li one of the kinds of a start that failed.
    \endlist

    Where the process has ended, the error has what it wrote: ProcessError::standardOutput(),
    ProcessError::standardError().
*/
QFuture<Expected<QString>> Command::run() const
{
    return ProcessRunner::instance().run(*this);
}

/*!
    Runs the command and gives its exit code. Every code is a value; a start that failed, a signal,
    a timeout and a cancellation are errors.
*/
QFuture<Expected<int>> Command::exitCode() const
{
    return ProcessRunner::instance().exitCode(*this);
}

/*!
    Runs a command that answers a question by its exit code, as \c{git diff --quiet} or \c grep do,
    and gives \c true for 0 and \c false for 1. Everything else is an error,
    ProcessError::Kind::Exit for another code. successCodes() are not asked.
*/
QFuture<Expected<bool>> Command::probe() const
{
    return ProcessRunner::instance().probe(*this);
}

/*!
    Runs the command until its standard output has a line for which \a predicate returns \c true,
    ends the whole tree then, and gives that line. Without a predicate it is the first line.

    Where the process ends without such a line, whatever its exit code, it gives a null QString. A
    start that failed, a timeout and a cancellation are errors.

    The predicate is called on the I/O thread: see \l{Threads}. The view that it is given is valid
    during the call.
*/
QFuture<Expected<QString>>
Command::firstLine(const std::function<bool(QStringView line)> &predicate) const
{
    return ProcessRunner::instance().firstLine(*this, predicate);
}

/*!
    Runs the command and gives its standard output as a JSON document. Success is required, as for
    run(); output that is not JSON is ProcessError::Kind::Parse, with the offset in its text().
*/
QFuture<Expected<QJsonDocument>> Command::json() const
{
    return ProcessRunner::instance().json(*this);
}

/*!
    \fn template<typename Parser> auto ProcessKit::Command::parse(Parser parser) const

    Runs the command and gives what \a parser makes of its standard output. Success is required, as
    for run(). See ProcessRunner::parse().
*/

/*!
    Runs the command and gives each line of its standard output as a JSON document. Empty lines are
    skipped. Success is required, as for run(); a line that is not JSON is
    ProcessError::Kind::Parse, with the number of the line, from 1, in its text().
*/
QFuture<Expected<QList<QJsonDocument>>> Command::jsonLines() const
{
    return ProcessRunner::instance().jsonLines(*this);
}

/*!
    Starts the command and returns its process, which lives in this thread and which the caller
    owns: its destruction ends the tree. Here nothing is retried, and what captures is refused with
    ProcessError::Kind::InvalidArgument: line handlers, tees, text policies and an output policy
    with a limit. successCodes() are not asked.

    The process can be written to if the input is StdinSource::keptOpen().

    \sa ContainedProcess::start()
*/
std::unique_ptr<ContainedProcess> Command::start() const
{
    auto process = std::make_unique<ContainedProcess>();
    process->start(*this);
    return process;
}

/*!
    Starts the command in no container, as a process of its own that does not end with this program:
    it leads a session of its own (setsid(2)) and is not our child. Returns its process id when the
    program has been executed, or the error.

    A stream that would be a pipe is the null device. What somebody has to be there for is refused
    with ProcessError::Kind::InvalidArgument: timeouts, a stop token, retries, line handlers, tees,
    text policies, an output policy with a limit, input but for a file, nothing or that of this
    process; and a mechanism.

    This is the explicit way out of containment.

    \sa ContainedProcess::startDetached()
*/
Expected<qint64> Command::startDetached() const
{
    return CommandLaunch::startDetached(*this);
}

/*!
    \fn bool ProcessKit::Command::operator==(const Command &a, const Command &b)

    Returns \c true if \a a and \a b were given the same program, arguments, directories,
    environment, destinations, output policy, encoding, settings of the process, success codes,
    timeouts, leftovers policy and mechanism. Inputs, functions, tees, stop tokens, graces and
    retries are not compared.
*/

/*!
    \fn bool ProcessKit::Command::operator!=(const Command &a, const Command &b)

    Returns \c true if \a a and \a b are not equal.
*/
bool operator==(const Command &a, const Command &b) noexcept
{
    const CommandData &x = *a.d;
    const CommandData &y = *b.d;
    return &x == &y
            || (x.program == y.program && x.arguments == y.arguments
                && x.workingDirectory == y.workingDirectory
                && x.programArgument == y.programArgument
                && x.preferredDirectories == y.preferredDirectories
                && x.environment == y.environment && x.clearsEnvironment == y.clearsEnvironment
                && x.allowedVariables == y.allowedVariables
                && x.environmentFiles == y.environmentFiles && x.changes == y.changes
                && x.destinations == y.destinations && x.mergesErrors == y.mergesErrors
                && x.outputPolicy == y.outputPolicy && x.encoding == y.encoding
                && x.removesEscapeSequences == y.removesEscapeSequences && x.settings == y.settings
                && x.badSetting == y.badSetting && x.isUncheckedInPipe == y.isUncheckedInPipe
                && x.successCodes == y.successCodes && x.timeout == y.timeout
                && x.inactivityTimeout == y.inactivityTimeout && x.leftovers == y.leftovers
                && x.mechanism == y.mechanism);
}

#ifndef QT_NO_DEBUG_STREAM
/*!
    \relates ProcessKit::Command

    Writes the program of \a command, the number of its arguments and the names of the variables
    that it changes to \a debug. Arguments, values and directories are left out, for they may hold
    secrets.
*/
QDebug operator<<(QDebug debug, const Command &command)
{
    // arguments, values and directories may be secret
    const QDebugStateSaver saver(debug);
    QStringList names;
    for (const EnvironmentChange &change : std::as_const(command.d->changes))
        names.append(change.name);
    names.sort();
    names.removeDuplicates();
    debug.nospace() << "Command(" << command.program() << ", " << command.arguments().size()
                    << " arguments";
    if (!names.isEmpty())
        debug << ", sets " << names;
    debug << ')';
    return debug;
}
#endif

} // namespace ProcessKit
