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

// Runs \a task when \a future has finished, with or without a result: at once if it has, else on a
// thread where it may block. In place of a continuation, which Qt 6.4 calls twice when it is added
// in the moment of the end, and which makes it unsafe there to cancel the future in that moment.
// Any thread.
void whenFinished(const QFuture<void> &future, std::function<void()> task);

} // namespace ProcessKit

#endif // PROCESSKIT_CANCELWATCH_P_H
