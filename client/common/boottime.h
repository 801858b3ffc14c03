/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_COMMON_BOOTTIME_H
#define GODWIT_COMMON_BOOTTIME_H

#include <stdint.h>
#include <time.h>

/* Microseconds of CLOCK_BOOTTIME, the one clock of all programs: it goes on while the machine
 * sleeps, and nobody sets it. */
uint64_t boottime_now(void);
/* Microseconds that the thread of that clock (CLOCK_THREAD_CPUTIME_ID: this one) has run. */
uint64_t thread_spent(clockid_t clock);

#endif
