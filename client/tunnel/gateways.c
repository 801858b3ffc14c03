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

static void bring_forward(struct gateways *gateways, const struct addr *addr)
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

void gateways_set(struct gateways *gateways, const struct addr *found, gsize n)
{
    struct addr first = gateways->items[0];
    gboolean had = gateways->n > 0;

    gateways->n = 0;
    for (gsize i = 0; i < n && gateways->n < GATEWAYS_MAX; i++) {
        if (place_of(gateways, &found[i]) == gateways->n) {
            gateways->items[gateways->n++] = found[i];
        }
    }
    if (had && place_of(gateways, &first) < gateways->n) {
        bring_forward(gateways, &first);
    }
    gateways->next = 0;
    gateways->untried = MIN(gateways->untried, gateways->n);
}

void gateways_restart(struct gateways *gateways)
{
    gateways->next = 0;
    gateways->untried = gateways->n;
}

const struct addr *gateways_next(struct gateways *gateways)
{
    const struct addr *addr;

    if (gateways->n == 0) {
        return NULL;
    }
    if (gateways->untried == 0) {
        gateways_restart(gateways);
    }
    addr = &gateways->items[gateways->next];
    gateways->next = (gateways->next + 1) % gateways->n;
    gateways->untried--;
    return addr;
}

void gateways_worked(struct gateways *gateways, const struct addr *addr)
{
    bring_forward(gateways, addr);
    gateways_restart(gateways);
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
