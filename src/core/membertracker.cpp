// SPDX-License-Identifier: MIT
#include "membertracker_p.h"

#include "fork_events.h"

#include <unordered_set>
#include <utility>

namespace ProcessKit {

using Native::ForkEvents;
using Native::ProcessEntry;
using Native::Reactor;

MemberTracker::MemberTracker(List list, Tell tell)
    : m_list(std::move(list)), m_tell(std::move(tell))
{
    ForkEvents::instance().add(this, [this](pid_t parent, pid_t child) { forked(parent, child); });
}

MemberTracker::~MemberTracker()
{
    ForkEvents::instance().remove(this);
}

void MemberTracker::look()
{
    std::unordered_set<pid_t> seen;
    for (const ProcessEntry &entry : m_list()) {
        if (!entry.isAlive())
            continue;
        seen.insert(entry.pid);
        const auto known = m_members.find(entry.pid);
        if (known != m_members.end() && known->second->entry.startTime == entry.startTime)
            continue;
        if (known != m_members.end())
            remove(known); // its number is in use again
        add(entry);
    }
    for (auto member = m_members.begin(); member != m_members.end();) {
        const auto next = std::next(member);
        if (!seen.contains(member->first))
            remove(member);
        member = next;
    }
}

void MemberTracker::forked(pid_t parent, pid_t child)
{
    if (parent == 0)
        look();
    else if (m_members.contains(parent) && !m_members.contains(child)) {
        if (const auto entry = Native::readProcess(child); entry && entry->isAlive())
            add(*entry);
    }
}

void MemberTracker::add(const ProcessEntry &entry)
{
    auto member = std::make_unique<Member>();
    member->entry = entry;
    member->handle = Native::openProcess(entry);
    if (member->handle) {
        // without a descriptor for it, the next look sees the end
        member->watch.start(member->handle.get(), Reactor::Readable,
                            [this, it = member.get()](auto) {
                                it->watch.stop();
                                ended(it->entry.pid);
                            });
    }
    m_members[entry.pid] = std::move(member);
    m_tell(entry, true);
}

// Not removed yet: we are called by its watch.
void MemberTracker::ended(pid_t pid)
{
    m_ended.push_back(pid);
    if (m_ended.size() > 1)
        return;
    Reactor::instance().afterTurn([weak = weak_from_this()] {
        if (const auto self = weak.lock())
            self->removeEnded();
    });
}

void MemberTracker::removeEnded()
{
    for (const pid_t pid : std::exchange(m_ended, {})) {
        if (const auto member = m_members.find(pid);
            member != m_members.end() && !member->second->watch.isActive())
            remove(member);
    }
    if (!ForkEvents::instance().isHearing())
        look(); // there may be others by now
}

void MemberTracker::remove(Members::iterator member)
{
    const ProcessEntry entry = std::move(member->second->entry);
    m_members.erase(member);
    m_tell(entry, false);
}

} // namespace ProcessKit
