// SPDX-License-Identifier: MIT
#ifndef PROCESSKIT_STARTSETUP_P_H
#define PROCESSKIT_STARTSETUP_P_H

#include "processrun_p.h"

#include <ProcessKit/expected.h>

#include <ProcessKit/containedprocess.h>

#include <optional>
#include <string>
#include <vector>

// What a start takes from its surroundings at the moment when it is called, in the caller's thread:
// whatever is changed afterwards does not concern it any more.
namespace ProcessKit {

// none when a string holds a NUL character, which no program can be given
std::optional<Native::StringBlock> argumentBlock(const QString &program,
                                                 const QStringList &arguments);
// one that inherits: a copy of ours
std::optional<Native::StringBlock> environmentBlock(const QProcessEnvironment &environment);
// Copies of the descriptors that a child is to have under the same numbers; 0 or errno, with the
// culprit as the last target.
int copyDescriptors(const QList<int> &numbers, std::vector<Native::LaunchPlan::Descriptor> *plan,
                    std::vector<Native::UniqueFd> *sources);
// The numbers of the descriptors that \a parameters leave to a child: those of ours between 2 and
// the lowest to close that are not close-on-exec.
QList<int> descriptorsLeftOpen(const ContainedProcess::UnixProcessParameters &parameters);
Native::LaunchPlan::Settings childSettings(ContainedProcess::UnixProcessFlags flags);
// absolute; empty when the current directory no longer exists
std::string startDirectory(const QString &workingDirectory);
// Where the program is, and what it is to call itself.
ProcessError lookUpProgram(RunSetup *setup, Native::LaunchPlan *plan);
// A stream that is no pipe of ours; 0 or errno.
int passStream(int stream, RunSetup::Stream *setup, Native::Launch *launch);
// the stream before, once more
void mergeErrors(Native::LaunchPlan *plan);
// Starts what is nobody's; the pid. Any thread.
Expected<qint64> launchDetached(RunSetup setup);
// A file as one of the three streams; 0 or errno. Standard input is read, the others are written.
int openRedirection(const QString &fileName, int stream, bool append, RunSetup::Stream *setup);

} // namespace ProcessKit

#endif // PROCESSKIT_STARTSETUP_P_H
