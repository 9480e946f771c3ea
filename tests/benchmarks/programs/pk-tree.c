// SPDX-License-Identifier: MIT
// pk-tree N: makes N sleeping children, then writes their pids in one line and sleeps too.
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void sleepForever(void)
{
    alarm(120); // nothing outlives a benchmark that was interrupted
    for (;;)
        pause();
}

int main(int argc, char **argv)
{
    const int count = argc > 1 ? atoi(argv[1]) : 1;
    const int capacity = 12 * count + 2;
    char *line = malloc(capacity);
    int length = 0;

    for (int i = 0; i < count; ++i) {
        const pid_t pid = fork();
        if (pid < 0)
            return 1;
        if (pid == 0)
            sleepForever();
        length += snprintf(line + length, capacity - length, "%d ", (int)pid);
    }
    line[length++] = '\n';
    for (int done = 0; done < length;) {
        const ssize_t written = write(STDOUT_FILENO, line + done, length - done);
        if (written < 0)
            return 1;
        done += written;
    }
    sleepForever();
}
