/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tunnel/gateways.h"

#include <string.h>

/* Its place; `n` when it is not there. */
static gsize place_of(const struct gateways *gateways, const struct addr *addr)
{
    gsize i = 0;

    while (i < gateways->n && !addr_equal(&gateways->items[i], addr)) {
        i++;
    }
    return i;
}

static void add(struct gateways *gateways, const struct addr *addr)
{
    if (gateways->n < GATEWAYS_MAX && place_of(gateways, addr) == gateways->n) {
        gateways->items[gateways->n++] = *addr;
    }
}

/* The next of `found` from *at on that is of this family, or not; NULL at the end. */
static const struct addr *next_of(const struct addr *found, gsize n, gsize *at, enum family family,
                                  gboolean same)
{
    while (*at < n && (found[*at].family == family) != same) {
        ++*at;
    }
    return *at < n ? &found[(*at)++] : NULL;
}

void gateways_set(struct gateways *gateways, const struct addr *found, gsize n)
{
    struct addr first = gateways->items[0];
    gboolean had = gateways->n > 0;
    gsize at[2] = {0, 0};

    gateways->n = 0;
    for (gsize i = 0; i < 2 * n; i++) {
        const struct addr *addr = next_of(found, n, &at[i % 2], found[0].family, i % 2 == 0);

        if (addr != NULL) {
            add(gateways, addr);
        }
    }
    if (had && place_of(gateways, &first) < gateways->n) {
        gateways_worked(gateways, &first);
    }
}

void gateways_worked(struct gateways *gateways, const struct addr *addr)
{
    struct addr it = *addr;
    gsize place = place_of(gateways, &it);

    if (place == gateways->n && gateways->n < GATEWAYS_MAX) {
        gateways->n++;
    }
    place = MIN(place, GATEWAYS_MAX - 1);
    memmove(&gateways->items[1], &gateways->items[0], place * sizeof gateways->items[0]);
    gateways->items[0] = it;
}

gboolean gateways_prefer(struct gateways *gateways, const struct addr *addr)
{
    gboolean there = place_of(gateways, addr) < gateways->n;

    if (there) {
        gateways_worked(gateways, addr);
    }
    return there;
}

gboolean redirects_allow(struct redirects *redirects, guint64 now)
{
    guint64 *oldest = &redirects->at[redirects->n % REDIRECTS_MAX];

    if (redirects->n >= REDIRECTS_MAX && now - *oldest < REDIRECTS_PERIOD) {
        return FALSE;
    }
    *oldest = now;
    redirects->n++;
    return TRUE;
}
