// SPDX-License-Identifier: MIT
#ifndef PROCESSKIT_ADOPTIONREPORT_H
#define PROCESSKIT_ADOPTIONREPORT_H

#include <ProcessKit/processinfo.h>

#include <QtCore/qlist.h>
#include <QtCore/qobjectdefs.h>

namespace ProcessKit {

class PROCESSKIT_EXPORT AdoptionReport
{
    Q_GADGET
    Q_PROPERTY(QList<ProcessKit::ProcessInfo> adopted MEMBER adopted CONSTANT)
    Q_PROPERTY(QList<ProcessKit::ProcessInfo> leftOutside MEMBER leftOutside CONSTANT)

public:
    QList<ProcessInfo> adopted;
    QList<ProcessInfo> leftOutside;

    friend bool operator==(const AdoptionReport &, const AdoptionReport &) = default;
};

} // namespace ProcessKit

#endif // PROCESSKIT_ADOPTIONREPORT_H
