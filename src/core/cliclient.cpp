// SPDX-License-Identifier: MIT
#include <ProcessKit/cliclient.h>

#include "command_p.h"

namespace ProcessKit {

CliClient::CliClient(const QString &program, ProcessRunner *runner)
    : CliClient(Command(program), runner)
{
}

CliClient::CliClient(const Command &defaults, ProcessRunner *runner)
    : m_defaults(defaults), m_runner(runner)
{
}

ProcessRunner &CliClient::runner() const
{
    return m_runner ? *m_runner : ProcessRunner::instance();
}

Command CliClient::command(const QStringList &arguments) const
{
    return m_defaults.withMoreArguments(arguments);
}

// What a command says itself stands; it is asked for nothing that it has refused.
Command CliClient::filledIn(const Command &command) const
{
    Command filled = command;
    CommandData &data = *filled.d;
    const CommandData &defaults = *m_defaults.d;
    if (data.program.isEmpty())
        data.program = defaults.program;
    if (data.workingDirectory.isEmpty())
        data.workingDirectory = defaults.workingDirectory;
    if (!data.timeout && !data.refusesTimeout) {
        data.timeout = defaults.timeout;
        if (!data.hasTimeoutGrace) {
            data.timeoutGrace = defaults.timeoutGrace;
            data.timeoutSignal = defaults.timeoutSignal;
            data.hasTimeoutGrace = defaults.hasTimeoutGrace;
        }
    }
    if (!data.inactivityTimeout)
        data.inactivityTimeout = defaults.inactivityTimeout;
    if (!data.retry)
        data.retry = defaults.retry;
    if (!data.stopToken.stop_possible())
        data.stopToken = defaults.stopToken;
    if (data.preferredDirectories.isEmpty())
        data.preferredDirectories = defaults.preferredDirectories;
    if (data.clearsEnvironment)
        return filled;
    // first, so that the command's own changes come later and count
    QList<EnvironmentChange> changes;
    const bool isWhole = data.environment && !data.environment->inheritsFromParent();
    for (const EnvironmentChange &change : defaults.changes) {
        const bool isSaid = isWhole && data.environment->contains(change.name)
                && change.kind != EnvironmentChange::Kind::Prepend;
        if (!isSaid && !data.allowedVariables.contains(change.name))
            changes.append(change);
    }
    data.changes = changes + data.changes;
    data.environmentFiles = defaults.environmentFiles + data.environmentFiles;
    return filled;
}

QFuture<ProcessResult> CliClient::output(const QStringList &arguments) const
{
    return runner().output(command(arguments));
}

QFuture<Expected<QString>> CliClient::run(const QStringList &arguments) const
{
    return runner().run(command(arguments));
}

QFuture<Expected<int>> CliClient::exitCode(const QStringList &arguments) const
{
    return runner().exitCode(command(arguments));
}

QFuture<Expected<bool>> CliClient::probe(const QStringList &arguments) const
{
    return runner().probe(command(arguments));
}

QFuture<Expected<QJsonDocument>> CliClient::json(const QStringList &arguments) const
{
    return runner().json(command(arguments));
}

} // namespace ProcessKit
