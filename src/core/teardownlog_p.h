// SPDX-License-Identifier: MIT
#ifndef PROCESSKIT_TEARDOWNLOG_P_H
#define PROCESSKIT_TEARDOWNLOG_P_H

#include "logging_p.h"

#include <QtCore/qdebug.h>

#include <chrono>
#include <utility>

namespace ProcessKit {

// The phases of an end that begins with a signal, for the log: soft_signal and grace_started, once
// or several times, then one of three ends. Each names the process whose tree it is, or the first
// of a group's.
class TeardownLog
{
public:
    void softSignal(qint64 pid, int signal, std::chrono::milliseconds grace)
    {
        m_isOpen = true;
        m_pid = pid;
        qCDebug(lcLifecycle) << "soft_signal" << m_pid << signal;
        qCDebug(lcLifecycle) << "grace_started" << m_pid << qint64(grace.count()) << "ms";
    }
    void drained() { end("drained"); } // within the grace
    void escalated() { end("escalated"); } // to the kill
    void spared() { end("spared"); } // alive, by request

private:
    void end(const char *how)
    {
        if (std::exchange(m_isOpen, false))
            qCDebug(lcLifecycle) << how << m_pid;
    }

    qint64 m_pid = 0;
    bool m_isOpen = false;
};

} // namespace ProcessKit

#endif // PROCESSKIT_TEARDOWNLOG_P_H
