// SPDX-License-Identifier: MIT
#ifndef PKTEST_PROCFS_H
#define PKTEST_PROCFS_H

#include <QtCore/qbytearray.h>
#include <QtCore/qlist.h>
#include <QtCore/qmap.h>
#include <QtCore/qstring.h>

#include <optional>

// /proc as the tests read it, independent of the library's own reader.
namespace PkTest {

struct ProcStat
{
    qint64 pid = 0;
    qint64 parent = 0;
    qint64 group = 0;
    qint64 session = 0;
    quint64 startTime = 0;
    char state = '?';
    QByteArray name;

    bool isAlive() const { return state != 'Z' && state != 'X'; }
};

std::optional<ProcStat> procStat(qint64 pid);
QList<ProcStat> allProcesses();
QList<ProcStat> childrenOf(qint64 pid);
QByteArray commandLine(qint64 pid);
bool hasEnvironmentEntry(qint64 pid, const QByteArray &entry);
// number and target of each open descriptor; empty when they cannot be read
QMap<int, QString> openDescriptors(qint64 pid);
// Takes out those that belong to empty cgroups and wait there for the next start; their number. The
// library promises that there are never more than MostKeptDescriptors.
int takeKeptDescriptors(QMap<int, QString> *descriptors);
constexpr int MostKeptDescriptors = 16;

} // namespace PkTest

#endif // PKTEST_PROCFS_H
