// SPDX-License-Identifier: MIT
#ifndef PROCESSKIT_NATIVE_REACTOR_H
#define PROCESSKIT_NATIVE_REACTOR_H

#include "unique_fd.h"

#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <thread>
#include <vector>

namespace ProcessKit::Native {

// The one thread of an application that owns every pipe, process handle, timer and keeper socket.
// It starts at first use and runs until the process ends: a parent-death signal is tied to the
// thread that spawned, so that thread must never retire.
class Reactor
{
public:
    using Clock = std::chrono::steady_clock;
    using Task = std::function<void()>;

    enum Event : std::uint32_t {
        Readable = 0x001, // EPOLLIN
        Urgent = 0x002, // EPOLLPRI
        Writable = 0x004, // EPOLLOUT
        Error = 0x008, // EPOLLERR, always reported
        HangUp = 0x010, // EPOLLHUP, always reported
    };

    // A descriptor that is watched for as long as this object lives. Reactor thread only.
    class Watch
    {
    public:
        using Callback = std::function<void(std::uint32_t events)>;

        Watch() = default;
        ~Watch() { stop(); }
        Watch(const Watch &) = delete;
        Watch &operator=(const Watch &) = delete;

        // 0 or errno. The descriptor stays the caller's and must outlive the watch.
        int start(int fd, std::uint32_t events, Callback callback);
        int setEvents(std::uint32_t events);
        void stop();
        // Stops, and closes the descriptor at the end of the turn: nobody is to wait for that.
        void stopAndClose(UniqueFd fd);
        bool isActive() const noexcept { return m_fd >= 0; }

    private:
        friend class Reactor;
        int m_fd = -1;
        std::uint32_t m_events = 0;
        Callback m_callback;
    };

    // Fires once. Reactor thread only.
    class Timer
    {
    public:
        Timer() = default;
        ~Timer() { stop(); }
        Timer(const Timer &) = delete;
        Timer &operator=(const Timer &) = delete;

        // A delay that is longer than the clock can count, in whatever unit, never comes.
        template<typename Count, typename Unit>
        void start(std::chrono::duration<Count, Unit> delay, const Task &callback)
        {
            constexpr std::chrono::hours longest(100 * 365 * 24);
            startAt(Clock::now()
                            + (delay > longest ? Clock::duration(longest) : Clock::duration(delay)),
                    callback);
        }
        void startAt(Clock::time_point when, Task callback);
        void stop();
        bool isActive() const noexcept { return m_active; }

    private:
        friend class Reactor;
        bool m_active = false;
        std::multimap<Clock::time_point, Timer *>::iterator m_place;
        Task m_callback;
    };

    // The reactor, started when it was not; null with errno in \a error when it cannot be.
    static Reactor *start(int *error);
    // The running reactor; only where something proves that it was started.
    static Reactor &instance();

    void post(Task task);
    // Runs \a task at the end of this turn, when everybody has been told what happened in it.
    // Reactor thread only.
    void afterTurn(Task task) { m_afterTurn.push_back(std::move(task)); }
    // Runs \a task on the reactor's thread and returns when it is done; at once when called there.
    void call(const Task &task);
    bool isCurrentThread() const noexcept
    {
        return std::this_thread::get_id() == m_threadId.load(std::memory_order_relaxed);
    }

private:
    Reactor() = default;
    int open();
    void run();
    void runTasks();
    void runTimers(Clock::time_point now);
    bool tidyUp();
    int timeout() const;
    void forget(Watch *watch);

    UniqueFd m_epoll;
    UniqueFd m_wake;
    std::atomic<std::thread::id> m_threadId; // set by the thread itself
    std::mutex m_mutex;
    std::vector<Task> m_tasks; // guarded by m_mutex
    bool m_woken = false; // guarded by m_mutex
    std::vector<Task> m_afterTurn;
    struct Closing
    {
        UniqueFd fd;
        bool isWatched;
    };
    std::vector<Closing> m_closing;
    std::multimap<Clock::time_point, Timer *> m_timers;
    std::array<Watch *, 64> m_ready{}; // of the round that is being handled
    std::array<std::uint32_t, 64> m_readyEvents{};
    int m_readyCount = 0;
};

} // namespace ProcessKit::Native

#endif // PROCESSKIT_NATIVE_REACTOR_H
