// SPDX-License-Identifier: MIT
#include "containedprocess_p.h"

#include "groupstate_p.h"
#include "processgroup_p.h"
#include "processpipe_p.h"
#include "shutdown_p.h"

#include <signal.h>

namespace ProcessKit {

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
    \property ProcessKit::ContainedProcess::state
    \brief The state of the process.

    It is QProcess::Starting from the call of start(), QProcess::Running from started(), and
    QProcess::NotRunning again when a start has failed, or just before finished().
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
    Returns how many processes of the tree the kernel had killed for memory when the program exited.
    It is known in a ProcessGroup with a limit of memory; no value otherwise, and before the exit.

    \sa ResourceLimits::memoryMax, ProcessGroup::oomKilled()
*/
std::optional<qint64> ContainedProcess::oomKills() const
{
    return d->oomKills;
}

/*!
    Returns \c true if nothing of the tree is alive, or nothing was started.
*/
bool ContainedProcess::isTreeEmpty() const
{
    return !d->run || d->run->isEmpty();
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
QList<ProcessInfo> ContainedProcess::members() const
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
