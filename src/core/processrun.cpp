// SPDX-License-Identifier: MIT
#include "processrun_p.h"

#include "convert_p.h"
#include "deviceinput_p.h"
#include "groupstate_p.h"
#include "logging_p.h"
#include "startsetup_p.h"

#include "cgroup_tree.h"
#include "host.h"
#include "pipe_stock.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>

namespace ProcessKit {

using namespace std::chrono_literals;
using Native::LaunchFailure;
using Native::LaunchStep;
using Native::Reactor;
using Native::UniqueFd;

namespace {

constexpr auto drainQuiet = 200ms; // without output, then leftovers are ended
constexpr auto drainLongest = 2s;

} // namespace

std::shared_ptr<ProcessRun> ProcessRun::start(RunSetup setup, QObject *receiver, int interests,
                                              ProcessError *error)
{
    *error = startReactor(setup.program);
    if (*error)
        return nullptr;
    watchKeeper();
    std::shared_ptr<ProcessRun> run(new ProcessRun(std::move(setup)));
    run->m_receiver = receiver;
    run->m_interests = interests;
    if (run->m_setup.group)
        run->m_setup.group->startBegins();
    Reactor::instance().post([run] { run->begin(); });
    return run;
}

std::shared_ptr<ProcessRun> ProcessRun::start(RunSetup setup, Consumer consumer)
{
    watchKeeper();
    std::shared_ptr<ProcessRun> run(new ProcessRun(std::move(setup)));
    run->m_consumer = std::move(consumer);
    if (run->m_setup.group && !run->m_setup.isCounted)
        run->m_setup.group->startBegins();
    run->begin();
    return run;
}

ProcessError ProcessRun::adopt(const std::shared_ptr<GroupState> &group,
                               const Native::ProcessEntry &process,
                               std::vector<Native::ProcessEntry> *leftOutside)
{
    RunSetup setup;
    setup.group = group;
    std::shared_ptr<ProcessRun> run(new ProcessRun(std::move(setup)));
    const auto tree = std::make_shared<Native::CgroupTree>(group->directory());
    run->m_self = run;
    run->m_isAdopted = true;
    run->m_tree = tree;
    run->m_mechanism = Mechanism::CgroupV2;
    tree->setObserver(run.get());
    group->startBegins();
    group->add(run, Mechanism::CgroupV2);
    const int error = tree->adopt(process, leftOutside);
    if (!error)
        return {};
    using Kind = ProcessError::Kind;
    const bool isForbidden = error == EACCES || error == EPERM;
    return ProcessError(isForbidden              ? Kind::PermissionDenied
                                : error == ESRCH ? Kind::NotFound
                                                 : Kind::Unsupported,
                        {}, QStringLiteral("adopt"), error);
}

ProcessRun::ProcessRun(RunSetup setup)
    : m_setup(std::move(setup)), m_readLimit(m_setup.readLimit), m_leftovers(m_setup.leftovers)
{
    for (Channel *channel : m_channels)
        channel->splitter.setMaximumLength(m_setup.maximumLineLength);
}

ProcessRun::~ProcessRun() = default;

// The owner's side

void ProcessRun::setLeftovers(Leftovers policy)
{
    const std::lock_guard lock(m_mutex);
    m_leftovers = policy;
}

void ProcessRun::signal(int signal)
{
    Reactor::instance().post([self = shared_from_this(), signal] {
        if (!self->m_tree || self->m_treeEmpty)
            return;
        self->m_tree->signal(signal);
        if (signal == SIGTERM)
            self->m_tree->signal(SIGCONT); // a stopped member has to run to end
    });
}

void ProcessRun::cancel()
{
    Reactor::instance().post([self = shared_from_this()] { self->end(Verdict::Cancelled); });
}

void ProcessRun::kill()
{
    Reactor::instance().post([self = shared_from_this()] { self->killTree(); });
}

Mechanism ProcessRun::mechanism() const
{
    const std::lock_guard lock(m_mutex);
    return m_mechanism;
}

bool ProcessRun::isEmpty() const
{
    const std::lock_guard lock(m_mutex);
    return m_emptyForOwner;
}

bool ProcessRun::hasExited() const
{
    const std::lock_guard lock(m_mutex);
    return m_exitedForOwner;
}

QList<ProcessInfo> ProcessRun::members()
{
    QList<ProcessInfo> members;
    Reactor::instance().call([&] {
        if (m_tree && !m_treeEmpty)
            members = toProcessInfo(m_tree->members());
    });
    return members;
}

void ProcessRun::abandon()
{
    forgetReceiver();
    Reactor::instance().post([self = shared_from_this()] {
        self->killTree();
        self->m_drainTimer.stop();
        for (int channel : { 0, 1 })
            self->endChannel(channel);
        self->endInput();
        self->releaseIfDone();
    });
}

// The reactor's side: the beginning

void ProcessRun::begin()
{
    m_self = shared_from_this();
    const bool withModifier = bool(m_setup.modifier);
    if (m_setup.group) {
        m_setup.group->prepare(m_setup.program, m_setup.requested, withModifier,
                               [self = m_self](Native::TreeKind kind, ProcessError problem) {
                                   self->launch(kind, std::move(problem));
                               });
    } else {
        launch(m_setup.requested == Mechanism::None ? Native::chooseMechanism(withModifier)
                                                    : toTreeKind(m_setup.requested),
               {});
    }
}

// \a problem: why the group cannot take it in
void ProcessRun::launch(Native::TreeKind kind, ProcessError problem)
{
    Native::Launch launch;
    std::shared_ptr<Native::CgroupDirectory> directory;
    if (m_setup.group && kind == Native::TreeKind::CgroupV2)
        directory = m_setup.group->directory();
    m_tree = Native::Tree::make(kind, directory);
    m_tree->setObserver(this);
    {
        const std::lock_guard lock(m_mutex);
        m_mechanism = toMechanism(kind);
    }
    if (m_setup.group)
        m_setup.group->add(m_self, toMechanism(kind));
    if (problem) {
        fail(problem);
        return;
    }
    if (m_setup.group && m_setup.group->isSuspended()) {
        fail(ProcessError(ProcessError::Kind::Suspended, m_setup.program,
                          QStringLiteral("start in a suspended group"), EBUSY));
        return;
    }
    // A verb that a runner was asked for while its group still was. (Whoever comes a moment earlier
    // counts as a member already, and is killed with the group.)
    const bool isTooLate = m_consumer && m_setup.group && m_setup.group->hasEnded();
    if (isTooLate || m_killed || m_setup.stopToken.stop_requested()) {
        tell([](RunNews &news) { news.verdict = Verdict::Cancelled; });
        fail(ProcessError(ProcessError::Kind::Cancelled, m_setup.program, QStringLiteral("start"),
                          ECANCELED));
        return;
    }
    problem = lookUpProgram(&m_setup, &launch.plan);
    if (!problem)
        problem = openStreams(&launch);
    if (problem) {
        fail(problem);
        return;
    }
    launch.plan.arguments = std::move(m_setup.arguments);
    launch.plan.environment = std::move(m_setup.environment);
    launch.plan.workingDirectory = m_setup.directory;
    launch.plan.settings = std::move(m_setup.settings);
    launch.modifier = std::move(m_setup.modifier);
    launch.isMeasured = bool(m_consumer); // a verb, whose result tells
    m_inputQueue.append(std::move(m_setup.input));
    if (m_setup.device) {
        m_setup.device->start([weak = weak_from_this()] {
            Reactor::instance().post([weak] {
                if (const auto self = weak.lock())
                    self->flushInput();
            });
        });
    }
    if (m_setup.closesInput) {
        const std::lock_guard lock(m_mutex);
        m_closeInput = true; // once it is launched, what there is is written
    }
    m_tree->launch(std::move(launch));
}

ProcessError ProcessRun::openStreams(Native::Launch *launch)
{
    for (int stream = 0; stream < 3; ++stream) {
        RunSetup::Stream &setup = m_setup.streams[std::size_t(stream)];
        if (stream == 2 && m_setup.mergeErrors) {
            mergeErrors(&launch->plan);
            continue;
        }
        const int error = setup.end == RunSetup::End::Pipe
                ? openPipe(stream, &launch->plan, &launch->childEnds)
                : passStream(stream, &setup, launch);
        if (error)
            return toError({ LaunchStep::Pipe, error }, m_setup.program);
    }
    for (const Native::LaunchPlan::Descriptor &descriptor : m_setup.inheritedDescriptors)
        launch->plan.descriptors.push_back(descriptor);
    for (UniqueFd &source : m_setup.inheritedSources)
        launch->childEnds.push_back(std::move(source));
    return {};
}

int ProcessRun::openPipe(int stream, Native::LaunchPlan *plan, std::vector<UniqueFd> *childEnds)
{
    Native::Pipe pipe = Native::takePipe();
    if (!pipe.readEnd)
        return errno;
    UniqueFd &ours = stream == 0 ? pipe.writeEnd : pipe.readEnd;
    UniqueFd &theirs = stream == 0 ? pipe.readEnd : pipe.writeEnd;
    ::fcntl(ours.get(), F_SETFL, O_NONBLOCK);
    plan->descriptors.push_back({ theirs.get(), stream });
    childEnds->push_back(std::move(theirs));
    if (stream == 0) {
        m_input = std::move(ours);
        return 0;
    }
    Channel *channel = m_channels[std::size_t(stream - 1)];
    channel->fd = std::move(ours);
    return channel->watch.start(channel->fd.get(), Reactor::Readable,
                                [this, stream](auto) { readChannel(stream - 1); });
}

void ProcessRun::launched(pid_t pid)
{
    qCDebug(lcLifecycle) << "launched" << pid << mechanism();
    {
        const std::lock_guard lock(m_mutex);
        m_pid = pid;
        m_news.launched = pid;
        // output that came before a keeper's word has been told of, and waits for it
        if ((m_interests & LaunchNews) || m_newsCount > 0)
            noteNews();
        m_launchCondition.notify_all();
    }
    if (m_setup.group)
        m_setup.group->lookForMembers();
    armTimeouts();
    flushInput();
}

void ProcessRun::armTimeouts()
{
    m_launchTime = m_activityTime = Reactor::Clock::now();
    if (m_setup.timeout >= 0ms)
        m_timeoutTimer.start(m_setup.timeout, [this] { end(Verdict::TimedOut); });
    if (m_setup.inactivityTimeout >= 0ms)
        m_activityTimer.start(m_setup.inactivityTimeout, [this] { checkActivity(); });
    m_stopRequest.watch(m_setup.stopToken, [weak = weak_from_this()] {
        if (const auto self = weak.lock())
            self->end(Verdict::Cancelled);
    });
}

// Output does not set the timer anew each time: it is looked at when the timer fires.
void ProcessRun::checkActivity()
{
    const auto due = m_activityTime + m_setup.inactivityTimeout;
    if (Reactor::Clock::now() >= due)
        end(Verdict::WentQuiet);
    else
        m_activityTimer.startAt(due, [this] { checkActivity(); });
}

// Who has ended by itself keeps its outcome. The first verdict counts, but that to cancel beats the
// others for as long as the process has not ended.
void ProcessRun::end(Verdict verdict)
{
    if (m_exited || m_treeEmpty || m_verdict == Verdict::Cancelled
        || (m_verdict && verdict != Verdict::Cancelled))
        return;
    qCDebug(lcLifecycle) << (verdict == Verdict::Cancelled ? "cancelled" : "timed out")
                         << (m_tree ? m_tree->pid() : 0);
    m_verdict = verdict;
    m_timeoutTimer.stop();
    m_activityTimer.stop();
    m_killTimer.stop();
    tell([verdict](RunNews &news) { news.verdict = verdict; });
    const RunSetup::Ending ending =
            verdict == Verdict::Cancelled ? m_setup.cancelEnding : m_setup.timeoutEnding;
    if (!m_tree || ending.grace <= 0ms) {
        killTree();
        return;
    }
    m_verdictLog.softSignal(m_tree->pid(), ending.signal, ending.grace);
    askToEnd(ending.signal);
    m_killTimer.start(ending.grace, [this] { killTree(); });
}

void ProcessRun::launchFailed(const LaunchFailure &failure)
{
    fail(toError(failure, m_setup.program));
}

void ProcessRun::fail(const ProcessError &error)
{
    qCDebug(lcLifecycle) << "launch failed:" << error.kind() << error.nativeCode();
    m_treeEmpty = true;
    for (Channel *channel : m_channels) {
        channel->watch.stop();
        channel->fd.reset();
    }
    endInput();
    tell([&](RunNews &news) {
        m_pid = 0;
        m_emptyForOwner = true;
        news.failure = error;
    });
    m_launchCondition.notify_all();
    treeIsOver();
}

// The end, of which there are three: the child has exited, its streams have ended, its tree is
// empty

void ProcessRun::exited(const Native::ChildExit &exit)
{
    qCDebug(lcLifecycle) << "exited" << m_tree->pid();
    m_exited = true;
    m_exitTime = Reactor::Clock::now();
    m_timeoutTimer.stop();
    m_activityTimer.stop();
    m_stopRequest.reset();
    if (m_setup.group)
        m_setup.group->childEnded();
    m_inputWatch.stopAndClose(std::move(m_input));
    endInput();
    tell([&](RunNews &news) {
        m_exitedForOwner = true;
        news.exit = exit;
    });
    // the tree says in the same turn whether it is empty as well
    Reactor::instance().post([self = m_self] {
        if (!self->m_treeEmpty && !self->m_killed && !self->m_asked)
            self->reportLeftovers();
    });
}

void ProcessRun::emptied()
{
    qCDebug(lcLifecycle) << "emptied" << m_tree->pid();
    m_treeEmpty = true;
    m_verdictLog.drained();
    m_drainTimer.stop();
    m_killTimer.stop();
    readRest();
    if (streamsAreOpen()) {
        // somebody outside of the tree was given them
        if (m_killed || m_asked || m_finished) {
            cutStreams();
        } else {
            m_drainEnd = Reactor::Clock::now() + drainLongest;
            armDrain();
        }
    }
    finishIfEnded();
    tell([&](RunNews &news) {
        m_emptyForOwner = true;
        news.emptied = true;
    });
    treeIsOver();
}

void ProcessRun::lost(bool ended)
{
    qCWarning(lcKeeper) << "The group keeper of process" << m_tree->pid() << "was killed;"
                        << (ended ? "its tree has been ended" : "its tree may live on");
    m_mayHaveEscaped = !ended;
    tell([ended](RunNews &news) { news.lost = ended; });
}

void ProcessRun::reportLeftovers()
{
    QList<ProcessInfo> leftovers = toProcessInfo(m_tree->members());
    leftovers.removeIf(
            [this](const ProcessInfo &info) { return info.processId() == m_tree->pid(); });
    Leftovers policy;
    {
        const std::lock_guard lock(m_mutex);
        policy = m_setup.group ? Leftovers::Leave : m_leftovers;
    }
    if (!leftovers.isEmpty() && !m_setup.group)
        tell([&](RunNews &news) { news.leftovers = leftovers; });
    m_drainEnd = Reactor::Clock::now() + drainLongest;
    armDrain();
    for (int index = 0; index < 2; ++index) {
        // what was written before the exit counts as read before it
        constexpr int pipesFull = 8;
        for (int i = 0; i < pipesFull && m_channels[std::size_t(index)]->fd && room(index) > 0;
             ++i) {
            if (!readOnce(index, false))
                break;
        }
    }
    finishIfEnded();
    if (policy == Leftovers::KillAtOnce) {
        if (streamsAreOpen())
            tell([](RunNews &news) { news.cut = true; });
        killTree();
    }
}

void ProcessRun::armDrain()
{
    const auto quietEnd = Reactor::Clock::now() + drainQuiet;
    m_drainTimer.startAt(qMin(quietEnd, m_drainEnd), [this] { drainExpired(); });
}

void ProcessRun::drainExpired()
{
    Leftovers policy;
    {
        const std::lock_guard lock(m_mutex);
        policy = m_setup.group ? Leftovers::Leave : m_leftovers;
    }
    if (m_treeEmpty || policy == Leftovers::Leave || m_killed) {
        cutStreams();
        finishIfEnded();
        releaseIfDone();
        return;
    }
    // their last words are read; now they go, and take their ends of the pipes with them
    if (streamsAreOpen())
        tell([](RunNews &news) { news.cut = true; });
    killTree();
    m_drainEnd = Reactor::Clock::now() + drainLongest;
    m_drainTimer.startAt(m_drainEnd, [this] { drainExpired(); });
}

void ProcessRun::askToEnd(int signal)
{
    m_asked = true;
    m_drainTimer.stop();
    if (!m_tree)
        m_killed = true; // it waits for its group, and will not begin any more
    if (!m_tree || m_treeEmpty)
        return;
    m_tree->signal(signal);
    m_tree->signal(SIGCONT); // a stopped member has to run to end
}

void ProcessRun::killTree()
{
    m_killed = true;
    m_verdictLog.escalated();
    if (m_tree && !m_treeEmpty)
        m_tree->kill();
}

void ProcessRun::cutStreams()
{
    if (!streamsAreOpen())
        return;
    qCDebug(lcLifecycle) << "streams cut" << m_tree->pid();
    const bool someoneStays = !m_treeEmpty;
    for (int index = 0; index < 2; ++index) {
        Channel *channel = m_channels[std::size_t(index)];
        if (!channel->fd)
            continue;
        if (!someoneStays) {
            endChannel(index);
            continue;
        }
        // who was left on purpose is not to die of a closed pipe
        QList<OutputLine> lines;
        channel->splitter.finish(&lines, &m_lineNumber);
        if (!lines.isEmpty())
            tell([&](RunNews &news) { news.lines += lines; });
        channel->discarding = true;
        if (!channel->watch.isActive())
            watchChannel(index);
    }
    tell([](RunNews &news) { news.cut = true; });
    if (!std::exchange(m_finished, true))
        tell([](RunNews &news) { news.finished = true; });
}

void ProcessRun::finishIfEnded()
{
    if (!m_exited || streamsAreOpen() || std::exchange(m_finished, true))
        return;
    tell([](RunNews &news) { news.finished = true; });
}

void ProcessRun::whenEmptied(std::function<void()> callback)
{
    if (m_treeEmpty)
        callback();
    else
        m_whenEmptied.push_back(std::move(callback));
}

void ProcessRun::treeIsOver()
{
    // the group tells of it after the process has, which is woken at the end of this turn
    Reactor::instance().post([self = shared_from_this()] {
        if (self->m_setup.group)
            self->m_setup.group->runIsOver(self.get());
        for (const auto &callback : std::exchange(self->m_whenEmptied, {}))
            callback();
    });
    releaseIfDone();
}

// Streams that somebody outside of the tree holds may be waited for longer than the tree lives.
void ProcessRun::releaseIfDone()
{
    if (m_treeEmpty && !streamsAreOpen() && m_self)
        Reactor::instance().post([self = std::move(m_self)] {});
}

} // namespace ProcessKit
