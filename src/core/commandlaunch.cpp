// SPDX-License-Identifier: MIT
#include "command_p.h"

#include "convert_p.h"
#include "deviceinput_p.h"
#include "processrun_p.h"
#include "startsetup_p.h"

#include "program_lookup.h"

#include <QtCore/qcoreapplication.h>
#include <QtCore/qdir.h>
#include <QtCore/qfile.h>

#include <errno.h>
#include <fcntl.h>

namespace ProcessKit {

using Kind = ProcessError::Kind;

namespace {

std::vector<std::string> preferredDirectories(const CommandData &command)
{
    std::vector<std::string> directories;
    for (const QString &directory : command.preferredDirectories)
        directories.push_back(QFile::encodeName(QDir(directory).absolutePath()).toStdString());
    return directories;
}

} // namespace

ProcessError CommandLaunch::invalid(const CommandData &command, const QString &what, int code,
                                    const QString &detail)
{
    return ProcessError(Kind::InvalidArgument, command.program, what, code, detail);
}

Expected<QString> CommandLaunch::which(const Command &command)
{
    const CommandData &data = *command.d;
    if (const ProcessError problem = check(data))
        return problem;
    const Expected<Native::StringBlock> environment = variables(data);
    if (!environment)
        return environment.error();
    const Native::ProgramLookup lookup = Native::ProgramLookup::find(
            QFile::encodeName(data.program).toStdString(), *environment,
            startDirectory(data.workingDirectory), preferredDirectories(data));
    if (lookup.error)
        return lookupError(lookup.error, data.program, lookup.searched);
    return QFile::decodeName(lookup.file.c_str());
}

// Settings that contradict each other are told by their names, before anything is touched.
ProcessError CommandLaunch::check(const CommandData &command)
{
    if (command.program.isEmpty())
        return invalid(command, QStringLiteral("program"));
    if (command.workingDirectory.contains(QChar::Null))
        return invalid(command, QStringLiteral("working directory"));
    if (!command.badSetting.isEmpty())
        return invalid(command, command.badSetting);
    const bool errorsGoElsewhere = command.destinations[1].kind() != OutputDestination::Kind::Pipe;
    if (command.mergesErrors && errorsGoElsewhere)
        return invalid(command, QStringLiteral("merged errors with a destination for them"));
    for (int i : { 0, 1 }) {
        const bool isPipe =
                command.destinations[std::size_t(i)].kind() == OutputDestination::Kind::Pipe;
        if (command.hasTee(std::size_t(i)) && !isPipe)
            return invalid(command, QStringLiteral("tee of a stream that is not a pipe"));
    }
    if (command.hasTee(1) && command.mergesErrors)
        return invalid(command, QStringLiteral("tee of errors that are merged"));
    const OutputPolicy &policy = command.outputPolicy;
    if (policy.overflow == OutputPolicy::Overflow::Fail && !policy.isBounded())
        return invalid(command, QStringLiteral("output policy that fails without a limit"));
    if (command.timeoutGrace < std::chrono::milliseconds(0)
        || command.cancelGrace < std::chrono::milliseconds(0))
        return invalid(command, QStringLiteral("negative grace"));
    if (command.timeout && *command.timeout < std::chrono::milliseconds(0))
        return invalid(command, QStringLiteral("negative timeout"));
    if (command.inactivityTimeout && *command.inactivityTimeout <= std::chrono::milliseconds(0))
        return invalid(command, QStringLiteral("inactivity timeout"));
    const auto isPipe = [&command](std::size_t i) {
        return command.destinations[i].kind() == OutputDestination::Kind::Pipe;
    };
    if (command.inactivityTimeout && !isPipe(0) && (command.mergesErrors || !isPipe(1)))
        return invalid(command, QStringLiteral("inactivity timeout without a pipe to watch"));
    for (const int signal : { command.timeoutSignal, command.cancelSignal }) {
        if (signal < 1 || signal >= NSIG)
            return invalid(command, QStringLiteral("signal"));
    }
    if (command.mechanism == Mechanism::JobObject)
        return ProcessError(Kind::Unsupported, command.program, QStringLiteral("JobObject"),
                            ENOTSUP);
    return {};
}

ProcessError CommandLaunch::prepare(const Command &command, RunSetup *setup)
{
    const CommandData &data = *command.d;
    if (const ProcessError problem = check(data))
        return problem;
    const std::optional<Native::StringBlock> arguments =
            argumentBlock(data.program, data.arguments);
    if (!arguments)
        return invalid(data, QStringLiteral("an argument contains a NUL character"));
    const Expected<Native::StringBlock> environment = variables(data);
    if (!environment)
        return environment.error();
    setup->program = data.program;
    setup->arguments = *arguments;
    setup->environment = *environment;
    setup->directory = startDirectory(data.workingDirectory);
    setup->preferredDirectories = preferredDirectories(data);
    setup->programArgument = QFile::encodeName(data.programArgument);
    setup->settings = data.settings;
    setup->requested = data.mechanism;
    setup->leftovers = data.leftovers;
    setup->mergeErrors = data.mergesErrors;
    if (data.timeout)
        setup->timeout = *data.timeout;
    if (data.inactivityTimeout)
        setup->inactivityTimeout = *data.inactivityTimeout;
    setup->timeoutEnding = { data.timeoutSignal, data.timeoutGrace };
    setup->cancelEnding = { data.cancelSignal, data.cancelGrace };
    setup->stopToken = data.stopToken;
    if (data.stopToken.stop_requested()) // before a file is touched or an input is taken
        return ProcessError(Kind::Cancelled, data.program, QStringLiteral("start"), ECANCELED);
    if (const ProcessError problem = prepareStreams(data, setup))
        return problem;
    return prepareInput(data, setup); // last: what can be had once only is taken here
}

ProcessError CommandLaunch::prepareLive(const Command &command, RunSetup *setup)
{
    const CommandData &data = *command.d;
    if (!data.lineHandlers.isEmpty() || data.hasTee() || data.redaction
        || data.removesEscapeSequences || data.outputPolicy.isBounded())
        return invalid(data,
                       QStringLiteral("line handler, tee, text or output policy of a process "
                                      "that is started, not captured"));
    return prepare(command, setup);
}

// What somebody has to be there for is refused by its name; a stream that would be a pipe is
// nothing.
Expected<qint64> CommandLaunch::startDetached(const Command &command)
{
    const CommandData &data = *command.d;
    const auto refused = [&data]() -> QString {
        if (data.timeout || data.inactivityTimeout)
            return QStringLiteral("timeout");
        if (data.stopToken.stop_possible())
            return QStringLiteral("stop token");
        if (data.retry && data.retry->retries > 0)
            return QStringLiteral("retries");
        if (!data.lineHandlers.isEmpty())
            return QStringLiteral("line handler");
        if (data.hasTee())
            return QStringLiteral("tee");
        if (data.redaction || data.removesEscapeSequences || data.outputPolicy.isBounded())
            return QStringLiteral("text or output policy");
        if (data.mechanism != Mechanism::None)
            return QStringLiteral("mechanism");
        const StdinSource::Kind input = data.input.kind();
        if (input != StdinSource::Kind::Nothing && input != StdinSource::Kind::File
            && input != StdinSource::Kind::Inherited)
            return QStringLiteral("input through a pipe");
        return {};
    }();
    if (!refused.isEmpty())
        return invalid(data, refused + QStringLiteral(" of a detached process"));
    RunSetup setup;
    if (const ProcessError problem = prepare(command, &setup))
        return problem;
    for (RunSetup::Stream &stream : setup.streams) {
        if (stream.end == RunSetup::End::Pipe)
            stream.end = RunSetup::End::Null;
    }
    return launchDetached(std::move(setup));
}

ProcessError CommandLaunch::prepareStreams(const CommandData &command, RunSetup *setup)
{
    for (int i : { 0, 1 }) {
        const OutputDestination &destination = command.destinations[std::size_t(i)];
        RunSetup::Stream &stream = setup->streams[std::size_t(i) + 1];
        switch (destination.kind()) {
        case OutputDestination::Kind::Pipe:
            break;
        case OutputDestination::Kind::Null:
            stream.end = RunSetup::End::Null;
            break;
        case OutputDestination::Kind::Inherited:
            stream.end = RunSetup::End::Inherited;
            break;
        case OutputDestination::Kind::File:
        case OutputDestination::Kind::AppendedFile: {
            const bool append = destination.kind() == OutputDestination::Kind::AppendedFile;
            if (const int code = openRedirection(destination.fileName(), i + 1, append, &stream))
                return ProcessError(Kind::Redirection, command.program,
                                    i == 0 ? QStringLiteral("standard output file")
                                           : QStringLiteral("standard error file"),
                                    code, destination.fileName());
            break;
        }
        }
    }
    return {};
}

ProcessError CommandLaunch::prepareInput(const CommandData &command, RunSetup *setup)
{
    StdinSourceData *source = command.input.d.data();
    RunSetup::Stream &stream = setup->streams[0];
    setup->closesInput = true;
    switch (command.input.kind()) {
    case StdinSource::Kind::Nothing:
        stream.end = RunSetup::End::Null;
        break;
    case StdinSource::Kind::Inherited:
        stream.end = RunSetup::End::Inherited;
        break;
    case StdinSource::Kind::KeptOpen:
        setup->closesInput = false;
        break;
    case StdinSource::Kind::Bytes:
        setup->input = source->bytes;
        break;
    case StdinSource::Kind::File:
        if (const int code = openRedirection(source->fileName, 0, false, &stream))
            return ProcessError(Kind::Redirection, command.program,
                                QStringLiteral("standard input file"), code, source->fileName);
        break;
    case StdinSource::Kind::Generator:
        if (source->isTaken.exchange(true))
            return invalid(command,
                           QStringLiteral("an input that can be read only once was used "
                                          "a second time"),
                           EBUSY);
        setup->moreInput = source->generator;
        setup->device = source->device;
        if (setup->device)
            setup->device->open();
        break;
    }
    return {};
}

} // namespace ProcessKit
