// SPDX-License-Identifier: MIT
#include "fork_events.h"

#include <errno.h>
#include <linux/cn_proc.h>
#include <linux/connector.h>
#include <linux/netlink.h>
#include <string.h>
#include <sys/socket.h>

#include <utility>

namespace ProcessKit::Native {

ForkEvents &ForkEvents::instance()
{
    static auto *events = new ForkEvents; // the reactor's outlive the static destructors
    return *events;
}

void ForkEvents::add(const void *who, Listener listener)
{
    m_listeners[who] = std::move(listener);
    if (!m_socket)
        open();
}

void ForkEvents::remove(const void *who)
{
    m_listeners.erase(who);
    if (m_listeners.empty())
        close();
}

void ForkEvents::open()
{
    m_socket = aboveStandardStreams(UniqueFd(
            ::socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_CONNECTOR)));
    sockaddr_nl address{};
    address.nl_family = AF_NETLINK;
    address.nl_groups = CN_IDX_PROC;
    const bool isOpen = m_socket
            && ::bind(m_socket.get(), reinterpret_cast<sockaddr *>(&address), sizeof address) == 0
            && m_watch.start(m_socket.get(), Reactor::Readable, [this](auto) { read(); }) == 0;
    if (!isOpen || !ask(true))
        close();
}

bool ForkEvents::ask(bool listening)
{
    // a header of netlink's, one of the connector's, then the order
    struct
    {
        nlmsghdr netlink;
        alignas(4) char rest[sizeof(cn_msg) + sizeof(proc_cn_mcast_op)];
    } packet{};
    packet.netlink.nlmsg_len = NLMSG_LENGTH(sizeof packet.rest);
    packet.netlink.nlmsg_type = NLMSG_DONE;
    cn_msg message{};
    message.id = { CN_IDX_PROC, CN_VAL_PROC };
    message.len = sizeof(proc_cn_mcast_op);
    const proc_cn_mcast_op order = listening ? PROC_CN_MCAST_LISTEN : PROC_CN_MCAST_IGNORE;
    ::memcpy(packet.rest, &message, sizeof message);
    ::memcpy(packet.rest + sizeof message, &order, sizeof order);
    return ::send(m_socket.get(), &packet, packet.netlink.nlmsg_len, MSG_NOSIGNAL) >= 0;
}

void ForkEvents::close()
{
    if (m_isHearing)
        ask(false);
    m_isHearing = false;
    m_watch.stopAndClose(std::move(m_socket));
}

void ForkEvents::read()
{
    while (m_socket) {
        alignas(nlmsghdr) char bytes[4096];
        const ssize_t length = ::recv(m_socket.get(), bytes, sizeof bytes, 0);
        if (length < 0 && errno == ENOBUFS) {
            tell(0, 0);
            continue;
        }
        if (length <= 0)
            return;
        constexpr std::size_t headers = NLMSG_HDRLEN + sizeof(cn_msg);
        proc_event event{};
        if (std::size_t(length)
            < headers + offsetof(proc_event, event_data) + sizeof event.event_data.fork)
            continue;
        ::memcpy(&event, bytes + headers, std::min(sizeof event, std::size_t(length) - headers));
        if (event.what == proc_event::PROC_EVENT_NONE) {
            m_isHearing = event.event_data.ack.err == 0;
            tell(0, 0); // what was started until now was not told
        } else if (event.what == proc_event::PROC_EVENT_FORK
                   && event.event_data.fork.child_pid == event.event_data.fork.child_tgid) {
            tell(event.event_data.fork.parent_tgid, event.event_data.fork.child_tgid);
        }
    }
}

void ForkEvents::tell(pid_t parent, pid_t child)
{
    const auto listeners = m_listeners; // one may remove itself
    for (const auto &[who, listener] : listeners)
        listener(parent, child);
}

} // namespace ProcessKit::Native
