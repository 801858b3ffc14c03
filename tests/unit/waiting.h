/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_TESTS_WAITING_H
#define GODWIT_TESTS_WAITING_H

#include <check.h>
#include <stdint.h>
#include <time.h>

/* How tests wait for what has no file descriptor and tells nobody: they look again and again. */

/* Far above what any step takes, so that only a hang meets it. */
#define WAIT_MOST_S 50

static inline int64_t wait_now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Time that is itself what is tested; for everything else there is wait_until(). */
static inline void wait_let_pass(unsigned us)
{
    struct timespec left = {.tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000};
    while (nanosleep(&left, &left) != 0) {
    }
}

static inline void wait_look_again(int64_t since_ms, const char *what)
{
    ck_assert_msg(wait_now_ms() - since_ms < WAIT_MOST_S * 1000, "after %d s there is not: %s",
                  WAIT_MOST_S, what);
    wait_let_pass(1000);
}

/* Until the expression is true; fails the test when it never is. */
#define wait_until(condition)                                                                      \
    do {                                                                                           \
        int64_t since_ms_ = wait_now_ms();                                                         \
        while (!(condition)) {                                                                     \
            wait_look_again(since_ms_, #condition);                                                \
        }                                                                                          \
    } while (0)

#endif
