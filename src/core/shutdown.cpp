// SPDX-License-Identifier: MIT
#include "shutdown_p.h"

#include "convert_p.h"
#include "groupstate_p.h"
#include "processrun_p.h"
#include "replies_p.h"

#include <signal.h>

namespace ProcessKit {

using namespace std::chrono_literals;
using Native::Reactor;

namespace {

// After the kill only what sleeps uninterruptibly in the kernel, or has gained privileges that its
// keeper has not, can still be there.
constexpr auto longestAfterKill = 5s;

} // namespace

StopPolicy Shutdown::policyOf(std::chrono::milliseconds grace)
{
    return grace > 0ms ? StopPolicy::terminate(grace) : StopPolicy::kill();
}

QFuture<ShutdownReport> Shutdown::of(const std::shared_ptr<ProcessRun> &run,
                                     std::chrono::milliseconds grace)
{
    const std::shared_ptr<Shutdown> shutdown(new Shutdown(policyOf(grace)));
    return begin(shutdown, [run] { return run->isOver() ? Runs() : Runs{ run }; });
}

QFuture<ShutdownReport> Shutdown::of(const std::shared_ptr<GroupState> &group,
                                     const StopPolicy &policy)
{
    const std::shared_ptr<Shutdown> shutdown(new Shutdown(policy));
    shutdown->m_group = group;
    return begin(shutdown, [group] { return group->runs(); });
}

QFuture<ShutdownReport> Shutdown::ofNothing()
{
    QPromise<ShutdownReport> promise;
    promise.start();
    promise.addResult(ShutdownReport());
    promise.finish();
    return promise.future();
}

QFuture<ShutdownReport> Shutdown::begin(const std::shared_ptr<Shutdown> &shutdown,
                                        std::function<Runs()> collect)
{
    shutdown->m_promise.start();
    const QFuture<ShutdownReport> future = shutdown->m_promise.future();
    Reactor::instance().post(
            [shutdown, collect = std::move(collect)] { shutdown->ask(collect()); });
    return future;
}

void Shutdown::ask(Runs runs)
{
    m_begin = Reactor::Clock::now();
    if (m_group)
        m_group->cancelPreparation();
    m_runs = std::move(runs);
    m_left = int(m_runs.size());
    m_report.membersBefore = countMembers();
    for (const auto &run : m_runs) {
        const Native::TreeKind kind = run->tree()->kind();
        // the weakest of them speaks for all
        m_report.mechanism = std::max(m_report.mechanism, toMechanism(kind));
        m_report.guaranteed &= kind != Native::TreeKind::ProcessGroup;
    }
    if (m_runs.empty()) {
        finish();
        return;
    }
    for (const auto &run : m_runs) {
        run->whenEmptied([self = shared_from_this()] {
            if (--self->m_left == 0)
                self->finish();
        });
    }
    takeStep();
}

void Shutdown::takeStep()
{
    if (m_report.step + 1 == m_policy.steps.size()) {
        insist();
        return;
    }
    const StopPolicy::Step &step = m_policy.steps.at(++m_report.step);
    const Runs runs = m_runs;
    m_log.softSignal(runs.front()->tree()->pid(), step.signal, step.grace);
    for (const auto &run : runs)
        run->askToEnd(step.signal);
    if (m_group && m_group->isSuspended())
        m_group->setSuspended(false); // or the grace would be spent standing still
    m_timer.start(step.grace, [this] { takeStep(); });
}

void Shutdown::insist()
{
    m_report.membersAfterGrace = countMembers();
    if (!m_policy.escalates) {
        finish();
        return;
    }
    m_report.escalated = true;
    m_log.escalated();
    if (m_group)
        m_group->kill();
    const Runs runs = m_runs;
    for (const auto &run : runs)
        run->killTree();
    if (m_left > 0)
        m_timer.start(longestAfterKill, [self = shared_from_this()] { self->finish(); });
}

void Shutdown::finish()
{
    if (std::exchange(m_isFinished, true))
        return;
    m_timer.stop();
    m_report.empty = m_left == 0;
    if (m_report.empty)
        m_log.drained();
    else
        m_log.spared();
    for (const auto &run : m_runs)
        m_report.guaranteed &= !run->mayHaveEscaped();
    m_report.elapsed = Reactor::Clock::now() - m_begin;
    m_runs.clear();
    // not on this thread: what hangs on the future may block
    runReply([self = shared_from_this()] {
        self->m_promise.addResult(self->m_report);
        self->m_promise.finish();
    });
}

int Shutdown::countMembers() const
{
    std::size_t count = 0;
    for (const auto &run : m_runs) {
        if (!run->isOver())
            count += run->tree()->members().size();
    }
    return int(count);
}

} // namespace ProcessKit
