// SPDX-License-Identifier: MIT
#ifndef PROCESSKIT_COMMAND_H
#define PROCESSKIT_COMMAND_H

#include <ProcessKit/containment.h>
#include <ProcessKit/outputdestination.h>
#include <ProcessKit/outputline.h>
#include <ProcessKit/outputpolicy.h>
#include <ProcessKit/processresult.h>
#include <ProcessKit/processrunner.h>
#include <ProcessKit/retrypolicy.h>
#include <ProcessKit/stdinsource.h>

#include <QtCore/qprocess.h>
#include <QtCore/qshareddata.h>
#include <QtCore/qstringconverter.h>
#include <QtCore/qstringlist.h>

#include <chrono>
#include <functional>
#include <optional>
#include <stop_token>

namespace ProcessKit {

class CommandData;
class ContainedProcess;

class PROCESSKIT_EXPORT Command
{
    Q_GADGET
    Q_PROPERTY(QString program READ program CONSTANT)
    Q_PROPERTY(QStringList arguments READ arguments CONSTANT)
    Q_PROPERTY(QString workingDirectory READ workingDirectory CONSTANT)

public:
    enum class Priority {
        Idle = 0,
        BelowNormal = 1,
        Normal = 2,
        AboveNormal = 3,
        High = 4,
    };
    Q_ENUM(Priority)
    enum class IoPriorityClass {
        RealTime = 1,
        BestEffort = 2,
        Idle = 3,
    };
    Q_ENUM(IoPriorityClass)
    enum class Resource {
        CpuTime = 0,
        CoreSize = 1,
        DataSize = 2,
        FileSize = 3,
        OpenFiles = 4,
        StackSize = 5,
    };
    Q_ENUM(Resource)
    static constexpr quint64 Unlimited = ~quint64(0);

    using LineHandler = std::function<void(const OutputLine &)>;
    using TextPolicy = std::function<QString(const QString &line)>;

    explicit Command(const QString &program = {}, const QStringList &arguments = {});
    Command(const Command &other);
    Command(Command &&other) noexcept;
    Command &operator=(const Command &other);
    Command &operator=(Command &&other) noexcept;
    ~Command();

    // What is run
    QString program() const;
    QStringList arguments() const;
    QString workingDirectory() const;
    QString programArgument() const;
    QStringList preferredDirectories() const;
    [[nodiscard]] Command withProgram(const QString &program) const;
    [[nodiscard]] Command withArguments(const QStringList &arguments) const;
    [[nodiscard]] Command withArgument(const QString &argument) const;
    [[nodiscard]] Command withMoreArguments(const QStringList &arguments) const;
    [[nodiscard]] Command withWorkingDirectory(const QString &directory) const;
    [[nodiscard]] Command withProgramArgument(const QString &argument) const;
    [[nodiscard]] Command withPreferredDirectory(const QString &directory) const;
    Expected<QString> which() const;
    QString commandLine() const;

    // Its environment
    [[nodiscard]] Command withEnvironment(const QProcessEnvironment &environment) const;
    [[nodiscard]] Command withVariable(const QString &name, const QString &value) const;
    [[nodiscard]] Command withoutVariable(const QString &name) const;
    [[nodiscard]] Command withPathPrepended(const QString &name, const QString &directory) const;
    [[nodiscard]] Command withClearedEnvironment() const;
    [[nodiscard]] Command withAllowedVariables(const QStringList &names) const;
    [[nodiscard]] Command withEnvironmentFile(const QString &fileName) const;
    Expected<QProcessEnvironment> effectiveEnvironment() const;

    // Its streams
    StdinSource standardInput() const;
    OutputDestination standardOutput() const;
    OutputDestination standardError() const;
    bool mergesErrors() const;
    OutputPolicy outputPolicy() const;
    [[nodiscard]] Command withInput(const StdinSource &source) const;
    [[nodiscard]] Command withInput(const QString &text) const;
    [[nodiscard]] Command withStandardOutput(const OutputDestination &destination) const;
    [[nodiscard]] Command withStandardError(const OutputDestination &destination) const;
    [[nodiscard]] Command withMergedErrors(bool merged = true) const;
    [[nodiscard]] Command withOutputPolicy(const OutputPolicy &policy) const;
    [[nodiscard]] Command withEncoding(QStringConverter::Encoding encoding) const;
    [[nodiscard]] Command
    withDecoder(const std::function<QString(const QByteArray &)> &decoder) const;
    [[nodiscard]] Command withLineHandler(const LineHandler &handler) const;
    [[nodiscard]] Command withLineHandler(QObject *context, const LineHandler &handler) const;
    [[nodiscard]] Command withOutputTee(const std::shared_ptr<QIODevice> &device) const;
    [[nodiscard]] Command withErrorTee(const std::shared_ptr<QIODevice> &device) const;
    [[nodiscard]] Command withOutputTextTee(const std::shared_ptr<QIODevice> &device) const;
    [[nodiscard]] Command withErrorTextTee(const std::shared_ptr<QIODevice> &device) const;
    [[nodiscard]] Command withRedaction(const TextPolicy &policy) const;
    [[nodiscard]] Command withEscapeSequencesRemoved(bool removed = true) const;

