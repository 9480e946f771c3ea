// SPDX-License-Identifier: MIT
#ifndef PROCESSKIT_PROFILE_H
#define PROCESSKIT_PROFILE_H

#include <ProcessKit/command.h>
#include <ProcessKit/groupstats.h>
#include <ProcessKit/processresult.h>

#include <QtCore/qfuture.h>
#include <QtCore/qlist.h>

#include <chrono>
#include <optional>

namespace ProcessKit {

class PROCESSKIT_EXPORT RunProfile
{
    Q_GADGET

public:
    ProcessResult result;
    QList<GroupStats> samples;

    std::optional<std::chrono::microseconds> cpuTime() const;
    std::optional<qint64> peakMemoryBytes() const;
    std::optional<int> peakProcesses() const;
    std::optional<double> averageCpus() const;
};

PROCESSKIT_EXPORT QFuture<RunProfile>
profile(const Command &command,
        std::chrono::milliseconds interval = std::chrono::milliseconds(100));

} // namespace ProcessKit

#endif // PROCESSKIT_PROFILE_H
