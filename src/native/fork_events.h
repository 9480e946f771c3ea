// SPDX-License-Identifier: MIT
#ifndef PROCESSKIT_NATIVE_FORK_EVENTS_H
#define PROCESSKIT_NATIVE_FORK_EVENTS_H

#include "reactor.h"
#include "unique_fd.h"

#include <sys/types.h>

#include <functional>
#include <map>

namespace ProcessKit::Native {

// Every fork on this machine, as the kernel's process events connector tells it (netlink(7),
// NETLINK_CONNECTOR): to privileged processes, since Linux 6.6 to all, and only in the first pid
// and user namespace. Listened to while there is somebody to tell. Reactor thread only.
class ForkEvents
{
public:
    // \a parent is 0 when events were lost: there may be children that nobody was told of
    using Listener = std::function<void(pid_t parent, pid_t child)>;

    static ForkEvents &instance();
    void add(const void *who, Listener listener);
    void remove(const void *who);
    // whether the kernel has said that it will tell
    bool isHearing() const noexcept { return m_isHearing; }

private:
    void open();
    bool ask(bool listening);
    void close();
    void read();
    void tell(pid_t parent, pid_t child);

    UniqueFd m_socket;
    Reactor::Watch m_watch;
    bool m_isHearing = false;
    std::map<const void *, Listener> m_listeners;
};

} // namespace ProcessKit::Native

#endif // PROCESSKIT_NATIVE_FORK_EVENTS_H
