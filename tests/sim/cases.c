/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/cases.h"

#define HIGH 0x80
#define HOLD_MS 200
#define SLEEP_US SECONDS(7200)

struct sim *case_connected(const struct rekey_case *row, uint64_t seed)
{
    struct setup setup = {.auth = row->other_auth ? row->auth : IKE_AUTH_PSK,
                          .gateway = row->gateway,
                          .ike = row->ike,
                          .esp = row->esp,
                          .child_lifetime_us = SECONDS(row->child_lifetime_s),
                          .ike_lifetime_us = SECONDS(row->ike_lifetime_s)};
    struct sim *sim;

    setup.gateway.auth = row->other_auth ? GATEWAY_AUTH_CERTIFICATE : GATEWAY_AUTH_PSK;
    sim = sim_new(&setup, seed);
    if (!sim_run(sim, sim_connected, SIM_START + SECONDS(2))) {
        sim_violation(sim, "it does not connect");
    }
    sim_run(sim, NULL, sim->now + 100000);
    return sim;
}

static int first_octet(enum lowest lowest, enum lowest which)
{
    return lowest == ANY ? GATEWAY_RANDOM : lowest == which ? 0 : HIGH;
}

static void delete_old(struct gateway *gateway)
{
    for (size_t i = 0; i < GATEWAY_CHILDREN_MAX; i++) {
        const struct gateway_child *child = &gateway->children[i];

        if (child->state == GATEWAY_CHILD_REPLACED) {
            gateway_add_todo(gateway, &(struct gateway_todo){.ask = GATEWAY_ASK_DELETE_CHILD,
                                                             .spi = child->spi_in,
                                                             .at = gateway->now});
        }
    }
    gateway_run_todo(gateway);
}

static void we_do(struct sim *sim, enum deed deed, enum lowest lowest)
{
    sim->nonce_first = first_octet(lowest, OUR_NI);
    if (deed == WE_REKEY_CHILD) {
        ike_rekey_child(sim->ike, 0, sim->now);
    } else if (deed == WE_REKEY_IKE) {
        ike_rekey(sim->ike, sim->now);
    } else {
        ike_disconnect(sim->ike, sim->now);
    }
    sim_pump(sim);
    sim->nonce_first = first_octet(lowest, OUR_NR);
}

static void carry_out(struct sim *sim, enum deed deed, enum lowest lowest)
{
    struct gateway *gateway = &sim->gateway;

    gateway->now = sim->now;
    switch (deed) {
    case NOTHING:
        break;
    case WE_REKEY_CHILD:
    case WE_REKEY_IKE:
    case WE_DISCONNECT:
        we_do(sim, deed, lowest);
        break;
    case IT_REKEYS_CHILD:
        gateway_rekey_child(gateway, sim->now);
        break;
    case IT_REKEYS_IKE:
        gateway_rekey_ike(gateway, sim->now);
        break;
    case IT_DELETES_CHILD:
        gateway_delete_child(gateway, sim->now);
        break;
    case IT_DELETES_OLD:
        delete_old(gateway);
        break;
    case IT_DELETES_IKE:
        gateway_delete_ike(gateway, sim->now);
        break;
    case IT_CHECKS:
        gateway_liveness(gateway, sim->now);
        break;
    case IT_LOSES_CHILD:
        gateway_children_free(gateway);
        break;
    case IT_RESTARTS:
        gateway_restart(gateway);
        break;
    case CUT:
    case HEAL:
        sim->network.faults.partition = deed == CUT;
        break;
    case WE_BEGIN_AGAIN:
        sim_again(sim);
        break;
    case WE_SLEEP:
        sim_sleep(sim, SLEEP_US);
        break;
    }
}

static enum maker child_maker(struct sim *sim)
{
    const struct gateway_child *child = gateway_child_in(&sim->gateway, sim->gateway.outbound);

    if (child == NULL) {
        return WHOEVER;
    }
    return child->ours ? ITS : sim->gateway.child_rekeys == 0 ? FIRST : OURS;
}

static enum maker sa_maker(const struct sim *sim)
{
    const struct gateway *gateway = &sim->gateway;

    return gateway->sa->ours ? ITS : gateway->ike_rekeys == 0 ? FIRST : OURS;
}

static bool responded(const struct sim *sim)
{
    return sim->gateway.responses > 0;
}

