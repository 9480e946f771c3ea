// SPDX-License-Identifier: MIT
#ifndef PROCESSKIT_SHUTDOWNREPORT_H
#define PROCESSKIT_SHUTDOWNREPORT_H

#include <ProcessKit/containment.h>

#include <QtCore/qobjectdefs.h>

#include <chrono>

namespace ProcessKit {

class PROCESSKIT_EXPORT ShutdownReport
{
    Q_GADGET
    Q_PROPERTY(ProcessKit::Mechanism mechanism MEMBER mechanism CONSTANT)
    Q_PROPERTY(int membersBefore MEMBER membersBefore CONSTANT)
    Q_PROPERTY(int membersAfterGrace MEMBER membersAfterGrace CONSTANT)
    Q_PROPERTY(bool escalated MEMBER escalated CONSTANT)
    Q_PROPERTY(int step MEMBER step CONSTANT)
    Q_PROPERTY(bool empty MEMBER empty CONSTANT)
    Q_PROPERTY(bool guaranteed MEMBER guaranteed CONSTANT)

public:
    Mechanism mechanism = Mechanism::None;
    int membersBefore = 0;
    int membersAfterGrace = 0;
    bool escalated = false;
    int step = -1;
    bool empty = true;
    bool guaranteed = true;
    std::chrono::nanoseconds elapsed{ 0 };

    friend bool operator==(const ShutdownReport &, const ShutdownReport &) = default;
};

#ifndef QT_NO_DEBUG_STREAM
PROCESSKIT_EXPORT QDebug operator<<(QDebug debug, const ShutdownReport &report);
#endif

} // namespace ProcessKit

Q_DECLARE_TYPEINFO(ProcessKit::ShutdownReport, Q_RELOCATABLE_TYPE);

#endif // PROCESSKIT_SHUTDOWNREPORT_H
