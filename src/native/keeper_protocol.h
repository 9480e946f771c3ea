// SPDX-License-Identifier: MIT
#ifndef PROCESSKIT_NATIVE_KEEPER_PROTOCOL_H
#define PROCESSKIT_NATIVE_KEEPER_PROTOCOL_H

#include "launch_plan.h"
#include "unique_fd.h"

#include <sys/resource.h>
#include <sys/types.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

// What an application and its keeper say to each other. Two kinds of SOCK_SEQPACKET sockets carry
// it, one message a packet: the control socket (application and keeper) and one for each group of
// the Subreaper mechanism (application and group keeper). Bulk data (argv, environment, pipes)
// travels as descriptors beside the message, never in it.
namespace ProcessKit::Native::KeeperProtocol {

constexpr std::uint32_t Magic = 0x504b0002; // "PK", version 2
constexpr std::size_t MaximumPayload = 4096 + 256; // a path and some numbers
constexpr std::size_t MaximumDescriptors = 250;
// the descriptor on which a keeper finds its control socket when it starts
constexpr int ControlDescriptor = 3;
constexpr std::uint32_t IntoCgroup = 1;
// what /proc calls a group keeper
constexpr char GroupKeeperName[] = "processkit-grp";

enum class Type : std::uint16_t {
    // application -> keeper
    Hello = 1, // descriptors: pidfd of the application
    HoldCgroup = 2, // payload: path of a cgroup to empty and remove when the application dies
    HoldProcessGroup = 3, // id; payload: int64 pgid, uint64 start time; descriptors: leader's pidfd
    DropProcessGroup = 4, // id: the group is known to be empty
    MakeGroup = 5, // id; descriptors: the group keeper's end of its socket

    // keeper -> application
    Ready = 16, // the answer to Hello
    GroupLost = 17, // id: that group keeper was killed; its processes have been ended
    GroupFailed = 18, // id; payload: int32 errno: the group keeper could not be made

    // application -> group keeper
    // payload: nothing or uint32 IntoCgroup; descriptors: a memfd with the serialized LaunchPlan,
    // with
    // IntoCgroup the directory of the cgroup to be born in, then the plan's sources
    Launch = 32,
    Signal = 33, // payload: int32 signal, to every member
    Kill = 34,

    // group keeper -> application
    Launched = 48, // payload: int64 pid of the child, int64 pid of the group keeper;
    // descriptors: the child's pidfd
    LaunchFailed = 49, // payload: LaunchStep as int32, errno as int32
    // payload: int32 si_code, int32 si_status, Usage: the direct child was reaped
    Exited = 50,
    Emptied = 51, // payload: Usage: no process is left in the group (it is the last message)
};

struct Message
{
    Type type = Type::Hello;
    std::uint32_t id = 0;
    std::string payload;
    std::vector<UniqueFd> descriptors; // of a received message; fewer than were sent when the
                                       // receiver may not open more
    // Of a received message: whose it is, when the socket passes credentials (else -1).
    uid_t senderUser = uid_t(-1);
    gid_t senderGroup = gid_t(-1);

    // what all children of the sender that it has reaped have used: microseconds in user and system
    // mode, KiB of the largest, blocks read and written, as int64
    void appendUsage(const rusage &usage);
    bool takeUsage(rusage *usage);
    // numbers in a payload, one after another
    template<typename Number>
    void append(Number number)
    {
        payload.append(reinterpret_cast<const char *>(&number), sizeof number);
    }
    // false when the payload is too short
    template<typename Number>
    bool take(Number *number)
    {
        if (payload.size() < sizeof *number)
            return false;
        payload.copy(reinterpret_cast<char *>(number), sizeof *number);
        payload.erase(0, sizeof *number);
        return true;
    }
};

// The wire form: Magic, type, flags (0), id, payload length, then the payload.
std::string encode(const Message &message);
// false for anything that is not exactly one well-formed message of a known type
bool decode(std::string_view packet, Message *message);

enum class Received { Message, Nothing, Closed, Malformed };

// From now on messages that arrive on \a socket tell their sender.
bool passCredentials(int socket);

// Sends without blocking; false with errno. What goes to a keeper carries the effective user and
// group of the sender, so that a program which gave up a privilege cannot use it through a keeper
// that was started before. \a descriptors are only borrowed.
bool send(int socket, const Message &message, const std::vector<int> &descriptors = {});
// Receives without blocking; descriptors arrive close-on-exec.
Received receive(int socket, Message *message);

} // namespace ProcessKit::Native::KeeperProtocol

#endif // PROCESSKIT_NATIVE_KEEPER_PROTOCOL_H
