// SPDX-License-Identifier: MIT
#include "usage.h"

#include "cgroup_pids.h"
#include "keyed_file.h"
#include "small_file.h"
#include "unique_fd.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <vector>

namespace ProcessKit::Native {

namespace {

using Number = std::optional<std::uint64_t>;

Number numberIn(const std::string &path)
{
    std::string content;
    if (!readFile(path.c_str(), &content) || content.empty() || content[0] < '0'
        || content[0] > '9')
        return std::nullopt;
    return ::strtoull(content.c_str(), nullptr, 10);
}

// the sum over all devices of io.stat, whose lines are "8:0 rbytes=1 wbytes=2 ..."
Number sumOf(const std::string &content, const char *key)
{
    Number sum;
    const std::size_t length = ::strlen(key);
    for (std::size_t at = content.find(key); at != std::string::npos;
         at = content.find(key, at + length))
        sum = sum.value_or(0) + ::strtoull(content.c_str() + at + length, nullptr, 10);
    return sum;
}

void add(Number *sum, std::uint64_t value)
{
    *sum = sum->value_or(0) + value;
}

std::uint64_t microseconds(const timeval &time)
{
    return std::uint64_t(time.tv_sec) * 1'000'000 + std::uint64_t(time.tv_usec);
}

} // namespace

Usage &Usage::operator+=(const Usage &other)
{
    constexpr Number Usage::*figures[] = { &Usage::userMicroseconds, &Usage::systemMicroseconds,
                                           &Usage::memory,           &Usage::peakMemory,
                                           &Usage::processes,        &Usage::peakProcesses,
                                           &Usage::bytesRead,        &Usage::bytesWritten };
    for (const auto figure : figures) {
        if (other.*figure)
            add(&(this->*figure), *(other.*figure));
    }
    return *this;
}

std::optional<Usage> cpuUsageOfCgroup(const std::string &cpuStat, int directory)
{
    std::string content;
    if (!readFile(cpuStat.c_str(), &content, directory))
        return std::nullopt;
    Usage usage;
    usage.userMicroseconds = valueOf(content, "user_usec ");
    usage.systemMicroseconds = valueOf(content, "system_usec ");
    return usage.userMicroseconds && usage.systemMicroseconds ? std::optional(usage) : std::nullopt;
}

namespace {

std::uint64_t residentBytes(int proc, pid_t pid)
{
    static const std::uint64_t page = std::uint64_t(::sysconf(_SC_PAGESIZE));
    char content[128]; // size and resident pages, and more (proc_pid_statm(5))
    char file[32];
    ::snprintf(file, sizeof file, "%d/statm", int(pid));
    // one read has all of it, and there are many of these
    const UniqueFd opened(::openat(proc, file, O_RDONLY | O_CLOEXEC));
    const ssize_t length = ::read(opened.get(), content, sizeof content - 1);
    if (length <= 0)
        return 0; // it has ended
    content[length] = '\0';
    const char *resident = ::strchr(content, ' ');
    return resident ? ::strtoull(resident, nullptr, 10) * page : 0;
}

} // namespace

Usage usageOfCgroup(const std::string &path)
{
    std::string content;
    Usage usage = cpuUsageOfCgroup(path + "/cpu.stat").value_or(Usage());
    usage.memory = numberIn(path + "/memory.current");
    usage.peakMemory = numberIn(path + "/memory.peak");
    usage.processes = numberIn(path + "/pids.current");
    usage.peakProcesses = numberIn(path + "/pids.peak");
    if (!usage.processes || !usage.memory) { // nobody counts for us
        std::vector<pid_t> pids;
        const UniqueFd cgroup(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
        if (cgroup)
            collectPids(cgroup.get(), &pids);
        if (cgroup && !usage.processes)
            usage.processes = pids.size();
        if (cgroup && !usage.memory) {
            const UniqueFd proc(::open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC));
            usage.memory = 0;
            for (const pid_t pid : pids)
                *usage.memory += residentBytes(proc.get(), pid);
        }
    }
    if (readFile((path + "/io.stat").c_str(), &content)) {
        usage.bytesRead = sumOf(content, " rbytes=");
        usage.bytesWritten = sumOf(content, " wbytes=");
    }
    return usage;
}

bool addUsageOfProcess(pid_t pid, Usage *sum)
{
    const std::string directory = "/proc/" + std::to_string(pid);
    std::string content;
    if (!readFile((directory + "/stat").c_str(), &content))
        return false;
    // behind the name, which may hold anything: state is field 3 (proc_pid_stat(5))
    const std::size_t name = content.rfind(')');
    if (name == std::string::npos)
        return false;
    constexpr int userTime = 14, systemTime = 15, childrenUser = 16, childrenSystem = 17,
                  residentPages = 24;
    static const std::uint64_t tick = 1'000'000 / std::uint64_t(::sysconf(_SC_CLK_TCK));
    static const std::uint64_t page = std::uint64_t(::sysconf(_SC_PAGESIZE));
    const char *at = content.c_str() + name + 1;
    for (int field = 3; *at && field <= residentPages; ++field) {
        while (*at == ' ')
            ++at;
        if (field == userTime || field == childrenUser)
            add(&sum->userMicroseconds, ::strtoull(at, nullptr, 10) * tick);
        else if (field == systemTime || field == childrenSystem)
            add(&sum->systemMicroseconds, ::strtoull(at, nullptr, 10) * tick);
        else if (field == residentPages)
            add(&sum->memory, ::strtoull(at, nullptr, 10) * page);
        while (*at && *at != ' ')
            ++at;
    }
    if (readFile((directory + "/io").c_str(), &content)) {
        add(&sum->bytesRead, valueOf(content, "read_bytes: ").value_or(0));
        add(&sum->bytesWritten, valueOf(content, "write_bytes: ").value_or(0));
    }
    add(&sum->processes, 1);
    return true;
}

void addUsage(const rusage &usage, Usage *sum)
{
    add(&sum->userMicroseconds, microseconds(usage.ru_utime));
    add(&sum->systemMicroseconds, microseconds(usage.ru_stime));
    constexpr std::uint64_t block = 512; // getrusage(2) counts in these
    add(&sum->bytesRead, std::uint64_t(usage.ru_inblock) * block);
    add(&sum->bytesWritten, std::uint64_t(usage.ru_oublock) * block);
}

} // namespace ProcessKit::Native
