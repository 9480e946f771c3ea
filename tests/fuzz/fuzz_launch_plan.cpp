// SPDX-License-Identifier: MIT
#include "fuzzing.h"

#include <launch_plan.h>

using ProcessKit::Native::LaunchPlan;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size)
{
    const std::string bytes(reinterpret_cast<const char *>(data), size);
    const std::optional<LaunchPlan> plan = LaunchPlan::deserialize(bytes);
    if (!plan)
        return 0;
    FUZZ_CHECK(plan->serialize() == bytes);
    // what a spawn makes of it
    for (const auto *block : { &plan->candidates, &plan->arguments, &plan->environment }) {
        const std::vector<char *> table = block->table();
        FUZZ_CHECK(table.size() == block->count() + 1 && table.back() == nullptr);
    }
    FUZZ_CHECK(!plan->candidates.empty() && !plan->arguments.empty());
    for (const LaunchPlan::Descriptor &descriptor : plan->descriptors)
        FUZZ_CHECK(descriptor.source == -1 && descriptor.target >= 0);
    FUZZ_CHECK((plan->settings.given & ~LaunchPlan::Settings::All) == 0);
    FUZZ_CHECK(plan->settings.limited >> plan->settings.limits.size() == 0);
    return 0;
}

std::vector<std::string> seeds()
{
    LaunchPlan plan;
    plan.candidates.append("/bin/true");
    plan.arguments.append("true");
    std::vector<std::string> plans{ plan.serialize() };
    plan.candidates.append("/usr/bin/true");
    plan.arguments.append("");
    plan.arguments.append("an argument");
    plan.environment.append("PATH=/bin");
    plan.environment.append("HOME=/");
    plan.workingDirectory = "/tmp";
    plan.descriptors = { { 5, 0 }, { 6, 1 }, { 7, 2 }, { 8, 300 } };
    plan.settings.given = LaunchPlan::Settings::All;
    plan.settings.limited = 1 << RLIMIT_CORE | 1 << RLIMIT_NOFILE;
    plan.settings.limits[RLIMIT_NOFILE] = { 64, 128 };
    plan.settings.niceness = -5;
    plan.settings.groups = { 0, 1000, 65534 };
    plan.settings.addProcessor(1023);
    plan.processGroup = 0;
    plan.attributes.emplace().fileModeMask = 022;
    plans.push_back(plan.serialize());
    return plans;
}
