// SPDX-License-Identifier: MIT
#ifndef PROCESSKIT_MEMBERTRACKER_P_H
#define PROCESSKIT_MEMBERTRACKER_P_H

#include "process_table.h"
#include "reactor.h"
#include "unique_fd.h"

#include <functional>
#include <map>
#include <memory>
#include <vector>

namespace ProcessKit {

// Knows who is in a group, and tells who has come and gone. An end is told by the process's own
// handle; a fork by the kernel where it does that (see Native::ForkEvents), else it is found the
// next time that somebody looks. Reactor thread only.
class MemberTracker : public std::enable_shared_from_this<MemberTracker>
{
public:
    using List = std::function<std::vector<Native::ProcessEntry>()>;
    using Tell = std::function<void(const Native::ProcessEntry &member, bool appeared)>;

    MemberTracker(List list, Tell tell);
    ~MemberTracker();
    MemberTracker(const MemberTracker &) = delete;
    MemberTracker &operator=(const MemberTracker &) = delete;

    void look();

private:
    struct Member
    {
        Native::ProcessEntry entry;
        Native::UniqueFd handle;
        Native::Reactor::Watch watch;
    };
    using Members = std::map<pid_t, std::unique_ptr<Member>>;

    void forked(pid_t parent, pid_t child);
    void add(const Native::ProcessEntry &entry);
    void ended(pid_t pid);
    void removeEnded();
    void remove(Members::iterator member);

    const List m_list;
    const Tell m_tell;
    Members m_members;
    std::vector<pid_t> m_ended;
};

} // namespace ProcessKit

#endif // PROCESSKIT_MEMBERTRACKER_P_H
