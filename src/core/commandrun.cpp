// SPDX-License-Identifier: MIT
#include "commandrun_p.h"

#include "cancelwatch_p.h"
#include "convert_p.h"
#include "groupstate_p.h"
#include "logging_p.h"
#include "replies_p.h"

#include <QtCore/qpromise.h>
#include <QtCore/qrandom.h>

#include <errno.h>

#include <limits>

namespace ProcessKit {

using namespace std::chrono_literals;
using Native::Reactor;

QFuture<ProcessResult> CommandRun::start(const Command &command,
                                         const ProcessRunner::Options &options,
                                         std::shared_ptr<GroupState> group)
{
    const auto promise = std::make_shared<QPromise<ProcessResult>>();
    const QFuture<ProcessResult> future = promise->future();
    promise->start();
    start(command, options, std::move(group), ProcessRunner::cancellationOf(QFuture<void>(future)),
          [promise](const ProcessResult *result) {
              promise->addResult(*result);
              promise->finish();
          });
    return future;
}

void CommandRun::start(const Command &command, const ProcessRunner::Options &options,
                       std::shared_ptr<GroupState> group, CancelWatch watch, Done done)
{
    // what the command takes from its surroundings, it takes now
    auto setup = std::make_shared<RunSetup>();
    ProcessError problem = CommandLaunch::prepare(command, setup.get());
    if (!problem)
        problem = startReactor(command.program());
    if (problem) {
        const ProcessResult result = ProcessResult::fromError(problem);
        done(&result);
        return;
    }
    std::shared_ptr<CommandRun> run(
            new CommandRun(command, options, std::move(group), std::move(done)));
    // now, and not when the reactor gets to it: who ends the group right after this call means this
    // start as well
    if (run->m_group) {
        run->m_group->startBegins();
        setup->isCounted = true;
    }
    Reactor::instance().post([run, setup, watch = std::move(watch)] {
        run->launch(std::move(*setup)); // which tells of nothing before this turn is over
        run->m_cancelWatch = watch([weak = std::weak_ptr(run)] {
            if (const auto self = weak.lock())
                self->cancel();
        });
    });
}

CommandRun::CommandRun(const Command &command, const ProcessRunner::Options &options,
                       std::shared_ptr<GroupState> group, Done done)
    : m_command(command), m_options(options), m_group(std::move(group)), m_done(std::move(done))
{
}

void CommandRun::launch(RunSetup setup)
{
    ++m_attempts;
    m_stopRequest.reset();
    setup.group = m_group;
    setup.closesInput = true; // nobody can write into one that is kept open
    m_attempt = std::make_shared<CapturedRun>(m_command, m_options.until);
    m_attempt->launch(std::move(setup), [self = shared_from_this()] { self->proceed(); });
}

void CommandRun::proceed()
{
    if (!m_attempt->isDone())
        return;
    ProcessResult result = m_attempt->takeResult(m_options.wholeOutputRequired);
    m_attempt->stop();
    m_attempt.reset();
    if (m_options.successRequired && retries(result.error()))
        waitForRetry();
    else
        conclude(std::move(result));
}

// A source that can be read once only has been taken by the first attempt.
bool CommandRun::retries(const ProcessError &error) const
{
    const std::optional<RetryPolicy> &policy = m_command.d->retry;
    return policy && !m_cancelled && m_attempts <= policy->retries
            && !m_command.standardInput().isOneShot() && policy->shouldRetry(error);
}

void CommandRun::waitForRetry()
{
    qCDebug(lcLifecycle) << "retry" << m_attempts;
    const RetryPolicy &policy = *m_command.d->retry;
    auto delay = policy.longestDelay(m_attempts);
    if (policy.jitter && delay > 0ms)
        delay = std::chrono::milliseconds(QRandomGenerator::global()->bounded(
                qMin<qint64>(delay.count(), std::numeric_limits<qint64>::max() - 1) + 1));
    m_retryTimer.start(delay, [self = shared_from_this()] {
        RunSetup setup; // of the surroundings as they are now
        if (const ProcessError problem = CommandLaunch::prepare(self->m_command, &setup))
            self->conclude(ProcessResult::fromError(problem));
        else
            self->launch(std::move(setup));
    });
    m_stopRequest.watch(m_command.d->stopToken, [weak = weak_from_this()] {
        if (const auto self = weak.lock())
            self->cancel();
    });
}

// A retry that is waited for does not come.
void CommandRun::cancel()
{
    m_cancelled = true;
    if (m_attempt) {
        m_attempt->cancel();
    } else if (m_retryTimer.isActive()) {
        const auto self = shared_from_this(); // which the timer has kept
        m_retryTimer.stop();
        conclude(ProcessResult::fromOutcome(Outcome::Cancelled).withCommand(m_command));
    }
}

// Not on this thread: what hangs on the future may block.
void CommandRun::conclude(ProcessResult result)
{
    m_stopRequest.reset();
    Reactor::instance().afterTurn([watch = std::move(m_cancelWatch)] {}); // it may be its signal
    result.d->attempts = m_attempts;
    runReply([self = shared_from_this(), result = std::move(result)] { self->m_done(&result); });
}

} // namespace ProcessKit
