// SPDX-License-Identifier: MIT
#ifndef PROCESSKIT_CONTAINEDPROCESS_H
#define PROCESSKIT_CONTAINEDPROCESS_H

#include <ProcessKit/containment.h>
#include <ProcessKit/outputline.h>
#include <ProcessKit/processerror.h>
#include <ProcessKit/processinfo.h>
#include <ProcessKit/shutdownreport.h>

#include <QtCore/qfuture.h>
#include <QtCore/qiodevice.h>
#include <QtCore/qlist.h>
#include <QtCore/qprocess.h>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>

namespace ProcessKit {

class Command;
class ContainedProcessPrivate;
class ProcessGroup;

class PROCESSKIT_EXPORT ContainedProcess : public QIODevice
{
    Q_OBJECT
    Q_PROPERTY(QProcess::ProcessState state READ state NOTIFY stateChanged)
    Q_PROPERTY(ProcessKit::Mechanism mechanism READ mechanism NOTIFY mechanismChanged)
    Q_PROPERTY(qint64 readLimit READ readLimit WRITE setReadLimit NOTIFY readLimitChanged)
    Q_PROPERTY(ProcessKit::Leftovers leftovers READ leftovers WRITE setLeftovers NOTIFY
                       leftoversChanged)

public:
    using ProcessError = QProcess::ProcessError;
    using ProcessState = QProcess::ProcessState;
    using ProcessChannel = QProcess::ProcessChannel;
    using ProcessChannelMode = QProcess::ProcessChannelMode;
    using InputChannelMode = QProcess::InputChannelMode;
    using ExitStatus = QProcess::ExitStatus;
    using enum QProcess::ProcessError;
    using enum QProcess::ProcessState;
    using enum QProcess::ProcessChannel;
    using enum QProcess::ProcessChannelMode;
    using enum QProcess::InputChannelMode;
    using enum QProcess::ExitStatus;

    explicit ContainedProcess(QObject *parent = nullptr);
    ~ContainedProcess() override;

    // QProcess
    void start(const QString &program, const QStringList &arguments = {},
               OpenMode mode = ReadWrite);
    void start(OpenMode mode = ReadWrite);
    void start(const Command &command);
    void startCommand(const QString &command, OpenMode mode = ReadWrite);
    bool startDetached(qint64 *pid = nullptr);
    bool open(OpenMode mode = ReadWrite) override;

    QString program() const;
    void setProgram(const QString &program);
    QStringList arguments() const;
    void setArguments(const QStringList &arguments);

    QProcess::ProcessChannelMode processChannelMode() const;
    void setProcessChannelMode(QProcess::ProcessChannelMode mode);
    QProcess::InputChannelMode inputChannelMode() const;
    void setInputChannelMode(QProcess::InputChannelMode mode);
    QProcess::ProcessChannel readChannel() const;
    void setReadChannel(QProcess::ProcessChannel channel);
    void closeReadChannel(QProcess::ProcessChannel channel);
    void closeWriteChannel();

    void setStandardInputFile(const QString &fileName);
    void setStandardOutputFile(const QString &fileName, OpenMode mode = Truncate);
    void setStandardErrorFile(const QString &fileName, OpenMode mode = Truncate);
    void setStandardOutputProcess(ContainedProcess *destination);

    using ChildProcessModifier = std::function<void()>;
    ChildProcessModifier childProcessModifier() const;
    void setChildProcessModifier(const ChildProcessModifier &modifier);
    [[noreturn]] void failChildProcessModifier(const char *description, int error = 0) noexcept;

    // as QProcess has them since Qt 6.6
    enum class UnixProcessFlag : quint32 {
        ResetSignalHandlers = 0x0001,
        IgnoreSigPipe = 0x0002,
        CloseFileDescriptors = 0x0010,
        UseVFork = 0x0020,
        CreateNewSession = 0x0040,
        DisconnectControllingTerminal = 0x0080,
        ResetIds = 0x0100,
        DisableCoreDumps = 0x0200,
    };
    Q_DECLARE_FLAGS(UnixProcessFlags, UnixProcessFlag)
    Q_FLAG(UnixProcessFlags)
    struct UnixProcessParameters
    {
        UnixProcessFlags flags = {};
        int lowestFileDescriptorToClose = 0;
        quint32 _reserved[6] = {};
    };
    UnixProcessParameters unixProcessParameters() const noexcept;
    void setUnixProcessParameters(const UnixProcessParameters &parameters);
    void setUnixProcessParameters(UnixProcessFlags flags);

