// SPDX-License-Identifier: MIT

// pk-faults SYSCALL ERRNO FIRST LAST PROGRAM [ARGUMENT...]
//
// Runs PROGRAM and lets the calls number FIRST to LAST of that system call fail, counted over all
// threads and processes that come of it, while it is armed: kcmp(2) with a pid of 1 arms and of 2
// disarms. A seccomp filter hands each call to this process, so neither root nor ptrace is needed.
// Prints "calls N failed M" on standard error at the end and exits with what PROGRAM exited.
// 77: this host has no such filter.

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

struct Name
{
    const char *name;
    int number;
};

constexpr Name calls[] = {
    { "pipe2", SYS_pipe2 },
    { "clone", SYS_clone },
    { "clone3", SYS_clone3 },
    { "epoll_create1", SYS_epoll_create1 },
    { "epoll_ctl", SYS_epoll_ctl },
    { "eventfd2", SYS_eventfd2 },
    { "timerfd_create", SYS_timerfd_create },
    { "timerfd_settime", SYS_timerfd_settime },
    { "inotify_init1", SYS_inotify_init1 },
    { "inotify_add_watch", SYS_inotify_add_watch },
    { "memfd_create", SYS_memfd_create },
    { "socketpair", SYS_socketpair },
    { "sendmsg", SYS_sendmsg },
    { "recvmsg", SYS_recvmsg },
    { "openat", SYS_openat },
    { "read", SYS_read },
    { "getdents64", SYS_getdents64 },
    { "mkdirat", SYS_mkdirat },
#ifdef SYS_mkdir
    { "mkdir", SYS_mkdir },
#endif
    { "pidfd_open", SYS_pidfd_open },
    { "execve", SYS_execve },
    { "execveat", SYS_execveat },
    { "dup3", SYS_dup3 },
    { "fcntl", SYS_fcntl },
    { "close_range", SYS_close_range },
    { "setpgid", SYS_setpgid },
    { "setsid", SYS_setsid },
    { "setresgid", SYS_setresgid },
    { "setresuid", SYS_setresuid },
    { "prctl", SYS_prctl },
    { "ftruncate", SYS_ftruncate },
};

constexpr Name errors[] = {
    { "EMFILE", EMFILE }, { "EAGAIN", EAGAIN }, { "ENOMEM", ENOMEM }, { "ENOSPC", ENOSPC },
    { "EPERM", EPERM },   { "ENOSYS", ENOSYS }, { "EINVAL", EINVAL }, { "EBUSY", EBUSY },
    { "EACCES", EACCES }, { "ENFILE", ENFILE },
};

template<size_t Size>
int lookUp(const Name (&table)[Size], const char *name)
{
    for (const Name &entry : table) {
        if (strcmp(entry.name, name) == 0)
            return entry.number;
    }
    fprintf(stderr, "pk-faults: %s is not known here\n", name);
    exit(77);
}

// The listener's descriptor in this process, which from now on must not make the call itself.
int installFilter(int call)
{
    sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, unsigned(call), 2, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, unsigned(SYS_kcmp), 1, 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
    };
    const sock_fprog program = { sizeof code / sizeof code[0], code };
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return -1;
    return int(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER,
                       &program));
}

struct Faults
{
    int call;
    int error;
    long first;
    long last;
    long calls = 0;
    long failed = 0;
    bool armed = false;
};

// Answers one call; false when nobody is left who could make one.
bool answer(int listener, Faults *faults)
{
    seccomp_notif request;
    memset(&request, 0, sizeof request);
    if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &request) < 0)
        return errno == EINTR || errno == ENOENT; // the caller has been killed meanwhile
    seccomp_notif_resp response;
    memset(&response, 0, sizeof response);
    response.id = request.id;
    if (request.data.nr == SYS_kcmp) {
        faults->armed = request.data.args[0] == 1;
    } else if (faults->armed && ++faults->calls >= faults->first && faults->calls <= faults->last) {
        ++faults->failed;
        response.error = -faults->error;
    } else {
        response.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
    }
    ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &response);
    return true;
}

} // namespace

int main(int argc, char **argv)
{
    if (argc < 6)
        return 64;
    Faults faults{ lookUp(calls, argv[1]), lookUp(errors, argv[2]), atol(argv[3]), atol(argv[4]) };

    // The child shares our descriptors until it executes the program, so the listener that it gets
    // is ours as well. A signal tells that it is there: it cannot be among the filtered calls.
    int *result = static_cast<int *>(
            mmap(nullptr, sizeof(int), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
    if (result == MAP_FAILED)
        return 70;
    sigset_t installed, taken, before;
    sigemptyset(&installed);
    sigaddset(&installed, SIGUSR1);
    sigemptyset(&taken);
    sigaddset(&taken, SIGUSR2);
    sigset_t both = installed;
    sigaddset(&both, SIGUSR2);
    sigprocmask(SIG_BLOCK, &both, &before);

    const pid_t self = getpid();
    const pid_t child = pid_t(syscall(SYS_clone, CLONE_FILES | SIGCHLD, 0, 0, 0, 0));
    if (child < 0)
        return 70;
    if (child == 0) {
        const int listener = installFilter(faults.call);
        *result = listener < 0 ? -errno : listener;
        int signal = 0;
        kill(self, SIGUSR1);
        sigwait(&taken, &signal);
        sigprocmask(SIG_SETMASK, &before, nullptr);
        prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0); // without us its calls are never answered
        execv(argv[5], argv + 5);
        _exit(127);
    }
    int signal = 0;
    sigwait(&installed, &signal);
    const int listener = *result;
    kill(child, SIGUSR2);
    if (listener < 0) {
        kill(child, SIGKILL);
        waitpid(child, nullptr, 0);
        fprintf(stderr, "pk-faults: no seccomp listener: %s\n", strerror(-listener));
        return 77;
    }

    // to the end of the last process that has the filter, so what is left over is waited for too
    for (;;) {
        pollfd entry{ listener, POLLIN, 0 };
        if (poll(&entry, 1, -1) < 0 && errno != EINTR)
            return 70;
        if (!(entry.revents & POLLIN) && (entry.revents & (POLLHUP | POLLERR)))
            break;
        if ((entry.revents & POLLIN) && !answer(listener, &faults))
            break;
    }
    int status = 0;
    waitpid(child, &status, 0);
    fprintf(stderr, "calls %ld failed %ld\n", faults.calls, faults.failed);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
