// SPDX-License-Identifier: MIT
#include <ProcessKit/shutdownreport.h>

#include <QtCore/qdebug.h>

namespace ProcessKit {

#ifndef QT_NO_DEBUG_STREAM
QDebug operator<<(QDebug debug, const ShutdownReport &report)
{
    const QDebugStateSaver saver(debug);
    debug.nospace() << "ShutdownReport(" << report.mechanism << ", before "
                    << report.membersBefore << ", after grace " << report.membersAfterGrace
                    << (report.escalated ? ", escalated" : ", not escalated")
                    << (report.empty ? ", empty" : ", not empty")
                    << (report.guaranteed ? ", guaranteed, " : ", not guaranteed, ")
                    << report.elapsed.count() / 1000000 << " ms)";
    return debug;
}
#endif

} // namespace ProcessKit
