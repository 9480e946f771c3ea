// SPDX-License-Identifier: MIT
#ifndef PROCESSKIT_BENCH_BARECGROUP_H
#define PROCESSKIT_BENCH_BARECGROUP_H

#include <string>

// A cgroup made by hand below our own, in the cgroup2 mount that mountinfo names. It is emptied
// and removed with this object. Throws Unavailable where none can be made.
class BareCgroup
{
public:
    explicit BareCgroup(const char *name);
    ~BareCgroup();
    BareCgroup(const BareCgroup &) = delete;
    BareCgroup &operator=(const BareCgroup &) = delete;

    int directory() const { return m_directory; } // for CLONE_INTO_CGROUP
    void kill() const;
    // waits with poll(2) on cgroup.events
    void waitUntilEmpty() const;

private:
    bool isPopulated() const;

    std::string m_path;
    int m_directory = -1;
    int m_events = -1;
    int m_kill = -1;
};

#endif // PROCESSKIT_BENCH_BARECGROUP_H
