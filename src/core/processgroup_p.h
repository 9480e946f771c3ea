// SPDX-License-Identifier: MIT
#ifndef PROCESSKIT_PROCESSGROUP_P_H
#define PROCESSKIT_PROCESSGROUP_P_H

#include "groupstate_p.h"

#include <memory>

namespace ProcessKit {

class ProcessGroupPrivate
{
public:
    std::shared_ptr<GroupState> state;
    Mechanism toldMechanism = Mechanism::None;
    bool toldEmpty = true;
};

} // namespace ProcessKit

#endif // PROCESSKIT_PROCESSGROUP_P_H
