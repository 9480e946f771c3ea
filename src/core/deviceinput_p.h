// SPDX-License-Identifier: MIT
#ifndef PROCESSKIT_DEVICEINPUT_P_H
#define PROCESSKIT_DEVICEINPUT_P_H

#include "bytequeue_p.h"

#include <functional>
#include <memory>
#include <mutex>

QT_BEGIN_NAMESPACE
class QIODevice;
QT_END_NAMESPACE

namespace ProcessKit {

class DeviceReader;

// The letter box between a device, which is read in its own thread whenever it has something, and
// the run whose input that is. No more than a limit lies in it.
class DeviceInput
{
public:
    enum class State { Goes, Ended, Lost };

    // A reader waits from now on, in the device's thread, until the last who holds the result has
    // gone. One that is owned goes then as well. Any thread, as long as the device is there.
    static std::shared_ptr<DeviceInput> of(QIODevice *device);
    static std::shared_ptr<DeviceInput> of(std::unique_ptr<QIODevice> device);

    // Reading begins; what is there already is read at once if this is the device's thread. Any
    // thread.
    void open();

    // The reactor's side. \a arrived is called, in any thread, when there is something after a
    // take() that gave nothing.
    void start(std::function<void()> arrived);
    // what has come; nothing together with another state than State::Goes
    State take(ByteQueue *bytes);
    // The device is left alone from now on.
    void stop();

private:
    struct Holder;
    friend class DeviceReader;

    // the reader's side
    qint64 room();
    void append(QByteArray bytes);
    void end(State state);
    void setReader(DeviceReader *reader);
    void tellArrival();
    void wakeReader();

    std::mutex m_mutex;
    DeviceReader *m_reader = nullptr; // while it exists
    std::function<void()> m_arrived;
    ByteQueue m_bytes;
    State m_state = State::Goes;
    bool m_open = false;
    bool m_stopped = false;
    bool m_isFull = false; // the reader has to be told of room
    bool m_isAwaited = false; // something, by the run
};

} // namespace ProcessKit

#endif // PROCESSKIT_DEVICEINPUT_P_H
