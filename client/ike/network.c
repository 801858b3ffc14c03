/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ike/engine.h"

#include <limits.h>

/* What the carrier tells of the host: its addresses, the gateway's, changes, sleep. */

/* To let the keys of a tunnel that has slept be renewed. */
#define MARGIN_US UINT64_C(120000000)
#define SLEPT_US UINT64_C(5000000) /* a tick that is so late: nothing ran in between */

static bool same_local(const struct ike_local *a, const struct ike_local *b)
{
    return addr_equal(&a->addr, &b->addr) && a->ifindex == b->ifindex && a->rank == b->rank;
}

static bool same_set(const struct paths *paths, const struct ike_local *locals, size_t n)
{
    bool same = paths->told && paths->n_locals == n;

    for (size_t i = 0; i < n && same; i++) {
        bool found = false;

        for (size_t k = 0; k < n; k++) {
            found = found || same_local(&paths->locals[i], &locals[k]);
        }
        same = found;
    }
    return same;
}

/*
 * The address in use may belong to another network now, as private ones do, where the gateway sees
 * us elsewhere: it has moved to another interface, or an address beside it has gone.
 */
static bool elsewhere(const struct ike *ike, const struct ike_local *locals, size_t n)
{
    const struct paths *paths = &ike->paths;

    for (size_t i = 0; i < paths->n_locals; i++) {
        const struct ike_local *old = &paths->locals[i];
        bool kept = false;

        for (size_t k = 0; k < n; k++) {
            kept = kept ||
                   (addr_equal(&old->addr, &locals[k].addr) && old->ifindex == locals[k].ifindex);
        }
        if (!kept && old->ifindex == ike->path.ifindex) {
            return true;
        }
    }
    return false;
}

/* Before there is an IKE SA that could be moved, its handshake goes on from another address: the
 * gateway answers to wherever a request has come from (RFC 7296 2.11). */
static void review_connecting(struct ike *ike)
{
    struct path pairs[PAIRS_MAX];

    for (size_t i = 0; i < ike->paths.n_locals; i++) {
        if (addr_equal(&ike->paths.locals[i].addr, &ike->path.local.addr)) {
            ike->path.ifindex = ike->paths.locals[i].ifindex;
        }
    }
    if (pairs_rank(ike, &ike->path) != UINT_MAX || pairs_list(ike, pairs) == 0 ||
        pairs[0].local.addr.family != ike->path.remote.addr.family) {
        return;
    }
    ike->path.local.addr = pairs[0].local.addr;
    ike->path.ifindex = pairs[0].ifindex;
    ike->mobike.update = true;
    if (ike->paths.esp.remote.addr.family != FAMILY_NONE) {
        paths_use(ike);
    }
    if (ike->sa.request.busy) {
        ike_repeat(ike);
    }
}

void network_hold(struct ike *ike)
{
    rekey_ike_extend(ike, ike->now + MARGIN_US);
    children_extend(ike, ike->now + MARGIN_US);
    others_extend(ike);
}

/* It was offline until now. */
static void come_back(struct ike *ike)
{
    if (ike->sa.request.busy) {
        ike->sa.request.started = ike->now;
    }
    if (ike->state == ST_UP) {
        network_hold(ike);
    }
}

void ike_set_paths(struct ike *ike, const struct ike_local *locals, size_t n, uint64_t now)
{
    struct paths *paths = &ike->paths;
    size_t kept = n < IKE_LOCALS_MAX ? n : IKE_LOCALS_MAX;

    ike_advance(ike, now);
    if (same_set(paths, locals, kept)) {
        return;
    }
    if (paths_offline(ike)) {
        come_back(ike);
    }
    paths->doubt = paths_offline(ike) || (ike->sa.request.busy && ike->sa.request.tries > 1) ||
                   elsewhere(ike, locals, kept);
    paths->told = paths->review = true;
    paths->lost_at = paths->settle_at = IKE_NEVER;
    paths->told_at = ike->now;
    paths->n_locals = kept;
    for (size_t i = 0; i < kept; i++) {
        paths->locals[i] = locals[i];
    }
    memset(paths->failed, 0, sizeof paths->failed);
    if (ike->state < ST_UP) {
        review_connecting(ike);
    }
    ike_run(ike);
}

void ike_set_gateways(struct ike *ike, const struct addr *gateways, size_t n, uint64_t now)
{
    ike_advance(ike, now);
    ike->paths.n_gateways = n < IKE_GATEWAYS_MAX ? n : IKE_GATEWAYS_MAX;
    for (size_t i = 0; i < ike->paths.n_gateways; i++) {
        ike->paths.gateways[i] = gateways[i];
    }
    ike->paths.review = true;
    ike_run(ike);
}

void ike_network_changed(struct ike *ike, uint64_t now)
{
    ike_advance(ike, now);
    memset(ike->paths.failed, 0, sizeof ike->paths.failed);
    ike->paths.review = ike->paths.doubt = true;
    ike_run(ike);
}

void ike_notice(struct ike *ike, uint64_t now)
{
    paths_notice(ike, now);
    if (now > SLEPT_US && now - SLEPT_US > ike->now && now - SLEPT_US > ike_deadline(ike)) {
        ike->slept = true;
    }
}

void ike_woke(struct ike *ike, uint64_t now)
{
    ike_advance(ike, now);
    ike->slept = false;
    if (ike->state == ST_UP) {
        network_hold(ike);
    }
    ike_network_changed(ike, now);
}
