// SPDX-License-Identifier: MIT
#include "barecgroup.h"
#include "measure.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <poll.h>
#include <sstream>
#include <sys/stat.h>
#include <unistd.h>

namespace {

// proc_pid_mountinfo(5) writes blanks in octal
std::string unescaped(const std::string &text)
{
    std::string result;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '\\' && i + 3 < text.size()) {
            result += char(std::stoi(text.substr(i + 1, 3), nullptr, 8));
            i += 3;
        } else {
            result += text[i];
        }
    }
    return result;
}

// where our own cgroup is in the file system; empty when there is no cgroup2 mount that shows it
std::string ownCgroup()
{
    std::string line;
    std::string own;
    for (std::ifstream file("/proc/self/cgroup"); std::getline(file, line);) {
        if (line.starts_with("0::"))
            own = line.substr(3);
    }
    if (own.empty())
        return {};

    for (std::ifstream file("/proc/self/mountinfo"); std::getline(file, line);) {
        std::istringstream fields(line);
        std::string id, parent, device, root, mountPoint, field, type;
        fields >> id >> parent >> device >> root >> mountPoint;
        while (fields >> field && field != "-") { }
        fields >> type;
        if (type != "cgroup2")
            continue;
        root = unescaped(root);
        if (root == "/")
            return unescaped(mountPoint) + own;
        if (own == root || own.starts_with(root + '/'))
            return unescaped(mountPoint) + own.substr(root.size());
    }
    return {};
}

[[noreturn]] void throwError(const std::string &what)
{
    throw Unavailable(QString::fromStdString(what + ": " + std::strerror(errno)));
}

} // namespace

BareCgroup::BareCgroup(const char *name)
{
    const std::string own = ownCgroup();
    if (own.empty())
        throw Unavailable(QStringLiteral("no cgroup2 mount"));
    m_path = own + "/processkit-bench-" + name + '-' + std::to_string(getpid());
    if (mkdir(m_path.c_str(), 0755) < 0)
        throwError("mkdir " + m_path);
    m_directory = open(m_path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
    m_events = openat(m_directory, "cgroup.events", O_RDONLY | O_CLOEXEC);
    m_kill = openat(m_directory, "cgroup.kill", O_WRONLY | O_CLOEXEC);
    if (m_directory < 0 || m_events < 0 || m_kill < 0) {
        const int error = errno;
        rmdir(m_path.c_str());
        errno = error;
        throwError("open " + m_path);
    }
}

BareCgroup::~BareCgroup()
{
    kill();
    waitUntilEmpty();
    close(m_kill);
    close(m_events);
    close(m_directory);
    rmdir(m_path.c_str());
}

void BareCgroup::kill() const
{
    [[maybe_unused]] const ssize_t written = write(m_kill, "1", 1);
}

bool BareCgroup::isPopulated() const
{
    char text[128];
    const ssize_t count = pread(m_events, text, sizeof text - 1, 0);
    if (count < 0)
        return false;
    text[count] = '\0';
    return std::strstr(text, "populated 1") != nullptr;
}

void BareCgroup::waitUntilEmpty() const
{
    while (isPopulated()) {
        pollfd events{ m_events, POLLPRI, 0 };
        poll(&events, 1, -1);
    }
}
