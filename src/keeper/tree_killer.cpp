// SPDX-License-Identifier: MIT
#include "tree_killer.h"

#include "process_table.h"
#include "tree_signal.h"

#include <algorithm>
#include <csignal>

#include <unistd.h>

namespace ProcessKit::Keeper {

using namespace Native;

namespace {

// The first passes only strike our own children, which is enough for most trees. A tree that keeps
// bringing new ones to light is deep or grows, and is then struck at every level.
constexpr int shallowPasses = 2;

bool contains(const std::vector<pid_t> &sorted, pid_t pid)
{
    return std::binary_search(sorted.begin(), sorted.end(), pid);
}

} // namespace

void TreeKiller::begin(const std::vector<pid_t> &spared)
{
    if (!m_active) {
        m_active = true;
        m_passes = 0;
        m_boost.begin();
    }
    pass(false, spared);
}

void TreeKiller::end()
{
    m_active = false;
    m_isOwed = false;
    m_hit = {};
    m_reaped = {};
    m_boost.end();
}

void TreeKiller::childReaped(pid_t pid)
{
    if (m_active)
        m_reaped.push_back(pid);
}

void TreeKiller::proceed(bool quiet, const std::vector<pid_t> &spared)
{
    if (!m_active)
        return;
    // A thousand children end one by one; listing the others after each would take the square of
    // that. So a pass waits for a share of them, or until no more end.
    constexpr std::size_t share = 16;
    if (quiet)
        pass(true, spared);
    else if (m_reaped.size() * share >= m_hit.size() && !m_reaped.empty())
        pass(m_passes >= shallowPasses, spared);
    else if (!m_reaped.empty())
        m_isOwed = true;
}

// A pid that was reaped may be that of another child by now.
void TreeKiller::forgetReaped()
{
    std::sort(m_reaped.begin(), m_reaped.end());
    m_hit.erase(std::remove_if(m_hit.begin(), m_hit.end(),
                               [this](pid_t pid) { return contains(m_reaped, pid); }),
                m_hit.end());
    m_reaped.clear();
}

void TreeKiller::pass(bool deep, const std::vector<pid_t> &spared)
{
    ++m_passes;
    forgetReaped();
    std::vector<pid_t> children;
    appendChildren(::getpid(), &children);
    children.erase(std::remove_if(children.begin(), children.end(),
                                  [&spared](pid_t pid) { return contains(spared, pid); }),
                   children.end());
    m_left = children.size();

    std::vector<pid_t> fresh;
    for (pid_t child : children) {
        if (contains(m_hit, child))
            continue;
        // Our own child, which only we reap: its pid cannot be anybody else's.
        ::kill(child, SIGKILL);
        fresh.push_back(child);
    }
    deep = deep && (!fresh.empty() || m_isOwed);
    m_isOwed = !deep && !fresh.empty();
    m_hit.insert(m_hit.end(), fresh.begin(), fresh.end());
    std::sort(m_hit.begin(), m_hit.end());

    if (!deep)
        return;
    // Stopped first, ended then: a process that is ended makes room for another one where a limit
    // holds a bomb back, and takes the processor's time for its end; one that is stopped does
    // neither, and when all of them are, nobody is left to fork.
    signalTree(SIGSTOP, spared);
    signalTree(SIGKILL, spared);
}

} // namespace ProcessKit::Keeper
