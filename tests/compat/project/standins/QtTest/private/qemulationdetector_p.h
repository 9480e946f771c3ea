// SPDX-License-Identifier: MIT
// For a host without Qt's private headers: what the test of QProcess uses of this one, written
// anew.
#ifndef PROCESSKIT_COMPAT_QEMULATIONDETECTOR_P_H
#define PROCESSKIT_COMPAT_QEMULATIONDETECTOR_P_H

namespace QTestPrivate {

inline bool isRunningArmOnX86()
{
    return false;
}

} // namespace QTestPrivate

#endif // PROCESSKIT_COMPAT_QEMULATIONDETECTOR_P_H
