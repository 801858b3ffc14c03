/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "sim/cases.h"
#include "sim/scenarios.h"
#include "sim/sim.h"
#include "unit/vectors.h"

/*
 * sim              the scenarios, 8000 random runs, and 6000 in which the host moves
 * sim --seeds N    N random runs, beginning with a seed that is printed, as it is by all of these
 * sim --moves N    N random runs in which the host moves
 * sim --seed N     this one, with its ladder
 * sim --pairs [S]  every pair of faults over every case of the tables, for S seconds at most
 * sim --list       the cases of the tables
 */

/* Without a number of them: so many by one test, in so many tests. With sanitizers, which make it
 * slow, fewer: what they find does not lie in rare orders of events. */
#define SEEDS_AT_ONCE 250
#ifdef __SANITIZE_ADDRESS__
#define TIMES_SEEDS 8
#define TIMES_MOVES 6
#else
#define TIMES_SEEDS 32
#define TIMES_MOVES 24
#endif

static uint64_t first_seed, n_seeds;

static void expect_good(uint64_t first, uint64_t n)
{
    uint64_t failed = 0, first_failed = 0;

    printf("seeds %" PRIu64 " to %" PRIu64 "\n", first, first + n - 1);
    fflush(stdout);
    for (uint64_t i = 0; i < n; i++) {
        if (!random_run(first + i)) {
            first_failed = failed == 0 ? first + i : first_failed;
            failed++;
        }
    }
    random_summary();
    ck_assert_msg(failed == 0, "%" PRIu64 " of %" PRIu64 " seeds failed, first --seed %" PRIu64,
                  failed, n, first_failed);
}

START_TEST(given_seeds)
{
    expect_good(first_seed, n_seeds);
}
END_TEST

START_TEST(random_seeds)
{
    expect_good(first_seed + (uint64_t)_i * SEEDS_AT_ONCE, SEEDS_AT_ONCE);
}
END_TEST

START_TEST(random_moves)
{
    expect_good((first_seed | RANDOM_MOVES) + (uint64_t)_i * SEEDS_AT_ONCE, SEEDS_AT_ONCE);
}
END_TEST

static TCase *given_tcase(uint64_t seed, uint64_t n)
{
    TCase *tcase = tcase_create("random");

    first_seed = seed;
    n_seeds = n;
    tcase_set_timeout(tcase, 0);
    tcase_add_test(tcase, given_seeds);
    return tcase;
}

static TCase *random_tcase(void)
{
    TCase *tcase = tcase_create("random");

    tcase_add_loop_test(tcase, random_seeds, 0, TIMES_SEEDS);
    tcase_add_loop_test(tcase, random_moves, 0, TIMES_MOVES);
    return tcase;
}

int main(int argc, char **argv)
{
    Suite *suite = suite_create("sim");
    int result;

    first_seed = (uint64_t)time(NULL) << 20;
    if (argc == 3 && strcmp(argv[1], "--seed") == 0) {
        suite_add_tcase(suite, given_tcase(strtoull(argv[2], NULL, 10), 1));
        random_ladders(true);
    } else if (argc == 3 && strcmp(argv[1], "--seeds") == 0) {
        suite_add_tcase(suite, given_tcase(first_seed, strtoull(argv[2], NULL, 10)));
    } else if (argc == 3 && strcmp(argv[1], "--moves") == 0) {
        suite_add_tcase(suite, given_tcase(first_seed | RANDOM_MOVES, strtoull(argv[2], NULL, 10)));
    } else if (argc == 1) {
        suite_add_tcase(suite, scenarios_outcomes());
        suite_add_tcase(suite, scenarios_network());
        suite_add_tcase(suite, scenarios_established());
        suite_add_tcase(suite, scenarios_notify());
        suite_add_tcase(suite, scenarios_rekey());
        suite_add_tcase(suite, scenarios_resume());
        suite_add_tcase(suite, scenarios_faults());
        suite_add_tcase(suite, scenarios_moving());
        suite_add_tcase(suite, scenarios_networks());
        suite_add_tcase(suite, scenarios_crossing(first_seed));
        suite_add_tcase(suite, random_tcase());
    } else if (argc == 2 && strcmp(argv[1], "--list") == 0) {
        cases_list();
        srunner_free(srunner_create(suite));
        return EXIT_SUCCESS;
    } else if ((argc == 2 || argc == 3) && strcmp(argv[1], "--pairs") == 0) {
        suite_add_tcase(
            suite, scenarios_fault_pairs(argc == 3 ? strtoull(argv[2], NULL, 10) : 0, first_seed));
    } else {
        fprintf(stderr,
                "usage: %s [--seeds N | --moves N | --seed N | --pairs [SECONDS] | --list]\n",
                argv[0]);
        return EXIT_FAILURE;
    }
    printf("seed %" PRIu64 "\n", first_seed);
    fflush(stdout);
    (void)pki_get(); /* once, before the tests fork */
    result = run_suite(suite);
    pki_free();
    return result;
}
