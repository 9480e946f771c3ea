// SPDX-License-Identifier: MIT
#include "reactor.h"

#include <QtCore/qdeadlinetimer.h>
#include <QtCore/qobject.h>
#include <QtCore/qsemaphore.h>
#include <QtTest/qtest.h>

using ProcessKit::Native::Reactor;

// The I/O thread's own promises, apart from what runs on it.
class tst_Reactor : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void tasksOfTheTurnsEnd();
};

// What is posted when a turn is over is not left until something else happens.
void tst_Reactor::tasksOfTheTurnsEnd()
{
    int error = 0;
    Reactor *reactor = Reactor::start(&error);
    QVERIFY(reactor);
    constexpr int tenSeconds = 10'000;
    QSemaphore ran;
    reactor->post([&] {
        reactor->afterTurn([&] {
            reactor->post(
                    [&] { reactor->afterTurn([&] { reactor->post([&] { ran.release(); }); }); });
        });
    });
    QVERIFY(ran.tryAcquire(1, tenSeconds));
    reactor->post([&] { ran.release(); });
    QVERIFY(ran.tryAcquire(1, tenSeconds));
}

QTEST_GUILESS_MAIN(tst_Reactor)
#include "tst_reactor.moc"
