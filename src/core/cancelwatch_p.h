// SPDX-License-Identifier: MIT
#ifndef PROCESSKIT_CANCELWATCH_P_H
#define PROCESSKIT_CANCELWATCH_P_H

#include <QtCore/qfuture.h>

#include <functional>
#include <memory>

namespace ProcessKit {

// Calls \a cancelled on the reactor's thread when somebody cancels \a future, for as long as what
// is returned lives, which is to end on that thread, too. To be called there.
std::shared_ptr<void> watchCancellation(const QFuture<void> &future,
                                        std::function<void()> cancelled);

} // namespace ProcessKit

#endif // PROCESSKIT_CANCELWATCH_P_H
