// SPDX-License-Identifier: MIT
// For a host without Qt's private headers: what the test of QProcess uses of this one, written
// anew.
#ifndef PROCESSKIT_COMPAT_QCORE_UNIX_P_H
#define PROCESSKIT_COMPAT_QCORE_UNIX_P_H

#include <QtCore/qglobal.h>

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

inline int qt_safe_pipe(int ends[2], int flags = 0)
{
    return ::pipe2(ends, flags | O_CLOEXEC);
}

inline qint64 qt_safe_read(int fd, void *data, qint64 size)
{
    ssize_t count;
    do {
        count = ::read(fd, data, size_t(size));
    } while (count < 0 && errno == EINTR);
    return count;
}

inline int qt_safe_close(int fd)
{
    return ::close(fd);
}

#endif // PROCESSKIT_COMPAT_QCORE_UNIX_P_H
