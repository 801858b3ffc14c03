/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/sim.h"

/* The host's side of moving, and whether ESP flows. */

void sim_tell(struct sim *sim)
{
    const struct places *places = &sim->network.places;
    struct ike_local locals[PLACES_CLIENTS];
    size_t n = 0;

    for (unsigned i = 0; i < PLACES_CLIENTS; i++) {
        if (places->client_up[i]) {
            locals[n++] = (struct ike_local){
                .addr = places_addr(places_clients[i]), .ifindex = i + 1, .rank = i};
        }
    }
    if (!sim->down && !sim->asleep) {
        ike_set_paths(sim->ike, locals, n, sim->now);
        sim_pump(sim);
    }
}

void sim_locals(struct sim *sim, unsigned mask)
{
    sim_note(sim, "---- our addresses: %x", mask);
    for (unsigned i = 0; i < PLACES_CLIENTS; i++) {
        sim->network.places.client_up[i] = (mask >> i & 1) != 0;
    }
    sim_tell(sim);
}

void sim_nap(struct sim *sim, uint64_t us, bool told)
{
    if (sim->down) {
        return;
    }
    sim_sleep(sim, us);
    if (told) {
        ike_woke(sim->ike, sim->now);
        sim_pump(sim);
    }
    sim_tell(sim);
}

static const char *stuck(const struct sim *sim)
{
    struct places places = sim->network.places;
    struct path path = sim->gateway.esp_path;

    if (!places_works(&places, &sim->esp_path)) {
        return "we send ESP where nothing arrives";
    }
    if (!places_to_client(&places, &path, sim->now)) {
        return "the gateway sends ESP where nothing arrives";
    }
    return NULL;
}

bool sim_flows(const struct sim *sim)
{
    return sim_quiet(sim) && stuck(sim) == NULL;
}

void sim_require_flow(struct sim *sim)
{
    const char *why = stuck(sim);

    sim_require_quiet(sim);
    if (why != NULL) {
        sim_violation(sim, "no flow: %s", why);
    }
}

bool sim_heard_since(const struct sim *sim, uint64_t since)
{
    return sim->marks_up_at > since && sim->marks_down_at > since;
}
