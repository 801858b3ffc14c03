/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/scenarios.h"
#include "sim/sim.h"

/* Moving (RFC 4555), with ESP flowing each millisecond and 10 ms from question to answer. */

#define RTT_MS 10
#define STEPS_MAX 6
#define MS(n) ((uint64_t)(n)*1000)

enum move {
    STAY = 0,
    LOCALS,   /* our addresses: a mask of places.h */
    GATEWAYS, /* its own */
    BLOCK,    /* the pair: client * 16 + gateway */
    UNBLOCK,
    REBIND,
    LOSE,  /* our next message */
    SLEEP, /* seconds; it is told when it wakes up */
    NAP,   /* seconds; only the clock tells */
    WE_REKEY,
    IT_REKEYS,
    IT_REKEYS_IKE,
    TELL, /* it names its addresses from that one */
    CHANGED,
};

#define A 1U
#define B 2U
#define C 4U
#define SIX 8U

#define EVERYWHERE                                                                                 \
    {                                                                                              \
        "198.51.100.1", "198.51.100.2", "2001:db8:2::1"                                            \
    }

static const struct move_case {
    const char *name;
    struct gateway_config gateway;
    bool nat;
    unsigned nat_timeout_s;
    struct {
        enum move move;
        unsigned value, after_ms;
    } steps[STEPS_MAX];
    unsigned outage_ms;          /* at most, after the last step; 0 = it does not come to that */
    unsigned client, gateway_at; /* where it is in the end: number of the address */
    unsigned losses;             /* IKE_EVENT_PATH_LOST */
    enum reason ends;
} moves[] = {
    {"the address is replaced",
     {.mobike = true},
     .steps = {{LOCALS, B}},
     .outage_ms = RTT_MS + 2,
     .client = 1},
    {"behind another NAT",
     {.mobike = true},
     .nat = true,
     .steps = {{LOCALS, C}},
     .outage_ms = RTT_MS + 2,
     .client = 2},
    {"the gateway checks the address first",
     {.mobike = true, .checks_routability = true},
     .steps = {{LOCALS, B}},
     .outage_ms = 2 * RTT_MS + 2,
     .client = 1},
    {"a better address comes: nothing is lost",
     {.mobike = true},
     .steps = {{LOCALS, B}, {LOCALS, A | B, 1000}},
     .outage_ms = RTT_MS + 2,
     .client = 0},
    {"a worse one comes and goes",
     {.mobike = true},
     .steps = {{LOCALS, A | B}, {LOCALS, A, 200}},
     .outage_ms = RTT_MS + 2,
     .client = 0},
    {"a better one that does not work",
     {.mobike = true},
     .steps = {{LOCALS, B}, {BLOCK, 0, 500}, {LOCALS, A | B, 100}},
     .outage_ms = RTT_MS + 2,
     .client = 1},
    {"a better one that works after a while",
     {.mobike = true},
     .steps =
         {{LOCALS, B}, {BLOCK, 0, 500}, {LOCALS, A | B, 100}, {UNBLOCK, 0, 5000}, {STAY, 0, 40000}},
     .outage_ms = RTT_MS + 2,
     .client = 0},
    {"a better one that vanishes at once",
     {.mobike = true},
     .steps = {{LOCALS, B}, {LOCALS, A | B, 500}, {LOCALS, B, 3}},
     .outage_ms = 2 * RTT_MS + 2,
     .client = 1},
    {"the address in use dies silently",
     {.mobike = true},
     .steps = {{LOCALS, A | B}, {BLOCK, 0, 500}, {CHANGED, 0, 10}},
     .outage_ms = 1000,
     .client = 1},
    {"nobody says that it has died",
     {.mobike = true},
     .steps = {{LOCALS, A | B}, {BLOCK, 0, 500}},
     .outage_ms = 7000,
     .client = 1},
    {"to IPv6",
     {.mobike = true, .addresses = EVERYWHERE},
     .steps = {{GATEWAYS, 7}, {LOCALS, SIX, 100}},
     .outage_ms = 2 * RTT_MS + 2,
     .client = 3,
     .gateway_at = 2},
    {"and back",
     {.mobike = true, .addresses = EVERYWHERE},
     .steps = {{GATEWAYS, 7}, {LOCALS, SIX, 100}, {LOCALS, A, 500}},
     .outage_ms = RTT_MS + 2,
     .client = 0},
    {"offline for two minutes",
     {.mobike = true},
     .steps = {{LOCALS, 0}, {LOCALS, B, 120000}},
     .outage_ms = RTT_MS + 2,
     .client = 1},
    {"an update is answered while it is offline, and the NAT forgets it",
     {.mobike = true},
     .nat = true,
     .steps = {{LOCALS, C}, {LOCALS, 0, 3}, {REBIND}, {LOCALS, C, 1000}},
     .outage_ms = 2 * RTT_MS + 2,
     .client = 2},
    {"the gateway's first address dies",
     {.mobike = true, .addresses = EVERYWHERE},
     .steps = {{GATEWAYS, 2}},
     .outage_ms = 7000,
     .client = 0,
     .gateway_at = 1},
    {"and it says so from its second",
     {.mobike = true, .addresses = {"198.51.100.2"}},
     .steps = {{GATEWAYS, 3}, {GATEWAYS, 2, 10}, {TELL, 1, 10}},
     .outage_ms = 4 * RTT_MS,
     .client = 0,
     .gateway_at = 1},
    {"both sides move at once",
     {.mobike = true, .addresses = EVERYWHERE},
     .steps = {{GATEWAYS, 2}, {LOCALS, B}},
     .outage_ms = 1000,
     .client = 1,
     .gateway_at = 1},
    {"while we rekey",
     {.mobike = true},
     .steps = {{WE_REKEY}, {LOCALS, B, 3}},
     .outage_ms = 2 * RTT_MS + 4,
     .client = 1},
    {"while the gateway rekeys",
     {.mobike = true},
     .steps = {{IT_REKEYS}, {LOCALS, B, 3}},
     .outage_ms = 2 * RTT_MS + 4,
     .client = 1},
    {"and both",
     {.mobike = true},
     .steps = {{WE_REKEY}, {IT_REKEYS}, {LOCALS, B, 3}},
     .outage_ms = 3 * RTT_MS,
     .client = 1},
    {"while the gateway rekeys the IKE SA",
     {.mobike = true},
     .steps = {{IT_REKEYS_IKE}, {LOCALS, B, 3}},
     .outage_ms = 2 * RTT_MS + 4,
     .client = 1},
    {"when our answer to that is lost",
     {.mobike = true},
     .steps = {{IT_REKEYS_IKE}, {LOSE}, {LOCALS, B, 10}},
     .outage_ms = 2000,
     .client = 1},
    {"refused once",
     {.mobike = true, .refuse_update = {0, N_UNACCEPTABLE_ADDRESSES}},
     .steps = {{LOCALS, B}, {LOCALS, A | C, 500}},
     .outage_ms = 2 * RTT_MS + 2,
     .client = 2},
    {"NAT is forgotten", {.mobike = true}, .nat = true, .steps = {{REBIND}}, .outage_ms = 3100},
    {"NAT is forgotten, and a change is told",
     {.mobike = true},
     .nat = true,
     .steps = {{REBIND}, {CHANGED}},
     .outage_ms = RTT_MS + 2},
    {"sleeps", {.mobike = true}, .nat = true, .steps = {{SLEEP, 200}}, .outage_ms = RTT_MS + 2},
    {"naps",
     {.mobike = true},
     .nat = true,
     .nat_timeout_s = 60,
     .steps = {{NAP, 200}},
     .outage_ms = RTT_MS + 2},
    {"wakes up elsewhere",
     {.mobike = true},
     .steps = {{SLEEP, 0}, {LOCALS, B}},
     .outage_ms = 2 * RTT_MS + 2,
     .client = 1},
    {"a wrong cookie",
     {.mobike = true, .cookie2 = GATEWAY_COOKIE2_WRONG},
     .steps = {{LOCALS, B}},
     .ends = REASON_PROTOCOL},
    {"no cookie",
     {.mobike = true, .cookie2 = GATEWAY_COOKIE2_MISSING},
     .steps = {{LOCALS, B}},
     .ends = REASON_PROTOCOL},
    {"without MOBIKE", {0}, .steps = {{LOCALS, B}}, .losses = 1},
};

