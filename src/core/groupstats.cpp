// SPDX-License-Identifier: MIT
#include <ProcessKit/groupstats.h>

#include <QtCore/qdebug.h>

namespace ProcessKit {

/*!
    \class ProcessKit::GroupStats
    \inmodule ProcessKit
    \inheaderfile ProcessKit/GroupStats
    \brief What a group has used, at one moment.

    A figure that this host or this mechanism does not give is absent; it is never 0 for that
    reason. With Mechanism::CgroupV2 the figures are those of the group's own cgroup, so they count
    members that have ended, too (\l{https://docs.kernel.org/admin-guide/cgroup-v2.html}{cgroup-v2},
    cpu.stat, memory.current, memory.peak, pids.current, pids.peak, io.stat); memory, processes and
    I/O need the controllers memory, pids and io. Elsewhere they are sums over the members that are
    alive (proc_pid_stat(5), proc_pid_io(5)) and over the direct children that have ended, with what
    those had waited for; peaks are absent.

    \sa ProcessGroup::statistics()
*/

/*!
    \variable ProcessKit::GroupStats::mechanism
    \brief What held the processes.
*/

/*!
    \variable ProcessKit::GroupStats::time
    \brief When the figures were read.
*/

/*!
    \variable ProcessKit::GroupStats::userTime
    \brief CPU time spent in the programs.
*/

/*!
    \variable ProcessKit::GroupStats::systemTime
    \brief CPU time spent in the kernel for them.
*/

/*!
    \variable ProcessKit::GroupStats::memoryBytes
    \brief Memory now. With a cgroup it includes the page cache that is charged to the group;
    elsewhere it is the sum of the resident sizes, which counts shared pages more than once.
*/

/*!
    \variable ProcessKit::GroupStats::peakMemoryBytes
    \brief The most memory so far (Linux 5.19 and newer).
*/

/*!
    \variable ProcessKit::GroupStats::processes
    \brief How many processes there are; with a cgroup's pids controller, threads count as well.
*/

/*!
    \variable ProcessKit::GroupStats::peakProcesses
    \brief The most that there have been (Linux 6.1 and newer).
*/

/*!
    \variable ProcessKit::GroupStats::bytesRead
    \brief Bytes read from block devices.
*/

/*!
    \variable ProcessKit::GroupStats::bytesWritten
    \brief Bytes written to block devices.
*/

/*!
    \fn bool ProcessKit::GroupStats::operator==(const GroupStats &, const GroupStats &)

    Returns \c true if both are equal in every figure.
*/

/*!
    Returns the CPU time, in the programs and in the kernel together, where both are known.
*/
std::optional<std::chrono::microseconds> GroupStats::cpuTime() const
{
    if (!userTime || !systemTime)
        return std::nullopt;
    return *userTime + *systemTime;
}

#ifndef QT_NO_DEBUG_STREAM
/*!
    \relates ProcessKit::GroupStats

    Writes the figures of \a stats that there are to \a debug.
*/
QDebug operator<<(QDebug debug, const GroupStats &stats)
{
    const QDebugStateSaver saver(debug);
    debug.nospace() << "GroupStats(" << stats.mechanism;
    const auto write = [&debug](const char *name, const auto &figure) {
        if (figure)
            debug << ", " << name << ' ' << *figure;
    };
    if (const auto time = stats.cpuTime())
        debug << ", CPU " << time->count() << " us";
    write("memory", stats.memoryBytes);
    write("at most", stats.peakMemoryBytes);
    write("processes", stats.processes);
    write("at most", stats.peakProcesses);
    write("read", stats.bytesRead);
    write("written", stats.bytesWritten);
    debug << ')';
    return debug;
}
#endif

} // namespace ProcessKit
