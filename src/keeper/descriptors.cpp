// SPDX-License-Identifier: MIT
#include "descriptors.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>

namespace ProcessKit::Keeper {

bool moveDescriptor(Native::UniqueFd from, int to)
{
    if (from.get() == to) {
        from.release();
        return ::fcntl(to, F_SETFD, FD_CLOEXEC) == 0;
    }
    return ::dup3(from.get(), to, O_CLOEXEC) == to;
}

void closeDescriptorsFrom(int first)
{
    if (::syscall(SYS_close_range, first, ~0U, 0) == 0)
        return;
    // before Linux 5.9, or a seccomp filter that does not know it
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    const int end = limit.rlim_cur < 65536 ? int(limit.rlim_cur) : 65536;
    for (int fd = first; fd < end; ++fd)
        ::close(fd);
}

void clearSignals()
{
    signalfd_siginfo info[4];
    while (::read(SignalDescriptor, info, sizeof info) > 0) { }
}

} // namespace ProcessKit::Keeper
