// SPDX-License-Identifier: MIT
#include <ProcessKit/outputline.h>

#include <QtCore/qdebug.h>

namespace ProcessKit {

#ifndef QT_NO_DEBUG_STREAM
QDebug operator<<(QDebug debug, const OutputLine &line)
{
    // output may hold secrets: its length only
    const QDebugStateSaver saver(debug);
    debug.nospace() << "OutputLine(" << line.number() << ", " << line.channel() << ", "
                    << line.text().size() << " characters, " << line.flags() << ')';
    return debug;
}
#endif

} // namespace ProcessKit
