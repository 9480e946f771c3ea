// SPDX-License-Identifier: MIT
#include <ProcessKit/cliclient.h>

#include "command_p.h"

namespace ProcessKit {

namespace {

QList<EnvironmentChange> asChanges(const QStringList &fileNames)
{
    QList<EnvironmentChange> changes;
    for (const QString &fileName : fileNames)
        changes.append({ EnvironmentChange::Kind::File, {}, fileName });
    return changes;
}

} // namespace

/*!
    \class ProcessKit::CliClient
    \inmodule ProcessKit
    \inheaderfile ProcessKit/CliClient
    \brief The base of a class that speaks to one command-line tool.

    \code
    class Git : public CliClient
    {
    public:
        Git() : CliClient(Command("git").withTimeout(30s)) { }
        QFuture<Expected<QString>> currentBranch() const
        {
            return run({ "branch", "--show-current" });
        }
    };
    \endcode

    It has the defaults of all calls, a Command without the arguments that differ, and the runner
    that carries them out, so that a test can give it another one. What is left to write is how
    arguments are made and how output is read.

    The functions that are const can be called on any thread, as long as nobody calls setDefaults().
*/

/*!
    \fn Command ProcessKit::CliClient::defaults() const

    Returns the command with which every call begins.
*/

/*!
    \fn void ProcessKit::CliClient::setDefaults(const Command &defaults)

    Sets the command with which every call begins to \a defaults.
*/

/*!
    \fn template<typename Parser> auto ProcessKit::CliClient::parse(const QStringList &arguments, Parser parser) const

    Runs command(\a arguments) and gives what \a parser makes of its output; success is required.
    See ProcessRunner::parse().
*/

/*!
    Constructs a client of \a program that works through \a runner, by default through
    ProcessRunner::instance(). The runner is not owned, and has to exist for as long as the client
    and its copies are used.
*/
CliClient::CliClient(const QString &program, ProcessRunner *runner)
    : CliClient(Command(program), runner)
{
}

/*!
    \overload

    Constructs a client whose every call begins as \a defaults.
*/
CliClient::CliClient(const Command &defaults, ProcessRunner *runner)
    : m_defaults(defaults), m_runner(runner)
{
}

/*!
    Returns what carries the commands out.
*/
ProcessRunner &CliClient::runner() const
{
    return m_runner ? *m_runner : ProcessRunner::instance();
}

/*!
    Returns the defaults() with \a arguments behind their arguments.
*/
Command CliClient::command(const QStringList &arguments) const
{
    return m_defaults.withMoreArguments(arguments);
}

// What a command says itself stands; it is asked for nothing that it has refused.
/*!
    Returns \a command with what it does not say itself filled in from defaults(), for a command
    that was made elsewhere:

    \list
        \li the program and the working directory, where they are empty;
        \li the timeout, with its grace and signal, unless Command::withoutTimeout() has refused
            one;
        \li the inactivity timeout, the retries and the stop token, where there is none;
        \li the preferred directories, where there are none;
        \li the changes and the files of the environment, before the command's own. After
            Command::withClearedEnvironment() none of them is filled in, and no change of a variable
            that Command::withAllowedVariables() names.
    \endlist

    Nothing else is: neither arguments nor streams, nor what the process is given.
*/
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
    // first, so that the command's own files and changes come later and count
    QList<EnvironmentChange> changes = asChanges(defaults.environmentFiles);
    const bool isWhole = data.environment && !data.environment->inheritsFromParent();
    for (const EnvironmentChange &change : defaults.changes) {
        const bool isSaid = isWhole && data.environment->contains(change.name)
                && change.kind != EnvironmentChange::Kind::Prepend;
        if (!isSaid && !data.allowedVariables.contains(change.name))
            changes.append(change);
    }
    data.changes = changes + asChanges(data.environmentFiles) + data.changes;
    data.environmentFiles.clear();
    return filled;
}

/*!
    Runs command(\a arguments) and gives its result. See Command::output().
*/
QFuture<ProcessResult> CliClient::output(const QStringList &arguments) const
{
    return runner().output(command(arguments));
}

/*!
    Runs command(\a arguments) and gives its output without white space at its end; success is
    required. See Command::run().
*/
QFuture<Expected<QString>> CliClient::run(const QStringList &arguments) const
{
    return runner().run(command(arguments));
}

/*!
    Runs command(\a arguments) and gives its exit code. See Command::exitCode().
*/
QFuture<Expected<int>> CliClient::exitCode(const QStringList &arguments) const
{
    return runner().exitCode(command(arguments));
}

/*!
    Runs command(\a arguments) and gives \c true for the exit code 0, \c false for 1, and an error
    for everything else. See Command::probe().
*/
QFuture<Expected<bool>> CliClient::probe(const QStringList &arguments) const
{
    return runner().probe(command(arguments));
}

/*!
    Runs command(\a arguments) and gives its output as a JSON document; success is required. See
    Command::json().
*/
QFuture<Expected<QJsonDocument>> CliClient::json(const QStringList &arguments) const
{
    return runner().json(command(arguments));
}

} // namespace ProcessKit
