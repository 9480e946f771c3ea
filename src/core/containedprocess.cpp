// SPDX-License-Identifier: MIT
#include "containedprocess_p.h"

#include "command_p.h"
#include "convert_p.h"
#include "groupstate_p.h"
#include "processgroup_p.h"
#include "processpipe_p.h"
#include "shutdown_p.h"
#include "startsetup_p.h"

#include "spawn.h"

#include <QtCore/qcoreapplication.h>
#include <QtCore/qfile.h>
#include <QtCore/qmetaobject.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>

#include <algorithm>

namespace ProcessKit {

using Native::LaunchStep;

// Starting

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

// Telling

bool ContainedProcessPrivate::deliver()
{
    collect();
    const QPointer<ContainedProcess> guard(q);
    while (guard && deliverNext()) { }
    return !guard.isNull();
}

void ContainedProcessPrivate::deliverInTurn()
{
    run->acknowledgeEvent();
    collect();
    const int turn = collections;
    const QPointer<ContainedProcess> guard(q);
    ++turnDepth;
    while (guard && turn == collections && deliverNext()) { }
    if (!guard)
        return;
    --turnDepth;
    if (turn != collections && !nextTurn.isActive())
        postRest();
}

// A slot has waited for something, and may leave the event loop because of it: whoever ran the loop
// then finds the process as the slot did. An event would be too early for that, since one that is
// posted while events are handled is handled along with them.
void ContainedProcessPrivate::waitForNextTurn()
{
    if (run)
        run->holdEvents();
    QCoreApplication::removePostedEvents(q, ProcessRun::NewsEvent);
    nextTurn.start(0, q);
}

void ContainedProcessPrivate::postRest()
{
    if (run && (newBytes[0] || newBytes[1] || !news.isEmpty()))
        run->postEvent();
}

void ContainedProcessPrivate::collect()
{
    ++collections;
    if (!run)
        return;
    // a receiver that was destroyed is not announced by disconnectNotify()
    takeConnections();
    RunNews later = run->takeNews();
    for (int channel = 0; channel < 2; ++channel) {
        ByteQueue &bytes = later.bytes[size_t(channel)];
        if (bytes.isEmpty())
            continue;
        if (channelClosed[size_t(channel)]) {
            run->bytesConsumed(bytes.size());
            bytes.clear();
        } else {
            newBytes[size_t(channel)] = true;
            buffers[size_t(channel)].append(std::move(bytes));
        }
    }
    news.append(std::move(later));
}

bool ContainedProcessPrivate::deliverNext()
{
    if (news.launched)
        tellLaunched();
    else if (news.failure)
        tellFailure();
    else if (state == QProcess::Starting)
        return false; // a keeper's word may be later than the first output
    else if (newBytes[0])
        tellBytes(0);
    else if (newBytes[1])
        tellBytes(1);
    else if (!news.lines.isEmpty())
        tellLines();
    else if (news.written)
        tellWritten();
    else if (news.writeError)
        tellWriteError();
    else if (news.verdict)
        tellVerdict();
    else if (news.exit)
        tellExit();
    else if (news.leftovers)
        Q_EMIT q->leftoversFound(*std::exchange(news.leftovers, std::nullopt));
    else if (news.lost)
        tellLost();
    else if (news.finished)
        tellFinished();
    else if (std::exchange(news.emptied, false))
        Q_EMIT q->treeEmptied();
    else
        return false;
    return true;
}

void ContainedProcessPrivate::tellLaunched()
{
    pid = *std::exchange(news.launched, std::nullopt);
    const QPointer<ContainedProcess> guard(q);
    const std::shared_ptr<ProcessRun> of = run;
    tellMechanism();
    if (!isCurrent(guard, of))
        return;
    setState(QProcess::Running);
    if (!isCurrent(guard, of))
        return;
    Q_EMIT q->started(ContainedProcess::QPrivateSignal());
    if (isCurrent(guard, of) && group)
        Q_EMIT group->processStarted(q);
}

void ContainedProcessPrivate::tellMechanism()
{
    const Mechanism now = run->mechanism();
    if (std::exchange(mechanism, now) != now)
        Q_EMIT q->mechanismChanged(now);
}

void ContainedProcessPrivate::tellFailure()
{
    const ProcessKit::ProcessError problem = *news.failure;
    news = {};
    const QPointer<ContainedProcess> guard(q);
    const std::shared_ptr<ProcessRun> of = run;
    tellMechanism();
    if (isCurrent(guard, of))
        failToStart(problem);
}

void ContainedProcessPrivate::tellBytes(int channel)
{
    newBytes[size_t(channel)] = false;
    const QPointer<ContainedProcess> guard(q);
    if (channel == readChannel) {
        ++readCount;
        if (!inReadyRead) {
            inReadyRead = true;
            Q_EMIT q->readyRead();
            if (!guard)
                return;
            inReadyRead = false;
        }
    }
    Q_EMIT q->channelReadyRead(channel);
    if (!guard)
        return;
    if (channel == 0)
        Q_EMIT q->readyReadStandardOutput(ContainedProcess::QPrivateSignal());
    else
        Q_EMIT q->readyReadStandardError(ContainedProcess::QPrivateSignal());
}

void ContainedProcessPrivate::tellLines()
{
    const QList<OutputLine> lines = std::exchange(news.lines, {});
    ++readCount;
    const QPointer<ContainedProcess> guard(q);
    static const QMetaMethod outputSignal =
            QMetaMethod::fromSignal(&ContainedProcess::standardOutputLine);
    static const QMetaMethod errorSignal =
            QMetaMethod::fromSignal(&ContainedProcess::standardErrorLine);
    const bool single = q->isSignalConnected(outputSignal) || q->isSignalConnected(errorSignal);
    Q_EMIT q->linesReady(lines);
    if (!single)
        return;
    for (const OutputLine &line : lines) {
        if (!guard)
            return;
        if (line.channel() == QProcess::StandardOutput)
            Q_EMIT q->standardOutputLine(line.toString());
        else
            Q_EMIT q->standardErrorLine(line.toString());
    }
}

void ContainedProcessPrivate::tellWritten()
{
    const qint64 written = std::exchange(news.written, 0);
    bytesToWrite = qMax<qint64>(0, bytesToWrite - written);
    ++writtenCount;
    const QPointer<ContainedProcess> guard(q);
    if (!inBytesWritten) {
        inBytesWritten = true;
        Q_EMIT q->bytesWritten(written);
        if (!guard)
            return;
        inBytesWritten = false;
    }
    Q_EMIT q->channelBytesWritten(0, written);
}

void ContainedProcessPrivate::tellWriteError()
{
    news.writeError = 0;
    inputClosed = true;
    inputBroken = true;
    if (state == QProcess::Running && !news.exit)
        setErrorAndEmit(QProcess::WriteError);
}

void ContainedProcessPrivate::tellVerdict()
{
    using Kind = ProcessKit::ProcessError::Kind;
    const Verdict verdict = *std::exchange(news.verdict, std::nullopt);
    switch (verdict) {
    case Verdict::TimedOut:
        failure = ProcessKit::ProcessError(Kind::Timeout, program, QStringLiteral("timeout"), 0);
        break;
    case Verdict::WentQuiet:
        failure = ProcessKit::ProcessError(Kind::InactivityTimeout, program,
                                           QStringLiteral("no output for too long"), 0);
        break;
    case Verdict::Cancelled:
        failure =
                ProcessKit::ProcessError(Kind::Cancelled, program, QStringLiteral("cancelled"), 0);
        break;
    }
    setErrorAndEmit(verdict == Verdict::Cancelled ? QProcess::UnknownError : QProcess::Timedout,
                    failure.text());
}

void ContainedProcessPrivate::tellExit()
{
    const Native::ChildExit exit = *std::exchange(news.exit, std::nullopt);
    exitCode = exit.known ? exit.code : exit.signalled ? exit.code : -1;
    exitStatus = exit.signalled || !exit.known ? QProcess::CrashExit : QProcess::NormalExit;
    inputClosed = true;
    const QPointer<ContainedProcess> guard(q);
    Q_EMIT q->exited(exitCode, exitStatus);
    if (guard && group)
        Q_EMIT group->processExited(q, exitCode, exitStatus);
}

void ContainedProcessPrivate::tellLost()
{
    const bool ended = *std::exchange(news.lost, std::nullopt);
    failure = ProcessKit::ProcessError(
            ProcessKit::ProcessError::Kind::ContainmentLost, program,
            ended ? ContainedProcess::tr("its keeper was killed, and its tree was ended")
                  : ContainedProcess::tr("its keepers were killed, and its tree may live on"),
            0);
    const ProcessKit::ProcessError told = failure;
    const QPointer<ContainedProcess> guard(q);
    Q_EMIT q->containmentLost(told);
    if (guard && group)
        Q_EMIT group->containmentLost(told);
}

void ContainedProcessPrivate::tellFinished()
{
    news.finished = false;
    streamsCut = news.cut;
    pid = 0;
    ++finishedCount;
    const QPointer<ContainedProcess> guard(q);
    const std::shared_ptr<ProcessRun> of = run;
    setState(QProcess::NotRunning);
    if (!isCurrent(guard, of))
        return;
    if (exitStatus == QProcess::CrashExit)
        setErrorAndEmit(QProcess::Crashed);
    if (!isCurrent(guard, of))
        return;
    Q_EMIT q->readChannelFinished();
    if (!isCurrent(guard, of))
        return;
    Q_EMIT q->finished(exitCode, exitStatus);
}

void ContainedProcessPrivate::setState(QProcess::ProcessState newState)
{
    if (state == newState)
        return;
    state = newState;
    Q_EMIT q->stateChanged(newState, ContainedProcess::QPrivateSignal());
}

void ContainedProcessPrivate::setError(QProcess::ProcessError newError, const QString &description)
{
    error = newError;
    if (!description.isEmpty()) {
        q->setErrorString(description);
        return;
    }
    switch (error) {
    case QProcess::FailedToStart:
        q->setErrorString(QProcess::tr("Process failed to start"));
        break;
    case QProcess::Crashed:
        q->setErrorString(QProcess::tr("Process crashed"));
        break;
    case QProcess::Timedout:
        q->setErrorString(QProcess::tr("Process operation timed out"));
        break;
    case QProcess::ReadError:
        q->setErrorString(QProcess::tr("Error reading from process"));
        break;
    case QProcess::WriteError:
        q->setErrorString(QProcess::tr("Error writing to process"));
        break;
    case QProcess::UnknownError:
        q->setErrorString(QString());
        break;
    }
}

void ContainedProcessPrivate::setErrorAndEmit(QProcess::ProcessError newError,
                                              const QString &description)
{
    setError(newError, description);
    Q_EMIT q->errorOccurred(error);
}

void ContainedProcessPrivate::takeConnections()
{
    connectionsChanged = false;
    run->setInterests(interests());
}

int ContainedProcessPrivate::interests() const
{
    const auto connected = [this](auto signal) {
        return q->isSignalConnected(QMetaMethod::fromSignal(signal));
    };
    int interests = 0;
    if (awaitsStart || group || connected(&ContainedProcess::started)
        || connected(&ContainedProcess::stateChanged)
        || connected(&ContainedProcess::mechanismChanged))
        interests |= ProcessRun::LaunchNews;
    const bool lines = connected(&ContainedProcess::linesReady);
    if (lines || connected(&ContainedProcess::standardOutputLine))
        interests |= ProcessRun::OutputLines;
    if (lines || connected(&ContainedProcess::standardErrorLine))
        interests |= ProcessRun::ErrorLines;
    return interests;
}

// QIODevice reads ahead, and keeps what was put back; it all belongs to the channel it came from.
void ContainedProcessPrivate::returnBufferedBytes()
{
    const qint64 ahead = q->QIODevice::bytesAvailable();
    if (ahead <= 0)
        return;
    const bool text = q->isTextModeEnabled();
    q->setTextModeEnabled(false);
    QByteArray bytes(ahead, Qt::Uninitialized);
    bytes.resize(qMax<qint64>(0, q->QIODevice::read(bytes.data(), ahead)));
    q->setTextModeEnabled(text);
    buffers[size_t(readChannel)].prepend(std::move(bytes));
}

// Waiting

// Tells no more than it takes: whoever waited for the start finds a process that is running, also
// one that has come to its end meanwhile. The rest is told by the event loop, or by the next wait.
// Tells what there is until \a condition holds. Nothing comes back when that is still to be waited
// for, and false when it never will.
template<typename Condition>
std::optional<bool> ContainedProcessPrivate::advance(Condition condition)
{
    const QPointer<ContainedProcess> guard(q);
    collect();
    while (!condition()) {
        if (!deliverNext())
            break;
        if (!guard)
            return false;
    }
    if (condition()) {
        if (turnDepth > 0)
            waitForNextTurn();
        else
            postRest();
        return true;
    }
    if (!run || state == QProcess::NotRunning)
        return false;
    return std::nullopt;
}

template<typename Condition>
bool ContainedProcessPrivate::waitUntil(QDeadlineTimer deadline, Condition condition)
{
    for (;;) {
        if (const std::optional<bool> isMet = advance(condition))
            return *isMet;
        if (!run->waitForNews(deadline)) {
            setError(QProcess::Timedout);
            return false;
        }
    }
}

bool ContainedProcessPrivate::waitUntilStarted(QDeadlineTimer deadline)
{
    const int finishedBefore = finishedCount;
    const QPointer<ContainedProcess> guard(q);
    awaitsStart = true;
    // a process that has finished meanwhile had started
    const bool hasStarted = waitUntil(deadline, [&] {
        return state == QProcess::Running || finishedCount != finishedBefore;
    });
    if (guard)
        awaitsStart = false;
    return hasStarted;
}

// The public side

/*!
    \class ProcessKit::ContainedProcess
    \inmodule ProcessKit
    \inheaderfile ProcessKit/ContainedProcess
    \brief Starts a program and holds it together with everything that it starts.

    \code
    auto *build = new ContainedProcess(this);
    connect(build, &ContainedProcess::linesReady, view, &View::appendLines);
    connect(build, &ContainedProcess::finished, this, &Builder::buildFinished);
    build->start("ninja", { "-C", directory });
    \endcode

    The class has the functions, the enums and the signals of QProcess, and is a QIODevice as that
    is. Change the name of the class and a program compiles and works as before. The difference is
    the unit: what is signalled, ended and reported is the whole tree of processes that descends
    from the program, in whatever session or process group its members are. mechanism() names what
    holds it.

    The tree ends with kill(), with shutdown(), with the destruction of the object, and with the
    end of the application, also where that one is killed.

    \section1 Differences from QProcess

    \list
    \li kill() and terminate() reach the whole tree.
    \li The destructor never blocks, and warns of nothing.
    \li start() returns before the program has been launched, which happens in an I/O thread.
        processId() in the state QProcess::Starting waits for it.
    \li finished() comes when the program has exited \e and its output has been read to its end; or
        was cut, see streamsCut(). exited() comes with the first of the two.
    \li A program without a slash in its name is looked for in the PATH of the environment that the
        child gets.
    \li The child has no descriptors but 0, 1 and 2, and those of setInheritedDescriptors().
    \li Unread output can be limited, see readLimit.
    \endlist

    \section1 Output

    Each channel is read either as a device, or as lines. While a slot is connected to
    linesReady(), the bytes of both channels go to lines; while one is connected to
    standardOutputLine() or standardErrorLine(), those of that channel. Such bytes never enter the
    buffer of the device, and readyRead() does not tell of them. The change takes place at the
    moment of the connection or disconnection, between two reads: what has been read before stays
    where it is, so a line may be cut in two by it. Connect before start() and that cannot happen.

    Output that the owner has not taken yet is limited in any case while it is read as lines: with
    256 KiB of it on the way, the pipe is not read until the event loop has delivered them. As a
    device there is no limit, as with QProcess, unless readLimit is set. A child whose pipe is not
    read waits in write(2) once the pipe is full. Nothing is ever dropped.

    \section1 The three ends

    \table
    \header \li Signal \li What is over
    \row \li exited() \li The program has exited, and its exit code is known.
    \row \li finished() \li And its output has ended.
    \row \li treeEmptied() \li Nothing of its tree is alive.
    \endtable

    Members of the tree that outlive the program are told by leftoversFound(); leftovers decides
    what becomes of them.

    \section1 What the child inherits

    The environment and the current directory are those of the moment when start() is called. Its
    signal mask is empty. Signals that this program handles are back at their default, signals that
    it ignores stay ignored, except SIGPIPE, which never is. In Mechanism::CgroupV2 and
    Mechanism::Subreaper it is in the session and process group of this program; in
    Mechanism::ProcessGroup it leads a group of its own. Its parent is this program; in
    Mechanism::Subreaper it is the group keeper.

    \section1 Threads

    An object belongs to its thread like every QObject: call its functions there. The functions
    that wait need no event loop. The thread that calls start() may end before the process does.

    \sa ProcessGroup, Containment
*/

/*!
    \typedef ProcessKit::ContainedProcess::ProcessError

    The same as QProcess::ProcessError. The class of that name is ProcessKit::ProcessError.
*/

/*!
    \typedef ProcessKit::ContainedProcess::ProcessState

    The same as QProcess::ProcessState.
*/

/*!
    \typedef ProcessKit::ContainedProcess::ProcessChannel

    The same as QProcess::ProcessChannel.
*/

/*!
    \typedef ProcessKit::ContainedProcess::ProcessChannelMode

    The same as QProcess::ProcessChannelMode.
*/

/*!
    \typedef ProcessKit::ContainedProcess::InputChannelMode

    The same as QProcess::InputChannelMode.
*/

/*!
    \typedef ProcessKit::ContainedProcess::ExitStatus

    The same as QProcess::ExitStatus.
*/

/*!
    \typedef ProcessKit::ContainedProcess::ChildProcessModifier

    A function without parameters and result.

    \sa setChildProcessModifier()
*/

/*!
    \enum ProcessKit::ContainedProcess::UnixProcessFlag
    \brief How a child is set up.

    Names and values are those of QProcess, which has them since Qt 6.6 to 6.9.

    \value ResetSignalHandlers
        Ignored signals become default ones. Signal handlers always do, SIGPIPE does as well, and
        no signal is ever blocked.
    \value IgnoreSigPipe
        SIGPIPE is ignored, also with ResetSignalHandlers: a write after closeReadChannel() fails
        with EPIPE and does not end the child.
    \value CloseFileDescriptors
        Our open descriptors are not inherited, which they never are; so the flag only makes that
        exception that UnixProcessParameters::lowestFileDescriptorToClose asks for.
    \value UseVFork
        Nothing. A child is always started as if by vfork(2), but one with a child process
        modifier, which never runs in our memory.
    \value CreateNewSession
        The child leads a session of its own (setsid(2)), without a terminal. It is in its
        container as before. A detached process always does.
    \value DisconnectControllingTerminal
        The child has no controlling terminal (TIOCNOTTY, ioctl_tty(2)), although it stays in our
        session. It is no error if there was none.
    \value ResetIds
        The effective and the saved user and group become the real ones (setresuid(2)). The
        supplementary groups stay.
    \value DisableCoreDumps
        The soft limit of the size of a core dump is 0. The child may raise it up to the hard limit.

    \sa setUnixProcessParameters()
*/

/*!
    \class ProcessKit::ContainedProcess::UnixProcessParameters
    \inmodule ProcessKit
    \brief How a child is set up: QProcess's structure of that name.

    \sa setUnixProcessParameters()
*/

/*!
    \variable ProcessKit::ContainedProcess::UnixProcessParameters::flags
    \brief What is wanted; nothing by default.
*/

/*!
    \variable ProcessKit::ContainedProcess::UnixProcessParameters::lowestFileDescriptorToClose
    \brief With UnixProcessFlag::CloseFileDescriptors, the descriptors below this number are left
    to the child.

    Those between 2 and this number that are open at the call of start() and not close-on-exec are
    inherited as if setInheritedDescriptors() had named them; their number is limited as there. 0,
    the default, and anything up to 3 leaves none. Without the flag it means nothing.
*/

/*!
    \fn void ProcessKit::ContainedProcess::started()

    This signal is emitted when the program has been executed.
*/

/*!
    \fn void ProcessKit::ContainedProcess::finished(int exitCode, QProcess::ExitStatus exitStatus)

    This signal is emitted when the program has exited, with \a exitCode and \a exitStatus, and all
    that it wrote has been read, or has been cut: see streamsCut(). What was read is there by now.
    It is the last of the signals about the process but for treeEmptied(). A start that failed does
    not end in it.

    \sa exited(), treeEmptied()
*/

/*!
    \fn void ProcessKit::ContainedProcess::errorOccurred(QProcess::ProcessError error)

    This signal is emitted when \a error has occurred. With QProcess::FailedToStart, failure()
    tells more. A wait that times out sets error() without this signal.
*/

/*!
    \property ProcessKit::ContainedProcess::state
    \brief The state of the process.

    It is QProcess::Starting from the call of start(), QProcess::Running from started(), and
    QProcess::NotRunning again when a start has failed, or just before finished().
*/

/*!
    \fn void ProcessKit::ContainedProcess::readyReadStandardOutput()

    This signal is emitted when new bytes of the standard output can be read.
*/

/*!
    \fn void ProcessKit::ContainedProcess::readyReadStandardError()

    This signal is emitted when new bytes of the standard error can be read.
*/

/*!
    \fn void ProcessKit::ContainedProcess::standardOutputLine(const QString &line)

    This signal is emitted for each \a line of the standard output, and for each part of a line
    longer than maximumLineLength(). The line end is not in it. linesReady() costs less, and tells
    more.
*/

/*!
    \fn void ProcessKit::ContainedProcess::standardErrorLine(const QString &line)

    This signal is emitted for each \a line of the standard error, as standardOutputLine() is.
*/

/*!
    \fn void ProcessKit::ContainedProcess::linesReady(const QList<ProcessKit::OutputLine> &lines)

    This signal is emitted with all the \a lines of both channels that have come since the last
    time, in the order in which they were read. While a slot is connected, the channels are not
    read as a device.
*/

/*!
    \fn void ProcessKit::ContainedProcess::exited(int exitCode, QProcess::ExitStatus exitStatus)

    This signal is emitted when the program has exited, with \a exitCode and \a exitStatus. Its
    output may still be on the way.

    \sa finished(), exitCode()
*/

/*!
    \fn void ProcessKit::ContainedProcess::treeEmptied()

    This signal is emitted when nothing of the tree is alive. It follows finished() as a rule; it
    comes before it where somebody outside of the tree holds the process's streams.
*/

/*!
    \fn void ProcessKit::ContainedProcess::leftoversFound(const QList<ProcessKit::ProcessInfo> &leftovers)

    This signal is emitted after exited() where the tree has other members that are still alive,
    the \a leftovers. It is not emitted for a process in a group, nor after kill() and shutdown().

    \sa leftovers
*/

/*!
    \fn void ProcessKit::ContainedProcess::containmentLost(const ProcessKit::ProcessError &error)

    This signal is emitted, with \a error, when the group keeper of the process
    (Mechanism::Subreaper) was killed. The tree has been ended by then, and how the program ended
    is not known: exitCode() is the number of SIGKILL, exitStatus() is QProcess::CrashExit.

    \sa failure()
*/

/*!
    \property ProcessKit::ContainedProcess::mechanism
    \brief What holds the tree.

    It is Mechanism::None before the first start. A start has one as soon as the I/O thread has
    begun with it; after started() it is certain.
*/

/*!
    \property ProcessKit::ContainedProcess::readLimit
    \brief How many bytes of both channels together may wait to be read; 0, the default, is no
    limit.

    When there are as many, the pipes are not read until the owner has read some; a child that
    writes on has to wait. A process that waits like this does not finish: with a limit,
    waitForFinished() needs somebody who reads. Once the tree is empty, what is left in the pipes
    is read whatever the limit is.

    It concerns channels that are read as a device. A new value counts at once.
*/

/*!
    \property ProcessKit::ContainedProcess::leftovers
    \brief What becomes of members of the tree that outlive the program; Leftovers::Drain by
    default.

    It counts for the running process as well. A process in a group leaves them in the group,
    whatever this says.

    \sa leftoversFound()
*/

/*!
    Constructs an object with the given \a parent. Nothing is started.
*/
ContainedProcess::ContainedProcess(QObject *parent)
    : QIODevice(parent), d(std::make_unique<ContainedProcessPrivate>(this))
{
}

/*!
    Destroys the object and ends its tree, and the members that earlier starts have left with
    Leftovers::Leave. It does not wait for that and emits no signal.
*/
ContainedProcess::~ContainedProcess()
{
    d->letGoOfRun();
    for (const std::shared_ptr<ProcessRun> &run : d->leftRuns)
        run->abandon();
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
    Returns the program of the last start, or of the next.
*/
QString ContainedProcess::program() const
{
    return d->program;
}

/*!
    Sets the \a program of the next start. It must not be called while a process runs.
*/
void ContainedProcess::setProgram(const QString &program)
{
    if (d->state != QProcess::NotRunning) {
        qWarning("QProcess::setProgram: Process is already running");
        return;
    }
    d->program = program;
}

/*!
    Returns the arguments of the last start, or of the next.
*/
QStringList ContainedProcess::arguments() const
{
    return d->arguments;
}

/*!
    Sets the \a arguments of the next start. It must not be called while a process runs.
*/
void ContainedProcess::setArguments(const QStringList &arguments)
{
    if (d->state != QProcess::NotRunning) {
        qWarning("QProcess::setProgram: Process is already running");
        return;
    }
    d->arguments = arguments;
}

/*!
    Returns how the output channels are treated: QProcess::SeparateChannels by default.
*/
QProcess::ProcessChannelMode ContainedProcess::processChannelMode() const
{
    return d->channelMode;
}

/*!
    Sets how the output channels of the next start are treated to \a mode. With
    QProcess::MergedChannels both are one pipe, so what is written keeps its order. A forwarded
    channel is our own descriptor in the child.
*/
void ContainedProcess::setProcessChannelMode(QProcess::ProcessChannelMode mode)
{
    d->channelMode = mode;
}

/*!
    Returns where the standard input comes from: QProcess::ManagedInputChannel by default.
*/
QProcess::InputChannelMode ContainedProcess::inputChannelMode() const
{
    return d->inputMode;
}

/*!
    Sets where the standard input of the next start comes from to \a mode.
*/
void ContainedProcess::setInputChannelMode(QProcess::InputChannelMode mode)
{
    d->inputMode = mode;
}

/*!
    Returns the channel that the functions of QIODevice read: QProcess::StandardOutput by default.
*/
QProcess::ProcessChannel ContainedProcess::readChannel() const
{
    return QProcess::ProcessChannel(d->readChannel);
}

/*!
    Makes the functions of QIODevice read \a channel.
*/
void ContainedProcess::setReadChannel(QProcess::ProcessChannel channel)
{
    setCurrentReadChannel(int(channel));
}

/*!
    Returns 2; 1 with QProcess::MergedChannels; 0 where the device is not open for reading. It
    hides the function of QIODevice, which is not virtual.
*/
int ContainedProcess::readChannelCount() const
{
    if (!isReadable())
        return 0;
    return d->channelMode == QProcess::MergedChannels ? 1 : 2;
}

/*!
    Returns the number of the channel that is read. It hides the function of QIODevice.
*/
int ContainedProcess::currentReadChannel() const
{
    return d->readChannel;
}

/*!
    Makes the functions of QIODevice read the channel with the number \a channel. Does nothing for
    other numbers than 0 and 1, and within a transaction. It hides the function of QIODevice.
*/
void ContainedProcess::setCurrentReadChannel(int channel)
{
    if (channel == d->readChannel || channel < 0 || channel > 1)
        return;
    if (isTransactionStarted()) {
        QIODevice::setCurrentReadChannel(channel); // which refuses, and says why
        return;
    }
    d->returnBufferedBytes();
    d->readChannel = channel;
}

/*!
    Drops what comes from \a channel from now on. A child that writes on into it is not disturbed.
    What has been read before can still be read.
*/
void ContainedProcess::closeReadChannel(QProcess::ProcessChannel channel)
{
    d->channelClosed[size_t(channel)] = true;
    if (d->run)
        d->run->closeOutput(channel);
}

/*!
    Closes the standard input of the child, when what was written has been taken.
*/
void ContainedProcess::closeWriteChannel()
{
    d->inputClosed = true;
    if (d->run)
        d->run->closeInput();
}

/*!
    Makes the next start read its standard input from \a fileName. An empty name ends the
    redirection.

    The file is opened by start(), relative to our current directory. If that fails, the start
    fails with ProcessKit::ProcessError::Kind::Redirection.
*/
void ContainedProcess::setStandardInputFile(const QString &fileName)
{
    using Kind = ContainedProcessPrivate::Redirection::Kind;
    d->redirections[0] = { fileName.isEmpty() ? Kind::None : Kind::File, fileName, false, {} };
}

/*!
    Makes the next start write its standard output to \a fileName, which is made where it does not
    exist. With QIODevice::Append in \a mode it is written behind what is there, else it is emptied
    first.

    \sa setStandardInputFile()
*/
void ContainedProcess::setStandardOutputFile(const QString &fileName, OpenMode mode)
{
    using Kind = ContainedProcessPrivate::Redirection::Kind;
    d->redirections[1] = {
        fileName.isEmpty() ? Kind::None : Kind::File, fileName, mode.testFlag(Append), {}
    };
}

/*!
    Makes the next start write its standard error to \a fileName, in \a mode.

    \sa setStandardOutputFile()
*/
void ContainedProcess::setStandardErrorFile(const QString &fileName, OpenMode mode)
{
    using Kind = ContainedProcessPrivate::Redirection::Kind;
    d->redirections[2] = {
        fileName.isEmpty() ? Kind::None : Kind::File, fileName, mode.testFlag(Append), {}
    };
}

/*!
    Makes the standard output of this process the standard input of \a destination, through a pipe
    between the two. They can be started in any order. \a destination must not be null.
*/
void ContainedProcess::setStandardOutputProcess(ContainedProcess *destination)
{
    using Kind = ContainedProcessPrivate::Redirection::Kind;
    const auto pipe = std::make_shared<ProcessPipe>();
    d->redirections[1] = { Kind::Process, {}, false, pipe };
    destination->d->redirections[0] = { Kind::Process, {}, false, pipe };
}

/*!
    Returns what is called in the child before the program is executed.
*/
ContainedProcess::ChildProcessModifier ContainedProcess::childProcessModifier() const
{
    return d->modifier;
}

/*!
    Sets what is called in the child, shortly before the program is executed, to \a modifier. What
    setUnixProcessParameters() asks for is done after it, but for a new session and the farewell to
    the terminal. What goes wrong in it can be told with failChildProcessModifier().

    It runs in a forked copy of this process, where all threads but one are gone and locks may be
    held by nobody: only what signal-safety(7) lists may be called. A start with a modifier is a
    true fork(2), whose time grows with the memory of this program.

    Because the modifier is code of this program, the keeper cannot run it: such a start is never
    held by Mechanism::Subreaper. Where no cgroup can be had, it is in a ProcessGroup, and
    mechanism() says so; where Mechanism::Subreaper is asked for, it fails with
    ProcessKit::ProcessError::Kind::Unsupported.
*/
void ContainedProcess::setChildProcessModifier(const ChildProcessModifier &modifier)
{
    d->modifier = modifier;
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
    Returns how the child is set up: by default without any flag.
*/
ContainedProcess::UnixProcessParameters ContainedProcess::unixProcessParameters() const noexcept
{
    return d->unixParameters;
}

/*!
    Sets up the child of the next start, detached or not, as \a parameters say. Each mechanism can
    do it, and what cannot be done is an error: errorOccurred() with QProcess::FailedToStart, the
    name of the call in failure().operation().

    What is done after the child process modifier, and what before, is told with
    setChildProcessModifier().
*/
void ContainedProcess::setUnixProcessParameters(const UnixProcessParameters &parameters)
{
    d->unixParameters = parameters;
}

/*!
    \overload

    Sets the \a flags, and no lowest descriptor to close.
*/
void ContainedProcess::setUnixProcessParameters(UnixProcessFlags flags)
{
    d->unixParameters = { flags };
}

/*!
    Returns the working directory of the child; empty for ours.
*/
QString ContainedProcess::workingDirectory() const
{
    return d->workingDirectory;
}

/*!
    Sets the working directory of the next start to \a directory. A relative one counts from our
    current directory at the time of the start. If it cannot be entered, the start fails with
    ProcessKit::ProcessError::Kind::WorkingDirectory.
*/
void ContainedProcess::setWorkingDirectory(const QString &directory)
{
    d->workingDirectory = directory;
}

/*!
    Sets the environment of the next start to \a environment, a list of \c {NAME=value}. What has
    no equals sign is left out.

    \sa setProcessEnvironment()
*/
void ContainedProcess::setEnvironment(const QStringList &environment)
{
    QProcessEnvironment variables;
    for (const QString &variable : environment) {
        // as QProcess has it: a name may begin with an equals sign, and what has none is left out
        const qsizetype equals = variable.indexOf(u'=', 1);
        if (equals >= 0)
            variables.insert(variable.left(equals), variable.mid(equals + 1));
    }
    setProcessEnvironment(variables);
}

/*!
    Returns the environment as a list of \c {NAME=value}; empty also where it is ours.
*/
QStringList ContainedProcess::environment() const
{
    return d->environment.toStringList();
}

/*!
    Sets the environment of the next start to \a environment. By default it is
    QProcessEnvironment::InheritFromParent: ours, as it is when start() is called.
*/
void ContainedProcess::setProcessEnvironment(const QProcessEnvironment &environment)
{
    d->environment = environment;
}

/*!
    Returns the environment of the next start.
*/
QProcessEnvironment ContainedProcess::processEnvironment() const
{
    return d->environment;
}

/*!
    Returns the last error, QProcess::UnknownError where there was none since the start.

    \sa failure()
*/
QProcess::ProcessError ContainedProcess::error() const
{
    return d->error;
}

QProcess::ProcessState ContainedProcess::state() const
{
    if (d->state == QProcess::Starting && d->run && d->collections != d->startCollection
        && d->run->isSilentlyRunning())
        return QProcess::Running;
    return d->state;
}

/*!
    Returns the process id of the program, and 0 where none runs. In the state QProcess::Starting
    it waits until the program has been launched, which takes as long as the launch does.
*/
qint64 ContainedProcess::processId() const
{
    if (d->state == QProcess::Starting && d->run && !d->pid)
        return d->run->waitForLaunch();
    return d->pid;
}

/*!
    Returns the exit code of the last process, valid from exited() on. With QProcess::CrashExit it
    is the number of the signal that ended it.

    It is -1, with QProcess::CrashExit, where somebody else has taken the exit status: this program
    ignores SIGCHLD, or waits for any child (waitpid(2) with -1).
*/
int ContainedProcess::exitCode() const
{
    return d->exitCode;
}

/*!
    Returns how the last process ended, valid from exited() on.
*/
QProcess::ExitStatus ContainedProcess::exitStatus() const
{
    return d->exitStatus;
}

/*!
    Blocks until the program has been executed, for \a msecs milliseconds at most, or without limit
    if it is -1. Returns \c true if it has.

    All functions that wait deliver the signals of this object up to the one that they wait for,
    and need no event loop. If the time is over, error() is QProcess::Timedout.
*/
bool ContainedProcess::waitForStarted(int msecs)
{
    if (d->state != QProcess::Starting)
        return d->state == QProcess::Running;
    return d->waitUntilStarted(QDeadlineTimer(msecs));
}

/*!
    Blocks until new output has come and been told of, as bytes of the channel that is read or as
    lines of any, for \a msecs milliseconds at most, or without limit if it is -1. Returns \c true
    if it has.
*/
bool ContainedProcess::waitForReadyRead(int msecs)
{
    if (d->state == QProcess::NotRunning || d->channelClosed[size_t(d->readChannel)])
        return false;
    const int before = d->readCount;
    return d->waitUntil(QDeadlineTimer(msecs), [&] { return d->readCount != before; });
}

/*!
    Blocks until some of what was written has been taken by the pipe and bytesWritten() was
    emitted, for \a msecs milliseconds at most, or without limit if it is -1. Returns \c true if it
    has, \c false at once where the child has closed its end.
*/
bool ContainedProcess::waitForBytesWritten(int msecs)
{
    const QDeadlineTimer deadline(msecs);
    if (d->state == QProcess::Starting && !d->waitUntilStarted(deadline))
        return false;
    if (d->state == QProcess::NotRunning || d->bytesToWrite == 0 || d->inputBroken)
        return false;
    const int before = d->writtenCount;
    d->waitUntil(deadline, [&] { return d->writtenCount != before || d->inputBroken; });
    return d->writtenCount != before;
}

/*!
    Blocks until finished() has been emitted, for \a msecs milliseconds at most, or without limit
    if it is -1. Returns \c true if it has, \c false also where no process runs or the start fails.
*/
bool ContainedProcess::waitForFinished(int msecs)
{
    if (d->state == QProcess::NotRunning)
        return false;
    const int before = d->finishedCount;
    const std::shared_ptr<ProcessRun> of = d->run;
    if (!d->waitUntil(QDeadlineTimer(msecs), [&] { return d->finishedCount != before; }))
        return false;
    if (d->run == of)
        d->deliver(); // a start right after this one does away with what is still to be told
    return true;
}

/*!
    Blocks until one of \a processes is not running, for \a msecs milliseconds at most, or without
    limit if it is -1. Returns its index, the lowest of several, or -1 when the time is over or the
    list is empty. One that was not running before counts as well. All of them go on being read.

    They have to live in the calling thread, and signals are emitted as by waitForFinished().
*/
int ContainedProcess::waitForAnyFinished(const QList<ContainedProcess *> &processes, int msecs)
{
    const QDeadlineTimer deadline(msecs);
    QList<QPointer<ContainedProcess>> guarded;
    const auto news = std::make_shared<NewsBell>();
    for (ContainedProcess *process : processes) {
        guarded.append(process);
        if (process->d->run)
            process->d->run->setBell(news);
    }
    for (;;) {
        for (qsizetype i = 0; i < guarded.size(); ++i) {
            const QPointer<ContainedProcess> &process = guarded.at(i);
            if (!process || process->d->state == QProcess::NotRunning)
                return int(i); // one that a slot has deleted does not run either
            const int before = process->d->finishedCount;
            if (process->d->advance([&] { return process->d->finishedCount != before; }))
                return int(i);
        }
        if (guarded.isEmpty() || !news->wait(deadline))
            return -1;
    }
}

/*!
    Blocks until none of \a processes is running, for \a msecs milliseconds at most, or without
    limit if it is -1. Returns \c true if so; all of them go on being read meanwhile. They have to
    live in the calling thread.
*/
bool ContainedProcess::waitForAllFinished(const QList<ContainedProcess *> &processes, int msecs)
{
    const QDeadlineTimer deadline(msecs);
    QList<QPointer<ContainedProcess>> guarded(processes.begin(), processes.end());
    for (const QPointer<ContainedProcess> &process : std::as_const(guarded)) {
        if (!process || process->state() == QProcess::NotRunning)
            continue;
        const int left = deadline.isForever() ? -1 : int(deadline.remainingTime());
        if (!process->waitForFinished(left) && process && process->state() != QProcess::NotRunning)
            return false;
    }
    return true;
}

/*!
    Blocks until nothing of the tree is alive, for \a msecs milliseconds at most, or without limit
    if it is -1. Returns \c true if that is so, also where nothing was started.

    With Leftovers::Leave and in a group, members may stay for as long as they like.
*/
bool ContainedProcess::waitForTreeEmptied(int msecs)
{
    const QDeadlineTimer deadline(msecs);
    for (;;) {
        if (!d->deliver())
            return false;
        const std::shared_ptr<ProcessRun> run = d->run;
        if (!run)
            return true;
        if (run->isEmpty())
            return d->deliver();
        if (!run->waitForNews(deadline)) {
            d->setError(QProcess::Timedout);
            return false;
        }
    }
}

/*!
    Returns \c true if nothing of the tree is alive, or nothing was started.
*/
bool ContainedProcess::isTreeEmpty() const
{
    return !d->run || d->run->isEmpty();
}

/*!
    Returns everything that can be read of the standard output.
*/
QByteArray ContainedProcess::readAllStandardOutput()
{
    const QProcess::ProcessChannel previous = readChannel();
    setReadChannel(QProcess::StandardOutput);
    const QByteArray bytes = readAll();
    setReadChannel(previous);
    return bytes;
}

/*!
    Returns everything that can be read of the standard error. With QProcess::MergedChannels it
    prints a warning and returns nothing.
*/
QByteArray ContainedProcess::readAllStandardError()
{
    if (d->channelMode == QProcess::MergedChannels) {
        qWarning("QProcess::readAllStandardError: Called with MergedChannels");
        return {};
    }
    const QProcess::ProcessChannel previous = readChannel();
    setReadChannel(QProcess::StandardError);
    const QByteArray bytes = readAll();
    setReadChannel(previous);
    return bytes;
}

/*!
    \reimp
*/
qint64 ContainedProcess::bytesAvailable() const
{
    return QIODevice::bytesAvailable() + d->buffers[size_t(d->readChannel)].size();
}

qint64 ContainedProcess::bytesToWrite() const
{
    return QIODevice::bytesToWrite() + d->bytesToWrite;
}

bool ContainedProcess::canReadLine() const
{
    return QIODevice::canReadLine() || d->buffers[size_t(d->readChannel)].indexOf('\n') >= 0;
}

bool ContainedProcess::isSequential() const
{
    return true;
}

bool ContainedProcess::atEnd() const
{
    return QIODevice::atEnd() && (!isOpen() || bytesAvailable() == 0);
}

/*!
    Waits until what was written has been taken, kills the tree, waits for finished(), and closes
    the device. To end a process without waiting, use kill() or destroy the object.
*/
void ContainedProcess::close()
{
    const QPointer<ContainedProcess> guard(this);
    Q_EMIT aboutToClose();
    while (guard && waitForBytesWritten(-1)) { }
    if (!guard)
        return;
    kill();
    waitForFinished(-1);
    if (guard)
        QIODevice::close();
}

qint64 ContainedProcess::readData(char *data, qint64 maxSize)
{
    if (maxSize <= 0)
        return 0;
    const qint64 count = d->buffers[size_t(d->readChannel)].read(data, maxSize);
    if (count > 0 && d->run)
        d->run->bytesConsumed(count);
    return count > 0 || d->state != QProcess::NotRunning ? count : -1;
}

qint64 ContainedProcess::readLineData(char *data, qint64 maxSize)
{
    const qint64 lineEnd = d->buffers[size_t(d->readChannel)].indexOf('\n', maxSize);
    return readData(data, lineEnd < 0 ? maxSize : lineEnd + 1);
}

qint64 ContainedProcess::skipData(qint64 maxSize)
{
    return readData(nullptr, maxSize);
}

qint64 ContainedProcess::writeData(const char *data, qint64 maxSize)
{
    if (d->inputClosed || !d->run)
        return 0;
    if (d->connectionsChanged) // before anything that is written can have an answer
        d->takeConnections();
    d->bytesToWrite += maxSize;
    d->run->write(QByteArray(data, maxSize));
    return maxSize;
}

void ContainedProcess::connectNotify(const QMetaMethod &signal)
{
    if (d->run)
        d->run->setInterests(d->interests());
    QIODevice::connectNotify(signal);
}

void ContainedProcess::disconnectNotify(const QMetaMethod &signal)
{
    // Called with the connections locked, perhaps in another thread: what is connected now is for
    // the next turn, or the next wait, to find out.
    static const QMetaMethod lineSignals[] = {
        QMetaMethod::fromSignal(&ContainedProcess::linesReady),
        QMetaMethod::fromSignal(&ContainedProcess::standardOutputLine),
        QMetaMethod::fromSignal(&ContainedProcess::standardErrorLine),
    };
    const bool concerned = !signal.isValid() // all of them
            || std::find(std::begin(lineSignals), std::end(lineSignals), signal)
                    != std::end(lineSignals);
    if (concerned) {
        d->connectionsChanged = true;
        QCoreApplication::postEvent(this, new QEvent(ProcessRun::NewsEvent));
    }
    QIODevice::disconnectNotify(signal);
}

bool ContainedProcess::event(QEvent *event)
{
    const bool isNextTurn = event->type() == QEvent::Timer
            && static_cast<QTimerEvent *>(event)->timerId() == d->nextTurn.timerId();
    if (event->type() != ProcessRun::NewsEvent && !isNextTurn)
        return QIODevice::event(event);
    d->nextTurn.stop();
    if (d->run)
        d->deliverInTurn();
    return true;
}

/*!
    Sets the state to \a state and emits stateChanged(), for classes that imitate a process.
*/
void ContainedProcess::setProcessState(QProcess::ProcessState state)
{
    d->setState(state);
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

/*!
    The same as QProcess::systemEnvironment().
*/
QStringList ContainedProcess::systemEnvironment()
{
    return QProcess::systemEnvironment();
}

/*!
    The same as QProcess::nullDevice().
*/
QString ContainedProcess::nullDevice()
{
    return QProcess::nullDevice();
}

/*!
    Splits \a command into program and arguments. The same as QProcess::splitCommand().
*/
QStringList ContainedProcess::splitCommand(QStringView command)
{
    return QProcess::splitCommand(command);
}

Mechanism ContainedProcess::mechanism() const
{
    return d->run ? d->run->mechanism() : d->mechanism;
}

/*!
    Returns what the next start asks to be held by: Mechanism::None, the best there is, by default.
*/
Mechanism ContainedProcess::requestedMechanism() const
{
    return d->requested;
}

/*!
    Makes the next start be held by \a mechanism, or fail with
    ProcessKit::ProcessError::Kind::Unsupported. What a group was constructed with goes first.

    \sa Containment::query()
*/
void ContainedProcess::setRequestedMechanism(Mechanism mechanism)
{
    d->requested = mechanism;
}

/*!
    Returns the group in which the next start is made, null where there is none.
*/
ProcessGroup *ContainedProcess::group() const
{
    return d->group;
}

/*!
    Makes the next starts in \a group, which does not become the owner of this object; null ends
    it. The group has to live in the same thread. It must not be called while a process runs. When
    the group is destroyed, the process ends with it.

    \sa ProcessGroup::start()
*/
void ContainedProcess::setGroup(ProcessGroup *group)
{
    if (d->state != QProcess::NotRunning) {
        qWarning("ContainedProcess::setGroup: Process is already running");
        return;
    }
    if (group && group->thread() != thread()) {
        qWarning("ContainedProcess::setGroup: The group lives in another thread");
        return;
    }
    d->group = group;
}

Leftovers ContainedProcess::leftovers() const
{
    return d->leftovers;
}

void ContainedProcess::setLeftovers(Leftovers policy)
{
    if (d->leftovers == policy)
        return;
    d->leftovers = policy;
    if (d->run)
        d->run->setLeftovers(policy);
    Q_EMIT leftoversChanged(policy);
}

/*!
    Sends SIGTERM and SIGCONT to the whole tree, gives it \a grace to become empty, kills what is
    left then, and waits 5 s more at most for the kernel to end it. A \a grace of 0 kills at once.
    The default is two seconds.

    The future has a result when the tree is empty, and can be waited for in any thread, without an
    event loop; the signals of this object come later, from its event loop. To cancel it changes
    nothing for the processes. Members that outlive the program during the grace are not leftovers:
    they have their time.
*/
QFuture<ShutdownReport> ContainedProcess::shutdown(std::chrono::milliseconds grace)
{
    return d->run ? Shutdown::of(d->run, grace) : Shutdown::ofNothing();
}

/*!
    Returns every living process of the tree. Asks the I/O thread and waits for its answer.
*/
QList<ProcessInfo> ContainedProcess::processes() const
{
    return d->run ? d->run->members() : QList<ProcessInfo>();
}

qint64 ContainedProcess::readLimit() const
{
    return d->readLimit;
}

void ContainedProcess::setReadLimit(qint64 bytes)
{
    bytes = qMax<qint64>(0, bytes);
    if (d->readLimit == bytes)
        return;
    d->readLimit = bytes;
    if (d->run)
        d->run->setReadLimit(bytes);
    Q_EMIT readLimitChanged(bytes);
}

/*!
    Returns how long a line may be that is not cut into fragments: 1,048,576 UTF-16 code units by
    default.
*/
int ContainedProcess::maximumLineLength() const
{
    return d->maximumLineLength;
}

/*!
    Sets how long a line of the next start may be to \a characters UTF-16 code units, 1 at least. A
    longer one comes in several parts.

    \sa OutputLine::Flag
*/
void ContainedProcess::setMaximumLineLength(int characters)
{
    d->maximumLineLength = qMax(1, characters);
}

/*!
    Returns whether the output of the last process was cut: when the program had exited, somebody
    else still held its streams, and was killed for it (a leftover member), was left to go on
    (Leftovers::Leave, a group), or is outside of the tree. What such a one writes after finished()
    is not read into this object.
*/
bool ContainedProcess::streamsCut() const
{
    return d->streamsCut;
}

/*!
    Returns the descriptors above 2 that the child gets: none by default.
*/
QList<int> ContainedProcess::inheritedDescriptors() const
{
    return d->inheritedDescriptors;
}

/*!
    Gives the next start our \a descriptors, under the same numbers; 0, 1 and 2 are ignored,
    because the channels have settings of their own. All other descriptors are closed in the child,
    whether they are close-on-exec or not, but for what UnixProcessParameters leaves open.

    start() makes copies, so they may be closed when it has returned. It fails with
    ProcessKit::ProcessError::Kind::InvalidArgument if one is not open.
*/
void ContainedProcess::setInheritedDescriptors(const QList<int> &descriptors)
{
    d->inheritedDescriptors = descriptors;
}

/*!
    Returns why the last start failed, or how its containment was lost. It is no error where all
    went well.
*/
ProcessKit::ProcessError ContainedProcess::failure() const
{
    return d->failure;
}

/*!
    Asks every process of the tree to end: SIGTERM, and SIGCONT so that stopped ones can act on it.
    Returns at once.

    \sa shutdown()
*/
void ContainedProcess::terminate()
{
    if (d->run)
        d->run->signal(SIGTERM);
}

/*!
    Ends every process of the tree, and what they start meanwhile, by SIGKILL. Returns at once.

    \sa shutdown(), waitForTreeEmptied()
*/
void ContainedProcess::kill()
{
    if (d->run)
        d->run->kill();
}

/*!
    Cancels what runs, as a stop token of its command would: the tree ends, at once or with the
    grace of Command::withCancelGrace(), and failure() is ProcessError::Kind::Cancelled. What has
    exited keeps its outcome. Returns at once.
*/
void ContainedProcess::cancel()
{
    if (d->run)
        d->run->cancel();
}

} // namespace ProcessKit
