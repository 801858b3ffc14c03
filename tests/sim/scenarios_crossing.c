/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>

#include "sim/cases.h"
#include "sim/scenarios.h"

/*
 * Crossing streams: one thing that we do and one that the gateway does, at every distance in time
 * that makes a difference, with each datagram lost or late, whichever nonce is the lowest. Nothing
 * is expected but what always holds: it comes to rest, or ends.
 */

#define DISTANCE_MS 13 /* more than a round trip, either way */
#define DATAGRAMS 4    /* of either side that may be lost or late */
#define REST_WITHIN SECONDS(140)

static const enum deed ours[] = {WE_REKEY_CHILD, WE_REKEY_IKE, WE_DISCONNECT};
static const enum deed its[] = {IT_REKEYS_CHILD, IT_REKEYS_IKE, IT_DELETES_CHILD, IT_DELETES_IKE,
                                IT_CHECKS};
static const enum lowest lowests[] = {OUR_NI, OUR_NR, ITS_NI, ITS_NR};

#define PAIRS (G_N_ELEMENTS(ours) * G_N_ELEMENTS(its))
/* no datagram; each one of either side lost; each one late */
#define FATES (1 + 4 * DATAGRAMS)

/* With sanitizers, which make it slow, every third distance. */
#ifdef __SANITIZE_ADDRESS__
#define STEP_MS 3
#else
#define STEP_MS 1
#endif

static uint64_t seconds_seed; /* of the second fates */

static bool rests_or_ended(const struct sim *sim)
{
    return sim->down || sim_quiet(sim);
}

static void set_fate(struct rekey_case *row, unsigned fate)
{
    uint64_t *const masks[] = {&row->lose_up, &row->lose_down, &row->hold_up, &row->hold_down};

    if (fate > 0) {
        *masks[(fate - 1) / DATAGRAMS] |= BIT((fate - 1) % DATAGRAMS);
    }
}

static bool may_end(const struct rekey_case *row)
{
    for (size_t i = 0; i < DEEDS_MAX; i++) {
        if (row->deeds[i].deed == WE_DISCONNECT || row->deeds[i].deed == IT_DELETES_CHILD ||
            row->deeds[i].deed == IT_DELETES_IKE) {
            return true;
        }
    }
    return false;
}

static void cross(const struct rekey_case *row, int distance, unsigned fate, unsigned second)
{
    struct sim *sim = case_connected(row, 1);

    case_play(sim, row);
    if (!sim_run(sim, rests_or_ended, sim->now + REST_WITHIN)) {
        sim_require_quiet(sim);
    }
    if (sim->down && !may_end(row)) {
        sim_violation(sim, "it ends");
    }
    if (!sim->down) {
        case_hear(sim);
    }
    if (sim->violations->len > 0) {
        fprintf(stderr, "%s", sim->ladder->str); /* too long for Check */
    }
    ck_assert_msg(sim->violations->len == 0, "%d ms, fates %u and %u, lowest %d: %s", distance,
                  fate, second, (int)row->lowest, sim->violations->str);
    sim_free(sim);
}

START_TEST(crossing_streams)
{
    enum deed our_deed = ours[(size_t)_i / G_N_ELEMENTS(its)];
    enum deed its_deed = its[(size_t)_i % G_N_ELEMENTS(its)];
    struct sim_random random = {.state = seconds_seed + (uint64_t)_i};

    for (int distance = -DISTANCE_MS; distance <= DISTANCE_MS; distance += STEP_MS) {
        for (unsigned fate = 0; fate < FATES; fate++) {
            /* Two fates at once as well: each run of the tests has others. */
            unsigned second = sim_below(&random, FATES);
            struct rekey_case row = {
                .name = "crossing streams",
                .deeds = {{our_deed, 0}, {its_deed, (unsigned)distance}},
                .lowest = lowests[((unsigned)(distance + DISTANCE_MS) + fate) % 4],
                .hold_ms = 20,
                /* The Child SA goes without a successor. */
                .no_traffic = its_deed == IT_DELETES_CHILD,
            };

            if (distance < 0) {
                row.deeds[0].deed = its_deed;
                row.deeds[1].deed = our_deed;
                row.deeds[1].at_ms = (unsigned)-distance;
            }
            set_fate(&row, fate);
            cross(&row, distance, fate, 0);
            set_fate(&row, second);
            cross(&row, distance, fate, second);
        }
    }
}
END_TEST

TCase *scenarios_crossing(uint64_t seed)
{
    TCase *tcase = tcase_create("crossing");

    seconds_seed = seed;
    tcase_add_loop_test(tcase, crossing_streams, 0, PAIRS);
    return tcase;
}
