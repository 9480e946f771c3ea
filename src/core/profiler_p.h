// SPDX-License-Identifier: MIT
#ifndef PROCESSKIT_PROFILER_P_H
#define PROCESSKIT_PROFILER_P_H

#include "reactor.h"

#include <ProcessKit/profile.h>

#include <QtCore/qpromise.h>

#include <memory>

namespace ProcessKit {

class GroupState;

// One run in a group of its own, which is looked at from time to time.
class Profiler : public std::enable_shared_from_this<Profiler>
{
public:
    // Any thread.
    static QFuture<RunProfile> start(const Command &command, std::chrono::milliseconds interval);

private:
    Profiler(Mechanism mechanism, std::chrono::milliseconds interval);
    void sample();
    void finish(const ProcessResult *result); // where it may block

    const std::chrono::milliseconds m_interval;
    const std::shared_ptr<GroupState> m_group;
    QPromise<RunProfile> m_promise;
    // the reactor's
    Native::Reactor::Timer m_timer;
    QList<GroupStats> m_samples;
    bool m_isOver = false;
};

} // namespace ProcessKit

#endif // PROCESSKIT_PROFILER_P_H
