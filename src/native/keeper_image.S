// SPDX-License-Identifier: MIT
    .section .rodata
    .global processkit_keeper_image_begin
    .hidden processkit_keeper_image_begin
    .global processkit_keeper_image_end
    .hidden processkit_keeper_image_end
    .balign 16
processkit_keeper_image_begin:
    .incbin PROCESSKIT_KEEPER_IMAGE
processkit_keeper_image_end:
    .byte 0
    .section .note.GNU-stack,"",%progbits
