// SPDX-License-Identifier: MIT
#include "tree_signal.h"

#include "process_table.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include <unistd.h>

namespace ProcessKit::Keeper {

using namespace Native;

namespace {

using Identity = std::pair<pid_t, std::uint64_t>; // pid and start time

// One time through the tree; \a told is sorted, and those who are new are put behind its end.
void signalUntold(int signal, const std::vector<pid_t> &spared, std::vector<Identity> *told)
{
    const auto oldSize = std::ptrdiff_t(told->size());
    const pid_t self = ::getpid();
    std::vector<pid_t> queue{ self };
    std::vector<pid_t> children;
    for (std::size_t next = 0; next < queue.size(); ++next) {
        const pid_t parent = queue[next];
        children.clear();
        appendChildren(parent, &children);
        for (pid_t pid : children) {
            if (parent == self && std::binary_search(spared.begin(), spared.end(), pid))
                continue;
            const std::optional<ProcessEntry> entry = readProcess(pid);
            // Another parent: an orphan that is met at its new place, or somebody else's pid.
            if (!entry || entry->parent != parent || !entry->isAlive())
                continue;
            queue.push_back(pid);
            const Identity identity(pid, entry->startTime);
            if (std::binary_search(told->begin(), told->begin() + oldSize, identity))
                continue;
            if (const UniqueFd process = openProcess(*entry))
                sendSignal(process.get(), signal);
            told->push_back(identity);
        }
    }
}

} // namespace

std::vector<pid_t> signalTree(int signal, const std::vector<pid_t> &spared)
{
    // Each round finds less, unless the tree forks faster than we can look.
    constexpr int maximumRounds = 50;
    std::vector<Identity> told;
    for (int round = 0; round < maximumRounds; ++round) {
        const std::size_t before = told.size();
        signalUntold(signal, spared, &told);
        if (told.size() == before)
            break;
        std::sort(told.begin(), told.end());
    }
    std::vector<pid_t> pids;
    pids.reserve(told.size());
    for (const Identity &identity : told)
        pids.push_back(identity.first);
    return pids;
}

} // namespace ProcessKit::Keeper
