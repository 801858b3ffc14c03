/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/addr.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>

size_t addr_len(enum family family)
{
    return addr_bits(family) / 8;
}

uint8_t addr_bits(enum family family)
{
    switch (family) {
    case FAMILY_IPV4:
        return 32;
    case FAMILY_IPV6:
        return 128;
    case FAMILY_NONE:
        break;
    }
    return 0;
}

struct addr addr_of(enum family family, const uint8_t *octets)
{
    struct addr addr = {.family = family};

    memcpy(addr.octets, octets, addr_len(family));
    return addr;
}

struct bytes addr_bytes(const struct addr *addr)
{
    return bytes_of(addr->octets, addr_len(addr->family));
}

int addr_compare(const struct addr *a, const struct addr *b)
{
    if (a->family != b->family) {
        return a->family < b->family ? -1 : 1;
    }
    return memcmp(a->octets, b->octets, addr_len(a->family));
}

bool addr_equal(const struct addr *a, const struct addr *b)
{
    return addr_compare(a, b) == 0;
}

bool addr_is_any(const struct addr *addr)
{
    static const uint8_t zeros[16];

    return memcmp(addr->octets, zeros, addr_len(addr->family)) == 0;
}

bool addr_parse(struct addr *out, const char *text)
{
    *out = (struct addr){0};
    if (inet_pton(AF_INET, text, out->octets) == 1) {
        out->family = FAMILY_IPV4;
    } else if (inet_pton(AF_INET6, text, out->octets) == 1) {
        out->family = FAMILY_IPV6;
    } else {
        *out = (struct addr){0};
    }
    return out->family != FAMILY_NONE;
}

const char *addr_text(const struct addr *addr, char out[static ADDR_TEXT_MAX])
{
    if (addr->family == FAMILY_NONE) {
        (void)snprintf(out, ADDR_TEXT_MAX, "none");
    } else {
        (void)inet_ntop(addr->family == FAMILY_IPV4 ? AF_INET : AF_INET6, addr->octets, out,
                        ADDR_TEXT_MAX);
    }
    return out;
}

/* ---- endpoints ---- */

bool endpoint_equal(const struct endpoint *a, const struct endpoint *b)
{
    return addr_equal(&a->addr, &b->addr) && a->port == b->port && a->scope == b->scope;
}

const char *endpoint_text(const struct endpoint *endpoint, char out[static ADDR_TEXT_MAX])
{
    char address[ADDR_TEXT_MAX];
    char scope[16] = "";

    addr_text(&endpoint->addr, address);
    if (endpoint->scope != 0) {
        (void)snprintf(scope, sizeof(scope), "%%%" PRIu32, endpoint->scope);
    }
    (void)snprintf(out, ADDR_TEXT_MAX,
                   endpoint->addr.family == FAMILY_IPV6 ? "[%.46s%s]:%u" : "%.46s%s:%u", address,
                   scope, (unsigned)endpoint->port);
    return out;
}

/* A decimal number that ends the text; false when there is none or it is larger than `max`. */
static bool parse_number(const char *text, uint32_t max, uint32_t *out)
{
    uint64_t number = 0;
    size_t n = 0;

    for (; text[n] >= '0' && text[n] <= '9' && n < 10; n++) {
        number = number * 10 + (uint64_t)(text[n] - '0');
    }
    *out = (uint32_t)number;
    return n > 0 && text[n] == '\0' && number <= max;
}

bool endpoint_parse(struct endpoint *out, const char *text)
{
    char copy[ADDR_TEXT_MAX];
    const char *close = text[0] == '[' ? "]:" : ":";
    char *end, *scope;
    uint32_t port;
    bool good;

    *out = (struct endpoint){0};
    (void)snprintf(copy, sizeof copy, "%s", text[0] == '[' ? text + 1 : text);
    end = strstr(copy, close);
    if (end == NULL || !parse_number(end + strlen(close), UINT16_MAX, &port)) {
        return false;
    }
    *end = '\0';
    scope = strchr(copy, '%');
    good = scope == NULL || (text[0] == '[' && parse_number(scope + 1, UINT32_MAX, &out->scope));
    if (scope != NULL) {
        *scope = '\0';
    }
    out->port = (uint16_t)port;
    if (!good || !addr_parse(&out->addr, copy) ||
        (out->addr.family == FAMILY_IPV6) != (text[0] == '[')) {
        *out = (struct endpoint){0};
        return false;
    }
    return true;
}

