// SPDX-License-Identifier: MIT

// The system calls of the keeper, by the names and with the types that the C library's headers give
// them. The library itself is left out: linked statically it is fifteen times the size of
// everything else here, none of which a keeper uses, and it is what every application that carries
// a keeper would carry, too. A function that the sources begin to use and that is missing here is
// an error of the linker.

#include <cerrno>
#include <csignal>
#include <cstdarg>

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

extern "C" {
long processkitSystemCall(long number, long a, long b, long c, long d, long e, long f);
[[noreturn]] void processkitStart();
extern void (*__init_array_start[])();
extern void (*__init_array_end[])();
}

int processkitMain() asm("main"); // which C++ does not let one call

namespace {

constexpr long kernelSignalSetSize = 8; // the first bytes of the library's larger sigset_t

int lastError; // there is one thread

long toWord(long value)
{
    return value;
}

long toWord(const volatile void *pointer)
{
    return reinterpret_cast<long>(pointer);
}

long checked(long result)
{
    if (result < 0 && result > -4096) {
        lastError = int(-result);
        return -1;
    }
    return result;
}

template<typename... Arguments>
long call(long number, Arguments... arguments)
{
    const long words[6] = { toWord(arguments)... };
    return checked(processkitSystemCall(number, words[0], words[1], words[2], words[3], words[4],
                                        words[5]));
}

} // namespace

void processkitStart()
{
    for (auto constructor = __init_array_start; constructor != __init_array_end; ++constructor)
        (*constructor)();
    _exit(processkitMain());
}

