// SPDX-License-Identifier: MIT
#ifndef PROCESSKIT_SHUTDOWN_P_H
#define PROCESSKIT_SHUTDOWN_P_H

#include "teardownlog_p.h"

#include "reactor.h"

#include <ProcessKit/shutdownreport.h>
#include <ProcessKit/stoppolicy.h>

#include <QtCore/qfuture.h>
#include <QtCore/qpromise.h>

#include <memory>
#include <vector>

namespace ProcessKit {

class GroupState;
class ProcessRun;

// One orderly end: SIGTERM, a grace in which the trees may become empty, then the kill. Lives on
// the reactor until it can report.
class Shutdown : public std::enable_shared_from_this<Shutdown>
{
public:
    // without a grace, the kill comes at once
    static StopPolicy policyOf(std::chrono::milliseconds grace);
    static QFuture<ShutdownReport> of(const std::shared_ptr<ProcessRun> &run,
                                      std::chrono::milliseconds grace);
    static QFuture<ShutdownReport> of(const std::shared_ptr<GroupState> &group,
                                      const StopPolicy &policy);
    // for what was never started
    static QFuture<ShutdownReport> ofNothing();

private:
    using Runs = std::vector<std::shared_ptr<ProcessRun>>;

    explicit Shutdown(const StopPolicy &policy) : m_policy(policy) { }
    static QFuture<ShutdownReport> begin(const std::shared_ptr<Shutdown> &shutdown,
                                         std::function<Runs()> collect);
    void ask(Runs runs);
    void takeStep();
    void insist();
    void finish();
    int countMembers() const;

    const StopPolicy m_policy;
    std::shared_ptr<GroupState> m_group;
    Runs m_runs;
    int m_left = 0;
    bool m_isFinished = false;
    ShutdownReport m_report;
    TeardownLog m_log;
    Native::Reactor::Clock::time_point m_begin;
    Native::Reactor::Timer m_timer;
    QPromise<ShutdownReport> m_promise;
};

} // namespace ProcessKit

#endif // PROCESSKIT_SHUTDOWN_P_H
