// SPDX-License-Identifier: MIT
#include "keeper_protocol.h"

#include <cerrno>
#include <cstring>

#include <sys/socket.h>
#include <sys/uio.h>

namespace ProcessKit::Native::KeeperProtocol {

namespace {

struct Header
{
    std::uint32_t magic;
    std::uint16_t type;
    std::uint16_t flags;
    std::uint32_t id;
    std::uint32_t length;
};
static_assert(sizeof(Header) == 16);

constexpr std::size_t maximumPacket = sizeof(Header) + MaximumPayload;

bool isRequest(Type type)
{
    return std::uint16_t(type) < 16 || (std::uint16_t(type) >= 32 && std::uint16_t(type) < 48);
}

constexpr std::size_t usageSize = 5 * sizeof(std::int64_t); // see Message::appendUsage()

// Every payload but a path has a fixed size, and that of a launch can be left out.
bool isValidPayload(std::uint16_t type, std::string_view payload)
{
    switch (Type(type)) {
    case Type::HoldCgroup:
        return payload.size() > 1 && payload.size() <= 4096 && payload.front() == '/'
                && payload.find('\0') == payload.npos;
    case Type::HoldProcessGroup:
    case Type::Launched:
        return payload.size() == 16;
    case Type::LaunchFailed:
        return payload.size() == 8;
    case Type::Exited:
        return payload.size() == 8 + usageSize;
    case Type::Emptied:
        return payload.size() == usageSize;
    case Type::Launch:
        return payload.empty() || payload.size() == 4;
    case Type::GroupFailed:
    case Type::Signal:
        return payload.size() == 4;
    case Type::Hello:
    case Type::DropProcessGroup:
    case Type::MakeGroup:
    case Type::Ready:
    case Type::GroupLost:
    case Type::Kill:
        return payload.empty();
    }
    return false;
}

// Room for what a packet may carry beside its bytes, aligned as control messages are.
union Control {
    cmsghdr align;
    char bytes[CMSG_SPACE(sizeof(int) * MaximumDescriptors) + CMSG_SPACE(sizeof(ucred))];
};

void addControl(msghdr *packet, int type, const void *data, std::size_t size)
{
    auto *header = reinterpret_cast<cmsghdr *>(static_cast<char *>(packet->msg_control)
                                               + packet->msg_controllen);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = type;
    header->cmsg_len = CMSG_LEN(size);
    std::memcpy(CMSG_DATA(header), data, size);
    packet->msg_controllen += CMSG_SPACE(size);
}

void takeControl(msghdr *packet, Message *message)
{
    for (cmsghdr *header = CMSG_FIRSTHDR(packet); header; header = CMSG_NXTHDR(packet, header)) {
        if (header->cmsg_level != SOL_SOCKET)
            continue;
        const unsigned char *data = CMSG_DATA(header);
        const std::size_t size = header->cmsg_len - CMSG_LEN(0);
        if (header->cmsg_type == SCM_RIGHTS) {
            for (std::size_t at = 0; at + sizeof(int) <= size; at += sizeof(int)) {
                int descriptor;
                std::memcpy(&descriptor, data + at, sizeof descriptor);
                message->descriptors.emplace_back(descriptor);
            }
        } else if (header->cmsg_type == SCM_CREDENTIALS && size >= sizeof(ucred)) {
            ucred credentials;
            std::memcpy(&credentials, data, sizeof credentials);
            message->senderUser = credentials.uid;
            message->senderGroup = credentials.gid;
        }
    }
}

} // namespace

void Message::appendUsage(const rusage &usage)
{
    for (const std::int64_t number :
         { usage.ru_utime.tv_sec * 1'000'000 + usage.ru_utime.tv_usec,
           usage.ru_stime.tv_sec * 1'000'000 + usage.ru_stime.tv_usec,
           std::int64_t(usage.ru_maxrss), std::int64_t(usage.ru_inblock),
           std::int64_t(usage.ru_oublock) })
        append(number);
}

bool Message::takeUsage(rusage *usage)
{
    std::int64_t user, system, largest, read, written;
    if (!take(&user) || !take(&system) || !take(&largest) || !take(&read) || !take(&written))
        return false;
    *usage = {};
    usage->ru_utime = { user / 1'000'000, user % 1'000'000 };
    usage->ru_stime = { system / 1'000'000, system % 1'000'000 };
    usage->ru_maxrss = largest;
    usage->ru_inblock = read;
    usage->ru_oublock = written;
    return true;
}

std::string encode(const Message &message)
{
    Header header{};
    header.magic = Magic;
    header.type = std::uint16_t(message.type);
    header.id = message.id;
    header.length = std::uint32_t(message.payload.size());
    std::string packet;
    packet.reserve(sizeof header + message.payload.size());
    packet.append(reinterpret_cast<const char *>(&header), sizeof header);
    packet += message.payload;
    return packet;
}

bool decode(std::string_view packet, Message *message)
{
    Header header;
    if (packet.size() < sizeof header || packet.size() > maximumPacket)
        return false;
    std::memcpy(&header, packet.data(), sizeof header);
    packet.remove_prefix(sizeof header);
    if (header.magic != Magic || header.flags != 0 || header.length != packet.size()
        || !isValidPayload(header.type, packet))
        return false;
    message->type = Type(header.type);
    message->id = header.id;
    message->payload = packet;
    return true;
}

bool passCredentials(int socket)
{
    const int on = 1;
    return ::setsockopt(socket, SOL_SOCKET, SO_PASSCRED, &on, sizeof on) == 0;
}

bool send(int socket, const Message &message, const std::vector<int> &descriptors)
{
    if (descriptors.size() > MaximumDescriptors) {
        errno = E2BIG;
        return false;
    }
    std::string bytes = encode(message);
    iovec part{ bytes.data(), bytes.size() };
    Control control;
    std::memset(&control, 0, sizeof control);
    msghdr packet{};
    packet.msg_iov = &part;
    packet.msg_iovlen = 1;
    packet.msg_control = control.bytes;
    if (!descriptors.empty())
        addControl(&packet, SCM_RIGHTS, descriptors.data(), descriptors.size() * sizeof(int));
    const std::size_t plainLength = packet.msg_controllen;
    if (isRequest(message.type)) {
        const ucred credentials{ ::getpid(), ::geteuid(), ::getegid() };
        addControl(&packet, SCM_CREDENTIALS, &credentials, sizeof credentials);
    }

    while (true) {
        if (::sendmsg(socket, &packet, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0)
            return true;
        if (errno == EINTR)
            continue;
        // A user namespace without a mapping has no user to name: the kernel fills in what it
        // would call that one.
        if ((errno == EINVAL || errno == EPERM) && packet.msg_controllen != plainLength) {
            packet.msg_controllen = plainLength;
            continue;
        }
        return false;
    }
}

Received receive(int socket, Message *message)
{
    *message = {};
    char bytes[maximumPacket];
    Control control;
    iovec part{ bytes, sizeof bytes };
    msghdr packet{};
    packet.msg_iov = &part;
    packet.msg_iovlen = 1;
    packet.msg_control = control.bytes;
    packet.msg_controllen = sizeof control.bytes;

    // ECONNRESET says once that the other end was closed with messages unread; what it had sent
    // before is still to be had.
    ssize_t count;
    do {
        count = ::recvmsg(socket, &packet, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    } while (count < 0 && (errno == EINTR || errno == ECONNRESET));
    // short of memory, it stays where it is, and whoever watches the socket comes again
    if (count < 0 && (errno == EAGAIN || errno == ENOMEM || errno == ENOBUFS))
        return Received::Nothing;
    if (count < 0)
        return Received::Closed;
    takeControl(&packet, message); // before any return: these descriptors are open
    // End of file is no different from an empty packet, which nobody has a reason to send.
    if (count == 0)
        return Received::Closed;
    if ((packet.msg_flags & MSG_TRUNC) || !decode({ bytes, std::size_t(count) }, message))
        return Received::Malformed;
    return Received::Message;
}

} // namespace ProcessKit::Native::KeeperProtocol
