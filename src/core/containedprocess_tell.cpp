// SPDX-License-Identifier: MIT
#include "containedprocess_p.h"

#include <QtCore/qcoreapplication.h>
#include <QtCore/qmetaobject.h>

#include <algorithm>

// The news of a run become signals.

namespace ProcessKit {

bool ContainedProcessPrivate::deliver()
{
    collect();
    const QPointer<ContainedProcess> guard(q);
    while (guard && deliverNext()) { }
    return !guard.isNull();
}

void ContainedProcessPrivate::deliverInTurn()
{
    run->acknowledgeEvent();
    collect();
    const int turn = collections;
    const QPointer<ContainedProcess> guard(q);
    ++turnDepth;
    while (guard && turn == collections && deliverNext()) { }
    if (!guard)
        return;
    --turnDepth;
    if (turn != collections && !nextTurn.isActive())
        postRest();
}

// A slot has waited for something, and may leave the event loop because of it: whoever ran the loop
// then finds the process as the slot did. An event would be too early for that, since one that is
// posted while events are handled is handled along with them.
void ContainedProcessPrivate::waitForNextTurn()
{
    if (run)
        run->holdEvents();
    QCoreApplication::removePostedEvents(q, ProcessRun::NewsEvent);
    nextTurn.start(0, q);
}

void ContainedProcessPrivate::postRest()
{
    if (run && (newBytes[0] || newBytes[1] || !news.isEmpty()))
        run->postEvent();
}

void ContainedProcessPrivate::collect()
{
    ++collections;
    if (!run)
        return;
    // a receiver that was destroyed is not announced by disconnectNotify()
    takeConnections();
    RunNews later = run->takeNews();
    for (int channel = 0; channel < 2; ++channel) {
        ByteQueue &bytes = later.bytes[size_t(channel)];
        if (bytes.isEmpty())
            continue;
        if (channelClosed[size_t(channel)]) {
            run->bytesConsumed(bytes.size());
            bytes.clear();
        } else {
            newBytes[size_t(channel)] = true;
            buffers[size_t(channel)].append(std::move(bytes));
        }
    }
    news.append(std::move(later));
}

bool ContainedProcessPrivate::deliverNext()
{
    if (news.launched)
        tellLaunched();
    else if (news.failure)
        tellFailure();
    else if (state == QProcess::Starting)
        return false; // a keeper's word may be later than the first output
    else if (newBytes[0])
        tellBytes(0);
    else if (newBytes[1])
        tellBytes(1);
    else if (!news.lines.isEmpty())
        tellLines();
    else if (news.written)
        tellWritten();
    else if (news.writeError)
        tellWriteError();
    else if (news.verdict)
        tellVerdict();
    else if (news.exit)
        tellExit();
    else if (news.leftovers)
        Q_EMIT q->leftoversFound(*std::exchange(news.leftovers, std::nullopt));
    else if (news.lost)
        tellLost();
    else if (news.finished)
        tellFinished();
    else if (std::exchange(news.emptied, false))
        Q_EMIT q->treeEmptied();
    else
        return false;
    return true;
}

void ContainedProcessPrivate::tellLaunched()
{
    pid = *std::exchange(news.launched, std::nullopt);
    const QPointer<ContainedProcess> guard(q);
    const std::shared_ptr<ProcessRun> of = run;
    tellMechanism();
    if (!isCurrent(guard, of))
        return;
    setState(QProcess::Running);
    if (!isCurrent(guard, of))
        return;
    Q_EMIT q->started(ContainedProcess::QPrivateSignal());
    if (isCurrent(guard, of) && group)
        Q_EMIT group->processStarted(q);
}

void ContainedProcessPrivate::tellMechanism()
{
    const Mechanism now = run->mechanism();
    if (std::exchange(mechanism, now) != now)
        Q_EMIT q->mechanismChanged(now);
}

void ContainedProcessPrivate::tellFailure()
{
    const ProcessKit::ProcessError problem = *news.failure;
    news = {};
    const QPointer<ContainedProcess> guard(q);
    const std::shared_ptr<ProcessRun> of = run;
    tellMechanism();
    if (isCurrent(guard, of))
        failToStart(problem);
}

void ContainedProcessPrivate::tellBytes(int channel)
{
    newBytes[size_t(channel)] = false;
    const QPointer<ContainedProcess> guard(q);
    if (channel == readChannel) {
        ++readCount;
        if (!inReadyRead) {
            inReadyRead = true;
            Q_EMIT q->readyRead();
            if (!guard)
                return;
            inReadyRead = false;
        }
    }
    Q_EMIT q->channelReadyRead(channel);
    if (!guard)
        return;
    if (channel == 0)
        Q_EMIT q->readyReadStandardOutput(ContainedProcess::QPrivateSignal());
    else
        Q_EMIT q->readyReadStandardError(ContainedProcess::QPrivateSignal());
}

void ContainedProcessPrivate::tellLines()
{
    const QList<OutputLine> lines = std::exchange(news.lines, {});
    ++readCount;
    const QPointer<ContainedProcess> guard(q);
    static const QMetaMethod outputSignal =
            QMetaMethod::fromSignal(&ContainedProcess::standardOutputLine);
    static const QMetaMethod errorSignal =
            QMetaMethod::fromSignal(&ContainedProcess::standardErrorLine);
    const bool single = q->isSignalConnected(outputSignal) || q->isSignalConnected(errorSignal);
    Q_EMIT q->linesReady(lines);
    if (!single)
        return;
    for (const OutputLine &line : lines) {
        if (!guard)
            return;
        if (line.channel() == QProcess::StandardOutput)
            Q_EMIT q->standardOutputLine(line.toString());
        else
            Q_EMIT q->standardErrorLine(line.toString());
    }
}

void ContainedProcessPrivate::tellWritten()
{
    const qint64 written = std::exchange(news.written, 0);
    bytesToWrite = qMax<qint64>(0, bytesToWrite - written);
    ++writtenCount;
    const QPointer<ContainedProcess> guard(q);
    if (!inBytesWritten) {
        inBytesWritten = true;
        Q_EMIT q->bytesWritten(written);
        if (!guard)
            return;
        inBytesWritten = false;
    }
    Q_EMIT q->channelBytesWritten(0, written);
}

void ContainedProcessPrivate::tellWriteError()
{
    news.writeError = 0;
    inputClosed = true;
    inputBroken = true;
    if (state == QProcess::Running && !news.exit)
        setErrorAndEmit(QProcess::WriteError);
}

void ContainedProcessPrivate::tellVerdict()
{
    using Kind = ProcessKit::ProcessError::Kind;
    const Verdict verdict = *std::exchange(news.verdict, std::nullopt);
    switch (verdict) {
    case Verdict::TimedOut:
        failure = ProcessKit::ProcessError(Kind::Timeout, program, QStringLiteral("timeout"), 0);
        break;
    case Verdict::WentQuiet:
        failure = ProcessKit::ProcessError(Kind::InactivityTimeout, program,
                                           QStringLiteral("no output for too long"), 0);
        break;
    case Verdict::Cancelled:
        failure =
                ProcessKit::ProcessError(Kind::Cancelled, program, QStringLiteral("cancelled"), 0);
        break;
    }
    setErrorAndEmit(verdict == Verdict::Cancelled ? QProcess::UnknownError : QProcess::Timedout,
                    failure.text());
}

void ContainedProcessPrivate::tellExit()
{
    const Native::ChildExit exit = *std::exchange(news.exit, std::nullopt);
    exitCode = exit.known ? exit.code : exit.signalled ? exit.code : -1;
    exitStatus = exit.signalled || !exit.known ? QProcess::CrashExit : QProcess::NormalExit;
    oomKills = exit.oomKills ? std::optional(qint64(*exit.oomKills)) : std::nullopt;
    inputClosed = true;
    const QPointer<ContainedProcess> guard(q);
    Q_EMIT q->exited(exitCode, exitStatus);
    if (guard && group)
        Q_EMIT group->processExited(q, exitCode, exitStatus);
}

void ContainedProcessPrivate::tellLost()
{
    const bool ended = *std::exchange(news.lost, std::nullopt);
    failure = ProcessKit::ProcessError(
            ProcessKit::ProcessError::Kind::ContainmentLost, program,
            ended ? ContainedProcess::tr("its keeper was killed, and its tree was ended")
                  : ContainedProcess::tr("its keepers were killed, and its tree may live on"),
            0);
    const ProcessKit::ProcessError told = failure;
    const QPointer<ContainedProcess> guard(q);
    Q_EMIT q->containmentLost(told);
    if (guard && group)
        Q_EMIT group->containmentLost(told);
}

void ContainedProcessPrivate::tellFinished()
{
    news.finished = false;
    streamsCut = news.cut;
    pid = 0;
    ++finishedCount;
    const QPointer<ContainedProcess> guard(q);
    const std::shared_ptr<ProcessRun> of = run;
    setState(QProcess::NotRunning);
    if (!isCurrent(guard, of))
        return;
    if (exitStatus == QProcess::CrashExit)
        setErrorAndEmit(QProcess::Crashed);
    if (!isCurrent(guard, of))
        return;
    Q_EMIT q->readChannelFinished();
    if (!isCurrent(guard, of))
        return;
    Q_EMIT q->finished(exitCode, exitStatus);
}

void ContainedProcessPrivate::setState(QProcess::ProcessState newState)
{
    if (state == newState)
        return;
    state = newState;
    Q_EMIT q->stateChanged(newState, ContainedProcess::QPrivateSignal());
}

void ContainedProcessPrivate::setError(QProcess::ProcessError newError, const QString &description)
{
    error = newError;
    if (!description.isEmpty()) {
        q->setErrorString(description);
        return;
    }
    switch (error) {
    case QProcess::FailedToStart:
        q->setErrorString(QProcess::tr("Process failed to start"));
        break;
    case QProcess::Crashed:
        q->setErrorString(QProcess::tr("Process crashed"));
        break;
    case QProcess::Timedout:
        q->setErrorString(QProcess::tr("Process operation timed out"));
        break;
    case QProcess::ReadError:
        q->setErrorString(QProcess::tr("Error reading from process"));
        break;
    case QProcess::WriteError:
        q->setErrorString(QProcess::tr("Error writing to process"));
        break;
    case QProcess::UnknownError:
        q->setErrorString(QString());
        break;
    }
}

void ContainedProcessPrivate::setErrorAndEmit(QProcess::ProcessError newError,
                                              const QString &description)
{
    setError(newError, description);
    Q_EMIT q->errorOccurred(error);
}

void ContainedProcessPrivate::takeConnections()
{
    connectionsChanged = false;
    run->setInterests(interests());
}

int ContainedProcessPrivate::interests() const
{
    const auto connected = [this](auto signal) {
        return q->isSignalConnected(QMetaMethod::fromSignal(signal));
    };
    int interests = 0;
    if (awaitsStart || group || connected(&ContainedProcess::started)
        || connected(&ContainedProcess::stateChanged)
        || connected(&ContainedProcess::mechanismChanged))
        interests |= ProcessRun::LaunchNews;
    const bool lines = connected(&ContainedProcess::linesReady);
    if (lines || connected(&ContainedProcess::standardOutputLine))
        interests |= ProcessRun::OutputLines;
    if (lines || connected(&ContainedProcess::standardErrorLine))
        interests |= ProcessRun::ErrorLines;
    return interests;
}

/*!
    \fn void ProcessKit::ContainedProcess::started()

    This signal is emitted when the program has been executed.
*/

/*!
    \fn void ProcessKit::ContainedProcess::finished(int exitCode, QProcess::ExitStatus exitStatus)

    This signal is emitted when the program has exited, with \a exitCode and \a exitStatus, and all
    that it wrote has been read, or has been cut: see streamsCut(). What was read is there by now.
    It is the last of the signals about the process but for treeEmptied(). A start that failed does
    not end in it.

    \sa exited(), treeEmptied()
*/

/*!
    \fn void ProcessKit::ContainedProcess::errorOccurred(QProcess::ProcessError error)

    This signal is emitted when \a error has occurred. With QProcess::FailedToStart, failure()
    tells more. A wait that times out sets error() without this signal.
*/

/*!
    \fn void ProcessKit::ContainedProcess::readyReadStandardOutput()

    This signal is emitted when new bytes of the standard output can be read.
*/

/*!
    \fn void ProcessKit::ContainedProcess::readyReadStandardError()

    This signal is emitted when new bytes of the standard error can be read.
*/

/*!
    \fn void ProcessKit::ContainedProcess::standardOutputLine(const QString &line)

    This signal is emitted for each \a line of the standard output, and for each part of a line
    longer than maximumLineLength(). The line end is not in it. linesReady() costs less, and tells
    more.
*/

/*!
    \fn void ProcessKit::ContainedProcess::standardErrorLine(const QString &line)

    This signal is emitted for each \a line of the standard error, as standardOutputLine() is.
*/

/*!
    \fn void ProcessKit::ContainedProcess::linesReady(const QList<ProcessKit::OutputLine> &lines)

    This signal is emitted with all the \a lines of both channels that have come since the last
    time, in the order in which they were read. While a slot is connected, the channels are not
    read as a device.
*/

/*!
    \fn void ProcessKit::ContainedProcess::exited(int exitCode, QProcess::ExitStatus exitStatus)

    This signal is emitted when the program has exited, with \a exitCode and \a exitStatus. Its
    output may still be on the way.

    \sa finished(), exitCode()
*/

/*!
    \fn void ProcessKit::ContainedProcess::treeEmptied()

    This signal is emitted when nothing of the tree is alive. It follows finished() as a rule; it
    comes before it where somebody outside of the tree holds the process's streams.
*/

/*!
    \fn void ProcessKit::ContainedProcess::leftoversFound(const QList<ProcessKit::ProcessInfo> &leftovers)

    This signal is emitted after exited() where the tree has other members that are still alive,
    the \a leftovers. It is not emitted for a process in a group, nor after kill() and shutdown().

    \sa leftovers
*/

/*!
    \fn void ProcessKit::ContainedProcess::containmentLost(const ProcessKit::ProcessError &error)

    This signal is emitted, with \a error, when the group keeper of the process
    (Mechanism::Subreaper) was killed. The tree has been ended by then, and how the program ended
    is not known: exitCode() is the number of SIGKILL, exitStatus() is QProcess::CrashExit.

    \sa failure()
*/

void ContainedProcess::connectNotify(const QMetaMethod &signal)
{
    if (d->run)
        d->run->setInterests(d->interests());
    QIODevice::connectNotify(signal);
}

void ContainedProcess::disconnectNotify(const QMetaMethod &signal)
{
    // Called with the connections locked, perhaps in another thread: what is connected now is for
    // the next turn, or the next wait, to find out.
    static const QMetaMethod lineSignals[] = {
        QMetaMethod::fromSignal(&ContainedProcess::linesReady),
        QMetaMethod::fromSignal(&ContainedProcess::standardOutputLine),
        QMetaMethod::fromSignal(&ContainedProcess::standardErrorLine),
    };
    const bool concerned = !signal.isValid() // all of them
            || std::find(std::begin(lineSignals), std::end(lineSignals), signal)
                    != std::end(lineSignals);
    if (concerned) {
        d->connectionsChanged = true;
        QCoreApplication::postEvent(this, new QEvent(ProcessRun::NewsEvent));
    }
    QIODevice::disconnectNotify(signal);
}

bool ContainedProcess::event(QEvent *event)
{
    const bool isNextTurn = event->type() == QEvent::Timer
            && static_cast<QTimerEvent *>(event)->timerId() == d->nextTurn.timerId();
    if (event->type() != ProcessRun::NewsEvent && !isNextTurn)
        return QIODevice::event(event);
    d->nextTurn.stop();
    if (d->run)
        d->deliverInTurn();
    return true;
}

/*!
    Sets the state to \a state and emits stateChanged(), for classes that imitate a process.
*/
void ContainedProcess::setProcessState(QProcess::ProcessState state)
{
    d->setState(state);
}

} // namespace ProcessKit
