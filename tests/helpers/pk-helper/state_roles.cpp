// SPDX-License-Identifier: MIT
#include "helper.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

extern char **environ;

namespace {

int print(const std::string &text)
{
    return writeAll(STDOUT_FILENO, text) ? 0 : 2;
}

// exit CODE
int exitWith(const Arguments &arguments)
{
    return number(arguments, 0, 0);
}

int abortNow(const Arguments &)
{
    const rlimit none{ 0, 0 };
    setrlimit(RLIMIT_CORE, &none);
    abort();
}

// raise SIGNAL
int raiseSignal(const Arguments &arguments)
{
    raise(number(arguments, 0, SIGKILL));
    return 3;
}

// pause: until killed; reports "paused"
int pauseRole(const Arguments &)
{
    report("paused");
    pauseForever();
}

// bye: reports itself and ends
int bye(const Arguments &)
{
    report("bye");
    return 0;
}

// stop: stops itself, prints "continued" when it goes on
int stop(const Arguments &)
{
    report("stopping");
    raise(SIGSTOP);
    return print("continued\n");
}

// ignoreterm: prints "ready", then goes on until killed or until its input ends
int ignoreTerm(const Arguments &)
{
    signal(SIGTERM, SIG_IGN);
    report("ignoring");
    print("ready\n");
    waitForEndOfInput();
    return 0;
}

volatile sig_atomic_t termSeen = 0;

// onterm CODE: prints "ready", ends with that code when SIGTERM comes
int onTerm(const Arguments &arguments)
{
    static int code;
    code = number(arguments, 0, 0);
    signal(SIGTERM, [](int) {
        static const char text[] = "terminated\n";
        termSeen = 1;
        if (write(STDOUT_FILENO, text, sizeof text - 1) < 0)
            _exit(2);
        _exit(code);
    });
    report("ready");
    print("ready\n");
    pauseForever();
}

int printEnvironment(const Arguments &)
{
    std::string text;
    for (char **entry = environ; *entry; ++entry)
        text.append(*entry).append("\n");
    return print(text);
}

// envsize: count and bytes, as the kernel counts them
int environmentSize(const Arguments &)
{
    size_t count = 0, bytes = 0;
    for (char **entry = environ; *entry; ++entry, ++count)
        bytes += strlen(*entry) + 1;
    return print(std::to_string(count) + ' ' + std::to_string(bytes) + '\n');
}

int printDirectory(const Arguments &)
{
    char path[PATH_MAX];
    return print(getcwd(path, sizeof path) ? std::string(path) + '\n' : std::string("none\n"));
}

// args: the count, then each argument with its length in front, so that nothing is ambiguous
int printArguments(const Arguments &arguments)
{
    std::string text = std::to_string(arguments.size()) + '\n';
    for (const std::string &argument : arguments)
        text += std::to_string(argument.size()) + ':' + argument + '\n';
    return print(text);
}

int countArguments(const Arguments &arguments)
{
    size_t bytes = 0;
    for (const std::string &argument : arguments)
        bytes += argument.size();
    return print(std::to_string(arguments.size()) + ' ' + std::to_string(bytes) + '\n');
}

// fds: the numbers of the open descriptors on one line
int printDescriptors(const Arguments &)
{
    DIR *directory = opendir("/proc/self/fd");
    if (!directory)
        return 3;
    std::vector<int> numbers;
    while (const dirent *entry = readdir(directory)) {
        const int fd = atoi(entry->d_name);
        if (entry->d_name[0] != '.' && fd != dirfd(directory))
            numbers.push_back(fd);
    }
    closedir(directory);
    std::sort(numbers.begin(), numbers.end());
    std::string text;
    for (int fd : numbers)
        text += (text.empty() ? "" : " ") + std::to_string(fd);
    return print(text + '\n');
}

// stdio: what the three standard descriptors are
int printStandardDescriptors(const Arguments &)
{
    std::string text;
    for (int fd = 0; fd < 3; ++fd) {
        char path[PATH_MAX];
        const std::string link = "/proc/self/fd/" + std::to_string(fd);
        const ssize_t length = readlink(link.c_str(), path, sizeof path);
        text += length < 0 ? std::string("closed") : std::string(path, size_t(length));
        text += '\n';
    }
    report("stdio", text.substr(0, text.find('\n')));
    return print(text);
}

// signals: "SigBlk", "SigIgn" and "SigCgt" as /proc/self/status has them (of this process: the
// libc of a static program catches nothing)
int printSignals(const Arguments &)
{
    char buffer[8192];
    const int fd = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
    const ssize_t length = fd < 0 ? -1 : read(fd, buffer, sizeof buffer - 1);
    if (length < 0)
        return 3;
    close(fd);
    buffer[length] = '\0';
    std::string text;
    for (const char *name : { "SigBlk:", "SigIgn:", "SigCgt:" }) {
        const char *at = strstr(buffer, name);
        if (!at)
            return 3;
        text += std::string(at, strcspn(at, "\n")) + '\n';
    }
    return print(text);
}

// ids: pid, parent, process group, session
int printIds(const Arguments &)
{
    return print(std::to_string(getpid()) + ' ' + std::to_string(getppid()) + ' '
                 + std::to_string(getpgrp()) + ' ' + std::to_string(getsid(0)) + '\n');
}

int printMask(const Arguments &)
{
    const mode_t mask = umask(0);
    umask(mask);
    return print(std::to_string(int(mask)) + '\n');
}

// fdpath N: where that descriptor leads
int descriptorPath(const Arguments &arguments)
{
    char path[PATH_MAX];
    const std::string link = "/proc/self/fd/" + word(arguments, 0, "0");
    const ssize_t length = readlink(link.c_str(), path, sizeof path);
    return print(length < 0 ? std::string("closed\n") : std::string(path, size_t(length)) + '\n');
}

} // namespace

const std::vector<Role> stateRoles = {
    { "exit", exitWith },
    { "abort", abortNow },
    { "raise", raiseSignal },
    { "pause", pauseRole },
    { "bye", bye },
    { "stop", stop },
    { "ignoreterm", ignoreTerm },
    { "onterm", onTerm },
    { "env", printEnvironment },
    { "envsize", environmentSize },
    { "cwd", printDirectory },
    { "args", printArguments },
    { "argcount", countArguments },
    { "fds", printDescriptors },
    { "stdio", printStandardDescriptors },
    { "signals", printSignals },
    { "ids", printIds },
    { "umask", printMask },
    { "fdpath", descriptorPath },
};
