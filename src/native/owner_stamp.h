// SPDX-License-Identifier: MIT
#ifndef PROCESSKIT_NATIVE_OWNER_STAMP_H
#define PROCESSKIT_NATIVE_OWNER_STAMP_H

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace ProcessKit::Native {

// Who made a cgroup, in its name, so that leftovers of an owner that died (with its keeper) can be
// told from what is in use: "processkit-<pid>-<start time>-<pid namespace>-<boot id>". A program
// that has replaced itself by execve(2) is the same process with another keeper: ".<incarnation>"
// follows.
struct OwnerStamp
{
    pid_t pid = 0;
    std::uint64_t startTime = 0; // as in ProcessEntry
    std::uint64_t pidNamespace = 0; // the one that pid and start time are of
    std::string bootId; // 8 lower-case hexadecimal digits
    unsigned incarnation = 1;

    std::string name() const;
    // none for anything that name() would not have written
    static std::optional<OwnerStamp> parse(std::string_view name);
    // that of the calling process; pid is 0 when /proc does not tell
    static OwnerStamp own();

    // Whether the owner lives, or might: nobody can tell for another pid namespace.
    bool ownerIsAlive() const;
    bool operator==(const OwnerStamp &) const = default;
};

} // namespace ProcessKit::Native

#endif // PROCESSKIT_NATIVE_OWNER_STAMP_H
