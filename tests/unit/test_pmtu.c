/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "esp/pmtu.h"
#include "unit/vectors.h"

#define SECOND UINT64_C(1000000)

static struct pmtu pmtu;
static uint64_t now;
static unsigned probes;

/* Asks along a path that carries so much until there is nothing to ask; true when `current`
 * changed. */
static bool settle(uint16_t carries)
{
    bool changed = false;
    uint16_t size;

    for (probes = 0; (size = pmtu_next(&pmtu, now)) != 0; probes++) {
        ck_assert_uint_ge(size, pmtu.floor);
        ck_assert_uint_le(size, pmtu.ceiling);
        ck_assert_uint_eq(pmtu_next(&pmtu, now), 0); /* one at a time */
        now += SECOND;
        changed |= pmtu_answer(&pmtu, size, size <= carries, now);
        ck_assert_uint_lt(probes, 20);
    }
    return changed;
}

static void start(uint16_t mtu, uint16_t floor)
{
    now = 100 * SECOND;
    pmtu_start(&pmtu, mtu, floor);
    ck_assert_uint_eq(pmtu.current, mtu);
    ck_assert_uint_eq(pmtu_next(&pmtu, now), 0);
    ck_assert_uint_eq(pmtu_deadline(&pmtu), UINT64_MAX);
}

static const struct {
    uint16_t mtu, floor, carries, found;
} paths[] = {
    {1500, 576, 1500, 1500},  {1500, 576, 1499, 1492},  {1500, 576, 1300, 1300},
    {1500, 576, 1290, 1280},  {1500, 576, 1279, 1200},  {1500, 576, 600, 576},
    {1500, 1280, 1281, 1280}, {1500, 1280, 1420, 1420}, {1492, 576, 1492, 1492},
    {9000, 576, 1500, 1500},  {65535, 576, 9000, 9000}, {65535, 576, 40000, 17914},
    {1450, 576, 1445, 1440},  {1290, 576, 1280, 1280},
};

START_TEST(found)
{
    start(paths[_i].mtu, paths[_i].floor);
    pmtu_doubt(&pmtu, 0);
    ck_assert(settle(paths[_i].carries) == (paths[_i].found != paths[_i].mtu));
    ck_assert_uint_le(pmtu.current, paths[_i].found);
    ck_assert_uint_ne(pmtu.confirmed_at, 0);
    ck_assert_uint_le(probes, paths[_i].found < 1280 ? 8 : 3);
    /* The rest while traffic flows. */
    if (pmtu.raise_at != UINT64_MAX) {
        now = pmtu.raise_at;
        pmtu_raise(&pmtu, now);
        (void)settle(paths[_i].carries);
        ck_assert_uint_le(probes, 7);
    }
    ck_assert_uint_eq(pmtu.current, paths[_i].found);
    /* And once more: it stays. */
    pmtu_doubt(&pmtu, 0);
    ck_assert(!settle(paths[_i].carries));
    ck_assert_uint_le(probes, 1);
}
END_TEST

/* A probe may get lost for another reason. */
START_TEST(one_loss_is_no_change)
{
    start(1500, 576);
    pmtu_doubt(&pmtu, 0);
    ck_assert_uint_eq(pmtu_next(&pmtu, now), 1500);
    ck_assert(!pmtu_answer(&pmtu, 1500, false, now));
    ck_assert(!settle(1500));
    ck_assert_uint_eq(pmtu.current, 1500);
}
END_TEST

/* What ICMP says is tried first, and believed only when it is so. */
START_TEST(hints)
{
    static const struct {
        uint16_t hint, carries, found, probes;
    } rows[] = {
        {1300, 1300, 1300, 2}, {1300, 1500, 1500, 1}, {576, 1500, 1500, 1},  {1333, 1333, 1333, 2},
        {100, 1500, 1500, 1},  {1600, 1500, 1500, 1}, {1400, 1300, 1280, 3},
    };

    start(1500, 576);
    pmtu_doubt(&pmtu, rows[_i].hint);
    (void)settle(rows[_i].carries);
    ck_assert_uint_eq(pmtu.current, rows[_i].found);
    ck_assert_uint_le(probes, rows[_i].probes);
}
END_TEST

/* Nothing passes: that the gateway is gone is not learned here. */
START_TEST(dead_path)
{
    start(1500, 576);
    pmtu_doubt(&pmtu, 0);
    ck_assert(!settle(100));
    ck_assert_uint_eq(pmtu.current, 1500);
    start(1280, 1280);
    pmtu_doubt(&pmtu, 0);
    ck_assert_uint_eq(pmtu_next(&pmtu, now), 0); /* there is nothing below */
}
END_TEST

START_TEST(raised)
{
    start(1500, 576);
    pmtu_raise(&pmtu, now);
    ck_assert_uint_eq(pmtu_next(&pmtu, now), 0); /* it cannot be more */
    pmtu_doubt(&pmtu, 1300);
    ck_assert(settle(1300));
    ck_assert_uint_eq(pmtu.current, 1300);
    pmtu_raise(&pmtu, now);
    ck_assert_uint_eq(pmtu_next(&pmtu, now), 0); /* not yet */
    /* Less and less often while it stays so. */
    for (uint64_t wait = 30; wait < 2000; wait *= 2) {
        uint64_t at = pmtu.raise_at;

        ck_assert_uint_eq((at - now) / SECOND, wait < 600 ? wait : 600);
        now = at;
        pmtu_raise(&pmtu, now);
        ck_assert(!settle(1300));
        ck_assert_uint_gt(probes, 0);
        ck_assert_uint_eq(pmtu.current, 1300);
    }
    now = pmtu.raise_at;
    pmtu_raise(&pmtu, now);
    ck_assert(settle(1400));
    ck_assert_uint_eq(pmtu.current, 1400);
    ck_assert_uint_eq(pmtu.raise_at, now + 30 * SECOND);
    now = pmtu.raise_at;
    pmtu_raise(&pmtu, now);
    ck_assert(settle(1500));
    ck_assert_uint_eq(probes, 1);
    ck_assert_uint_eq(pmtu.current, 1500);
    ck_assert_uint_eq(pmtu.raise_at, UINT64_MAX);
}
END_TEST

/* The IKE SA is replaced in the middle: the answer never comes, or one to something else. */
START_TEST(forgotten)
{
    start(1500, 576);
    pmtu_doubt(&pmtu, 0);
    ck_assert_uint_eq(pmtu_next(&pmtu, now), 1500);
    ck_assert(!pmtu_answer(&pmtu, 1400, true, now));
    ck_assert(!pmtu_answer(&pmtu, 0, true, now));
    now = pmtu_deadline(&pmtu);
    ck_assert_uint_eq(pmtu_next(&pmtu, now), 0);
    ck_assert(!pmtu_answer(&pmtu, 1500, true, now));
    ck_assert_uint_eq(pmtu.confirmed_at, 0);
    pmtu_doubt(&pmtu, 0);
    ck_assert_uint_eq(pmtu_next(&pmtu, now), 1500);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("pmtu");
    TCase *tcase = tcase_create("pmtu");

    tcase_add_loop_test(tcase, found, 0, sizeof paths / sizeof paths[0]);
    tcase_add_loop_test(tcase, hints, 0, 7);
    tcase_add_test(tcase, one_loss_is_no_change);
    tcase_add_test(tcase, dead_path);
    tcase_add_test(tcase, raised);
    tcase_add_test(tcase, forgotten);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
