// SPDX-License-Identifier: MIT
#include "command_p.h"

#include "startsetup_p.h"

#include <QtCore/qdir.h>
#include <QtCore/qfile.h>

#include <errno.h>

// The environment of a command's process: what is asked for, and what that makes at a start.

namespace ProcessKit {

namespace {

// "NAME=VALUE" lines; empty ones and those that begin with '#' count for nothing, a value is taken
// as it is.
ProcessError readEnvironmentFile(const CommandData &command, const QString &fileName,
                                 QProcessEnvironment *environment)
{
    QFile file(fileName);
    if (!file.open(QIODevice::ReadOnly))
        return CommandLaunch::invalid(command, QStringLiteral("environment file"), ENOENT,
                                      fileName);
    int number = 0;
    while (!file.atEnd()) {
        QByteArray line = file.readLine();
        ++number;
        while (line.endsWith('\n') || line.endsWith('\r'))
            line.chop(1);
        if (line.isEmpty() || line.startsWith('#'))
            continue;
        const qsizetype equals = line.indexOf('=');
        if (equals < 1 || line.contains('\0'))
            return CommandLaunch::invalid(command,
                                          QStringLiteral("environment file, line %1").arg(number),
                                          EINVAL, fileName);
        environment->insert(QString::fromUtf8(line.left(equals)),
                            QString::fromUtf8(line.mid(equals + 1)));
    }
    return {};
}

Expected<QProcessEnvironment> environmentOf(const CommandData &command)
{
    QProcessEnvironment parent = command.environment && !command.environment->inheritsFromParent()
            ? *command.environment
            : QProcessEnvironment::systemEnvironment();
    QProcessEnvironment environment;
    if (!command.clearsEnvironment && command.allowedVariables.isEmpty())
        environment = parent;
    for (const QString &name : command.allowedVariables) {
        if (parent.contains(name))
            environment.insert(name, parent.value(name));
    }
    for (const QString &fileName : command.environmentFiles) {
        if (const ProcessError problem = readEnvironmentFile(command, fileName, &environment))
            return problem;
    }
    for (const EnvironmentChange &change : command.changes) {
        if (change.kind == EnvironmentChange::Kind::File) {
            if (const ProcessError problem =
                        readEnvironmentFile(command, change.value, &environment))
                return problem;
            continue;
        }
        if (change.name.isEmpty() || change.name.contains(u'=') || change.name.contains(QChar::Null)
            || change.value.contains(QChar::Null))
            return CommandLaunch::invalid(command, QStringLiteral("environment variable"), EINVAL,
                                          change.name);
        switch (change.kind) {
        case EnvironmentChange::Kind::File:
            break;
        case EnvironmentChange::Kind::Set:
            environment.insert(change.name, change.value);
            break;
        case EnvironmentChange::Kind::Unset:
            environment.remove(change.name);
            break;
        case EnvironmentChange::Kind::Prepend: {
            const QString before = environment.value(change.name);
            environment.insert(change.name,
                               before.isEmpty() ? change.value
                                                : change.value + QDir::listSeparator() + before);
            break;
        }
        }
    }
    return environment;
}

// One that is the same as ours is copied as it is: that is faster, and exact.
bool inheritsAll(const CommandData &command)
{
    return (!command.environment || command.environment->inheritsFromParent())
            && !command.clearsEnvironment && command.allowedVariables.isEmpty()
            && command.environmentFiles.isEmpty() && command.changes.isEmpty();
}

} // namespace

/*!
    Returns a copy whose environment begins as \a environment, in place of that of this process. One
    that inherits (QProcessEnvironment::InheritFromParent) is that of this process at the start.

    The environment of the process is made in this order, whatever the order of the calls was:

    \list 1
        \li This environment; nothing of it after withClearedEnvironment(), and only the named
            variables
            after withAllowedVariables().
        \li The files of withEnvironmentFile(), in the order of the calls.
        \li withVariable(), withoutVariable() and withPathPrepended(), in the order of the calls.
    \endlist

    \sa effectiveEnvironment()
*/
Command Command::withEnvironment(const QProcessEnvironment &environment) const
{
    return changed([&](CommandData &data) { data.environment = environment; });
}

/*!
    Returns a copy that sets the environment variable \a name to \a value. A name that is empty or
    holds a \c{=}, and a NUL character in either, make the start fail with
    ProcessError::Kind::InvalidArgument.
*/
Command Command::withVariable(const QString &name, const QString &value) const
{
    return changed([&](CommandData &data) {
        data.changes.append({ EnvironmentChange::Kind::Set, name, value });
    });
}

/*!
    Returns a copy without the environment variable \a name.
*/
Command Command::withoutVariable(const QString &name) const
{
    return changed([&](CommandData &data) {
        data.changes.append({ EnvironmentChange::Kind::Unset, name, {} });
    });
}

/*!
    Returns a copy that puts \a directory in front of the list of directories in the environment
    variable \a name, for example \c PATH, with a colon between them.
*/
Command Command::withPathPrepended(const QString &name, const QString &directory) const
{
    return changed([&](CommandData &data) {
        data.changes.append({ EnvironmentChange::Kind::Prepend, name, directory });
    });
}

/*!
    Returns a copy that takes over nothing of the environment it would begin with. What is allowed
    by withAllowedVariables() is still taken over.

    Without a PATH a program is looked for in \c{/bin:/usr/bin}, as execvp(3) does.
*/
Command Command::withClearedEnvironment() const
{
    return changed([&](CommandData &data) { data.clearsEnvironment = true; });
}

/*!
    Returns a copy that takes over nothing of the environment it would begin with but the variables
    \a names, as far as they exist. Several calls add up.
*/
Command Command::withAllowedVariables(const QStringList &names) const
{
    return changed([&](CommandData &data) { data.allowedVariables += names; });
}

/*!
    Returns a copy that reads variables from the file \a fileName at each start: lines of the form
    \c{NAME=VALUE} in UTF-8. Empty lines and those that begin with \c{#} are skipped. A value is
    taken as it is, up to the end of the line: there are no quotes and no references.

    A file that cannot be opened and a line of another form make the start fail with
    ProcessError::Kind::InvalidArgument; the error's text() has the number of the line, its
    diagnostic() the name of the file.
*/
Command Command::withEnvironmentFile(const QString &fileName) const
{
    return changed([&](CommandData &data) { data.environmentFiles.append(fileName); });
}

/*!
    Returns the environment that a process would be given now, or the error with which a start would
    fail because of it.

    \sa withEnvironment()
*/
Expected<QProcessEnvironment> Command::effectiveEnvironment() const
{
    return CommandLaunch::environment(*this);
}

Expected<QProcessEnvironment> CommandLaunch::environment(const Command &command)
{
    return environmentOf(*command.d);
}

Expected<Native::StringBlock> CommandLaunch::variables(const CommandData &command)
{
    QProcessEnvironment environment(QProcessEnvironment::InheritFromParent);
    if (!inheritsAll(command)) {
        const Expected<QProcessEnvironment> effective = environmentOf(command);
        if (!effective)
            return effective.error();
        environment = *effective;
    }
    const std::optional<Native::StringBlock> block = environmentBlock(environment);
    if (!block)
        return invalid(command, QStringLiteral("environment"));
    return *block;
}

} // namespace ProcessKit
