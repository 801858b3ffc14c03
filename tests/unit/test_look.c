/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "esp/look.h"
#include "unit/vectors.h"

/* Waits that end so soon, with a look where it seems worth it; returns how many looks these were.
 */
static unsigned wait_often(struct look *look, unsigned times, uint64_t after)
{
    unsigned looks = 0;
    for (unsigned i = 0; i < times; i++) {
        bool looked = look_worth(look);
        enum look_result result = after < LOOK_US ? LOOK_FOUND : LOOK_IN_VAIN;
        look_learn(look, looked ? result : LOOK_NOT, after);
        looks += looked;
    }
    return looks;
}

START_TEST(test_worth)
{
    struct look look;
    look_init(&look);
    ck_assert_uint_eq(wait_often(&look, LOOK_ENOUGH, 10), 0);
    ck_assert_uint_eq(wait_often(&look, 1000, 10), 1000);
    ck_assert_uint_eq(wait_often(&look, 1, LOOK_SOON_US + 1), 1);
    ck_assert_uint_eq(wait_often(&look, LOOK_ENOUGH, 10), 0);
    ck_assert_uint_eq(wait_often(&look, 1000, 10), 1000);
}
END_TEST

START_TEST(test_long_waits)
{
    struct look look;
    look_init(&look);
    for (unsigned i = 0; i < 100; i++) {
        ck_assert_uint_eq(wait_often(&look, LOOK_ENOUGH - 1, 10), 0);
        ck_assert_uint_eq(wait_often(&look, 1, LOOK_SOON_US + 1), 0);
    }
}
END_TEST

/* The answer comes soon, but not while somebody looks. */
START_TEST(test_in_vain)
{
    struct look look;
    look_init(&look);
    unsigned first = wait_often(&look, 1000, LOOK_SOON_US);
    ck_assert_uint_ge(first, 3);
    ck_assert_uint_le(first, 10);
    ck_assert_uint_le(wait_often(&look, 1000, LOOK_SOON_US), 1000 / LOOK_RAREST + 1);
    /* It does again: one look that finds it is enough. */
    ck_assert_uint_ge(wait_often(&look, 1000, 10), 1000 - LOOK_RAREST);
    for (unsigned i = 0; i < 10; i++) { /* now and then one is in vain */
        ck_assert_uint_eq(wait_often(&look, 1, LOOK_SOON_US), 1);
        ck_assert_uint_eq(wait_often(&look, 100, 10), 100 - LOOK_ENOUGH);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("look");
    TCase *tcase = tcase_create("look");
    tcase_add_test(tcase, test_worth);
    tcase_add_test(tcase, test_long_waits);
    tcase_add_test(tcase, test_in_vain);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
