/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tunnel/drops.h"
#include "unit/vectors.h"

#define START (5 * (guint64)G_TIME_SPAN_HOUR)

static void expect_news(struct drops *drops, const struct datapath_counters *counters, guint64 now,
                        const char *expected)
{
    char *news = drops_news(drops, counters, now);

    ck_assert_pstr_eq(news, expected);
    g_free(news);
}

START_TEST(test_named)
{
    struct drops drops = {0};
    struct datapath_counters counters = {.in_packets = 1000, .last_in_us = START};

    expect_news(&drops, &counters, START, NULL);
    counters.in_dropped_queue = 17;
    counters.in_dropped_replay = 2;
    expect_news(&drops, &counters, START, "17 to shorten the queue, 2 come twice or too late");
    expect_news(&drops, &counters, START + DROPS_INTERVAL, NULL);
}
END_TEST

/* Not more often than each minute, and then all of it. */
START_TEST(test_seldom)
{
    struct drops drops = {0};
    struct datapath_counters counters = {.in_dropped_socket = 1};

    expect_news(&drops, &counters, START, "1 runs the sockets had no room for");
    counters.in_dropped_socket = 4;
    expect_news(&drops, &counters, START + DROPS_INTERVAL - 1, NULL);
    counters.out_dropped_send = 1;
    expect_news(&drops, &counters, START + DROPS_INTERVAL,
                "3 runs the sockets had no room for, 1 not sent");
}
END_TEST

/* What others cause as they like makes no line. */
START_TEST(test_chatter)
{
    struct drops drops = {0};
    struct datapath_counters counters = {.in_dropped_unknown_spi = 9, .out_dropped_policy = 70};

    expect_news(&drops, &counters, START, NULL);
    counters.in_dropped_tun = 1;
    expect_news(&drops, &counters, START,
                "1 refused by the TUN, 9 of an unknown SPI, 70 not to be let out");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("drops");
    TCase *tcase = tcase_create("drops");

    tcase_add_test(tcase, test_named);
    tcase_add_test(tcase, test_seldom);
    tcase_add_test(tcase, test_chatter);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
