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
};

} // namespace ProcessKit

#endif // PROCESSKIT_PROCESSGROUP_P_H
