// SPDX-License-Identifier: MIT
#include "outbox.h"

#include <cerrno>

namespace ProcessKit::Keeper {

using namespace Native;
using KeeperProtocol::Message;

bool Outbox::sendNow(const Message &message)
{
    if (KeeperProtocol::send(m_socket, message))
        return true;
    // EPIPE, ECONNRESET: nobody listens, which the reading side notices too
    return errno != EAGAIN && errno != ENOBUFS && errno != ENOMEM;
}

void Outbox::send(Message message)
{
    if (!m_waiting.empty() || !sendNow(message))
        m_waiting.push_back(std::move(message));
}

bool Outbox::sendWith(const Message &message, int descriptor)
{
    return KeeperProtocol::send(m_socket, message, { descriptor });
}

void Outbox::flush()
{
    std::size_t sent = 0;
    while (sent < m_waiting.size() && sendNow(m_waiting[sent]))
        ++sent;
    m_waiting.erase(m_waiting.begin(), m_waiting.begin() + std::ptrdiff_t(sent));
}

} // namespace ProcessKit::Keeper
