// SPDX-License-Identifier: MIT
#include "helper.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

// tree SHAPE [eof|now]: makes processes of that shape, each of which reports itself, then is
// "main" until its input ends ("eof"), or ends at once ("now").

namespace {

void closeFrom(unsigned first)
{
    syscall(SYS_close_range, first, ~0U, 0U);
}

void grandchild()
{
    if (forkChild() == 0) {
        report("grandchild");
        pauseForever();
    }
}

void newSession()
{
    if (forkChild() == 0) {
        setsid();
        report("session");
        pauseForever();
    }
}

void newGroup()
{
    if (forkChild() == 0) {
        setpgid(0, 0);
        report("group");
        pauseForever();
    }
}

void doubleFork()
{
    const pid_t middle = forkChild();
    if (middle == 0) {
        if (forkChild() > 0)
            _exit(0);
        report("orphan");
        pauseForever();
    }
    waitpid(middle, nullptr, 0);
}

// as daemon(7) has it; \a quiet closes the streams that it inherited
void makeDaemon(bool quiet)
{
    const pid_t middle = forkChild();
    if (middle == 0) {
        setsid();
        if (forkChild() > 0)
            _exit(0);
        if (chdir("/") < 0)
            _exit(71);
        if (quiet) {
            const int null = open("/dev/null", O_RDWR);
            for (int fd = 0; fd < 3; ++fd)
                dup2(null, fd);
            closeFrom(3);
        }
        report("daemon");
        pauseForever();
    }
    waitpid(middle, nullptr, 0);
}

void quietDaemon()
{
    makeDaemon(true);
}

void loudDaemon()
{
    makeDaemon(false);
}

// One process at a time, each forks the next and ends: a kill that goes by a list of pids is
// always late. It ends by itself after 20 seconds, or when the test is over.
[[noreturn]] void hop(bool sessions)
{
    timespec begin, now;
    clock_gettime(CLOCK_MONOTONIC, &begin);
    now = begin;
    do {
        const pid_t next = fork();
        if (next < 0)
            continue;
        if (next > 0)
            _exit(0);
        if (sessions)
            setsid();
        clock_gettime(CLOCK_MONOTONIC, &now);
    } while (now.tv_sec - begin.tv_sec < 20 && testIsAlive());
    _exit(0);
}

void startLoop(bool sessions)
{
    const pid_t first = forkChild();
    if (first == 0) {
        report("loop");
        hop(sessions);
    }
    waitpid(first, nullptr, 0);
}

void forkLoop()
{
    startLoop(false);
}

void sessionLoop()
{
    startLoop(true);
}

void stopped()
{
    const pid_t child = forkChild();
    if (child == 0) {
        if (forkChild() == 0) { // a stopped member may have a child that runs
            report("below");
            pauseForever();
        }
        raise(SIGSTOP);
        pauseForever();
    }
    // reported when it has really stopped
    int status = 0;
    waitpid(child, &status, WUNTRACED);
    report("stopping", std::to_string(child));
}

void ignoresTerm()
{
    signal(SIGTERM, SIG_IGN);
    if (forkChild() == 0) {
        report("deaf");
        pauseForever();
    }
}

void subreaper()
{
    if (forkChild() == 0) {
        prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
        const pid_t middle = forkChild();
        if (middle == 0) {
            setsid();
            if (forkChild() > 0)
                _exit(0);
            report("adopted");
            pauseForever();
        }
        waitpid(middle, nullptr, 0);
        report("reaper");
        pauseForever();
    }
}

void closesAll()
{
    if (forkChild() == 0) {
        closeFrom(0);
        report("closed");
        pauseForever();
    }
    closeFrom(1);
}

void deep()
{
    for (int level = 0; level < 16; ++level) {
        if (forkChild() > 0) {
            if (level == 0)
                return;
            pauseForever();
        }
    }
    report("deepest");
    pauseForever();
}

void flat()
{
    for (int i = 0; i < 64; ++i) {
        if (forkChild() == 0) {
            if (i == 63)
                report("last");
            pauseForever();
        }
    }
}

void mainStopped()
{
    grandchild();
    report("main");
    raise(SIGSTOP);
}

void nothing() { }

// everything at once
void zoo()
{
    for (auto make : { grandchild, newSession, newGroup, doubleFork, quietDaemon, loudDaemon,
                       stopped, ignoresTerm, subreaper, forkLoop, deep }) {
        make();
    }
}

struct Shape
{
    const char *name;
    void (*make)();
};

constexpr Shape shapes[] = {
    { "none", nothing },
    { "grandchild", grandchild },
    { "setsid", newSession },
    { "setpgid", newGroup },
    { "doublefork", doubleFork },
    { "daemon", quietDaemon },
    { "loud-daemon", loudDaemon },
    { "forkloop", forkLoop },
    { "sessionloop", sessionLoop },
    { "stopped", stopped },
    { "main-stopped", mainStopped },
    { "ignore-term", ignoresTerm },
    { "subreaper", subreaper },
    { "closes-all", closesAll },
    { "deep", deep },
    { "flat", flat },
    { "zoo", zoo },
};

int tree(const Arguments &arguments)
{
    const std::string wanted = word(arguments, 0, "none");
    for (const Shape &shape : shapes) {
        if (wanted != shape.name)
            continue;
        shape.make();
        if (word(arguments, 1, "eof") == "now")
            return 0;
        if (wanted != "main-stopped")
            report("main");
        waitForEndOfInput();
        return 0;
    }
    return 64;
}

// fork COUNT: as many children that end at once, all reaped: many pids are used up
int churn(const Arguments &arguments)
{
    for (int i = 0; i < number(arguments, 0, 1); ++i) {
        const pid_t child = fork();
        if (child == 0)
            _exit(0);
        if (child > 0)
            waitpid(child, nullptr, 0);
    }
    return 0;
}

} // namespace

const std::vector<Role> treeRoles = { { "tree", tree }, { "churn", churn } };
