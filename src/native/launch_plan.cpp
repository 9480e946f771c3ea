// SPDX-License-Identifier: MIT
#include "launch_plan.h"

#include <cstring>
#include <type_traits>

namespace ProcessKit::Native {

namespace {

// The form of a plan on its way to the keeper: this header, then the targets of the descriptors,
// the groups and the strings. Both ends are the same build on the same machine, so the layout is
// the CPU's.
struct WireHeader
{
    static constexpr std::uint32_t Magic = 0x504b4c50; // "PKLP"
    std::uint32_t magic;
    std::uint32_t candidateCount;
    std::uint32_t argumentCount;
    std::uint32_t environmentCount;
    std::uint32_t candidateBytes;
    std::uint32_t argumentBytes;
    std::uint32_t environmentBytes;
    std::uint32_t directoryBytes;
    std::uint32_t descriptorCount;
    std::int32_t processGroup;
    std::uint32_t groupCount;
    std::uint32_t hasAttributes;
    LaunchPlan::Attributes attributes;
    LaunchPlan::SettingValues settings;
};

static_assert(std::has_unique_object_representations_v<WireHeader>, "padding would be garbage");

constexpr std::uint32_t maximumDescriptors = 250; // SCM_MAX_FD is 253 (unix(7))
constexpr std::uint32_t maximumGroups = 65536; // NGROUPS_MAX, see setgroups(2)

template<typename Number>
bool take(std::string_view *bytes, Number *number)
{
    if (bytes->size() < sizeof *number)
        return false;
    std::memcpy(number, bytes->data(), sizeof *number);
    bytes->remove_prefix(sizeof *number);
    return true;
}

template<typename Number>
void append(std::string *bytes, Number number)
{
    bytes->append(reinterpret_cast<const char *>(&number), sizeof number);
}

} // namespace

std::vector<char *> StringBlock::table() const
{
    std::vector<char *> pointers;
    pointers.reserve(m_count + 1);
    // execve(2) wants char *const[], and promises not to write through it
    char *at = const_cast<char *>(m_bytes.data());
    for (std::size_t i = 0; i < m_count; ++i) {
        pointers.push_back(at);
        at += std::strlen(at) + 1;
    }
    pointers.push_back(nullptr);
    return pointers;
}

bool StringBlock::parse(std::string_view bytes, std::size_t count, StringBlock *block)
{
    std::size_t found = 0;
    for (char c : bytes)
        found += c == '\0';
    if (found != count || (!bytes.empty() && bytes.back() != '\0'))
        return false;
    block->m_bytes = bytes;
    block->m_count = count;
    return true;
}

std::string LaunchPlan::serialize() const
{
    WireHeader header{};
    header.magic = WireHeader::Magic;
    header.candidateCount = std::uint32_t(candidates.count());
    header.argumentCount = std::uint32_t(arguments.count());
    header.environmentCount = std::uint32_t(environment.count());
    header.candidateBytes = std::uint32_t(candidates.bytes().size());
    header.argumentBytes = std::uint32_t(arguments.bytes().size());
    header.environmentBytes = std::uint32_t(environment.bytes().size());
    header.directoryBytes = std::uint32_t(workingDirectory.size());
    header.descriptorCount = std::uint32_t(descriptors.size());
    header.processGroup = processGroup;
    header.groupCount = std::uint32_t(settings.groups.size());
    header.hasAttributes = attributes.has_value();
    if (attributes)
        header.attributes = *attributes;
    header.settings = settings;

    std::string bytes;
    append(&bytes, header);
    for (const Descriptor &descriptor : descriptors)
        append(&bytes, std::int32_t(descriptor.target));
    for (const gid_t group : settings.groups)
        append(&bytes, std::uint32_t(group));
    bytes += candidates.bytes();
    bytes += arguments.bytes();
    bytes += environment.bytes();
    bytes += workingDirectory;
    return bytes;
}

std::optional<LaunchPlan> LaunchPlan::deserialize(std::string_view bytes)
{
    WireHeader header;
    if (!take(&bytes, &header) || header.magic != WireHeader::Magic
        || header.descriptorCount > maximumDescriptors || header.groupCount > maximumGroups
        || header.hasAttributes > 1 || header.candidateCount == 0 || header.argumentCount == 0
        || header.settings.given > SettingValues::All
        || header.settings.limited >> header.settings.limits.size())
        return std::nullopt;

    LaunchPlan plan;
    for (std::uint32_t i = 0; i < header.descriptorCount; ++i) {
        std::int32_t target;
        if (!take(&bytes, &target) || target < 0)
            return std::nullopt;
        plan.descriptors.push_back({ -1, target });
    }
    static_cast<SettingValues &>(plan.settings) = header.settings;
    for (std::uint32_t i = 0; i < header.groupCount; ++i) {
        std::uint32_t group;
        if (!take(&bytes, &group))
            return std::nullopt;
        plan.settings.groups.push_back(group);
    }

    const auto takeBytes = [&bytes](std::uint32_t length, std::string_view *part) {
        if (bytes.size() < length)
            return false;
        *part = bytes.substr(0, length);
        bytes.remove_prefix(length);
        return true;
    };
    std::string_view candidates, arguments, environment, directory;
    if (!takeBytes(header.candidateBytes, &candidates)
        || !takeBytes(header.argumentBytes, &arguments)
        || !takeBytes(header.environmentBytes, &environment)
        || !takeBytes(header.directoryBytes, &directory) || !bytes.empty()
        || directory.find('\0') != std::string_view::npos)
        return std::nullopt;
    if (!StringBlock::parse(candidates, header.candidateCount, &plan.candidates)
        || !StringBlock::parse(arguments, header.argumentCount, &plan.arguments)
        || !StringBlock::parse(environment, header.environmentCount, &plan.environment))
        return std::nullopt;
    plan.workingDirectory = directory;
    plan.processGroup = header.processGroup;
    if (header.hasAttributes)
        plan.attributes = header.attributes;
    else if (const LaunchPlan::Attributes none{};
             std::memcmp(&header.attributes, &none, sizeof none) != 0)
        return std::nullopt; // nothing but what serialize() writes
    return plan;
}

bool operator==(const LaunchPlan::Settings &a, const LaunchPlan::Settings &b)
{
    const LaunchPlan::SettingValues &x = a;
    const LaunchPlan::SettingValues &y = b;
    return std::memcmp(&x, &y, sizeof x) == 0 && a.groups == b.groups; // there is no padding
}

} // namespace ProcessKit::Native
