// SPDX-License-Identifier: MIT
#include "convert_p.h"

#include "keeper_client.h"
#include "logging_p.h"
#include "reactor.h"

#include <QtCore/qfile.h>
#include <QtCore/qprocess.h>

#include <errno.h>

#include <mutex>

namespace ProcessKit {

using Native::LaunchStep;
using Native::TreeKind;

Mechanism toMechanism(TreeKind kind)
{
    switch (kind) {
    case TreeKind::CgroupV2:
        return Mechanism::CgroupV2;
    case TreeKind::Subreaper:
        return Mechanism::Subreaper;
    case TreeKind::ProcessGroup:
        break;
    }
    return Mechanism::ProcessGroup;
}

TreeKind toTreeKind(Mechanism mechanism)
{
    switch (mechanism) {
    case Mechanism::CgroupV2:
        return TreeKind::CgroupV2;
    case Mechanism::Subreaper:
        return TreeKind::Subreaper;
    default:
        return TreeKind::ProcessGroup;
    }
}

QList<ProcessInfo> toProcessInfo(const std::vector<Native::ProcessEntry> &entries)
{
    QList<ProcessInfo> infos;
    infos.reserve(qsizetype(entries.size()));
    for (const Native::ProcessEntry &entry : entries)
        infos.emplaceBack(entry.pid, entry.parent, QFile::decodeName(entry.name.c_str()),
                          entry.startTime);
    return infos;
}

namespace {

ProcessError::Kind kindOf(const Native::LaunchFailure &failure)
{
    using Kind = ProcessError::Kind;
    const int error = failure.error;
    switch (failure.step) {
    case LaunchStep::WorkingDirectory:
        return Kind::WorkingDirectory;
    case LaunchStep::Argument:
        return Kind::InvalidArgument;
    case LaunchStep::Execute:
    case LaunchStep::Lookup:
        if (error == ENOENT || error == ENOTDIR)
            return Kind::NotFound;
        if (error == EACCES || error == EPERM || error == EISDIR)
            return Kind::PermissionDenied;
        if (error == E2BIG)
            return Kind::InvalidArgument;
        break;
    case LaunchStep::Keeper:
        if (error == E2BIG)
            return Kind::InvalidArgument; // more descriptors than a message can carry
        break;
    case LaunchStep::DeathSignal:
    case LaunchStep::Terminal:
    case LaunchStep::Limits:
    case LaunchStep::Priority:
    case LaunchStep::IoPriority:
    case LaunchStep::Processors:
    case LaunchStep::Groups:
    case LaunchStep::GroupId:
    case LaunchStep::UserId:
        if (error == EACCES || error == EPERM)
            return Kind::PermissionDenied;
        if (error == EINVAL)
            return Kind::InvalidArgument;
        break;
    default:
        break;
    }
    if (error == EMFILE || error == ENFILE || error == EAGAIN || error == ENOMEM || error == ENOSPC)
        return Kind::ResourceLimit;
    if (failure.step == LaunchStep::Keeper)
        return Kind::Keeper;
    if (failure.step == LaunchStep::Modifier && error == ENOTSUP)
        return Kind::Unsupported;
    if (failure.step == LaunchStep::Container || failure.step == LaunchStep::Join)
        return Kind::Unsupported;
    return Kind::Spawn;
}

// the words that QProcess uses where it has any
QString operationOf(const Native::LaunchFailure &failure)
{
    switch (failure.step) {
    case LaunchStep::None:
        break;
    case LaunchStep::Argument:
        return QStringLiteral("arguments");
    case LaunchStep::Lookup:
    case LaunchStep::Execute:
        return QStringLiteral("execve");
    case LaunchStep::Pipe:
        return QStringLiteral("pipe");
    case LaunchStep::Container:
        return QStringLiteral("mkdir cgroup");
    case LaunchStep::Keeper:
        return QStringLiteral("keeper");
    case LaunchStep::Clone:
        return QStringLiteral("clone");
    case LaunchStep::Join:
        return QStringLiteral("clone into cgroup");
    case LaunchStep::DeathSignal:
        return QStringLiteral("prctl");
    case LaunchStep::Session:
        return QStringLiteral("setsid");
    case LaunchStep::Terminal:
        return QStringLiteral("ioctl");
    case LaunchStep::Descriptors:
        return QStringLiteral("dup");
    case LaunchStep::WorkingDirectory:
        return QStringLiteral("chdir");
    case LaunchStep::Modifier:
        return QStringLiteral("child process modifier");
    case LaunchStep::ModifierReport:
        return QProcess::tr("Child process modifier reported error: %1")
                .arg(QString::fromUtf8(failure.detail.c_str()));
    case LaunchStep::Limits:
        return QStringLiteral("setrlimit");
    case LaunchStep::Priority:
        return QStringLiteral("setpriority");
    case LaunchStep::IoPriority:
        return QStringLiteral("ioprio_set");
    case LaunchStep::Processors:
        return QStringLiteral("sched_setaffinity");
    case LaunchStep::Groups:
        return QStringLiteral("setgroups");
    case LaunchStep::GroupId:
        return QStringLiteral("setresgid");
    case LaunchStep::UserId:
        return QStringLiteral("setresuid");
    case LaunchStep::Reactor:
        return QStringLiteral("I/O thread");
    }
    return {};
}

} // namespace

ProcessError toError(const Native::LaunchFailure &failure, const QString &program)
{
    QString detail;
    if (failure.step == LaunchStep::Keeper)
        detail = QFile::decodeName(Native::KeeperClient::find().reason.c_str());
    return ProcessError(kindOf(failure), program, operationOf(failure), failure.error, detail);
}

ProcessError lookupError(int error, const QString &program,
                         const std::vector<std::string> &searched)
{
    QStringList directories;
    for (const std::string &directory : searched)
        directories.append(QFile::decodeName(directory.c_str()));
    const Native::LaunchFailure failure{ LaunchStep::Lookup, error };
    return ProcessError(kindOf(failure), program, operationOf(failure), error, {}, directories);
}

ProcessError startReactor(const QString &program)
{
    int code = 0;
    return Native::Reactor::start(&code) ? ProcessError()
                                         : toError({ LaunchStep::Reactor, code }, program);
}

void watchKeeper()
{
    static std::once_flag once;
    std::call_once(once, [] {
        Native::Reactor::instance().post([] {
            Native::KeeperClient::instance().setEndedHandler([](int error) {
                if (error)
                    qCWarning(lcKeeper, "The keeper was killed and could not be replaced: %s",
                              qPrintable(qt_error_string(error)));
                else
                    qCWarning(lcKeeper, "The keeper was killed; what it held has a new one");
            });
        });
    });
}

} // namespace ProcessKit
