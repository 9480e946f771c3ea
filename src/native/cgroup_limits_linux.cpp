// SPDX-License-Identifier: MIT
#include "cgroup_limits.h"

#include "keyed_file.h"
#include "small_file.h"

#include <errno.h>

#include <sstream>
#include <utility>

namespace ProcessKit::Native {

namespace {

using Number = CgroupLimits::Number;

struct Write
{
    const char *file;
    std::string text;
    // of one that is not given: a file that is not there limits nothing
    bool isOptional;
};

std::string orMax(Number value)
{
    return value ? std::to_string(*value) : "max";
}

std::string deviceName(unsigned major, unsigned minor)
{
    return std::to_string(major) + ':' + std::to_string(minor);
}

std::string textOf(const CgroupLimits::Device &device)
{
    return deviceName(device.major, device.minor) + " rbps=" + orMax(device.readBytes)
            + " wbps=" + orMax(device.writtenBytes) + " riops=" + orMax(device.reads)
            + " wiops=" + orMax(device.writes);
}

// Lines of io.max, one for each device that has a limit; a write changes one device.
std::vector<std::string> linesOf(const std::string &content)
{
    std::vector<std::string> lines;
    std::istringstream stream(content);
    for (std::string line; std::getline(stream, line);)
        lines.push_back(line);
    return lines;
}

std::vector<Write> writesFor(const CgroupLimits &limits, int directory)
{
    // io.weight reads and takes "default 100"
    std::vector<Write> writes = {
        { "memory.swap.max", orMax(limits.swapMax), !limits.swapMax },
        { "memory.high", orMax(limits.memoryHigh), !limits.memoryHigh },
        { "memory.oom.group", limits.killsGroup ? "1" : "0", !limits.killsGroup },
        { "memory.max", orMax(limits.memoryMax), !limits.memoryMax },
        { "pids.max", orMax(limits.tasksMax), !limits.tasksMax },
        { "cpu.max", orMax(limits.cpuQuota) + ' ' + std::to_string(CgroupLimits::cpuPeriod),
          !limits.cpuQuota },
        { "cpu.weight", std::to_string(limits.cpuWeight.value_or(100)), !limits.cpuWeight },
        { "io.weight", "default " + std::to_string(limits.ioWeight.value_or(100)),
          !limits.ioWeight },
    };
    std::string limited;
    readFile("io.max", &limited, directory);
    for (const std::string &line : linesOf(limited)) // all that there are, before the new ones
        writes.push_back(
                { "io.max",
                  line.substr(0, line.find(' ')) + " rbps=max wbps=max riops=max wiops=max",
                  false });
    for (const CgroupLimits::Device &device : limits.devices)
        writes.push_back({ "io.max", textOf(device), false });
    return writes;
}

// What brings back the state that a write of \a text to \a file would end.
std::string undoOf(const char *file, const std::string &text, int directory)
{
    std::string content;
    readFile(file, &content, directory);
    if (std::string_view(file) != "io.max")
        return content.substr(0, content.find('\n'));
    const std::string device = text.substr(0, text.find(' '));
    for (const std::string &line : linesOf(content)) {
        if (line.starts_with(device + ' '))
            return line;
    }
    return device + " rbps=max wbps=max riops=max wiops=max";
}

} // namespace

Controllers CgroupLimits::controllers() const
{
    Controllers needed = 0;
    if (memoryMax || memoryHigh || swapMax || killsGroup)
        needed |= MemoryController;
    if (tasksMax)
        needed |= PidsController;
    if (cpuQuota || cpuWeight)
        needed |= CpuController;
    if (ioWeight || !devices.empty())
        needed |= IoController;
    return needed;
}

LimitFailure applyLimits(int directory, const CgroupLimits &limits)
{
    std::vector<std::pair<const char *, std::string>> done;
    for (const Write &write : writesFor(limits, directory)) {
        std::string before = undoOf(write.file, write.text, directory);
        if (before == write.text)
            continue;
        if (writeSmallFile(write.file, write.text, directory)) {
            done.emplace_back(write.file, std::move(before));
            continue;
        }
        if (write.isOptional && errno == ENOENT)
            continue;
        const LimitFailure failure{ write.file, errno };
        for (auto undo = done.rbegin(); undo != done.rend(); ++undo)
            writeSmallFile(undo->first, undo->second, directory);
        return failure;
    }
    return {};
}

LimitEvents::Number eventCount(const char *file, const char *name, int directory)
{
    std::string content;
    if (!readFile(file, &content, directory))
        return std::nullopt;
    return valueOf(content, name);
}

LimitEvents limitEvents(int directory)
{
    LimitEvents events;
    std::string content;
    if (readFile("memory.events", &content, directory)) {
        events.memoryMax = valueOf(content, "max ");
        events.memoryHigh = valueOf(content, "high ");
        events.outOfMemory = valueOf(content, "oom ");
        events.oomKills = valueOf(content, "oom_kill ");
    }
    events.swapMax = eventCount("memory.swap.events", "max ", directory);
    events.tasksMax = eventCount("pids.events", "max ", directory);
    if (readFile("cpu.stat", &content, directory)) {
        events.throttledPeriods = valueOf(content, "nr_throttled ");
        events.throttledMicroseconds = valueOf(content, "throttled_usec ");
    }
    return events;
}

} // namespace ProcessKit::Native
