// SPDX-License-Identifier: MIT
#ifndef SAMPLEPROJECT_H
#define SAMPLEPROJECT_H

#include <QString>

// Writes a C++ project (CMakeLists.txt and two dozen sources) that takes some seconds to build.
bool writeSampleProject(const QString &directory);

#endif // SAMPLEPROJECT_H
