// SPDX-License-Identifier: MIT
#include "reportchannel.h"

#include <QtCore/qdeadlinetimer.h>
#include <QtCore/qfile.h>

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <utility>

namespace PkTest {

ReportChannel::ReportChannel(const QString &directory)
{
    static int serial = 0;
    m_path = directory + QStringLiteral("/report-%1").arg(++serial);
    const QByteArray path = QFile::encodeName(m_path);
    if (mkfifo(path.constData(), 0600) < 0)
        qFatal("mkfifo failed");
    // open for writing too, so that it never comes to its end
    m_fd = open(path.constData(), O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (m_fd < 0)
        qFatal("the report channel cannot be opened");
    qputenv("PK_REPORT", path);
}

ReportChannel::~ReportChannel()
{
    close();
    ::close(m_fd);
}

void ReportChannel::close()
{
    if (!QFile::remove(m_path))
        return; // closed before
    qunsetenv("PK_REPORT");
}

bool ReportChannel::waitFor(const QList<QByteArray> &names, int timeout)
{
    const QDeadlineTimer deadline(timeout);
    for (;;) {
        bool all = true;
        for (const QByteArray &name : names)
            all = all && count(name) >= names.count(name);
        if (all)
            return true;
        pollfd entry{ m_fd, POLLIN, 0 };
        if (poll(&entry, 1, int(deadline.remainingTime())) == 0)
            return false;
    }
}

bool ReportChannel::waitForCount(const QByteArray &name, int wanted, int timeout)
{
    return waitFor(QList<QByteArray>(wanted, name), timeout);
}

const QList<Report> &ReportChannel::reports()
{
    readAvailable();
    return m_reports;
}

int ReportChannel::count(const QByteArray &name)
{
    int found = 0;
    for (const Report &report : reports())
        found += report.name == name;
    return found;
}

Report ReportChannel::report(const QByteArray &name)
{
    for (const Report &report : reports()) {
        if (report.name == name)
            return report;
    }
    return {};
}

Report ReportChannel::lastReport(const QByteArray &name)
{
    Report last;
    for (const Report &report : reports()) {
        if (report.name == name)
            last = report;
    }
    return last;
}

std::vector<PidHandle> ReportChannel::handles()
{
    std::vector<PidHandle> handles;
    for (const Report &report : reports())
        handles.emplace_back(report.pid, report.startTime);
    return handles;
}

void ReportChannel::readAvailable()
{
    char buffer[4096];
    ssize_t length;
    while ((length = read(m_fd, buffer, sizeof buffer)) > 0)
        m_buffer.append(buffer, length);
    for (qsizetype end; (end = m_buffer.indexOf('\n')) >= 0; m_buffer.remove(0, end + 1)) {
        const QList<QByteArray> words = m_buffer.left(end).split(' ');
        if (words.size() >= 3) {
            m_reports.append({ words[0], words[1].toLongLong(), words[2].toULongLong(),
                               words.mid(3).join(' ').trimmed() });
        }
    }
}

} // namespace PkTest
