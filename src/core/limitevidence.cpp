// SPDX-License-Identifier: MIT
#include <ProcessKit/limitevidence.h>

#include <QtCore/qdebug.h>

namespace ProcessKit {

/*!
    \class ProcessKit::LimitEvidence
    \inmodule ProcessKit
    \inheaderfile ProcessKit/LimitEvidence
    \brief How often the limits of a group were reached, as the kernel has counted it.

    The counts are those of the group's own cgroup: they include members that have ended, and they
    last as long as the ProcessGroup. One that cannot be had, because the group has not got the
    controller, is absent; it is never 0 for that reason.

    \sa ProcessGroup::limitEvidence(), ProcessGroup::limitReached()
*/

/*!
    \variable ProcessKit::LimitEvidence::memoryMax
    \brief How often ResourceLimits::memoryMax was about to be exceeded (\c max in memory.events).
    The kernel took memory back then; outOfMemory counts the times when it could not.
*/

/*!
    \variable ProcessKit::LimitEvidence::memoryHigh
    \brief How often processes were slowed down for ResourceLimits::memoryHigh.
*/

/*!
    \variable ProcessKit::LimitEvidence::memorySwapMax
    \brief How often ResourceLimits::memorySwapMax was about to be exceeded.
*/

/*!
    \variable ProcessKit::LimitEvidence::tasksMax
    \brief How many forks and starts have failed for ResourceLimits::tasksMax.
*/

/*!
    \variable ProcessKit::LimitEvidence::cpuQuota
    \brief In how many tenths of a second ResourceLimits::cpuQuota was used up.
*/

/*!
    \variable ProcessKit::LimitEvidence::throttledTime
    \brief How long CPUs stood still for it, all of them together.
*/

/*!
    \variable ProcessKit::LimitEvidence::outOfMemory
    \brief How often the group was out of memory.
*/

/*!
    \variable ProcessKit::LimitEvidence::oomKills
    \brief How many processes the kernel has killed for it.

    \sa ContainedProcess::oomKills(), ProcessResult::oomKills()
*/

/*!
    \fn bool ProcessKit::LimitEvidence::isReached(ResourceLimits::Limit limit) const

    Returns \c true if \a limit is known to have been reached.
*/

/*!
    \fn bool ProcessKit::LimitEvidence::operator==(const LimitEvidence &, const LimitEvidence &)

    Returns \c true if both say the same.
*/

/*!
    Returns how often \a limit was reached, where that is known.
*/
std::optional<qint64> LimitEvidence::count(ResourceLimits::Limit limit) const
{
    switch (limit) {
    case ResourceLimits::Limit::MemoryMax:
        return memoryMax;
    case ResourceLimits::Limit::MemoryHigh:
        return memoryHigh;
    case ResourceLimits::Limit::MemorySwapMax:
        return memorySwapMax;
    case ResourceLimits::Limit::TasksMax:
        return tasksMax;
    case ResourceLimits::Limit::CpuQuota:
        return cpuQuota;
    }
    return std::nullopt;
}

#ifndef QT_NO_DEBUG_STREAM
/*!
    \relates ProcessKit::LimitEvidence

    Writes those counts of \a evidence that are known to \a debug.
*/
QDebug operator<<(QDebug debug, const LimitEvidence &evidence)
{
    const QDebugStateSaver saver(debug);
    debug.nospace() << "LimitEvidence(";
    const char *separator = "";
    const auto write = [&](const char *name, const std::optional<qint64> &count) {
        if (count)
            debug << std::exchange(separator, ", ") << name << ' ' << *count;
    };
    write("memoryMax", evidence.memoryMax);
    write("memoryHigh", evidence.memoryHigh);
    write("memorySwapMax", evidence.memorySwapMax);
    write("tasksMax", evidence.tasksMax);
    write("cpuQuota", evidence.cpuQuota);
    write("outOfMemory", evidence.outOfMemory);
    write("oomKills", evidence.oomKills);
    debug << ')';
    return debug;
}
#endif

} // namespace ProcessKit
