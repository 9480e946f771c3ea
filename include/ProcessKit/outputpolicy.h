// SPDX-License-Identifier: MIT
#ifndef PROCESSKIT_OUTPUTPOLICY_H
#define PROCESSKIT_OUTPUTPOLICY_H

#include <ProcessKit/processkitglobal.h>

#include <QtCore/qobjectdefs.h>

QT_BEGIN_NAMESPACE
class QDebug;
QT_END_NAMESPACE

namespace ProcessKit {

class PROCESSKIT_EXPORT OutputPolicy
{
    Q_GADGET
    Q_PROPERTY(Overflow overflow MEMBER overflow CONSTANT)
    Q_PROPERTY(qint64 maximumBytes MEMBER maximumBytes CONSTANT)
    Q_PROPERTY(qint64 maximumLines MEMBER maximumLines CONSTANT)

public:
    enum class Overflow {
        DropOldest = 0,
        DropNewest = 1,
        Fail = 2,
    };
    Q_ENUM(Overflow)

    Overflow overflow = Overflow::DropOldest;
    qint64 maximumBytes = -1;
    qint64 maximumLines = -1;

    static OutputPolicy unbounded() { return {}; }
    static OutputPolicy bytes(qint64 maximum, Overflow overflow = Overflow::DropOldest)
    {
        return { overflow, maximum, -1 };
    }
    static OutputPolicy lines(qint64 maximum, Overflow overflow = Overflow::DropOldest)
    {
        return { overflow, -1, maximum };
    }
    bool isBounded() const noexcept { return maximumBytes >= 0 || maximumLines >= 0; }

    friend bool operator==(const OutputPolicy &, const OutputPolicy &) = default;
};

#ifndef QT_NO_DEBUG_STREAM
PROCESSKIT_EXPORT QDebug operator<<(QDebug debug, const OutputPolicy &policy);
#endif

} // namespace ProcessKit

Q_DECLARE_TYPEINFO(ProcessKit::OutputPolicy, Q_PRIMITIVE_TYPE);

#endif // PROCESSKIT_OUTPUTPOLICY_H
