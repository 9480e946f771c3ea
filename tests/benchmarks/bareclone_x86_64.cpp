// SPDX-License-Identifier: MIT
#include "bareclone.h"

#include <sys/syscall.h>

long bareClone(clone_args *args, std::size_t size, int (*function)(void *), void *argument)
{
    long result;
    asm volatile(
            "syscall\n\t"
            "test %%rax, %%rax\n\t"
            "jnz 1f\n\t"
            "mov %[argument], %%rdi\n\t"
            "call *%[function]\n\t"
            "mov %%eax, %%edi\n\t"
            "mov %[exit], %%eax\n\t"
            "syscall\n\t"
            "hlt\n"
            "1:"
            : "=a"(result)
            : "a"(long(SYS_clone3)), "D"(args),
              "S"(size), [function] "r"(function), [argument] "r"(argument), [exit] "i"(SYS_exit)
            : "rcx", "r11", "memory");
    return result;
}