extern "C" {

int *__errno_location() noexcept
{
    return &lastError;
}

long syscall(long number, ...) noexcept
{
    va_list list;
    va_start(list, number);
    long words[6];
    for (long &word : words)
        word = va_arg(list, long);
    va_end(list);
    return checked(processkitSystemCall(number, words[0], words[1], words[2], words[3], words[4],
                                        words[5]));
}

void _exit(int status)
{
    while (true)
        call(SYS_exit_group, status);
}

// files

int openat(int directory, const char *path, int flags, ...)
{
    va_list list;
    va_start(list, flags);
    const unsigned mode = va_arg(list, unsigned); // of no meaning without O_CREAT
    va_end(list);
    return int(call(SYS_openat, directory, path, flags, mode));
}

int open(const char *path, int flags, ...)
{
    return openat(AT_FDCWD, path, flags, 0);
}

int close(int fd)
{
    return int(call(SYS_close, fd));
}

ssize_t read(int fd, void *buffer, size_t size)
{
    return call(SYS_read, fd, buffer, long(size));
}

ssize_t pread(int fd, void *buffer, size_t size, off_t offset)
{
    return call(SYS_pread64, fd, buffer, long(size), offset);
}

ssize_t write(int fd, const void *buffer, size_t size)
{
    return call(SYS_write, fd, buffer, long(size));
}

int fcntl(int fd, int command, ...)
{
    va_list list;
    va_start(list, command);
    const long argument = va_arg(list, long);
    va_end(list);
    return int(call(SYS_fcntl, fd, command, argument));
}

int dup3(int from, int to, int flags) noexcept
{
    return int(call(SYS_dup3, from, to, flags));
}

int pipe2(int ends[2], int flags) noexcept
{
    return int(call(SYS_pipe2, ends, flags));
}

int stat(const char *path, struct stat *status) noexcept
{
    return int(call(SYS_newfstatat, AT_FDCWD, path, status, 0));
}

int fstat(int fd, struct stat *status) noexcept
{
    return int(call(SYS_newfstatat, fd, "", status, AT_EMPTY_PATH));
}

int fstatfs(int fd, struct statfs *status) noexcept
{
    return int(call(SYS_fstatfs, fd, status));
}

int access(const char *path, int mode) noexcept
{
    return int(call(SYS_faccessat, AT_FDCWD, path, mode));
}

int unlinkat(int directory, const char *path, int flags) noexcept
{
    return int(call(SYS_unlinkat, directory, path, flags));
}

int chdir(const char *path) noexcept
{
    return int(call(SYS_chdir, path));
}

int poll(pollfd *entries, nfds_t count, int timeout)
{
    timespec time{ timeout / 1000, timeout % 1000 * 1000000 };
    return int(call(SYS_ppoll, entries, long(count), timeout < 0 ? nullptr : &time, nullptr,
                    kernelSignalSetSize));
}

// sockets

int getsockopt(int fd, int level, int name, void *value, socklen_t *size) noexcept
{
    return int(call(SYS_getsockopt, fd, level, name, value, size));
}

int setsockopt(int fd, int level, int name, const void *value, socklen_t size) noexcept
{
    return int(call(SYS_setsockopt, fd, level, name, value, long(size)));
}

ssize_t sendmsg(int fd, const msghdr *message, int flags)
{
    return call(SYS_sendmsg, fd, message, flags);
}

ssize_t recvmsg(int fd, msghdr *message, int flags)
{
    return call(SYS_recvmsg, fd, message, flags);
}

cmsghdr *__cmsg_nxthdr(msghdr *message, cmsghdr *header) noexcept
{
    auto *end = static_cast<char *>(message->msg_control) + message->msg_controllen;
    auto *next = reinterpret_cast<char *>(header) + CMSG_ALIGN(header->cmsg_len);
    if (header->cmsg_len < sizeof *header || next + sizeof *header > end)
        return nullptr;
    return reinterpret_cast<cmsghdr *>(next);
}

// processes

pid_t fork() noexcept
{
    return pid_t(call(SYS_clone, SIGCHLD));
}

pid_t getpid() noexcept
{
    return pid_t(call(SYS_getpid));
}

uid_t geteuid() noexcept
{
    return uid_t(call(SYS_geteuid));
}

gid_t getegid() noexcept
{
    return gid_t(call(SYS_getegid));
}

int setpgid(pid_t pid, pid_t group) noexcept
{
    return int(call(SYS_setpgid, pid, group));
}

int kill(pid_t pid, int signal) noexcept
{
    return int(call(SYS_kill, pid, signal));
}

int waitid(idtype_t type, id_t id, siginfo_t *info, int options)
{
    return int(call(SYS_waitid, type, long(id), info, options, nullptr));
}

int getrusage(__rusage_who_t who, rusage *usage) noexcept
{
    return int(call(SYS_getrusage, who, usage));
}

int prctl(int option, ...) noexcept
{
    va_list list;
    va_start(list, option);
    const long argument = va_arg(list, long); // the options in use take no more
    va_end(list);
    return int(call(SYS_prctl, option, argument, 0, 0, 0));
}

int getrlimit(__rlimit_resource_t resource, rlimit *limit) noexcept
{
    return int(call(SYS_prlimit64, 0, resource, nullptr, limit));
}

// signals

int sigemptyset(sigset_t *set) noexcept
{
    *set = {};
    return 0;
}

int sigfillset(sigset_t *set) noexcept
{
    __builtin_memset(set, 0xff, sizeof *set);
    return 0;
}

int sigaddset(sigset_t *set, int signal) noexcept
{
    *reinterpret_cast<unsigned long *>(set) |= 1UL << (signal - 1);
    return 0;
}

int sigprocmask(int how, const sigset_t *set, sigset_t *previous) noexcept
{
    return int(call(SYS_rt_sigprocmask, how, set, previous, kernelSignalSetSize));
}

int signalfd(int fd, const sigset_t *set, int flags) noexcept
{
    return int(call(SYS_signalfd4, fd, set, kernelSignalSetSize, flags));
}

// for SIG_DFL and SIG_IGN, which need no code to return through
sighandler_t signal(int signal, sighandler_t handler) noexcept
{
    struct
    {
        sighandler_t handler;
        unsigned long flags;
        void (*restorer)();
        unsigned long mask;
    } action{ handler, 0, nullptr, 0 };
    return call(SYS_rt_sigaction, signal, &action, nullptr, kernelSignalSetSize) == 0 ? SIG_DFL
                                                                                      : SIG_ERR;
}

// memory

void *mmap(void *address, size_t size, int protection, int flags, int fd, off_t offset) noexcept
{
    return reinterpret_cast<void *>(
            call(SYS_mmap, address, long(size), protection, flags, fd, offset));
}

int munmap(void *address, size_t size) noexcept
{
    return int(call(SYS_munmap, address, long(size)));
}

} // extern "C"
