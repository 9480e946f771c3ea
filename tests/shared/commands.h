// SPDX-License-Identifier: MIT
#ifndef PKTEST_COMMANDS_H
#define PKTEST_COMMANDS_H

#include "cleantest.h"

#include <ProcessKit/command.h>

#include <QtCore/qelapsedtimer.h>
#include <QtCore/qeventloop.h>
#include <QtCore/qfuture.h>
#include <QtCore/qfuturewatcher.h>
#include <QtCore/qrandom.h>
#include <QtCore/qsemaphore.h>
#include <QtCore/qtimer.h>

namespace PkTest {

inline ProcessKit::Command shell(const QString &script)
{
    return ProcessKit::Command(QStringLiteral("/bin/sh"), { QStringLiteral("-c"), script });
}

// "pk-helper" in a script is that program
inline ProcessKit::Command helperShell(QString script)
{
    return shell(script.replace(QLatin1String("pk-helper"), helper()));
}

inline ProcessKit::Command helperCommand(const QStringList &arguments)
{
    return ProcessKit::Command(helper(), arguments);
}

// Until \a future has come to its end, with or without a result; false when it does not. Not by a
// continuation: Qt 6.4 can call one twice that is added in the moment of the end.
template<typename T>
bool waitFinished(const QFuture<T> &future, int timeout = Patience)
{
    QFutureWatcher<T> watcher;
    QEventLoop loop;
    QObject::connect(&watcher, &QFutureWatcher<T>::finished, &loop, &QEventLoop::quit);
    watcher.setFuture(future);
    if (!future.isFinished()) {
        QTimer::singleShot(timeout, &loop, &QEventLoop::quit);
        loop.exec();
    }
    return future.isFinished();
}

// for the rounds of a race: another moment each time
inline void spin(std::chrono::microseconds longest)
{
    const qint64 end = QRandomGenerator::global()->bounded(qint64(longest.count()) * 1000 + 1);
    QElapsedTimer timer;
    timer.start();
    while (timer.nsecsElapsed() < end) { }
}

} // namespace PkTest

#endif // PKTEST_COMMANDS_H
