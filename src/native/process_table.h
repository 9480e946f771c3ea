// SPDX-License-Identifier: MIT
#ifndef PROCESSKIT_NATIVE_PROCESS_TABLE_H
#define PROCESSKIT_NATIVE_PROCESS_TABLE_H

#include "unique_fd.h"

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ProcessKit::Native {

// A process as /proc shows it. pid and start time together name it for as long as the machine is
// up: a recycled pid has a later start time (proc_pid_stat(5), field 22).
struct ProcessEntry
{
    pid_t pid = 0;
    pid_t parent = 0;
    pid_t group = 0;
    pid_t session = 0;
    char state = '?';
    std::uint64_t startTime = 0; // clock ticks since boot
    std::string name;

    bool isAlive() const noexcept { return state != 'Z' && state != 'X'; }
};

std::optional<ProcessEntry> readProcess(pid_t pid);
// the content of /proc/PID/stat, whose name field is any bytes that a process likes
std::optional<ProcessEntry> parseProcessStat(std::string_view stat);
// Appends the children that \a pid has now. Only a process that lists its own children can rely on
// the result (a child stays in the list until its parent reaps it); of another process some may be
// missed while others end.
void appendChildren(pid_t pid, std::vector<pid_t> *children);
// every process that descends from \a root, which is not in the list; parents come first
std::vector<ProcessEntry> descendantsOf(pid_t root);
// The same from one pass over all processes: slower, but it misses none that is there all the
// while, which the kernel's lists of children may while others end (proc_tid_children(5)).
std::vector<ProcessEntry> listDescendantsOf(pid_t root);
// Every process whose process group is \a group. /proc is not read at one moment: if a process has
// \a vanished meanwhile, it may have forked another that was missed.
std::vector<ProcessEntry> membersOfProcessGroup(pid_t group, bool *vanished = nullptr);

// A handle of exactly the process in \a entry: none when it has ended, even if its pid is in use
// again.
UniqueFd openProcess(const ProcessEntry &entry);
bool sendSignal(int pidfd, int signal);

// The first 8 hexadecimal digits of this boot's id; empty when /proc does not tell.
std::string bootId();
// The inode of this process's pid namespace; 0 when /proc does not tell.
std::uint64_t pidNamespace();

} // namespace ProcessKit::Native

#endif // PROCESSKIT_NATIVE_PROCESS_TABLE_H
