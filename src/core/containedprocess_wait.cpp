// SPDX-License-Identifier: MIT
#include "containedprocess_p.h"

// The functions that block.

namespace ProcessKit {

// Tells no more than it takes: whoever waited for the start finds a process that is running, also
// one that has come to its end meanwhile. The rest is told by the event loop, or by the next wait.
// Tells what there is until \a condition holds. Nothing comes back when that is still to be waited
// for, and false when it never will.
template<typename Condition>
std::optional<bool> ContainedProcessPrivate::advance(Condition condition)
{
    const QPointer<ContainedProcess> guard(q);
    collect();
    while (!condition()) {
        if (!deliverNext())
            break;
        if (!guard)
            return false;
    }
    if (condition()) {
        if (turnDepth > 0)
            waitForNextTurn();
        else
            postRest();
        return true;
    }
    if (!run || state == QProcess::NotRunning)
        return false;
    return std::nullopt;
}

template<typename Condition>
bool ContainedProcessPrivate::waitUntil(QDeadlineTimer deadline, Condition condition)
{
    for (;;) {
        if (const std::optional<bool> isMet = advance(condition))
            return *isMet;
        if (!run->waitForNews(deadline)) {
            setError(QProcess::Timedout);
            return false;
        }
    }
}

bool ContainedProcessPrivate::waitUntilStarted(QDeadlineTimer deadline)
{
    const int finishedBefore = finishedCount;
    const QPointer<ContainedProcess> guard(q);
    awaitsStart = true;
    // a process that has finished meanwhile had started
    const bool hasStarted = waitUntil(deadline, [&] {
        return state == QProcess::Running || finishedCount != finishedBefore;
    });
    if (guard)
        awaitsStart = false;
    return hasStarted;
}

/*!
    Blocks until the program has been executed, for \a msecs milliseconds at most, or without limit
    if it is -1. Returns \c true if it has.

    All functions that wait deliver the signals of this object up to the one that they wait for,
    and need no event loop. If the time is over, error() is QProcess::Timedout.
*/
bool ContainedProcess::waitForStarted(int msecs)
{
    if (d->state != QProcess::Starting)
        return d->state == QProcess::Running;
    return d->waitUntilStarted(QDeadlineTimer(msecs));
}

/*!
    Blocks until new output has come and been told of, as bytes of the channel that is read or as
    lines of any, for \a msecs milliseconds at most, or without limit if it is -1. Returns \c true
    if it has.
*/
bool ContainedProcess::waitForReadyRead(int msecs)
{
    if (d->state == QProcess::NotRunning || d->channelClosed[size_t(d->readChannel)])
        return false;
    const int before = d->readCount;
    return d->waitUntil(QDeadlineTimer(msecs), [&] { return d->readCount != before; });
}

/*!
    Blocks until some of what was written has been taken by the pipe and bytesWritten() was
    emitted, for \a msecs milliseconds at most, or without limit if it is -1. Returns \c true if it
    has, \c false at once where the child has closed its end.
*/
bool ContainedProcess::waitForBytesWritten(int msecs)
{
    const QDeadlineTimer deadline(msecs);
    if (d->state == QProcess::Starting && !d->waitUntilStarted(deadline))
        return false;
    if (d->state == QProcess::NotRunning || d->bytesToWrite == 0 || d->inputBroken)
        return false;
    const int before = d->writtenCount;
    d->waitUntil(deadline, [&] { return d->writtenCount != before || d->inputBroken; });
    return d->writtenCount != before;
}

/*!
    Blocks until finished() has been emitted, for \a msecs milliseconds at most, or without limit
    if it is -1. Returns \c true if it has, \c false also where no process runs or the start fails.
*/
bool ContainedProcess::waitForFinished(int msecs)
{
    if (d->state == QProcess::NotRunning)
        return false;
    const int before = d->finishedCount;
    const std::shared_ptr<ProcessRun> of = d->run;
    if (!d->waitUntil(QDeadlineTimer(msecs), [&] { return d->finishedCount != before; }))
        return false;
    if (d->run == of)
        d->deliver(); // a start right after this one does away with what is still to be told
    return true;
}

/*!
    Blocks until one of \a processes is not running, for \a msecs milliseconds at most, or without
    limit if it is -1. Returns its index, the lowest of several, or -1 when the time is over or the
    list is empty. One that was not running before counts as well. All of them go on being read.

    They have to live in the calling thread, and signals are emitted as by waitForFinished().
*/
int ContainedProcess::waitForAnyFinished(const QList<ContainedProcess *> &processes, int msecs)
{
    const QDeadlineTimer deadline(msecs);
    QList<QPointer<ContainedProcess>> guarded;
    const auto news = std::make_shared<NewsBell>();
    for (ContainedProcess *process : processes) {
        guarded.append(process);
        if (process->d->run)
            process->d->run->setBell(news);
    }
    for (;;) {
        for (qsizetype i = 0; i < guarded.size(); ++i) {
            const QPointer<ContainedProcess> &process = guarded.at(i);
            if (!process || process->d->state == QProcess::NotRunning)
                return int(i); // one that a slot has deleted does not run either
            const int before = process->d->finishedCount;
            if (process->d->advance([&] { return process->d->finishedCount != before; }))
                return int(i);
        }
        if (guarded.isEmpty() || !news->wait(deadline))
            return -1;
    }
}

/*!
    Blocks until none of \a processes is running, for \a msecs milliseconds at most, or without
    limit if it is -1. Returns \c true if so; all of them go on being read meanwhile. They have to
    live in the calling thread.
*/
bool ContainedProcess::waitForAllFinished(const QList<ContainedProcess *> &processes, int msecs)
{
    const QDeadlineTimer deadline(msecs);
    QList<QPointer<ContainedProcess>> guarded(processes.begin(), processes.end());
    for (const QPointer<ContainedProcess> &process : std::as_const(guarded)) {
        if (!process || process->state() == QProcess::NotRunning)
            continue;
        const int left = deadline.isForever() ? -1 : int(deadline.remainingTime());
        if (!process->waitForFinished(left) && process && process->state() != QProcess::NotRunning)
            return false;
    }
    return true;
}

/*!
    Blocks until nothing of the tree is alive, for \a msecs milliseconds at most, or without limit
    if it is -1. Returns \c true if that is so, also where nothing was started.

    With Leftovers::Leave and in a group, members may stay for as long as they like.
*/
bool ContainedProcess::waitForTreeEmptied(int msecs)
{
    const QDeadlineTimer deadline(msecs);
    for (;;) {
        if (!d->deliver())
            return false;
        const std::shared_ptr<ProcessRun> run = d->run;
        if (!run)
            return true;
        if (run->isEmpty())
            return d->deliver();
        if (!run->waitForNews(deadline)) {
            d->setError(QProcess::Timedout);
            return false;
        }
    }
}

} // namespace ProcessKit
