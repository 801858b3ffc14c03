/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/sim.h"

/*
 * The Child SAs as the engine announces them beside those of the gateway, and marks that both sides
 * send along theirs as they would send ESP: wherever one arrives there has to be an SA for it.
 */

/* As long as the engine waits for a sign that the gateway can receive (RFC 7296 2.8). */
#define HOLD_US SECONDS(5)
#define ON_THE_WAY_US SECONDS(1)

static struct sim_child *find(const struct sim *sim, uint32_t spi_in)
{
    for (guint i = 0; i < sim->children->len; i++) {
        struct sim_child *child = &g_array_index(sim->children, struct sim_child, i);

        if (child->spi_in == spi_in) {
            return child;
        }
    }
    return NULL;
}

/* Or not begun yet. */
static bool ending(const struct sim *sim)
{
    return sim->down || (sim->phases & 1U << IKE_PHASE_DISCONNECTING) != 0 ||
           (sim->phases & 1U << IKE_PHASE_ESTABLISHED) == 0 || sim->gateway.phase != GATEWAY_UP;
}

/* ---- events ---- */

/* From now on; it takes the place of the one whose reqid it has. */
static void send_along(struct sim *sim, struct sim_child *child)
{
    for (guint i = 0; i < sim->children->len; i++) {
        struct sim_child *other = &g_array_index(sim->children, struct sim_child, i);

        other->replaced = other->replaced || (other->out && other->reqid == child->reqid);
    }
    child->out = true;
    sim->outbound = child->spi_in;
}

static void child_up(struct sim *sim, const struct ike_event *event)
{
    const struct ike_child *child = event->child;
    struct sim_child copy = {.spi_in = child->spi_in,
                             .spi_out = child->spi_out,
                             .suite = child->suite,
                             .reqid = child->reqid};

    sim_note(sim, "    child up: spi in %08x, out %08x%s", child->spi_in, child->spi_out,
             event->held ? ", held" : "");
    if (find(sim, child->spi_in) != NULL) {
        sim_violation(sim, "an SPI is used twice");
    }
    if (child->local_ts.n == 0 || child->remote_ts.n == 0) {
        sim_violation(sim, "a Child SA without selectors");
    }
    sim_require(secret_set(&copy.out_encr, secret_bytes(&child->out_encr)) &&
                    secret_set(&copy.out_integ, secret_bytes(&child->out_integ)) &&
                    secret_set(&copy.in_encr, secret_bytes(&child->in_encr)) &&
                    secret_set(&copy.in_integ, secret_bytes(&child->in_integ)),
                "memory");
    if (copy.out_encr.len == 0) {
        sim_violation(sim, "a Child SA without keys");
    }
    g_array_append_val(sim->children, copy);
    if (!event->held) {
        send_along(sim, find(sim, child->spi_in));
    }
}

static void child_out(struct sim *sim, const struct ike_event *event)
{
    struct sim_child *child = find(sim, event->child->spi_in);

    sim_note(sim, "    child out: spi in %08x", event->child->spi_in);
    if (child == NULL || child->down) {
        sim_violation(sim, "it is to send along a Child SA that is not there");
    } else if (child->out) {
        sim_violation(sim, "the outbound half is announced twice");
    } else {
        send_along(sim, child);
    }
}

/* The latest of those that are left: there may be several, for different traffic. */
static void choose_outbound(struct sim *sim)
{
    sim->outbound = 0;
    for (guint i = 0; i < sim->children->len; i++) {
        const struct sim_child *child = &g_array_index(sim->children, struct sim_child, i);

        if (child->out && !child->replaced && !child->down && !child->lost) {
            sim->outbound = child->spi_in;
        }
    }
}

static void child_down(struct sim *sim, const struct ike_event *event)
{
    struct sim_child *child = find(sim, event->spi_in);

    sim_note(sim, "    child down: spi in %08x", event->spi_in);
    if (child == NULL || child->down) {
        sim_violation(sim, "a Child SA goes that was not there");
        return;
    }
    child->down = true;
    if (sim->outbound == child->spi_in) {
        choose_outbound(sim);
    }
}

void traffic_event(struct sim *sim, const struct ike_event *event)
{
    if (event->type == IKE_EVENT_CHILD_UP) {
        child_up(sim, event);
    } else if (event->type == IKE_EVENT_CHILD_OUT) {
        child_out(sim, event);
    } else {
        child_down(sim, event);
    }
}

