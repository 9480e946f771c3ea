// SPDX-License-Identifier: MIT
    .text
    .global _start
    .type _start, %function
_start:
    mov x29, #0 // the outermost frame
    mov x30, #0
    bl processkitStart
    brk #1
    .size _start, . - _start

// long processkitSystemCall(long number, long a, long b, long c, long d, long e, long f)
    .global processkitSystemCall
    .type processkitSystemCall, %function
processkitSystemCall:
    mov x8, x0
    mov x0, x1
    mov x1, x2
    mov x2, x3
    mov x3, x4
    mov x4, x5
    mov x5, x6
    svc #0
    ret
    .size processkitSystemCall, . - processkitSystemCall
    .section .note.GNU-stack, "", %progbits
