// SPDX-License-Identifier: MIT
#ifndef PROCESSKIT_EXPECTED_H
#define PROCESSKIT_EXPECTED_H

#include <ProcessKit/processerror.h>

#include <utility>
#include <variant>

namespace ProcessKit {

template<typename T>
class Expected
{
public:
    using Value = T;

    Expected() : m_content(std::in_place_index<1>) { }
    Expected(T value) : m_content(std::in_place_index<0>, std::move(value)) { }
    Expected(ProcessError error) : m_content(std::in_place_index<1>, std::move(error)) { }

    bool hasValue() const noexcept { return m_content.index() == 0; }
    explicit operator bool() const noexcept { return hasValue(); }

    const T &value() const & { return std::get<0>(m_content); }
    T &value() & { return std::get<0>(m_content); }
    T &&value() && { return std::get<0>(std::move(m_content)); }
    template<typename Other>
    T valueOr(Other &&other) const
    {
        return hasValue() ? value() : static_cast<T>(std::forward<Other>(other));
    }
    ProcessError error() const { return hasValue() ? ProcessError() : std::get<1>(m_content); }

    const T &operator*() const & { return value(); }
    T &operator*() & { return value(); }
    T &&operator*() && { return std::move(*this).value(); }
    const T *operator->() const { return &value(); }
    T *operator->() { return &value(); }

    friend bool operator==(const Expected &a, const Expected &b)
    {
        return a.m_content == b.m_content;
    }
    friend bool operator!=(const Expected &a, const Expected &b) { return !(a == b); }

private:
    std::variant<T, ProcessError> m_content;
};

template<typename T>
inline constexpr bool isExpected = false;
template<typename T>
inline constexpr bool isExpected<Expected<T>> = true;

} // namespace ProcessKit

#endif // PROCESSKIT_EXPECTED_H
