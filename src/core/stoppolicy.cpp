// SPDX-License-Identifier: MIT
#include <ProcessKit/stoppolicy.h>

#include <signal.h>

namespace ProcessKit {

/*!
    \class ProcessKit::StopPolicy
    \inmodule ProcessKit
    \inheaderfile ProcessKit/StopPolicy
    \brief How a group is brought to its end: signals, each with a time to act on it.

    \code
    group.stop(StopPolicy().then(SIGINT, 1s).then(SIGTERM, 5s));           // and then the kill
    group.stop(StopPolicy::terminate(10s).sparing());                      // whoever stays, stays
    \endcode

    \sa ProcessGroup::stop()
*/

/*!
    \class ProcessKit::StopPolicy::Step
    \inmodule ProcessKit
    \brief One signal, and the time that the group has to end because of it.
*/

/*!
    \variable ProcessKit::StopPolicy::Step::signal
    \brief The signal, SIGTERM by default.
*/

/*!
    \variable ProcessKit::StopPolicy::Step::grace
    \brief The time until the next step, in milliseconds; two seconds by default. It is over early
    when the group is empty.
*/

/*!
    \variable ProcessKit::StopPolicy::steps
    \brief The steps, in their order; none by default.
*/

/*!
    \variable ProcessKit::StopPolicy::escalates
    \brief Whether what is left after the last step is killed, as it is by default.
*/

/*!
    \fn bool ProcessKit::StopPolicy::operator==(const StopPolicy &, const StopPolicy &)

    Returns \c true if both take the same steps to the same end.
*/

/*!
    \fn bool ProcessKit::StopPolicy::Step::operator==(const Step &, const Step &)

    Returns \c true if both are the same signal with the same grace.
*/

/*!
    Returns the policy of ProcessGroup::shutdown(): SIGTERM, \a grace, and the kill.
*/
StopPolicy StopPolicy::terminate(std::chrono::milliseconds grace)
{
    return StopPolicy().then(SIGTERM, grace);
}

/*!
    Returns the policy that kills at once.
*/
StopPolicy StopPolicy::kill()
{
    return {};
}

/*!
    Returns this policy with one step more: \a signal, and \a grace to act on it.
*/
StopPolicy StopPolicy::then(int signal, std::chrono::milliseconds grace) const
{
    StopPolicy policy = *this;
    policy.steps.append({ signal, grace });
    return policy;
}

/*!
    Returns this policy without the kill at its end.
*/
StopPolicy StopPolicy::sparing() const
{
    StopPolicy policy = *this;
    policy.escalates = false;
    return policy;
}

} // namespace ProcessKit
