/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ike/payload.h"

#include <stdarg.h>
#include <stdio.h>

#define TS_IPV4_ADDR_RANGE 7
#define TS_IPV6_ADDR_RANGE 8
#define SELECTOR_HEADER_LEN 8

static bool ports_opaque(const struct ts *ts)
{
    return ts->port_low == UINT16_MAX && ts->port_high == 0; /* RFC 7296 3.13.1 */
}

static bool ports_any(const struct ts *ts)
{
    return ts->port_low == 0 && ts->port_high == UINT16_MAX;
}

static enum err parse_selector(struct ts *out, enum family family, uint8_t protocol,
                               struct bytes content)
{
    struct reader r = reader_of(content);
    size_t len = addr_len(family);
    struct bytes start, end;

    out->protocol = protocol;
    out->port_low = rd_u16(&r);
    out->port_high = rd_u16(&r);
    start = rd_bytes(&r, len);
    end = rd_bytes(&r, len);
    if (!rd_done(&r) || memcmp(start.data, end.data, len) > 0 ||
        (out->port_low > out->port_high && !ports_opaque(out))) {
        return ERR_SYNTAX;
    }
    out->start = addr_of(family, start.data);
    out->end = addr_of(family, end.data);
    return OK;
}

enum err ts_parse(struct ts_list *out, struct bytes body)
{
    struct reader r = reader_of(body);
    uint8_t count = rd_u8(&r);

    out->n = 0;
    rd_skip(&r, 3);
    if (r.failed || count == 0) {
        return ERR_SYNTAX;
    }
    for (uint8_t i = 0; i < count; i++) {
        uint8_t type = rd_u8(&r);
        uint8_t protocol = rd_u8(&r);
        uint16_t length = rd_u16(&r);
        struct bytes content = rd_bytes(&r, length < 4 ? SIZE_MAX : (size_t)length - 4);
        enum family family = type == TS_IPV4_ADDR_RANGE   ? FAMILY_IPV4
                             : type == TS_IPV6_ADDR_RANGE ? FAMILY_IPV6
                                                          : FAMILY_NONE;

        if (r.failed) {
            return ERR_SYNTAX;
        }
        if (family == FAMILY_NONE) {
            continue; /* RFC 7296 3.13: only ranges that are understood take part */
        }
        if (parse_selector(&out->items[out->n], family, protocol, content) != OK) {
            return ERR_SYNTAX;
        }
        out->n++;
    }
    if (!rd_done(&r)) {
        return ERR_SYNTAX;
    }
    return out->n > 0 ? OK : ERR_UNSUPPORTED;
}

void ts_write(struct chain *chain, enum payload_type type, const struct ts_list *list)
{
    struct writer *w = &chain->w;

    chain_begin(chain, type);
    wr_u8(w, (uint8_t)list->n);
    wr_zeros(w, 3);
    for (size_t i = 0; i < list->n; i++) {
        const struct ts *ts = &list->items[i];

        wr_u8(w, ts->start.family == FAMILY_IPV4 ? TS_IPV4_ADDR_RANGE : TS_IPV6_ADDR_RANGE);
        wr_u8(w, ts->protocol);
        wr_u16(w, (uint16_t)(SELECTOR_HEADER_LEN + 2 * addr_len(ts->start.family)));
        wr_u16(w, ts->port_low);
        wr_u16(w, ts->port_high);
        wr_bytes(w, addr_bytes(&ts->start));
        wr_bytes(w, addr_bytes(&ts->end));
    }
    chain_end(chain);
}

static bool ts_within(const struct ts *inner, const struct ts *outer)
{
    if (inner->start.family != outer->start.family ||
        addr_compare(&inner->start, &outer->start) < 0 ||
        addr_compare(&inner->end, &outer->end) > 0 ||
        (outer->protocol != 0 && outer->protocol != inner->protocol)) {
        return false;
    }
    if (ports_any(outer)) {
        return true;
    }
    if (ports_opaque(outer) || ports_opaque(inner)) {
        return ports_opaque(outer) && ports_opaque(inner);
    }
    return inner->port_low >= outer->port_low && inner->port_high <= outer->port_high;
}

bool ts_list_within(const struct ts_list *inner, const struct ts_list *outer)
{
    for (size_t i = 0; i < inner->n; i++) {
        bool found = false;

        for (size_t k = 0; k < outer->n && !found; k++) {
            found = ts_within(&inner->items[i], &outer->items[k]);
        }
        if (!found) {
            return false;
        }
    }
    return true;
}

/* What passes both; false when nothing does. */
static bool ts_intersect(struct ts *out, const struct ts *a, const struct ts *b)
{
    if (a->start.family != b->start.family ||
        (a->protocol != 0 && b->protocol != 0 && a->protocol != b->protocol)) {
        return false;
    }
    *out = (struct ts){
        .protocol = a->protocol != 0 ? a->protocol : b->protocol,
        .port_low = a->port_low > b->port_low ? a->port_low : b->port_low,
        .port_high = a->port_high < b->port_high ? a->port_high : b->port_high,
        .start = addr_compare(&a->start, &b->start) > 0 ? a->start : b->start,
        .end = addr_compare(&a->end, &b->end) < 0 ? a->end : b->end,
    };
    if (ports_any(a) || (ports_opaque(a) && ports_opaque(b))) {
        out->port_low = b->port_low;
        out->port_high = b->port_high;
    } else if (ports_any(b)) {
        out->port_low = a->port_low;
        out->port_high = a->port_high;
    } else if (ports_opaque(a) || ports_opaque(b) || out->port_low > out->port_high) {
        return false;
    }
    return addr_compare(&out->start, &out->end) <= 0;
}

