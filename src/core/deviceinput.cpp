// SPDX-License-Identifier: MIT
#include "deviceinput_p.h"

#include <QtCore/qcoreapplication.h>
#include <QtCore/qcoreevent.h>
#include <QtCore/qiodevice.h>
#include <QtCore/qthread.h>

#include <atomic>

namespace ProcessKit {

namespace {

constexpr qint64 longestQueue = 256 * 1024;
constexpr qint64 pieceSize = 16 * 1024;

} // namespace

// A child of the device, as soon as it is in its thread: goes with it wherever it is moved, and
// ends with it at the latest.
class DeviceReader final : public QObject
{
public:
    static constexpr QEvent::Type WakeEvent = QEvent::Type(QEvent::User + 0x504c);

    DeviceReader(QIODevice *device, std::shared_ptr<DeviceInput> input)
        : m_device(device), m_input(std::move(input))
    {
        if (device->thread() == thread()) {
            setParent(device);
        } else {
            moveToThread(device->thread());
            connect(device, &QObject::destroyed, this, [this] { delete this; });
        }
        connect(device, &QIODevice::readyRead, this, [this] { read(); });
        connect(device, &QIODevice::readChannelFinished, this, [this] {
            m_channelFinished = true;
            read();
        });
        connect(device, &QIODevice::aboutToClose, this, [this] { readRest(); });
        m_isComplete = true;
        if (!parent())
            QCoreApplication::postEvent(this, new QEvent(WakeEvent));
    }
    ~DeviceReader() override
    {
        m_input->end(DeviceInput::State::Lost);
        m_input->setReader(nullptr);
    }

    void read()
    {
        for (qint64 room = m_input->room(); room > 0; room = m_input->room()) {
            if (!readPiece(qMin(room, pieceSize)))
                return;
        }
    }

protected:
    bool event(QEvent *event) override
    {
        if (event->type() != WakeEvent || !m_isComplete)
            return QObject::event(event);
        if (!parent())
            setParent(m_device); // which is for this thread to do
        read();
        return true;
    }

private:
    // false when there is nothing now, or never more
    bool readPiece(qint64 size)
    {
        char buffer[pieceSize];
        const qint64 count = m_device->isReadable() ? m_device->read(buffer, size) : -1;
        if (count > 0)
            m_input->append(QByteArray(buffer, count));
        else if (count < 0 || m_channelFinished || !m_device->isSequential())
            m_input->end(DeviceInput::State::Ended);
        return count > 0;
    }

    // What the device holds is gone when it is closed, so there is no limit to it.
    void readRest()
    {
        if (m_input->room() < 0)
            return;
        const qint64 pieces = (m_device->bytesAvailable() + pieceSize - 1) / pieceSize;
        for (qint64 i = 0; i < pieces && readPiece(pieceSize); ++i) { }
        m_input->end(DeviceInput::State::Ended);
    }

    QIODevice *const m_device;
    const std::shared_ptr<DeviceInput> m_input;
    // Made in one thread and used in another, which Qt's events keep apart; but of that a sanitizer
    // sees nothing.
    std::atomic<bool> m_isComplete = false;
    bool m_channelFinished = false;
};

// The reader holds the letter box, too, so it is not the box whose end is the end of all.
struct DeviceInput::Holder
{
    explicit Holder(QIODevice *device) : input(std::make_shared<DeviceInput>())
    {
        input->setReader(new DeviceReader(device, input)); // which is the device's
    }
    ~Holder()
    {
        input->stop();
        if (owned)
            owned.release()->deleteLater(); // in its thread
    }
    Q_DISABLE_COPY_MOVE(Holder)

    const std::shared_ptr<DeviceInput> input;
    std::unique_ptr<QIODevice> owned;
};

std::shared_ptr<DeviceInput> DeviceInput::of(QIODevice *device)
{
    const auto holder = std::make_shared<Holder>(device);
    return { holder, holder->input.get() };
}

std::shared_ptr<DeviceInput> DeviceInput::of(std::unique_ptr<QIODevice> device)
{
    const auto holder = std::make_shared<Holder>(device.get());
    holder->owned = std::move(device);
    return { holder, holder->input.get() };
}

void DeviceInput::open()
{
    DeviceReader *reader = nullptr;
    {
        const std::lock_guard lock(m_mutex);
        m_open = true;
        if (m_reader && m_reader->thread() == QThread::currentThread())
            reader = m_reader; // which nobody else can destroy
        else
            wakeReader();
    }
    if (reader)
        reader->read();
}

void DeviceInput::start(std::function<void()> arrived)
{
    const std::lock_guard lock(m_mutex);
    m_arrived = std::move(arrived);
}

DeviceInput::State DeviceInput::take(ByteQueue *bytes)
{
    const std::lock_guard lock(m_mutex);
    m_isAwaited = m_bytes.isEmpty();
    if (m_isAwaited)
        return m_state;
    bytes->append(std::move(m_bytes));
    m_bytes.clear();
    if (std::exchange(m_isFull, false))
        wakeReader();
    return State::Goes;
}

void DeviceInput::stop()
{
    const std::lock_guard lock(m_mutex);
    m_stopped = true;
    m_arrived = nullptr;
    m_bytes.clear();
    if (m_reader)
        m_reader->deleteLater();
}

// negative when nothing is wanted
qint64 DeviceInput::room()
{
    const std::lock_guard lock(m_mutex);
    if (!m_open || m_stopped || m_state != State::Goes)
        return -1;
    const qint64 room = longestQueue - m_bytes.size();
    m_isFull = room <= 0;
    return room;
}

void DeviceInput::append(QByteArray bytes)
{
    const std::lock_guard lock(m_mutex);
    m_bytes.append(std::move(bytes));
    tellArrival();
}

void DeviceInput::end(State state)
{
    const std::lock_guard lock(m_mutex);
    if (m_state != State::Goes)
        return;
    m_state = state;
    tellArrival();
}

void DeviceInput::setReader(DeviceReader *reader)
{
    const std::lock_guard lock(m_mutex);
    m_reader = reader;
}

// m_mutex is held
void DeviceInput::tellArrival()
{
    if (m_arrived && std::exchange(m_isAwaited, false))
        m_arrived();
}

// m_mutex is held
void DeviceInput::wakeReader()
{
    if (m_reader)
        QCoreApplication::postEvent(m_reader, new QEvent(DeviceReader::WakeEvent));
}

} // namespace ProcessKit
