/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>

#include "esp/replay.h"
#include "unit/vectors.h"

#define W ESP_REPLAY_WINDOW

static bool take(struct replay *r, uint32_t wire)
{
    uint64_t sequence;
    if (!replay_check(r, wire, &sequence)) {
        return false;
    }
    replay_commit(r, sequence);
    return true;
}

START_TEST(test_window_edges)
{
    struct replay r;
    replay_init(&r, false, 0);
    ck_assert(!take(&r, 0)); /* never sent */
    ck_assert(take(&r, 1));
    ck_assert(!take(&r, 1));
    ck_assert(take(&r, W));
    ck_assert(take(&r, 2));
    ck_assert(take(&r, W + 2));
    ck_assert(!take(&r, 2)); /* now one below the window */
    ck_assert(take(&r, 3));  /* its lowest */
    ck_assert(!take(&r, 3));
    ck_assert(take(&r, 1000000));
    ck_assert(!take(&r, 1000000 - W));
    ck_assert(take(&r, 1000000 - W + 1));
    ck_assert(!take(&r, W + 2));
}
END_TEST

START_TEST(test_check_changes_nothing)
{
    struct replay r;
    uint64_t sequence;
    replay_init(&r, false, 0);
    ck_assert(take(&r, 5));
    struct replay before = r;
    ck_assert(replay_check(&r, UINT32_MAX, &sequence));
    ck_assert_mem_eq(&r, &before, sizeof(r));
    ck_assert(take(&r, 6));
}
END_TEST

START_TEST(test_without_esn_never_wraps)
{
    struct replay r;
    replay_init(&r, false, UINT32_MAX - 3);
    ck_assert(take(&r, UINT32_MAX));
    ck_assert(!take(&r, 0));
    ck_assert(!take(&r, 1));
    ck_assert(take(&r, UINT32_MAX - 1));
}
END_TEST

START_TEST(test_esn_crosses)
{
    struct replay r;
    uint64_t sequence;
    replay_init(&r, true, UINT32_MAX - 1);
    ck_assert(replay_check(&r, UINT32_MAX, &sequence));
    ck_assert_uint_eq(sequence, UINT32_MAX);
    replay_commit(&r, sequence);
    ck_assert(replay_check(&r, 0, &sequence));
    ck_assert_uint_eq(sequence, UINT64_C(1) << 32);
    replay_commit(&r, sequence);
    ck_assert(!take(&r, 0));
    ck_assert(!take(&r, UINT32_MAX));
    /* A late packet of the old subspace (case B of RFC 4303 A2.2). */
    ck_assert(replay_check(&r, UINT32_MAX - 100, &sequence));
    ck_assert_uint_eq(sequence, UINT32_MAX - 100);
    /* Below the window the same bits mean the future. */
    ck_assert(replay_check(&r, UINT32_MAX - W, &sequence));
    ck_assert_uint_eq(sequence, (UINT64_C(1) << 32) + UINT32_MAX - W);
}
END_TEST

START_TEST(test_esn_at_the_start)
{
    struct replay r;
    replay_init(&r, true, 0);
    ck_assert(!take(&r, 0));
    ck_assert(!take(&r, UINT32_MAX)); /* would be before the beginning */
    ck_assert(take(&r, 1));
    ck_assert(take(&r, W));
    ck_assert(!take(&r, 1));
}
END_TEST

START_TEST(test_esn_at_the_end)
{
    struct replay r;
    replay_init(&r, true, UINT64_MAX - 2);
    ck_assert(take(&r, UINT32_MAX - 1));
    ck_assert(take(&r, UINT32_MAX));
    ck_assert(!take(&r, UINT32_MAX));
    ck_assert(!take(&r, 0)); /* 2^64 does not exist */
    ck_assert(!take(&r, 5));
    ck_assert(take(&r, UINT32_MAX - 5));
}
END_TEST

START_TEST(test_huge_jumps)
{
    struct replay r;
    replay_init(&r, true, 0);
    ck_assert(take(&r, 1));
    ck_assert(take(&r, 0xf0000000));
    for (uint32_t i = 1; i < W; i++) {
        ck_assert(take(&r, 0xf0000000 - i)); /* nothing of the ring's past shines through */
    }
    ck_assert(take(&r, 0xe0000000)); /* below the window: 2^32 further */
    ck_assert_uint_eq(r.top, 0x1e0000000);
}
END_TEST

/* Against a model that remembers every number. */
START_TEST(test_random_against_model)
{
    enum { SPAN = 60000 };
    static uint8_t seen[SPAN];
    for (int esn = 0; esn < 2; esn++) {
        struct replay r;
        uint64_t base = esn ? UINT32_MAX - SPAN / 2 : 0;
        uint64_t top = 0;
        memset(seen, 0, sizeof(seen));
        replay_init(&r, esn, base);
        srand(1);
        for (unsigned i = 0; i < 400000; i++) {
            uint64_t reach =
                top + (rand() % 16 == 0 ? (unsigned)rand() % 9000 : (unsigned)rand() % 3);
            uint64_t number = reach - (uint64_t)rand() % (reach > 6000 ? 6000 : reach + 1);
            if (number == 0 || number >= SPAN) {
                continue;
            }
            bool fresh = !seen[number] && (number > top || top - number < W);
            /* Beyond the window ESN takes the number for one 2^32 ahead; such a packet would fail
             * its ICV. */
            uint64_t sequence;
            bool passed =
                replay_check(&r, (uint32_t)(base + number), &sequence) && sequence == base + number;
            ck_assert_msg(passed == fresh, "number %lu, top %lu", number, top);
            if (passed) {
                replay_commit(&r, sequence);
                seen[number] = 1;
                top = number > top ? number : top;
            }
        }
        ck_assert_uint_gt(top, SPAN / 2);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("replay");
    TCase *tcase = tcase_create("replay");
    tcase_add_test(tcase, test_window_edges);
    tcase_add_test(tcase, test_check_changes_nothing);
    tcase_add_test(tcase, test_without_esn_never_wraps);
    tcase_add_test(tcase, test_esn_crosses);
    tcase_add_test(tcase, test_esn_at_the_start);
    tcase_add_test(tcase, test_esn_at_the_end);
    tcase_add_test(tcase, test_huge_jumps);
    tcase_add_test(tcase, test_random_against_model);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