/* Keeps the list free of selectors that others cover. */
static void ts_list_add(struct ts_list *list, const struct ts *ts)
{
    size_t kept = 0;

    for (size_t i = 0; i < list->n; i++) {
        if (ts_within(ts, &list->items[i])) {
            return;
        }
    }
    for (size_t i = 0; i < list->n; i++) {
        if (!ts_within(&list->items[i], ts)) {
            list->items[kept++] = list->items[i];
        }
    }
    list->n = kept;
    if (list->n < TS_MAX) {
        list->items[list->n++] = *ts;
    }
}

bool ts_list_intersect(struct ts_list *out, const struct ts_list *a, const struct ts_list *b)
{
    struct ts both;

    out->n = 0;
    for (size_t i = 0; i < a->n; i++) {
        for (size_t k = 0; k < b->n; k++) {
            if (ts_intersect(&both, &a->items[i], &b->items[k])) {
                ts_list_add(out, &both);
            }
        }
    }
    return out->n > 0;
}

/* The neighbour of an address; false when there is none. */
static bool neighbour(struct addr *out, const struct addr *addr, bool above)
{
    uint8_t edge = above ? 0xff : 0;

    *out = *addr;
    for (size_t i = addr_len(addr->family); i-- > 0;) {
        bool carries = out->octets[i] == edge;

        out->octets[i] = (uint8_t)(out->octets[i] + (above ? 1 : -1));
        if (!carries) {
            return true;
        }
    }
    return false;
}

static void ts_list_insert(struct ts_list *list, size_t at, const struct ts *ts)
{
    if (list->n < TS_MAX) {
        memmove(&list->items[at + 1], &list->items[at], (list->n - at) * sizeof *ts);
        list->items[at] = *ts;
        list->n++;
    }
}

/* In place of a selector what lies below and above `less`, which lets through its protocols and
 * ports. */
static void ts_cut(struct ts_list *list, size_t at, const struct ts *less)
{
    const struct ts ts = list->items[at];
    struct ts piece = ts;

    list->n--;
    memmove(&list->items[at], &list->items[at + 1], (list->n - at) * sizeof ts);
    if (addr_compare(&ts.end, &less->end) > 0 && neighbour(&piece.start, &less->end, true)) {
        ts_list_insert(list, at, &piece);
    }
    piece = ts;
    if (addr_compare(&ts.start, &less->start) < 0 && neighbour(&piece.end, &less->start, false)) {
        ts_list_insert(list, at, &piece);
    }
}

static bool ts_cuts(const struct ts *less, const struct ts *ts)
{
    struct ts there = *ts;
    bool overlap = ts->start.family == less->start.family &&
                   addr_compare(&ts->start, &less->end) <= 0 &&
                   addr_compare(&less->start, &ts->end) <= 0;

    there.start = less->start;
    there.end = less->end;
    return overlap && ts_within(&there, less);
}

bool ts_list_subtract(struct ts_list *out, const struct ts_list *from, const struct ts_list *less)
{
    *out = *from;
    for (size_t k = 0; k < less->n; k++) {
        for (size_t i = out->n; i-- > 0;) {
            if (ts_cuts(&less->items[k], &out->items[i])) {
                ts_cut(out, i, &less->items[k]);
            }
        }
    }
    return out->n > 0;
}

/* ---- text ---- */

struct text {
    char *out;
    size_t cap, len;
};

__attribute__((format(printf, 2, 3))) static void put(struct text *text, const char *format, ...)
{
    va_list args;
    int n;

    if (text->len + 1 >= text->cap) {
        return;
    }
    va_start(args, format);
    n = vsnprintf(text->out + text->len, text->cap - text->len, format, args);
    va_end(args);
    if (n > 0) {
        text->len += (size_t)n < text->cap - text->len ? (size_t)n : text->cap - text->len - 1;
    }
}

static void put_protocol(struct text *text, uint8_t protocol)
{
    switch (protocol) {
    case IPPROTO_ICMP:
        put(text, " icmp");
        break;
    case IPPROTO_TCP:
        put(text, " tcp");
        break;
    case IPPROTO_UDP:
        put(text, " udp");
        break;
    case IPPROTO_ICMPV6:
        put(text, " icmp6");
        break;
    default:
        put(text, " protocol %u", protocol);
        break;
    }
}

static void put_selector(struct text *text, const struct ts *ts)
{
    char start[ADDR_TEXT_MAX], end[ADDR_TEXT_MAX];
    struct prefix prefix;

    if (addr_equal(&ts->start, &ts->end)) {
        put(text, "%s", addr_text(&ts->start, start));
    } else if (range_to_prefixes(&ts->start, &ts->end, &prefix, 1) == 1) {
        put(text, "%s", prefix_text(&prefix, start));
    } else {
        put(text, "%s-%s", addr_text(&ts->start, start), addr_text(&ts->end, end));
    }
    if (ts->protocol != 0) {
        put_protocol(text, ts->protocol);
    } else if (!ports_any(ts)) {
        put(text, " any");
    }
    if (ports_opaque(ts)) {
        put(text, "/opaque");
    } else if (ts->port_low == ts->port_high) {
        put(text, "/%u", ts->port_low);
    } else if (!ports_any(ts)) {
        put(text, "/%u-%u", ts->port_low, ts->port_high);
    }
}

const char *ts_text(const struct ts_list *list, char *out, size_t cap)
{
    struct text text = {out, cap, 0};

    if (cap > 0) {
        out[0] = '\0';
    }
    for (size_t i = 0; i < list->n; i++) {
        put(&text, "%s", i > 0 ? ", " : "");
        put_selector(&text, &list->items[i]);
    }
    return out;
}
