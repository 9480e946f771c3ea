// SPDX-License-Identifier: MIT
#include "fuzzing.h"

#include <cgroup_location.h>

using ProcessKit::Native::CgroupLocation;

// /proc/PID/mountinfo and /proc/PID/cgroup, with a NUL between them
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size)
{
    const std::string input(reinterpret_cast<const char *>(data), size);
    const std::size_t end = input.find('\0');
    if (end == input.npos)
        return 0;
    CgroupLocation::directoryFrom(input.substr(0, end), input.substr(end + 1));
    return 0;
}

std::vector<std::string> seeds()
{
    const std::string between(1, '\0');
    return { "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw\n" + between
                     + "0::/user.slice/user-1000.slice\n",
             "31 23 0:27 /a\\040b /mnt/c\\134d rw - cgroup2 none rw\n" + between
                     + "1:cpu:/\n0::/a b/c\n",
             "30 23 0:26 / /sys/fs/cgroup/unified rw - cgroup2 x rw\n" + between
                     + "0::/../other\n" };
}