    // What its process is
    [[nodiscard]] Command withPriority(Priority priority) const;
    [[nodiscard]] Command withNiceness(int niceness) const;
    [[nodiscard]] Command withIoPriority(IoPriorityClass ioClass, int level = 4) const;
    [[nodiscard]] Command withProcessors(const QList<int> &processors) const;
    [[nodiscard]] Command withFileModeMask(uint mask) const;
    [[nodiscard]] Command withResourceLimit(Resource resource, quint64 limit) const;
    [[nodiscard]] Command withResourceLimit(Resource resource, quint64 soft, quint64 hard) const;
    [[nodiscard]] Command withUser(uint userId) const;
    [[nodiscard]] Command withGroup(uint groupId) const;
    [[nodiscard]] Command withSupplementaryGroups(const QList<uint> &groupIds) const;
    [[nodiscard]] Command withNewSession(bool newSession = true) const;
    [[nodiscard]] Command withParentDeathSignal(int signal) const;

    // How it may end
    QList<int> successCodes() const;
    bool isUncheckedInPipe() const;
    std::optional<std::chrono::milliseconds> timeout() const;
    std::optional<std::chrono::milliseconds> inactivityTimeout() const;
    RetryPolicy retryPolicy() const;
    Leftovers leftovers() const;
    Mechanism requestedMechanism() const;
    [[nodiscard]] Command withSuccessCodes(const QList<int> &codes) const;
    [[nodiscard]] Command withUncheckedInPipe(bool unchecked = true) const;
    [[nodiscard]] Command withTimeout(std::chrono::milliseconds timeout) const;
    [[nodiscard]] Command withoutTimeout() const;
    [[nodiscard]] Command withInactivityTimeout(std::chrono::milliseconds timeout) const;
    [[nodiscard]] Command withTimeoutGrace(std::chrono::milliseconds grace, int signal = 15) const;
    [[nodiscard]] Command withCancelGrace(std::chrono::milliseconds grace, int signal = 15) const;
    [[nodiscard]] Command withStopToken(const std::stop_token &token) const;
    [[nodiscard]] Command withRetries(const RetryPolicy &policy) const;
    [[nodiscard]] Command withRetries(int retries) const;
    [[nodiscard]] Command withLeftovers(Leftovers policy) const;
    [[nodiscard]] Command withMechanism(Mechanism mechanism) const;

    // Short for the verbs of ProcessRunner::instance()
    QFuture<ProcessResult> output() const;
    QFuture<Expected<QByteArray>> outputBytes() const;
    QFuture<Expected<QString>> run() const;
    QFuture<Expected<int>> exitCode() const;
    QFuture<Expected<bool>> probe() const;
    QFuture<Expected<QString>>
    firstLine(const std::function<bool(QStringView line)> &predicate = {}) const;
    QFuture<Expected<QJsonDocument>> json() const;
    QFuture<Expected<QList<QJsonDocument>>> jsonLines() const;
    template<typename Parser>
    auto parse(Parser parser) const
    {
        return ProcessRunner::instance().parse(*this, std::move(parser));
    }
    std::unique_ptr<ContainedProcess> start() const;
    Expected<qint64> startDetached() const;

    friend PROCESSKIT_EXPORT bool operator==(const Command &a, const Command &b) noexcept;
    friend bool operator!=(const Command &a, const Command &b) noexcept { return !(a == b); }

private:
    friend class CapturedRun;
    friend class CommandLaunch;
    friend class CommandRun;
    friend class PipelineRun;
    friend class ProcessResult;
    friend class CliClient;
    friend PROCESSKIT_EXPORT QDebug operator<<(QDebug debug, const Command &command);
    template<typename Change>
    Command changed(Change change) const;
    template<typename Change>
    Command withSetting(const char *name, bool isPossible, Change change) const;
    QSharedDataPointer<CommandData> d;
};

#ifndef QT_NO_DEBUG_STREAM
PROCESSKIT_EXPORT QDebug operator<<(QDebug debug, const Command &command);
#endif

} // namespace ProcessKit

Q_DECLARE_TYPEINFO(ProcessKit::Command, Q_RELOCATABLE_TYPE);

#endif // PROCESSKIT_COMMAND_H
