// SPDX-License-Identifier: MIT
// An idle child: says nothing and sleeps until it is killed.
#include <unistd.h>

int main(void)
{
    alarm(300); // nothing outlives a benchmark that was interrupted
    for (;;)
        pause();
}
