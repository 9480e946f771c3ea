// SPDX-License-Identifier: MIT
#include <ProcessKit/retrypolicy.h>

#include <algorithm>
#include <cmath>

namespace ProcessKit {

/*!
    \class ProcessKit::RetryPolicy
    \inmodule ProcessKit
    \inheaderfile ProcessKit/RetryPolicy
    \brief How often, how soon and after which errors a command is run again.

    \code
    RetryPolicy policy;
    policy.retries = 5;
    policy.delay = 1s;
    policy.classifier = [](const ProcessError &error) { return error.exitCode() == 75; };
    const Expected<QString> text = Command("fetch").withRetries(policy).run().result();
    \endcode

    The delay before a retry is chosen at random between 0 and longestDelay() ("full jitter"), so
    that many who fail together do not come back together.

    \sa Command::withRetries()
*/

/*!
    \typedef ProcessKit::RetryPolicy::Classifier

    A function that decides whether an error is worth another attempt: \c{bool(const ProcessError
    &)}.
*/

/*!
    \variable ProcessKit::RetryPolicy::retries
    \brief How many attempts may follow the first one. The default is 3; 0 or less is none.
*/

/*!
    \variable ProcessKit::RetryPolicy::delay
    \brief The longest delay before the first retry. The default is 100 ms; 0 or less means that
    nothing is waited for.
*/

/*!
    \variable ProcessKit::RetryPolicy::factor
    \brief What the delay is multiplied by from one retry to the next. The default is 2; what is
    less than 1, or not finite, counts as 1.
*/

/*!
    \variable ProcessKit::RetryPolicy::maximumDelay
    \brief What no delay exceeds. The default is 30 s.
*/

/*!
    \variable ProcessKit::RetryPolicy::jitter
    \brief Whether the delay is chosen at random; \c true by default. Without it each retry waits
    for longestDelay().
*/

/*!
    \variable ProcessKit::RetryPolicy::classifier
    \brief Decides which errors are retried; by default isWorthwhile() does.

    It is called on the I/O thread, and must be quick and not block.
*/

/*!
    Returns a policy without retries.
*/
RetryPolicy RetryPolicy::never()
{
    RetryPolicy policy;
    policy.retries = 0;
    return policy;
}

/*!
    Returns \c true if another attempt after \a error may end otherwise. That is so of
    ProcessError::Kind::Exit, Signalled, Timeout, InactivityTimeout, ContainmentLost and
    ResourceLimit, and of each error that ProcessError::isTransient(). A program that is not there,
    or a command that cannot be, stays so.
*/
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

/*!
    Returns \c true if \a error is worth a retry by the classifier or, where none is set, by
    isWorthwhile(). No error and ProcessError::Kind::Cancelled never are.
*/
bool RetryPolicy::shouldRetry(const ProcessError &error) const
{
    if (!error || error.kind() == ProcessError::Kind::Cancelled)
        return false;
    return classifier ? classifier(error) : isWorthwhile(error);
}

/*!
    Returns the longest time before the retry that follows \a attempt, counted from 1: \c delay
    times \c factor to the power of \a attempt - 1, and not more than \c maximumDelay.
*/
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
