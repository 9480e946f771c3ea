// SPDX-License-Identifier: MIT
#include "fuzzing.h"

#include <process_table.h>

using namespace ProcessKit::Native;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size)
{
    const std::string stat(reinterpret_cast<const char *>(data), size);
    const std::optional<ProcessEntry> entry = parseProcessStat(stat);
    if (entry)
        FUZZ_CHECK(stat.find('(' + entry->name + ')') != stat.npos);
    return 0;
}

std::vector<std::string> seeds()
{
    const std::string rest = " 1 42 42 0 -1 4194560 100 0 0 0 0 0 0 0 20 0 1 0 123456 1000 100 1\n";
    return { "42 (sh) S" + rest, "42 (a) b (c)) R" + rest, "42 () Z" + rest,
             "42 (\n) 1 (\xff) T" + rest };
}
