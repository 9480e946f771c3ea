// SPDX-License-Identifier: MIT
#include "keyed_file.h"

#include <stdlib.h>
#include <string.h>

namespace ProcessKit::Native {

std::optional<std::uint64_t> valueOf(const std::string &content, const char *key)
{
    const std::size_t length = ::strlen(key);
    for (std::size_t at = 0; at < content.size();) {
        if (content.compare(at, length, key) == 0)
            return ::strtoull(content.c_str() + at + length, nullptr, 10);
        const std::size_t end = content.find('\n', at);
        if (end == std::string::npos)
            break;
        at = end + 1;
    }
    return std::nullopt;
}

} // namespace ProcessKit::Native
