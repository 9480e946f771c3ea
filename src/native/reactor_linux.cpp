// SPDX-License-Identifier: MIT
#include "reactor.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>

#include <algorithm>
#include <system_error>

namespace ProcessKit::Native {

static_assert(std::uint32_t(Reactor::Readable) == EPOLLIN
              && std::uint32_t(Reactor::Urgent) == EPOLLPRI
              && std::uint32_t(Reactor::Writable) == EPOLLOUT
              && std::uint32_t(Reactor::Error) == EPOLLERR
              && std::uint32_t(Reactor::HangUp) == EPOLLHUP);

namespace {

std::mutex startMutex;
Reactor *theReactor = nullptr; // never deleted: its thread may outlive the static destructors

} // namespace

Reactor *Reactor::start(int *error)
{
    const std::lock_guard lock(startMutex);
    if (theReactor)
        return theReactor;
    auto *reactor = new Reactor;
    *error = reactor->open();
    if (*error) {
        delete reactor;
        return nullptr;
    }
    return theReactor = reactor;
}

Reactor &Reactor::instance()
{
    return *theReactor;
}

int Reactor::open()
{
    m_epoll = aboveStandardStreams(UniqueFd(::epoll_create1(EPOLL_CLOEXEC)));
    if (!m_epoll)
        return errno;
    m_wake = aboveStandardStreams(UniqueFd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)));
    if (!m_wake)
        return errno;
    epoll_event event{ EPOLLIN, {} };
    event.data.ptr = nullptr; // a watch for everything else
    if (::epoll_ctl(m_epoll.get(), EPOLL_CTL_ADD, m_wake.get(), &event) < 0)
        return errno;

    // The application's signals are the application's threads' business; SIGPIPE becomes EPIPE. But
    // SIGCHLD comes to the thread that has spawned: were it blocked there, the kernel would not see
    // that it is ignored by default, and would wake another thread for it at every exit.
    sigset_t all, previous;
    ::sigfillset(&all);
    ::sigdelset(&all, SIGCHLD);
    ::pthread_sigmask(SIG_SETMASK, &all, &previous);
    int error = 0;
    try {
        std::thread thread([this] { run(); });
        thread.detach();
    } catch (const std::system_error &problem) {
        error = problem.code().value();
    }
    ::pthread_sigmask(SIG_SETMASK, &previous, nullptr);
    return error;
}

void Reactor::post(Task task)
{
    {
        const std::lock_guard lock(m_mutex);
        m_tasks.push_back(std::move(task));
        if (std::exchange(m_woken, true))
            return;
    }
    if (isCurrentThread())
        return; // it looks before it sleeps
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto written = ::write(m_wake.get(), &one, sizeof one);
}

void Reactor::call(const Task &task)
{
    if (isCurrentThread()) {
        task();
        return;
    }
    std::mutex mutex;
    std::condition_variable condition;
    bool done = false;
    post([&] {
        task();
        // notified under the lock: the waiter's variables are gone as soon as it is released
        const std::lock_guard lock(mutex);
        done = true;
        condition.notify_one();
    });
    std::unique_lock lock(mutex);
    condition.wait(lock, [&] { return done; });
}

void Reactor::run()
{
    ::prctl(PR_SET_NAME, "ProcessKit", 0, 0, 0);
    m_threadId = std::this_thread::get_id();
    std::array<epoll_event, std::tuple_size_v<decltype(m_ready)>> events;
    for (;;) {
        // A timer counts as due when the moment was there before this look at the descriptors: what
        // has happened in time is seen in time, however long a turn takes.
        const Clock::time_point now = m_timers.empty() ? Clock::time_point() : Clock::now();
        const int count = ::epoll_wait(m_epoll.get(), events.data(), int(events.size()), timeout());
        m_readyCount = std::max(count, 0);
        for (int i = 0; i < m_readyCount; ++i) {
            m_ready[i] = static_cast<Watch *>(events[i].data.ptr);
            m_readyEvents[i] = events[i].events;
            if (!m_ready[i]) {
                std::uint64_t wakes;
                [[maybe_unused]] const auto n = ::read(m_wake.get(), &wakes, sizeof wakes);
            }
        }
        for (int i = 0; i < m_readyCount; ++i) {
            if (Watch *watch = m_ready[i])
                watch->m_callback(m_readyEvents[i]);
        }
        m_readyCount = 0;
        runTimers(now);
        do {
            runTasks();
        } while (tidyUp()); // which may have posted something
    }
}

