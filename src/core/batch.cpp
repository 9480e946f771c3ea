// SPDX-License-Identifier: MIT
#include <ProcessKit/batch.h>

#include "cancelwatch_p.h"

#include "reactor.h"

#include <QtCore/qthread.h>

#include <mutex>
#include <vector>

namespace ProcessKit {

/*!
    \page processkit-batch.html
    \title Batches
    \brief Many commands, some of them at a time.

    The header \c{ProcessKit/Batch} has ProcessKit::outputAll(), which runs a list of commands and
    gives all their results, and ProcessKit::BatchOptions, which says how.
*/

/*!
    \class ProcessKit::BatchOptions
    \inmodule ProcessKit
    \inheaderfile ProcessKit/Batch
    \brief How outputAll() goes about its commands.
*/

/*!
    \variable ProcessKit::BatchOptions::limit
    \brief How many commands may run at the same time. 0 or less, the default, is
    QThread::idealThreadCount().
*/

/*!
    \variable ProcessKit::BatchOptions::failFast
    \brief Whether the first command that is no success, see ProcessResult::isSuccess(), cancels
    those that run and keeps the others from being started. The default is \c false.
*/

/*!
    \variable ProcessKit::BatchOptions::runner
    \brief What carries the commands out; ProcessRunner::instance() if it is null, the default. It
    has to exist until the future is finished.
*/

namespace {

// Several commands, some of which run. Whoever learns of an end starts the next.
class Batch : public std::enable_shared_from_this<Batch>
{
public:
    Batch(const QList<Command> &commands, const BatchOptions &options)
        : m_commands(commands),
          m_limit(options.limit > 0 ? options.limit : qMax(QThread::idealThreadCount(), 1)),
          m_failFast(options.failFast),
          m_runner(options.runner ? *options.runner : ProcessRunner::instance()),
          m_running(std::size_t(commands.size()))
    {
    }

    QFuture<ProcessResult> start()
    {
        const QFuture<ProcessResult> future = m_promise.future();
        m_promise.setProgressRange(0, int(m_commands.size()));
        m_promise.start();
        int error = 0;
        if (auto *reactor = Native::Reactor::start(&error)) {
            reactor->post([self = shared_from_this()] {
                self->m_cancelWatch = watchCancellation(QFuture<void>(self->m_promise.future()),
                                                        [weak = self->weak_from_this()] {
                                                            if (const auto batch = weak.lock())
                                                                batch->stop();
                                                        });
            });
        }
        startMore();
        return future;
    }

private:
    void startMore()
    {
        std::unique_lock lock(m_mutex);
        if (m_isStarting)
            return; // one that ended at once has called this from within
        m_isStarting = true;
        while (m_next < m_commands.size() && m_live < m_limit && !m_isStopped) {
            const int index = m_next++;
            ++m_live;
            lock.unlock();
            const QFuture<ProcessResult> future = m_runner.execute(m_commands.at(index), {});
            lock.lock();
            m_running[std::size_t(index)] = future;
            const bool tooLate = m_isStopped;
            lock.unlock();
            if (tooLate)
                QFuture<ProcessResult>(future).cancel();
            whenFinished(QFuture<void>(future),
                         [self = shared_from_this(), index, future] { self->take(index, future); });
            lock.lock();
        }
        m_isStarting = false;
        const bool isOver = m_live == 0 && (m_next == m_commands.size() || m_isStopped);
        lock.unlock();
        if (isOver)
            finish();
    }

    void take(int index, const QFuture<ProcessResult> &ended)
    {
        const ProcessResult result = ended.resultCount() > 0 ? ended.result() : notRun(index);
        m_promise.addResult(result, index);
        {
            const std::lock_guard lock(m_mutex);
            m_running[std::size_t(index)] = {};
            --m_live;
            m_promise.setProgressValue(++m_done);
        }
        if (m_failFast && !result.isSuccess())
            stop();
        startMore();
    }

    void stop()
    {
        std::vector<QFuture<ProcessResult>> running;
        {
            const std::lock_guard lock(m_mutex);
            m_isStopped = true;
            running = m_running;
        }
        for (QFuture<ProcessResult> &future : running) {
            if (future.isValid())
                future.cancel();
        }
    }

    ProcessResult notRun(int index) const
    {
        const Command &command = m_commands.at(index);
        return ProcessResult::fromError(ProcessError(ProcessError::Kind::Cancelled,
                                                     command.program(), QStringLiteral("cancelled"),
                                                     0))
                .withCommand(command);
    }

    // Every command has a result, those too that were never started.
    void finish()
    {
        {
            const std::lock_guard lock(m_mutex);
            if (std::exchange(m_isFinished, true))
                return;
        }
        for (int index = m_next; index < m_commands.size(); ++index)
            m_promise.addResult(notRun(index), index);
        m_promise.setProgressValue(int(m_commands.size()));
        m_promise.finish();
        Native::Reactor::instance().post([self = shared_from_this()] {
            Native::Reactor::instance().afterTurn([watch = std::move(self->m_cancelWatch)] {});
        });
    }

    const QList<Command> m_commands;
    const int m_limit;
    const bool m_failFast;
    ProcessRunner &m_runner;
    QPromise<ProcessResult> m_promise;
    std::shared_ptr<void> m_cancelWatch;

    std::mutex m_mutex;
    std::vector<QFuture<ProcessResult>> m_running;
    int m_next = 0;
    int m_live = 0;
    int m_done = 0;
    bool m_isStarting = false;
    bool m_isStopped = false;
    bool m_isFinished = false;
};

} // namespace

/*!
    \relates ProcessKit::BatchOptions

    Runs \a commands, as many at a time as \a options allow, and gives their results: each as soon
    as it is there, at the place that its command has in the list. Each is run as by
    Command::output(), so that nothing is retried.

    \code
    const QList<ProcessResult> results = outputAll(commands, { .limit = 4 }).results();
    \endcode

    The progress of the future is the number of commands that have ended. QFuture::results() waits
    for all of them. With BatchOptions::failFast every command has a result, that of those that were
    cancelled or not started with Outcome::Cancelled.

    QFuture::cancel() ends what runs and starts no more; the future is finished when everything that
    ran is gone, and results that come after the cancellation are dropped.

    It may be called on any thread.
*/
QFuture<ProcessResult> outputAll(const QList<Command> &commands, const BatchOptions &options)
{
    return std::make_shared<Batch>(commands, options)->start();
}

} // namespace ProcessKit
