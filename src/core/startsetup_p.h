// SPDX-License-Identifier: MIT
#ifndef PROCESSKIT_STARTSETUP_P_H
#define PROCESSKIT_STARTSETUP_P_H

#include "launch_plan.h"

#include <QtCore/qprocess.h>

#include <optional>
#include <string>

// What a start takes from its surroundings at the moment when it is called, in the caller's thread:
// whatever is changed afterwards does not concern it any more.
namespace ProcessKit {

// none when a string holds a NUL character, which no program can be given
std::optional<Native::StringBlock> argumentBlock(const QString &program,
                                                 const QStringList &arguments);
// without an environment of its own: a copy of ours
std::optional<Native::StringBlock>
environmentBlock(const std::optional<QProcessEnvironment> &environment);
// absolute; empty when the current directory no longer exists
std::string startDirectory(const QString &workingDirectory);

} // namespace ProcessKit

#endif // PROCESSKIT_STARTSETUP_P_H
