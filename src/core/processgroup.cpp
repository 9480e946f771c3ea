// SPDX-License-Identifier: MIT
#include "processgroup_p.h"

#include "convert_p.h"
#include "fork_events.h"
#include "processrun_p.h"
#include "shutdown_p.h"

#include <ProcessKit/command.h>
#include <ProcessKit/processgroup.h>

#include <QtCore/qcoreevent.h>
#include <QtCore/qpointer.h>

#include <errno.h>
#include <signal.h>

#include <algorithm>
#include <future>
#include <utility>

namespace ProcessKit {

using Native::Reactor;

/*!
    \class ProcessKit::ProcessGroup
    \inmodule ProcessKit
    \inheaderfile ProcessKit/ProcessGroup
    \brief One container for several processes.

    \code
    ProcessGroup services;
    ContainedProcess *server = services.start("my-server");
    services.start("my-indexer", { "--watch" });
    connect(server, &ContainedProcess::finished, this, &Page::serverEnded);
    ...
    services.shutdown(5s).then(this, [](ShutdownReport report) { ... });
    \endcode

    Each process of a group has a tree of its own, which its ContainedProcess can end by itself.
    The group ends all of them together. With Mechanism::CgroupV2 they lie in one cgroup, which the
    kernel ends in one operation; with the other mechanisms one tree is ended after the other.

    Members that a process leaves behind when it exits stay in the group, whatever
    ContainedProcess::leftovers says, until the group or that ContainedProcess is destroyed or told
    to end them.

    \section1 Threads

    start(), the destructor and the signals belong to the thread of the object, as with every
    QObject. mechanism(), isEmpty(), members(), waitForEmptied(), kill(), terminate() and
    shutdown() can be called from any thread, as long as the object exists.
*/

/*!
    \fn void ProcessKit::ProcessGroup::processStarted(ProcessKit::ContainedProcess *process)

    This signal is emitted after ContainedProcess::started() of \a process.
*/

/*!
    \fn void ProcessKit::ProcessGroup::processExited(ProcessKit::ContainedProcess *process, int exitCode, QProcess::ExitStatus exitStatus)

    This signal is emitted after ContainedProcess::exited() of \a process, with the same
    \a exitCode and \a exitStatus.
*/

/*!
    \fn void ProcessKit::ProcessGroup::emptied()

    This signal is emitted when nothing is left in the group. A start that failed ends in it as
    well. It is left out where something was started again before it could be delivered.
*/

/*!
    \fn void ProcessKit::ProcessGroup::statisticsSampled(const ProcessKit::GroupStats &statistics)

    This signal is emitted once in each samplingInterval with the \a statistics of that moment.
*/

/*!
    \fn void ProcessKit::ProcessGroup::memberAppeared(const ProcessKit::ProcessInfo &member)

    This signal is emitted when \a member was first seen in the group, while tracksMembers is
    \c true. Its name is the one that it had then: what is just being started has that of its
    parent.

    \sa members()
*/

/*!
    \fn void ProcessKit::ProcessGroup::memberGone(const ProcessKit::ProcessInfo &member)

    This signal is emitted when \a member, which memberAppeared() has told of, has ended, or is not
    in the group any more.
*/

/*!
    \fn void ProcessKit::ProcessGroup::limitReached(ProcessKit::ResourceLimits::Limit limit, qint64 times)

    This signal is emitted when \a limit was reached, \a times in all. The kernel tells of limits of
    memory and tasks when it happens, but not more than a hundred times a second; of the CPU's it
    tells nothing, so that comes with the next exit of a process, sample (samplingInterval) or call
    of limitEvidence().
*/

/*!
    \fn void ProcessKit::ProcessGroup::oomKilled(qint64 processes)

    This signal is emitted when the kernel has killed processes of the group because it needed more
    memory than ResourceLimits::memoryMax; \a processes of them in all.

    \sa ContainedProcess::oomKills()
*/

/*!
    \property ProcessKit::ProcessGroup::empty
    \brief Whether nothing is in the group.

    It is \c false from the call of start() on, \c true again when the last member has ended. The
    function is thread-safe.
*/

/*!
    Constructs a group with the given \a parent, held by the best mechanism that the host has.
*/
ProcessGroup::ProcessGroup(QObject *parent) : ProcessGroup(Mechanism::None, parent) { }

/*!
    Constructs a group with the given \a parent, whose processes are held by \a requested. A start
    fails with ProcessError::Kind::Unsupported where that cannot be had. Mechanism::None leaves the
    choice to each process.

    \sa ContainedProcess::setRequestedMechanism()
*/
ProcessGroup::ProcessGroup(Mechanism requested, QObject *parent)
    : QObject(parent), d(std::make_unique<ProcessGroupPrivate>())
{
    d->state = std::make_shared<GroupState>(requested, this);
}

/*!
    Destroys the group and the ContainedProcess objects that it owns, and ends everything in it. It
    does not wait for that and emits no signal.
*/
ProcessGroup::~ProcessGroup()
{
    d->state->end();
    kill();
}

/*!
    Starts \a program with \a arguments in the group and returns its object, which the group owns.

    Delete that object when it is no longer wanted, for example by QObject::deleteLater() in a slot
    of its ContainedProcess::finished(): a finished one stays until then. To delete it ends what is
    left of its tree.

    A start that fails is told by ContainedProcess::errorOccurred(). Some errors, for example a NUL
    character in an argument, are found at once: then ContainedProcess::failure() has them when
    this function returns.

    For a process that needs other settings, make it yourself, call ContainedProcess::setGroup(),
    and start it.
*/
ContainedProcess *ProcessGroup::start(const QString &program, const QStringList &arguments)
{
    auto *process = new ContainedProcess(this);
    process->setGroup(this);
    process->start(program, arguments);
    return process;
}

/*!
    \overload

    Starts \a command in the group, as ContainedProcess::start() does.
*/
ContainedProcess *ProcessGroup::start(const Command &command)
{
    auto *process = new ContainedProcess(this);
    process->setGroup(this);
    process->start(command);
    return process;
}

/*!
    Returns the ContainedProcess objects whose parent is this group: those that start() has made and
    that have not been deleted, finished ones too.
*/
QList<ContainedProcess *> ProcessGroup::startedProcesses() const
{
    return findChildren<ContainedProcess *>(Qt::FindDirectChildrenOnly);
}

/*!
    \property ProcessKit::ProcessGroup::mechanism
    \brief What holds the process that was started last.

    Before the first start it is what Containment::query() promises. The processes of one group can
    have different mechanisms, where they were asked for, or where one has a child process
    modifier. The function is thread-safe.
*/
Mechanism ProcessGroup::mechanism() const
{
    const Mechanism ofLastStart = d->state->mechanism();
    if (ofLastStart != Mechanism::None)
        return ofLastStart;
    return Containment::query(d->state->requested()).mechanism();
}

bool ProcessGroup::isEmpty() const
{
    return d->state->isEmpty();
}

/*!
    Returns every process in the group, grandchildren included. Asks the I/O thread and waits for
    its answer. Thread-safe.
*/
QList<ProcessInfo> ProcessGroup::members() const
{
    QList<ProcessInfo> processes;
    if (isEmpty())
        return processes;
    Reactor::instance().call([&] { processes = toProcessInfo(d->state->members()); });
    return processes;
}

/*!
    Takes the running process \a processId into the group, and everything that descends from it:
    from then on they end with the group, count for its limits and statistics, and are signalled and
    suspended with it. What they start is born in the group.

    The report names who was moved, and who could not be. Nothing was moved where there is an error:
    ProcessError::Kind::NotFound when there is no such process, InvalidArgument for this program,
    those that it descends from, its keeper and threads of the kernel, PermissionDenied when the
    kernel does not let this user move it (cgroups(7), "Delegation"), and Unsupported where the
   group is not held by Mechanism::CgroupV2. A process that is in the group already is no error, and
   the report is empty then.

    A process id is only an address: the process is held by a handle while it is moved, and one that
    has got the number meanwhile is moved back. The process stays the child of its parent, which
    learns of its exit; the group tells of it by memberGone() and emptied().

    Thread-safe. Asks the I/O thread and waits for its answer; with limits in a group in which
    nothing was started it may wait for systemd as well.

    \sa release()
*/
Expected<AdoptionReport> ProcessGroup::adopt(qint64 processId)
{
    if (const ProcessError error = startReactor({}))
        return error;
    std::promise<Expected<AdoptionReport>> promise;
    Reactor::instance().post([&, state = d->state] {
        state->prepare({}, state->requested(), false,
                       [&promise, state, processId](Native::TreeKind, const ProcessError &problem) {
                           promise.set_value(state->adopt(processId, problem));
                       });
    });
    return promise.get_future().get();
}

/*!
    Lets the member \a processId, and those members that descend from it, go: they move into the
    cgroup of this program and outlive the group. It is one of the two ways out of containment, with
    Command::startDetached().

    Nothing is changed where an error is returned: ProcessError::Kind::NotFound when it is not in
    the group, PermissionDenied when the kernel does not let this user move it, Unsupported where
    the group is not held by Mechanism::CgroupV2, and for a process that was started by this program
    itself, which the kernel ends with it (PR_SET_PDEATHSIG, prctl(2)).

    Thread-safe. Asks the I/O thread and waits for its answer.

    \sa adopt()
*/
ProcessError ProcessGroup::release(qint64 processId)
{
    ProcessError error = startReactor({});
    if (!error)
        Reactor::instance().call([&] { error = d->state->release(processId); });
    return error;
}

/*!
    Sends SIGTERM and SIGCONT to every process in the group, gives them \a grace to end, kills what
    is left then, and waits 5 s more at most for the kernel to end it. A \a grace of 0 kills at
    once. The default is two seconds. Thread-safe.

    The future has a result as soon as the group is empty, and can be waited for in any thread,
    without an event loop; emptied() comes later, from the event loop. To cancel it changes nothing
    for the processes. A process that is started in the meantime is killed with the others when the
    grace is over, but is not part of the report.
*/
QFuture<ShutdownReport> ProcessGroup::shutdown(std::chrono::milliseconds grace)
{
    return stop(Shutdown::policyOf(grace));
}

/*!
    Brings the group to its end as \a policy says; otherwise as shutdown(), which is the same with
    StopPolicy::terminate(). ShutdownReport::step tells how far it went. With a policy that spares,
    what is left after its last step lives on, and ShutdownReport::empty is \c false.

    A step whose signal does not exist is left out, as if nobody had reacted to it. Thread-safe.
*/
QFuture<ShutdownReport> ProcessGroup::stop(const StopPolicy &policy)
{
    return isEmpty() ? Shutdown::ofNothing() : Shutdown::of(d->state, policy);
}

/*!
    Sends \a signal (1 to 64) to every process in the group, each through a handle of its own, so
    that no other is ever hit; SIGKILL ends the group as kill() does. Returns an error of kind
    InvalidArgument for a number that is no signal. An empty group takes any. Thread-safe; it waits
    for the I/O thread, not for the processes.
*/
ProcessError ProcessGroup::signal(int signal)
{
    if (signal < 1 || signal >= NSIG)
        return ProcessError(ProcessError::Kind::InvalidArgument, {}, QStringLiteral("signal"),
                            EINVAL);
    if (signal == SIGKILL)
        kill();
    else if (!isEmpty())
        Reactor::instance().call([this, signal] { d->state->signal(signal); });
    return {};
}

/*!
    \property ProcessKit::ProcessGroup::suspended
    \brief Whether the group was told to stand still.

    The function is thread-safe.
*/
bool ProcessGroup::isSuspended() const
{
    return d->state->isSuspended();
}

/*!
    Makes every process in the group stand still. In a cgroup the kernel's freezer does it
    (cgroup.freeze), which no process notices or can refuse; elsewhere each one gets SIGSTOP, over
    and over until no new one is found. A start in a suspended group fails at once, with
    ProcessError::Kind::Suspended. kill() ends a suspended group as any other; shutdown() lets it go
    on right after it has been asked to end. Thread-safe.

    Returns an error where the kernel refused. To suspend a group twice is to do it once.

    \sa resume()
*/
ProcessError ProcessGroup::suspend()
{
    return setSuspended(true);
}

/*!
    Lets a group that was suspended go on. Thread-safe.

    \sa suspend()
*/
ProcessError ProcessGroup::resume()
{
    return setSuspended(false);
}

ProcessError ProcessGroup::setSuspended(bool suspended)
{
    int error = 0;
    if (Reactor *reactor = Reactor::start(&error))
        reactor->call([&] { error = d->state->setSuspended(suspended); });
    if (!error)
        return {};
    return ProcessError(ProcessError::Kind::Unsupported, {}, QStringLiteral("cgroup.freeze"),
                        error);
}

/*!
    Returns what the group has used up to now. Thread-safe; it asks the I/O thread and waits for its
    answer.

    \sa samplingInterval
*/
GroupStats ProcessGroup::statistics() const
{
    GroupStats stats;
    int error = 0;
    if (Reactor *reactor = Reactor::start(&error))
        reactor->call([&] { stats = d->state->statistics(); });
    return stats;
}

/*!
    \property ProcessKit::ProcessGroup::samplingInterval
    \brief How often statisticsSampled() is emitted, in milliseconds; 0, the default, for never.

    The first sample comes after one interval. One that was missed because the event loop was busy
    is left out.
*/
std::chrono::milliseconds ProcessGroup::samplingInterval() const
{
    return d->samplingInterval;
}

void ProcessGroup::setSamplingInterval(std::chrono::milliseconds interval)
{
    interval = std::max(interval, std::chrono::milliseconds(0));
    if (std::exchange(d->samplingInterval, interval) == interval)
        return;
    if (interval.count() > 0)
        d->samplingTimer.start(int(interval.count()), this);
    else
        d->samplingTimer.stop();
    Q_EMIT samplingIntervalChanged(interval);
}

/*!
    \property ProcessKit::ProcessGroup::tracksMembers
    \brief Whether memberAppeared() and memberGone() are emitted; \c false by default.

    Each member costs a descriptor while they are.

    The end of a member is told as it happens. That a member has forked the kernel tells only where
    hearsOfForks() is \c true. Elsewhere new members are looked for when a process is started in the
    group, when a member has ended, and once in each samplingInterval; a member that comes and goes
    between two looks is not seen then.
*/
bool ProcessGroup::tracksMembers() const
{
    return d->tracksMembers;
}

void ProcessGroup::setTracksMembers(bool tracks)
{
    if (std::exchange(d->tracksMembers, tracks) == tracks)
        return;
    int error = 0;
    if (Reactor *reactor = Reactor::start(&error))
        reactor->post([state = d->state, tracks] { state->setTracksMembers(tracks); });
    Q_EMIT tracksMembersChanged(tracks);
}

/*!
    Returns whether the kernel tells of every fork, so that members are told without being looked
    for. It does so through its process events connector, while some group tracks its members: to a
    privileged program (CAP_NET_ADMIN), since Linux 6.6 to any, but not in a container with a pid or
    user namespace of its own, and not where the kernel was built without it. A process that has
    ended before anything could be read of it is left out. Asks the I/O thread
    and waits for its answer.
*/
bool ProcessGroup::hearsOfForks() const
{
    bool hears = false;
    int error = 0;
    if (Reactor *reactor = Reactor::start(&error))
        reactor->call([&] { hears = Native::ForkEvents::instance().isHearing(); });
    return hears;
}

void ProcessGroup::tellMembers()
{
    const QPointer<ProcessGroup> guard(this);
    for (const GroupState::MemberChange &change : d->state->takeMemberChanges()) {
        if (!guard || !d->tracksMembers)
            return;
        if (change.appeared)
            Q_EMIT memberAppeared(change.member);
        else
            Q_EMIT memberGone(change.member);
    }
}

/*!
    \reimp
*/
void ProcessGroup::timerEvent(QTimerEvent *event)
{
    if (event->timerId() == d->samplingTimer.timerId())
        Q_EMIT statisticsSampled(statistics()); // which reads the evidence, too
    else
        QObject::timerEvent(event);
}

/*!
    Returns what all processes of the group together may use: what updateLimits() was given last.
    Thread-safe.
*/
ResourceLimits ProcessGroup::limits() const
{
    return d->state->limits();
}

/*!
    Replaces the limits of the group by \a limits: what has no value there is not limited any more.
    Returns an error where that is not possible, and then the limits are those from before.

    Before the first start, the limits are checked by ResourceLimits::validate() and remembered.
    That start makes a cgroup for the group where the controllers are to be had: below the
    application's own cgroup, in a subtree that was delegated to it, or in a scope that systemd is
    asked for, see Containment::controllerSource(). It fails with ProcessError::Kind::ResourceLimit
    before anything is started where none of them is possible; ProcessError::diagnostic() says why.
    The start does not wait for systemd in this thread.

    Once something has been started, the new limits are in force when the function returns. It fails
    with ProcessError::Kind::ResourceLimit where the group is not in a cgroup or cannot have the
    controller in the one that it is in; a group that is to have limits later should begin with one.
    A limit of memory that is below what is in use makes the kernel take memory back first, which
    may take some time, and end processes when it cannot.

    Thread-safe.

    \sa limitEvidence(), controllerSource()
*/
ProcessError ProcessGroup::updateLimits(const ResourceLimits &limits)
{
    return d->state->setLimits(limits);
}

/*!
    Returns how often the limits of the group were reached up to now. Thread-safe; it asks the I/O
    thread and waits for its answer.

    \sa limitReached(), oomKilled()
*/
LimitEvidence ProcessGroup::limitEvidence() const
{
    LimitEvidence evidence;
    int error = 0;
    if (Reactor *reactor = Reactor::start(&error))
        reactor->call([&] { evidence = d->state->readLimitEvidence(); });
    return evidence;
}

/*!
    Returns where the controllers that enforce the group's limits come from;
    ControllerSource::None before its first start and while it has none. Thread-safe.
*/
ControllerSource ProcessGroup::controllerSource() const
{
    return d->state->controllerSource();
}

// What has been reached more often than was told.
void ProcessGroup::tellEvidence()
{
    using Limit = ResourceLimits::Limit;
    const QPointer<ProcessGroup> guard(this);
    const LimitEvidence now = d->state->limitEvidence();
    const LimitEvidence before = std::exchange(d->toldEvidence, now);
    for (const Limit limit : { Limit::MemoryMax, Limit::MemoryHigh, Limit::MemorySwapMax,
                               Limit::TasksMax, Limit::CpuQuota }) {
        const qint64 times = now.count(limit).value_or(0);
        if (guard && times > before.count(limit).value_or(0))
            Q_EMIT limitReached(limit, times);
    }
    const qint64 kills = now.oomKills.value_or(0);
    if (guard && kills > before.oomKills.value_or(0))
        Q_EMIT oomKilled(kills);
}

/*!
    Blocks until nothing is in the group, for \a msecs milliseconds at most, or without limit if it
    is -1. Returns \c true if the group is empty. Needs no event loop, and delivers no signals.
    Thread-safe; the object must not be destroyed meanwhile.
*/
bool ProcessGroup::waitForEmptied(int msecs)
{
    return d->state->waitForEmptied(QDeadlineTimer(msecs));
}

/*!
    Ends every process in the group by SIGKILL. Returns at once. Thread-safe.
*/
void ProcessGroup::kill()
{
    if (!isEmpty())
        Reactor::instance().post([state = d->state] { state->kill(); });
}

/*!
    Sends SIGTERM to every process in the group, and SIGCONT so that stopped ones can act on it.
    Returns at once. Thread-safe.
*/
void ProcessGroup::terminate()
{
    if (isEmpty())
        return;
    Reactor::instance().post([state = d->state] {
        state->signal(SIGTERM);
        state->signal(SIGCONT); // a stopped member has to run to end
    });
}

/*!
    \reimp
*/
bool ProcessGroup::event(QEvent *event)
{
    const bool isEnd = event->type() == GroupState::EmptiedEvent;
    if (event->type() != GroupState::ChangedEvent && !isEnd)
        return QObject::event(event);
    d->state->acknowledge(event->type());
    const QPointer<ProcessGroup> guard(this);
    const Mechanism now = d->state->mechanism();
    if (now != Mechanism::None && std::exchange(d->toldMechanism, now) != now)
        Q_EMIT mechanismChanged(now);
    if (!guard)
        return true;
    const bool suspended = isSuspended();
    if (std::exchange(d->toldSuspended, suspended) != suspended)
        Q_EMIT suspendedChanged(suspended);
    if (guard)
        tellEvidence();
    if (guard)
        tellMembers();
    if (guard && std::exchange(d->toldEmpty, false))
        Q_EMIT emptyChanged(false);
    if (!guard || !isEnd || !isEmpty())
        return true; // or something has been started meanwhile
    d->toldEmpty = true;
    Q_EMIT emptyChanged(true);
    if (guard)
        Q_EMIT emptied();
    return true;
}

} // namespace ProcessKit
