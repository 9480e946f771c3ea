// SPDX-License-Identifier: MIT
#include "host.h"

#include "cgroup_directory.h"
#include "cgroup_location.h"

namespace ProcessKit::Native {

namespace {

void append(std::string *text, const std::string &sentence)
{
    if (!text->empty() && !sentence.empty())
        *text += "; ";
    *text += sentence;
}

// apart from the keeper
Host query(TreeKind wanted, const KeeperClient::Program &keeper)
{
    Host host;
    host.keeper = keeper;
    const bool hasKeeper = keeper.source != KeeperClient::Source::None;
    bool possible = hasKeeper || KeeperClient::isOptional();
    switch (wanted) {
    case TreeKind::CgroupV2: {
        CgroupLocation location = CgroupLocation::find();
        host.location = std::move(location.directory);
        host.reason = std::move(location.reason);
        possible = possible && !host.location.empty();
        break;
    }
    case TreeKind::Subreaper:
        possible = hasKeeper;
        break;
    case TreeKind::ProcessGroup:
        host.reason = "what calls setsid() or setpgid() leaves a process group";
        break;
    }
    if (possible)
        host.kind = wanted;
    return host;
}

std::string whyNoKeeper(const KeeperClient::Program &keeper)
{
    return keeper.source == KeeperClient::Source::None ? "no keeper: " + keeper.reason
                                                       : std::string();
}

} // namespace

Host Host::query()
{
    const KeeperClient::Program keeper = KeeperClient::find();
    std::string reason = whyNoKeeper(keeper);
    Host host;
    for (const TreeKind kind :
         { TreeKind::CgroupV2, TreeKind::Subreaper, TreeKind::ProcessGroup }) {
        host = Native::query(kind, keeper);
        append(&reason, host.reason);
        if (host.kind)
            break;
    }
    host.reason = std::move(reason);
    return host;
}

Host Host::query(TreeKind wanted)
{
    Host host = Native::query(wanted, KeeperClient::find());
    std::string reason = whyNoKeeper(host.keeper);
    append(&reason, host.reason);
    host.reason = std::move(reason);
    return host;
}

TreeKind chooseMechanism(bool withModifier)
{
    const bool keeper = KeeperClient::instance().ensure() == 0;
    int error = 0;
    if ((keeper || KeeperClient::isOptional()) && CgroupDirectory::ofApplication(&error))
        return TreeKind::CgroupV2;
    if (withModifier || (!keeper && KeeperClient::isOptional()))
        return TreeKind::ProcessGroup;
    return TreeKind::Subreaper;
}

} // namespace ProcessKit::Native
