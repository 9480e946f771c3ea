// SPDX-License-Identifier: MIT
#ifndef PROCESSKIT_NATIVE_CONTROLLER_PLACE_H
#define PROCESSKIT_NATIVE_CONTROLLER_PLACE_H

#include "controllers.h"

#include <cstdint>
#include <string>

namespace ProcessKit::Native {

// A cgroup below which groups with limits can be made.
struct ControllerPlace
{
    enum class Source : std::uint8_t { None, OwnCgroup, DelegatedSubtree, SystemdScope };

    Source source = Source::None;
    std::string directory;
    std::string reason; // why there is none, in one line
    bool isOccupied = false; // its processes have to move into a leaf first

    // Where this process gets \a wanted without asking anybody, found without making or changing
    // anything.
    static ControllerPlace find(Controllers wanted);
    // The same of the scope \a directory that systemd has made around a process of ours.
    static ControllerPlace inScope(const std::string &directory);

    // those of the service manager that this user would ask
    static Controllers ofServiceManager();

    // Whether find() may answer with a subtree whose processes, this one and others, have to move.
    // Any thread.
    static bool mayMoveProcesses() noexcept;
    static void setMayMoveProcesses(bool may) noexcept;

    // Makes it a cgroup without processes and with \a wanted for those below it; 0 or errno.
    int prepare(Controllers wanted) const;
};

} // namespace ProcessKit::Native

#endif // PROCESSKIT_NATIVE_CONTROLLER_PLACE_H
