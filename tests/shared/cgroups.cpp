// SPDX-License-Identifier: MIT
#include "cgroups.h"

#include <QtCore/qdir.h>
#include <QtCore/qdiriterator.h>
#include <QtCore/qfile.h>

namespace PkTest {

QString cgroupMount()
{
    QFile file(QStringLiteral("/proc/self/mountinfo"));
    if (!file.open(QIODevice::ReadOnly | QIODevice::Unbuffered))
        return {};
    for (const QByteArray &line : file.readAll().split('\n')) {
        const auto separator = line.indexOf(" - ");
        if (separator > 0 && line.mid(separator + 3).startsWith("cgroup2 "))
            return QFile::decodeName(line.split(' ').value(4));
    }
    return {};
}

QString cgroupOf(qint64 pid)
{
    QFile file(QStringLiteral("/proc/%1/cgroup").arg(pid));
    const QString mount = cgroupMount();
    if (mount.isEmpty() || !file.open(QIODevice::ReadOnly | QIODevice::Unbuffered))
        return {};
    for (const QByteArray &line : file.readAll().split('\n')) {
        if (line.startsWith("0::"))
            return mount + QFile::decodeName(line.mid(3));
    }
    return {};
}

QStringList applicationCgroups(qint64 pid, quint64 startTime)
{
    QStringList found;
    const QString mount = cgroupMount();
    if (mount.isEmpty())
        return found;
    const QString prefix = QStringLiteral("processkit-%1-%2-").arg(pid).arg(startTime);
    for (const QString &path : cgroupsBelow(mount)) {
        const QString name = path.mid(path.lastIndexOf(QLatin1Char('/')) + 1);
        // a scope is what the keeper is in for as long as it lives
        if (name.startsWith(prefix) && !name.endsWith(QLatin1String(".scope")))
            found.append(path);
    }
    return found;
}

QStringList cgroupsBelow(const QString &directory)
{
    QStringList found;
    const QDir::Filters filters = QDir::Dirs | QDir::NoDotAndDotDot | QDir::NoSymLinks;
    for (const QString &name : QDir(directory).entryList(filters)) {
        const QString path = directory + QLatin1Char('/') + name;
        found += cgroupsBelow(path);
        found.append(path);
    }
    return found;
}

bool isPopulated(const QString &cgroup)
{
    QFile file(cgroup + QStringLiteral("/cgroup.events"));
    return file.open(QIODevice::ReadOnly | QIODevice::Unbuffered)
            && file.readAll().contains("populated 1");
}

} // namespace PkTest
