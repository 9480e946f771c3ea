// SPDX-License-Identifier: MIT
#ifndef PKTEST_KEEPERDRIVER_H
#define PKTEST_KEEPERDRIVER_H

#include "pidhandle.h"

#include <keeper_protocol.h>

#include <QtCore/qbytearraylist.h>
#include <QtCore/qdeadlinetimer.h>

#include <optional>

namespace PkTest {

using ProcessKit::Native::LaunchStep;
using ProcessKit::Native::UniqueFd;
using ProcessKit::Native::KeeperProtocol::Message;
using ProcessKit::Native::KeeperProtocol::Type;

// One end of a socket to a keeper, read and written message by message.
class KeeperSocket
{
public:
    KeeperSocket() = default;
    explicit KeeperSocket(UniqueFd socket) : m_socket(std::move(socket)) { }

    int descriptor() const { return m_socket.get(); }
    bool send(Type type, std::uint32_t id = 0, const std::string &payload = {},
              const std::vector<int> &descriptors = {});
    bool sendBytes(const QByteArray &packet);
    // the next message; none at the end of the file or when none comes
    std::optional<Message> next(int timeout = Patience);
    // whether the next thing to come is the end of the file
    bool waitClosed();
    void close() { m_socket.reset(); }

private:
    UniqueFd m_socket;
};

// A pair of sockets of which the keeper's end tells the sender.
struct SocketPair
{
    SocketPair();
    UniqueFd ours;
    UniqueFd keepers;
};

struct Group
{
    KeeperSocket socket;
    std::uint32_t id = 0;
    qint64 child = 0;
    PidHandle keeper;
};

// A keeper that the test has started as an application does. The application is another process,
// which can be killed without the control socket being closed.
class KeeperDriver
{
public:
    enum class Greeting { No, Yes };
    explicit KeeperDriver(Greeting greeting = Greeting::Yes);

    KeeperSocket &control() { return m_control; }
    const PidHandle &keeper() const { return m_keeper; }
    qint64 application() const { return m_application.pid(); }
    bool isReady() const { return m_ready; }

    // Makes a group keeper and sends the launch; \a descriptors are sources and their targets.
    struct Descriptor
    {
        int source;
        int target;
    };
    Group startLaunch(const QByteArrayList &command, const QList<Descriptor> &descriptors = {});
    // ... and waits until the child runs; its id is 0 when it does not
    Group launch(const QByteArrayList &command, const QList<Descriptor> &descriptors = {});

    void killApplication() { m_application.end(); }
    // sends the greeting
    bool greet();

private:
    KeeperSocket m_control;
    PidHandle m_keeper;
    PidHandle m_application;
    std::uint32_t m_lastId = 0;
    bool m_ready = false;
};

QByteArray keeperProgram();
template<typename Number>
std::string bytesOf(Number number)
{
    return { reinterpret_cast<const char *>(&number), sizeof number };
}

} // namespace PkTest

#endif // PKTEST_KEEPERDRIVER_H
