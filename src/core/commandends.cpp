// SPDX-License-Identifier: MIT
#include "command_p.h"

// How a command's process may end, and what follows.

namespace ProcessKit {

/*!
    Returns the exit codes that are a success. The default is 0 alone.
*/
QList<int> Command::successCodes() const
{
    return d->successCodes;
}

/*!
    Returns the time that the process has, if it is limited. By default it is not.
*/
std::optional<std::chrono::milliseconds> Command::timeout() const
{
    return d->timeout;
}

/*!
    Returns how long the process may write nothing, if that is limited. By default it is not.
*/
std::optional<std::chrono::milliseconds> Command::inactivityTimeout() const
{
    return d->inactivityTimeout;
}

/*!
    Returns how often a run that fails is tried again. The default is RetryPolicy::never().
*/
RetryPolicy Command::retryPolicy() const
{
    return d->retry.value_or(RetryPolicy::never());
}

/*!
    Returns what happens to those that outlive the process. The default is Leftovers::Drain.
*/
Leftovers Command::leftovers() const
{
    return d->leftovers;
}

/*!
    Returns the mechanism that is asked for. The default, Mechanism::None, is the best that the host
    gives.
*/
Mechanism Command::requestedMechanism() const
{
    return d->mechanism;
}

/*!
    Returns a copy for which the exit codes \a codes are a success, and no others: 0 is none unless
    it is among them. An empty list changes nothing.

    They decide ProcessResult::isSuccess() and what the verbs that require success accept. probe()
    has codes of its own.
*/
Command Command::withSuccessCodes(const QList<int> &codes) const
{
    return changed([&](CommandData &data) {
        if (!codes.isEmpty())
            data.successCodes = codes;
    });
}

/*!
    Returns whether the exit of this stage says nothing about its pipeline. The default is \c false.
*/
bool Command::isUncheckedInPipe() const
{
    return d->isUncheckedInPipe;
}

/*!
    Returns a copy whose exit code or signal does not make a Pipeline fail, if \a unchecked is \c
    true; as for \c yes in front of \c head, which a SIGPIPE ends. A start that failed or a timeout
    of the stage still counts.

    \sa Pipeline
*/
Command Command::withUncheckedInPipe(bool unchecked) const
{
    return changed([&](CommandData &data) { data.isUncheckedInPipe = unchecked; });
}

/*!
    Returns a copy whose process has \a timeout, counted from the launch; with retries, for each
    attempt. Then its whole tree is ended as withTimeoutGrace() says. A negative time makes the
    start fail with ProcessError::Kind::InvalidArgument.

    The outcome is Outcome::TimedOut: data for output(), with what had been written, and
    ProcessError::Kind::Timeout for the other verbs. A process that has exited in time keeps its
    outcome, however long its streams are still read. The future is finished when the whole tree is
    gone.
*/
Command Command::withTimeout(std::chrono::milliseconds timeout) const
{
    return changed([&](CommandData &data) {
        data.timeout = timeout;
        data.refusesTimeout = false;
    });
}

/*!
    Returns a copy without a timeout, which CliClient::filledIn() does not fill in either.
*/
Command Command::withoutTimeout() const
{
    return changed([&](CommandData &data) {
        data.timeout.reset();
        data.refusesTimeout = true;
    });
}

/*!
    Returns a copy whose tree is ended, as withTimeoutGrace() says, when nothing has come through
    the pipes of its standard output and error for \a timeout, counted from the launch or from the
    last output. A stream that goes elsewhere does not count. The outcome is Outcome::WentQuiet, the
    error ProcessError::Kind::InactivityTimeout.

    A time of 0 or less makes the start fail with ProcessError::Kind::InvalidArgument.
*/
Command Command::withInactivityTimeout(std::chrono::milliseconds timeout) const
{
    return changed([&](CommandData &data) { data.inactivityTimeout = timeout; });
}

/*!
    Returns a copy that asks before it kills: when a time is over, every process of the tree gets \a
    signal (and SIGCONT), and what is left after \a grace is killed. The default is no grace: the
    tree is killed at once.

    A negative grace and a number that is no signal, see signal(7), make the start fail with
    ProcessError::Kind::InvalidArgument. 15 is SIGTERM.
*/
Command Command::withTimeoutGrace(std::chrono::milliseconds grace, int signal) const
{
    return changed([&](CommandData &data) {
        data.timeoutGrace = grace;
        data.timeoutSignal = signal;
        data.hasTimeoutGrace = true;
    });
}

/*!
    Returns a copy that does for a cancellation what withTimeoutGrace() does for a timeout: every
    process gets \a signal, and what is left after \a grace is killed. The default is no grace.

    It holds for QFuture::cancel(), withStopToken() and ContainedProcess::cancel() alike.
*/
Command Command::withCancelGrace(std::chrono::milliseconds grace, int signal) const
{
    return changed([&](CommandData &data) {
        data.cancelGrace = grace;
        data.cancelSignal = signal;
    });
}

/*!
    Returns a copy that is cancelled when a stop is requested through \a token. Unlike after
    QFuture::cancel() there is a result: its outcome is Outcome::Cancelled, and the error of every
    verb ProcessError::Kind::Cancelled. The future is finished when the whole tree is gone.

    A stop that was requested before means that nothing is started. A cancellation beats a timeout,
    also one whose grace is running; a process that has exited before keeps its outcome. No retry
    follows.
*/
Command Command::withStopToken(const std::stop_token &token) const
{
    return changed([&](CommandData &data) { data.stopToken = token; });
}

/*!
    Returns a copy that is run again as \a policy says when it fails.

    Only the verbs that require success retry: run(), outputBytes(), parse(), json() and
    jsonLines(). A failure of the parser is none of the run, and is not retried. A command whose
    input can be read only once, see StdinSource::isOneShot(), is never retried.
    ProcessResult::attempts() tells how often it was run. A stage of a Pipeline cannot have retries.

    Each attempt takes the environment, the files and the directories as they are then, on the I/O
    thread. As with every look at the environment (environ(7)), nobody may change it meanwhile.
*/
Command Command::withRetries(const RetryPolicy &policy) const
{
    return changed([&](CommandData &data) { data.retry = policy; });
}

/*!
    \overload

    Returns a copy that is run up to \a retries times more, with the delays that RetryPolicy has by
    default. 0 means never, whatever a CliClient would fill in.
*/
Command Command::withRetries(int retries) const
{
    RetryPolicy policy;
    policy.retries = retries;
    return withRetries(policy);
}

/*!
    Returns a copy that treats those that outlive the process as \a policy says. In a ProcessGroup
    and in a Pipeline it is not asked.

    What is left by a verb with Leftovers::Leave is held by nobody but the container: it ends by
    itself, or with this program. Use start() to hold it.
*/
Command Command::withLeftovers(Leftovers policy) const
{
    return changed([&](CommandData &data) { data.leftovers = policy; });
}

/*!
    Returns a copy that is held by \a mechanism and by nothing else. Where the host cannot do it,
    the start fails with ProcessError::Kind::Unsupported.
*/
Command Command::withMechanism(Mechanism mechanism) const
{
    return changed([&](CommandData &data) { data.mechanism = mechanism; });
}

} // namespace ProcessKit
