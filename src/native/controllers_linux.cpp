// SPDX-License-Identifier: MIT
#include "controllers.h"

#include "small_file.h"

#include <errno.h>

#include <array>
#include <sstream>
#include <utility>

namespace ProcessKit::Native {

namespace {

constexpr std::array<std::pair<Controllers, const char *>, 4> names{ {
        { CpuController, "cpu" },
        { IoController, "io" },
        { MemoryController, "memory" },
        { PidsController, "pids" },
} };

} // namespace

std::string namesOf(Controllers controllers)
{
    std::string text;
    for (const auto &[controller, name] : names) {
        if (controllers & controller)
            text += (text.empty() ? "" : ", ") + std::string(name);
    }
    return text;
}

Controllers controllersIn(int directory, const char *file)
{
    std::string content;
    if (!readFile(file, &content, directory))
        return 0;
    Controllers found = 0;
    std::istringstream words(content);
    for (std::string word; words >> word;) {
        for (const auto &[controller, name] : names)
            found |= word == name ? controller : 0;
    }
    return found;
}

int enableControllers(int directory, Controllers wanted)
{
    const Controllers missing = wanted & ~controllersIn(directory, "cgroup.subtree_control");
    if (!missing)
        return 0;
    std::string order;
    for (const auto &[controller, name] : names) {
        if (missing & controller)
            order += (order.empty() ? "+" : " +") + std::string(name);
    }
    return writeSmallFile("cgroup.subtree_control", order, directory) ? 0 : errno;
}

} // namespace ProcessKit::Native
