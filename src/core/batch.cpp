// SPDX-License-Identifier: MIT
#include <ProcessKit/batch.h>

#include "cancelwatch_p.h"
#include "stoprequest_p.h"

#include <QtCore/qthread.h>

#include <mutex>
#include <stop_token>

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

// Several commands, some of which run. Whoever learns of an end starts the next.
class BatchRun : public std::enable_shared_from_this<BatchRun>
{
public:
    BatchRun(const QList<Command> &commands, const BatchOptions &options)
        : m_commands(commands),
          m_limit(options.limit > 0 ? options.limit : qMax(QThread::idealThreadCount(), 1)),
          m_failFast(options.failFast),
          m_runner(options.runner ? *options.runner : ProcessRunner::instance())
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
            m_runner.carryOut(m_commands.at(index), {}, stopWatch(),
                              [self = shared_from_this(), index](const ProcessResult *result) {
                                  self->take(index, result ? *result : self->notRun(index));
                              });
            lock.lock();
        }
        m_isStarting = false;
        const bool isOver = m_live == 0 && (m_next == m_commands.size() || m_isStopped);
        lock.unlock();
        if (isOver)
            finish();
    }

    // of all that run
    std::function<std::shared_ptr<void>(std::function<void()>)> stopWatch() const
    {
        return [token = m_stop.get_token()](std::function<void()> cancel) {
            const auto request = std::make_shared<StopRequest>();
            request->watch(token, std::move(cancel));
            return request;
        };
    }

    void take(int index, const ProcessResult &result)
    {
        m_promise.addResult(result, index);
        {
            const std::lock_guard lock(m_mutex);
            --m_live;
            m_promise.setProgressValue(++m_done);
        }
        if (m_failFast && !result.isSuccess())
            stop();
        startMore();
    }

    void stop()
    {
        {
            const std::lock_guard lock(m_mutex);
            m_isStopped = true;
        }
        m_stop.request_stop();
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
    std::stop_source m_stop; // of those that run

    std::mutex m_mutex;
    int m_next = 0;
    int m_live = 0;
    int m_done = 0;
    bool m_isStarting = false;
    bool m_isStopped = false;
    bool m_isFinished = false;
};

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
    return std::make_shared<BatchRun>(commands, options)->start();
}

} // namespace ProcessKit
