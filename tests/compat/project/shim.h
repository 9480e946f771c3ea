// SPDX-License-Identifier: MIT
// Read before anything else of a source that uses QProcess: once Qt's own headers and the class
// that is to take the place are known, the word means that class.
#ifndef PROCESSKIT_COMPAT_SHIM_H
#define PROCESSKIT_COMPAT_SHIM_H

#include <QtCore/QtCore>
#include <QtTest/QtTest>

#include "containedundertest.h"

#define QProcess ContainedUnderTest

#endif // PROCESSKIT_COMPAT_SHIM_H
