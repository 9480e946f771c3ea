// SPDX-License-Identifier: MIT
#include <ProcessKit/resourcelimits.h>

#include <QtCore/qdebug.h>

#include <errno.h>

#include <cmath>

namespace ProcessKit {

/*!
    \class ProcessKit::ResourceLimits
    \inmodule ProcessKit
    \inheaderfile ProcessKit/ResourceLimits
    \brief What all processes of a group together may use.

    \code
    ResourceLimits limits;
    limits.memoryMax = 512 * 1024 * 1024;
    limits.tasksMax = 100;
    limits.cpuQuota = 1.5;
    if (const ProcessError error = group.updateLimits(limits))
        qWarning() << error;
    \endcode

    What has no value is not limited. The kernel's cgroup controllers enforce them, and the names
    are those of systemd.resource-control(5); \l{https://docs.kernel.org/admin-guide/cgroup-v2.html}
    {cgroup-v2} describes what each of them does. They need Mechanism::CgroupV2 and the controller
    that each variable names; Containment::controllerSource() tells where this host has those.

    \sa ProcessGroup::updateLimits(), LimitEvidence
*/

/*!
    \enum ProcessKit::ResourceLimits::Limit
    \brief A limit that can be seen to have been reached.

    \value MemoryMax memoryMax
    \value MemoryHigh memoryHigh
    \value MemorySwapMax memorySwapMax
    \value TasksMax tasksMax
    \value CpuQuota cpuQuota
*/

/*!
    \enum ProcessKit::ResourceLimits::OomPolicy
    \brief Whom the kernel ends when the group needs more memory than memoryMax.

    \value KillProcess
        One process, which the kernel chooses.
    \value KillGroup
        Every process of the group (memory.oom.group).
*/

/*!
    \class ProcessKit::ResourceLimits::IoLimit
    \inmodule ProcessKit
    \brief How fast one block device may be used. What has no value is not limited.
*/

/*!
    \variable ProcessKit::ResourceLimits::IoLimit::device
    \brief The path of a block device, such as \c /dev/sda, or its numbers as \c "8:0". It has to be
    a whole disk, not a partition of it.
*/

/*!
    \variable ProcessKit::ResourceLimits::IoLimit::readBandwidth
    \brief Bytes read per second, at least 1.
*/

/*!
    \variable ProcessKit::ResourceLimits::IoLimit::writeBandwidth
    \brief Bytes written per second, at least 1.
*/

/*!
    \variable ProcessKit::ResourceLimits::IoLimit::readOperations
    \brief Read operations per second, at least 1.
*/

/*!
    \variable ProcessKit::ResourceLimits::IoLimit::writeOperations
    \brief Write operations per second, at least 1.
*/

/*!
    \variable ProcessKit::ResourceLimits::memoryMax
    \brief Bytes of memory, at least 1, that the group cannot exceed: where the kernel can take
    nothing back, it ends processes as oomPolicy says. Controller memory.
*/

/*!
    \variable ProcessKit::ResourceLimits::memoryHigh
    \brief Bytes of memory, at least 1, above which the processes are slowed down and their memory
    is taken back, but nobody is ended. Controller memory.
*/

/*!
    \variable ProcessKit::ResourceLimits::memorySwapMax
    \brief Bytes of swap space; 0 for none. A limit of the memory alone makes a group swap first.
    Controller memory.
*/

/*!
    \variable ProcessKit::ResourceLimits::tasksMax
    \brief How many processes and threads, at least 1. Past it fork(2) fails with EAGAIN in the
    group, and a start with ProcessError::Kind::ResourceLimit. Controller pids.
*/

/*!
    \variable ProcessKit::ResourceLimits::cpuQuota
    \brief CPU time per time, in CPUs: 0.5 is half of one CPU, 2 is two of them. From 0.01 on: the
    kernel gives it out in shares of a tenth of a second. Controller cpu.
*/

/*!
    \variable ProcessKit::ResourceLimits::cpuWeight
    \brief The share of the CPU against other cgroups that want it as well, 1 to 10000; 100 where it
    is not given. Controller cpu.
*/

/*!
    \variable ProcessKit::ResourceLimits::ioWeight
    \brief The share of the block devices, 1 to 10000; 100 where it is not given. Controller io, and
    a kernel with the cost model (io.weight).
*/

/*!
    \variable ProcessKit::ResourceLimits::ioLimits
    \brief Limits for devices, each once. Controller io.
*/

/*!
    \variable ProcessKit::ResourceLimits::oomPolicy
    \brief Who is ended when there is not enough memory; OomPolicy::KillProcess by default.
    Controller memory.
*/

/*!
    \fn bool ProcessKit::ResourceLimits::operator==(const ResourceLimits &, const ResourceLimits &)

    Returns \c true if both say the same.
*/

/*!
    Returns \c true if nothing is limited.
*/
bool ResourceLimits::isEmpty() const
{
    return *this == ResourceLimits();
}

namespace {

ProcessError outOfRange(const char *what)
{
    return ProcessError(ProcessError::Kind::InvalidArgument, {}, QLatin1String(what), EINVAL);
}

template<typename Number>
bool isBelow(const std::optional<Number> &value, Number least)
{
    return value && *value < least;
}

bool isNoWeight(const std::optional<int> &weight)
{
    return weight && (*weight < 1 || *weight > 10000);
}

} // namespace

/*!
    Returns an error of ProcessError::Kind::InvalidArgument that names the first variable whose
    value is out of its range, or no error. Nothing of the system is asked.
*/
ProcessError ResourceLimits::validate() const
{
    if (isBelow<qint64>(memoryMax, 1))
        return outOfRange("memoryMax");
    if (isBelow<qint64>(memoryHigh, 1))
        return outOfRange("memoryHigh");
    if (isBelow<qint64>(memorySwapMax, 0))
        return outOfRange("memorySwapMax");
    if (isBelow<int>(tasksMax, 1))
        return outOfRange("tasksMax");
    constexpr double mostCpus = 100'000;
    if (cpuQuota && !(*cpuQuota >= 0.01 && *cpuQuota <= mostCpus)) // not a number is neither
        return outOfRange("cpuQuota");
    if (isNoWeight(cpuWeight))
        return outOfRange("cpuWeight");
    if (isNoWeight(ioWeight))
        return outOfRange("ioWeight");
    for (const IoLimit &limit : ioLimits) {
        for (const auto &value : { limit.readBandwidth, limit.writeBandwidth, limit.readOperations,
                                   limit.writeOperations }) {
            if (limit.device.isEmpty() || isBelow<qint64>(value, 1))
                return outOfRange("ioLimits");
        }
    }
    return {};
}

#ifndef QT_NO_DEBUG_STREAM
/*!
    \relates ProcessKit::ResourceLimits

    Writes those of the \a limits that there are to \a debug.
*/
QDebug operator<<(QDebug debug, const ResourceLimits &limits)
{
    const QDebugStateSaver saver(debug);
    debug.nospace() << "ResourceLimits(" << limits.oomPolicy;
    const auto write = [&debug](const char *name, const auto &value) {
        if (value)
            debug << ", " << name << ' ' << *value;
    };
    write("memoryMax", limits.memoryMax);
    write("memoryHigh", limits.memoryHigh);
    write("memorySwapMax", limits.memorySwapMax);
    write("tasksMax", limits.tasksMax);
    write("cpuQuota", limits.cpuQuota);
    write("cpuWeight", limits.cpuWeight);
    write("ioWeight", limits.ioWeight);
    if (!limits.ioLimits.isEmpty())
        debug << ", devices " << limits.ioLimits.size();
    debug << ')';
    return debug;
}
#endif

} // namespace ProcessKit