bool endpoint_from_sockaddr(struct endpoint *out, const struct sockaddr *from)
{
    *out = (struct endpoint){0};
    if (from->sa_family == AF_INET) {
        struct sockaddr_in v4;

        memcpy(&v4, from, sizeof(v4));
        out->addr = addr_of(FAMILY_IPV4, (const uint8_t *)&v4.sin_addr);
        out->port = ntohs(v4.sin_port);
        return true;
    }
    if (from->sa_family == AF_INET6) {
        struct sockaddr_in6 v6;

        memcpy(&v6, from, sizeof(v6));
        out->addr = addr_of(FAMILY_IPV6, v6.sin6_addr.s6_addr);
        out->port = ntohs(v6.sin6_port);
        out->scope = v6.sin6_scope_id;
        return true;
    }
    return false;
}

socklen_t endpoint_to_sockaddr(const struct endpoint *from, struct sockaddr_storage *out)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(from->port)};
    struct sockaddr_in6 v6 = {
        .sin6_family = AF_INET6, .sin6_port = htons(from->port), .sin6_scope_id = from->scope};

    memset(out, 0, sizeof(*out));
    switch (from->addr.family) {
    case FAMILY_IPV4:
        memcpy(&v4.sin_addr, from->addr.octets, 4);
        memcpy(out, &v4, sizeof(v4));
        return sizeof(v4);
    case FAMILY_IPV6:
        memcpy(&v6.sin6_addr, from->addr.octets, 16);
        memcpy(out, &v6, sizeof(v6));
        return sizeof(v6);
    case FAMILY_NONE:
        break;
    }
    return 0;
}

/* ---- prefixes ---- */

/* The octet of a mask of `len` ones at `index`. */
static uint8_t mask_octet(uint8_t len, size_t index)
{
    size_t before = 8 * index;

    if (len >= before + 8) {
        return 0xff;
    }
    if (len <= before) {
        return 0;
    }
    return (uint8_t)(0xff00u >> (len - before));
}

void prefix_mask(struct prefix *prefix)
{
    for (size_t i = 0; i < addr_len(prefix->addr.family); i++) {
        prefix->addr.octets[i] &= mask_octet(prefix->len, i);
    }
}

bool prefix_contains(const struct prefix *prefix, const struct addr *addr)
{
    if (prefix->addr.family != addr->family || addr->family == FAMILY_NONE) {
        return false;
    }
    for (size_t i = 0; i < addr_len(addr->family); i++) {
        if (((prefix->addr.octets[i] ^ addr->octets[i]) & mask_octet(prefix->len, i)) != 0) {
            return false;
        }
    }
    return true;
}

bool addr_is_assignable(const struct addr *addr)
{
    static const uint8_t zeros[15];
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    const uint8_t *o = addr->octets;
    bool loopback;

    if (addr_is_any(addr)) {
        return false;
    }
    if (addr->family == FAMILY_IPV4) {
        /* RFC 6890: "this network", loopback, multicast, reserved and broadcast. */
        return o[0] != 0 && o[0] != 127 && o[0] < 224;
    }
    loopback = memcmp(o, zeros, sizeof(zeros)) == 0 && o[15] == 1;
    return !loopback && o[0] != 0xff && !(o[0] == 0xfe && (o[1] & 0xc0) == 0x80) &&
           memcmp(o, mapped, sizeof(mapped)) != 0;
}

bool prefix_is_routable(const struct prefix *prefix)
{
    /* Larger blocks that contain these are common: 224.0.0.0/3 ends many lists of "all but
     * private". */
    static const struct prefix refused[] = {
        {{FAMILY_IPV4, {127}}, 8},
        {{FAMILY_IPV4, {224}}, 4},
        {{FAMILY_IPV4, {255, 255, 255, 255}}, 32},
        {{FAMILY_IPV6, {[15] = 1}}, 128},
        {{FAMILY_IPV6, {0xfe, 0x80}}, 10},
        {{FAMILY_IPV6, {0xff}}, 8},
    };

    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        if (prefix->len >= refused[i].len && prefix_contains(&refused[i], &prefix->addr)) {
            return false;
        }
    }
    return true;
}

