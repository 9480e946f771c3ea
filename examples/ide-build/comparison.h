// SPDX-License-Identifier: MIT
#ifndef COMPARISON_H
#define COMPARISON_H

#include <QString>

// Stops a build in the middle in three ways, once held by each mechanism of ContainedProcess and
// once by QProcess, and prints how many of its processes survived. The build directory has to be
// configured. True if nothing survived where ProcessKit promises that nothing does.
bool compareWithQProcess(const QString &buildDirectory);

// The other side of the SIGKILL row: starts a build, reports that it is in the middle, and waits to
// be killed. The exit code of the program is returned if that does not happen.
int runVictim(const QString &holder, const QString &buildDirectory, const QString &marker);

#endif // COMPARISON_H
