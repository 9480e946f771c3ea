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

// Most trees are gone when our own children have been struck a few times: each time those of the
// next level become ours, in one batch or several. A tree that brings new ones to light more often
// is deep or grows, and is then struck at every level.
constexpr int deepFind = 10;

bool contains(const std::vector<pid_t> &sorted, pid_t pid)
{
    return std::binary_search(sorted.begin(), sorted.end(), pid);
}

} // namespace

void TreeKiller::begin(const std::vector<pid_t> &spared)
{
    if (!m_active) {
        m_active = true;
        m_finds = 0;
        m_boost.begin();
    }
    pass(Depth::Children, spared);
}

void TreeKiller::end()
{
    m_active = false;
    m_isOwed = false;
    m_isTreeOwed = false;
    m_hit = {};
    m_reaped = {};
    m_struck = {};
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
        pass(m_isTreeOwed ? Depth::Tree : Depth::Children, spared);
    else if (m_reaped.size() * share >= m_hit.size() && !m_reaped.empty())
        pass(Depth::Children, spared);
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

void TreeKiller::pass(Depth depth, const std::vector<pid_t> &spared)
{
    forgetReaped();
    std::vector<pid_t> children;
    appendChildren(::getpid(), &children);
    children.erase(std::remove_if(children.begin(), children.end(),
                                  [&spared](pid_t pid) { return contains(spared, pid); }),
                   children.end());
    m_left = children.size();

    const auto hitBefore = std::ptrdiff_t(m_hit.size());
    bool isFind = false;
    for (pid_t child : children) {
        if (std::binary_search(m_hit.begin(), m_hit.begin() + hitBefore, child))
            continue;
        // Our own child, which only we reap: its pid cannot be anybody else's.
        ::kill(child, SIGKILL);
        m_hit.push_back(child);
        isFind = isFind || !contains(m_struck, child);
    }
    std::sort(m_hit.begin(), m_hit.end());

    m_finds += isFind;
    if (isFind && m_finds >= deepFind)
        depth = Depth::Tree;
    // What hangs below a child that does not end (it waits for a disk, or has gained privileges)
    // would not come to light.
    m_isTreeOwed = depth == Depth::Children && (isFind || m_isTreeOwed);
    m_isOwed = m_isTreeOwed;
    if (depth == Depth::Children)
        return;

    // Stopped first, ended then: a process that is ended makes room for another one where a limit
    // holds a bomb back, and takes the processor's time for its end; one that is stopped does
    // neither, and when all of them are, nobody is left to fork.
    signalTree(SIGSTOP, spared);
    m_struck = signalTree(SIGKILL, spared);
}

} // namespace ProcessKit::Keeper
