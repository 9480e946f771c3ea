// SPDX-License-Identifier: MIT
#include "processrun_p.h"

#include "convert_p.h"
#include "groupstate_p.h"
#include "logging_p.h"
#include "startsetup_p.h"

#include "host.h"
#include "pipe_stock.h"

#include <QtCore/qcoreapplication.h>
#include <QtCore/qfile.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

namespace ProcessKit {

using namespace std::chrono_literals;
using Native::LaunchFailure;
using Native::LaunchStep;
using Native::Reactor;
using Native::UniqueFd;

namespace {

constexpr auto drainQuiet = 200ms; // without output, then leftovers are ended
constexpr auto drainLongest = 2s;
constexpr qint64 maximumPendingLineBytes = 256 * 1024; // on their way to the owner
constexpr int largePipe = 1024 * 1024;
constexpr std::size_t readSize = 256 * 1024;
constexpr qint64 longestTurn = 1024 * 1024; // bytes written at once

char *readBuffer()
{
    static char *const buffer = new char[readSize]; // the reactor's
    return buffer;
}

} // namespace

void RunNews::append(RunNews &&later)
{
    const auto take = [](auto *mine, auto &theirs) {
        if (theirs)
            *mine = std::move(theirs);
    };
    take(&launched, later.launched);
    take(&failure, later.failure);
    take(&exit, later.exit);
    take(&verdict, later.verdict);
    take(&leftovers, later.leftovers);
    take(&lost, later.lost);
    for (std::size_t i = 0; i < bytes.size(); ++i)
        bytes[i].append(std::move(later.bytes[i]));
    if (lines.isEmpty())
        lines = std::move(later.lines);
    else
        lines += later.lines;
    written += later.written;
    writeError = later.writeError ? later.writeError : writeError;
    cut |= later.cut;
    finished |= later.finished;
    emptied |= later.emptied;
}

bool RunNews::isEmpty() const
{
    return !launched && !failure && !exit && !verdict && !leftovers && bytes[0].isEmpty()
            && bytes[1].isEmpty() && lines.isEmpty() && !written && !writeError && !lost
            && !finished && !emptied;
}

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

ProcessRun::ProcessRun(RunSetup setup)
    : m_setup(std::move(setup)), m_readLimit(m_setup.readLimit), m_leftovers(m_setup.leftovers)
{
    for (Channel *channel : m_channels)
        channel->splitter.setMaximumLength(m_setup.maximumLineLength);
}

ProcessRun::~ProcessRun() = default;

// The owner's side

template<typename Change>
void ProcessRun::tell(Change change)
{
    const std::lock_guard lock(m_mutex);
    change(m_news);
    noteNews();
}

// There are news, and perhaps more in the same turn of the reactor: an end comes as several. The
// owner is woken once, at the end of the turn. m_mutex is held.
void ProcessRun::noteNews()
{
    ++m_newsCount;
    if (!std::exchange(m_wakePosted, true))
        Reactor::instance().post([self = shared_from_this()] { self->wakeOwner(); });
}

void ProcessRun::wakeOwner()
{
    {
        const std::lock_guard lock(m_mutex);
        m_wakePosted = false;
        if (m_newsCount == m_newsTaken)
            return; // it has come by itself
        if (const auto bell = m_bell.lock())
            bell->ring();
        if (m_waiting == 0 && !m_consumer) {
            if (m_receiver && !std::exchange(m_eventPosted, true))
                QCoreApplication::postEvent(m_receiver, new QEvent(NewsEvent));
            return;
        }
    }
    m_condition.notify_all(); // not under the lock, or the waiter would wake only to wait for it
    if (const Consumer consumer = m_consumer) // which may say forgetReceiver()
        consumer(takeNews());
}

RunNews ProcessRun::takeNews()
{
    const std::lock_guard lock(m_mutex);
    m_newsTaken = m_newsCount;
    m_pendingLineBytes = 0;
    if (m_output.paused || m_error.paused)
        Reactor::instance().post([self = shared_from_this()] { self->resumeReading(); });
    return std::exchange(m_news, {});
}

void ProcessRun::acknowledgeEvent()
{
    const std::lock_guard lock(m_mutex);
    m_eventPosted = false;
}

void ProcessRun::holdEvents()
{
    const std::lock_guard lock(m_mutex);
    m_eventPosted = true;
}

void ProcessRun::postEvent()
{
    const std::lock_guard lock(m_mutex);
    if (m_receiver && !std::exchange(m_eventPosted, true))
        QCoreApplication::postEvent(m_receiver, new QEvent(NewsEvent));
}

bool ProcessRun::waitForNews(QDeadlineTimer deadline)
{
    std::unique_lock lock(m_mutex);
    const auto news = [this] { return m_newsCount != m_newsTaken; };
    ++m_waiting;
    bool came = true;
    if (deadline.isForever())
        m_condition.wait(lock, news);
    else
        came = m_condition.wait_until(lock, deadline.deadline<std::chrono::steady_clock>(), news);
    --m_waiting;
    return came;
}

void ProcessRun::setBell(const std::shared_ptr<NewsBell> &bell)
{
    const std::lock_guard lock(m_mutex);
    m_bell = bell;
}

qint64 ProcessRun::waitForLaunch()
{
    std::unique_lock lock(m_mutex);
    m_launchCondition.wait(lock, [this] { return m_pid >= 0; });
    return m_pid;
}

void ProcessRun::bytesConsumed(qint64 count)
{
    const std::lock_guard lock(m_mutex);
    m_unread -= count;
    if ((m_output.paused || m_error.paused) && m_unread < m_readLimit)
        Reactor::instance().post([self = shared_from_this()] { self->resumeReading(); });
}

void ProcessRun::setReadLimit(qint64 bytes)
{
    const std::lock_guard lock(m_mutex);
    m_readLimit = bytes;
    Reactor::instance().post([self = shared_from_this()] { self->resumeReading(); });
}

void ProcessRun::setInterests(int interests)
{
    const std::lock_guard lock(m_mutex);
    const int changed = std::exchange(m_interests, interests) ^ interests;
    if (changed & (OutputLines | ErrorLines))
        Reactor::instance().post([self = shared_from_this()] { self->resumeReading(); });
    if (changed & interests & LaunchNews && m_news.launched)
        noteNews();
}

bool ProcessRun::isSilentlyRunning() const
{
    const std::lock_guard lock(m_mutex);
    return m_pid > 0 && !(m_interests & LaunchNews);
}

void ProcessRun::setLeftovers(Leftovers policy)
{
    const std::lock_guard lock(m_mutex);
    m_leftovers = policy;
}

void ProcessRun::write(QByteArray bytes)
{
    const std::lock_guard lock(m_mutex);
    m_incomingInput.append(std::move(bytes));
    if (!std::exchange(m_inputPosted, true))
        Reactor::instance().post([self = shared_from_this()] { self->flushInput(); });
}

void ProcessRun::closeInput()
{
    const std::lock_guard lock(m_mutex);
    m_closeInput = true;
    if (!std::exchange(m_inputPosted, true))
        Reactor::instance().post([self = shared_from_this()] { self->flushInput(); });
}

void ProcessRun::closeOutput(QProcess::ProcessChannel channel)
{
    Reactor::instance().post([self = shared_from_this(), channel] {
        // read on: who still writes there is not to die of a closed pipe
        self->m_channels[std::size_t(channel)]->discarding = true;
        self->resumeReading();
    });
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

void ProcessRun::forgetReceiver()
{
    const std::lock_guard lock(m_mutex);
    m_consumer = nullptr;
    m_receiver = nullptr;
    m_news = {};
}

void ProcessRun::abandon()
{
    forgetReceiver();
    Reactor::instance().post([self = shared_from_this()] {
        self->killTree();
        self->m_drainTimer.stop();
        for (int channel : { 0, 1 })
            self->endChannel(channel);
        self->m_inputWatch.stop();
        self->m_input.reset();
        self->releaseIfDone();
    });
}

// The reactor's side: the beginning

void ProcessRun::begin()
{
    m_self = shared_from_this();
    Native::Launch launch;
    const bool withModifier = bool(m_setup.modifier);
    Native::TreeKind kind = toTreeKind(m_setup.requested);
    if (m_setup.requested == Mechanism::None)
        kind = Native::chooseMechanism(withModifier);

    int error = 0;
    std::shared_ptr<Native::CgroupDirectory> directory;
    if (m_setup.group && kind == Native::TreeKind::CgroupV2)
        directory = m_setup.group->directory(&error);
    m_tree = Native::Tree::make(kind, directory);
    m_tree->setObserver(this);
    {
        const std::lock_guard lock(m_mutex);
        m_mechanism = toMechanism(kind);
    }
    if (m_setup.group)
        m_setup.group->add(m_self, toMechanism(kind));
    if (error) {
        fail(toError({ LaunchStep::Container, error }, m_setup.program));
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
    if (isTooLate || m_setup.stopToken.stop_requested()) {
        tell([](RunNews &news) { news.verdict = Verdict::Cancelled; });
        fail(ProcessError(ProcessError::Kind::Cancelled, m_setup.program, QStringLiteral("start"),
                          ECANCELED));
        return;
    }
    if (const ProcessError problem = lookUpProgram(&m_setup, &launch.plan)) {
        fail(problem);
        return;
    }
    if (const ProcessError problem = openStreams(&launch)) {
        fail(problem);
        return;
    }
    launch.plan.arguments = std::move(m_setup.arguments);
    launch.plan.environment = std::move(m_setup.environment);
    launch.plan.workingDirectory = m_setup.directory;
    launch.plan.settings = std::move(m_setup.settings);
    launch.modifier = std::move(m_setup.modifier);
    m_inputQueue.append(std::move(m_setup.input));
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
                         << m_tree->pid();
    m_verdict = verdict;
    m_timeoutTimer.stop();
    m_activityTimer.stop();
    m_killTimer.stop();
    tell([verdict](RunNews &news) { news.verdict = verdict; });
    const RunSetup::Ending ending =
            verdict == Verdict::Cancelled ? m_setup.cancelEnding : m_setup.timeoutEnding;
    if (ending.grace <= 0ms) {
        killTree();
        return;
    }
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
    m_inputWatch.stop();
    m_input.reset();
    tell([&](RunNews &news) {
        m_pid = 0;
        m_emptyForOwner = true;
        news.failure = error;
    });
    m_launchCondition.notify_all();
    treeIsOver();
}

// Output

qint64 ProcessRun::room(int index)
{
    const std::lock_guard lock(m_mutex);
    Channel *channel = m_channels[std::size_t(index)];
    const bool asLines = m_interests & (1 << index);
    qint64 left = qint64(readSize);
    if (channel->discarding) {
        channel->paused = false;
        return left;
    }
    if (asLines)
        left = m_pendingLineBytes < maximumPendingLineBytes ? left : 0;
    else if (m_readLimit > 0)
        left = qMin(left, m_readLimit - m_unread);
    channel->paused = left <= 0;
    return left;
}

void ProcessRun::readChannel(int index)
{
    if (room(index) <= 0) {
        // taken out altogether: a hang-up is reported whatever one has asked for
        m_channels[std::size_t(index)]->watch.stop();
        return;
    }
    readOnce(index, false);
    finishIfEnded();
    releaseIfDone();
}

void ProcessRun::resumeReading()
{
    for (int index = 0; index < 2; ++index) {
        Channel *channel = m_channels[std::size_t(index)];
        if (channel->fd && !channel->watch.isActive() && room(index) > 0)
            watchChannel(index);
    }
}

void ProcessRun::watchChannel(int index)
{
    Channel *channel = m_channels[std::size_t(index)];
    if (channel->watch.start(channel->fd.get(), Reactor::Readable,
                             [this, index](auto) { readChannel(index); }))
        endChannel(index);
}

// false when nothing more is to be read now
bool ProcessRun::readOnce(int index, bool unlimited)
{
    Channel *channel = m_channels[std::size_t(index)];
    const qint64 size = unlimited ? qint64(readSize) : qMin(qint64(readSize), room(index));
    char *buffer = readBuffer();
    ssize_t count;
    do {
        count = ::read(channel->fd.get(), buffer, size_t(size));
    } while (count < 0 && errno == EINTR);
    if (count < 0 && errno == EAGAIN)
        return false;
    if (count <= 0) {
        endChannel(index);
        return false;
    }
    if (!channel->enlarged && count >= 64 * 1024) {
        // whoever fills a pipe gets a larger one; there may be no permission for it (pipe(7))
        channel->enlarged = true;
        ::fcntl(channel->fd.get(), F_SETPIPE_SZ, largePipe);
    }
    m_activityTime = Reactor::Clock::now();
    if (m_drainTimer.isActive() && !m_killed)
        armDrain();
    if (channel->discarding)
        return true;

    bool asLines;
    {
        const std::lock_guard lock(m_mutex);
        asLines = m_interests & (1 << index);
    }
    if (asLines) {
        QList<OutputLine> lines;
        channel->splitter.feed(QByteArrayView(buffer, count), &lines, &m_lineNumber);
        if (!lines.isEmpty()) {
            tell([&](RunNews &news) {
                m_pendingLineBytes += count;
                if (news.lines.isEmpty())
                    news.lines = std::move(lines);
                else
                    news.lines.append(std::move(lines));
            });
        }
    } else {
        QByteArray bytes(buffer, count);
        tell([&](RunNews &news) {
            m_unread += count;
            news.bytes[std::size_t(index)].append(std::move(bytes));
        });
    }
    return true;
}

void ProcessRun::endChannel(int index)
{
    Channel *channel = m_channels[std::size_t(index)];
    if (!channel->fd)
        return;
    channel->watch.stopAndClose(std::move(channel->fd));
    QList<OutputLine> lines;
    channel->splitter.finish(&lines, &m_lineNumber);
    if (!lines.isEmpty())
        tell([&](RunNews &news) { news.lines += lines; });
}

// What is left in the pipes once nobody can write into them any more; a pipe's size at most, so no
// limit holds it up.
void ProcessRun::readRest()
{
    for (int index = 0; index < 2; ++index) {
        while (m_channels[std::size_t(index)]->fd && readOnce(index, true)) { }
    }
}

bool ProcessRun::streamsAreOpen() const
{
    return m_output.fd || m_error.fd;
}

// Input

void ProcessRun::flushInput()
{
    bool close;
    {
        const std::lock_guard lock(m_mutex);
        m_inputPosted = false;
        m_inputQueue.append(std::move(m_incomingInput));
        close = m_closeInput;
    }
    if (!m_input)
        return;
    qint64 written = 0;
    int error = 0;
    while (!error) {
        if (m_inputQueue.isEmpty() && m_setup.moreInput)
            fetchInput();
        if (m_inputQueue.isEmpty())
            break;
        if (written >= longestTurn) {
            error = EAGAIN; // others have their pipes, too
            break;
        }
        const QByteArrayView bytes = m_inputQueue.first();
        const ssize_t count = ::write(m_input.get(), bytes.data(), size_t(bytes.size()));
        if (count >= 0) {
            m_inputQueue.dropFront(count);
            written += count;
        } else if (errno != EINTR) {
            error = errno;
        }
    }
    if (error == EAGAIN) {
        if (!m_inputWatch.isActive())
            error = m_inputWatch.start(m_input.get(), Reactor::Writable,
                                       [this](auto) { flushInput(); });
        else
            error = 0;
    } else {
        m_inputWatch.stop();
    }
    if (error || (close && m_inputQueue.isEmpty() && !m_setup.moreInput)) {
        m_inputWatch.stop();
        m_input.reset();
        m_inputQueue.clear();
    }
    if (written || error) {
        tell([&](RunNews &news) {
            news.written += written;
            news.writeError = error;
        });
    }
}

void ProcessRun::fetchInput()
{
    QByteArray more = m_setup.moreInput();
    if (more.isEmpty())
        m_setup.moreInput = nullptr;
    m_inputQueue.append(std::move(more));
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
    if (m_setup.group && exit.usage)
        m_setup.group->childEnded(*exit.usage);
    m_inputWatch.stopAndClose(std::move(m_input));
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
    if (m_treeEmpty)
        return;
    m_tree->signal(signal);
    m_tree->signal(SIGCONT); // a stopped member has to run to end
}

void ProcessRun::killTree()
{
    m_killed = true;
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
