// SPDX-License-Identifier: MIT
#include "host.h"

#include "cgroup_directory.h"
#include "cgroup_location.h"

namespace ProcessKit::Native {

namespace {

void append(std::string *text, const std::string &sentence)
{
    if (!text->empty())
        *text += "; ";
    *text += sentence;
}

} // namespace

Host Host::query()
{
    Host host = query(TreeKind::CgroupV2);
    if (host.kind)
        return host;
    Host second = query(TreeKind::Subreaper);
    if (!second.kind)
        second = query(TreeKind::ProcessGroup);
    second.reason = host.reason + (second.reason.empty() ? "" : "; " + second.reason);
    return second;
}

Host Host::query(TreeKind wanted)
{
    Host host;
    host.keeper = KeeperClient::find();
    const bool keeper = host.keeper.source != KeeperClient::Source::None;
    const bool mayDoWithout = keeper || KeeperClient::isOptional();
    if (!keeper)
        append(&host.reason, "no keeper: " + host.keeper.reason);

    if (wanted == TreeKind::CgroupV2) {
        CgroupLocation location = CgroupLocation::find();
        host.location = std::move(location.directory);
        if (host.location.empty())
            append(&host.reason, location.reason);
        else if (mayDoWithout)
            host.kind = wanted;
    } else if (wanted == TreeKind::Subreaper) {
        if (keeper)
            host.kind = wanted;
    } else {
        append(&host.reason, "what calls setsid() or setpgid() leaves a process group");
        if (mayDoWithout)
            host.kind = wanted;
    }
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
