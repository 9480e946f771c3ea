// SPDX-License-Identifier: MIT
#ifndef PROCESSKIT_LINERELAY_P_H
#define PROCESSKIT_LINERELAY_P_H

#include <ProcessKit/outputline.h>

#include <QtCore/qobject.h>

namespace ProcessKit {

// Hands lines from the reactor to an object of another thread, which may be destroyed meanwhile: a
// connection, unlike a guarded pointer, ends with its receiver without a race.
class LineRelay : public QObject
{
    Q_OBJECT

Q_SIGNALS:
    void line(const ProcessKit::OutputLine &line);
};

} // namespace ProcessKit

#endif // PROCESSKIT_LINERELAY_P_H
