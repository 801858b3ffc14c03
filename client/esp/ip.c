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
