// SPDX-License-Identifier: MIT
#include "containedprocess_p.h"

#include "convert_p.h"
#include "groupstate_p.h"
#include "processgroup_p.h"
#include "processpipe_p.h"
#include "shutdown_p.h"
#include "startsetup_p.h"

#include "detached.h"
#include "program_lookup.h"

#include <QtCore/qcoreapplication.h>
#include <QtCore/qfile.h>
#include <QtCore/qmetaobject.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>

namespace ProcessKit {

using Native::LaunchStep;
using Native::Reactor;
using Native::UniqueFd;

// Starting

QIODevice::OpenMode ContainedProcessPrivate::effectiveMode(QIODevice::OpenMode mode) const
{
    using Kind = Redirection::Kind;
    const bool outputElsewhere = redirections[1].kind != Kind::None
            || channelMode == QProcess::ForwardedChannels
            || channelMode == QProcess::ForwardedOutputChannel;
    const bool errorElsewhere = redirections[2].kind != Kind::None
            || channelMode == QProcess::ForwardedChannels
            || channelMode == QProcess::ForwardedErrorChannel
            || channelMode == QProcess::MergedChannels;
    if (redirections[0].kind != Kind::None || inputMode == QProcess::ForwardedInputChannel)
        mode &= ~QIODevice::WriteOnly;
    if (outputElsewhere && errorElsewhere)
        mode &= ~QIODevice::ReadOnly;
    return mode ? mode : QIODevice::OpenMode(QIODevice::Unbuffered);
}

void ContainedProcessPrivate::start(QIODevice::OpenMode mode)
{
    letGoOfRun();
    const QIODevice::OpenMode deviceMode = effectiveMode(mode);
    q->QIODevice::open(deviceMode);

    news = {};
    buffers = {};
    newBytes = {};
    channelClosed = {};
    readChannel = 0;
    bytesToWrite = 0;
    inputClosed = !deviceMode.testFlag(QIODevice::WriteOnly);
    pid = 0;
    exitCode = 0;
    exitStatus = QProcess::NormalExit;
    error = QProcess::UnknownError;
    failure = {};
    streamsCut = false;
    q->setErrorString(QString());

    const QPointer<ContainedProcess> guard(q);
    setState(QProcess::Starting);
    if (!guard || state != QProcess::Starting)
        return;
    RunSetup setup;
    if (const ProcessKit::ProcessError problem = prepare(&setup, deviceMode)) {
        failToStart(problem);
        return;
    }
    ProcessKit::ProcessError problem;
    run = ProcessRun::start(std::move(setup), q, lineChannels(), &problem);
    if (!run)
        failToStart(problem);
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
        return invalid(
                QT_TRANSLATE_NOOP("ProcessKit", "the environment contains a NUL character"));
    if (workingDirectory.contains(QChar::Null))
        return invalid(
                QT_TRANSLATE_NOOP("ProcessKit", "the working directory contains a NUL character"));
    setup->program = program;
    setup->arguments = std::move(*command);
    setup->environment = std::move(*variables);
    setup->directory = startDirectory(workingDirectory);
    if (const int code = copyDescriptors(inheritedDescriptors, &setup->inheritedDescriptors,
                                         &setup->inheritedSources)) {
        return ProcessKit::ProcessError(
                ProcessKit::ProcessError::Kind::InvalidArgument, program,
                ContainedProcess::tr("inherited descriptor %1")
                        .arg(setup->inheritedDescriptors.back().target),
                code);
    }
    setup->modifier = modifier;
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
    setup->readLimit = readLimit;
    setup->maximumLineLength = maximumLineLength;
    setup->mergeErrors = channelMode == QProcess::MergedChannels;
    if (group)
        setup->group = group->d->state;

    const bool readable = mode.testFlag(QIODevice::ReadOnly);
    const bool writable = mode.testFlag(QIODevice::WriteOnly);
    const bool forwardOutput = channelMode == QProcess::ForwardedChannels
            || channelMode == QProcess::ForwardedOutputChannel;
    const bool forwardError = channelMode == QProcess::ForwardedChannels
            || channelMode == QProcess::ForwardedErrorChannel;
    const bool forwarded[3] = { inputMode == QProcess::ForwardedInputChannel, forwardOutput,
                                forwardError };
    for (int stream = 0; stream < 3; ++stream) {
        RunSetup::Stream &end = setup->streams[size_t(stream)];
        if (redirections[size_t(stream)].kind != Redirection::Kind::None) {
            if (const ProcessKit::ProcessError problem = openRedirection(stream, &end))
                return problem;
        } else if (forwarded[stream]) {
            end.end = End::Inherited;
        } else if (stream == 0 ? !writable : !readable) {
            end.end = End::Null;
        }
    }
    return {};
}

ProcessKit::ProcessError ContainedProcessPrivate::openRedirection(int stream,
                                                                  RunSetup::Stream *setup) const
{
    const Redirection &redirection = redirections[size_t(stream)];
    setup->end = RunSetup::End::Descriptor;
    if (redirection.kind == Redirection::Kind::Process) {
        setup->descriptor = stream == 0 ? redirection.pipe->takeReadEnd()
                                        : redirection.pipe->takeWriteEnd();
        if (!setup->descriptor)
            return toError({ LaunchStep::Pipe, errno }, program);
        return {};
    }
    const int flags = stream == 0 ? O_RDONLY
                                  : O_WRONLY | O_CREAT | (redirection.append ? O_APPEND : O_TRUNC);
    const QByteArray name = QFile::encodeName(redirection.fileName);
    int fd;
    do {
        fd = ::open(name.constData(), flags | O_CLOEXEC, 0666);
    } while (fd < 0 && errno == EINTR);
    setup->descriptor = UniqueFd(fd);
    if (fd >= 0)
        return {};
    const int code = errno;
    return ProcessKit::ProcessError(
            ProcessKit::ProcessError::Kind::Redirection, program,
            stream == 0
                    ? ContainedProcess::tr("Could not open input redirection for reading")
                    : ContainedProcess::tr("Could not open output redirection for writing"),
            code, redirection.fileName);
}

void ContainedProcessPrivate::failToStart(const ProcessKit::ProcessError &problem)
{
    failure = problem;
    const QPointer<ContainedProcess> guard(q);
    setState(QProcess::NotRunning);
    if (guard)
        setErrorAndEmit(QProcess::FailedToStart,
                        problem.kind() == ProcessKit::ProcessError::Kind::Redirection
                                ? problem.operation()
                                : problem.text());
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
    if (leftovers == Leftovers::Leave && !run->isEmpty()) {
        run->forgetReceiver();
        leftRuns.push_back(std::move(run));
    } else {
        run->abandon();
    }
    run.reset();
}

bool ContainedProcessPrivate::startDetached(qint64 *startedPid)
{
    using End = RunSetup::End;
    RunSetup setup;
    failure = prepareCommand(&setup);
    Native::Launch launch;
    for (int stream = 0; stream < 3 && !failure; ++stream) {
        RunSetup::Stream end;
        end.end = End::Inherited;
        if (redirections[size_t(stream)].kind == Redirection::Kind::File)
            failure = openRedirection(stream, &end);
        end.descriptor = Native::aboveStandardStreams(std::move(end.descriptor));
        if (end.end == End::Inherited) {
            if (::fcntl(stream, F_GETFD) >= 0)
                launch.plan.descriptors.push_back({ stream, stream });
        } else if (!failure) {
            launch.plan.descriptors.push_back({ end.descriptor.get(), stream });
            launch.childEnds.push_back(std::move(end.descriptor));
        }
    }
    for (const Native::LaunchPlan::Descriptor &descriptor : setup.inheritedDescriptors)
        launch.plan.descriptors.push_back(descriptor);
    int code = 0;
    Reactor *reactor = failure ? nullptr : Reactor::start(&code);
    if (!failure && !reactor)
        failure = toError({ LaunchStep::Reactor, code }, program);
    if (!failure) {
        const Native::ProgramLookup lookup = Native::ProgramLookup::find(
                QFile::encodeName(program).toStdString(), setup.environment, setup.directory);
        if (lookup.error) {
            failure = lookupError(lookup.error, program, lookup.searched);
        } else {
            launch.plan.candidates.append(lookup.file);
            launch.plan.arguments = std::move(setup.arguments);
            launch.plan.environment = std::move(setup.environment);
            launch.plan.workingDirectory = setup.directory;
            launch.modifier = std::move(setup.modifier);
            Native::DetachedResult result;
            // one thread spawns
            reactor->call([&] { result = Native::startDetached(std::move(launch)); });
            if (!result.failure) {
                if (startedPid)
                    *startedPid = result.pid;
                return true;
            }
            failure = toError(result.failure, program);
        }
    }
    if (startedPid)
        *startedPid = -1;
    setErrorAndEmit(QProcess::FailedToStart, failure.text());
    return false;
}

// Telling

bool ContainedProcessPrivate::deliver()
{
    if (!run)
        return true;
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
    const QPointer<ContainedProcess> guard(q);
    while (guard && deliverNext()) { }
    return !guard.isNull();
}

bool ContainedProcessPrivate::deliverNext()
{
    if (news.launched)
        tellLaunched();
    else if (news.failure)
        tellFailure();
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
    else if (news.exit)
        tellExit();
    else if (news.leftovers)
        Q_EMIT q->leftoversFound(*std::exchange(news.leftovers, std::nullopt));
    else if (std::exchange(news.lost, false))
        Q_EMIT q->containmentLost(
                failure = ProcessKit::ProcessError(
                        ProcessKit::ProcessError::Kind::ContainmentLost, program,
                        ContainedProcess::tr("its keeper was killed, and the process was ended"),
                        0));
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
    if (const Mechanism now = run->mechanism(); now != mechanism) {
        mechanism = now;
        Q_EMIT q->mechanismChanged(now);
        if (!isCurrent(guard, of))
            return;
    }
    setState(QProcess::Running);
    if (!isCurrent(guard, of))
        return;
    Q_EMIT q->started(ContainedProcess::QPrivateSignal());
    if (isCurrent(guard, of) && group)
        Q_EMIT group->processStarted(q);
}

void ContainedProcessPrivate::tellFailure()
{
    failToStart(*std::exchange(news.failure, std::nullopt));
}

void ContainedProcessPrivate::tellBytes(int channel)
{
    newBytes[size_t(channel)] = false;
    ++readCount;
    const QPointer<ContainedProcess> guard(q);
    if (channel == readChannel && !inReadyRead) {
        inReadyRead = true;
        Q_EMIT q->readyRead();
        if (!guard)
            return;
        inReadyRead = false;
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
    bytesToWrite = 0;
    if (state == QProcess::Running && !news.exit)
        setErrorAndEmit(QProcess::WriteError);
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

void ContainedProcessPrivate::tellFinished()
{
    news.finished = false;
    streamsCut = news.cut;
    bytesToWrite = 0;
    pid = 0;
    ++finishedCount;
    const QPointer<ContainedProcess> guard(q);
    const std::shared_ptr<ProcessRun> of = run;
    if (exitStatus == QProcess::CrashExit)
        setErrorAndEmit(QProcess::Crashed);
    if (!isCurrent(guard, of))
        return;
    setState(QProcess::NotRunning);
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
        q->setErrorString(ContainedProcess::tr("Process failed to start"));
        break;
    case QProcess::Crashed:
        q->setErrorString(ContainedProcess::tr("Process crashed"));
        break;
    case QProcess::Timedout:
        q->setErrorString(ContainedProcess::tr("Process operation timed out"));
        break;
    case QProcess::ReadError:
        q->setErrorString(ContainedProcess::tr("Error reading from process"));
        break;
    case QProcess::WriteError:
        q->setErrorString(ContainedProcess::tr("Error writing to process"));
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

int ContainedProcessPrivate::lineChannels() const
{
    const auto connected = [this](auto signal) {
        return q->isSignalConnected(QMetaMethod::fromSignal(signal));
    };
    if (connected(&ContainedProcess::linesReady))
        return ProcessRun::OutputLines | ProcessRun::ErrorLines;
    return (connected(&ContainedProcess::standardOutputLine) ? ProcessRun::OutputLines : 0)
            | (connected(&ContainedProcess::standardErrorLine) ? ProcessRun::ErrorLines : 0);
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

template<typename Condition>
bool ContainedProcessPrivate::waitUntil(int milliseconds, Condition condition)
{
    const QDeadlineTimer deadline(milliseconds);
    const QPointer<ContainedProcess> guard(q);
    for (;;) {
        if (!deliver())
            return false;
        if (condition())
            return true;
        if (!run || state == QProcess::NotRunning)
            return false;
        if (!run->waitForNews(deadline)) {
            setError(QProcess::Timedout);
            return false;
        }
    }
}

// The public side

ContainedProcess::ContainedProcess(QObject *parent)
    : QIODevice(parent), d(std::make_unique<ContainedProcessPrivate>(this))
{
}

ContainedProcess::~ContainedProcess()
{
    if (d->run)
        d->run->abandon();
    for (const std::shared_ptr<ProcessRun> &run : d->leftRuns)
        run->abandon();
}

void ContainedProcess::start(const QString &program, const QStringList &arguments, OpenMode mode)
{
    if (d->state != QProcess::NotRunning) {
        qWarning("QProcess::start: Process is already running");
        return;
    }
    d->program = program;
    d->arguments = arguments;
    start(mode);
}

void ContainedProcess::start(OpenMode mode)
{
    if (d->state != QProcess::NotRunning) {
        qWarning("QProcess::start: Process is already running");
        return;
    }
    if (d->program.isEmpty()) {
        qWarning("QProcess::start: program not set");
        d->failure = ProcessKit::ProcessError(ProcessKit::ProcessError::Kind::InvalidArgument, {},
                                              tr("No program defined"), 0);
        d->setErrorAndEmit(QProcess::FailedToStart, tr("No program defined"));
        return;
    }
    d->start(mode);
}

void ContainedProcess::startCommand(const QString &command, OpenMode mode)
{
    QStringList arguments = splitCommand(command);
    if (arguments.isEmpty()) {
        qWarning("QProcess::startCommand: empty or whitespace-only command was provided");
        d->failure = ProcessKit::ProcessError(ProcessKit::ProcessError::Kind::InvalidArgument, {},
                                              tr("No program defined"), 0);
        d->setErrorAndEmit(QProcess::FailedToStart, tr("No program defined"));
        return;
    }
    const QString program = arguments.takeFirst();
    start(program, arguments, mode);
}

bool ContainedProcess::startDetached(qint64 *pid)
{
    if (d->state != QProcess::NotRunning) {
        qWarning("QProcess::startDetached: Process is already running");
        return false;
    }
    if (d->program.isEmpty()) {
        qWarning("QProcess::startDetached: program not set");
        d->setErrorAndEmit(QProcess::FailedToStart, tr("No program defined"));
        return false;
    }
    return d->startDetached(pid);
}

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

QString ContainedProcess::program() const
{
    return d->program;
}

void ContainedProcess::setProgram(const QString &program)
{
    if (d->state != QProcess::NotRunning) {
        qWarning("QProcess::setProgram: Process is already running");
        return;
    }
    d->program = program;
}

QStringList ContainedProcess::arguments() const
{
    return d->arguments;
}

void ContainedProcess::setArguments(const QStringList &arguments)
{
    if (d->state != QProcess::NotRunning) {
        qWarning("QProcess::setProgram: Process is already running");
        return;
    }
    d->arguments = arguments;
}

QProcess::ProcessChannelMode ContainedProcess::processChannelMode() const
{
    return d->channelMode;
}

void ContainedProcess::setProcessChannelMode(QProcess::ProcessChannelMode mode)
{
    d->channelMode = mode;
}

QProcess::InputChannelMode ContainedProcess::inputChannelMode() const
{
    return d->inputMode;
}

void ContainedProcess::setInputChannelMode(QProcess::InputChannelMode mode)
{
    d->inputMode = mode;
}

QProcess::ProcessChannel ContainedProcess::readChannel() const
{
    return QProcess::ProcessChannel(d->readChannel);
}

void ContainedProcess::setReadChannel(QProcess::ProcessChannel channel)
{
    setCurrentReadChannel(int(channel));
}

int ContainedProcess::readChannelCount() const
{
    if (!isReadable())
        return 0;
    return d->channelMode == QProcess::MergedChannels ? 1 : 2;
}

int ContainedProcess::currentReadChannel() const
{
    return d->readChannel;
}

void ContainedProcess::setCurrentReadChannel(int channel)
{
    if (channel == d->readChannel || channel < 0 || channel > 1)
        return;
    if (isTransactionStarted()) {
        qWarning("QIODevice::setReadChannel: Failed due to read transaction being in progress");
        return;
    }
    d->returnBufferedBytes();
    d->readChannel = channel;
}

void ContainedProcess::closeReadChannel(QProcess::ProcessChannel channel)
{
    d->channelClosed[size_t(channel)] = true;
    if (d->run)
        d->run->closeOutput(channel);
}

void ContainedProcess::closeWriteChannel()
{
    d->inputClosed = true;
    if (d->run)
        d->run->closeInput();
}

void ContainedProcess::setStandardInputFile(const QString &fileName)
{
    using Kind = ContainedProcessPrivate::Redirection::Kind;
    d->redirections[0] = { fileName.isEmpty() ? Kind::None : Kind::File, fileName, false, {} };
}

void ContainedProcess::setStandardOutputFile(const QString &fileName, OpenMode mode)
{
    using Kind = ContainedProcessPrivate::Redirection::Kind;
    d->redirections[1] = { fileName.isEmpty() ? Kind::None : Kind::File, fileName,
                           mode.testFlag(Append), {} };
}

void ContainedProcess::setStandardErrorFile(const QString &fileName, OpenMode mode)
{
    using Kind = ContainedProcessPrivate::Redirection::Kind;
    d->redirections[2] = { fileName.isEmpty() ? Kind::None : Kind::File, fileName,
                           mode.testFlag(Append), {} };
}

void ContainedProcess::setStandardOutputProcess(ContainedProcess *destination)
{
    using Kind = ContainedProcessPrivate::Redirection::Kind;
    const auto pipe = std::make_shared<ProcessPipe>();
    d->redirections[1] = { Kind::Process, {}, false, pipe };
    destination->d->redirections[0] = { Kind::Process, {}, false, pipe };
}

ContainedProcess::ChildProcessModifier ContainedProcess::childProcessModifier() const
{
    return d->modifier;
}

void ContainedProcess::setChildProcessModifier(const ChildProcessModifier &modifier)
{
    d->modifier = modifier;
}

QString ContainedProcess::workingDirectory() const
{
    return d->workingDirectory;
}

void ContainedProcess::setWorkingDirectory(const QString &directory)
{
    d->workingDirectory = directory;
}

void ContainedProcess::setEnvironment(const QStringList &environment)
{
    QProcessEnvironment variables;
    for (const QString &variable : environment) {
        // the name may begin with an equals sign, as QProcess has it
        const qsizetype equals = variable.indexOf(u'=', 1);
        if (equals >= 0)
            variables.insert(variable.left(equals), variable.mid(equals + 1));
        else
            variables.insert(variable, QString());
    }
    setProcessEnvironment(variables);
}

QStringList ContainedProcess::environment() const
{
    return d->environment ? d->environment->toStringList() : QStringList();
}

void ContainedProcess::setProcessEnvironment(const QProcessEnvironment &environment)
{
    // as with QProcess, an empty one means that of this process
    if (environment.isEmpty() && !environment.inheritsFromParent())
        d->environment.reset();
    else
        d->environment = environment;
}

QProcessEnvironment ContainedProcess::processEnvironment() const
{
    return d->environment.value_or(QProcessEnvironment());
}

QProcess::ProcessError ContainedProcess::error() const
{
    return d->error;
}

QProcess::ProcessState ContainedProcess::state() const
{
    return d->state;
}

qint64 ContainedProcess::processId() const
{
    if (d->state == QProcess::Starting && d->run && !d->pid)
        return d->run->waitForLaunch();
    return d->pid;
}

int ContainedProcess::exitCode() const
{
    return d->exitCode;
}

QProcess::ExitStatus ContainedProcess::exitStatus() const
{
    return d->exitStatus;
}

bool ContainedProcess::waitForStarted(int msecs)
{
    if (d->state != QProcess::Starting)
        return d->state == QProcess::Running;
    const int finishedBefore = d->finishedCount;
    // a process that has finished meanwhile had started
    return d->waitUntil(msecs, [&] {
        return d->state == QProcess::Running || d->finishedCount != finishedBefore;
    });
}

bool ContainedProcess::waitForReadyRead(int msecs)
{
    if (d->state == QProcess::NotRunning || d->channelClosed[size_t(d->readChannel)])
        return false;
    const int before = d->readCount;
    return d->waitUntil(msecs, [&] { return d->readCount != before; });
}

bool ContainedProcess::waitForBytesWritten(int msecs)
{
    if (d->state == QProcess::NotRunning || d->bytesToWrite == 0)
        return false;
    const int before = d->writtenCount;
    return d->waitUntil(msecs, [&] { return d->writtenCount != before; });
}

bool ContainedProcess::waitForFinished(int msecs)
{
    if (d->state == QProcess::NotRunning)
        return false;
    const int before = d->finishedCount;
    return d->waitUntil(msecs, [&] { return d->finishedCount != before; });
}

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

bool ContainedProcess::isTreeEmpty() const
{
    return !d->run || d->run->isEmpty();
}

QByteArray ContainedProcess::readAllStandardOutput()
{
    const QProcess::ProcessChannel previous = readChannel();
    setReadChannel(QProcess::StandardOutput);
    const QByteArray bytes = readAll();
    setReadChannel(previous);
    return bytes;
}

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
    d->bytesToWrite += maxSize;
    d->run->write(QByteArray(data, maxSize));
    return maxSize;
}

void ContainedProcess::connectNotify(const QMetaMethod &signal)
{
    if (d->run)
        d->run->setLineChannels(d->lineChannels());
    QIODevice::connectNotify(signal);
}

void ContainedProcess::disconnectNotify(const QMetaMethod &signal)
{
    if (d->run)
        d->run->setLineChannels(d->lineChannels());
    QIODevice::disconnectNotify(signal);
}

bool ContainedProcess::event(QEvent *event)
{
    if (event->type() != ProcessRun::NewsEvent)
        return QIODevice::event(event);
    if (d->run) {
        d->run->acknowledgeEvent();
        d->deliver();
    }
    return true;
}

void ContainedProcess::setProcessState(QProcess::ProcessState state)
{
    d->setState(state);
}

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

bool ContainedProcess::startDetached(const QString &program, const QStringList &arguments,
                                     const QString &workingDirectory, qint64 *pid)
{
    ContainedProcess process;
    process.setProgram(program);
    process.setArguments(arguments);
    process.setWorkingDirectory(workingDirectory);
    return process.startDetached(pid);
}

QStringList ContainedProcess::systemEnvironment()
{
    return QProcess::systemEnvironment();
}

QString ContainedProcess::nullDevice()
{
    return QProcess::nullDevice();
}

QStringList ContainedProcess::splitCommand(QStringView command)
{
    return QProcess::splitCommand(command);
}

Mechanism ContainedProcess::mechanism() const
{
    return d->run ? d->run->mechanism() : d->mechanism;
}

Mechanism ContainedProcess::requestedMechanism() const
{
    return d->requested;
}

void ContainedProcess::setRequestedMechanism(Mechanism mechanism)
{
    d->requested = mechanism;
}

ProcessGroup *ContainedProcess::group() const
{
    return d->group;
}

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

QFuture<ShutdownReport> ContainedProcess::shutdown(std::chrono::milliseconds grace)
{
    return d->run ? Shutdown::of(d->run, grace) : Shutdown::ofNothing();
}

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

int ContainedProcess::maximumLineLength() const
{
    return d->maximumLineLength;
}

void ContainedProcess::setMaximumLineLength(int characters)
{
    d->maximumLineLength = qMax(1, characters);
}

bool ContainedProcess::streamsCut() const
{
    return d->streamsCut;
}

QList<int> ContainedProcess::inheritedDescriptors() const
{
    return d->inheritedDescriptors;
}

void ContainedProcess::setInheritedDescriptors(const QList<int> &descriptors)
{
    d->inheritedDescriptors = descriptors;
}

ProcessKit::ProcessError ContainedProcess::failure() const
{
    return d->failure;
}

void ContainedProcess::terminate()
{
    if (d->run)
        d->run->signal(SIGTERM);
}

void ContainedProcess::kill()
{
    if (d->run)
        d->run->kill();
}

} // namespace ProcessKit
