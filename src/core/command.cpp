// SPDX-License-Identifier: MIT
#include "command_p.h"

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
    refer to has to exist until the future is finished. The device of an input is read in its own
    thread, see StdinSource::device(), which must not wait for the run.

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