    QString workingDirectory() const;
    void setWorkingDirectory(const QString &directory);
    void setEnvironment(const QStringList &environment);
    QStringList environment() const;
    void setProcessEnvironment(const QProcessEnvironment &environment);
    QProcessEnvironment processEnvironment() const;

    QProcess::ProcessError error() const;
    QProcess::ProcessState state() const;
    qint64 processId() const;
    int exitCode() const;
    QProcess::ExitStatus exitStatus() const;
    std::optional<qint64> oomKills() const;

    bool waitForStarted(int msecs = 30000);
    bool waitForReadyRead(int msecs = 30000) override;
    bool waitForBytesWritten(int msecs = 30000) override;
    bool waitForFinished(int msecs = 30000);
    static int waitForAnyFinished(const QList<ContainedProcess *> &processes, int msecs = 30000);
    static bool waitForAllFinished(const QList<ContainedProcess *> &processes, int msecs = 30000);

    QByteArray readAllStandardOutput();
    QByteArray readAllStandardError();

    qint64 bytesAvailable() const override;
    qint64 bytesToWrite() const override;
    bool canReadLine() const override;
    bool isSequential() const override;
    bool atEnd() const override;
    void close() override;

    // QIODevice's are not virtual; these know the two channels of a process
    int readChannelCount() const;
    int currentReadChannel() const;
    void setCurrentReadChannel(int channel);

    static int execute(const QString &program, const QStringList &arguments = {});
    static bool startDetached(const QString &program, const QStringList &arguments = {},
                              const QString &workingDirectory = {}, qint64 *pid = nullptr);
    static QStringList systemEnvironment();
    static QString nullDevice();
    static QStringList splitCommand(QStringView command);

    // Containment
    Mechanism mechanism() const;
    Mechanism requestedMechanism() const;
    void setRequestedMechanism(Mechanism mechanism);
    ProcessGroup *group() const;
    void setGroup(ProcessGroup *group);
    Leftovers leftovers() const;
    void setLeftovers(Leftovers policy);
    QFuture<ShutdownReport> shutdown(std::chrono::milliseconds grace = std::chrono::seconds(2));
    QList<ProcessInfo> members() const;
    bool waitForTreeEmptied(int msecs = 30000);
    bool isTreeEmpty() const;

    // Input and output
    qint64 readLimit() const;
    void setReadLimit(qint64 bytes);
    int maximumLineLength() const;
    void setMaximumLineLength(int characters);
    bool streamsCut() const;
    QList<int> inheritedDescriptors() const;
    void setInheritedDescriptors(const QList<int> &descriptors);

    ProcessKit::ProcessError failure() const;

public Q_SLOTS:
    void terminate();
    void kill();
    void cancel();

Q_SIGNALS:
    void started(QPrivateSignal);
    void finished(int exitCode, QProcess::ExitStatus exitStatus = QProcess::NormalExit);
    void errorOccurred(QProcess::ProcessError error);
    void stateChanged(QProcess::ProcessState state, QPrivateSignal);
    void readyReadStandardOutput(QPrivateSignal);
    void readyReadStandardError(QPrivateSignal);

    void standardOutputLine(const QString &line);
    void standardErrorLine(const QString &line);
    void linesReady(const QList<ProcessKit::OutputLine> &lines);
    void exited(int exitCode, QProcess::ExitStatus exitStatus);
    void treeEmptied();
    void leftoversFound(const QList<ProcessKit::ProcessInfo> &leftovers);
    void containmentLost(const ProcessKit::ProcessError &error);
    void mechanismChanged(ProcessKit::Mechanism mechanism);
    void readLimitChanged(qint64 bytes);
    void leftoversChanged(ProcessKit::Leftovers policy);

protected:
    void setProcessState(QProcess::ProcessState state);
    qint64 readData(char *data, qint64 maxSize) override;
    qint64 readLineData(char *data, qint64 maxSize) override;
    qint64 skipData(qint64 maxSize) override;
    qint64 writeData(const char *data, qint64 maxSize) override;
    void connectNotify(const QMetaMethod &signal) override;
    void disconnectNotify(const QMetaMethod &signal) override;
    bool event(QEvent *event) override;

private:
    Q_DISABLE_COPY_MOVE(ContainedProcess)
    friend class ContainedProcessPrivate;
    friend class ProcessGroup;
    std::unique_ptr<ContainedProcessPrivate> d;
};

Q_DECLARE_OPERATORS_FOR_FLAGS(ContainedProcess::UnixProcessFlags)

} // namespace ProcessKit

#endif // PROCESSKIT_CONTAINEDPROCESS_H