void traffic_free(struct sim *sim)
{
    for (guint i = 0; i < sim->children->len; i++) {
        struct sim_child *child = &g_array_index(sim->children, struct sim_child, i);

        secret_free(&child->out_encr);
        secret_free(&child->out_integ);
        secret_free(&child->in_encr);
        secret_free(&child->in_integ);
    }
    g_array_unref(sim->children);
}

/* ---- both sides' keys ---- */

static bool same(const struct secret *a, const struct secret *b)
{
    return secret_equal(secret_bytes(a), secret_bytes(b));
}

static void compare(struct sim *sim, struct sim_child *child, const struct gateway_child *other)
{
    const struct child_keys *keys = &other->keys;
    /* RFC 7296 2.17: the initiator of the exchange sends with the first keys. */
    const struct secret *our_encr = other->ours ? &keys->encr_r : &keys->encr_i;
    const struct secret *our_integ = other->ours ? &keys->integ_r : &keys->integ_i;
    const struct secret *its_encr = other->ours ? &keys->encr_i : &keys->encr_r;
    const struct secret *its_integ = other->ours ? &keys->integ_i : &keys->integ_r;

    child->compared = true;
    if (child->spi_in != other->spi_out) {
        sim_violation(sim, "the SPIs differ");
    }
    if (!same(&child->out_encr, our_encr) || !same(&child->in_encr, its_encr) ||
        !same(&child->out_integ, our_integ) || !same(&child->in_integ, its_integ)) {
        sim_violation(sim, "the keys of the Child SA differ");
    }
    if (child->suite.encr != other->suite.encr || child->suite.integ != other->suite.integ ||
        child->suite.esn != other->suite.esn) {
        sim_violation(sim, "the algorithms of the Child SA differ");
    }
}

static void compare_all(struct sim *sim)
{
    for (guint i = 0; i < sim->children->len; i++) {
        struct sim_child *child = &g_array_index(sim->children, struct sim_child, i);
        const struct gateway_child *other = gateway_child_in(&sim->gateway, child->spi_out);

        if (!child->compared && other != NULL) {
            compare(sim, child, other);
        }
    }
}

/* ---- marks ---- */

/* One that both sides have, other than that. */
static bool better(const struct sim *sim, uint32_t spi_out)
{
    for (guint i = 0; i < sim->children->len; i++) {
        const struct sim_child *child = &g_array_index(sim->children, struct sim_child, i);

        if (!child->down && child->compared && child->spi_out != spi_out) {
            return true;
        }
    }
    return false;
}

static void arrived_at_gateway(struct sim *sim, uint32_t spi)
{
    struct gateway *gateway = &sim->gateway;

    if (gateway_child_in(gateway, spi) != NULL || !better(sim, spi) ||
        gateway_deleted_wantonly(gateway, spi)) {
        return;
    }
    /* It was on its way already when there was nothing better. */
    if (sim->now < sim->up_at + ON_THE_WAY_US) {
        return;
    }
    /* Who has waited for the gateway's word long enough goes on without it. */
    if (gateway->attempt.spi == spi && gateway->sa->request != NULL &&
        sim->now - gateway->sa->request_began >= HOLD_US) {
        return;
    }
    sim_violation(sim, "ESP %08x comes to a gateway that has no such SA", spi);
}

/* Whether the gateway still has what this one was made to replace. */
static bool has_another(struct sim *sim, const struct gateway_child *child)
{
    const struct gateway_child *before = gateway_child_in(&sim->gateway, child->replaces);

    return before != NULL && before->state != GATEWAY_CHILD_LINGERING;
}

static void arrived_here(struct sim *sim, uint32_t spi)
{
    const struct sim_child *child = find(sim, spi);
    const struct gateway_child *other = gateway_child_out(&sim->gateway, spi);

    if (child == NULL) {
        other = gateway_child_sent(&sim->gateway, spi);
        /* Of what an engine has given up that is no more. */
        if (sim->again && other == NULL && sim->now < sim->up_at + ON_THE_WAY_US) {
            return;
        }
        if (other != NULL && !has_another(sim, other)) {
            return;
        }
        /* Who sends before its answer has arrived takes the risk (RFC 7296 2.8); and so does who
         * has nothing else to send along. */
        if (!sim->gateway.config.eager && !sim->gateway.config.wide_ts &&
            (other == NULL || other->replaces != 0)) {
            sim_violation(sim, "ESP %08x comes to us, and there never was such an SA", spi);
        }
    } else if (child->down && !child->lost &&
               !gateway_deleted_wantonly(&sim->gateway, child->spi_out) &&
               gateway_live_children(&sim->gateway) > 0) {
        sim_violation(sim, "ESP %08x comes to us, and the SA has gone already", spi);
    }
    ike_child_received(sim->ike, spi, sim->now);
}

