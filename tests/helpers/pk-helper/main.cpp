// SPDX-License-Identifier: MIT
#include "helper.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

namespace {

// proc_pid_stat(5), field 22; the name in field 2 may hold anything, so count from its last ')'
unsigned long long ownStartTime()
{
    char buffer[1024];
    const int fd = open("/proc/self/stat", O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    const ssize_t length = read(fd, buffer, sizeof buffer - 1);
    close(fd);
    if (length <= 0)
        return 0;
    buffer[length] = '\0';
    char *at = strrchr(buffer, ')');
    for (int field = 2; at && field < 22; ++field)
        at = strchr(at + 1, ' ');
    return at ? strtoull(at, nullptr, 10) : 0;
}

} // namespace

void report(const char *name, const std::string &extra)
{
    const char *path = getenv("PK_REPORT");
    if (!path)
        return;
    // the test keeps the FIFO open for reading; without a test this fails instead of waiting
    const int fd = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return;
    char line[512];
    const int length = snprintf(line, sizeof line, "%s %d %llu %s\n", name, int(getpid()),
                                ownStartTime(), extra.c_str());
    if (length > 0 && length < int(sizeof line))
        writeAll(fd, line, size_t(length));
    close(fd);
}

bool testIsAlive()
{
    const char *path = getenv("PK_REPORT");
    return path && access(path, F_OK) == 0;
}

void limitLifetime()
{
    alarm(300);
}

pid_t forkChild()
{
    const pid_t pid = fork();
    if (pid < 0)
        _exit(70);
    if (pid == 0)
        limitLifetime();
    return pid;
}

void pauseForever()
{
    for (;;)
        pause();
}

void waitForEndOfInput()
{
    char buffer[4096];
    while (read(STDIN_FILENO, buffer, sizeof buffer) > 0) { }
}

bool writeAll(int fd, const char *data, size_t size)
{
    while (size > 0) {
        const ssize_t written = write(fd, data, size);
        if (written < 0)
            return false;
        data += written;
        size -= size_t(written);
    }
    return true;
}

bool writeAll(int fd, const std::string &data)
{
    return writeAll(fd, data.data(), data.size());
}

int number(const Arguments &arguments, size_t index, int fallback)
{
    return index < arguments.size() ? atoi(arguments[index].c_str()) : fallback;
}

std::string word(const Arguments &arguments, size_t index, const char *fallback)
{
    return index < arguments.size() ? arguments[index] : std::string(fallback);
}

int main(int argc, char **argv)
{
    limitLifetime();
    if (argc < 2) {
        writeAll(STDERR_FILENO, "usage: pk-helper ROLE [ARGUMENT...]\n");
        return 64;
    }
    const Arguments arguments(argv + 2, argv + argc);
    for (const auto *roles : { &outputRoles, &stateRoles, &treeRoles, &limitRoles }) {
        for (const Role &role : *roles) {
            if (strcmp(role.name, argv[1]) == 0)
                return role.run(arguments);
        }
    }
    writeAll(STDERR_FILENO, "pk-helper: no such role\n");
    return 64;
}
