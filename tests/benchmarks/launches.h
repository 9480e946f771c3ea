// SPDX-License-Identifier: MIT
#ifndef PROCESSKIT_BENCH_LAUNCHES_H
#define PROCESSKIT_BENCH_LAUNCHES_H

#include "barespawn.h"
#include "subjects.h"

#include <QtCore/qcoreapplication.h>

#include <memory>

// Starts \a count times \a program, one after another, each with a fresh object and a blocking
// wait. Returns seconds.
template<typename Subject>
double launchAndWait(const QString &program, int count)
{
    const Stopwatch stopwatch;
    for (int i = 0; i < count; ++i) {
        typename Subject::Process process;
        Subject::prepare(process);
        process.start(program, {});
        if (!process.waitForFinished() || process.exitCode() != 0)
            throw Failure(process.errorString());
    }
    return stopwatch.seconds();
}

// The same from an event loop, with \a width of them in flight: each finished() starts the next.
template<typename Subject>
class LaunchChain
{
public:
    LaunchChain(const QString &program, int count, int width)
        : m_program(program), m_count(count), m_width(width)
    {
    }

    double run() // seconds, with the destruction of all objects
    {
        // here, and not in a slot, because it may throw
        typename Subject::Process probe;
        Subject::prepare(probe);

        const Stopwatch stopwatch;
        for (int i = 0; i < m_width; ++i)
            launch();
        runLoop(m_loop);
        QCoreApplication::sendPostedEvents(nullptr, QEvent::DeferredDelete);
        return stopwatch.seconds();
    }

private:
    using Process = typename Subject::Process;

    void launch()
    {
        if (m_started == m_count)
            return;
        ++m_started;
        auto *process = new Process;
        Subject::prepare(*process);
        failOnError(*process, m_loop);
        QObject::connect(process, &Process::finished, process, [this, process](int code) {
            process->deleteLater();
            if (code != 0)
                m_loop.exit(2);
            launch();
            if (++m_finished == m_count)
                m_loop.quit();
        });
        process->start(m_program, {});
    }

    const QString m_program;
    const int m_count;
    const int m_width;
    int m_started = 0;
    int m_finished = 0;
    QEventLoop m_loop;
};

template<typename Subject>
double launchFromLoop(const QString &program, int count, int width)
{
    return LaunchChain<Subject>(program, count, width).run();
}

#endif // PROCESSKIT_BENCH_LAUNCHES_H
