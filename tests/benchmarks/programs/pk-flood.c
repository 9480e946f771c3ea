// SPDX-License-Identifier: MIT
// pk-flood N: writes N lines as fast as the pipe takes them; N = 0: until it is killed.
#include "floodlines.h"

#include <stdlib.h>
#include <unistd.h>

static void writeAll(const char *bytes, size_t count)
{
    while (count > 0) {
        const ssize_t written = write(STDOUT_FILENO, bytes, count);
        if (written < 0)
            _exit(1);
        bytes += written;
        count -= written;
    }
}

int main(int argc, char **argv)
{
    static char block[FLOOD_BLOCK_LINES * FLOOD_LINE_MAX];
    static size_t ends[FLOOD_BLOCK_LINES + 1];
    for (int i = 0; i < FLOOD_BLOCK_LINES; ++i)
        ends[i + 1] = ends[i] + flood_line(block + ends[i], i);

    long long left = argc > 1 ? atoll(argv[1]) : 0;
    const int endless = left == 0;
    while (endless || left >= FLOOD_BLOCK_LINES) {
        writeAll(block, ends[FLOOD_BLOCK_LINES]);
        left -= FLOOD_BLOCK_LINES;
    }
    writeAll(block, ends[left]);
    return 0;
}
