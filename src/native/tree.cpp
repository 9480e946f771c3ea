// SPDX-License-Identifier: MIT
#include "tree.h"

#include "cgroup_tree.h"
#include "process_group_tree.h"
#include "reactor.h"
#include "subreaper_tree.h"

#include <unordered_set>

namespace ProcessKit::Native {

namespace {

std::unordered_set<std::shared_ptr<Tree>> &liveTrees()
{
    static auto *trees =
            new std::unordered_set<std::shared_ptr<Tree>>; // outlives static destruction
    return *trees;
}

} // namespace

std::shared_ptr<Tree> Tree::make(TreeKind kind, const std::shared_ptr<CgroupDirectory> &directory)
{
    switch (kind) {
    case TreeKind::CgroupV2:
        if (directory && directory->isKeepers())
            return std::make_shared<SubreaperTree>(directory);
        return std::make_shared<CgroupTree>(directory);
    case TreeKind::Subreaper:
        return std::make_shared<SubreaperTree>();
    case TreeKind::ProcessGroup:
        break;
    }
    return std::make_shared<ProcessGroupTree>();
}

void Tree::begin()
{
    liveTrees().insert(shared_from_this());
}

void Tree::end()
{
    m_observer = nullptr;
    // the caller may be a member of this tree, so it goes when the reactor is back in its loop
    Reactor::instance().post([self = shared_from_this()] { liveTrees().erase(self); });
}

void Tree::killAll()
{
    for (const std::shared_ptr<Tree> &tree : liveTrees())
        tree->kill();
}

void Tree::reportLaunched(pid_t pid)
{
    m_pid = pid;
    if (m_observer)
        m_observer->launched(pid);
}

void Tree::reportLaunchFailed(const LaunchFailure &failure)
{
    if (m_observer)
        m_observer->launchFailed(failure);
    end();
}

void Tree::setUsage(const rusage &usage)
{
    m_usage = Usage();
    addUsage(usage, &*m_usage);
}

void Tree::reportExited(const ChildExit &exit)
{
    if (exit.usage)
        setUsage(*exit.usage);
    if (m_observer)
        m_observer->exited(exit);
}

void Tree::reportLost(bool ended)
{
    if (m_observer)
        m_observer->lost(ended);
}

void Tree::reportEmptied()
{
    if (m_observer)
        m_observer->emptied();
    end();
}

} // namespace ProcessKit::Native
