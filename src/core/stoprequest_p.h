// SPDX-License-Identifier: MIT
#ifndef PROCESSKIT_STOPREQUEST_P_H
#define PROCESSKIT_STOPREQUEST_P_H

#include "reactor.h"

#include <functional>
#include <optional>
#include <stop_token>

namespace ProcessKit {

// Has a stop token's order carried out on the reactor, whoever gives it. Reactor thread only.
class StopRequest
{
public:
    // \a react may be called after this has gone: an order may be on its way.
    void watch(const std::stop_token &token, std::function<void()> react)
    {
        if (token.stop_possible()) {
            m_callback.emplace(token, [react = std::move(react)] {
                Native::Reactor::instance().post(react); // called at once if the order was given
            });
        }
    }
    void reset() { m_callback.reset(); }

private:
    std::optional<std::stop_callback<std::function<void()>>> m_callback;
};

} // namespace ProcessKit

#endif // PROCESSKIT_STOPREQUEST_P_H
