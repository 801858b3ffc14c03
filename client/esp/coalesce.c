/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "esp/coalesce.h"

#include "esp/wire.h"

void coalesce_reset(struct coalescer *c)
{
    c->n = 0;
}

/* A plain data segment that may begin or continue a super-packet. */
static bool may_merge(const struct ip_info *info, const uint8_t *packet)
{
    size_t ip = info->family == FAMILY_IPV4 ? IPV4_HEADER : IPV6_HEADER;
    if (info->protocol != IPPROTO_TCP || info->fragment || info->header_len != ip ||
        info->total_len - ip < TCP_HEADER) {
        return false;
    }
    const uint8_t *tcp = packet + ip;
    size_t header = (size_t)(tcp[12] >> 4) * 4;
    return (tcp[13] & ~(TCP_PSH | TCP_FIN)) == TCP_ACK && header >= TCP_HEADER &&
           header < info->total_len - ip;
}

static bool same_flow(const struct frame *f, const struct ip_info *info, const uint8_t *packet)
{
    const uint8_t *first = f->iov[1].iov_base;
    size_t at = f->info.header_len;
    return f->info.family == info->family && f->info.protocol == IPPROTO_TCP &&
           info->protocol == IPPROTO_TCP && info->header_len == at && f->info.has_upper &&
           info->has_upper && f->info.total_len >= at + 4 && info->total_len >= at + 4 &&
           bytes_equal(ip_source(&f->info, first), ip_source(info, packet)) &&
           bytes_equal(ip_destination(&f->info, first), ip_destination(info, packet)) &&
           memcmp(first + at, packet + at, 4) == 0;
}

static bool same_headers(const struct frame *f, const struct ip_info *info, const uint8_t *packet)
{
    const uint8_t *first = f->iov[1].iov_base;
    if (info->family == FAMILY_IPV4) {
        /* Version, length of header, DSCP, ECN; DF; TTL. Identifications count up, or stand still
         * under DF (RFC 6864). */
        uint16_t step = (uint16_t)(get_u16(packet + 4) - get_u16(first + 4));
        bool counts = step == f->n;
        bool stands = step == 0 && info->dont_fragment;
        if (memcmp(first, packet, 2) != 0 || memcmp(first + 6, packet + 6, 3) != 0 ||
            !(counts || stands)) {
            return false;
        }
    } else if (memcmp(first, packet, 4) != 0 || first[7] != packet[7]) {
        return false;
    }
    const uint8_t *a = first + info->header_len;
    const uint8_t *b = packet + info->header_len;
    size_t tcp = f->header_len - info->header_len;
    /* Acknowledgement; offset of the data; window; urgent pointer and options. Flags are ACK on
     * both sides. */
    return memcmp(a + 8, b + 8, 4) == 0 && a[12] == b[12] && memcmp(a + 14, b + 14, 2) == 0 &&
           memcmp(a + 18, b + 18, tcp - 18) == 0;
}

static bool checksum_good(const struct ip_info *info, const uint8_t *packet)
{
    size_t len = info->total_len - info->header_len;
    if (info->family == FAMILY_IPV4 &&
        checksum_fold(checksum_add(0, packet, IPV4_HEADER)) != 0xffff) {
        return false;
    }
    return checksum_fold(checksum_add(checksum_pseudo(info, packet, len), packet + info->header_len,
                                      len)) == 0xffff;
}

static bool append(struct frame *f, const struct ip_info *info, uint8_t *packet)
{
    size_t payload = info->total_len - f->header_len;
    const uint8_t *tcp = packet + info->header_len;
    if (!f->open || !may_merge(info, packet) || !same_headers(f, info, packet) ||
        get_u32(tcp + 4) != f->next_sequence || payload > f->segment || f->n == COALESCE_PACKETS ||
        f->len + payload > IP_PACKET_MAX) {
        return false;
    }
    if (!f->verified && !checksum_good(&f->info, f->iov[1].iov_base)) {
        return false;
    }
    f->verified = true;
    if (!checksum_good(info, packet)) {
        return false;
    }
    uint8_t *first = f->iov[1].iov_base;
    first[info->header_len + 13] |= tcp[13];
    f->n++;
    f->iov[f->n] = (struct iovec){packet + f->header_len, payload};
    f->len += payload;
    f->next_sequence += (uint32_t)payload;
    f->open = payload == f->segment && (tcp[13] & (TCP_PSH | TCP_FIN)) == 0;
    return true;
}

bool coalesce_add(struct coalescer *c, const struct ip_info *info, uint8_t *packet)
{
    for (size_t i = c->enabled ? c->n : 0; i-- > 0;) {
        struct frame *f = &c->frames[i];
        if (same_flow(f, info, packet)) {
            if (append(f, info, packet)) {
                return true;
            }
            f->open = false;
            break;
        }
    }
    if (c->n == COALESCE_FRAMES) {
        return false;
    }
    struct frame *f = &c->frames[c->n++];
    f->hdr = (struct virtio_net_hdr){.gso_type = VIRTIO_NET_HDR_GSO_NONE};
    f->iov[0] = (struct iovec){&f->hdr, sizeof(f->hdr)};
    f->iov[1] = (struct iovec){packet, info->total_len};
    f->n = 1;
    f->info = *info;
    f->len = info->total_len;
    f->verified = false;
    f->open = c->enabled && may_merge(info, packet);
    if (f->open) {
        const uint8_t *tcp = packet + info->header_len;
        f->header_len = info->header_len + (size_t)(tcp[12] >> 4) * 4;
        f->segment = info->total_len - f->header_len;
        f->next_sequence = get_u32(tcp + 4) + (uint32_t)f->segment;
        f->open = (tcp[13] & (TCP_PSH | TCP_FIN)) == 0;
    }
    return true;
}

/* The headers of a super-packet: its whole length, and the pseudo header's sum where the checksum
 * will be. */
static void finish(struct frame *f)
{
    uint8_t *packet = f->iov[1].iov_base;
    if (f->info.family == FAMILY_IPV4) {
        put_u16(packet + 2, (uint16_t)f->len);
        ipv4_checksum_set(packet);
    } else {
        put_u16(packet + 4, (uint16_t)(f->len - IPV6_HEADER));
    }
    uint16_t pseudo = checksum_fold(checksum_pseudo(&f->info, packet, f->len - f->info.header_len));
    memcpy(packet + f->info.header_len + 16, &pseudo, 2);
    f->hdr = (struct virtio_net_hdr){
        .flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
        .gso_type =
            f->info.family == FAMILY_IPV4 ? VIRTIO_NET_HDR_GSO_TCPV4 : VIRTIO_NET_HDR_GSO_TCPV6,
        .hdr_len = (uint16_t)f->header_len,
        .gso_size = (uint16_t)f->segment,
        .csum_start = (uint16_t)f->info.header_len,
        .csum_offset = 16,
    };
}

const struct iovec *coalesce_frame(struct coalescer *c, size_t index, size_t *n_iov)
{
    struct frame *f = &c->frames[index];
    if (f->n > 1 && f->hdr.gso_type == VIRTIO_NET_HDR_GSO_NONE) {
        finish(f);
    }
    *n_iov = f->n + (c->enabled ? 1u : 0u);
    return c->enabled ? f->iov : f->iov + 1;
}
