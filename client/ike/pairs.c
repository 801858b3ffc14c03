/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ike/engine.h"

#include <limits.h>

/* The pairs of addresses that packets could take, and which comes first. */

#define REMOTES_MAX (2 + ANNOUNCED_MAX + IKE_GATEWAYS_MAX + PROVEN_MAX)

struct remotes {
    struct addr items[REMOTES_MAX];
    size_t n;
};

static bool listed(const struct addr *list, size_t n, const struct addr *addr)
{
    for (size_t i = 0; i < n; i++) {
        if (addr_equal(&list[i], addr)) {
            return true;
        }
    }
    return false;
}

static void add(struct remotes *remotes, const struct addr *addr)
{
    if (addr->family != FAMILY_NONE && remotes->n < REMOTES_MAX &&
        !listed(remotes->items, remotes->n, addr)) {
        remotes->items[remotes->n++] = *addr;
    }
}

/* What has worked comes first, what the gateway tells of itself before what its name once stood
 * for. */
static void collect(const struct ike *ike, struct remotes *out)
{
    const struct paths *paths = &ike->paths;

    add(out, &ike->path.remote.addr);
    add(out, &paths->esp.remote.addr);
    for (size_t i = paths->n_proven; i > 0; i--) {
        add(out, &paths->proven[i - 1]);
    }
    for (size_t i = 0; i < paths->n_announced; i++) {
        add(out, &paths->announced[i]);
    }
    /* The name may stand for something else inside the tunnel. */
    for (size_t i = 0; i < paths->n_gateways; i++) {
        if (pairs_acceptable(ike, &paths->gateways[i])) {
            add(out, &paths->gateways[i]);
        }
    }
}

static size_t add_local(const struct ike *ike, const struct remotes *remotes,
                        const struct ike_local *local, struct path *out, size_t n)
{
    for (size_t r = 0; r < remotes->n && n < PAIRS_MAX; r++) {
        if (remotes->items[r].family != local->addr.family) {
            continue;
        }
        out[n] = ike->path;
        out[n].local.addr = local->addr;
        out[n].ifindex = local->ifindex;
        if (!addr_equal(&remotes->items[r], &ike->path.remote.addr)) {
            out[n].remote.addr = remotes->items[r];
            out[n].remote.scope = 0;
        }
        n++;
    }
    return n;
}

/* Insertion sort: stable, and there are few. What is in use wins among its equals. */
static void sort(struct ike_local *locals, size_t n, const struct path *current)
{
    for (size_t i = 1; i < n; i++) {
        const struct ike_local item = locals[i];
        bool in_use = addr_equal(&item.addr, &current->local.addr);
        size_t at = i;

        while (at > 0 && (locals[at - 1].rank > item.rank ||
                          (locals[at - 1].rank == item.rank &&
                           (in_use || (item.addr.family == current->remote.addr.family &&
                                       locals[at - 1].addr.family != item.addr.family))))) {
            locals[at] = locals[at - 1];
            at--;
        }
        locals[at] = item;
    }
}

size_t pairs_list(const struct ike *ike, struct path out[static PAIRS_MAX])
{
    struct ike_local locals[IKE_LOCALS_MAX] = {
        {.addr = ike->path.local.addr, .ifindex = ike->path.ifindex}};
    struct remotes remotes = {0};
    size_t n_locals = 1, n = 0;

    collect(ike, &remotes);
    if (!ike->paths.told) {
        /* 'any' is of the family that it is used for. */
        locals[0].addr.family = ike->path.remote.addr.family;
    } else {
        n_locals = ike->paths.n_locals;
        memcpy(locals, ike->paths.locals, n_locals * sizeof locals[0]);
        sort(locals, n_locals, &ike->path);
    }
    for (size_t i = 0; i < n_locals; i++) {
        n = add_local(ike, &remotes, &locals[i], out, n);
    }
    return n;
}

unsigned pairs_rank(const struct ike *ike, const struct path *path)
{
    for (size_t i = 0; i < ike->paths.n_locals; i++) {
        if (addr_equal(&ike->paths.locals[i].addr, &path->local.addr)) {
            return ike->paths.locals[i].rank;
        }
    }
    return ike->paths.told ? UINT_MAX : 0;
}

uint32_t pairs_interface(const struct ike *ike, const struct addr *local)
{
    for (size_t i = 0; i < ike->paths.n_locals; i++) {
        if (addr_equal(&ike->paths.locals[i].addr, local)) {
            return ike->paths.locals[i].ifindex;
        }
    }
    return 0;
}

bool pairs_same(const struct path *a, const struct path *b)
{
    return addr_equal(&a->local.addr, &b->local.addr) && endpoint_equal(&a->remote, &b->remote);
}

const struct path *pairs_find(const struct path *pairs, size_t n, const struct path *path)
{
    for (size_t i = 0; i < n; i++) {
        if (endpoint_equal(&pairs[i].remote, &path->remote) &&
            (addr_is_any(&path->local.addr) || addr_is_any(&pairs[i].local.addr) ||
             addr_equal(&pairs[i].local.addr, &path->local.addr))) {
            return &pairs[i];
        }
    }
    return NULL;
}

/* RFC 3927 2.8: never beyond the link; IPv6's own are refused with the rest. */
static bool link_local(const struct addr *addr)
{
    return addr->family == FAMILY_IPV4 && addr->octets[0] == 169 && addr->octets[1] == 254;
}

static bool inside(const struct net_config *net, const struct addr *addr,
                   const struct addr *outside)
{
    for (size_t i = 0; i < net->n_addresses; i++) {
        const struct prefix *own = &net->addresses[i];

        if (addr_equal(&own->addr, addr) || (own->len > 0 && prefix_contains(own, addr))) {
            return true;
        }
    }
    /* A route that holds the gateway's address in use as well, such as the default route, says
     * nothing about where others are. */
    for (size_t i = 0; i < net->n_routes; i++) {
        if (net->routes[i].len > 1 && prefix_contains(&net->routes[i], addr) &&
            !prefix_contains(&net->routes[i], outside)) {
            return true;
        }
    }
    return false;
}

bool pairs_acceptable(const struct ike *ike, const struct addr *addr)
{
    if (!addr_is_assignable(addr) || link_local(addr) ||
        inside(&ike->net, addr, &ike->path.remote.addr)) {
        return false;
    }
    for (size_t i = 0; i < ike->paths.n_locals; i++) {
        if (addr_equal(&ike->paths.locals[i].addr, addr)) {
            return false;
        }
    }
    return !addr_equal(&ike->path.local.addr, addr);
}
