// SPDX-License-Identifier: MIT
#include "fuzzing.h"

#include <owner_stamp.h>

using ProcessKit::Native::OwnerStamp;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size)
{
    const std::string name(reinterpret_cast<const char *>(data), size);
    const std::optional<OwnerStamp> stamp = OwnerStamp::parse(name);
    if (!stamp)
        return 0;
    FUZZ_CHECK(stamp->name() == name);
    FUZZ_CHECK(stamp->pid > 0 && stamp->pidNamespace > 0 && stamp->bootId.size() == 8);
    FUZZ_CHECK(name.find('/') == name.npos); // it becomes a part of a path
    return 0;
}

std::vector<std::string> seeds()
{
    return { "processkit-1-0-4026531836-0123abcd",
             "processkit-4194304-18446744073709551615-1-ffffffff",
             "processkit-2147483647-12-4026532000-00000000" };
}