void traffic_arrived(struct sim *sim, const struct datagram *datagram)
{
    sim->marks++;
    *(datagram->to_gateway ? &sim->marks_up_at : &sim->marks_down_at) = sim->now;
    if (sim->down) {
        return;
    }
    if (!datagram->to_gateway) {
        ike_received_traffic(sim->ike, sim->now);
    }
    if (datagram->to_gateway && gateway_child_in(&sim->gateway, datagram->spi) == NULL) {
        gateway_esp(&sim->gateway, datagram->spi, sim->now);
    }
    if (ending(sim)) {
        return;
    }
    if (datagram->to_gateway) {
        arrived_at_gateway(sim, datagram->spi);
    } else {
        arrived_here(sim, datagram->spi);
    }
}

static void send_marks(struct sim *sim)
{
    struct gateway *gateway = &sim->gateway;
    const struct gateway_child *its = gateway_child_in(gateway, gateway->outbound);
    const struct sim_child *ours = find(sim, sim->outbound);

    if (sim->down) {
        return;
    }
    if (ours != NULL && !sim->asleep) {
        network_send_mark(&sim->network, &sim->random, true, &sim->esp_path, ours->spi_out,
                          sim->now);
        ike_sent_traffic(sim->ike, sim->now);
    } else if (!sim->asleep && !ending(sim) && its != NULL && its->state == GATEWAY_CHILD_UP &&
               find(sim, its->spi_out) != NULL) {
        sim_violation(sim, "we have nothing to send along");
    }
    if (its != NULL && (its->state == GATEWAY_CHILD_UP || its->state == GATEWAY_CHILD_REPLACED)) {
        network_send_mark(&sim->network, &sim->random, false, &gateway->esp_path, its->spi_out,
                          sim->now);
    }
}

void sim_traffic(struct sim *sim, uint64_t every)
{
    sim->mark_every = every;
    sim->mark_at = sim->now;
}

void traffic_step(struct sim *sim)
{
    compare_all(sim);
    if (sim->mark_every > 0 && sim->now >= sim->mark_at) {
        sim->mark_at = sim->now + sim->mark_every;
        send_marks(sim);
    }
}

/* ---- quiescence ---- */

static const char *unrest(const struct sim *sim)
{
    struct gateway *gateway = (struct gateway *)&sim->gateway;
    const struct sim_child *ours = find(sim, sim->outbound);

    if (sim->down || gateway->phase != GATEWAY_UP) {
        return "it is not connected";
    }
    if (gateway_busy(gateway)) {
        return "the gateway has something under way";
    }
    if (gateway_live_sas(gateway) != 1) {
        return "the gateway has more than one IKE SA";
    }
    if (gateway_live_children(gateway) != 1) {
        return "the gateway does not have one Child SA";
    }
    if (sim->n_child_up - sim->n_child_down != 1) {
        return "we do not have one Child SA";
    }
    if (ours == NULL || ours->spi_out != gateway->outbound) {
        return "the sides do not use the same Child SA";
    }
    return ours->compared ? NULL : "keys have not been compared";
}

bool sim_quiet(const struct sim *sim)
{
    return unrest(sim) == NULL;
}

uint32_t sim_outbound(const struct sim *sim)
{
    const struct sim_child *ours = find(sim, sim->outbound);

    return ours != NULL ? ours->spi_out : 0;
}

void sim_require_quiet(struct sim *sim)
{
    const char *why = unrest(sim);

    if (why != NULL) {
        sim_violation(sim, "no rest: %s (%u and %u Child SAs, %u IKE SAs of the gateway)", why,
                      sim->n_child_up - sim->n_child_down, gateway_live_children(&sim->gateway),
                      gateway_live_sas(&sim->gateway));
    }
}
