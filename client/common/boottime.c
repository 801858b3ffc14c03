/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "common/boottime.h"

#include <time.h>

uint64_t boottime_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_BOOTTIME, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}
