// SPDX-License-Identifier: MIT
#ifndef PROCESSKIT_NATIVE_KEEPER_CLIENT_H
#define PROCESSKIT_NATIVE_KEEPER_CLIENT_H

#include "keeper_protocol.h"
#include "process_table.h"
#include "reactor.h"
#include "spawn.h"
#include "unique_fd.h"

#include <atomic>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace ProcessKit::Native {

// The keeper as its application sees it: started at the first need, told what to end when we are
// gone, replaced at once when it is killed. Reactor thread only, except where said otherwise.
class KeeperClient
{
public:
    enum class Source { None, Executable, EmbeddedCopy };
    struct Program
    {
        Source source = Source::None;
        std::string path; // of an executable
        std::string reason; // why there is none
    };

    static KeeperClient &instance();

    // What would be run, found without running it. Any thread.
    static Program find();
    // Whether a start may go on without a keeper. Any thread.
    static bool isOptional() noexcept;
    static void setOptional(bool optional) noexcept;
    // 0 while none runs. Any thread.
    static pid_t runningPid() noexcept;

    // Has a keeper running afterwards, or returns errno.
    int ensure();
    // Called when a keeper was killed, with errno when no other could take its place.
    void setEndedHandler(std::function<void(int error)> handler) { m_onEnded = std::move(handler); }

    // 0 or errno
    int holdCgroup(const std::string &path);
    // What the leader of a new process group is to send before it runs anything.
    void announceProcessGroup(SpawnOptions *options, std::uint32_t *id);
    // \a id is the announced one, and names the group until it is dropped, also after an error. 0
    // or errno.
    int holdProcessGroup(const ProcessEntry &leader, int pidfd, std::uint32_t id);
    void dropProcessGroup(std::uint32_t id);
    // Makes a group keeper that serves \a socket. \a lost is called when that one was killed and
    // its tree has been ended, with EOWNERDEAD when the keeper itself was killed, and with another
    // errno when it could not be made. 0 or errno.
    int makeGroup(UniqueFd socket, std::function<void(int error)> lost, std::uint32_t *id);
    void dropGroup(std::uint32_t id);

private:
    struct HeldProcessGroup
    {
        ProcessEntry leader;
        UniqueFd pidfd;
    };

    KeeperClient() = default;
    int launch(const Program &program);
    int introduce();
    void readMessages();
    void keeperEnded();
    int send(const KeeperProtocol::Message &message, const std::vector<int> &descriptors = {});
    void flush();
    int sendHold(const std::string &cgroup);
    int sendHold(std::uint32_t id, const HeldProcessGroup &group);

    struct Pending
    {
        KeeperProtocol::Message message;
        std::vector<UniqueFd> descriptors;
    };

    UniqueFd m_pidfd;
    UniqueFd m_socket;
    uid_t m_ownerUser = 0; // who we were when it started
    gid_t m_ownerGroup = 0;
    std::vector<UniqueFd> m_retired; // sockets of keepers of who we were before
    std::function<void(int)> m_onEnded;
    Reactor::Watch m_socketWatch;
    Reactor::Watch m_exitWatch;
    std::vector<Pending> m_pending; // what the socket had no room for
    std::vector<std::string> m_cgroups; // held, also by the next keeper
    std::map<std::uint32_t, HeldProcessGroup> m_processGroups;
    std::map<std::uint32_t, std::function<void(int)>> m_groups;
    std::uint32_t m_lastId = 0;
    int m_earlyDeaths = 0; // in a row, before the keeper had said that it is ready
};

} // namespace ProcessKit::Native

#endif // PROCESSKIT_NATIVE_KEEPER_CLIENT_H