/* One to three digits and nothing else. */
static bool length_parse(uint8_t *out, const char *text, uint8_t most)
{
    unsigned value = 0;
    size_t digits = strlen(text);

    if (digits < 1 || digits > 3) {
        return false;
    }
    for (size_t i = 0; i < digits; i++) {
        if (text[i] < '0' || text[i] > '9') {
            return false;
        }
        value = value * 10 + (unsigned)(text[i] - '0');
    }
    *out = (uint8_t)value;
    return value <= most;
}

bool prefix_parse(struct prefix *out, const char *text, bool host_bits_allowed)
{
    const char *slash = strchr(text, '/');
    size_t address_len = slash != NULL ? (size_t)(slash - text) : strlen(text);
    char address[ADDR_TEXT_MAX];
    struct prefix masked;

    *out = (struct prefix){0};
    if (address_len >= sizeof(address)) {
        return false;
    }
    memcpy(address, text, address_len);
    address[address_len] = '\0';
    if (!addr_parse(&out->addr, address)) {
        return false;
    }
    out->len = addr_bits(out->addr.family);
    if (slash != NULL && !length_parse(&out->len, slash + 1, out->len)) {
        *out = (struct prefix){0};
        return false;
    }
    masked = *out;
    prefix_mask(&masked);
    if (!host_bits_allowed && !addr_equal(&masked.addr, &out->addr)) {
        *out = (struct prefix){0};
        return false;
    }
    return true;
}

const char *prefix_text(const struct prefix *prefix, char out[static ADDR_TEXT_MAX])
{
    size_t len;

    addr_text(&prefix->addr, out);
    len = strlen(out);
    (void)snprintf(out + len, ADDR_TEXT_MAX - len, "/%u", (unsigned)prefix->len);
    return out;
}

int netmask_len(const uint8_t mask[static 4])
{
    for (uint8_t len = 0; len <= 32; len++) {
        bool same = true;

        for (size_t i = 0; i < 4; i++) {
            same = same && mask[i] == mask_octet(len, i);
        }
        if (same) {
            return len;
        }
    }
    return -1;
}

/* ---- ranges ---- */

/* The last address of the prefix. */
static struct addr prefix_end(const struct prefix *prefix)
{
    struct addr end = prefix->addr;

    for (size_t i = 0; i < addr_len(end.family); i++) {
        end.octets[i] |= (uint8_t)~mask_octet(prefix->len, i);
    }
    return end;
}

/* The widest prefix that starts at `start` and does not go beyond `end`. */
static struct prefix widest(const struct addr *start, const struct addr *end)
{
    struct prefix best = {.addr = *start, .len = addr_bits(start->family)};

    while (best.len > 0) {
        struct prefix wider = {.addr = *start, .len = (uint8_t)(best.len - 1)};
        struct addr last = prefix_end(&wider);

        prefix_mask(&wider);
        if (!addr_equal(&wider.addr, start) || addr_compare(&last, end) > 0) {
            break;
        }
        best = wider;
    }
    return best;
}

/* The next address; false after the very last one. */
static bool advance(struct addr *addr)
{
    for (size_t i = addr_len(addr->family); i-- > 0;) {
        if (++addr->octets[i] != 0) {
            return true;
        }
    }
    return false;
}

size_t range_to_prefixes(const struct addr *start, const struct addr *end, struct prefix *out,
                         size_t cap)
{
    struct addr at = *start;
    size_t n = 0;

    if (start->family != end->family || start->family == FAMILY_NONE) {
        return 0;
    }
    while (addr_compare(&at, end) <= 0) {
        struct prefix next = widest(&at, end);

        if (n < cap) {
            out[n] = next;
        }
        n++;
        at = prefix_end(&next);
        if (!advance(&at)) {
            break;
        }
    }
    return n;
}
