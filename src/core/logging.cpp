// SPDX-License-Identifier: MIT
#include "logging_p.h"

namespace ProcessKit {

// Programs, arguments, environments, directories and output are never given to these.
Q_LOGGING_CATEGORY(lcLifecycle, "processkit.lifecycle", QtWarningMsg)
Q_LOGGING_CATEGORY(lcKeeper, "processkit.keeper", QtWarningMsg)

} // namespace ProcessKit
