// SPDX-License-Identifier: MIT
#include "cgroup_pids.h"

#include "directory_reader.h"
#include "small_file.h"
#include "unique_fd.h"

#include <fcntl.h>
#include <stdlib.h>

#include <string>

namespace ProcessKit::Native {

void collectPids(int directory, std::vector<pid_t> *pids)
{
    std::string procs;
    if (!readFile("cgroup.procs", &procs, directory))
        return;
    for (const char *at = procs.c_str(); *at;) {
        char *end;
        const long pid = ::strtol(at, &end, 10);
        if (end == at)
            break;
        if (pid > 0) // 0 is a process outside of our pid namespace
            pids->push_back(pid_t(pid));
        at = *end ? end + 1 : end;
    }
    DirectoryReader reader(directory);
    DirectoryReader::Entry entry;
    while (reader.next(&entry)) {
        if (entry.mayBeDirectory) {
            const UniqueFd below(
                    ::openat(directory, entry.name, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
            if (below)
                collectPids(below.get(), pids);
        }
    }
}

} // namespace ProcessKit::Native
