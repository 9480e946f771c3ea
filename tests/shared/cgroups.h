// SPDX-License-Identifier: MIT
#ifndef PKTEST_CGROUPS_H
#define PKTEST_CGROUPS_H

#include <QtCore/qstringlist.h>

namespace PkTest {

// where cgroup v2 is mounted; empty where it is not
QString cgroupMount();
// the directory of the cgroup v2 that a process is in; empty where there is none
QString cgroupOf(qint64 pid);
// the directory that an application with that pid and start time has for its cgroups
QStringList applicationCgroups(qint64 pid, quint64 startTime);
// every cgroup below (and without) \a directory, deepest first
QStringList cgroupsBelow(const QString &directory);
bool isPopulated(const QString &cgroup);

} // namespace PkTest

#endif // PKTEST_CGROUPS_H