void case_hear(struct sim *sim)
{
    sim->gateway.responses = 0;
    /* It may be lost with the IKE SA that it was asked in. */
    for (unsigned i = 0; i < 3; i++) {
        gateway_liveness(&sim->gateway, sim->now);
        if (sim_run(sim, responded, sim->now + SECONDS(3)) || sim->down) {
            return;
        }
    }
    sim_violation(sim, "it does not answer in the IKE SA that is left");
}

/* It rests, stays so, and both sides hear each other in the IKE SA that is left. */
static void check_up(struct sim *sim, const struct rekey_case *row, uint64_t until)
{
    if (!sim_run(sim, sim_quiet, until)) {
        sim_require_quiet(sim);
        return;
    }
    if (row->child != WHOEVER && child_maker(sim) != row->child) {
        sim_violation(sim, "the wrong Child SA is left: %d", (int)child_maker(sim));
    }
    if (row->sa != WHOEVER && sa_maker(sim) != row->sa) {
        sim_violation(sim, "the wrong IKE SA is left: %d", (int)sa_maker(sim));
    }
    if (row->how != EITHER && sim_resumed(sim) != (row->how == BY_TICKET)) {
        sim_violation(sim, "it was authenticated %s",
                      row->how == BY_TICKET ? "in full" : "by a ticket");
    }
    if (row->child_lifetime_s == 0 && row->ike_lifetime_s == 0) {
        sim_run(sim, NULL, sim->now + SECONDS(1));
        sim_require_quiet(sim);
    }
    case_hear(sim);
}

static void check_ended(struct sim *sim, const struct rekey_case *row, uint64_t until)
{
    if (!sim_run(sim, sim_ended, until)) {
        sim_violation(sim, "it does not end");
    } else if (sim->reason != row->ends) {
        sim_violation(sim, "it ends with %s", reason_name(sim->reason));
    }
}

void case_start(struct sim *sim, const struct rekey_case *row)
{
    struct faults *faults = &sim->network.faults;
    uint64_t began = sim->now;

    faults->lose_to_gateway = row->lose_up << sim->network.sent_to_gateway;
    faults->lose_to_client = row->lose_down << sim->network.sent_to_client;
    faults->hold_to_gateway = row->hold_up << sim->network.sent_to_gateway;
    faults->hold_to_client = row->hold_down << sim->network.sent_to_client;
    faults->duplicate_to_gateway = row->duplicate_up << sim->network.sent_to_gateway;
    faults->duplicate_to_client = row->duplicate_down << sim->network.sent_to_client;
    faults->corrupt_to_gateway = row->corrupt_up << sim->network.sent_to_gateway;
    faults->corrupt_to_client = row->corrupt_down << sim->network.sent_to_client;
    faults->hold_us = (row->hold_ms > 0 ? row->hold_ms : HOLD_MS) * UINT64_C(1000);
    sim->gateway.nonce_i = first_octet(row->lowest, ITS_NI);
    sim->gateway.nonce_r = first_octet(row->lowest, ITS_NR);
    sim->nonce_first = first_octet(row->lowest, OUR_NR);
    if (!row->no_traffic) {
        sim_traffic(sim, row->mark_ms > 0 ? row->mark_ms * UINT64_C(1000) : 1000);
    }
    sim_note(sim, "---- %s", row->name);
    for (size_t i = 0; i < DEEDS_MAX && row->deeds[i].deed != NOTHING; i++) {
        sim_run(sim, NULL, began + row->deeds[i].at_ms * UINT64_C(1000));
        if (sim->down && row->deeds[i].deed < CUT) {
            continue;
        }
        carry_out(sim, row->deeds[i].deed, row->lowest);
    }
}

void case_play(struct sim *sim, const struct rekey_case *row)
{
    case_start(sim, row);
    sim_run(sim, sim_ended,
            sim->now + 100000 + sim->network.faults.hold_us + SECONDS(row->after_s));
    if (!row->no_traffic) {
        sim_traffic(sim, 20000);
    }
}

void case_run(struct sim *sim, const struct rekey_case *row)
{
    uint64_t until = sim->now + SECONDS(row->within_s > 0 ? row->within_s : 10);

    case_play(sim, row);
    if (row->ends == REASON_NONE) {
        check_up(sim, row, until);
    } else {
        check_ended(sim, row, until);
    }
    if (sim->reauths != row->reauths) {
        sim_violation(sim, "another IKE SA is asked for %u times", sim->reauths);
    }
}
