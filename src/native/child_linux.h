// SPDX-License-Identifier: MIT
#ifndef PROCESSKIT_NATIVE_CHILD_LINUX_H
#define PROCESSKIT_NATIVE_CHILD_LINUX_H

#include "launch_plan.h"

#include <functional>

namespace ProcessKit::Native {

// What comes back from a child that does not share our memory, in one write.
struct ChildReport
{
    int step; // 0: of a middle process, that it has started the child
    int value; // errno; or the child's pid
    char detail[504]; // LaunchFailure's
};

// All that a child needs between the clone and the exec, laid out before the clone. In a
// vfork-style child it lies in memory shared with the parent, which is how a failure comes back.
struct ChildContext
{
    char *const *candidates = nullptr;
    char *const *arguments = nullptr;
    char *const *environment = nullptr;
    const char *workingDirectory = nullptr;
    const LaunchPlan::Descriptor *descriptors = nullptr;
    std::size_t descriptorCount = 0;
    pid_t processGroup = -1;
    const LaunchPlan::Attributes *attributes = nullptr;
    const LaunchPlan::SettingValues *settings = nullptr;
    const gid_t *groups = nullptr;
    std::size_t groupCount = 0;
    int deathSignal = 0;
    pid_t expectedParent = -1; // with deathSignal: a child that has lost this parent ends
    int cgroup = -1; // a directory's descriptor: the child moves itself into that cgroup
    int announceSocket = -1;
    char *announcement = nullptr;
    std::size_t announcementSize = 0;
    std::size_t announcementPid = 0;
    // of a forked child only
    int failurePipe = -1;
    const std::function<void()> *modifier = nullptr;
    // out
    volatile LaunchStep failedStep = LaunchStep::None;
    volatile int error = 0;
    volatile bool executing = false; // it came as far as the exec
};

// Becomes the program of the context, or ends with the failure noted in it. Runs with every signal
// blocked, makes nothing but raw system calls and allocates nothing.
[[noreturn]] void runChild(ChildContext *context);

} // namespace ProcessKit::Native

#endif // PROCESSKIT_NATIVE_CHILD_LINUX_H
