// SPDX-License-Identifier: MIT
#ifndef PROCESSKIT_COMMAND_P_H
#define PROCESSKIT_COMMAND_P_H

#include <ProcessKit/command.h>

#include "launch_plan.h"

#include <QtCore/qiodevice.h>

#include <errno.h>

#include <atomic>

namespace ProcessKit {

class DeviceInput;
struct RunSetup;

// One step of what is done to an environment; the steps are taken in their order.
struct EnvironmentChange
{
    enum class Kind { Set, Unset, Prepend, File };
    Kind kind;
    QString name;
    QString value;

    friend bool operator==(const EnvironmentChange &, const EnvironmentChange &) = default;
};

class CommandData : public QSharedData
{
public:
    QString program;
    QStringList arguments;
    QString workingDirectory;
    QString programArgument;
    QStringList preferredDirectories;

    std::optional<QProcessEnvironment> environment; // none: that of this process at the start
    bool clearsEnvironment = false;
    QStringList allowedVariables;
    QStringList environmentFiles;
    QList<EnvironmentChange> changes;

    StdinSource input;
    std::array<OutputDestination, 2> destinations;
    bool mergesErrors = false;
    OutputPolicy outputPolicy;
    QStringConverter::Encoding encoding = QStringConverter::Utf8;
    std::function<QString(const QByteArray &)> decoder;
    QList<Command::LineHandler> lineHandlers;
    std::array<std::shared_ptr<QIODevice>, 2> tees;
    std::array<std::shared_ptr<QIODevice>, 2> textTees;
    Command::TextPolicy redaction;
    bool removesEscapeSequences = false;

    Native::LaunchPlan::Settings settings;
    QString badSetting; // names the first that cannot be; the start is refused for it

    QList<int> successCodes{ 0 };
    bool isUncheckedInPipe = false;
    std::optional<std::chrono::milliseconds> timeout;
    std::optional<std::chrono::milliseconds> inactivityTimeout;
    std::chrono::milliseconds timeoutGrace{ 0 };
    std::chrono::milliseconds cancelGrace{ 0 };
    int timeoutSignal = 15;
    int cancelSignal = 15;
    bool hasTimeoutGrace = false; // said, not the default
    bool refusesTimeout = false; // whatever a client's default is
    std::stop_token stopToken;
    std::optional<RetryPolicy> retry;
    Leftovers leftovers = Leftovers::Drain;
    Mechanism mechanism = Mechanism::None;

    bool hasTee(std::size_t channel) const { return tees[channel] || textTees[channel]; }
    bool hasTee() const { return hasTee(0) || hasTee(1); }
};

template<typename Change>
Command Command::changed(Change change) const
{
    Command copy = *this;
    change(*copy.d);
    return copy;
}

class StdinSourceData : public QSharedData
{
public:
    StdinSource::Kind kind = StdinSource::Kind::Nothing;
    QByteArray bytes;
    QString fileName;
    StdinSource::Generator generator;
    std::shared_ptr<DeviceInput> device; // in place of a generator
    std::atomic<bool> isTaken = false; // one that can be read once only: the first launch has it
};

// What a command means at the moment when it is started.
class CommandLaunch
{
public:
    // Fills in \a setup, opens files, and takes an input that can be had once only.
    static ProcessError prepare(const Command &command, RunSetup *setup);
    // the same for a process that somebody holds, who receives its output himself
    static ProcessError prepareLive(const Command &command, RunSetup *setup);
    static Expected<qint64> startDetached(const Command &command);
    static Expected<QProcessEnvironment> environment(const Command &command);
    static Expected<QString> which(const Command &command);
    // what is wrong with a setting, by its name
    static ProcessError invalid(const CommandData &command, const QString &what, int code = EINVAL,
                                const QString &detail = {});

private:
    static Expected<Native::StringBlock> variables(const CommandData &command);
    static ProcessError prepareStreams(const CommandData &command, RunSetup *setup);
    static ProcessError prepareInput(const CommandData &command, RunSetup *setup);
    static ProcessError check(const CommandData &command);
};

} // namespace ProcessKit

#endif // PROCESSKIT_COMMAND_P_H
