// SPDX-License-Identifier: MIT
#ifndef PROCESSKIT_NATIVE_UNIQUE_FD_H
#define PROCESSKIT_NATIVE_UNIQUE_FD_H

#include <fcntl.h>
#include <unistd.h>

#include <utility>

namespace ProcessKit::Native {

// Owns one descriptor.
class UniqueFd
{
public:
    UniqueFd() noexcept = default;
    explicit UniqueFd(int fd) noexcept : m_fd(fd) { }
    UniqueFd(UniqueFd &&other) noexcept : m_fd(std::exchange(other.m_fd, -1)) { }
    UniqueFd &operator=(UniqueFd &&other) noexcept
    {
        reset(std::exchange(other.m_fd, -1));
        return *this;
    }
    ~UniqueFd() { reset(); }

    int get() const noexcept { return m_fd; }
    int release() noexcept { return std::exchange(m_fd, -1); }
    explicit operator bool() const noexcept { return m_fd >= 0; }

    void reset(int fd = -1) noexcept
    {
        if (m_fd >= 0)
            ::close(m_fd); // never retried: on Linux the descriptor is gone even after EINTR
        m_fd = fd;
    }

private:
    int m_fd = -1;
};

// \a fd, or a copy of it above the standard streams, which belong to the program even while it has
// them closed; none with errno when \a fd is none or there is no room.
inline UniqueFd aboveStandardStreams(UniqueFd fd)
{
    if (!fd || fd.get() > 2)
        return fd;
    return UniqueFd(::fcntl(fd.get(), F_DUPFD_CLOEXEC, 3));
}

} // namespace ProcessKit::Native

#endif // PROCESSKIT_NATIVE_UNIQUE_FD_H
