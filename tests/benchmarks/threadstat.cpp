// SPDX-License-Identifier: MIT
#include "threadstat.h"
#include "measure.h"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <limits>
#include <map>
#include <string>
#include <sys/resource.h>
#include <thread>
#include <utility>

namespace fs = std::filesystem;

namespace {

std::string processPath(pid_t process)
{
    return "/proc/" + std::to_string(process);
}

// the sum of what stands behind the names that end with \a name
qint64 fieldSum(const fs::path &file, const std::string &name)
{
    qint64 sum = 0;
    std::string line;
    for (std::ifstream stream(file); std::getline(stream, line);) {
        const std::size_t colon = line.find(':');
        if (colon != std::string::npos && line.substr(0, colon).ends_with(name))
            sum += std::stoll(line.substr(colon + 1));
    }
    return sum;
}

} // namespace

qint64 contextSwitches(pid_t process)
{
    qint64 sum = 0;
    std::error_code error;
    for (const fs::directory_entry &thread :
         fs::directory_iterator(processPath(process) + "/task", error))
        sum += fieldSum(thread.path() / "status", "voluntary_ctxt_switches");
    return sum;
}

qint64 privateBytes(pid_t process)
{
    // an unreadable file would look like no memory at all
    if (!std::ifstream(processPath(process) + "/smaps_rollup"))
        throw Failure(QStringLiteral("the memory of process %1 cannot be read").arg(process));
    return 1024 * fieldSum(processPath(process) + "/smaps_rollup", "Private_Dirty");
}

std::vector<pid_t> sameProgramTree(pid_t process)
{
    std::error_code error;
    std::multimap<pid_t, pid_t> children;
    for (const fs::directory_entry &entry : fs::directory_iterator("/proc", error)) {
        const std::string name = entry.path().filename();
        if (name.find_first_not_of("0123456789") == std::string::npos)
            children.emplace(pid_t(fieldSum(entry.path() / "status", "PPid")), std::stoi(name));
    }
    const fs::path program = fs::read_symlink(processPath(process) + "/exe", error);
    std::vector<pid_t> tree{ process };
    for (std::size_t i = 0; i < tree.size(); ++i) {
        const auto [first, last] = children.equal_range(tree[i]);
        for (auto child = first; child != last; ++child) {
            if (fs::read_symlink(processPath(child->second) + "/exe", error) == program)
                tree.push_back(child->second);
        }
    }
    return tree;
}

double machineLoad(int milliseconds)
{
    const auto read = [] {
        // user, nice, system, idle, iowait, irq, softirq, steal
        std::ifstream stream("/proc/stat");
        std::string name;
        stream >> name;
        std::pair<double, double> idleAndAll;
        for (int i = 0; i < 8; ++i) {
            double ticks = 0;
            stream >> ticks;
            idleAndAll.second += ticks;
            if (i == 3 || i == 4)
                idleAndAll.first += ticks;
        }
        return idleAndAll;
    };
    const auto before = read();
    std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds));
    const auto after = read();
    const double all = after.second - before.second;
    return all > 0 ? 1 - (after.first - before.first) / all : 0;
}

int raiseDescriptorLimit()
{
    rlimit limit{};
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    getrlimit(RLIMIT_NOFILE, &limit);
    return int(std::min<rlim_t>(limit.rlim_cur, std::numeric_limits<int>::max()));
}
