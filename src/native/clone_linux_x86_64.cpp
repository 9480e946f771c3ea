// SPDX-License-Identifier: MIT
#include "clone_linux.h"

#include <sys/syscall.h>

namespace ProcessKit::Native {

// The child wakes up behind the system call with a new stack pointer and everything else as it was,
// so entry and parameter wait in registers that the kernel leaves alone.
long cloneSharingMemory(clone_args *arguments, void (*entry)(void *), void *parameter)
{
    long result;
    register void (*entryRegister)(void *) asm("r8") = entry;
    register void *parameterRegister asm("r9") = parameter;
    asm volatile("syscall\n\t"
                 "testq %%rax, %%rax\n\t"
                 "jnz 1f\n\t"
                 "xorl %%ebp, %%ebp\n\t" // the outermost frame
                 "movq %%r9, %%rdi\n\t"
                 "callq *%%r8\n\t"
                 "hlt\n"
                 "1:"
                 : "=a"(result)
                 : "a"(SYS_clone3), "D"(arguments), "S"(sizeof *arguments), "r"(entryRegister),
                   "r"(parameterRegister)
                 : "rcx", "r11", "memory");
    return result;
}

} // namespace ProcessKit::Native
