// SPDX-License-Identifier: MIT
#include "detached.h"

#include "direct_child.h"
#include "spawn.h"

namespace ProcessKit::Native {

DetachedResult startDetached(Launch launch)
{
    launch.plan.settings.given |= LaunchPlan::Settings::NewSession;
    SpawnOptions options;
    options.detached = true;
    options.modifier = launch.modifier ? &launch.modifier : nullptr;
    const SpawnResult result = spawn(launch.plan, options);
    if (result.failure)
        return { -1, result.failure };
    reapWhenOrphaned(result.pid);
    return { result.pid, {} };
}

} // namespace ProcessKit::Native
