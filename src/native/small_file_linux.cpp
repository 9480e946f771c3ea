// SPDX-License-Identifier: MIT
#include "small_file.h"

#include "unique_fd.h"

#include <cerrno>

#include <fcntl.h>

namespace ProcessKit::Native {

std::ptrdiff_t readSmallFile(const char *path, char *buffer, std::size_t size, int directory)
{
    const UniqueFd file(::openat(directory, path, O_RDONLY | O_CLOEXEC));
    if (!file)
        return -1;
    std::size_t length = 0;
    while (length < size) {
        const ssize_t count = ::read(file.get(), buffer + length, size - length);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return -1;
        if (count == 0)
            break;
        length += std::size_t(count);
    }
    return std::ptrdiff_t(length);
}

bool readFile(const char *path, std::string *content, int directory)
{
    content->clear();
    const UniqueFd file(::openat(directory, path, O_RDONLY | O_CLOEXEC));
    if (!file)
        return false;
    char buffer[4096];
    for (;;) {
        const ssize_t count = ::read(file.get(), buffer, sizeof buffer);
        if (count > 0)
            content->append(buffer, std::size_t(count));
        else if (count == 0)
            return true;
        else if (errno != EINTR)
            return false;
    }
}

bool writeSmallFile(const char *path, std::string_view text, int directory)
{
    const UniqueFd file(::openat(directory, path, O_WRONLY | O_CLOEXEC));
    if (!file)
        return false;
    ssize_t count;
    do {
        count = ::write(file.get(), text.data(), text.size());
    } while (count < 0 && errno == EINTR);
    return count == ssize_t(text.size());
}

} // namespace ProcessKit::Native
