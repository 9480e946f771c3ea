// SPDX-License-Identifier: MIT
#ifndef PROCESSKIT_BENCH_BARESPAWN_H
#define PROCESSKIT_BENCH_BARESPAWN_H

#include <QtCore/qstring.h>

#include <sys/types.h>

// The floor under every launch: one clone3(2) with vfork semantics into a cgroup, and execve(2).

struct BareChild
{
    pid_t pid = -1;
    int pidfd = -1;
};

// \a cgroup: descriptor of the directory, or -1; \a output: becomes its standard output, unless -1.
// Throws Unavailable.
BareChild bareStart(const QString &program, const QString &argument, int cgroup, int output = -1);

// Waits with waitid(2) on the pidfd, which is closed.
void bareReap(BareChild &child);

#endif // PROCESSKIT_BENCH_BARESPAWN_H
