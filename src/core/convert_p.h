// SPDX-License-Identifier: MIT
#ifndef PROCESSKIT_CONVERT_P_H
#define PROCESSKIT_CONVERT_P_H

#include <ProcessKit/containment.h>
#include <ProcessKit/processerror.h>
#include <ProcessKit/processinfo.h>

#include "launch_plan.h"
#include "process_table.h"
#include "tree.h"

#include <QtCore/qlist.h>

#include <optional>
#include <string>
#include <vector>

// Between the words of the native layer and those of the public one.
namespace ProcessKit {

Mechanism toMechanism(Native::TreeKind kind);
Native::TreeKind toTreeKind(Mechanism mechanism);
QList<ProcessInfo> toProcessInfo(const std::vector<Native::ProcessEntry> &entries);
// a figure that may not be there, in another unit or type
template<typename To, typename From>
void assign(std::optional<To> *to, const std::optional<From> &from)
{
    *to = from ? std::optional<To>(To(*from)) : std::nullopt;
}
ProcessError toError(const Native::LaunchFailure &failure, const QString &program);
ProcessError lookupError(int error, const QString &program,
                         const std::vector<std::string> &searched);
// Starts the reactor when it is not running, for the start of \a program.
ProcessError startReactor(const QString &program);
// Has the log told when a keeper was killed.
void watchKeeper();

} // namespace ProcessKit

#endif // PROCESSKIT_CONVERT_P_H
