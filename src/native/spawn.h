// SPDX-License-Identifier: MIT
#ifndef PROCESSKIT_NATIVE_SPAWN_H
#define PROCESSKIT_NATIVE_SPAWN_H

#include "launch_plan.h"
#include "unique_fd.h"

#include <functional>

namespace ProcessKit::Native {

struct SpawnOptions
{
    int cgroup = -1; // a directory's descriptor: the child is born in that cgroup
    int deathSignal = 0; // sent to the child when the spawning thread ends (prctl(2))
    bool detached = false; // the child becomes nobody's: it is orphaned before it runs
    const std::function<void()> *modifier = nullptr; // called in a forked child before exec
    // A packet that the child sends before it becomes its program, with its pid written into it as
    // 64 bits: so that a keeper knows of it before it can have done anything.
    int announceSocket = -1;
    std::string announcement;
    std::size_t announcementPid = 0; // the offset
};

struct SpawnResult
{
    pid_t pid = -1;
    UniqueFd pidfd; // none for a detached child, whose pid is known even if it has failed
    LaunchFailure failure;
};

// Starts a child and returns when it has executed its program or failed to. Sources of
// descriptors are 3 or higher, or equal to their target. Not thread-safe: one thread of a process
// spawns.
SpawnResult spawn(const LaunchPlan &plan, const SpawnOptions &options = {});

// For a modifier: ends its child and with it the launch, for the reason that it says: some words,
// of which the first 500 bytes arrive, and an errno or 0. Returns only where no modifier runs.
void failModifier(const char *description, int error) noexcept;

} // namespace ProcessKit::Native

#endif // PROCESSKIT_NATIVE_SPAWN_H