static void step(struct sim *sim, enum move move, unsigned value)
{
    struct places *places = &sim->network.places;
    struct addr addr;

    switch (move) {
    case STAY:
        break;
    case LOCALS:
        sim_locals(sim, value);
        break;
    case GATEWAYS:
        for (unsigned i = 0; i < PLACES_GATEWAYS; i++) {
            places->gateway_up[i] = (value >> i & 1) != 0;
        }
        break;
    case BLOCK:
    case UNBLOCK:
        places->blocked[value / 16][value % 16] = move == BLOCK;
        break;
    case REBIND:
        places_rebind(places);
        break;
    case LOSE:
        sim->network.faults.lose_to_gateway |= UINT64_C(1) << sim->network.sent_to_gateway;
        break;
    case SLEEP:
    case NAP:
        sim_traffic(sim, SECONDS(1));
        sim_nap(sim, SECONDS(value), move == SLEEP);
        sim_traffic(sim, MS(1));
        break;
    case WE_REKEY:
        ike_rekey(sim->ike, sim->now);
        break;
    case IT_REKEYS:
        gateway_rekey_child(&sim->gateway, sim->now);
        break;
    case IT_REKEYS_IKE:
        gateway_rekey_ike(&sim->gateway, sim->now);
        break;
    case TELL:
        addr = places_addr(places_gateways[value]);
        gateway_tell_addresses(&sim->gateway, &addr, 1, sim->now);
        break;
    case CHANGED:
        ike_network_changed(sim->ike, sim->now);
        break;
    }
    sim_pump(sim);
}

