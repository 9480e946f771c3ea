// SPDX-License-Identifier: MIT
// pk-clock FILE: works for a millisecond, so that its parent is back in its event loop and asleep,
// then stores the monotonic time in FILE as its last act.
#include <fcntl.h>
#include <stdint.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

static int64_t now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * INT64_C(1000000000) + time.tv_nsec;
}

int main(int argc, char **argv)
{
    if (argc < 2)
        return 1;
    const int file = open(argv[1], O_RDWR | O_CLOEXEC);
    if (file < 0)
        return 1;
    volatile int64_t *slot = mmap(NULL, sizeof *slot, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (slot == MAP_FAILED)
        return 1;
    const int64_t end = now() + 1000000;
    do {
        *slot = now();
    } while (*slot < end);
    _exit(0);
}
