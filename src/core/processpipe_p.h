// SPDX-License-Identifier: MIT
#ifndef PROCESSKIT_PROCESSPIPE_P_H
#define PROCESSKIT_PROCESSPIPE_P_H

#include "unique_fd.h"

#include <errno.h>
#include <fcntl.h>

#include <mutex>

namespace ProcessKit {

// A pipe from one process to another, made by whichever of them starts first.
class ProcessPipe
{
public:
    // none with errno
    Native::UniqueFd takeReadEnd() { return take(&m_readEnd); }
    Native::UniqueFd takeWriteEnd() { return take(&m_writeEnd); }

private:
    // the other end stays for the other process
    Native::UniqueFd take(Native::UniqueFd *wanted)
    {
        const std::lock_guard lock(m_mutex);
        if (!*wanted) {
            int ends[2];
            if (::pipe2(ends, O_CLOEXEC) < 0)
                return Native::UniqueFd();
            m_readEnd.reset(ends[0]);
            m_writeEnd.reset(ends[1]);
        }
        return std::move(*wanted);
    }

    std::mutex m_mutex;
    Native::UniqueFd m_readEnd;
    Native::UniqueFd m_writeEnd;
};

} // namespace ProcessKit

#endif // PROCESSKIT_PROCESSPIPE_P_H
