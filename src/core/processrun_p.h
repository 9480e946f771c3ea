// SPDX-License-Identifier: MIT
#ifndef PROCESSKIT_PROCESSRUN_P_H
#define PROCESSKIT_PROCESSRUN_P_H

#include "bytequeue_p.h"
#include "linesplitter_p.h"
#include "stoprequest_p.h"
#include "teardownlog_p.h"

#include "reactor.h"
#include "tree.h"

#include <ProcessKit/containment.h>
#include <ProcessKit/outputline.h>
#include <ProcessKit/processerror.h>
#include <ProcessKit/processinfo.h>

#include <QtCore/qcoreevent.h>
#include <QtCore/qdeadlinetimer.h>

#include <array>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>

#include <signal.h>

namespace ProcessKit {

class DeviceInput;
class GroupState;

// Everything that a start has decided, taken from the object that starts.
struct RunSetup
{
    enum class End { Pipe, Inherited, Null, Descriptor };
    struct Stream
    {
        End end = End::Pipe;
        Native::UniqueFd descriptor;
    };

    QString program; // as given
    Native::StringBlock arguments;
    Native::StringBlock environment;
    std::string directory; // absolute
    std::array<Stream, 3> streams;
    bool mergeErrors = false; // into standard output
    std::vector<Native::LaunchPlan::Descriptor>
            inheritedDescriptors; // sources are in the list below
    std::vector<Native::UniqueFd> inheritedSources;
    std::function<void()> modifier;
    Native::LaunchPlan::Settings settings;
    Mechanism requested = Mechanism::None;
    std::shared_ptr<GroupState> group;
    bool isCounted = false; // the group knows of it: GroupState::startBegins() was called
    Leftovers leftovers = Leftovers::Drain;
    qint64 readLimit = 0;
    int maximumLineLength = 0;
    std::vector<std::string> preferredDirectories; // for a bare name, before the PATH
    QByteArray programArgument; // argv[0], where it is not to be the file that is executed

    // What goes in: these bytes, then what the function returns until that is empty, or what comes
    // of a device until that ends; then the end of the file unless it is to be kept open.
    QByteArray input;
    std::function<QByteArray()> moreInput; // called on the reactor
    std::shared_ptr<DeviceInput> device; // or what that gives
    bool closesInput = false;

    // The ends that are not the process's own, with the times until the kill.
    struct Ending
    {
        int signal = SIGTERM;
        std::chrono::milliseconds grace{ 0 }; // 0: killed at once
    };
    std::chrono::milliseconds timeout{ -1 };
    std::chrono::milliseconds inactivityTimeout{ -1 };
    Ending timeoutEnding;
    Ending cancelEnding;
    std::stop_token stopToken;
};

// Rung when one of several runs has news, for who waits for all of them.
class NewsBell
{
public:
    void ring()
    {
        {
            const std::lock_guard lock(m_mutex);
            m_rung = true;
        }
        m_condition.notify_all();
    }
    // false when nothing came before \a deadline
    bool wait(QDeadlineTimer deadline)
    {
        std::unique_lock lock(m_mutex);
        const auto rung = [this] { return std::exchange(m_rung, false); };
        if (deadline.isForever()) {
            m_condition.wait(lock, rung);
            return true;
        }
        return m_condition.wait_until(lock, deadline.deadline<std::chrono::steady_clock>(), rung);
    }

private:
    std::mutex m_mutex;
    std::condition_variable m_condition;
    bool m_rung = false;
};

// Why a process had to end.
enum class Verdict { TimedOut, WentQuiet, Cancelled };

// What has happened since the owner last looked.
struct RunNews
{
    std::optional<qint64> launched; // pid
    std::optional<ProcessError> failure;
    std::array<ByteQueue, 2> bytes;
    QList<OutputLine> lines;
    qint64 written = 0;
    int writeError = 0;
    std::optional<Native::ChildExit> exit;
    std::optional<Verdict> verdict;
    std::optional<QList<ProcessInfo>> leftovers;
    std::optional<bool> lost; // whether the tree was ended
    bool cut = false;
    bool finished = false;
    bool emptied = false;

