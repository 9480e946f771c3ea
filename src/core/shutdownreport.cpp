// SPDX-License-Identifier: MIT
#include <ProcessKit/shutdownreport.h>

#include <QtCore/qdebug.h>

namespace ProcessKit {

/*!
    \class ProcessKit::ShutdownReport
    \inmodule ProcessKit
    \inheaderfile ProcessKit/ShutdownReport
    \brief What a shutdown has done.

    \sa ContainedProcess::shutdown(), ProcessGroup::shutdown()
*/

/*!
    \variable ProcessKit::ShutdownReport::mechanism
    \brief What held the processes; the weakest where a group had several. None: there were none.
*/

/*!
    \variable ProcessKit::ShutdownReport::membersBefore
    \brief How many processes there were when the shutdown began.
*/

/*!
    \variable ProcessKit::ShutdownReport::membersAfterGrace
    \brief How many were left when the grace was over; 0 if it was not needed to its end.
*/

/*!
    \variable ProcessKit::ShutdownReport::escalated
    \brief Whether the grace was over and the rest was killed.
*/

/*!
    \variable ProcessKit::ShutdownReport::step
    \brief The index of the last StopPolicy::Step that was taken; -1 if there was none to take, or
    nothing to stop. For a shutdown with a grace it is 0.
*/

/*!
    \variable ProcessKit::ShutdownReport::empty
    \brief Whether nothing was left in the end.

    It is \c false where, 5 s after the kill, a process was still there: one that sleeps in the
    kernel, or one that has gained privileges over this program, which only a cgroup ends.
*/

/*!
    \variable ProcessKit::ShutdownReport::guaranteed
    \brief Whether \c empty speaks for the whole tree.

    It is \c false with Mechanism::ProcessGroup, for what had left the group is not seen.
*/

/*!
    \variable ProcessKit::ShutdownReport::elapsed
    \brief How long it took.
*/

/*!
    \fn bool ProcessKit::ShutdownReport::operator==(const ShutdownReport &, const ShutdownReport &)

    Returns \c true if both reports are equal in every field.
*/

#ifndef QT_NO_DEBUG_STREAM
/*!
    \relates ProcessKit::ShutdownReport

    Writes the fields of \a report to \a debug.
*/
QDebug operator<<(QDebug debug, const ShutdownReport &report)
{
    const QDebugStateSaver saver(debug);
    debug.nospace() << "ShutdownReport(" << report.mechanism << ", before " << report.membersBefore
                    << ", after grace " << report.membersAfterGrace
                    << (report.escalated ? ", escalated" : ", not escalated")
                    << (report.empty ? ", empty" : ", not empty")
                    << (report.guaranteed ? ", guaranteed, " : ", not guaranteed, ")
                    << report.elapsed.count() / 1000000 << " ms)";
    return debug;
}
#endif

} // namespace ProcessKit
