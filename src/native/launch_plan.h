// SPDX-License-Identifier: MIT
#ifndef PROCESSKIT_NATIVE_LAUNCH_PLAN_H
#define PROCESSKIT_NATIVE_LAUNCH_PLAN_H

#include <sys/resource.h>
#include <sys/types.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ProcessKit::Native {

// The step of a launch that failed.
enum class LaunchStep : std::uint8_t {
    None,
    Argument, // the plan itself is impossible (an empty program, an embedded NUL, ...)
    Lookup, // the program was not found
    Pipe,
    Container, // no group could be made
    Keeper, // the keeper could not be started or did not answer
    Clone,
    Join, // the child could not enter its group
    DeathSignal,
    Session,
    Terminal,
    Descriptors,
    WorkingDirectory,
    Modifier, // a modifier that cannot be run there
    ModifierReport, // what a modifier has said itself
    Limits,
    Priority,
    IoPriority,
    Processors,
    Groups,
    GroupId,
    UserId,
    Execute,
    Reactor, // the I/O thread could not be started
};

struct LaunchFailure
{
    LaunchStep step = LaunchStep::None;
    int error = 0;
    std::string detail = {}; // of a modifier's report: its words
    explicit operator bool() const noexcept { return step != LaunchStep::None; }
};

// Strings one after another, each ended by a NUL: the form in which a launch crosses a process
// boundary, and from which argv and envp tables are made without another copy.
class StringBlock
{
public:
    void append(std::string_view string)
    {
        m_bytes.append(string);
        m_bytes.push_back('\0');
        ++m_count;
    }
    void replaceFirst(std::string_view string) { m_bytes.replace(0, m_bytes.find('\0'), string); }
    void reserve(std::size_t bytes) { m_bytes.reserve(bytes); }
    std::size_t count() const noexcept { return m_count; }
    bool empty() const noexcept { return m_count == 0; }
    const std::string &bytes() const noexcept { return m_bytes; }

    // pointers into this block, with the null pointer at the end
    std::vector<char *> table() const;
    // false when the bytes are not exactly \a count terminated strings
    static bool parse(std::string_view bytes, std::size_t count, StringBlock *block);

private:
    std::string m_bytes;
    std::size_t m_count = 0;
};

// Everything that decides how a child begins. It is complete before the clone.
struct LaunchPlan
{
    struct Descriptor
    {
        int source; // in the process that spawns; -1: stays closed
        int target; // in the child
    };

    // What a child has from its parent by itself, and a keeper's child has to be given.
    struct Attributes
    {
        std::uint64_t ignoredSignals; // bit n - 1: signal n
        std::array<rlimit, RLIM_NLIMITS> limits;
        std::int32_t fileModeMask;
        std::uint32_t noNewPrivileges;
        std::uint32_t realUser;
        std::uint32_t realGroup;
    };

    // What a child is given on request: what \a given names, and nothing else. Plain numbers
    // without padding, in the form in which they travel.
    struct SettingValues
    {
        enum Given : std::uint32_t {
            NewSession = 0x1,
            LeaveTerminal = 0x2, // the controlling one, within the same session
            ResetIgnoredSignals = 0x4, // those, too, that are ignored here
            IgnoreSigPipe = 0x8,
            NoCoreDumps = 0x10, // the soft limit; the child may raise it again
            ResetIds = 0x20, // an id that is not given below becomes the real one
            FileModeMask = 0x40,
            Niceness = 0x80,
            IoPriority = 0x100,
            Processors = 0x200,
            DeathSignal = 0x400,
            GroupId = 0x800,
            UserId = 0x1000,
            Groups = 0x2000,
            All = 0x3fff
        };
        static constexpr unsigned LongBits = 8 * sizeof(unsigned long);

        // \a number: 0 to 1023
        void addProcessor(unsigned number)
        {
            given |= Processors;
            processors[number / LongBits] |= 1UL << number % LongBits;
        }

        std::uint32_t given = 0;
        std::uint32_t limited = 0; // bit n: limits[n] is given
        std::uint32_t fileModeMask = 0;
        std::int32_t niceness = 0; // -20 to 19
        std::uint32_t ioPriority = 0; // class << 13 | level, as ioprio_set(2) takes it
        // Instead of what the container sets by default (SIGKILL, but for a Subreaper's child) when
        // the spawning thread ends; 0: none. A Subreaper's child is spawned by its group keeper.
        std::int32_t deathSignal = 0;
        std::uint32_t groupId = 0; // real, effective and saved, as the user's
        std::uint32_t userId = 0; // without Groups, the child is in the group of its id only
        std::array<unsigned long, 1024 / LongBits> processors = {}; // a bit each
        std::array<rlimit, RLIM_NLIMITS> limits = {};
    };
    struct Settings : SettingValues
    {
        std::vector<gid_t> groups; // supplementary
        friend bool operator==(const Settings &a, const Settings &b);
    };

    StringBlock candidates; // files to execute, in order, until one exists
    StringBlock arguments; // argv, from argv[0]
    StringBlock environment;
    std::string workingDirectory; // absolute; empty: that of the spawning process
    std::vector<Descriptor> descriptors; // all that the child gets; everything else is closed
    pid_t processGroup = -1; // -1: that of the spawning process, 0: its own, else that one
    std::optional<Attributes> attributes; // none: those of the spawning process
    Settings settings;

    // The plan without its descriptors' sources, as the keeper reads it.
    std::string serialize() const;
    // Checks every length; nothing of \a bytes is trusted. Sources are set to -1.
    static std::optional<LaunchPlan> deserialize(std::string_view bytes);
};

} // namespace ProcessKit::Native

#endif // PROCESSKIT_NATIVE_LAUNCH_PLAN_H
