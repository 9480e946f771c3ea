// SPDX-License-Identifier: MIT
#ifndef PROCESSKIT_GROUPSTATS_H
#define PROCESSKIT_GROUPSTATS_H

#include <ProcessKit/processkitenums.h>

#include <QtCore/qobjectdefs.h>

#include <chrono>
#include <optional>

QT_BEGIN_NAMESPACE
class QDebug;
QT_END_NAMESPACE

namespace ProcessKit {

class PROCESSKIT_EXPORT GroupStats
{
    Q_GADGET
    Q_PROPERTY(ProcessKit::Mechanism mechanism MEMBER mechanism CONSTANT)

public:
    using Clock = std::chrono::steady_clock;

    Mechanism mechanism = Mechanism::None;
    Clock::time_point time;
    std::optional<std::chrono::microseconds> userTime;
    std::optional<std::chrono::microseconds> systemTime;
    std::optional<qint64> memoryBytes;
    std::optional<qint64> peakMemoryBytes;
    std::optional<int> processes;
    std::optional<int> peakProcesses;
    std::optional<qint64> bytesRead;
    std::optional<qint64> bytesWritten;

    std::optional<std::chrono::microseconds> cpuTime() const;

    friend bool operator==(const GroupStats &, const GroupStats &) = default;
};

#ifndef QT_NO_DEBUG_STREAM
PROCESSKIT_EXPORT QDebug operator<<(QDebug debug, const GroupStats &stats);
#endif

} // namespace ProcessKit

#endif // PROCESSKIT_GROUPSTATS_H
