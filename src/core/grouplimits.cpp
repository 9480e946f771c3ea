// SPDX-License-Identifier: MIT
// A group's limits: where they can be had, before its first start, and what has become of them.
#include "groupstate_p.h"

#include "controllersource_p.h"
#include "convert_p.h"
#include "logging_p.h"

#include "cgroup_directory.h"
#include "host.h"
#include "reactor.h"

#include <QtCore/qfile.h>
#include <QtCore/qregularexpression.h>

#include <errno.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <cmath>
#include <utility>

namespace ProcessKit {

using Native::ControllerPlace;
using Native::TreeKind;

namespace {

ProcessError limitError(const QString &program, const QString &operation, int error,
                        const QString &reason = {})
{
    return ProcessError(ProcessError::Kind::ResourceLimit, program, operation, error, reason);
}

ProcessError limitError(const QString &program, const Native::LimitFailure &failure)
{
    return limitError(program, QString::fromStdString(failure.file), failure.error);
}

// "8:0", or the path of a block device
bool readDevice(const QString &device, Native::CgroupLimits::Device *numbers)
{
    static const QRegularExpression pattern(QStringLiteral("^([0-9]{1,9}):([0-9]{1,9})$"));
    const QRegularExpressionMatch match = pattern.match(device);
    if (match.hasMatch()) {
        numbers->major = match.captured(1).toUInt();
        numbers->minor = match.captured(2).toUInt();
        return true;
    }
    struct stat status;
    if (::stat(QFile::encodeName(device).constData(), &status) != 0)
        return false;
    errno = ENOTBLK;
    numbers->major = major(status.st_rdev);
    numbers->minor = minor(status.st_rdev);
    return S_ISBLK(status.st_mode);
}

// Devices by their numbers; an error names one that is not there.
ProcessError toNative(const ResourceLimits &limits, Native::CgroupLimits *native)
{
    assign(&native->memoryMax, limits.memoryMax);
    assign(&native->memoryHigh, limits.memoryHigh);
    assign(&native->swapMax, limits.memorySwapMax);
    assign(&native->tasksMax, limits.tasksMax);
    assign(&native->cpuWeight, limits.cpuWeight);
    assign(&native->ioWeight, limits.ioWeight);
    if (limits.cpuQuota)
        native->cpuQuota = std::uint64_t(
                std::llround(*limits.cpuQuota * double(Native::CgroupLimits::cpuPeriod)));
    for (const ResourceLimits::IoLimit &limit : limits.ioLimits) {
        Native::CgroupLimits::Device device;
        if (!readDevice(limit.device, &device))
            return ProcessError(ProcessError::Kind::InvalidArgument, {}, QStringLiteral("ioLimits"),
                                errno, limit.device);
        assign(&device.readBytes, limit.readBandwidth);
        assign(&device.writtenBytes, limit.writeBandwidth);
        assign(&device.reads, limit.readOperations);
        assign(&device.writes, limit.writeOperations);
        native->devices.push_back(device);
    }
    native->killsGroup = limits.oomPolicy == ResourceLimits::OomPolicy::KillGroup;
    return {};
}

LimitEvidence toEvidence(const Native::LimitEvents &events)
{
    LimitEvidence evidence;
    assign(&evidence.memoryMax, events.memoryMax);
    assign(&evidence.memoryHigh, events.memoryHigh);
    assign(&evidence.memorySwapMax, events.swapMax);
    assign(&evidence.tasksMax, events.tasksMax);
    assign(&evidence.cpuQuota, events.throttledPeriods);
    assign(&evidence.outOfMemory, events.outOfMemory);
    assign(&evidence.oomKills, events.oomKills);
    assign(&evidence.throttledTime, events.throttledMicroseconds);
    return evidence;
}

} // namespace

void GroupState::prepare(const QString &program, Mechanism requested, bool withModifier,
                         Prepared then)
{
    const bool isLimited = m_nativeLimits.controllers() != 0;
    TreeKind kind = toTreeKind(requested);
    if (requested == Mechanism::None)
        kind = isLimited ? TreeKind::CgroupV2 : Native::chooseMechanism(withModifier);
    if (kind != TreeKind::CgroupV2) {
        then(kind,
             isLimited ? limitError(program, QStringLiteral("limits"), ENOTSUP,
                                    QStringLiteral("only a cgroup can have limits"))
                       : ProcessError());
    } else if (m_directory && (!isLimited || m_directory->exists() || !m_runs.empty())) {
        then(kind, {}); // a scope goes with its last process
    } else if (!isLimited) {
        then(kind, makeDirectory(program));
    } else {
        m_preparing.emplace_back([kind, then = std::move(then)](const ProcessError &problem) {
            then(kind, problem);
        });
        if (m_preparing.size() > 1)
            return; // the first one's answer is for all
        obtainControllers(m_nativeLimits.controllers(),
                          [weak = weak_from_this(), program](const ControllerPlace &place) {
                              if (const auto self = weak.lock())
                                  self->prepared(self->makeLimitedDirectory(program, place));
                          });
    }
}

void GroupState::prepared(const ProcessError &problem)
{
    for (const auto &then : std::exchange(m_preparing, {}))
        then(problem);
}

void GroupState::cancelPreparation()
{
    prepared(ProcessError(ProcessError::Kind::Cancelled, {}, QStringLiteral("start"), ECANCELED));
}

ProcessError GroupState::makeDirectory(const QString &program)
{
    int error = 0;
    m_directory = Native::CgroupDirectory::ofGroup(&error);
    if (!m_directory)
        return toError({ Native::LaunchStep::Container, error }, program);
    return {};
}

ProcessError GroupState::makeLimitedDirectory(const QString &program, const ControllerPlace &place)
{
    if (m_preparing.empty())
        return {}; // nobody waits any more
    if (place.source == ControllerPlace::Source::None)
        return limitError(program, QStringLiteral("cgroup controllers"), ENOTSUP,
                          QString::fromStdString(place.reason));
    Native::LimitFailure failure;
    m_directory = Native::CgroupDirectory::ofLimitedGroup(place, m_nativeLimits, &failure);
    if (!m_directory)
        return limitError(program, failure);
    watchLimits();
    const std::lock_guard lock(m_mutex);
    m_controllerSource = toControllerSource(place.source);
    qCDebug(lcLifecycle) << "limits in" << m_controllerSource;
    return {};
}

// Not on the reactor: to lower a limit of memory makes the kernel reclaim, which takes its time.
ProcessError GroupState::setLimits(const ResourceLimits &limits)
{
    ProcessError error = limits.validate();
    Native::CgroupLimits native;
    if (!error)
        error = toNative(limits, &native);
    if (error)
        return error;
    int problem = 0;
    Native::Reactor *reactor = Native::Reactor::start(&problem);
    if (!reactor)
        return toError({ Native::LaunchStep::Reactor, problem }, {});

    const std::lock_guard oneAtATime(m_limitsMutex);
    std::optional<Native::UniqueFd> cgroup;
    reactor->call([&] { error = beginSetting(native, &cgroup); });
    if (!error && cgroup) {
        const Native::LimitFailure failure = cgroup->get() < 0
                ? Native::LimitFailure{ "cgroup", errno }
                : Native::applyLimits(cgroup->get(), native);
        if (failure)
            error = limitError({}, failure);
        else
            reactor->call([&] { m_nativeLimits = native; });
    }
    if (!error) {
        const std::lock_guard lock(m_mutex);
        m_limits = limits;
    }
    return error;
}

// \a cgroup is given where the limits are to be set there; without one they are for the first
// start.
ProcessError GroupState::beginSetting(const Native::CgroupLimits &native,
                                      std::optional<Native::UniqueFd> *cgroup)
{
    if (!m_directory && !m_runs.empty() && native.controllers())
        return limitError({}, QStringLiteral("limits"), ENOTSUP,
                          QStringLiteral("only a cgroup can have limits"));
    if (!m_directory) {
        m_nativeLimits = native;
        return {};
    }
    if (const int error = m_directory->provideControllers(native.controllers()))
        return limitError({}, QStringLiteral("cgroup.subtree_control"), error,
                          QStringLiteral("the group was started where it cannot have controllers"));
    *cgroup = m_directory->open();
    watchLimits();
    const std::lock_guard lock(m_mutex);
    if (native.controllers() && m_controllerSource == ControllerSource::None)
        m_controllerSource = ControllerSource::OwnCgroup;
    return {};
}

void GroupState::watchLimits()
{
    m_directory->watchLimits([weak = weak_from_this()] {
        if (const auto self = weak.lock())
            self->readLimitEvidence();
    });
}

LimitEvidence GroupState::readLimitEvidence()
{
    if (!m_directory)
        return {};
    const LimitEvidence evidence = toEvidence(m_directory->limitEvents());
    const std::lock_guard lock(m_mutex);
    if (std::exchange(m_evidence, evidence) != evidence)
        post(ChangedEvent);
    return evidence;
}

LimitEvidence GroupState::limitEvidence() const
{
    const std::lock_guard lock(m_mutex);
    return m_evidence;
}

ResourceLimits GroupState::limits() const
{
    const std::lock_guard lock(m_mutex);
    return m_limits;
}

ControllerSource GroupState::controllerSource() const
{
    const std::lock_guard lock(m_mutex);
    return m_controllerSource;
}

} // namespace ProcessKit
