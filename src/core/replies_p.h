// SPDX-License-Identifier: MIT
#ifndef PROCESSKIT_REPLIES_P_H
#define PROCESSKIT_REPLIES_P_H

#include <functional>

namespace ProcessKit {

// Runs \a task on a thread where it may block: whatever is called when a future has its result may
// wait for the next one, and the reactor must not. Any thread.
void runReply(std::function<void()> task);

} // namespace ProcessKit

#endif // PROCESSKIT_REPLIES_P_H
