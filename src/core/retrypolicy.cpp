// SPDX-License-Identifier: MIT
#include <ProcessKit/retrypolicy.h>

#include <algorithm>
#include <cmath>

namespace ProcessKit {

RetryPolicy RetryPolicy::never()
{
    RetryPolicy policy;
    policy.retries = 0;
    return policy;
}

bool RetryPolicy::isWorthwhile(const ProcessError &error)
{
    switch (error.kind()) {
    case ProcessError::Kind::Exit:
    case ProcessError::Kind::Signalled:
    case ProcessError::Kind::Timeout:
    case ProcessError::Kind::InactivityTimeout:
    case ProcessError::Kind::ContainmentLost:
    case ProcessError::Kind::ResourceLimit:
        return true;
    default:
        return error.isTransient();
    }
}

bool RetryPolicy::shouldRetry(const ProcessError &error) const
{
    if (!error || error.kind() == ProcessError::Kind::Cancelled)
        return false;
    return classifier ? classifier(error) : isWorthwhile(error);
}

std::chrono::milliseconds RetryPolicy::longestDelay(int attempt) const
{
    if (delay <= std::chrono::milliseconds(0))
        return std::chrono::milliseconds(0);
    const double growth = std::isfinite(factor) ? std::max(factor, 1.0) : 1.0;
    const auto longest = std::max(maximumDelay, std::chrono::milliseconds(0));
    const double delayed = double(delay.count()) * std::pow(growth, std::max(attempt - 1, 0));
    // compared before it is converted: it may be more than an integer holds
    return delayed < double(longest.count()) ? std::chrono::milliseconds(qint64(delayed)) : longest;
}

} // namespace ProcessKit