static void check_good(const struct sim *sim)
{
    ck_assert_msg(sim->violations->len == 0, "%s%s", sim->ladder->str, sim->violations->str);
}

/* Until what was sent after this moment comes through both ways: milliseconds. */
static unsigned outage(struct sim *sim, unsigned limit_ms)
{
    uint64_t began = sim->now;

    /* what is under way already does not count */
    while (!sim_heard_since(sim, began + MS(RTT_MS / 2)) && sim->now < began + MS(limit_ms)) {
        sim_run(sim, NULL, sim->now + MS(1));
    }
    return (unsigned)((sim->now - began) / 1000);
}

static void check_place(const struct sim *sim, const struct move_case *row)
{
    struct addr client = places_addr(places_clients[row->client]);
    struct addr gateway = places_addr(places_gateways[row->gateway_at]);

    ck_assert_msg(addr_equal(&sim->esp_path.local.addr, &client) &&
                      addr_equal(&sim->esp_path.remote.addr, &gateway),
                  "the wrong place\n%s", sim->ladder->str);
}

START_TEST(moves_one_by_one)
{
    const struct move_case *row = &moves[_i];
    struct setup setup = {.auth = IKE_AUTH_PSK,
                          .gateway = row->gateway,
                          .mobike = true,
                          .moving = true,
                          .nat = row->nat,
                          .nat_timeout_us = SECONDS(row->nat_timeout_s)};
    struct sim *sim;

    setup.gateway.auth = GATEWAY_AUTH_PSK;
    sim = sim_new(&setup, 1);
    sim_note(sim, "---- %s", row->name);
    sim_locals(sim, A);
    ck_assert_msg(sim_run(sim, sim_connected, SIM_START + SECONDS(2)), "%s", sim->ladder->str);
    sim_run(sim, NULL, sim->now + MS(100));
    sim_traffic(sim, MS(1));
    sim_run(sim, NULL, sim->now + MS(50));
    for (size_t i = 0; i < STEPS_MAX; i++) {
        sim_run(sim, NULL, sim->now + MS(row->steps[i].after_ms));
        step(sim, row->steps[i].move, row->steps[i].value);
    }
    if (row->outage_ms > 0) {
        unsigned took = outage(sim, row->outage_ms + 1);

        ck_assert_msg(took <= row->outage_ms, "%u ms\n%s", took, sim->ladder->str);
        sim_traffic(sim, MS(20));
        ck_assert_msg(sim_run(sim, sim_flows, sim->now + SECONDS(20)), "%s", sim->ladder->str);
        sim_run(sim, NULL, sim->now + SECONDS(2));
        sim_require_flow(sim);
        check_place(sim, row);
    } else {
        sim_run(sim, sim_ended, sim->now + SECONDS(1));
    }
    ck_assert_msg(sim->path_losses == row->losses, "lost %u times\n%s", sim->path_losses,
                  sim->ladder->str);
    ck_assert_msg(sim->reason == row->ends, "%s", sim->ladder->str);
    check_good(sim);
    sim_free(sim);
}
END_TEST

/* A tenth of all messages is lost each way, and there is another way: as long as ESP comes in, the
 * tunnel stays where it is (but for five losses in a row). */
START_TEST(loss_moves_nothing)
{
    const struct setup setup = {.auth = IKE_AUTH_PSK,
                                .gateway = {.auth = GATEWAY_AUTH_PSK, .mobike = true},
                                .mobike = true,
                                .moving = true};
    struct sim *sim = sim_new(&setup, 1);
    struct path before;
    unsigned n = 0;

    sim_locals(sim, A | B);
    ck_assert_msg(sim_run(sim, sim_connected, SIM_START + SECONDS(2)), "%s", sim->ladder->str);
    sim_traffic(sim, MS(20));
    sim->network.faults.lose = 100;
    sim->network.faults.delay_min_us = MS(3);
    sim->network.faults.delay_max_us = MS(8);
    for (unsigned i = 0; i < 250; i++) {
        before = sim->esp_path;
        step(sim, CHANGED, 0);
        sim_run(sim, NULL, sim->now + SECONDS(3));
        n += !addr_equal(&before.local.addr, &sim->esp_path.local.addr);
    }
    ck_assert_uint_le(n, 2);
    check_good(sim);
    sim_free(sim);
}
END_TEST

TCase *scenarios_moving(void)
{
    TCase *tcase = tcase_create("moving");

    tcase_add_test(tcase, loss_moves_nothing);

    tcase_add_loop_test(tcase, moves_one_by_one, 0, G_N_ELEMENTS(moves));
    return tcase;
}
