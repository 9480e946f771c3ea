// SPDX-License-Identifier: MIT
#ifndef PROCESSKIT_BENCH_THREADSTAT_H
#define PROCESSKIT_BENCH_THREADSTAT_H

#include <QtCore/qglobal.h>

#include <vector>

#include <sys/types.h>

// What /proc says about processes.

// context switches of all threads, with or without their will
qint64 contextSwitches(pid_t process);
// the memory that only this process has; throws Failure
qint64 privateBytes(pid_t process);
// all processes that run the same file as \a process, it and its descendants
std::vector<pid_t> sameProgramTree(pid_t process);

// The part of the machine's CPU time that is in use, looked at for \a milliseconds; 0 to 1.
double machineLoad(int milliseconds);

// Allows as many descriptors as this user may have, and returns how many.
int raiseDescriptorLimit();

#endif // PROCESSKIT_BENCH_THREADSTAT_H
