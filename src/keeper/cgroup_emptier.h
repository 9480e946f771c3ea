// SPDX-License-Identifier: MIT
#ifndef PROCESSKIT_KEEPER_CGROUP_EMPTIER_H
#define PROCESSKIT_KEEPER_CGROUP_EMPTIER_H

#include "unique_fd.h"

#include <string>

namespace ProcessKit::Keeper {

// One cgroup on its way out: everything in it is killed, and when the kernel reports that nothing
// is left it is removed, with the cgroups that its members have made in it. Never waits itself.
class CgroupEmptier
{
public:
    explicit CgroupEmptier(std::string path);

    const std::string &path() const { return m_path; }
    // to be watched for POLLPRI
    int eventsDescriptor() const { return m_events.get(); }
    // Goes on as far as it can be; true when there is nothing more to be done: it is gone, or is
    // not ours to remove.
    bool proceed();

private:
    bool isPopulated() const;

    std::string m_path;
    Native::UniqueFd m_directory;
    Native::UniqueFd m_events;
};

} // namespace ProcessKit::Keeper

#endif // PROCESSKIT_KEEPER_CGROUP_EMPTIER_H
