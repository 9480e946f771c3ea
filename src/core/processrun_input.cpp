// SPDX-License-Identifier: MIT
#include "processrun_p.h"

#include "deviceinput_p.h"

#include <errno.h>
#include <unistd.h>

// What a run's child reads.

namespace ProcessKit {

using Native::Reactor;

namespace {

constexpr qint64 longestTurn = 1024 * 1024; // bytes written at once

} // namespace

void ProcessRun::write(QByteArray bytes)
{
    const std::lock_guard lock(m_mutex);
    m_incomingInput.append(std::move(bytes));
    if (!std::exchange(m_inputPosted, true))
        Reactor::instance().post([self = shared_from_this()] { self->flushInput(); });
}

void ProcessRun::closeInput()
{
    const std::lock_guard lock(m_mutex);
    m_closeInput = true;
    if (!std::exchange(m_inputPosted, true))
        Reactor::instance().post([self = shared_from_this()] { self->flushInput(); });
}

void ProcessRun::flushInput()
{
    bool close;
    {
        const std::lock_guard lock(m_mutex);
        m_inputPosted = false;
        m_inputQueue.append(std::move(m_incomingInput));
        close = m_closeInput;
    }
    if (!m_input)
        return;
    qint64 written = 0;
    int error = 0;
    while (!error) {
        if (m_inputQueue.isEmpty())
            error = fetchInput();
        if (m_inputQueue.isEmpty())
            break;
        if (written >= longestTurn) {
            error = EAGAIN; // others have their pipes, too
            break;
        }
        const QByteArrayView bytes = m_inputQueue.first();
        const ssize_t count = ::write(m_input.get(), bytes.data(), size_t(bytes.size()));
        if (count >= 0) {
            m_inputQueue.dropFront(count);
            written += count;
        } else if (errno != EINTR) {
            error = errno;
        }
    }
    if (error == EAGAIN) {
        if (!m_inputWatch.isActive())
            error = m_inputWatch.start(m_input.get(), Reactor::Writable,
                                       [this](auto) { flushInput(); });
        else
            error = 0;
    } else {
        m_inputWatch.stop();
    }
    if (error || (close && m_inputQueue.isEmpty() && !hasMoreInput()))
        endInput();
    if (written || error) {
        tell([&](RunNews &news) {
            news.written += written;
            news.writeError = error;
        });
    }
}

// 0 or errno; a device may have nothing yet, and tells later
int ProcessRun::fetchInput()
{
    if (m_setup.moreInput) {
        QByteArray more = m_setup.moreInput();
        if (more.isEmpty())
            m_setup.moreInput = nullptr;
        m_inputQueue.append(std::move(more));
    } else if (m_setup.device) {
        const DeviceInput::State state = m_setup.device->take(&m_inputQueue);
        if (state == DeviceInput::State::Lost)
            return ENODEV;
        if (state == DeviceInput::State::Ended)
            m_setup.device.reset();
    }
    return 0;
}

// Nothing is written any more.
void ProcessRun::endInput()
{
    m_inputWatch.stop();
    m_input.reset();
    m_inputQueue.clear();
    m_setup.moreInput = nullptr;
    if (const auto device = std::exchange(m_setup.device, nullptr))
        device->stop();
}

} // namespace ProcessKit
