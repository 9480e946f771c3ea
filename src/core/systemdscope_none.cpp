// SPDX-License-Identifier: MIT
#include "systemdscope_p.h"

namespace ProcessKit::SystemdScope {

QString whyNot()
{
    return QStringLiteral("ProcessKit was built without Qt D-Bus, so systemd cannot be asked");
}

void request(const QString &, qint64, const std::function<void(const QString &)> &then)
{
    then(whyNot());
}

} // namespace ProcessKit::SystemdScope
