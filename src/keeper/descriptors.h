// SPDX-License-Identifier: MIT
#ifndef PROCESSKIT_KEEPER_DESCRIPTORS_H
#define PROCESSKIT_KEEPER_DESCRIPTORS_H

#include "keeper_protocol.h"

// What both kinds of keepers hold at fixed numbers, so that a group keeper closes the rest of what
// it has inherited in one call.
namespace ProcessKit::Keeper {

constexpr int SocketDescriptor = Native::KeeperProtocol::ControlDescriptor;
constexpr int SignalDescriptor = SocketDescriptor + 1; // signalfd(2) of SIGCHLD
constexpr int ApplicationDescriptor = SignalDescriptor + 1; // pidfd of the application
constexpr int FirstOtherDescriptor = ApplicationDescriptor + 1;

// Moves \a from to \a to, close-on-exec; false with errno.
bool moveDescriptor(Native::UniqueFd from, int to);
void closeDescriptorsFrom(int first);
// Reads what SIGCHLD left there; how often it came says nothing.
void clearSignals();

} // namespace ProcessKit::Keeper

#endif // PROCESSKIT_KEEPER_DESCRIPTORS_H
