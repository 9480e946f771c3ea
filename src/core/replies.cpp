// SPDX-License-Identifier: MIT
#include "replies_p.h"

#include <pthread.h>
#include <signal.h>

#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <system_error>
#include <thread>

namespace ProcessKit {

namespace {

// One thread that stays as long as there is something to do from time to time, and one more for
// each task that comes while all of them are busy: tasks that block can then never wait for one
// another. Not a QThreadPool, because each of its threads keeps an eventfd open.
class Replies
{
public:
    void run(std::function<void()> task)
    {
        bool hasIdle;
        {
            const std::lock_guard lock(m_mutex);
            m_tasks.push_back(std::move(task));
            hasIdle = m_idle >= m_tasks.size();
        }
        if (hasIdle)
            m_condition.notify_one(); // not under the lock, or it would wake only to wait for it
        else
            startThread();
    }

private:
    // With no room for another thread, one of those that are there does it later.
    void startThread()
    {
        sigset_t all, previous;
        ::sigfillset(&all);
        ::pthread_sigmask(SIG_SETMASK, &all, &previous);
        try {
            std::thread([this] { work(); }).detach();
        } catch (const std::system_error &) {
            m_condition.notify_one();
        }
        ::pthread_sigmask(SIG_SETMASK, &previous, nullptr);
    }

    void work()
    {
        constexpr auto patience = std::chrono::seconds(10);
        std::unique_lock lock(m_mutex);
        for (;;) {
            ++m_idle;
            const bool hasTask =
                    m_condition.wait_for(lock, patience, [this] { return !m_tasks.empty(); });
            --m_idle;
            if (!hasTask)
                return;
            std::function<void()> task = std::move(m_tasks.front());
            m_tasks.pop_front();
            lock.unlock();
            task();
            task = nullptr; // what it holds may have a destructor that blocks
            lock.lock();
        }
    }

    std::mutex m_mutex;
    std::condition_variable m_condition;
    std::deque<std::function<void()>> m_tasks;
    std::size_t m_idle = 0;
};

} // namespace

void runReply(std::function<void()> task)
{
    static auto *replies = new Replies; // its threads may outlive the static destructors
    replies->run(std::move(task));
}

} // namespace ProcessKit
