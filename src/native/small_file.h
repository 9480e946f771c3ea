// SPDX-License-Identifier: MIT
#ifndef PROCESSKIT_NATIVE_SMALL_FILE_H
#define PROCESSKIT_NATIVE_SMALL_FILE_H

#include <cstddef>
#include <string>
#include <string_view>

namespace ProcessKit::Native {

// Files of /proc and of a cgroup are small and are read whole. A path is taken relative to
// \a directory (openat(2)) when it does not begin with a slash.

// Without allocating: the number of bytes read (at most \a size), -1 with errno when the file
// cannot be read.
std::ptrdiff_t readSmallFile(const char *path, char *buffer, std::size_t size, int directory = -1);
// However long it is; false with errno when the file cannot be read.
bool readFile(const char *path, std::string *content, int directory = -1);
// false with errno when not everything was written
bool writeSmallFile(const char *path, std::string_view text, int directory = -1);

} // namespace ProcessKit::Native

#endif // PROCESSKIT_NATIVE_SMALL_FILE_H
