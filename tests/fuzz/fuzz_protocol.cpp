// SPDX-License-Identifier: MIT
#include "fuzzing.h"

#include <keeper_protocol.h>

using namespace ProcessKit::Native::KeeperProtocol;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size)
{
    const std::string packet(reinterpret_cast<const char *>(data), size);
    Message message;
    if (!decode(packet, &message))
        return 0;
    FUZZ_CHECK(message.payload.size() <= MaximumPayload);
    FUZZ_CHECK(encode(message) == packet);
    // as the handlers read them
    std::int64_t number;
    std::int32_t code;
    while (message.take(&number) || message.take(&code)) { }
    FUZZ_CHECK(message.payload.size() < sizeof code || message.type == Type::HoldCgroup);
    return 0;
}

std::vector<std::string> seeds()
{
    std::vector<std::string> packets;
    const auto add = [&packets](Type type, std::string payload) {
        Message message;
        message.type = type;
        message.id = 258;
        message.payload = std::move(payload);
        packets.push_back(encode(message));
    };
    for (Type type : { Type::Hello, Type::DropProcessGroup, Type::MakeGroup, Type::Ready,
                       Type::GroupLost, Type::Launch, Type::Kill, Type::Emptied })
        add(type, {});
    for (Type type : { Type::Signal, Type::GroupFailed })
        add(type, std::string(4, '\1'));
    for (Type type : { Type::LaunchFailed, Type::Exited })
        add(type, std::string(8, '\2'));
    for (Type type : { Type::HoldProcessGroup, Type::Launched })
        add(type, std::string(16, '\3'));
    add(Type::HoldCgroup, "/sys/fs/cgroup/user.slice/processkit-1-2-3-01234567");
    return packets;
}
