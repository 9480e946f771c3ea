// SPDX-License-Identifier: MIT
#ifndef PROCESSKIT_NATIVE_PROGRAM_LOOKUP_H
#define PROCESSKIT_NATIVE_PROGRAM_LOOKUP_H

#include "launch_plan.h"

#include <string>
#include <vector>

namespace ProcessKit::Native {

// Where a program was looked for and what became of it.
struct ProgramLookup
{
    std::string file; // to execute; empty when there is none
    int error = 0; // why: ENOENT, or EACCES when something was there that may not be executed
    std::vector<std::string> searched; // for a bare name

    // A name with a slash is taken as it is; a bare one is looked for in the PATH of the
    // environment that the child gets (execvp(3)), an empty element of which is \a directory, and
    // before that in the \a preferred ones, which are absolute.
    static ProgramLookup find(const std::string &program, const StringBlock &environment,
                              const std::string &directory,
                              const std::vector<std::string> &preferred = {});

private:
    bool tryDirectory(std::string directory, const std::string &program);
};

} // namespace ProcessKit::Native

#endif // PROCESSKIT_NATIVE_PROGRAM_LOOKUP_H
