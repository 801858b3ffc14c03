/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ike/engine.h"

#include "common/i18n.h"

/* Which addresses the host has, and whether the path in use still works. */

#define QUICK_US UINT64_C(250000)
#define LOST_US UINT64_C(5000000)

bool paths_offline(const struct ike *ike)
{
    return ike->paths.told && ike->paths.n_locals == 0;
}

static void lose(struct ike *ike, const char *why)
{
    ike->paths.lost_at = IKE_NEVER;
    if (!ike->paths.lost) {
        ike->paths.lost = true;
        ike_emit(ike, &(struct ike_event){
                          .type = IKE_EVENT_PATH_LOST, .text = why, .path = ike->path});
    }
}

void paths_heard(struct ike *ike)
{
    ike->paths.lost_at = IKE_NEVER;
    if (ike->paths.lost) {
        ike->paths.lost = false;
        ike_emit(ike, &(struct ike_event){.type = IKE_EVENT_PATH, .path = ike->path});
    }
}

uint64_t paths_deadline(const struct ike *ike)
{
    return ike->paths.lost_at;
}

void paths_tick(struct ike *ike)
{
    if (ike->now >= ike->paths.lost_at) {
        lose(ike, _("The gateway does not answer any more."));
    }
}

/* The request in flight, or a liveness check, goes out now and is repeated soon. */
static void ask(struct ike *ike)
{
    struct request *request = &ike->sa.request;

    if (ike->state != ST_UP || paths_offline(ike)) {
        return;
    }
    ike->paths.lost_at = ike->now + LOST_US;
    if (request->busy) {
        request->started = request->due = ike->now;
        request->interval = QUICK_US / 2;
        return;
    }
    ike->liveness.wanted = true;
    ike_run(ike);
    request->interval = QUICK_US;
    request->due = ike->now + QUICK_US;
}

static bool has_local(const struct paths *paths, const struct addr *addr)
{
    for (size_t i = 0; i < paths->n_locals; i++) {
        if (addr_equal(&paths->locals[i].addr, addr)) {
            return true;
        }
    }
    return false;
}

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

void ike_set_paths(struct ike *ike, const struct ike_local *locals, size_t n, uint64_t now)
{
    struct paths *paths = &ike->paths;
    size_t kept = n < IKE_LOCALS_MAX ? n : IKE_LOCALS_MAX;

    ike_advance(ike, now);
    if (same_set(paths, locals, kept)) {
        return;
    }
    paths->told = true;
    paths->lost_at = IKE_NEVER;
    paths->n_locals = kept;
    for (size_t i = 0; i < kept; i++) {
        paths->locals[i] = locals[i];
    }
    if (kept > 0 && ike->state == ST_UP && !addr_is_any(&ike->path.local.addr) &&
        !has_local(paths, &ike->path.local.addr)) {
        lose(ike, _("The address that the tunnel was used from is gone."));
    } else {
        ask(ike);
    }
}

void ike_set_gateways(struct ike *ike, const struct addr *gateways, size_t n, uint64_t now)
{
    ike_advance(ike, now);
    ike->paths.n_gateways = n < IKE_GATEWAYS_MAX ? n : IKE_GATEWAYS_MAX;
    for (size_t i = 0; i < ike->paths.n_gateways; i++) {
        ike->paths.gateways[i] = gateways[i];
    }
}

void ike_network_changed(struct ike *ike, uint64_t now)
{
    ike_advance(ike, now);
    ask(ike);
}

void ike_woke(struct ike *ike, uint64_t now)
{
    ike_network_changed(ike, now);
}
