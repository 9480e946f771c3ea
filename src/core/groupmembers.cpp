// SPDX-License-Identifier: MIT
// Who is in a group, who comes and goes, and who is taken in or let out by hand.
#include "groupstate_p.h"

#include "convert_p.h"
#include "membertracker_p.h"
#include "processrun_p.h"

#include "cgroup_directory.h"
#include "cgroup_location.h"
#include "cgroup_tree.h"
#include "keeper_client.h"

#include <errno.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

namespace ProcessKit {

using Native::ProcessEntry;
using Kind = ProcessError::Kind;

namespace {

ProcessError memberError(Kind kind, const char *operation, int error, const char *reason)
{
    return ProcessError(kind, {}, QLatin1String(operation), error, QLatin1String(reason));
}

bool contains(const std::vector<ProcessEntry> &entries, pid_t pid)
{
    return std::any_of(entries.begin(), entries.end(),
                       [pid](const ProcessEntry &entry) { return entry.pid == pid; });
}

bool isKernelThread(const ProcessEntry &process)
{
    return process.parent == 2 || process.pid == 2;
}

} // namespace

std::vector<Native::ProcessEntry> GroupState::members() const
{
    std::vector<Native::ProcessEntry> members;
    for (const auto &run : m_runs) {
        for (Native::ProcessEntry &entry : run->tree()->members())
            members.push_back(std::move(entry));
    }
    return members;
}

void GroupState::setTracksMembers(bool tracks)
{
    if (!tracks) {
        m_tracker.reset();
        return;
    }
    if (m_tracker)
        return;
    const std::weak_ptr<GroupState> weak = weak_from_this();
    m_tracker = std::make_shared<MemberTracker>(
            [weak] {
                const auto self = weak.lock();
                return self ? self->members() : std::vector<Native::ProcessEntry>();
            },
            [weak](const Native::ProcessEntry &entry, bool appeared) {
                const auto self = weak.lock();
                if (!self)
                    return;
                const ProcessInfo member = toProcessInfo({ entry }).first();
                const std::lock_guard lock(self->m_mutex);
                self->m_memberChanges.append({ member, appeared });
                self->post(ChangedEvent);
            });
    m_tracker->look();
}

void GroupState::lookForMembers()
{
    if (m_tracker)
        m_tracker->look();
}

QList<GroupState::MemberChange> GroupState::takeMemberChanges()
{
    const std::lock_guard lock(m_mutex);
    return std::exchange(m_memberChanges, {});
}

// The group has a cgroup, or \a prepared says why not.
Expected<AdoptionReport> GroupState::adopt(qint64 processId, const ProcessError &prepared)
{
    if (prepared)
        return prepared;
    if (!m_directory)
        return memberError(Kind::Unsupported, "adopt", ENOTSUP,
                           "only a cgroup takes in what it has not started");
    const std::optional<ProcessEntry> process = Native::readProcess(pid_t(processId));
    if (!process || !process->isAlive())
        return memberError(Kind::NotFound, "adopt", ESRCH, "there is no such process");
    AdoptionReport report;
    if (contains(members(), process->pid))
        return report;
    const bool isOurs = process->pid == ::getpid()
            || process->pid == Native::KeeperClient::runningPid()
            || contains(Native::descendantsOf(process->pid), ::getpid());
    if (isOurs || isKernelThread(*process))
        return memberError(Kind::InvalidArgument, "adopt", EINVAL,
                           "this program, those that it descends from, its keeper and threads of "
                           "the kernel cannot be in a group");
    std::vector<ProcessEntry> leftOutside;
    if (const ProcessError error = ProcessRun::adopt(shared_from_this(), *process, &leftOutside))
        return error;
    report.adopted = toProcessInfo(m_runs.back()->tree()->members());
    report.leftOutside = toProcessInfo(leftOutside);
    lookForMembers();
    return report;
}

ProcessError GroupState::release(qint64 processId)
{
    const std::vector<ProcessEntry> all = members();
    const auto member = std::find_if(all.begin(), all.end(), [&](const ProcessEntry &entry) {
        return entry.pid == pid_t(processId);
    });
    if (processId <= 0 || member == all.end())
        return memberError(Kind::NotFound, "release", ESRCH, "it is not in the group");
    for (const auto &run : m_runs) {
        if (run->tree()->pid() == member->pid && !run->isAdopted())
            return memberError(Kind::Unsupported, "release", ENOTSUP,
                               "a process that was started here ends with this program "
                               "(PR_SET_PDEATHSIG); startDetached() starts one that does not");
        if (run->tree()->kind() != Native::TreeKind::CgroupV2
            && contains(run->tree()->members(), member->pid))
            return memberError(Kind::Unsupported, "release", ENOTSUP,
                               "only a cgroup can let a process go");
    }
    std::vector<ProcessEntry> released{ *member };
    for (const ProcessEntry &descendant : Native::descendantsOf(member->pid)) {
        if (contains(all, descendant.pid))
            released.push_back(descendant);
    }
    const int error = Native::CgroupTree::moveTo(Native::CgroupLocation::ownDirectory(), released);
    if (error)
        return memberError(error == EACCES || error == EPERM ? Kind::PermissionDenied
                                                             : Kind::Unsupported,
                           "release", error, "it cannot be moved to the cgroup of this program");
    lookForMembers();
    return {};
}

} // namespace ProcessKit
