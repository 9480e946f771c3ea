// SPDX-License-Identifier: MIT
#ifndef PROCESSKIT_NATIVE_PIPE_STOCK_H
#define PROCESSKIT_NATIVE_PIPE_STOCK_H

#include "unique_fd.h"

namespace ProcessKit::Native {

struct Pipe
{
    UniqueFd readEnd;
    UniqueFd writeEnd;
};

// Takes a pipe out of a stock for the three streams of one launch, which is filled up again once
// the launch is done. Both ends are closed by an exec and above the standard streams; none with
// errno. Reactor thread only.
Pipe takePipe();

} // namespace ProcessKit::Native

#endif // PROCESSKIT_NATIVE_PIPE_STOCK_H
