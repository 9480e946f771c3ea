// SPDX-License-Identifier: MIT
#ifndef PROCESSKIT_PROCESSKITENUMS_H
#define PROCESSKIT_PROCESSKITENUMS_H

#include <ProcessKit/processkitglobal.h>

#include <QtCore/qobjectdefs.h>

namespace ProcessKit {
Q_NAMESPACE_EXPORT(PROCESSKIT_EXPORT)

enum class Mechanism {
    None = 0,
    CgroupV2 = 1,
    Subreaper = 2,
    ProcessGroup = 3,
    JobObject = 4,
};
Q_ENUM_NS(Mechanism)

enum class ControllerSource {
    None = 0,
    OwnCgroup = 1,
    DelegatedSubtree = 2,
    SystemdScope = 3,
};
Q_ENUM_NS(ControllerSource)

enum class Leftovers {
    Drain = 0,
    KillAtOnce = 1,
    Leave = 2,
};
Q_ENUM_NS(Leftovers)

enum class Outcome {
    NotStarted = 0,
    Exited = 1,
    Signalled = 2,
    TimedOut = 3,
    WentQuiet = 4,
    Cancelled = 5,
    Unknown = 6,
};
Q_ENUM_NS(Outcome)

} // namespace ProcessKit

#endif // PROCESSKIT_PROCESSKITENUMS_H
