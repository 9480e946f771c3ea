// SPDX-License-Identifier: MIT
#include "command_p.h"

#include <ProcessKit/containedprocess.h>

#include <QtCore/qdebug.h>
#include <QtCore/qpointer.h>

#include <algorithm>

namespace ProcessKit {

Command::Command(const QString &program, const QStringList &arguments) : d(new CommandData)
{
    d->program = program;
    d->arguments = arguments;
}

Command::Command(const Command &other) = default;
Command::Command(Command &&other) noexcept = default;
Command &Command::operator=(const Command &other) = default;
Command &Command::operator=(Command &&other) noexcept = default;
Command::~Command() = default;

template<typename Change>
Command Command::changed(Change change) const
{
    Command copy = *this;
    change(*copy.d);
    return copy;
}

QString Command::program() const
{
    return d->program;
}

QStringList Command::arguments() const
{
    return d->arguments;
}

QString Command::workingDirectory() const
{
    return d->workingDirectory;
}

QString Command::programArgument() const
{
    return d->programArgument;
}

QStringList Command::preferredDirectories() const
{
    return d->preferredDirectories;
}

Command Command::withProgram(const QString &program) const
{
    return changed([&](CommandData &data) { data.program = program; });
}

Command Command::withArguments(const QStringList &arguments) const
{
    return changed([&](CommandData &data) { data.arguments = arguments; });
}

Command Command::withArgument(const QString &argument) const
{
    return changed([&](CommandData &data) { data.arguments.append(argument); });
}

Command Command::withMoreArguments(const QStringList &arguments) const
{
    return changed([&](CommandData &data) { data.arguments += arguments; });
}

Command Command::withWorkingDirectory(const QString &directory) const
{
    return changed([&](CommandData &data) { data.workingDirectory = directory; });
}

Command Command::withProgramArgument(const QString &argument) const
{
    return changed([&](CommandData &data) { data.programArgument = argument; });
}

Command Command::withPreferredDirectory(const QString &directory) const
{
    return changed([&](CommandData &data) { data.preferredDirectories.append(directory); });
}

Expected<QString> Command::which() const
{
    return CommandLaunch::which(*this);
}

// for people, and for a shell that is asked to do the same
QString Command::commandLine() const
{
    const auto quoted = [](const QString &word) {
        const bool isPlain = !word.isEmpty() && std::all_of(word.begin(), word.end(), [](QChar c) {
            return (c.unicode() < 128 && c.isLetterOrNumber())
                    || QStringLiteral("_-+=./:,@%").contains(c);
        });
        if (isPlain)
            return word;
        QString escaped = word;
        escaped.replace(u'\'', QLatin1String("'\\''"));
        return QString(u'\'' + escaped + u'\'');
    };
    QString line = quoted(d->program);
    for (const QString &argument : d->arguments)
        line += u' ' + quoted(argument);
    return line;
}

Command Command::withEnvironment(const QProcessEnvironment &environment) const
{
    return changed([&](CommandData &data) { data.environment = environment; });
}

Command Command::withVariable(const QString &name, const QString &value) const
{
    return changed([&](CommandData &data) {
        data.changes.append({ EnvironmentChange::Kind::Set, name, value });
    });
}

Command Command::withoutVariable(const QString &name) const
{
    return changed([&](CommandData &data) {
        data.changes.append({ EnvironmentChange::Kind::Unset, name, {} });
    });
}

Command Command::withPathPrepended(const QString &name, const QString &directory) const
{
    return changed([&](CommandData &data) {
        data.changes.append({ EnvironmentChange::Kind::Prepend, name, directory });
    });
}

Command Command::withClearedEnvironment() const
{
    return changed([&](CommandData &data) { data.clearsEnvironment = true; });
}

Command Command::withAllowedVariables(const QStringList &names) const
{
    return changed([&](CommandData &data) { data.allowedVariables += names; });
}

Command Command::withEnvironmentFile(const QString &fileName) const
{
    return changed([&](CommandData &data) { data.environmentFiles.append(fileName); });
}

Expected<QProcessEnvironment> Command::effectiveEnvironment() const
{
    return CommandLaunch::environment(*this);
}

StdinSource Command::standardInput() const
{
    return d->input;
}

OutputDestination Command::standardOutput() const
{
    return d->destinations[0];
}

OutputDestination Command::standardError() const
{
    return d->destinations[1];
}

bool Command::mergesErrors() const
{
    return d->mergesErrors;
}

OutputPolicy Command::outputPolicy() const
{
    return d->outputPolicy;
}

Command Command::withInput(const StdinSource &source) const
{
    return changed([&](CommandData &data) { data.input = source; });
}

Command Command::withInput(const QString &text) const
{
    return changed([&](CommandData &data) { data.input = StdinSource::text(text); });
}

Command Command::withStandardOutput(const OutputDestination &destination) const
{
    return changed([&](CommandData &data) { data.destinations[0] = destination; });
}

Command Command::withStandardError(const OutputDestination &destination) const
{
    return changed([&](CommandData &data) { data.destinations[1] = destination; });
}

Command Command::withMergedErrors(bool merged) const
{
    return changed([&](CommandData &data) { data.mergesErrors = merged; });
}

Command Command::withOutputPolicy(const OutputPolicy &policy) const
{
    return changed([&](CommandData &data) { data.outputPolicy = policy; });
}

Command Command::withEncoding(QStringConverter::Encoding encoding) const
{
    return changed([&](CommandData &data) { data.encoding = encoding; });
}

Command Command::withDecoder(const std::function<QString(const QByteArray &)> &decoder) const
{
    return changed([&](CommandData &data) { data.decoder = decoder; });
}

Command Command::withLineHandler(const LineHandler &handler) const
{
    return changed([&](CommandData &data) { data.lineHandlers.append(handler); });
}

Command Command::withLineHandler(QObject *context, const LineHandler &handler) const
{
    return withLineHandler([context = QPointer<QObject>(context), handler](const OutputLine &line) {
        if (context)
            QMetaObject::invokeMethod(
                    context, [handler, line] { handler(line); }, Qt::QueuedConnection);
    });
}

Command Command::withOutputTee(const std::shared_ptr<QIODevice> &device) const
{
    return changed([&](CommandData &data) { data.tees[0] = device; });
}

Command Command::withErrorTee(const std::shared_ptr<QIODevice> &device) const
{
    return changed([&](CommandData &data) { data.tees[1] = device; });
}

Command Command::withRedaction(const TextPolicy &policy) const
{
    return changed([&](CommandData &data) { data.redaction = policy; });
}

Command Command::withEscapeSequencesRemoved(bool removed) const
{
    return changed([&](CommandData &data) { data.removesEscapeSequences = removed; });
}

QList<int> Command::successCodes() const
{
    return d->successCodes;
}

std::optional<std::chrono::milliseconds> Command::timeout() const
{
    return d->timeout;
}

std::optional<std::chrono::milliseconds> Command::inactivityTimeout() const
{
    return d->inactivityTimeout;
}

RetryPolicy Command::retryPolicy() const
{
    return d->retry.value_or(RetryPolicy::never());
}

Leftovers Command::leftovers() const
{
    return d->leftovers;
}

Mechanism Command::requestedMechanism() const
{
    return d->mechanism;
}

Command Command::withSuccessCodes(const QList<int> &codes) const
{
    return changed([&](CommandData &data) {
        if (!codes.isEmpty())
            data.successCodes = codes;
    });
}

bool Command::isUncheckedInPipe() const
{
    return d->isUncheckedInPipe;
}

Command Command::withUncheckedInPipe(bool unchecked) const
{
    return changed([&](CommandData &data) { data.isUncheckedInPipe = unchecked; });
}

Command Command::withTimeout(std::chrono::milliseconds timeout) const
{
    return changed([&](CommandData &data) {
        data.timeout = timeout;
        data.refusesTimeout = false;
    });
}

Command Command::withoutTimeout() const
{
    return changed([&](CommandData &data) {
        data.timeout.reset();
        data.refusesTimeout = true;
    });
}

Command Command::withInactivityTimeout(std::chrono::milliseconds timeout) const
{
    return changed([&](CommandData &data) { data.inactivityTimeout = timeout; });
}

Command Command::withTimeoutGrace(std::chrono::milliseconds grace, int signal) const
{
    return changed([&](CommandData &data) {
        data.timeoutGrace = grace;
        data.timeoutSignal = signal;
        data.hasTimeoutGrace = true;
    });
}

Command Command::withCancelGrace(std::chrono::milliseconds grace, int signal) const
{
    return changed([&](CommandData &data) {
        data.cancelGrace = grace;
        data.cancelSignal = signal;
    });
}

Command Command::withStopToken(const std::stop_token &token) const
{
    return changed([&](CommandData &data) { data.stopToken = token; });
}

Command Command::withRetries(const RetryPolicy &policy) const
{
    return changed([&](CommandData &data) { data.retry = policy; });
}

Command Command::withRetries(int retries) const
{
    RetryPolicy policy;
    policy.retries = retries;
    return withRetries(policy);
}

Command Command::withLeftovers(Leftovers policy) const
{
    return changed([&](CommandData &data) { data.leftovers = policy; });
}

Command Command::withMechanism(Mechanism mechanism) const
{
    return changed([&](CommandData &data) { data.mechanism = mechanism; });
}

QFuture<ProcessResult> Command::output() const
{
    return ProcessRunner::instance().output(*this);
}

QFuture<Expected<QByteArray>> Command::outputBytes() const
{
    return ProcessRunner::instance().outputBytes(*this);
}

QFuture<Expected<QString>> Command::run() const
{
    return ProcessRunner::instance().run(*this);
}

QFuture<Expected<int>> Command::exitCode() const
{
    return ProcessRunner::instance().exitCode(*this);
}

QFuture<Expected<bool>> Command::probe() const
{
    return ProcessRunner::instance().probe(*this);
}

QFuture<Expected<QString>>
Command::firstLine(const std::function<bool(QStringView line)> &predicate) const
{
    return ProcessRunner::instance().firstLine(*this, predicate);
}

QFuture<Expected<QJsonDocument>> Command::json() const
{
    return ProcessRunner::instance().json(*this);
}

QFuture<Expected<QList<QJsonDocument>>> Command::jsonLines() const
{
    return ProcessRunner::instance().jsonLines(*this);
}

std::unique_ptr<ContainedProcess> Command::start() const
{
    auto process = std::make_unique<ContainedProcess>();
    process->start(*this);
    return process;
}

bool operator==(const Command &a, const Command &b) noexcept
{
    const CommandData &x = *a.d;
    const CommandData &y = *b.d;
    return &x == &y
            || (x.program == y.program && x.arguments == y.arguments
                && x.workingDirectory == y.workingDirectory
                && x.programArgument == y.programArgument
                && x.preferredDirectories == y.preferredDirectories
                && x.environment == y.environment && x.clearsEnvironment == y.clearsEnvironment
                && x.allowedVariables == y.allowedVariables
                && x.environmentFiles == y.environmentFiles && x.changes == y.changes
                && x.destinations == y.destinations && x.mergesErrors == y.mergesErrors
                && x.outputPolicy == y.outputPolicy && x.encoding == y.encoding
                && x.removesEscapeSequences == y.removesEscapeSequences && x.settings == y.settings
                && x.badSetting == y.badSetting && x.isUncheckedInPipe == y.isUncheckedInPipe
                && x.successCodes == y.successCodes && x.timeout == y.timeout
                && x.inactivityTimeout == y.inactivityTimeout && x.leftovers == y.leftovers
                && x.mechanism == y.mechanism);
}

#ifndef QT_NO_DEBUG_STREAM
QDebug operator<<(QDebug debug, const Command &command)
{
    // arguments, values and directories may be secret
    const QDebugStateSaver saver(debug);
    QStringList names;
    for (const EnvironmentChange &change : std::as_const(command.d->changes))
        names.append(change.name);
    names.sort();
    names.removeDuplicates();
    debug.nospace() << "Command(" << command.program() << ", " << command.arguments().size()
                    << " arguments";
    if (!names.isEmpty())
        debug << ", sets " << names;
    debug << ')';
    return debug;
}
#endif

} // namespace ProcessKit
