// SPDX-License-Identifier: MIT
#ifndef PKTEST_PIDHANDLE_H
#define PKTEST_PIDHANDLE_H

#include <QtCore/qdeadlinetimer.h>
#include <QtCore/qglobal.h>

namespace PkTest {

constexpr int Patience = 10000; // milliseconds until a wait for an event counts as a failure

// A process that a test made somehow, held by a pidfd: one that has gone is known to have gone
// also when its pid is in use again.
class PidHandle
{
public:
    PidHandle() = default;
    // \a startTime, if given, tells the process from a later one with the same pid
    explicit PidHandle(qint64 pid, quint64 startTime = 0);
    PidHandle(PidHandle &&other) noexcept;
    PidHandle &operator=(PidHandle &&other) noexcept;
    ~PidHandle();

    qint64 pid() const { return m_pid; }
    bool isGone() const;
    bool waitGone(QDeadlineTimer deadline = QDeadlineTimer(Patience)) const;
    void sendSignal(int signal) const;
    // SIGKILL, wait, and reap if it has become our child (as it does for a process 1)
    void end();

private:
    qint64 m_pid = 0;
    int m_fd = -1;
};

// takes the exit status of every child that has ended; for a process 1, which adopts orphans
void reapAdopted();

// Starts "pk-helper pause" with exactly that pid, leading a process group of its own, as a stale
// kill() or killpg() would hit it, and later than the clock tick \a before, so that the two can be
// told apart at all. The pid is -1, with errno, when it was not to be; EPERM: this user may not
// choose one.
PidHandle startWithPid(qint64 pid, quint64 before);

} // namespace PkTest

#endif // PKTEST_PIDHANDLE_H