void Reactor::runTasks()
{
    std::vector<Task> tasks;
    for (;;) {
        {
            const std::lock_guard lock(m_mutex);
            if (m_tasks.empty()) {
                m_woken = false;
                break;
            }
            tasks.swap(m_tasks);
        }
        for (Task &task : tasks)
            task();
        tasks.clear();
    }
}

void Reactor::runTimers(Clock::time_point now)
{
    while (!m_timers.empty() && m_timers.begin()->first <= now) {
        Timer *timer = m_timers.begin()->second;
        m_timers.erase(m_timers.begin());
        timer->m_active = false;
        const Task callback = std::move(timer->m_callback); // it may start or delete the timer
        callback();
    }
}

// Whether there was anything to do.
bool Reactor::tidyUp()
{
    const std::vector<Task> tasks = std::exchange(m_afterTurn, {});
    for (const Task &task : tasks)
        task();
    for (const Closing &closing : m_closing) {
        // what another process shares would be reported on even when it is closed here
        if (closing.isWatched)
            ::epoll_ctl(m_epoll.get(), EPOLL_CTL_DEL, closing.fd.get(), nullptr);
    }
    m_closing.clear();
    return !tasks.empty();
}

int Reactor::timeout() const
{
    if (m_timers.empty())
        return -1;
    const auto left = m_timers.begin()->first - Clock::now();
    if (left <= Clock::duration::zero())
        return 0;
    // rounded up: waking early would only mean waking twice
    const auto milliseconds = std::chrono::ceil<std::chrono::milliseconds>(left).count();
    return int(std::min<decltype(milliseconds)>(milliseconds, 3'600'000));
}

void Reactor::forget(Watch *watch)
{
    std::replace(m_ready.begin(), m_ready.begin() + m_readyCount, watch,
                 static_cast<Watch *>(nullptr));
}

int Reactor::Watch::start(int fd, std::uint32_t events, Callback callback)
{
    stop();
    epoll_event event{ events, {} };
    event.data.ptr = this;
    if (::epoll_ctl(instance().m_epoll.get(), EPOLL_CTL_ADD, fd, &event) < 0)
        return errno;
    m_fd = fd;
    m_events = events;
    m_callback = std::move(callback);
    return 0;
}

int Reactor::Watch::setEvents(std::uint32_t events)
{
    if (events == m_events)
        return 0;
    epoll_event event{ events, {} };
    event.data.ptr = this;
    if (::epoll_ctl(instance().m_epoll.get(), EPOLL_CTL_MOD, m_fd, &event) < 0)
        return errno;
    m_events = events;
    return 0;
}

void Reactor::Watch::stop()
{
    if (m_fd < 0)
        return;
    ::epoll_ctl(instance().m_epoll.get(), EPOLL_CTL_DEL, m_fd, nullptr);
    m_fd = -1;
    instance().forget(this);
}

void Reactor::Watch::stopAndClose(UniqueFd fd)
{
    if (!fd)
        return;
    const bool isWatched = std::exchange(m_fd, -1) >= 0;
    if (isWatched)
        instance().forget(this);
    instance().m_closing.push_back({ std::move(fd), isWatched });
}

void Reactor::Timer::startAt(Clock::time_point when, Task callback)
{
    stop();
    m_callback = std::move(callback);
    m_place = instance().m_timers.emplace(when, this);
    m_active = true;
}

void Reactor::Timer::stop()
{
    if (!m_active)
        return;
    instance().m_timers.erase(m_place);
    m_active = false;
    m_callback = nullptr; // and what it keeps alive
}

} // namespace ProcessKit::Native
