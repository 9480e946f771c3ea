// SPDX-License-Identifier: MIT
// The smallest program there is: no C start-up code, it only exits.
#include <unistd.h>

void _start(void)
{
    _exit(0);
}
