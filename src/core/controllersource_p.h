// SPDX-License-Identifier: MIT
#ifndef PROCESSKIT_CONTROLLERSOURCE_P_H
#define PROCESSKIT_CONTROLLERSOURCE_P_H

#include "controller_place.h"

#include <ProcessKit/processkitenums.h>

#include <functional>

namespace ProcessKit {

// Finds where groups that need the controllers \a wanted can be made, and asks systemd where there
// is none without it; \a then gets a place, or the reason why there is none. At once where systemd
// is not needed, or has been asked before. On the reactor.
void obtainControllers(Native::Controllers wanted,
                       std::function<void(const Native::ControllerPlace &place)> then);

ControllerSource toControllerSource(Native::ControllerPlace::Source source);

} // namespace ProcessKit

#endif // PROCESSKIT_CONTROLLERSOURCE_P_H
