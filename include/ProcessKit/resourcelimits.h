// SPDX-License-Identifier: MIT
#ifndef PROCESSKIT_RESOURCELIMITS_H
#define PROCESSKIT_RESOURCELIMITS_H

#include <ProcessKit/processerror.h>

#include <QtCore/qlist.h>
#include <QtCore/qobjectdefs.h>
#include <QtCore/qstring.h>

#include <optional>

namespace ProcessKit {

class PROCESSKIT_EXPORT ResourceLimits
{
    Q_GADGET

public:
    enum class Limit {
        MemoryMax = 0,
        MemoryHigh,
        MemorySwapMax,
        TasksMax,
        CpuQuota,
    };
    Q_ENUM(Limit)

    enum class OomPolicy {
        KillProcess = 0,
        KillGroup = 1,
    };
    Q_ENUM(OomPolicy)

    struct IoLimit
    {
        QString device;
        std::optional<qint64> readBandwidth;
        std::optional<qint64> writeBandwidth;
        std::optional<qint64> readOperations;
        std::optional<qint64> writeOperations;

        friend bool operator==(const IoLimit &, const IoLimit &) = default;
    };

    std::optional<qint64> memoryMax;
    std::optional<qint64> memoryHigh;
    std::optional<qint64> memorySwapMax;
    std::optional<int> tasksMax;
    std::optional<double> cpuQuota;
    std::optional<int> cpuWeight;
    std::optional<int> ioWeight;
    QList<IoLimit> ioLimits;
    OomPolicy oomPolicy = OomPolicy::KillProcess;

    bool isEmpty() const;
    ProcessError validate() const;

    friend bool operator==(const ResourceLimits &, const ResourceLimits &) = default;
};

#ifndef QT_NO_DEBUG_STREAM
PROCESSKIT_EXPORT QDebug operator<<(QDebug debug, const ResourceLimits &limits);
#endif

} // namespace ProcessKit

#endif // PROCESSKIT_RESOURCELIMITS_H
