// SPDX-License-Identifier: MIT
#ifndef PROCESSKIT_KEEPER_OUTBOX_H
#define PROCESSKIT_KEEPER_OUTBOX_H

#include "keeper_protocol.h"

#include <vector>

namespace ProcessKit::Keeper {

// Messages on their way out of a socket: in order, none lost, nobody blocked.
class Outbox
{
public:
    explicit Outbox(int socket) : m_socket(socket) { }

    // Keeps what the socket has no room for.
    void send(Native::KeeperProtocol::Message message);
    // Only as the first message, for which there is always room. false with errno: a user may have
    // only so many descriptors in flight (ETOOMANYREFS), and no event tells when there are fewer.
    bool sendWith(const Native::KeeperProtocol::Message &message, int descriptor);
    // the socket is writable again
    void flush();
    // nobody listens any more
    void discard() { m_waiting.clear(); }
    bool isEmpty() const { return m_waiting.empty(); }

private:
    bool sendNow(const Native::KeeperProtocol::Message &message);

    const int m_socket;
    std::vector<Native::KeeperProtocol::Message> m_waiting;
};

} // namespace ProcessKit::Keeper

#endif // PROCESSKIT_KEEPER_OUTBOX_H
