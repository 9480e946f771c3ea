// SPDX-License-Identifier: MIT
#include "pipelinerun_p.h"

#include <ProcessKit/pipelinesession.h>

#include <QtCore/qfuturewatcher.h>
#include <QtCore/qpointer.h>

#include <mutex>

namespace ProcessKit {

/*!
    \class ProcessKit::PipelineSession
    \inmodule ProcessKit
    \inheaderfile ProcessKit/PipelineSession
    \brief A pipeline that runs, whose lines and whose end are signals.

    \code
    PipelineSession session;
    connect(&session, &PipelineSession::linesReady, view, &View::appendBatch);
    connect(&session, &PipelineSession::finished, this, &Page::showResult);
    session.start(Command("journalctl", { "-f" }) | Command("grep", { "--line-buffered", "error"
   })); \endcode

    The lines are those of the last stage, from both of its streams. A session that is destroyed
   ends its pipeline. The object belongs to one thread, as every QObject does; its signals come from
   that thread's event loop. future() can be waited for without one.

    \sa Pipeline
*/

/*!
    \fn void ProcessKit::PipelineSession::linesReady(const QList<ProcessKit::OutputLine> &lines)

    This signal is emitted with the \a lines that have come since the last time.
*/

/*!
    \fn void ProcessKit::PipelineSession::finished(const ProcessKit::ProcessResult &result)

    This signal is emitted with the \a result once every stage has come to its end, after the last
    linesReady(). A session that was cancelled ends with Outcome::Cancelled.
*/

// What the I/O thread leaves for the session, which it may outlive.
struct LineBox
{
    std::mutex mutex;
    PipelineSession *session = nullptr; // guarded, as all here
    QList<OutputLine> lines;
};

class PipelineSessionPrivate
{
public:
    explicit PipelineSessionPrivate(PipelineSession *session) { box->session = session; }

    Command withLines(const Command &command) const
    {
        return command.withLineHandler([box = box](const OutputLine &line) {
            const std::lock_guard lock(box->mutex);
            box->lines.append(line);
            // one event for all that come before it is delivered
            if (box->session && box->lines.size() == 1)
                QMetaObject::invokeMethod(
                        box->session, [box] { deliver(box); }, Qt::QueuedConnection);
        });
    }

    static void deliver(const std::shared_ptr<LineBox> &box)
    {
        PipelineSession *session;
        QList<OutputLine> lines;
        {
            const std::lock_guard lock(box->mutex);
            session = box->session;
            lines.swap(box->lines);
        }
        if (!lines.isEmpty())
            Q_EMIT session->linesReady(lines);
    }

    const std::shared_ptr<LineBox> box = std::make_shared<LineBox>();
    std::stop_source stop;
    std::optional<std::stop_callback<std::function<void()>>> otherStop; // the pipeline's own token
    QFutureWatcher<ProcessResult> watcher;
    bool running = false;
};

/*!
    Constructs a session with the given \a parent that runs nothing yet.
*/
PipelineSession::PipelineSession(QObject *parent)
    : QObject(parent), d(std::make_unique<PipelineSessionPrivate>(this))
{
    connect(&d->watcher, &QFutureWatcherBase::finished, this, [this] {
        const QPointer<PipelineSession> guard(this);
        // d is there as long as this
        // NOLINTNEXTLINE(clang-analyzer-core.CallAndMessage)
        PipelineSessionPrivate::deliver(d->box);
        if (!guard)
            return;
        d->otherStop.reset();
        d->running = false;
        Q_EMIT runningChanged(false);
        if (guard)
            Q_EMIT finished(result());
    });
}

/*!
    Destroys the session. A pipeline that runs is ended; this does not wait for it.
*/
PipelineSession::~PipelineSession()
{
    {
        const std::lock_guard lock(d->box->mutex);
        d->box->session = nullptr;
    }
    cancel();
}

/*!
    Starts \a pipeline. While one is running this does nothing but warn.

    What the pipeline cannot do is in the result: see Pipeline::output().
*/
void PipelineSession::start(const Pipeline &pipeline)
{
    if (d->running) {
        qWarning("PipelineSession::start: a pipeline is already running");
        return;
    }
    d->stop = {};
    d->otherStop.emplace(pipeline.d->stopToken,
                         [stop = d->stop]() mutable { stop.request_stop(); });
    Pipeline told = pipeline.withStopToken(d->stop.get_token());
    if (!told.d->stages.isEmpty())
        told.d->stages.last() = d->withLines(told.d->stages.last());
    d->running = true;
    d->watcher.setFuture(told.output());
    Q_EMIT runningChanged(true);
}

/*!
    \property ProcessKit::PipelineSession::running
    \brief Whether a pipeline has been started whose end has not been told yet.
*/
bool PipelineSession::isRunning() const
{
    return d->running;
}

/*!
    Returns the result of the last pipeline, and waits for it if that is still running. It needs no
    event loop.
*/
ProcessResult PipelineSession::result() const
{
    const QFuture<ProcessResult> last = future();
    return last.isValid() ? last.result() : ProcessResult();
}

/*!
    Returns the future of the last pipeline, which is not valid before the first start().
*/
QFuture<ProcessResult> PipelineSession::future() const
{
    return d->watcher.future();
}

/*!
    Cancels the pipeline: every stage ends, and so does the session, with Outcome::Cancelled.
*/
void PipelineSession::cancel()
{
    d->stop.request_stop();
}

} // namespace ProcessKit
