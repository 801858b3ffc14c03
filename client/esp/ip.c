/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "esp/ip.h"

#include "esp/wire.h"

enum { ECN_NOT_ECT = 0, ECN_ECT1 = 1, ECN_ECT0 = 2, ECN_CE = 3 };

static bool parse_v4(struct ip_info *out, const uint8_t *packet, size_t len)
{
    if (len < IPV4_HEADER) {
        return false;
    }
    size_t header = (size_t)(packet[0] & 15) * 4;
    size_t total = get_u16(packet + 2);
    if (header < IPV4_HEADER || total < header || total > len) {
        return false;
    }
    uint16_t fragment = get_u16(packet + 6);
    *out = (struct ip_info){
        .family = FAMILY_IPV4,
        .protocol = packet[9],
        .fragment = (fragment & 0x3fff) != 0,
        .has_upper = (fragment & 0x1fff) == 0,
        .dont_fragment = (fragment & 0x4000) != 0,
        .header_len = header,
        .total_len = total,
    };
    return true;
}

static bool parse_v6(struct ip_info *out, const uint8_t *packet, size_t len)
{
    if (len < IPV6_HEADER) {
        return false;
    }
    size_t total = IPV6_HEADER + (size_t)get_u16(packet + 4);
    if (total > len) {
        return false;
    }
    struct ip_info info = {
        .family = FAMILY_IPV6,
        .protocol = packet[6],
        .has_upper = true,
        .dont_fragment = true,
        .header_len = IPV6_HEADER,
        .total_len = total,
    };
    while (info.has_upper) {
        const uint8_t *at = packet + info.header_len;
        size_t left = total - info.header_len;
        if (info.protocol == IPPROTO_FRAGMENT) {
            if (left < 8) {
                return false;
            }
            uint16_t offset = get_u16(at + 2);
            info.fragment = info.fragment || (offset & 0xfff9) != 0;
            info.has_upper = (offset & 0xfff8) == 0;
            info.protocol = at[0];
            info.header_len += 8;
        } else if (info.protocol == IPPROTO_HOPOPTS || info.protocol == IPPROTO_ROUTING ||
                   info.protocol == IPPROTO_DSTOPTS) {
            if (left < 8 || left < ((size_t)at[1] + 1) * 8) {
                return false;
            }
            info.protocol = at[0];
            info.header_len += ((size_t)at[1] + 1) * 8;
        } else {
            break;
        }
    }
    *out = info;
    return true;
}

bool ip_parse(struct ip_info *out, const uint8_t *packet, size_t len)
{
    if (len < 1) {
        return false;
    }
    switch (packet[0] >> 4) {
    case 4:
        return parse_v4(out, packet, len);
    case 6:
        return parse_v6(out, packet, len);
    default:
        return false;
    }
}

struct bytes ip_source(const struct ip_info *info, const uint8_t *packet)
{
    return info->family == FAMILY_IPV4 ? bytes_of(packet + 12, 4) : bytes_of(packet + 8, 16);
}

struct bytes ip_destination(const struct ip_info *info, const uint8_t *packet)
{
    return info->family == FAMILY_IPV4 ? bytes_of(packet + 16, 4) : bytes_of(packet + 24, 16);
}

uint8_t ip_tos(const uint8_t *packet)
{
    return packet[0] >> 4 == 4 ? packet[1] : (uint8_t)((packet[0] & 15) << 4 | packet[1] >> 4);
}

/* Four sums at once, on any machine: the compiler chooses the registers. */
typedef uint64_t lanes __attribute__((vector_size(32)));

uint64_t checksum_add(uint64_t sum, const uint8_t *data, size_t len)
{
    /* 32-bit halves in 64-bit sums cannot overflow for any IP packet, so carries wait until the
     * fold. */
    lanes low = {0};
    lanes high = {0};
    for (; len >= sizeof(lanes); data += sizeof(lanes), len -= sizeof(lanes)) {
        lanes words;
        memcpy(&words, data, sizeof(words));
        low += words & UINT32_MAX;
        high += words >> 32;
    }
    low += high;
    sum += low[0] + low[1] + low[2] + low[3];
    for (; len >= 4; data += 4, len -= 4) {
        uint32_t word;
        memcpy(&word, data, 4);
        sum += word;
    }
    for (; len >= 2; data += 2, len -= 2) {
        uint16_t word;
        memcpy(&word, data, 2);
        sum += word;
    }
    if (len == 1) {
        uint16_t word = 0;
        memcpy(&word, data, 1);
        sum += word;
    }
    return sum;
}

