// SPDX-License-Identifier: MIT
#ifndef PROCESSKIT_RETRYPOLICY_H
#define PROCESSKIT_RETRYPOLICY_H

#include <ProcessKit/processerror.h>

#include <chrono>
#include <functional>

namespace ProcessKit {

class PROCESSKIT_EXPORT RetryPolicy
{
public:
    using Classifier = std::function<bool(const ProcessError &)>;

    int retries = 3;
    std::chrono::milliseconds delay{ 100 };
    double factor = 2;
    std::chrono::milliseconds maximumDelay{ 30000 };
    bool jitter = true;
    Classifier classifier;

    static RetryPolicy never();
    static bool isWorthwhile(const ProcessError &error);

    bool shouldRetry(const ProcessError &error) const;
    std::chrono::milliseconds longestDelay(int attempt) const;
};

} // namespace ProcessKit

#endif // PROCESSKIT_RETRYPOLICY_H
