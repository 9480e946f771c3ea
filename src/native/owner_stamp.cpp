// SPDX-License-Identifier: MIT
#include "owner_stamp.h"

#include "process_table.h"

#include <cerrno>
#include <charconv>
#include <csignal>

#include <unistd.h>

namespace ProcessKit::Native {

namespace {

constexpr std::string_view prefix = "processkit";
constexpr std::size_t bootIdLength = 8;

template<typename Number>
void appendNumber(std::string *text, char separator, Number number)
{
    char digits[24];
    const auto end = std::to_chars(digits, digits + sizeof digits, number).ptr;
    text->push_back(separator);
    text->append(digits, end);
}

// takes separator and number from the front; only the digits that appendNumber() writes
template<typename Number>
bool takeNumber(std::string_view *text, char separator, Number *number)
{
    if (text->size() < 2 || text->front() != separator || (*text)[1] < '0' || (*text)[1] > '9')
        return false;
    const bool zero = (*text)[1] == '0'; // pid 1 of a machine starts at 0; no other leading zeros
    const auto [at, error] =
            std::from_chars(text->data() + 1, text->data() + text->size(), *number);
    if (error != std::errc() || (zero && at != text->data() + 2))
        return false;
    text->remove_prefix(std::size_t(at - text->data()));
    return true;
}

} // namespace

std::string OwnerStamp::name() const
{
    std::string text(prefix);
    appendNumber(&text, '-', pid);
    appendNumber(&text, '-', startTime);
    appendNumber(&text, '-', pidNamespace);
    text += '-';
    text += bootId;
    if (incarnation > 1)
        appendNumber(&text, '.', incarnation);
    return text;
}

std::optional<OwnerStamp> OwnerStamp::parse(std::string_view name)
{
    OwnerStamp stamp;
    if (name.substr(0, prefix.size()) != prefix)
        return std::nullopt;
    name.remove_prefix(prefix.size());
    if (!takeNumber(&name, '-', &stamp.pid) || !takeNumber(&name, '-', &stamp.startTime)
        || !takeNumber(&name, '-', &stamp.pidNamespace))
        return std::nullopt;
    if (stamp.pid < 1 || stamp.pidNamespace == 0)
        return std::nullopt;
    if (name.size() < 1 + bootIdLength || name.front() != '-')
        return std::nullopt;
    stamp.bootId = name.substr(1, bootIdLength);
    name.remove_prefix(1 + bootIdLength);
    if (stamp.bootId.find_first_not_of("0123456789abcdef") != stamp.bootId.npos)
        return std::nullopt;
    if (!name.empty()
        && (!takeNumber(&name, '.', &stamp.incarnation) || !name.empty() || stamp.incarnation < 2))
        return std::nullopt;
    return stamp;
}

OwnerStamp OwnerStamp::own()
{
    OwnerStamp stamp;
    const std::optional<ProcessEntry> self = readProcess(::getpid());
    stamp.pidNamespace = Native::pidNamespace();
    stamp.bootId = Native::bootId();
    if (!self || stamp.pidNamespace == 0 || stamp.bootId.size() != bootIdLength)
        return {};
    stamp.pid = self->pid;
    stamp.startTime = self->startTime;
    return stamp;
}

bool OwnerStamp::ownerIsAlive() const
{
    const std::string boot = Native::bootId();
    const std::uint64_t space = Native::pidNamespace();
    if (boot.empty() || space == 0)
        return true;
    if (boot != bootId)
        return false; // no process outlives its boot
    if (space != pidNamespace)
        return true;
    const std::optional<ProcessEntry> owner = readProcess(pid);
    if (!owner) // which lacking descriptors or memory can be the reason for, too
        return ::kill(pid, 0) == 0 || errno != ESRCH;
    return owner->startTime == startTime && owner->isAlive();
}

} // namespace ProcessKit::Native
