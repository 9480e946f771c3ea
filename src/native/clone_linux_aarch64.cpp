// SPDX-License-Identifier: MIT
#include "clone_linux.h"

#include <sys/syscall.h>

namespace ProcessKit::Native {

// As on x86-64: entry and parameter wait in registers that the system call leaves alone.
long cloneSharingMemory(clone_args *arguments, void (*entry)(void *), void *parameter)
{
    register long result asm("x0") = reinterpret_cast<long>(arguments);
    register unsigned long size asm("x1") = sizeof *arguments;
    register long number asm("x8") = SYS_clone3;
    register void (*entryRegister)(void *) asm("x9") = entry;
    register void *parameterRegister asm("x10") = parameter;
    asm volatile("svc #0\n\t"
                 "cbnz x0, 1f\n\t"
                 "mov x29, #0\n\t" // the outermost frame
                 "mov x30, #0\n\t"
                 "mov x0, x10\n\t"
                 "blr x9\n\t"
                 "brk #0\n"
                 "1:"
                 : "+r"(result)
                 : "r"(size), "r"(number), "r"(entryRegister), "r"(parameterRegister)
                 : "memory", "cc");
    return result;
}

} // namespace ProcessKit::Native
