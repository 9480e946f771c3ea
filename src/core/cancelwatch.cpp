// SPDX-License-Identifier: MIT
#include "cancelwatch_p.h"

#include "replies_p.h"

#include "reactor.h"

#include <QtCore/qabstracteventdispatcher.h>
#include <QtCore/qcoreapplication.h>
#include <QtCore/qfuturewatcher.h>
#include <QtCore/qthread.h>

namespace ProcessKit {

using Native::Reactor;

namespace {

// Lets objects of the reactor's thread have events: posting one wakes the reactor, which delivers
// it in its next turn. There are no timers and no socket notifiers; the reactor has its own.
class ReactorEvents final : public QAbstractEventDispatcher
{
public:
    bool processEvents(QEventLoop::ProcessEventsFlags) override { return false; }
    void registerSocketNotifier(QSocketNotifier *) override { }
    void unregisterSocketNotifier(QSocketNotifier *) override { }
    void registerTimer(int, qint64, Qt::TimerType, QObject *) override { }
    bool unregisterTimer(int) override { return false; }
    bool unregisterTimers(QObject *) override { return false; }
    QList<TimerInfo> registeredTimers(QObject *) const override { return {}; }
    int remainingTime(int) override { return -1; }
    void wakeUp() override
    {
        Reactor::instance().post([] { QCoreApplication::sendPostedEvents(); });
    }
    void interrupt() override { }
};

void ensureEvents()
{
    if (!QThread::currentThread()->eventDispatcher())
        QThread::currentThread()->setEventDispatcher(new ReactorEvents);
}

} // namespace

std::shared_ptr<void> watchCancellation(const QFuture<void> &future,
                                        std::function<void()> cancelled)
{
    ensureEvents();
    auto watcher = std::make_shared<QFutureWatcher<void>>();
    QObject::connect(
            watcher.get(), &QFutureWatcher<void>::canceled, watcher.get(),
            [cancelled = std::move(cancelled)] { cancelled(); }, Qt::DirectConnection);
    watcher->setFuture(future);
    return watcher;
}

void whenFinished(const QFuture<void> &future, std::function<void()> task)
{
    int error = 0;
    Reactor *reactor = future.isFinished() ? nullptr : Reactor::start(&error);
    if (!reactor) {
        QFuture<void>(future).waitForFinished();
        task();
        return;
    }
    if (!QCoreApplication::instance()) {
        // without one, Qt delivers no events: then a thread waits
        runReply([future, task = std::move(task)] {
            QFuture<void>(future).waitForFinished();
            task();
        });
        return;
    }
    reactor->post([future, task = std::move(task)] {
        ensureEvents();
        auto watcher = std::make_shared<QFutureWatcher<void>>();
        QObject::connect(
                watcher.get(), &QFutureWatcher<void>::finished, watcher.get(),
                [task, self = watcher]() mutable {
                    runReply(std::move(task));
                    Reactor::instance().afterTurn([watch = std::move(self)] {}); // it is its signal
                },
                Qt::DirectConnection);
        watcher->setFuture(future);
    });
}

} // namespace ProcessKit
