// SPDX-License-Identifier: MIT
#ifndef PROCESSKIT_NATIVE_DIRECTORY_READER_H
#define PROCESSKIT_NATIVE_DIRECTORY_READER_H

namespace ProcessKit::Native {

// Lists an open directory without allocating: readdir(3) takes 32 KiB from the heap each time,
// which is more than a keeper otherwise uses.
class DirectoryReader
{
public:
    // \a directory is borrowed; reading goes on from its position
    explicit DirectoryReader(int directory) noexcept : m_directory(directory) { }

    struct Entry
    {
        const char *name; // valid until the next call
        bool mayBeDirectory; // false only when it is known to be none
    };
    // false at the end; "." and ".." are left out
    bool next(Entry *entry) noexcept;

private:
    int m_directory;
    long m_length = 0;
    long m_position = 0;
    alignas(8) char m_buffer[4096];
};

} // namespace ProcessKit::Native

#endif // PROCESSKIT_NATIVE_DIRECTORY_READER_H
