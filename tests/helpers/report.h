// SPDX-License-Identifier: MIT
#ifndef PK_REPORT_H
#define PK_REPORT_H

#include <QtCore/qbytearray.h>
#include <QtCore/qfile.h>

#include <fcntl.h>
#include <stdlib.h>
#include <sys/types.h>
#include <unistd.h>

// The same line that pk-helper writes: NAME PID STARTTIME [EXTRA].
inline void reportToTest(const char *name, pid_t pid, const QByteArray &extra)
{
    const char *path = getenv("PK_REPORT");
    if (!path)
        return;
    QByteArray start = "0";
    QFile stat(QStringLiteral("/proc/%1/stat").arg(pid));
    if (stat.open(QIODevice::ReadOnly | QIODevice::Unbuffered)) {
        const QByteArray text = stat.readAll();
        start = text.mid(text.lastIndexOf(')') + 2).split(' ').value(19);
    }
    const QByteArray line =
            name + (' ' + QByteArray::number(pid)) + ' ' + start + ' ' + extra + '\n';
    const int fd = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return;
    if (write(fd, line.constData(), size_t(line.size())) < 0)
        perror("pk-owner: report");
    close(fd);
}

#endif // PK_REPORT_H
