// SPDX-License-Identifier: MIT
#include <ProcessKit/outputpolicy.h>

#include <QtCore/qdebug.h>

namespace ProcessKit {

#ifndef QT_NO_DEBUG_STREAM
QDebug operator<<(QDebug debug, const OutputPolicy &policy)
{
    const QDebugStateSaver saver(debug);
    debug.nospace() << "OutputPolicy(" << policy.overflow << ", " << policy.maximumBytes
                    << " bytes, " << policy.maximumLines << " lines)";
    return debug;
}
#endif

} // namespace ProcessKit
