// SPDX-License-Identifier: MIT
#include "directory_reader.h"

#include <cstring>

#include <dirent.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace ProcessKit::Native {

bool DirectoryReader::next(Entry *entry) noexcept
{
    while (true) {
        if (m_position >= m_length) {
            m_position = 0;
            m_length = ::syscall(SYS_getdents64, m_directory, m_buffer, sizeof m_buffer);
            if (m_length <= 0)
                return false;
        }
        const auto *record = reinterpret_cast<const struct dirent64 *>(m_buffer + m_position);
        m_position += record->d_reclen;
        if (std::strcmp(record->d_name, ".") == 0 || std::strcmp(record->d_name, "..") == 0)
            continue;
        entry->name = record->d_name;
        entry->mayBeDirectory = record->d_type == DT_DIR || record->d_type == DT_UNKNOWN;
        return true;
    }
}

} // namespace ProcessKit::Native