    void append(RunNews &&later);
    bool isEmpty() const;
};

// One start of a process: its pipes and its tree on the reactor's side, a letter box on the
// owner's. It outlives its owner until nothing of the tree is left.
class ProcessRun final : public std::enable_shared_from_this<ProcessRun>,
                         private Native::TreeObserver
{
public:
    static constexpr QEvent::Type NewsEvent = QEvent::Type(QEvent::User + 0x504b);
    // What the owner has somebody for. A launch that nobody is told of does not wake the owner; it
    // finds out with the next news.
    enum Interest { OutputLines = 0x1, ErrorLines = 0x2, LaunchNews = 0x4 };

    // an error when there is no reactor to run on
    static std::shared_ptr<ProcessRun> start(RunSetup setup, QObject *receiver, int interests,
                                             ProcessError *error);
    // The same for an owner that lives on the reactor, which gets what is new at the end of each
    // turn until it says forgetReceiver(). To be called there.
    using Consumer = std::function<void(RunNews)>;
    static std::shared_ptr<ProcessRun> start(RunSetup setup, Consumer consumer);
    // A process that runs already, taken into \a group, which has a cgroup and counts it. On the
    // reactor; the error says why it was not.
    static ProcessError adopt(const std::shared_ptr<GroupState> &group,
                              const Native::ProcessEntry &process,
                              std::vector<Native::ProcessEntry> *leftOutside);
    ~ProcessRun();

    // The owner's side. Any thread.
    RunNews takeNews();
    // the event that told of news has arrived
    void acknowledgeEvent();
    // for news that were taken and are still to be told
    void postEvent();
    // none is posted until one is acknowledged
    void holdEvents();
    // false when nothing came before \a deadline
    bool waitForNews(QDeadlineTimer deadline);
    void setBell(const std::shared_ptr<NewsBell> &bell);
    // the pid, or 0 when the launch failed
    qint64 waitForLaunch();
    void bytesConsumed(qint64 count);
    void setReadLimit(qint64 bytes);
    void setInterests(int interests);
    // launched, and told to nobody
    bool isSilentlyRunning() const;
    void setLeftovers(Leftovers policy);
    void write(QByteArray bytes);
    void closeInput();
    void closeOutput(QProcess::ProcessChannel channel);
    void signal(int signal);
    void kill();
    // the order of a stop token, given by hand
    void cancel();
    Mechanism mechanism() const;
    bool isEmpty() const;
    bool hasExited() const;
    bool isOfGroup() const { return m_setup.group != nullptr; }
    QList<ProcessInfo> members();
    // The owner has begun anew, and what it left alive goes on: nobody is told any more.
    void forgetReceiver();
    // The owner is gone: nobody is told any more, and the tree ends.
    void abandon();

    // The reactor's side.
    Native::Tree *tree() const { return m_tree.get(); }
    bool isOver() const { return m_treeEmpty; }
    void whenEmptied(std::function<void()> callback);
    void killTree();
    void end(Verdict verdict);
    bool mayHaveEscaped() const { return m_mayHaveEscaped; }
    bool isAdopted() const { return m_isAdopted; }
    // from the launch to the exit of the child; only once it has ended
    Native::Reactor::Clock::duration duration() const { return m_exitTime - m_launchTime; }
    // The signal, and time: nobody is ended as a leftover until the kill comes
    void askToEnd(int signal = SIGTERM);

private:
    struct Channel
    {
        explicit Channel(QProcess::ProcessChannel which) : splitter(which) { }
        Native::UniqueFd fd;
        Native::Reactor::Watch watch;
        LineSplitter splitter;
        bool paused = false; // guarded by m_mutex
        bool discarding = false;
        bool enlarged = false;
    };

    explicit ProcessRun(RunSetup setup);

    void begin();
    void launch(Native::TreeKind kind, ProcessError problem);
    ProcessError openStreams(Native::Launch *launch);
    int openPipe(int stream, Native::LaunchPlan *plan, std::vector<Native::UniqueFd> *childEnds);
    void watchChannel(int index);
    void readChannel(int index);
    bool readOnce(int index, bool unlimited);
    void readRest();
    void endChannel(int index);
    qint64 room(int index);
    void resumeReading();
    bool streamsAreOpen() const;
    void flushInput();
    void armDrain();
    void drainExpired();
    void cutStreams();
    void finishIfEnded();
    void treeIsOver();
    void releaseIfDone();
    void armTimeouts();
    void checkActivity();

    void launched(pid_t pid) override;
    void launchFailed(const Native::LaunchFailure &failure) override;
    void exited(const Native::ChildExit &exit) override;
    void emptied() override;
    void lost(bool ended) override;
    void reportLeftovers();
    void fail(const ProcessError &error);
    bool hasMoreInput() const { return m_setup.moreInput || m_setup.device; }
    int fetchInput();
    void endInput();

    template<typename Change>
    void tell(Change change);
    void noteNews();
    void wakeOwner();

    // The reactor's.
    RunSetup m_setup;
    std::shared_ptr<ProcessRun> m_self; // while there is a tree
    std::shared_ptr<Native::Tree> m_tree;
    Channel m_output{ QProcess::StandardOutput };
    Channel m_error{ QProcess::StandardError };
    std::array<Channel *, 2> m_channels{ &m_output, &m_error };
    qint64 m_lineNumber = 0;
    Native::UniqueFd m_input;
    Native::Reactor::Watch m_inputWatch;
    ByteQueue m_inputQueue;
    Native::Reactor::Timer m_drainTimer;
    Native::Reactor::Clock::time_point m_drainEnd;
    std::vector<std::function<void()>> m_whenEmptied;
    Native::Reactor::Timer m_timeoutTimer;
    Native::Reactor::Timer m_activityTimer;
    Native::Reactor::Timer m_killTimer; // the grace of a verdict
    Native::Reactor::Clock::time_point m_launchTime;
    Native::Reactor::Clock::time_point m_activityTime; // of the last output
    Native::Reactor::Clock::time_point m_exitTime;
    StopRequest m_stopRequest;
    std::optional<Verdict> m_verdict;
    TeardownLog m_verdictLog; // of the grace that it gives
    Consumer m_consumer;
    bool m_isAdopted = false;
    bool m_exited = false;
    bool m_finished = false;
    bool m_killed = false; // by the owner, or as leftovers
    bool m_mayHaveEscaped = false; // with both of its keepers
    bool m_asked = false; // to end, and a grace is running
    bool m_treeEmpty = false;

    // Shared.
    mutable std::mutex m_mutex;
    std::condition_variable m_condition; // news
    std::condition_variable m_launchCondition; // the pid
    std::weak_ptr<NewsBell> m_bell;
    QObject *m_receiver = nullptr;
    RunNews m_news;
    bool m_eventPosted = false;
    bool m_wakePosted = false;
    int m_waiting = 0;
    quint64 m_newsCount = 0;
    quint64 m_newsTaken = 0;
    qint64 m_pid = -1; // -1: not known yet
    qint64 m_unread = 0; // bytes that the owner has not consumed
    qint64 m_pendingLineBytes = 0;
    qint64 m_readLimit = 0;
    int m_interests = 0;
    Leftovers m_leftovers = Leftovers::Drain;
    Mechanism m_mechanism = Mechanism::None;
    bool m_emptyForOwner = false;
    bool m_exitedForOwner = false;
    ByteQueue m_incomingInput;
    bool m_closeInput = false;
    bool m_inputPosted = false;
};

template<typename Change>
void ProcessRun::tell(Change change)
{
    const std::lock_guard lock(m_mutex);
    change(m_news);
    noteNews();
}

} // namespace ProcessKit

#endif // PROCESSKIT_PROCESSRUN_P_H
