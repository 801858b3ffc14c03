/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "esp/segment.h"
#include "esp/wire.h"

#define IPV4_MORE_FRAGMENTS 0x2000
#define IPV4_OFFSET 0x1fff

#define IPV4_ERROR_MAX 576 /* RFC 1812 4.3.2.3 */
#define ICMP_HEADER 8
#define ICMPV4_UNREACHABLE 3
#define ICMPV4_FRAGMENTATION_NEEDED 4
#define ICMPV6_PACKET_TOO_BIG 2
#define ERROR_TTL 64
#define TOS_INTERNETWORK_CONTROL 0xc0 /* RFC 1812 4.3.2.5 */

/* Later fragments carry only the options whose copied bit is set (RFC 791 3.1); the others become
 * no-operations. */
static void drop_uncopied_options(uint8_t *header, size_t len)
{
    for (size_t at = IPV4_HEADER; at < len;) {
        uint8_t kind = header[at];
        size_t octets = 1;
        if (kind == 0) {
            return;
        }
        if (kind != 1) {
            if (len - at < 2 || header[at + 1] < 2 || header[at + 1] > len - at) {
                return;
            }
            octets = header[at + 1];
            if ((kind & 0x80) == 0) {
                memset(header + at, 1, octets);
            }
        }
        at += octets;
    }
}

size_t ipv4_fragment(const struct ip_info *info, const uint8_t *packet, size_t *offset, size_t mtu,
                     uint8_t *out)
{
    size_t payload = info->total_len - info->header_len;
    if (*offset >= payload || mtu < info->header_len + 8) {
        return 0;
    }
    size_t room = (mtu - info->header_len) & ~(size_t)7;
    size_t part = payload - *offset;
    bool last = part <= mtu - info->header_len;
    if (!last) {
        part = room;
    }
    memcpy(out, packet, info->header_len);
    memcpy(out + info->header_len, packet + info->header_len + *offset, part);
    /* A packet that is a fragment already keeps its place in the original. */
    uint16_t field = get_u16(packet + 6);
    uint16_t more = last ? field & IPV4_MORE_FRAGMENTS : IPV4_MORE_FRAGMENTS;
    put_u16(out + 6, (uint16_t)(more | (((field & IPV4_OFFSET) + *offset / 8) & IPV4_OFFSET)));
    put_u16(out + 2, (uint16_t)(info->header_len + part));
    if (*offset > 0) {
        drop_uncopied_options(out, info->header_len);
    }
    ipv4_checksum_set(out);
    *offset += part;
    return info->header_len + part;
}

/* RFC 1122 3.2.2 and RFC 4443 2.4 e: never about an error, a later fragment, or from and to more
 * than one host. */
static bool may_report(const struct ip_info *info, const uint8_t *packet)
{
    const uint8_t *upper = packet + info->header_len;
    size_t left = info->total_len - info->header_len;
    if (!info->has_upper) {
        return false;
    }
    if (info->family == FAMILY_IPV4) {
        if (info->protocol == IPPROTO_ICMP) {
            bool query =
                left >= 1 && (upper[0] == 0 || upper[0] == 8 || (upper[0] >= 13 && upper[0] <= 18));
            if (!query) {
                return false;
            }
        }
        /* 0/8, 127/8 and class D and E are no hosts that could be told or speak. */
        return packet[12] != 0 && packet[12] != 127 && packet[12] < 224 && packet[16] != 0 &&
               packet[16] != 127 && packet[16] < 224;
    }
    if (info->protocol == IPPROTO_ICMPV6 && (left < 1 || upper[0] < 128)) {
        return false;
    }
    static const uint8_t unspecified[16];
    return packet[8] != 0xff && packet[24] != 0xff && memcmp(packet + 8, unspecified, 16) != 0;
}

size_t icmp_too_big(const struct ip_info *info, const uint8_t *packet, uint16_t mtu,
                    uint8_t out[static ICMP_TOO_BIG_MAX])
{
    if (!may_report(info, packet)) {
        return 0;
    }
    bool v4 = info->family == FAMILY_IPV4;
    size_t header = v4 ? IPV4_HEADER : IPV6_HEADER;
    size_t quoted = (v4 ? IPV4_ERROR_MAX : ICMP_TOO_BIG_MAX) - header - ICMP_HEADER;
    if (quoted > info->total_len) {
        quoted = info->total_len;
    }
    size_t icmp_len = ICMP_HEADER + quoted;
    uint8_t *icmp = out + header;
    memset(out, 0, header + ICMP_HEADER);
    memcpy(icmp + ICMP_HEADER, packet, quoted);
    struct ip_info reply = {.family = info->family};
    if (v4) {
        out[0] = 0x45;
        out[1] = TOS_INTERNETWORK_CONTROL;
        put_u16(out + 2, (uint16_t)(header + icmp_len));
        out[8] = ERROR_TTL;
        out[9] = IPPROTO_ICMP;
        memcpy(out + 12, packet + 16, 4);
        memcpy(out + 16, packet + 12, 4);
        ipv4_checksum_set(out);
        icmp[0] = ICMPV4_UNREACHABLE;
        icmp[1] = ICMPV4_FRAGMENTATION_NEEDED;
        put_u16(icmp + 6, mtu);
        checksum_store(icmp + 2, checksum_add(0, icmp, icmp_len));
    } else {
        out[0] = 0x60;
        put_u16(out + 4, (uint16_t)icmp_len);
        out[6] = IPPROTO_ICMPV6;
        out[7] = ERROR_TTL;
        memcpy(out + 8, packet + 24, 16);
        memcpy(out + 24, packet + 8, 16);
        icmp[0] = ICMPV6_PACKET_TOO_BIG;
        put_u32(icmp + 4, mtu);
        reply.protocol = IPPROTO_ICMPV6;
        checksum_store(icmp + 2,
                       checksum_add(checksum_pseudo(&reply, out, icmp_len), icmp, icmp_len));
    }
    return header + icmp_len;
}
