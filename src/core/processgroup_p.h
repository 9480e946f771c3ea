// SPDX-License-Identifier: MIT
#ifndef PROCESSKIT_PROCESSGROUP_P_H
#define PROCESSKIT_PROCESSGROUP_P_H

#include "groupstate_p.h"

#include <QtCore/qbasictimer.h>

#include <chrono>

#include <memory>

namespace ProcessKit {

class ProcessGroupPrivate
{
public:
    std::shared_ptr<GroupState> state;
    Mechanism toldMechanism = Mechanism::None;
    bool toldEmpty = true;
    bool toldSuspended = false;
    LimitEvidence toldEvidence;
    bool tracksMembers = false;
    std::chrono::milliseconds samplingInterval{ 0 };
    QBasicTimer samplingTimer;
};

} // namespace ProcessKit

#endif // PROCESSKIT_PROCESSGROUP_P_H
