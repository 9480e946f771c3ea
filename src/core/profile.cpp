// SPDX-License-Identifier: MIT
#include <ProcessKit/profile.h>

#include "commandrun_p.h"
#include "convert_p.h"
#include "groupstate_p.h"
#include "profiler_p.h"

#include <algorithm>

namespace ProcessKit {

using Native::Reactor;

/*!
    \class ProcessKit::RunProfile
    \inmodule ProcessKit
    \inheaderfile ProcessKit/RunProfile
    \brief What one run of a command has used, over its time.

    \sa profile()
*/

/*!
    \variable ProcessKit::RunProfile::result
    \brief How the run has ended, as ProcessRunner::output() would have told it.
*/

/*!
    \variable ProcessKit::RunProfile::samples
    \brief What its tree had used: at the start, then once in each interval, and at the end. There
    is none where nothing was started.
*/

/*!
    Returns the CPU time of the whole tree, where it is known.
*/
std::optional<std::chrono::microseconds> RunProfile::cpuTime() const
{
    return samples.isEmpty() ? std::nullopt : samples.last().cpuTime();
}

namespace {

// The greatest of what the kernel remembers and of what was seen.
template<typename Number>
std::optional<Number> greatest(const QList<GroupStats> &samples,
                               std::optional<Number> GroupStats::*peak,
                               std::optional<Number> GroupStats::*seen)
{
    std::optional<Number> most;
    for (const GroupStats &sample : samples)
        most = std::max({ most, sample.*peak, sample.*seen });
    return most;
}

} // namespace

/*!
    Returns the most memory that the tree had in use, where it is known. Without a peak of the
    kernel's (GroupStats::peakMemoryBytes) it is the greatest of the samples.
*/
std::optional<qint64> RunProfile::peakMemoryBytes() const
{
    return greatest(samples, &GroupStats::peakMemoryBytes, &GroupStats::memoryBytes);
}

/*!
    Returns the most processes that there were, where it is known. Without a peak of the kernel's
    (GroupStats::peakProcesses) it is the greatest of the samples.
*/
std::optional<int> RunProfile::peakProcesses() const
{
    return greatest(samples, &GroupStats::peakProcesses, &GroupStats::processes);
}

/*!
    Returns how many CPUs the tree has kept busy on average, where its CPU time is known: 0.5 is
   half of one CPU.
*/
std::optional<double> RunProfile::averageCpus() const
{
    const auto used = cpuTime();
    if (!used || result.duration() <= std::chrono::nanoseconds::zero())
        return std::nullopt;
    return std::chrono::duration<double>(*used) / std::chrono::duration<double>(result.duration());
}

/*!
    \fn QFuture<ProcessKit::RunProfile> ProcessKit::profile(const ProcessKit::Command &command, std::chrono::milliseconds interval)
    \relates ProcessKit::RunProfile

    Runs \a command as ProcessRunner::output() does, in a group of its own, and samples what it uses
    once in each \a interval, which is 100 ms by default and 1 ms at least. The whole tree counts.

    \code
    const RunProfile build = profile(Command("ninja")).result();
    qInfo() << build.averageCpus() << build.peakMemoryBytes();
    \endcode

    What is left of the tree when the program has exited is killed. To cancel the future ends the
    tree. Thread-safe; \c result() blocks in any thread, without an event loop.
*/
QFuture<RunProfile> profile(const Command &command, std::chrono::milliseconds interval)
{
    return Profiler::start(command, std::max(interval, std::chrono::milliseconds(1)));
}

QFuture<RunProfile> Profiler::start(const Command &command, std::chrono::milliseconds interval)
{
    const std::shared_ptr<Profiler> self(new Profiler(command.requestedMechanism(), interval));
    self->m_promise.start();
    const QFuture<RunProfile> future = self->m_promise.future();
    CommandRun::start(command, {}, self->m_group,
                      ProcessRunner::cancellationOf(QFuture<void>(future)),
                      [self](const ProcessResult *result) { self->finish(result); });
    if (!startReactor({}))
        Reactor::instance().post([self] { self->sample(); });
    return future;
}

Profiler::Profiler(Mechanism mechanism, std::chrono::milliseconds interval)
    : m_interval(interval), m_group(std::make_shared<GroupState>(mechanism, nullptr))
{
}

void Profiler::sample()
{
    if (m_isOver)
        return;
    if (m_group->mechanism() != Mechanism::None)
        m_samples.append(m_group->statistics());
    m_timer.start(m_interval, [self = shared_from_this()] { self->sample(); });
}

void Profiler::finish(const ProcessResult *result)
{
    RunProfile profile;
    if (!startReactor({})) {
        Reactor::instance().call([&] {
            m_isOver = true;
            m_timer.stop();
            if (m_group->mechanism() != Mechanism::None)
                m_samples.append(m_group->statistics());
            profile.samples = std::move(m_samples);
            m_group->kill();
        });
    }
    if (result) {
        profile.result = *result;
        m_promise.addResult(std::move(profile));
    }
    m_promise.finish();
}

} // namespace ProcessKit
