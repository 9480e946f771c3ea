// SPDX-License-Identifier: MIT
#include "helper.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

namespace {

void waitMilliseconds(int milliseconds)
{
    timespec left{ milliseconds / 1000, long(milliseconds % 1000) * 1000000 };
    while (nanosleep(&left, &left) < 0 && errno == EINTR) { }
}

// Until the reader has taken all that was written: the next write is another read for it. The
// kernel has no event for that.
void waitUntilDrained(int fd)
{
    struct stat info;
    if (fstat(fd, &info) < 0 || !S_ISFIFO(info.st_mode))
        return;
    int waiting = 0;
    while (ioctl(fd, FIONREAD, &waiting) == 0 && waiting > 0) {
        const timespec moment{ 0, 200000 };
        nanosleep(&moment, nullptr);
    }
}

std::vector<int> channels(const std::string &name)
{
    if (name == "err")
        return { STDERR_FILENO };
    if (name == "both")
        return { STDOUT_FILENO, STDERR_FILENO };
    return { STDOUT_FILENO };
}

// \n, \r, \t, \0, \\ and \xNN
std::string unescape(const std::string &text)
{
    std::string bytes;
    for (size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '\\' || i + 1 == text.size()) {
            bytes += text[i];
            continue;
        }
        const char kind = text[++i];
        if (kind == 'x') {
            bytes += char(strtol(text.substr(i + 1, 2).c_str(), nullptr, 16));
            i += 2;
        } else {
            bytes += kind == 'n'  ? '\n'
                    : kind == 'r' ? '\r'
                    : kind == 't' ? '\t'
                    : kind == '0' ? '\0'
                                  : kind;
        }
    }
    return bytes;
}

// echo [out|err|both]
int echo(const Arguments &arguments)
{
    const auto targets = channels(word(arguments, 0, "out"));
    char buffer[65536];
    for (;;) {
        const ssize_t length = read(STDIN_FILENO, buffer, sizeof buffer);
        if (length == 0)
            return 0;
        if (length < 0)
            return 1;
        for (int fd : targets) {
            if (!writeAll(fd, buffer, size_t(length)))
                return 2;
        }
    }
}

// lines COUNT [LENGTH] [out|err|both] [lf|crlf]: "1", "2", ... padded with '.' to LENGTH
int lines(const Arguments &arguments)
{
    const int count = number(arguments, 0, 1);
    const int length = number(arguments, 1, 0);
    const auto targets = channels(word(arguments, 2, "out"));
    const std::string ending = word(arguments, 3, "lf") == "crlf" ? "\r\n" : "\n";
    std::vector<std::string> pending(targets.size());
    for (int i = 1; i <= count; ++i) {
        std::string line = std::to_string(i);
        if (int(line.size()) < length)
            line.append(size_t(length) - line.size(), '.');
        for (size_t t = 0; t < targets.size(); ++t) {
            pending[t] += line + ending;
            if (pending[t].size() > 60000) {
                if (!writeAll(targets[t], pending[t]))
                    return 2;
                pending[t].clear();
            }
        }
    }
    for (size_t t = 0; t < targets.size(); ++t) {
        if (!writeAll(targets[t], pending[t]))
            return 2;
    }
    return 0;
}

// write TEXT...: each text by one write, when the reader has taken the one before it. "err:" in
// front of a text chooses standard error, "wait" waits for a line of input.
int writeTexts(const Arguments &arguments)
{
    for (const std::string &argument : arguments) {
        if (argument == "wait") {
            char c;
            while (read(STDIN_FILENO, &c, 1) == 1 && c != '\n') { }
            continue;
        }
        const bool error = argument.rfind("err:", 0) == 0;
        const int fd = error ? STDERR_FILENO : STDOUT_FILENO;
        if (!writeAll(fd, unescape(error ? argument.substr(4) : argument)))
            return 2;
        waitUntilDrained(fd);
    }
    return 0;
}

// flood BYTES [out|err|both]: 'x', 64 to a line; reports "flooded" when all of it was taken
int flood(const Arguments &arguments)
{
    long long left = arguments.empty() ? 0 : atoll(arguments[0].c_str());
    const auto targets = channels(word(arguments, 1, "out"));
    std::string block;
    for (int i = 0; i < 1024; ++i)
        block += std::string(63, 'x') + '\n';
    while (left > 0) {
        const size_t size = left < (long long)(block.size()) ? size_t(left) : block.size();
        for (int fd : targets) {
            if (!writeAll(fd, block.data(), size))
                return 2;
        }
        left -= (long long)(size);
    }
    report("flooded");
    return 0;
}

// longline LENGTH [newline]
int longLine(const Arguments &arguments)
{
    const std::string line(size_t(number(arguments, 0, 1)), 'l');
    return writeAll(STDOUT_FILENO, word(arguments, 1, "") == "newline" ? line + '\n' : line) ? 0
                                                                                             : 2;
}

// aftereof BYTES: as many to standard output when standard input has ended
int afterEof(const Arguments &arguments)
{
    waitForEndOfInput();
    return writeAll(STDOUT_FILENO, std::string(size_t(number(arguments, 0, 1)), 'a')) ? 0 : 2;
}

// late MILLISECONDS TEXT [REPEAT]: the direct child is gone at once, its child writes later
int late(const Arguments &arguments)
{
    if (forkChild() > 0)
        return 0;
    signal(SIGPIPE, SIG_DFL);
    report("late");
    for (int i = 0; i < number(arguments, 2, 1); ++i) {
        waitMilliseconds(number(arguments, 0, 100));
        if (!writeAll(STDOUT_FILENO, unescape(word(arguments, 1, "late\\n"))))
            return 2;
    }
    return 0;
}

// hold [ms]: like late, but the grandchild keeps the streams and never writes
int hold(const Arguments &)
{
    if (forkChild() > 0)
        return 0;
    report("holder");
    pauseForever();
}

// closeout: standard output and error are closed, the program goes on until its input ends
int closeOutput(const Arguments &)
{
    writeAll(STDOUT_FILENO, "before\n");
    close(STDOUT_FILENO);
    close(STDERR_FILENO);
    report("closed");
    waitForEndOfInput();
    return 0;
}

// closein: standard input is closed, the program goes on
int closeInput(const Arguments &)
{
    close(STDIN_FILENO);
    writeAll(STDOUT_FILENO, "closed\n");
    pauseForever();
}

} // namespace

const std::vector<Role> outputRoles = {
    { "echo", echo },          { "lines", lines },       { "write", writeTexts },
    { "flood", flood },        { "longline", longLine }, { "aftereof", afterEof },
    { "late", late },          { "hold", hold },         { "closeout", closeOutput },
    { "closein", closeInput },
};
