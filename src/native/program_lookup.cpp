// SPDX-License-Identifier: MIT
#include "program_lookup.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string_view>

namespace ProcessKit::Native {

namespace {

// what execvp(3) searches when there is no PATH (confstr(3), _CS_PATH)
constexpr std::string_view defaultPath = "/bin:/usr/bin";

std::string_view pathOf(const StringBlock &environment)
{
    for (const char *variable : environment.table()) {
        if (variable && ::strncmp(variable, "PATH=", 5) == 0)
            return variable + 5; // the first one counts, as for getenv(3)
    }
    return defaultPath;
}

// 0, or why the file cannot be executed
int checkExecutable(const char *file)
{
    struct stat status;
    if (::stat(file, &status) < 0)
        return ENOENT; // also where we may not look: nobody can say that it is there
    return S_ISREG(status.st_mode) && ::access(file, X_OK) == 0 ? 0 : EACCES;
}

} // namespace

ProgramLookup ProgramLookup::find(const std::string &program, const StringBlock &environment,
                                  const std::string &directory,
                                  const std::vector<std::string> &preferred)
{
    ProgramLookup lookup;
    if (program.find('/') != std::string::npos) {
        lookup.file = program; // exec has the last word
        return lookup;
    }
    lookup.error = ENOENT;
    for (const std::string &searched : preferred) {
        if (lookup.tryDirectory(searched, program))
            return lookup;
    }
    std::string_view path = pathOf(environment);
    for (bool last = false; !last;) {
        const std::size_t colon = path.find(':');
        last = colon == std::string_view::npos;
        std::string searched(path.substr(0, colon));
        if (!last)
            path.remove_prefix(colon + 1);
        if (searched.empty())
            searched.push_back('.');
        if (searched[0] != '/' && !directory.empty())
            searched = searched == "." ? directory : directory + '/' + searched;
        if (lookup.tryDirectory(std::move(searched), program))
            return lookup;
    }
    return lookup;
}

bool ProgramLookup::tryDirectory(std::string directory, const std::string &program)
{
    const std::string candidate = directory + '/' + program;
    searched.push_back(std::move(directory));
    const int problem = checkExecutable(candidate.c_str());
    if (!problem) {
        file = candidate;
        error = 0;
    } else if (problem == EACCES) {
        error = EACCES;
    }
    return !problem;
}

} // namespace ProcessKit::Native
