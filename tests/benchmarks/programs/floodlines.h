// SPDX-License-Identifier: MIT
#ifndef PROCESSKIT_BENCH_FLOODLINES_H
#define PROCESSKIT_BENCH_FLOODLINES_H

#include <stdio.h>

// The text of a flood, known to the program that writes it and to the one that checks it: blocks
// of lines as a compiler and Ninja write them, about 60 bytes each, one in 32 with the curly quotes
// of GCC's messages so that it is not pure ASCII.
#define FLOOD_BLOCK_LINES 1024
#define FLOOD_LINE_MAX 96

static inline int flood_line(char *to, int index)
{
    static const char *const verbs[] = { "Building CXX object", "Linking CXX shared library",
                                         "Generating", "Copying" };
    if (index % 32 == 31)
        return sprintf(to, "src/unit%d.cpp:%d:5: warning: unused \xe2\x80\x98value\xe2\x80\x99\n",
                       index % 100, index);
    return sprintf(to, "[%d/%d] %s src/CMakeFiles/target.dir/unit%d.cpp.o\n", index,
                   FLOOD_BLOCK_LINES, verbs[index % 4], index * 7 % 1000);
}

#endif // PROCESSKIT_BENCH_FLOODLINES_H
