/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "esp/pmtu.h"

#include <stddef.h>

#define CONFIRM_LOST_MAX 2 /* probes, each of several datagrams */
#define RAISE_FIRST_US UINT64_C(30000000)
#define RAISE_MAX_US UINT64_C(600000000) /* RFC 8899 5.1.1 */
#define FORGOTTEN_US UINT64_C(30000000)

/* Sizes that networks have (RFC 1191 7.1 and what tunnels, PPPoE and radio make of 1500). */
static const uint16_t plateaus[] = {576,  1006, 1200, 1280, 1300, 1320, 1340, 1360,
                                    1380, 1400, 1420, 1440, 1460, 1472, 1480, 1492,
                                    1500, 2002, 4352, 8166, 9000, 9216, 17914};

void pmtu_start(struct pmtu *p, uint16_t mtu, uint16_t floor)
{
    *p = (struct pmtu){
        .floor = floor,
        .ceiling = mtu > floor ? mtu : floor,
        .current = mtu > floor ? mtu : floor,
        .raise_at = UINT64_MAX,
        .raise_wait = RAISE_FIRST_US,
    };
}

void pmtu_doubt(struct pmtu *p, uint16_t hint)
{
    if (p->state == PMTU_REST && p->current > p->floor) {
        p->state = PMTU_CONFIRM;
        p->lost = 0;
        p->hint = hint >= p->floor && hint < p->current ? hint : 0;
    }
}

void pmtu_raise(struct pmtu *p, uint64_t now)
{
    if (p->state == PMTU_REST && now >= p->raise_at) {
        p->state = PMTU_SEARCH;
        p->good = p->current;
        p->bad = 0;
    }
}

/* The middle of the sizes above `good` and below `bad`; 0 when there is none. */
static uint16_t between(uint16_t good, uint16_t bad)
{
    size_t first = 0, n = 0;

    for (size_t i = 0; i < sizeof plateaus / sizeof plateaus[0]; i++) {
        if (plateaus[i] > good && plateaus[i] < bad) {
            first = n == 0 ? i : first;
            n++;
        }
    }
    return n == 0 ? 0 : plateaus[first + n / 2];
}

static uint16_t search_size(const struct pmtu *p)
{
    if (p->bad == 0) {
        return p->ceiling;
    }
    if (p->hint != 0) {
        return p->hint;
    }
    if (p->good == 0) {
        /* What nearly every path carries, before what every path carries. */
        return p->bad > PMTU_MIN_IPV6 ? PMTU_MIN_IPV6 : p->floor;
    }
    return between(p->good, p->bad);
}

/* Nothing passes: that is no question of size. */
static bool hopeless(const struct pmtu *p)
{
    return p->good == 0 && p->bad <= p->floor && p->bad != 0;
}

uint16_t pmtu_next(struct pmtu *p, uint64_t now)
{
    if (p->asked != 0 && now >= p->asked_at + FORGOTTEN_US) {
        p->asked = 0;
        p->state = PMTU_REST;
    }
    if (p->asked != 0 || p->state == PMTU_REST) {
        return 0;
    }
    p->asked = p->state == PMTU_CONFIRM ? p->current : search_size(p);
    p->asked_at = now;
    return p->asked;
}

static bool settle(struct pmtu *p, uint64_t now)
{
    bool changed = p->good != 0 && p->good != p->current;

    if (changed) {
        p->raise_wait = RAISE_FIRST_US;
        p->current = p->good;
    }
    p->state = PMTU_REST;
    p->raise_at = UINT64_MAX;
    if (p->current < p->ceiling) {
        p->raise_at = now + p->raise_wait;
        p->raise_wait = p->raise_wait * 2 < RAISE_MAX_US ? p->raise_wait * 2 : RAISE_MAX_US;
    }
    return changed;
}

static bool confirmed(struct pmtu *p, bool passed)
{
    if (passed) {
        p->state = PMTU_REST;
    } else if (++p->lost >= CONFIRM_LOST_MAX || p->hint != 0) {
        p->state = PMTU_SEARCH;
        p->good = 0;
        p->bad = p->current;
    }
    return false;
}

bool pmtu_answer(struct pmtu *p, uint16_t size, bool passed, uint64_t now)
{
    if (p->asked == 0 || size != p->asked) {
        return false;
    }
    p->asked = 0;
    if (passed) {
        p->confirmed_at = now;
    }
    if (p->state == PMTU_CONFIRM) {
        return confirmed(p, passed);
    }
    bool first = passed && p->good == 0;
    bool enough = first && (size == p->hint || size >= PMTU_MIN_IPV6);
    p->hint = 0;
    if (passed) {
        p->good = size;
    } else {
        p->bad = size;
    }
    /* Traffic stands still: what is left between the two is looked for when it flows again. */
    if (enough || hopeless(p) || p->good == p->ceiling || (p->good != 0 && search_size(p) == 0)) {
        return settle(p, now);
    }
    return false;
}

uint64_t pmtu_deadline(const struct pmtu *p)
{
    return p->asked != 0 ? p->asked_at + FORGOTTEN_US : UINT64_MAX;
}
