// SPDX-License-Identifier: MIT
#ifndef PROCESSKIT_LOGGING_P_H
#define PROCESSKIT_LOGGING_P_H

#include <QtCore/qloggingcategory.h>

namespace ProcessKit {

Q_DECLARE_LOGGING_CATEGORY(lcLifecycle)
Q_DECLARE_LOGGING_CATEGORY(lcKeeper)

} // namespace ProcessKit

#endif // PROCESSKIT_LOGGING_P_H
