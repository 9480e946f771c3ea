// SPDX-License-Identifier: MIT
#ifndef PROCESSKIT_BATCH_H
#define PROCESSKIT_BATCH_H

#include <ProcessKit/command.h>

namespace ProcessKit {

struct BatchOptions
{
    int limit = 0;
    bool failFast = false;
    ProcessRunner *runner = nullptr;
};

PROCESSKIT_EXPORT QFuture<ProcessResult> outputAll(const QList<Command> &commands,
                                                   const BatchOptions &options = {});

} // namespace ProcessKit

#endif // PROCESSKIT_BATCH_H
