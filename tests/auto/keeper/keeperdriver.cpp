// SPDX-License-Identifier: MIT
#include "keeperdriver.h"

#include "cleantest.h"

#include <launch_plan.h>

#include <QtCore/qfile.h>

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace PkTest {

using namespace ProcessKit::Native;
using KeeperProtocol::Received;

static UniqueFd openPid(qint64 pid)
{
    return UniqueFd(int(syscall(SYS_pidfd_open, pid_t(pid), 0)));
}

QByteArray keeperProgram()
{
    const QByteArray chosen = qgetenv("PROCESSKIT_KEEPER");
    return chosen.isEmpty() ? QByteArray(PK_KEEPER) : chosen;
}

bool KeeperSocket::send(Type type, std::uint32_t id, const std::string &payload,
                        const std::vector<int> &descriptors)
{
    Message message;
    message.type = type;
    message.id = id;
    message.payload = payload;
    while (!KeeperProtocol::send(m_socket.get(), message, descriptors)) {
        if (errno != EAGAIN)
            return false;
        pollfd entry{ m_socket.get(), POLLOUT, 0 };
        if (poll(&entry, 1, Patience) <= 0)
            return false;
    }
    return true;
}

bool KeeperSocket::sendBytes(const QByteArray &packet)
{
    return ::send(m_socket.get(), packet.constData(), size_t(packet.size()), MSG_NOSIGNAL)
            == packet.size();
}

std::optional<Message> KeeperSocket::next(int timeout)
{
    const QDeadlineTimer deadline(timeout);
    for (;;) {
        Message message;
        switch (KeeperProtocol::receive(m_socket.get(), &message)) {
        case Received::Message:
            return message;
        case Received::Closed:
        case Received::Malformed:
            return std::nullopt;
        case Received::Nothing:
            break;
        }
        pollfd entry{ m_socket.get(), POLLIN, 0 };
        if (poll(&entry, 1, int(deadline.remainingTime())) <= 0)
            return std::nullopt;
    }
}

bool KeeperSocket::waitClosed()
{
    pollfd entry{ m_socket.get(), POLLIN, 0 };
    Message message;
    return poll(&entry, 1, Patience) > 0
            && KeeperProtocol::receive(m_socket.get(), &message) == Received::Closed;
}

SocketPair::SocketPair()
{
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
        qFatal("no socket");
    ours.reset(ends[0]);
    keepers.reset(ends[1]);
    KeeperProtocol::passCredentials(keepers.get());
}

static qint64 forkAndExecute(const QByteArrayList &command, int control)
{
    std::vector<char *> arguments;
    for (const QByteArray &argument : command)
        arguments.push_back(const_cast<char *>(argument.constData()));
    arguments.push_back(nullptr);
    char *environment[] = { nullptr };
    const pid_t pid = fork();
    if (pid == 0) {
        const int null = open("/dev/null", O_RDWR);
        for (int fd = 0; fd < 3; ++fd)
            dup2(null, fd);
        if (control >= 0) {
            if (control == KeeperProtocol::ControlDescriptor)
                fcntl(control, F_SETFD, 0);
            else
                dup2(control, KeeperProtocol::ControlDescriptor);
        }
        execve(arguments.front(), arguments.data(), environment);
        _exit(127);
    }
    return pid;
}

KeeperDriver::KeeperDriver(Greeting greeting)
{
    SocketPair pair;
    m_control = KeeperSocket(std::move(pair.ours));
    m_keeper = PidHandle(forkAndExecute({ keeperProgram() }, pair.keepers.get()));
    m_application = PidHandle(forkAndExecute({ QFile::encodeName(helper()), "pause" }, -1));
    if (greeting == Greeting::Yes) {
        const bool sent = greet();
        const std::optional<Message> answer = m_control.next();
        m_ready = sent && answer && answer->type == Type::Ready;
    }
}

bool KeeperDriver::greet()
{
    const UniqueFd application = openPid(m_application.pid());
    return m_control.send(Type::Hello, 0, {}, { application.get() });
}

Group KeeperDriver::startLaunch(const QByteArrayList &command, const QList<Descriptor> &descriptors)
{
    LaunchPlan plan;
    plan.candidates.append(command.value(0).toStdString());
    for (const QByteArray &argument : command)
        plan.arguments.append(argument.toStdString());
    for (const char *name : { "PK_REPORT", "PATH" })
        plan.environment.append((name + ('=' + qgetenv(name))).toStdString());
    const UniqueFd null(open("/dev/null", O_RDWR | O_CLOEXEC));
    const UniqueFd file(memfd_create("plan", MFD_CLOEXEC));
    std::vector<int> sent{ file.get() };
    for (int stream = 0; stream < 3; ++stream) {
        plan.descriptors.push_back({ null.get(), stream });
        sent.push_back(null.get());
    }
    for (const Descriptor &descriptor : descriptors) {
        if (descriptor.target < 3) {
            sent[size_t(descriptor.target) + 1] = descriptor.source;
            continue;
        }
        plan.descriptors.push_back({ descriptor.source, descriptor.target });
        sent.push_back(descriptor.source);
    }
    const std::string bytes = plan.serialize();
    if (write(file.get(), bytes.data(), bytes.size()) != ssize_t(bytes.size()))
        qFatal("no plan");

    Group group;
    group.id = ++m_lastId;
    SocketPair pair;
    group.socket = KeeperSocket(std::move(pair.ours));
    m_control.send(Type::MakeGroup, group.id, {}, { pair.keepers.get() });
    group.socket.send(Type::Launch, 0, {}, sent);
    return group;
}

Group KeeperDriver::launch(const QByteArrayList &command, const QList<Descriptor> &descriptors)
{
    Group group = startLaunch(command, descriptors);
    std::optional<Message> message = group.socket.next();
    std::int64_t child = 0;
    std::int64_t keeper = 0;
    if (message && message->type == Type::Launched && message->descriptors.size() == 1
        && message->take(&child) && message->take(&keeper)) {
        group.child = child;
        group.keeper = PidHandle(keeper);
    }
    return group;
}

} // namespace PkTest
