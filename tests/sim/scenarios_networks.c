/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>

#include "sim/scenarios.h"
#include "sim/sim.h"

/*
 * A gateway that makes a Child SA for each network (RFC 7296 2.9): whatever is rekeyed, deleted and
 * lost, in the end there is one for each, on both sides.
 */

#define NETWORKS 3
#define SEEDS 60 /* of each test */
#define DEEDS 12
#define REST_WITHIN SECONDS(250)

static unsigned of_network(const struct sim *sim, uint8_t network)
{
    unsigned n = 0;

    for (size_t i = 0; i < GATEWAY_CHILDREN_MAX; i++) {
        const struct gateway_child *child = &sim->gateway.children[i];

        n += child->state == GATEWAY_CHILD_UP && child->network == network;
    }
    return n;
}

/* Both sides have the same, none twice. */
static bool same(const struct sim *sim)
{
    bool good = !gateway_busy(&sim->gateway) && gateway_live_sas(&sim->gateway) == 1 &&
                gateway_live_children(&sim->gateway) == sim->n_child_up - sim->n_child_down;

    for (uint8_t network = 1; network <= NETWORKS; network++) {
        good = good && of_network(sim, network) <= 1;
    }
    for (guint i = 0; i < sim->children->len; i++) {
        const struct sim_child *child = &g_array_index(sim->children, struct sim_child, i);

        good = good && (child->down || child->compared);
    }
    return good;
}

static bool rests(const struct sim *sim)
{
    return same(sim) && gateway_live_children(&sim->gateway) == NETWORKS;
}

/* What the gateway has deleted as soon as it was made is not made again. */
static bool rests_with_less(const struct sim *sim)
{
    return sim->down || same(sim);
}

/* One of the live ones, of either side. */
static uint32_t any_child(struct sim *sim, bool of_gateway)
{
    unsigned from = sim_below(&sim->random, GATEWAY_CHILDREN_MAX);

    for (size_t i = 0; i < GATEWAY_CHILDREN_MAX; i++) {
        const struct gateway_child *child =
            &sim->gateway.children[(from + i) % GATEWAY_CHILDREN_MAX];

        if (child->state == GATEWAY_CHILD_UP) {
            return of_gateway ? child->spi_in : child->spi_out;
        }
    }
    return 0;
}

static void ask(struct sim *sim, enum gateway_ask what)
{
    const struct gateway_todo todo = {.ask = what, .spi = any_child(sim, true), .at = sim->now};

    sim->gateway.now = sim->now;
    gateway_add_todo(&sim->gateway, &todo);
    gateway_run_todo(&sim->gateway);
}

static void deed(struct sim *sim, bool deletes)
{
    switch (sim_below(&sim->random, deletes ? 6 : 5)) {
    case 0:
        ike_rekey(sim->ike, sim->now);
        break;
    case 1:
        gateway_rekey_ike(&sim->gateway, sim->now);
        break;
    case 2:
    case 3:
        ike_rekey_child(sim->ike, any_child(sim, false), sim->now);
        break;
    case 4:
        ask(sim, GATEWAY_ASK_REKEY_CHILD);
        break;
    default:
        ask(sim, GATEWAY_ASK_DELETE_CHILD);
        break;
    }
    sim_pump(sim);
}

static void run(uint64_t seed, bool losses, bool deletes, bool childless)
{
    struct setup setup = {.networks = NETWORKS,
                          .auth = IKE_AUTH_PSK,
                          .childless = childless,
                          .gateway = {.auth = GATEWAY_AUTH_PSK,
                                      .childless = true,
                                      .per_network = true,
                                      .asks_pfs = (seed & 1) != 0}};
    struct faults none = {0};
    struct sim *sim = sim_new(&setup, seed);

    ck_assert_msg(sim_run(sim, sim_connected, SIM_START + SECONDS(5)), "%s", sim->ladder->str);
    ck_assert_uint_eq(sim->n_child_up, NETWORKS);
    ck_assert(sim_run(sim, rests, sim->now + SECONDS(1)));
    /* What is deleted is not new any more. */
    sim_run(sim, NULL, sim->now + SECONDS(15));
    sim->network.faults.lose = losses ? 150 : 0;
    sim->network.faults.delay_max_us = 1 + sim_below(&sim->random, 400000);
    for (unsigned i = 0; i < DEEDS && !sim->down; i++) {
        deed(sim, deletes);
        sim_run(sim, sim_ended, sim->now + sim_below(&sim->random, i % 2 == 0 ? 30000 : 4000000));
    }
    sim->network.faults = none;
    sim_run(sim, NULL, sim->now + SECONDS(1));
    if (!sim_run(sim, deletes ? rests_with_less : rests, sim->now + REST_WITHIN) ||
        (sim->down && sim->reason != REASON_GATEWAY_CLOSED)) {
        sim_violation(sim, "no rest: %u Child SAs here, %u at the gateway",
                      sim->n_child_up - sim->n_child_down, gateway_live_children(&sim->gateway));
    }
    if (sim->violations->len > 0) {
        fprintf(stderr, "%s", sim->ladder->str); /* too long for Check */
    }
    ck_assert_msg(sim->violations->len == 0, "seed %u: %s", (unsigned)seed, sim->violations->str);
    sim_free(sim);
}

START_TEST(each_network_keeps_its_child_sa)
{
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        run(seed + (uint64_t)_i * SEEDS, (_i & 1) != 0, (_i & 2) != 0, (_i & 4) != 0);
    }
}
END_TEST

TCase *scenarios_networks(void)
{
    TCase *tcase = tcase_create("networks");

    tcase_add_loop_test(tcase, each_network_keeps_its_child_sa, 0, 8);
    return tcase;
}
