// SPDX-License-Identifier: MIT
#include "bareclone.h"

#include <sys/syscall.h>

long bareClone(clone_args *args, std::size_t size, int (*function)(void *), void *argument)
{
    register long number asm("x8") = SYS_clone3;
    register long first asm("x0") = long(args);
    register long second asm("x1") = long(size);
    asm volatile(
            "svc #0\n\t"
            "cbnz x0, 1f\n\t"
            "mov x0, %[argument]\n\t"
            "blr %[function]\n\t"
            "mov x8, %[exit]\n\t"
            "svc #0\n\t"
            "brk #0\n"
            "1:"
            : "+r"(first)
            : "r"(second),
              "r"(number), [function] "r"(function), [argument] "r"(argument), [exit] "i"(SYS_exit)
            : "memory", "cc", "x30");
    return first;
}
