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
    if (result.pid > 0)
        reapWhenOrphaned(result.pid); // one that has failed ends as well
    return { result.failure ? -1 : result.pid, result.failure };
}

} // namespace ProcessKit::Native
