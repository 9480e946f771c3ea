// SPDX-License-Identifier: MIT
#ifndef PK_HELPER_H
#define PK_HELPER_H

#include <sys/types.h>

#include <string>
#include <vector>

// pk-helper is what the tests start. It is one static program of many roles, so that a start costs
// next to nothing and needs no library. What it makes it reports by name, pid and start time to the
// FIFO that PK_REPORT names, which works without any inherited descriptor.

using Arguments = std::vector<std::string>;

struct Role
{
    const char *name;
    int (*run)(const Arguments &arguments);
};

extern const std::vector<Role> outputRoles;
extern const std::vector<Role> stateRoles;
extern const std::vector<Role> treeRoles;
extern const std::vector<Role> limitRoles;

// "NAME PID STARTTIME [EXTRA]" in one atomic write
void report(const char *name, const std::string &extra = {});
// whether the test still wants anything: its FIFO exists
bool testIsAlive();
// a helper that nobody ended, because a test failed, ends by itself; the children of a fork ask
// anew
void limitLifetime();

// fork() with a limited lifetime for the child; ends the program when there is no process to be had
pid_t forkChild();
[[noreturn]] void pauseForever();
// reads standard input to its end and drops it
void waitForEndOfInput();
bool writeAll(int fd, const char *data, size_t size);
bool writeAll(int fd, const std::string &data);
int number(const Arguments &arguments, size_t index, int fallback);
std::string word(const Arguments &arguments, size_t index, const char *fallback);

#endif // PK_HELPER_H
