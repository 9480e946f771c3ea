// SPDX-License-Identifier: MIT
#ifndef PROCESSKIT_SYSTEMDSCOPE_P_H
#define PROCESSKIT_SYSTEMDSCOPE_P_H

#include <QtCore/qstring.h>

#include <functional>

// A transient scope of systemd's with the property Delegate=yes: a cgroup with controllers that is
// ours, for an ordinary user from the user's own service manager, for root from the system's
// (org.freedesktop.systemd1(5)).
namespace ProcessKit::SystemdScope {

// Why it is no use to ask; empty where systemd may be there. Asks nobody. Any thread.
QString whyNot();
// Has the scope \a name made around the process \a member, which moves into it. \a then gets what
// went wrong, or an empty text, on a thread of its own.
void request(const QString &name, qint64 member,
             const std::function<void(const QString &error)> &then);

} // namespace ProcessKit::SystemdScope

#endif // PROCESSKIT_SYSTEMDSCOPE_P_H
