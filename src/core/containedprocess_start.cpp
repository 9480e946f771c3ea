// SPDX-License-Identifier: MIT
#include "containedprocess_p.h"

#include "command_p.h"
#include "convert_p.h"
#include "groupstate_p.h"
#include "processgroup_p.h"
#include "processpipe_p.h"
#include "startsetup_p.h"

#include "spawn.h"

#include <QtCore/qcoreapplication.h>

#include <errno.h>

// From settings, or a command, to a run; or to a process that is nobody's.

namespace ProcessKit {

using Native::LaunchStep;

// As QProcess has it: a channel that is forwarded still counts as open, and has nothing to read.
QIODevice::OpenMode ContainedProcessPrivate::effectiveMode(QIODevice::OpenMode mode) const
{
    if (isRedirected(0))
        mode &= ~QIODevice::WriteOnly;
    if (isRedirected(1) && (isRedirected(2) || channelMode == QProcess::MergedChannels))
        mode &= ~QIODevice::ReadOnly;
    return mode ? mode : QIODevice::OpenMode(QIODevice::Unbuffered);
}

void ContainedProcessPrivate::start(QIODevice::OpenMode mode)
{
    const QIODevice::OpenMode deviceMode = effectiveMode(mode);
    begin(deviceMode, isRedirected(0) || inputMode == QProcess::ForwardedInputChannel,
          [this, deviceMode](RunSetup *setup) { return prepare(setup, deviceMode); });
}

void ContainedProcessPrivate::start(const Command &command)
{
    program = command.program();
    arguments = command.arguments();
    q->setLeftovers(command.leftovers());
    const bool hasInput = command.standardInput().kind() == StdinSource::Kind::KeptOpen;
    const bool hasOutput = command.standardOutput() == OutputDestination::pipe()
            || (command.standardError() == OutputDestination::pipe() && !command.mergesErrors());
    QIODevice::OpenMode deviceMode = hasOutput ? QIODevice::ReadOnly : QIODevice::NotOpen;
    deviceMode.setFlag(QIODevice::WriteOnly, hasInput);
    begin(deviceMode ? deviceMode : QIODevice::OpenMode(QIODevice::Unbuffered), !hasInput,
          [this, &command](RunSetup *setup) {
              if (const ProcessKit::ProcessError problem =
                          CommandLaunch::prepareLive(command, setup))
                  return problem;
              if (setup->requested == Mechanism::None)
                  setup->requested = wantedMechanism();
              takeOwnSettings(setup);
              return ProcessKit::ProcessError();
          });
}

template<typename Prepare>
void ContainedProcessPrivate::begin(QIODevice::OpenMode deviceMode, bool withoutInput,
                                    Prepare prepareSetup)
{
    letGoOfRun();
    q->QIODevice::open(deviceMode);

    news = {};
    buffers = {};
    newBytes = {};
    channelClosed = {};
    bytesToWrite = 0;
    inputBroken = false;
    inputClosed = withoutInput;
    pid = 0;
    exitCode = 0;
    exitStatus = QProcess::NormalExit;
    oomKills.reset();
    error = QProcess::UnknownError;
    failure = {};
    streamsCut = false;
    q->setErrorString(QString());

    RunSetup setup;
    ProcessKit::ProcessError problem = prepareSetup(&setup);
    if (problem) {
        failToStart(problem);
        return;
    }
    const QPointer<ContainedProcess> guard(q);
    setState(QProcess::Starting);
    if (!guard || state != QProcess::Starting)
        return;
    run = ProcessRun::start(std::move(setup), q, interests(), &problem);
    if (!run) {
        failToStart(problem);
        return;
    }
    // For state(): until the event loop turns, or something is waited for, the process is starting.
    startCollection = collections;
    QCoreApplication::postEvent(q, new QEvent(ProcessRun::NewsEvent));
}

ProcessKit::ProcessError ContainedProcessPrivate::prepareCommand(RunSetup *setup) const
{
    const auto invalid = [this](const char *what) {
        return ProcessKit::ProcessError(ProcessKit::ProcessError::Kind::InvalidArgument, program,
                                        QCoreApplication::translate("ProcessKit", what), EINVAL);
    };
    std::optional<Native::StringBlock> command = argumentBlock(program, arguments);
    if (!command)
        return invalid(QT_TRANSLATE_NOOP("ProcessKit", "an argument contains a NUL character"));
    std::optional<Native::StringBlock> variables = environmentBlock(environment);
    if (!variables)
        return invalid(QT_TRANSLATE_NOOP("ProcessKit", "the environment contains a NUL character"));
    if (workingDirectory.contains(QChar::Null))
        return invalid(
                QT_TRANSLATE_NOOP("ProcessKit", "the working directory contains a NUL character"));
    setup->program = program;
    setup->arguments = std::move(*command);
    setup->environment = std::move(*variables);
    setup->directory = startDirectory(workingDirectory);
    QList<int> inherited = inheritedDescriptors;
    for (const int number : descriptorsLeftOpen(unixParameters)) {
        if (!inherited.contains(number))
            inherited.append(number);
    }
    if (const int code = copyDescriptors(inherited, &setup->inheritedDescriptors,
                                         &setup->inheritedSources)) {
        return ProcessKit::ProcessError(code == EMFILE
                                                ? ProcessKit::ProcessError::Kind::ResourceLimit
                                                : ProcessKit::ProcessError::Kind::InvalidArgument,
                                        program,
                                        ContainedProcess::tr("inherited descriptor %1")
                                                .arg(setup->inheritedDescriptors.back().target),
                                        code);
    }
    setup->modifier = modifier;
    setup->settings = childSettings(unixParameters.flags);
    return {};
}

ProcessKit::ProcessError ContainedProcessPrivate::prepare(RunSetup *setup, QIODevice::OpenMode mode)
{
    using End = RunSetup::End;
    if (const ProcessKit::ProcessError problem = prepareCommand(setup))
        return problem;
    setup->requested = wantedMechanism();
    if (setup->requested == Mechanism::JobObject) {
        return ProcessKit::ProcessError(ProcessKit::ProcessError::Kind::Unsupported, program,
                                        QStringLiteral("JobObject"), ENOTSUP);
    }
    setup->leftovers = leftovers;
    setup->mergeErrors = channelMode == QProcess::MergedChannels;
    takeOwnSettings(setup);

    for (int stream = 0; stream < 3; ++stream) {
        RunSetup::Stream &end = setup->streams[size_t(stream)];
        const bool forwarded = isForwarded(stream);
        const bool elsewhere = forwarded || (stream == 2 && setup->mergeErrors);
        if (isRedirected(stream) && elsewhere)
            warnOfTwoPlaces("openChannels", stream);
        if (forwarded) {
            end.end = End::Inherited;
        } else if (isRedirected(stream) && !elsewhere) {
            if (const ProcessKit::ProcessError problem = openRedirection(stream, &end))
                return problem;
        } else if (stream > 0 && !mode.testFlag(QIODevice::ReadOnly)) {
            end.end = End::Null;
        }
    }
    return {};
}

// what an object decides for whatever it starts
void ContainedProcessPrivate::takeOwnSettings(RunSetup *setup) const
{
    setup->readLimit = readLimit;
    setup->maximumLineLength = maximumLineLength;
    if (group)
        setup->group = group->d->state;
}

bool ContainedProcessPrivate::isRedirected(int stream) const
{
    return redirections[size_t(stream)].kind != Redirection::Kind::None;
}

bool ContainedProcessPrivate::isForwarded(int stream) const
{
    switch (stream) {
    case 0:
        return inputMode == QProcess::ForwardedInputChannel;
    case 1:
        return channelMode == QProcess::ForwardedChannels
                || channelMode == QProcess::ForwardedOutputChannel;
    default:
        return channelMode == QProcess::ForwardedChannels
                || channelMode == QProcess::ForwardedErrorChannel;
    }
}

void ContainedProcessPrivate::warnOfTwoPlaces(const char *function, int stream)
{
    static constexpr const char *names[] = { "stdin", "stdout", "stderr" };
    qWarning("QProcess::%s: Inconsistent %s channel configuration", function, names[stream]);
}

ProcessKit::ProcessError ContainedProcessPrivate::openRedirection(int stream,
                                                                  RunSetup::Stream *setup) const
{
    const Redirection &redirection = redirections[size_t(stream)];
    setup->end = RunSetup::End::Descriptor;
    if (redirection.kind == Redirection::Kind::Process) {
        setup->descriptor =
                stream == 0 ? redirection.pipe->takeReadEnd() : redirection.pipe->takeWriteEnd();
        if (!setup->descriptor)
            return toError({ LaunchStep::Pipe, errno }, program);
        return {};
    }
    const int code =
            ProcessKit::openRedirection(redirection.fileName, stream, redirection.append, setup);
    if (!code)
        return {};
    return ProcessKit::ProcessError(
            ProcessKit::ProcessError::Kind::Redirection, program,
            stream == 0 ? QProcess::tr("Could not open input redirection for reading")
                        : QProcess::tr("Could not open output redirection for writing"),
            code, redirection.fileName);
}

void ContainedProcessPrivate::failToStart(const ProcessKit::ProcessError &problem)
{
    failure = problem;
    const QPointer<ContainedProcess> guard(q);
    setState(QProcess::NotRunning);
    if (guard)
        setErrorAndEmit(QProcess::FailedToStart,
                        errorText(problem, environment.inheritsFromParent() ? "execvp" : "execve"));
}

void ContainedProcessPrivate::failWithoutProgram()
{
    const QString text = QProcess::tr("No program defined");
    failure =
            ProcessKit::ProcessError(ProcessKit::ProcessError::Kind::InvalidArgument, {}, text, 0);
    setErrorAndEmit(QProcess::FailedToStart, text);
}

// The words of QProcess, which names the exec function that it called.
QString ContainedProcessPrivate::errorText(const ProcessKit::ProcessError &problem,
                                           const char *execFunction)
{
    using Kind = ProcessKit::ProcessError::Kind;
    if (problem.kind() == Kind::Redirection || !problem.nativeCode())
        return problem.operation();
    QString operation = problem.operation();
    if (operation == QLatin1String("execve"))
        operation = QLatin1String(execFunction);
    return operation + QLatin1String(": ") + qt_error_string(problem.nativeCode());
}

Mechanism ContainedProcessPrivate::wantedMechanism() const
{
    const Mechanism ofGroup = group ? group->d->state->requested() : Mechanism::None;
    return ofGroup != Mechanism::None ? ofGroup : requested;
}

// A new start, and the end of the object, leave nothing of the run before; but for members that it
// was told to leave, which live for as long as the object.
void ContainedProcessPrivate::letGoOfRun()
{
    std::erase_if(leftRuns, [](const auto &left) { return left->isEmpty(); });
    if (!run)
        return;
    QCoreApplication::removePostedEvents(q, ProcessRun::NewsEvent);
    if (run->hasExited() && run->isOfGroup()) {
        run->forgetReceiver(); // what is left is the group's
    } else if (leftovers == Leftovers::Leave && !run->isEmpty()) {
        run->forgetReceiver();
        leftRuns.push_back(std::move(run));
    } else {
        run->abandon();
    }
    run.reset();
}

// What is neither redirected nor merged is this process's own.
ProcessKit::ProcessError ContainedProcessPrivate::prepareDetached(RunSetup *setup)
{
    if (const ProcessKit::ProcessError problem = prepareCommand(setup))
        return problem;
    setup->mergeErrors = channelMode == QProcess::MergedChannels;
    for (int stream = 0; stream < 3; ++stream) {
        RunSetup::Stream *end = &setup->streams[size_t(stream)];
        end->end = RunSetup::End::Inherited;
        if (!isRedirected(stream))
            continue;
        const bool merged = stream == 2 && setup->mergeErrors;
        if (merged || isForwarded(stream))
            warnOfTwoPlaces("openChannelsForDetached", stream);
        if (merged)
            setup->mergeErrors = false; // the file has it
        if (const ProcessKit::ProcessError problem = openRedirection(stream, end))
            return problem;
    }
    return {};
}

bool ContainedProcessPrivate::startDetached(qint64 *startedPid)
{
    RunSetup setup;
    failure = prepareDetached(&setup);
    if (!failure) {
        const Expected<qint64> started = launchDetached(std::move(setup));
        failure = started.error();
        if (started) {
            if (startedPid)
                *startedPid = *started;
            return true;
        }
    }
    if (startedPid)
        *startedPid = -1;
    setErrorAndEmit(QProcess::FailedToStart, errorText(failure, "execv"));
    return false;
}

/*!
    Starts \a program with \a arguments and opens the device in \a mode. Without
    QIODevice::ReadOnly in it, the output channels are \c /dev/null to the child.

    The function returns at once, in the state QProcess::Starting; started() or errorOccurred()
    follows. Errors that are found without the I/O thread are told before it returns. While a
    process runs, it only prints a warning.

    A program without a slash is looked for in the PATH of the child's environment, in \c /bin and
    \c /usr/bin where that has none (execvp(3)); an empty or relative element counts from the
    working directory of the child, and so does a program with a slash that does not begin with
    one. The child's \c {argv[0]} is the file that was found.

    What is still there of the tree of an earlier start is ended, unless leftovers is
    Leftovers::Leave.

    \sa failure(), waitForStarted()
*/
void ContainedProcess::start(const QString &program, const QStringList &arguments, OpenMode mode)
{
    if (d->state != QProcess::NotRunning) {
        qWarning("QProcess::start: Process is already running");
        return;
    }
    if (!program.isEmpty()) {
        d->program = program;
        d->arguments = arguments;
        d->start(mode);
    } else {
        d->failWithoutProgram();
    }
}

/*!
    \overload

    Starts \a command, with its streams, its times and its ways to end. What is set here for
    program(), arguments(), the environment, the channels and the redirections does not count, but
    group(), readLimit(), maximumLineLength() and, where the command asks for no mechanism,
    requestedMechanism() do.

    The device is writable if the command's input is StdinSource::keptOpen(). A command with a
    timeout ends the tree when it is over: errorOccurred() tells QProcess::Timedout, and failure()
    why. What only a capturing verb can do, as an OutputPolicy, is refused with
    ProcessError::Kind::InvalidArgument.

    \sa Command::start()
*/
void ContainedProcess::start(const Command &command)
{
    if (d->state != QProcess::NotRunning)
        qWarning("QProcess::start: Process is already running");
    else
        d->start(command);
}

/*!
    \overload

    Starts program() with arguments(). Where no program is set, it emits errorOccurred() with
    QProcess::FailedToStart.
*/
void ContainedProcess::start(OpenMode mode)
{
    if (d->state != QProcess::NotRunning) {
        qWarning("QProcess::start: Process is already running");
        return;
    }
    if (d->program.isEmpty()) {
        d->failWithoutProgram();
        return;
    }
    d->start(mode);
}

/*!
    Starts the program and the arguments in \a command, split by splitCommand(), in \a mode. No
    shell is involved.
*/
void ContainedProcess::startCommand(const QString &command, OpenMode mode)
{
    QStringList arguments = splitCommand(command);
    if (arguments.isEmpty()) {
        qWarning("QProcess::startCommand: empty or whitespace-only command was provided");
        d->failWithoutProgram();
        return;
    }
    const QString program = arguments.takeFirst();
    start(program, arguments, mode);
}

/*!
    Starts program() in no container, as a process of its own that does not end with this one: it
    leads a session of its own (setsid(2)) and is not our child. Returns when the program has been
    executed, with its process id in \a pid, or \c false with -1 there; then failure() tells why.

    Arguments, working directory, environment, child process modifier, Unix process parameters,
    inherited descriptors and files for the standard streams are those of the object. A stream
    without a file is ours.

    This is the only way out of containment.
*/
bool ContainedProcess::startDetached(qint64 *pid)
{
    if (d->state != QProcess::NotRunning) {
        qWarning("QProcess::startDetached: Process is already running");
        return false;
    }
    if (d->program.isEmpty()) {
        d->failWithoutProgram();
        return false;
    }
    return d->startDetached(pid);
}

/*!
    Starts program() with arguments() as start() does, in \a mode. Returns \c false if no program
    is set or a process runs already.
*/
bool ContainedProcess::open(OpenMode mode)
{
    if (d->state != QProcess::NotRunning) {
        qWarning("QProcess::start: Process is already running");
        return false;
    }
    if (d->program.isEmpty()) {
        qWarning("QProcess::start: program not set");
        return false;
    }
    d->start(mode);
    return true;
}

/*!
    For a child process modifier: ends the child, and lets the start fail with
    QProcess::FailedToStart. errorString() is then "Child process modifier reported error:", with
    \a description and, unless \a error is 0, what that errno(3) means. failure() has the kind
    ProcessKit::ProcessError::Kind::Spawn, or ResourceLimit where \a error says so, and \a error as
    its nativeCode().

    \code
        process.setChildProcessModifier([&process, fd] {
            if (::dup2(fd, 10) < 0)
                process.failChildProcessModifier("dup2", errno);
        });
    \endcode

    Of \a description, in UTF-8, 500 bytes arrive. The function does not return. Called anywhere
    but in a modifier it ends the program, with qFatal().

    \sa setChildProcessModifier()
*/
void ContainedProcess::failChildProcessModifier(const char *description, int error) noexcept
{
    Native::failModifier(description ? description : "", error);
    qFatal("QProcess::failChildProcessModifier: Not called by a child process modifier");
}

/*!
    Starts \a program with \a arguments and our own standard streams, waits for its end, and
    returns its exit code; -1 if it crashed, -2 if it could not be started. It is contained as
    every other.
*/
int ContainedProcess::execute(const QString &program, const QStringList &arguments)
{
    ContainedProcess process;
    process.setInputChannelMode(QProcess::ForwardedInputChannel);
    process.setProcessChannelMode(QProcess::ForwardedChannels);
    process.start(program, arguments);
    if (!process.waitForFinished(-1) || process.error() == QProcess::FailedToStart)
        return -2;
    return process.exitStatus() == QProcess::NormalExit ? process.exitCode() : -1;
}

/*!
    \overload

    Starts \a program with \a arguments in \a workingDirectory, in no container, with our standard
    streams. The process id is stored in \a pid.
*/
bool ContainedProcess::startDetached(const QString &program, const QStringList &arguments,
                                     const QString &workingDirectory, qint64 *pid)
{
    ContainedProcess process;
    process.setProgram(program);
    process.setArguments(arguments);
    process.setWorkingDirectory(workingDirectory);
    return process.startDetached(pid);
}

} // namespace ProcessKit
