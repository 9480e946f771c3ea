// SPDX-License-Identifier: MIT
#include "bareclone.h"

#include <cerrno>

long bareClone(clone_args *, std::size_t, int (*)(void *), void *)
{
    return -ENOSYS;
}
