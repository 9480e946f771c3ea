// SPDX-License-Identifier: MIT
#include "processrun_p.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

// What a run's child writes.

namespace ProcessKit {

using Native::Reactor;

namespace {

constexpr qint64 maximumPendingLineBytes = 256 * 1024; // on their way to the owner
constexpr int largePipe = 1024 * 1024;
constexpr std::size_t readSize = 256 * 1024;

char *readBuffer()
{
    static char *const buffer = new char[readSize]; // the reactor's
    return buffer;
}

} // namespace

void ProcessRun::closeOutput(QProcess::ProcessChannel channel)
{
    Reactor::instance().post([self = shared_from_this(), channel] {
        // read on: who still writes there is not to die of a closed pipe
        self->m_channels[std::size_t(channel)]->discarding = true;
        self->resumeReading();
    });
}

qint64 ProcessRun::room(int index)
{
    const std::lock_guard lock(m_mutex);
    Channel *channel = m_channels[std::size_t(index)];
    const bool asLines = m_interests & (1 << index);
    qint64 left = qint64(readSize);
    if (channel->discarding) {
        channel->paused = false;
        return left;
    }
    if (asLines)
        left = m_pendingLineBytes < maximumPendingLineBytes ? left : 0;
    else if (m_readLimit > 0)
        left = qMin(left, m_readLimit - m_unread);
    channel->paused = left <= 0;
    return left;
}

void ProcessRun::readChannel(int index)
{
    if (room(index) <= 0) {
        // taken out altogether: a hang-up is reported whatever one has asked for
        m_channels[std::size_t(index)]->watch.stop();
        return;
    }
    readOnce(index, false);
    finishIfEnded();
    releaseIfDone();
}

void ProcessRun::resumeReading()
{
    for (int index = 0; index < 2; ++index) {
        Channel *channel = m_channels[std::size_t(index)];
        if (channel->fd && !channel->watch.isActive() && room(index) > 0)
            watchChannel(index);
    }
}

void ProcessRun::watchChannel(int index)
{
    Channel *channel = m_channels[std::size_t(index)];
    if (channel->watch.start(channel->fd.get(), Reactor::Readable,
                             [this, index](auto) { readChannel(index); }))
        endChannel(index);
}

// false when nothing more is to be read now
bool ProcessRun::readOnce(int index, bool unlimited)
{
    Channel *channel = m_channels[std::size_t(index)];
    const qint64 size = unlimited ? qint64(readSize) : qMin(qint64(readSize), room(index));
    char *buffer = readBuffer();
    ssize_t count;
    do {
        count = ::read(channel->fd.get(), buffer, size_t(size));
    } while (count < 0 && errno == EINTR);
    if (count < 0 && errno == EAGAIN)
        return false;
    if (count <= 0) {
        endChannel(index);
        return false;
    }
    if (!channel->enlarged && count >= 64 * 1024) {
        // whoever fills a pipe gets a larger one; there may be no permission for it (pipe(7))
        channel->enlarged = true;
        ::fcntl(channel->fd.get(), F_SETPIPE_SZ, largePipe);
    }
    m_activityTime = Reactor::Clock::now();
    if (m_drainTimer.isActive() && !m_killed)
        armDrain();
    if (channel->discarding)
        return true;

    bool asLines;
    {
        const std::lock_guard lock(m_mutex);
        asLines = m_interests & (1 << index);
    }
    if (asLines) {
        QList<OutputLine> lines;
        channel->splitter.feed(QByteArrayView(buffer, count), &lines, &m_lineNumber);
        if (!lines.isEmpty()) {
            tell([&](RunNews &news) {
                m_pendingLineBytes += count;
                if (news.lines.isEmpty())
                    news.lines = std::move(lines);
                else
                    news.lines.append(std::move(lines));
            });
        }
    } else {
        QByteArray bytes(buffer, count);
        tell([&](RunNews &news) {
            m_unread += count;
            news.bytes[std::size_t(index)].append(std::move(bytes));
        });
    }
    return true;
}

void ProcessRun::endChannel(int index)
{
    Channel *channel = m_channels[std::size_t(index)];
    if (!channel->fd)
        return;
    channel->watch.stopAndClose(std::move(channel->fd));
    QList<OutputLine> lines;
    channel->splitter.finish(&lines, &m_lineNumber);
    if (!lines.isEmpty())
        tell([&](RunNews &news) { news.lines += lines; });
}

// What is left in the pipes once nobody can write into them any more; a pipe's size at most, so no
// limit holds it up.
void ProcessRun::readRest()
{
    for (int index = 0; index < 2; ++index) {
        while (m_channels[std::size_t(index)]->fd && readOnce(index, true)) { }
    }
}

bool ProcessRun::streamsAreOpen() const
{
    return m_output.fd || m_error.fd;
}

} // namespace ProcessKit
