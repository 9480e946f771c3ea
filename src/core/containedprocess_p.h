// SPDX-License-Identifier: MIT
#ifndef PROCESSKIT_CONTAINEDPROCESS_P_H
#define PROCESSKIT_CONTAINEDPROCESS_P_H

#include "bytequeue_p.h"
#include "processrun_p.h"

#include <ProcessKit/containedprocess.h>
#include <ProcessKit/processgroup.h>

#include <QtCore/qbasictimer.h>
#include <QtCore/qpointer.h>

#include <array>
#include <atomic>
#include <memory>
#include <optional>
#include <vector>

namespace ProcessKit {

class ProcessPipe;

// The owner's side of a process: settings for the next start, and the news of the current one,
// told one signal at a time. Any slot may delete the object, wait on it or start it again, so
// nothing here is touched after a signal without asking whether it is still there.
class ContainedProcessPrivate
{
public:
    explicit ContainedProcessPrivate(ContainedProcess *process) : q(process) { }

    struct Redirection
    {
        enum class Kind { None, File, Process };
        Kind kind = Kind::None;
        QString fileName;
        bool append = false;
        std::shared_ptr<ProcessPipe> pipe;
    };

    // starting
    void start(QIODevice::OpenMode mode);
    void start(const Command &command);
    template<typename Prepare>
    void begin(QIODevice::OpenMode deviceMode, bool withoutInput, Prepare prepareSetup);
    void takeOwnSettings(RunSetup *setup) const;
    QIODevice::OpenMode effectiveMode(QIODevice::OpenMode mode) const;
    ProcessKit::ProcessError prepare(RunSetup *setup, QIODevice::OpenMode mode);
    ProcessKit::ProcessError prepareCommand(RunSetup *setup) const;
    ProcessKit::ProcessError openRedirection(int stream, RunSetup::Stream *setup) const;
    void failToStart(const ProcessKit::ProcessError &error);
    bool isRedirected(int stream) const;
    bool isForwarded(int stream) const;
    static void warnOfTwoPlaces(const char *function, int stream);
    void failWithoutProgram();
    static QString errorText(const ProcessKit::ProcessError &error, const char *execFunction);
    ProcessKit::ProcessError prepareDetached(RunSetup *setup);
    bool startDetached(qint64 *pid);
    void letGoOfRun();

    // telling; false when the object was deleted meanwhile
    bool deliver();
    void deliverInTurn(); // what the event loop is for
    void waitForNextTurn();
    void postRest();
    void collect();
    bool deliverNext();
    void tellLaunched();
    void tellMechanism();
    void tellFailure();
    void tellBytes(int channel);
    void tellLines();
    void tellWritten();
    void tellWriteError();
    void tellExit();
    void tellVerdict();
    void tellLost();
    void tellFinished();
    bool isCurrent(const QPointer<ContainedProcess> &guard,
                   const std::shared_ptr<ProcessRun> &of) const
    {
        return guard && run == of;
    }

    // waiting
    template<typename Condition>
    std::optional<bool> advance(Condition condition);
    template<typename Condition>
    bool waitUntil(QDeadlineTimer deadline, Condition condition);
    bool waitUntilStarted(QDeadlineTimer deadline);

    void setState(QProcess::ProcessState newState);
    void setError(QProcess::ProcessError newError, const QString &description = {});
    void setErrorAndEmit(QProcess::ProcessError newError, const QString &description = {});
    void takeConnections();
    int interests() const;
    void returnBufferedBytes();
    Mechanism wantedMechanism() const;

    ContainedProcess *const q;

    // settings
    QString program;
    QStringList arguments;
    QString workingDirectory;
    QProcessEnvironment environment{ QProcessEnvironment::InheritFromParent };
    QProcess::ProcessChannelMode channelMode = QProcess::SeparateChannels;
    QProcess::InputChannelMode inputMode = QProcess::ManagedInputChannel;
    std::array<Redirection, 3> redirections;
    ContainedProcess::ChildProcessModifier modifier;
    ContainedProcess::UnixProcessParameters unixParameters;
    QList<int> inheritedDescriptors;
    Mechanism requested = Mechanism::None;
    QPointer<ProcessGroup> group;
    Leftovers leftovers = Leftovers::Drain;
    qint64 readLimit = 0;
    int maximumLineLength = 1 << 20;

    // the current run
    std::shared_ptr<ProcessRun> run;
    std::vector<std::shared_ptr<ProcessRun>>
            leftRuns; // earlier ones, whose members were left alive
    RunNews news;
    std::array<ByteQueue, 2> buffers;
    std::array<bool, 2> newBytes{};
    std::array<bool, 2> channelClosed{};
    int readChannel = 0;
    qint64 bytesToWrite = 0;
    bool inputClosed = true;
    bool inputBroken = false; // nobody reads what is written
    qint64 pid = 0;
    QProcess::ProcessState state = QProcess::NotRunning;
    QProcess::ProcessError error = QProcess::UnknownError;
    ProcessKit::ProcessError failure;
    int exitCode = 0;
    QProcess::ExitStatus exitStatus = QProcess::NormalExit;
    std::optional<qint64> oomKills;
    Mechanism mechanism = Mechanism::None;
    bool streamsCut = false;
    bool inReadyRead = false;
    bool inBytesWritten = false;

    std::atomic<bool> connectionsChanged = false;
    int collections = 0;
    int startCollection = 0; // when the process was started
    int turnDepth = 0;
    QBasicTimer nextTurn;

    // how often something was told, for those who wait for the next time
    bool awaitsStart = false;
    int readCount = 0;
    int writtenCount = 0;
    int finishedCount = 0;
};

} // namespace ProcessKit

#endif // PROCESSKIT_CONTAINEDPROCESS_P_H
