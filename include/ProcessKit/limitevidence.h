// SPDX-License-Identifier: MIT
#ifndef PROCESSKIT_LIMITEVIDENCE_H
#define PROCESSKIT_LIMITEVIDENCE_H

#include <ProcessKit/resourcelimits.h>

#include <chrono>
#include <optional>

namespace ProcessKit {

class PROCESSKIT_EXPORT LimitEvidence
{
    Q_GADGET

public:
    std::optional<qint64> memoryMax;
    std::optional<qint64> memoryHigh;
    std::optional<qint64> memorySwapMax;
    std::optional<qint64> tasksMax;
    std::optional<qint64> cpuQuota;
    std::optional<std::chrono::microseconds> throttledTime;
    std::optional<qint64> outOfMemory;
    std::optional<qint64> oomKills;

    std::optional<qint64> count(ResourceLimits::Limit limit) const;
    bool isReached(ResourceLimits::Limit limit) const { return count(limit).value_or(0) > 0; }

    friend bool operator==(const LimitEvidence &, const LimitEvidence &) = default;
};

#ifndef QT_NO_DEBUG_STREAM
PROCESSKIT_EXPORT QDebug operator<<(QDebug debug, const LimitEvidence &evidence);
#endif

} // namespace ProcessKit

#endif // PROCESSKIT_LIMITEVIDENCE_H
