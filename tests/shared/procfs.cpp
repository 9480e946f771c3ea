// SPDX-License-Identifier: MIT
#include "procfs.h"

#include <QtCore/qdir.h>
#include <QtCore/qfile.h>
#include <QtCore/qregularexpression.h>

#include <dirent.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

namespace PkTest {

static QByteArray readAll(const QString &path)
{
    QFile file(path);
    return file.open(QIODevice::ReadOnly | QIODevice::Unbuffered) ? file.readAll() : QByteArray();
}

static QList<qint64> numbersIn(const QByteArray &path)
{
    QList<qint64> numbers;
    DIR *directory = opendir(path.constData());
    if (!directory)
        return numbers;
    while (const dirent *entry = readdir(directory)) {
        char *end = nullptr;
        const qint64 number = strtoll(entry->d_name, &end, 10);
        if (end != entry->d_name && *end == '\0' && number != dirfd(directory))
            numbers.append(number);
    }
    closedir(directory);
    return numbers;
}

std::optional<ProcStat> procStat(qint64 pid)
{
    const QByteArray text = readAll(QStringLiteral("/proc/%1/stat").arg(pid));
    const auto open = text.indexOf('(');
    const auto close = text.lastIndexOf(')'); // a name may hold anything
    if (open < 0 || close < open)
        return std::nullopt;
    const QList<QByteArray> fields = text.mid(close + 2).split(' ');
    if (fields.size() < 20)
        return std::nullopt;
    ProcStat stat;
    stat.pid = pid;
    stat.name = text.mid(open + 1, close - open - 1);
    stat.state = fields[0].at(0);
    stat.parent = fields[1].toLongLong();
    stat.group = fields[2].toLongLong();
    stat.session = fields[3].toLongLong();
    stat.startTime = fields[19].toULongLong();
    return stat;
}

QList<ProcStat> allProcesses()
{
    QList<ProcStat> processes;
    for (qint64 pid : numbersIn("/proc")) {
        if (const auto stat = procStat(pid))
            processes.append(*stat);
    }
    return processes;
}

QList<ProcStat> childrenOf(qint64 pid)
{
    QList<ProcStat> children;
    for (const ProcStat &stat : allProcesses()) {
        if (stat.parent == pid)
            children.append(stat);
    }
    return children;
}

QByteArray commandLine(qint64 pid)
{
    return readAll(QStringLiteral("/proc/%1/cmdline").arg(pid)).replace('\0', ' ').left(300);
}

bool hasEnvironmentEntry(qint64 pid, const QByteArray &entry)
{
    const QByteArray environment = readAll(QStringLiteral("/proc/%1/environ").arg(pid));
    return environment.startsWith(entry + '\0') || environment.contains('\0' + entry + '\0');
}

QMap<int, QString> openDescriptors(qint64 pid)
{
    QMap<int, QString> descriptors;
    const QByteArray directory = "/proc/" + QByteArray::number(pid) + "/fd";
    for (qint64 fd : numbersIn(directory)) {
        char target[PATH_MAX];
        const QByteArray link = directory + '/' + QByteArray::number(fd);
        const ssize_t length = readlink(link.constData(), target, sizeof target);
        if (length > 0)
            descriptors.insert(int(fd), QString::fromUtf8(target, length));
    }
    return descriptors;
}

int takeKeptDescriptors(QMap<int, QString> *descriptors)
{
    static const QRegularExpression leaf(
            QStringLiteral("/processkit-[^/]+/(group\\d+/)?run\\d+(/cgroup\\.events)?$"));
    return int(descriptors->removeIf([](const QMap<int, QString>::iterator &entry) {
        return leaf.match(entry.value()).hasMatch();
    }));
}

} // namespace PkTest
