// SPDX-License-Identifier: MIT
    .text
    .global _start
    .type _start, @function
_start:
    xorl %ebp, %ebp // the outermost frame
    andq $-16, %rsp
    call processkitStart
    hlt
    .size _start, . - _start

// long processkitSystemCall(long number, long a, long b, long c, long d, long e, long f)
    .global processkitSystemCall
    .type processkitSystemCall, @function
processkitSystemCall:
    movq %rdi, %rax
    movq %rsi, %rdi
    movq %rdx, %rsi
    movq %rcx, %rdx
    movq %r8, %r10
    movq %r9, %r8
    movq 8(%rsp), %r9
    syscall
    ret
    .size processkitSystemCall, . - processkitSystemCall
    .section .note.GNU-stack, "", @progbits
