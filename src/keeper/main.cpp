// SPDX-License-Identifier: MIT
#include "application_keeper.h"
#include "descriptors.h"

#include <csignal>

#include <sys/signalfd.h>
#include <sys/socket.h>

using namespace ProcessKit;

namespace {

bool isControlSocket(int descriptor)
{
    int type = 0;
    socklen_t size = sizeof type;
    return ::getsockopt(descriptor, SOL_SOCKET, SO_TYPE, &type, &size) == 0
            && type == SOCK_SEQPACKET;
}

bool prepare()
{
    // Away from the terminal's foreground group and from any directory, but in the same session:
    // what we start may have to stay with its terminal.
    ::setpgid(0, 0);
    if (::chdir("/") != 0)
        return false;

    // Everything is blocked, nothing is ignored: an ignored signal would stay ignored in every
    // program that we start, and what our application ignores has to. Only SIGCHLD must not be
    // ignored, or nothing could be waited for.
    ::signal(SIGCHLD, SIG_DFL);
    sigset_t signals;
    sigfillset(&signals);
    ::sigprocmask(SIG_SETMASK, &signals, nullptr);
    sigemptyset(&signals);
    sigaddset(&signals, SIGCHLD);
    // Our oom_score_adj is the application's: lowering takes a privilege, raising it back for what
    // we start would leave a moment at which a child is protected as we are.
    Keeper::closeDescriptorsFrom(Keeper::SignalDescriptor);
    Native::UniqueFd watch(::signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK));
    return watch && Keeper::moveDescriptor(std::move(watch), Keeper::SignalDescriptor);
}

} // namespace

int main()
{
    if (!isControlSocket(Keeper::SocketDescriptor)) {
        constexpr char text[] = "processkit-keeper is started by programs that use ProcessKit.\n";
        [[maybe_unused]] const auto written = ::write(STDERR_FILENO, text, sizeof text - 1);
        return 2;
    }
    if (!prepare())
        return 1;
    Keeper::ApplicationKeeper keeper;
    return keeper.run();
}
