// SPDX-License-Identifier: MIT

// The few parts of the C++ runtime that would throw, ended instead: with them the whole machinery
// of exceptions stays out of the program, which is several times its size. A keeper that is out of
// memory or wrong about itself has nothing better to do than to end; its application notices and
// starts another one.

#include <cstdlib>
#include <new>

#include <signal.h>
#include <unistd.h>

namespace {

[[noreturn]] void end()
{
    ::_exit(134);
}

} // namespace

void *operator new(std::size_t size)
{
    if (void *memory = std::malloc(size))
        return memory;
    end();
}

void operator delete(void *memory) noexcept
{
    std::free(memory);
}

void operator delete(void *memory, std::size_t) noexcept
{
    std::free(memory);
}

namespace std {

void __throw_length_error(const char *)
{
    end();
}

void __throw_logic_error(const char *)
{
    end();
}

void __throw_out_of_range_fmt(const char *, ...)
{
    end();
}

void __throw_bad_function_call()
{
    end();
}

void __throw_bad_alloc()
{
    end();
}

void __throw_bad_array_new_length()
{
    end();
}

} // namespace std

extern "C" void __cxa_pure_virtual()
{
    end();
}
