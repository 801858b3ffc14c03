/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "common/boottime.h"

static uint64_t microseconds(clockid_t clock)
{
    struct timespec now = {0};

    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

uint64_t boottime_now(void)
{
    return microseconds(CLOCK_BOOTTIME);
}

uint64_t thread_spent(clockid_t clock)
{
    return microseconds(clock);
}
