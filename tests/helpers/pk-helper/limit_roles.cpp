// SPDX-License-Identifier: MIT
// Those that want more than they should have.
#include "helper.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

namespace {

// hog [MIB]: uses that much memory, by default without end, then waits for the end of its input
int hog(const Arguments &arguments)
{
    const int most = number(arguments, 0, 1 << 20);
    constexpr size_t mebibyte = 1024 * 1024;
    for (int i = 0; i < most; ++i) {
        char *memory = static_cast<char *>(malloc(mebibyte));
        if (!memory)
            return 3;
        memset(memory, i + 1, mebibyte); // each page is one of its own
    }
    report("hog");
    waitForEndOfInput();
    return 0;
}

// forkbomb: children until there is no more to be had, says how many, and waits
int forkBomb(const Arguments &)
{
    int children = 0;
    for (;;) {
        const pid_t pid = fork();
        if (pid == 0) {
            limitLifetime();
            pauseForever();
        }
        if (pid < 0)
            break;
        ++children;
    }
    report("forkbomb", std::to_string(errno == EAGAIN ? children : -1));
    pauseForever();
}

// busy: all the processor time there is
int busy(const Arguments &)
{
    report("busy");
    for (volatile unsigned long count = 0;;)
        count = count + 1;
}

} // namespace

const std::vector<Role> limitRoles = {
    { "hog", hog },
    { "forkbomb", forkBomb },
    { "busy", busy },
};
