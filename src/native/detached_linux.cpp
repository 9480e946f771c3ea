// SPDX-License-Identifier: MIT
#include "detached.h"

#include "direct_child.h"
#include "spawn.h"

#include <sys/prctl.h>
#include <sys/syscall.h>

namespace ProcessKit::Native {

namespace {

// As pid 1, and as a subreaper, we are the one to whom the orphan comes, and who has to reap it.
void reapWhenEnded(pid_t pid)
{
    int subreaper = 0;
    ::prctl(PR_GET_CHILD_SUBREAPER, &subreaper, 0, 0, 0);
    if (::getpid() != 1 && !subreaper)
        return;
    UniqueFd pidfd(int(::syscall(SYS_pidfd_open, pid, 0)));
    if (!pidfd)
        return;
    auto child = std::make_shared<DirectChild>();
    // the circle is the child's life; it is broken where it ends
    child->watch(pid, std::move(pidfd), [child]() mutable {
        child->reap();
        Reactor::instance().post([last = std::move(child)] {});
    });
}

} // namespace

DetachedResult startDetached(Launch launch)
{
    launch.plan.newSession = true;
    SpawnOptions options;
    options.detached = true;
    options.modifier = launch.modifier ? &launch.modifier : nullptr;
    const SpawnResult result = spawn(launch.plan, options);
    if (result.failure)
        return { -1, result.failure };
    reapWhenEnded(result.pid);
    return { result.pid, {} };
}

} // namespace ProcessKit::Native
