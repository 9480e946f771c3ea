// SPDX-License-Identifier: MIT
#ifndef PKTEST_REPORTCHANNEL_H
#define PKTEST_REPORTCHANNEL_H

#include "pidhandle.h"

#include <QtCore/qbytearray.h>
#include <QtCore/qlist.h>
#include <QtCore/qstring.h>

#include <memory>
#include <vector>

namespace PkTest {

struct Report
{
    QByteArray name;
    qint64 pid = 0;
    quint64 startTime = 0;
    QByteArray extra;
};

// The FIFO through which helpers tell which processes they are. Its path is in PK_REPORT, so it
// needs no inherited descriptor, and whatever a helper does with its own cannot break it.
class ReportChannel
{
public:
    explicit ReportChannel(const QString &directory);
    ~ReportChannel();

    QString path() const { return m_path; }
    // blocks until something has reported each of \a names (a name twice: two reports)
    bool waitFor(const QList<QByteArray> &names, int timeout = Patience);
    bool waitForCount(const QByteArray &name, int count, int timeout = Patience);
    // what has been reported by now; does not block
    const QList<Report> &reports();
    int count(const QByteArray &name);
    Report report(const QByteArray &name);
    Report lastReport(const QByteArray &name);
    // a handle of every process that has reported itself
    std::vector<PidHandle> handles();
    // from here on helpers find no channel, and endless loops among them end
    void close();

private:
    void readAvailable();

    QString m_path;
    int m_fd = -1;
    QByteArray m_buffer;
    QList<Report> m_reports;
};

} // namespace PkTest

#endif // PKTEST_REPORTCHANNEL_H
