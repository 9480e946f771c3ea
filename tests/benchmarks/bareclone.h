// SPDX-License-Identifier: MIT
#ifndef PROCESSKIT_BENCH_BARECLONE_H
#define PROCESSKIT_BENCH_BARECLONE_H

#include <cstddef>
#include <linux/sched.h>

// clone3(2) for a child on a stack of its own, which runs \a function and exits with what that
// returns. Returns the pid, or a negative errno.
long bareClone(clone_args *args, std::size_t size, int (*function)(void *), void *argument);

#endif // PROCESSKIT_BENCH_BARECLONE_H
