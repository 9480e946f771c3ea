// SPDX-License-Identifier: MIT
#include "process_table.h"

#include "directory_reader.h"
#include "small_file.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <string_view>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

namespace ProcessKit::Native {

namespace {

// "/proc/<pid>/task/<tid>/children" and the like, on the stack: a walk builds thousands of them
class ProcPath
{
public:
    explicit ProcPath(pid_t pid)
    {
        add("/proc/");
        add(pid);
    }
    ProcPath &add(std::string_view text)
    {
        std::memcpy(m_end, text.data(), text.size());
        m_end += text.size();
        *m_end = '\0';
        return *this;
    }
    ProcPath &add(pid_t pid)
    {
        m_end = std::to_chars(m_end, m_text + sizeof m_text - 1, pid).ptr;
        *m_end = '\0';
        return *this;
    }
    const char *text() const { return m_text; }

private:
    char m_text[80] = {};
    char *m_end = m_text;
};

template<typename Number>
bool parseNumber(std::string_view text, Number *number)
{
    const auto end = text.data() + text.size();
    const auto [at, error] = std::from_chars(text.data(), end, *number);
    return error == std::errc() && at == end;
}

// The blank-separated fields of a line, one after another.
class Fields
{
public:
    explicit Fields(std::string_view text) : m_text(text) { }
    std::string_view next()
    {
        while (!m_text.empty() && m_text.front() == ' ')
            m_text.remove_prefix(1);
        const std::string_view field = m_text.substr(0, m_text.find(' '));
        m_text.remove_prefix(field.size());
        return field;
    }
    void skip(int count)
    {
        while (count-- > 0)
            next();
    }

private:
    std::string_view m_text;
};

void appendNumbers(const char *path, std::vector<pid_t> *numbers)
{
    const UniqueFd file(::open(path, O_RDONLY | O_CLOEXEC));
    if (!file)
        return;
    char buffer[4096];
    pid_t number = 0; // a number may be cut by the end of the buffer
    while (true) {
        const ssize_t count = ::read(file.get(), buffer, sizeof buffer);
        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0)
            break;
        for (ssize_t i = 0; i < count; ++i) {
            if (buffer[i] >= '0' && buffer[i] <= '9') {
                number = number * 10 + (buffer[i] - '0');
            } else if (number > 0) {
                numbers->push_back(number);
                number = 0;
            }
        }
    }
    if (number > 0)
        numbers->push_back(number);
}

// Kernels without CONFIG_PROC_CHILDREN do not have those files.
bool hasChildrenFiles()
{
    static const bool has = ::access("/proc/thread-self/children", R_OK) == 0;
    return has;
}

template<typename Wanted>
std::vector<ProcessEntry> scanProcesses(Wanted wanted, bool *vanished = nullptr)
{
    std::vector<ProcessEntry> found;
    const UniqueFd proc(::open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    DirectoryReader reader(proc.get());
    DirectoryReader::Entry item;
    while (proc && reader.next(&item)) {
        pid_t pid;
        if (!parseNumber(std::string_view(item.name), &pid))
            continue;
        std::optional<ProcessEntry> entry = readProcess(pid);
        if (entry && wanted(*entry))
            found.push_back(std::move(*entry));
        else if (!entry && vanished)
            *vanished = true;
    }
    return found;
}

// A process that was orphaned during a walk may have been met under both of its parents.
void removeDuplicates(std::vector<ProcessEntry> *found)
{
    std::vector<pid_t> pids;
    pids.reserve(found->size());
    for (const ProcessEntry &entry : *found)
        pids.push_back(entry.pid);
    std::sort(pids.begin(), pids.end());
    if (std::adjacent_find(pids.begin(), pids.end()) == pids.end())
        return;
    auto end = found->begin();
    for (auto it = found->begin(); it != found->end(); ++it) {
        const auto same = [it](const ProcessEntry &kept) { return kept.pid == it->pid; };
        if (std::none_of(found->begin(), end, same)) {
            if (it != end)
                *end = std::move(*it);
            ++end;
        }
    }
    found->erase(end, found->end());
}

std::vector<ProcessEntry> descendantsByScan(pid_t root)
{
    std::vector<ProcessEntry> all = scanProcesses([](const ProcessEntry &) { return true; });
    const auto byParent = [](const ProcessEntry &a, const ProcessEntry &b) {
        return a.parent < b.parent;
    };
    std::sort(all.begin(), all.end(), byParent);

    std::vector<ProcessEntry> found;
    ProcessEntry parent;
    parent.parent = root;
    for (std::size_t next = 0;; ++next) {
        const auto [first, last] = std::equal_range(all.begin(), all.end(), parent, byParent);
        for (auto it = first; it != last; ++it) {
            if (it->pid != 0) // not taken yet: a scan is no snapshot and may hold a circle
                found.push_back(std::move(*it));
            it->pid = 0;
        }
        if (next == found.size())
            return found;
        parent.parent = found[next].pid;
    }
}

} // namespace

std::optional<ProcessEntry> parseProcessStat(std::string_view stat)
{
    // the name may hold blanks and parentheses, what follows it does not
    const auto open = stat.find('(');
    const auto close = stat.rfind(')');
    if (open == stat.npos || close == stat.npos || close < open || open < 2)
        return std::nullopt;

    ProcessEntry entry;
    entry.name = stat.substr(open + 1, close - open - 1);
    Fields fields(stat.substr(close + 1)); // from field 3 of proc_pid_stat(5)
    const std::string_view state = fields.next();
    long threads = 0;
    if (state.size() != 1 || !parseNumber(stat.substr(0, open - 1), &entry.pid)
        || !parseNumber(fields.next(), &entry.parent) || !parseNumber(fields.next(), &entry.group)
        || !parseNumber(fields.next(), &entry.session))
        return std::nullopt;
    fields.skip(13); // 7 to 19
    if (!parseNumber(fields.next(), &threads))
        return std::nullopt;
    fields.skip(1);
    if (!parseNumber(fields.next(), &entry.startTime))
        return std::nullopt;
    entry.state = state.front();
    // a process whose main thread has ended is not dead while another of its threads runs
    if (entry.state == 'Z' && threads > 1)
        entry.state = 'S';
    return entry;
}

std::optional<ProcessEntry> readProcess(pid_t pid)
{
    char buffer[1024]; // the fields that matter are in the first 500 bytes at most
    const auto length = readSmallFile(ProcPath(pid).add("/stat").text(), buffer, sizeof buffer);
    if (length <= 0)
        return std::nullopt;
    return parseProcessStat({ buffer, std::size_t(length) });
}

void appendChildren(pid_t pid, std::vector<pid_t> *children)
{
    if (!hasChildrenFiles()) {
        for (const ProcessEntry &entry :
             scanProcesses([pid](const ProcessEntry &each) { return each.parent == pid; }))
            children->push_back(entry.pid);
        return;
    }

    // Each thread has children of its own. The directory of threads has one link for each and two
    // more, so that the usual single thread costs no listing.
    ProcPath tasks(pid);
    tasks.add("/task");
    struct stat status;
    if (::stat(tasks.text(), &status) != 0)
        return;
    if (status.st_nlink == 3) {
        appendNumbers(tasks.add("/").add(pid).add("/children").text(), children);
        return;
    }
    const UniqueFd directory(::open(tasks.text(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    DirectoryReader reader(directory.get());
    DirectoryReader::Entry item;
    while (directory && reader.next(&item)) {
        pid_t thread;
        if (parseNumber(std::string_view(item.name), &thread)) {
            ProcPath path = tasks;
            appendNumbers(path.add("/").add(thread).add("/children").text(), children);
        }
    }
}

std::vector<ProcessEntry> listDescendantsOf(pid_t root)
{
    return descendantsByScan(root);
}

std::vector<ProcessEntry> descendantsOf(pid_t root)
{
    if (!hasChildrenFiles())
        return descendantsByScan(root);

    std::vector<ProcessEntry> found;
    std::vector<pid_t> children;
    const auto isFound = [&found](pid_t pid) {
        return std::any_of(found.begin(), found.end(),
                           [pid](const ProcessEntry &entry) { return entry.pid == pid; });
    };
    pid_t parent = root;
    for (std::size_t next = 0;; ++next) {
        children.clear();
        appendChildren(parent, &children);
        for (pid_t pid : children) {
            std::optional<ProcessEntry> entry = readProcess(pid);
            if (!entry)
                continue;
            // Another parent than the one it was listed under: it was orphaned meanwhile and has
            // gone to a subreaper of the tree, or it has ended and its pid is somebody else's.
            if (entry->parent != parent && entry->parent != root && !isFound(entry->parent))
                continue;
            found.push_back(std::move(*entry));
        }
        if (next == found.size())
            break;
        parent = found[next].pid;
    }
    removeDuplicates(&found);
    return found;
}

std::vector<ProcessEntry> membersOfProcessGroup(pid_t group, bool *vanished)
{
    return scanProcesses([group](const ProcessEntry &entry) { return entry.group == group; },
                         vanished);
}

UniqueFd openProcess(const ProcessEntry &entry)
{
    UniqueFd pidfd(int(::syscall(SYS_pidfd_open, entry.pid, 0)));
    if (!pidfd)
        return {};
    // Read after the handle was made: should the pid have been recycled before, then this is the
    // other process, with another start time.
    const std::optional<ProcessEntry> now = readProcess(entry.pid);
    if (!now || now->startTime != entry.startTime)
        return {};
    return pidfd;
}

bool sendSignal(int pidfd, int signal)
{
    return ::syscall(SYS_pidfd_send_signal, pidfd, signal, nullptr, 0) == 0;
}

std::string bootId()
{
    char buffer[8];
    if (readSmallFile("/proc/sys/kernel/random/boot_id", buffer, sizeof buffer) != sizeof buffer)
        return {};
    return { buffer, sizeof buffer };
}

std::uint64_t pidNamespace()
{
    struct stat status;
    return ::stat("/proc/self/ns/pid", &status) == 0 ? std::uint64_t(status.st_ino) : 0;
}

} // namespace ProcessKit::Native
