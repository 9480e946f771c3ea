// SPDX-License-Identifier: MIT
#ifndef PROCESSKIT_NATIVE_KEYED_FILE_H
#define PROCESSKIT_NATIVE_KEYED_FILE_H

#include <cstdint>
#include <optional>
#include <string>

namespace ProcessKit::Native {

// The number behind \a key at the begin of a line of a "flat keyed" file of a cgroup, or of one of
// /proc; none where there is no such line.
std::optional<std::uint64_t> valueOf(const std::string &content, const char *key);

} // namespace ProcessKit::Native

#endif // PROCESSKIT_NATIVE_KEYED_FILE_H
