// SPDX-License-Identifier: MIT
#include "startsetup_p.h"

#include "convert_p.h"

#include "detached.h"
#include "program_lookup.h"

#include <QtCore/qfile.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

namespace ProcessKit {

namespace {

bool append(Native::StringBlock *block, const QByteArray &string)
{
    if (string.contains('\0'))
        return false;
    block->append({ string.data(), size_t(string.size()) });
    return true;
}

} // namespace

std::optional<Native::StringBlock> argumentBlock(const QString &program,
                                                 const QStringList &arguments)
{
    Native::StringBlock block;
    if (!append(&block, QFile::encodeName(program)))
        return std::nullopt;
    for (const QString &argument : arguments) {
        if (!append(&block, QFile::encodeName(argument)))
            return std::nullopt;
    }
    return block;
}

std::optional<Native::StringBlock> environmentBlock(const QProcessEnvironment &environment)
{
    Native::StringBlock block;
    if (!environment.inheritsFromParent()) {
        const QStringList variables = environment.toStringList();
        for (const QString &variable : variables) {
            if (!append(&block, QFile::encodeName(variable)))
                return std::nullopt;
        }
        return block;
    }
    for (char **variable = environ; variable && *variable; ++variable)
        block.append(*variable);
    return block;
}

int copyDescriptors(const QList<int> &numbers, std::vector<Native::LaunchPlan::Descriptor> *plan,
                    std::vector<Native::UniqueFd> *sources)
{
    int lowest = 3; // above all numbers, so that no copy in the child overwrites another's source
    for (const int number : numbers)
        lowest = std::max(lowest, number + 1);
    for (const int number : numbers) {
        if (number >= 0 && number <= 2)
            continue; // the channels have settings of their own
        plan->push_back({ ::fcntl(number, F_DUPFD_CLOEXEC, lowest), number });
        if (plan->back().source < 0)
            return errno;
        sources->emplace_back(plan->back().source);
    }
    return 0;
}

QList<int> descriptorsLeftOpen(const ContainedProcess::UnixProcessParameters &parameters)
{
    QList<int> numbers;
    if (!parameters.flags.testFlag(ContainedProcess::UnixProcessFlag::CloseFileDescriptors))
        return numbers;
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    const int end = int(std::min<rlim_t>(limit.rlim_cur, INT_MAX));
    for (int fd = 3; fd < std::min(parameters.lowestFileDescriptorToClose, end); ++fd) {
        if (::fcntl(fd, F_GETFD) == 0)
            numbers.append(fd);
    }
    return numbers;
}

Native::LaunchPlan::Settings childSettings(ContainedProcess::UnixProcessFlags flags)
{
    using Flag = ContainedProcess::UnixProcessFlag;
    using Settings = Native::LaunchPlan::Settings;
    // the others are how every child is started
    static constexpr std::pair<Flag, Settings::Given> meanings[] = {
        { Flag::ResetSignalHandlers, Settings::ResetIgnoredSignals },
        { Flag::IgnoreSigPipe, Settings::IgnoreSigPipe },
        { Flag::CreateNewSession, Settings::NewSession },
        { Flag::DisconnectControllingTerminal, Settings::LeaveTerminal },
        { Flag::ResetIds, Settings::ResetIds },
        { Flag::DisableCoreDumps, Settings::NoCoreDumps },
    };
    Settings settings;
    for (const auto &[flag, meaning] : meanings) {
        if (flags.testFlag(flag))
            settings.given |= meaning;
    }
    return settings;
}

std::string startDirectory(const QString &workingDirectory)
{
    const std::string directory = QFile::encodeName(workingDirectory).toStdString();
    if (!directory.empty() && directory[0] == '/')
        return directory;
    char current[PATH_MAX];
    if (!::getcwd(current, sizeof current))
        return directory;
    if (directory.empty())
        return current;
    return std::string(current) + '/' + directory;
}

ProcessError lookUpProgram(RunSetup *setup, Native::LaunchPlan *plan)
{
    const Native::ProgramLookup lookup = Native::ProgramLookup::find(
            QFile::encodeName(setup->program).toStdString(), setup->environment, setup->directory,
            setup->preferredDirectories);
    if (lookup.error)
        return lookupError(lookup.error, setup->program, lookup.searched);
    plan->candidates.append(lookup.file);
    // as QProcess has it: where it was found
    setup->arguments.replaceFirst(
            setup->programArgument.isEmpty() ? lookup.file : setup->programArgument.toStdString());
    return {};
}

int passStream(int stream, RunSetup::Stream *setup, Native::Launch *launch)
{
    if (setup->end == RunSetup::End::Inherited) {
        // what we have closed, the child has closed
        if (::fcntl(stream, F_GETFD) >= 0)
            launch->plan.descriptors.push_back({ stream, stream });
        return 0;
    }
    if (setup->end == RunSetup::End::Null)
        setup->descriptor = Native::UniqueFd(::open("/dev/null", O_RDWR | O_CLOEXEC));
    if (setup->descriptor)
        setup->descriptor = Native::aboveStandardStreams(std::move(setup->descriptor));
    if (!setup->descriptor)
        return errno;
    launch->plan.descriptors.push_back({ setup->descriptor.get(), stream });
    launch->childEnds.push_back(std::move(setup->descriptor));
    return 0;
}

void mergeErrors(Native::LaunchPlan *plan)
{
    if (!plan->descriptors.empty() && plan->descriptors.back().target == 1)
        plan->descriptors.push_back({ plan->descriptors.back().source, 2 });
}

Expected<qint64> launchDetached(RunSetup setup)
{
    using Native::LaunchStep;
    if (const ProcessError problem = startReactor(setup.program))
        return problem;
    Native::Launch launch;
    if (const ProcessError problem = lookUpProgram(&setup, &launch.plan))
        return problem;
    for (int stream = 0; stream < 3; ++stream) {
        if (stream == 2 && setup.mergeErrors)
            mergeErrors(&launch.plan);
        else if (const int error = passStream(stream, &setup.streams[std::size_t(stream)], &launch))
            return toError({ LaunchStep::Pipe, error }, setup.program);
    }
    for (const Native::LaunchPlan::Descriptor &descriptor : setup.inheritedDescriptors)
        launch.plan.descriptors.push_back(descriptor);
    launch.plan.arguments = std::move(setup.arguments);
    launch.plan.environment = std::move(setup.environment);
    launch.plan.workingDirectory = setup.directory;
    launch.plan.settings = std::move(setup.settings);
    launch.modifier = std::move(setup.modifier);
    Native::DetachedResult result;
    Native::Reactor::instance().call(
            [&] { result = Native::startDetached(std::move(launch)); }); // one thread spawns
    if (result.failure)
        return toError(result.failure, setup.program);
    return qint64(result.pid);
}

int openRedirection(const QString &fileName, int stream, bool append, RunSetup::Stream *setup)
{
    const int flags = stream == 0 ? O_RDONLY : O_WRONLY | O_CREAT | (append ? O_APPEND : O_TRUNC);
    const QByteArray name = QFile::encodeName(fileName);
    int fd;
    do {
        fd = ::open(name.constData(), flags | O_CLOEXEC, 0666);
    } while (fd < 0 && errno == EINTR);
    setup->end = RunSetup::End::Descriptor;
    setup->descriptor = Native::UniqueFd(fd);
    return fd < 0 ? errno : 0;
}

} // namespace ProcessKit