uint16_t checksum_fold(uint64_t sum)
{
    while (sum >> 16 != 0) {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    return (uint16_t)sum;
}

uint64_t checksum_pseudo(const struct ip_info *info, const uint8_t *packet, size_t upper_len)
{
    struct bytes from = ip_source(info, packet);
    struct bytes to = ip_destination(info, packet);
    uint8_t tail[8] = {[7] = info->protocol};
    put_u32(tail, (uint32_t)upper_len);
    uint64_t sum = checksum_add(0, from.data, from.len);
    sum = checksum_add(sum, to.data, to.len);
    return checksum_add(sum, tail, sizeof(tail));
}

void ipv4_checksum_set(uint8_t *packet)
{
    put_u16(packet + 10, 0);
    uint16_t sum = (uint16_t)~checksum_fold(checksum_add(0, packet, (size_t)(packet[0] & 15) * 4));
    memcpy(packet + 10, &sum, 2);
}

void checksum_store(uint8_t *at, uint64_t sum)
{
    uint16_t value = (uint16_t)~checksum_fold(sum);
    if (value == 0) {
        value = 0xffff;
    }
    memcpy(at, &value, 2);
}

void checksum_replace(uint8_t *at, uint16_t before, uint16_t after)
{
    uint64_t sum = (uint16_t)~get_u16(at);
    sum += (uint16_t)~before;
    sum += after;
    put_u16(at, (uint16_t)~checksum_fold(sum));
}

static void ecn_set(uint8_t *packet, uint8_t ecn)
{
    if (packet[0] >> 4 == 4) {
        uint16_t before = get_u16(packet);
        packet[1] = (uint8_t)((packet[1] & ~3) | ecn);
        checksum_replace(packet + 10, before, get_u16(packet));
    } else {
        packet[1] = (uint8_t)((packet[1] & ~0x30) | ecn << 4);
    }
}

bool ip_ecn_decapsulate(uint8_t *packet, uint8_t outer_ecn)
{
    uint8_t inner = ip_tos(packet) & 3;
    if (outer_ecn == ECN_CE) {
        if (inner == ECN_NOT_ECT) {
            return false;
        }
        if (inner != ECN_CE) {
            ecn_set(packet, ECN_CE);
        }
    } else if (outer_ecn == ECN_ECT1 && inner == ECN_ECT0) {
        ecn_set(packet, ECN_ECT1);
    }
    return true;
}

void tcp_clamp_mss(const struct ip_info *info, uint8_t *packet, uint16_t mtu)
{
    if (info->protocol != IPPROTO_TCP || !info->has_upper ||
        info->total_len - info->header_len < TCP_HEADER) {
        return;
    }
    uint8_t *tcp = packet + info->header_len;
    size_t header = (size_t)(tcp[12] >> 4) * 4;
    if ((tcp[13] & TCP_SYN) == 0 || header < TCP_HEADER ||
        header > info->total_len - info->header_len) {
        return;
    }
    size_t fixed = TCP_HEADER + (info->family == FAMILY_IPV4 ? IPV4_HEADER : IPV6_HEADER);
    if (mtu <= fixed) {
        return;
    }
    uint16_t limit = (uint16_t)(mtu - fixed);
    for (size_t at = TCP_HEADER; at < header;) {
        uint8_t kind = tcp[at];
        if (kind == 0) {
            return;
        }
        if (kind == 1) {
            at++;
            continue;
        }
        if (header - at < 2 || tcp[at + 1] < 2 || tcp[at + 1] > header - at) {
            return;
        }
        if (kind == 2 && tcp[at + 1] == 4) {
            uint16_t mss = get_u16(tcp + at + 2);
            if (mss > limit) {
                /* The option may start at an odd offset; the sum runs over even ones. */
                size_t even = (at + 2) & ~(size_t)1;
                uint16_t first = get_u16(tcp + even);
                uint16_t second = even == at + 2 ? 0 : get_u16(tcp + even + 2);
                put_u16(tcp + at + 2, limit);
                checksum_replace(tcp + 16, first, get_u16(tcp + even));
                if (even != at + 2) {
                    checksum_replace(tcp + 16, second, get_u16(tcp + even + 2));
                }
            }
            return;
        }
        at += tcp[at + 1];
    }
}
