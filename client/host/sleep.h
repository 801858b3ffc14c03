/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_HOST_SLEEP_H
#define GODWIT_HOST_SLEEP_H

#include <glib.h>

/*
 * Tells when the machine goes to sleep and when it is awake again: logind says both and waits for
 * us before it sleeps; without logind only the second is known, by CLOCK_BOOTTIME, which counts the
 * sleep, having left CLOCK_MONOTONIC behind.
 */
struct sleep;

/* Called from the main context; sleep_free() may be called inside. */
struct sleep_ops {
    /* The machine sleeps soon after this returns. `awake` always follows. */
    void (*sleeping)(void *context);
    /* Once for each sleep. */
    void (*awake)(void *context);
};

/* Watches on the thread-default context. Never fails: without a system bus it is the clocks. */
struct sleep *sleep_new(const struct sleep_ops *ops, void *context);
void sleep_free(struct sleep *sleep); /* NULL is harmless */

#endif
