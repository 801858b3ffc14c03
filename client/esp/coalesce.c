/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "esp/coalesce.h"

#include "esp/segment.h"
#include "esp/wire.h"

void coalesce_reset(struct coalescer *c)
{
    c->n = 0;
    c->latest = NULL;
    memset(c->chains, 0, sizeof(c->chains));
}

/* ---- may it be glued ---- */

static bool plain_tcp(const uint8_t *tcp, size_t len, size_t *header)
{
    if (len < TCP_HEADER) {
        return false;
    }
    *header = (size_t)(tcp[12] >> 4) * 4;
    return (tcp[13] & ~(TCP_PSH | TCP_FIN)) == TCP_ACK && *header >= TCP_HEADER && *header < len;
}

/* Without a checksum it stays alone, as in the kernel: what is cut again always has one. */
static bool plain_udp(const uint8_t *udp, size_t len, size_t *header)
{
    *header = UDP_HEADER;
    return len > UDP_HEADER && get_u16(udp + 4) == len && get_u16(udp + 6) != 0;
}

/* A plain data segment that may begin or continue a super-packet; *header: of its transport. */
static bool may_merge(const struct coalescer *c, const struct ip_info *info, const uint8_t *packet,
                      size_t *header)
{
    size_t ip = info->family == FAMILY_IPV4 ? IPV4_HEADER : IPV6_HEADER;
    if (!c->enabled || info->fragment || info->header_len != ip) {
        return false;
    }
    if (info->protocol == IPPROTO_TCP) {
        return plain_tcp(packet + ip, info->total_len - ip, header);
    }
    return info->protocol == IPPROTO_UDP && c->udp &&
           plain_udp(packet + ip, info->total_len - ip, header);
}

static bool same_ip(const struct frame *f, const struct ip_info *info, const uint8_t *packet)
{
    const uint8_t *first = f->iov[1].iov_base;
    if (info->family == FAMILY_IPV4) {
        /* Version, length of header, DSCP, ECN; DF; TTL. Identifications count up, or stand still
         * under DF (RFC 6864). */
        uint16_t step = (uint16_t)(get_u16(packet + 4) - get_u16(first + 4));
        bool counts = step == f->n;
        bool stands = step == 0 && info->dont_fragment;
        return memcmp(first, packet, 2) == 0 && memcmp(first + 6, packet + 6, 3) == 0 &&
               (counts || stands);
    }
    return memcmp(first, packet, 4) == 0 && first[7] == packet[7];
}

/* Acknowledgement; offset of the data; window; urgent pointer and options. Flags are ACK on both
 * sides. */
static bool follows_tcp(const struct frame *f, const uint8_t *tcp, size_t header)
{
    const uint8_t *first = (const uint8_t *)f->iov[1].iov_base + f->info.header_len;
    return get_u32(tcp + 4) == f->next_sequence && memcmp(first + 8, tcp + 8, 4) == 0 &&
           first[12] == tcp[12] && memcmp(first + 14, tcp + 14, 2) == 0 &&
           memcmp(first + 18, tcp + 18, header - 18) == 0;
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

/* `header`: of its transport. */
static bool append(struct frame *f, const struct ip_info *info, uint8_t *packet, size_t header)
{
    if (!f->open || f->n == COALESCE_PACKETS || info->header_len + header != f->header_len) {
        return false;
    }
    bool tcp = info->protocol == IPPROTO_TCP;
    const uint8_t *upper = packet + info->header_len;
    size_t payload = info->total_len - f->header_len;
    if (payload > f->segment || f->len + payload > IP_PACKET_MAX || !same_ip(f, info, packet) ||
        (tcp && !follows_tcp(f, upper, header))) {
        return false;
    }
    if (!f->verified && !checksum_good(&f->info, f->iov[1].iov_base)) {
        return false;
    }
    f->verified = true;
    if (!checksum_good(info, packet)) {
        return false;
    }
    f->n++;
    f->iov[f->n] = (struct iovec){packet + f->header_len, payload};
    f->len += payload;
    f->open = payload == f->segment;
    if (tcp) {
        uint8_t *first = f->iov[1].iov_base;
        first[info->header_len + 13] |= upper[13];
        f->next_sequence += (uint32_t)payload;
        f->open = f->open && (upper[13] & (TCP_PSH | TCP_FIN)) == 0;
    }
    return true;
}

static uint8_t *chain_of(struct coalescer *c, const struct flow *flow)
{
    return &c->chains[flow_hash(flow) & (COALESCE_CHAINS - 1)];
}

/* The latest frame of the flow. */
static struct frame *find(struct coalescer *c, const struct flow *flow)
{
    for (uint8_t at = *chain_of(c, flow); at != 0; at = c->frames[at - 1].next) {
        if (memcmp(&c->frames[at - 1].flow, flow, sizeof(*flow)) == 0) {
            return &c->frames[at - 1];
        }
    }
    return NULL;
}

/*
 * Whether it is of the flow of the latest frame, as most are; no later frame is of that flow then.
 * Before the ports of an open frame there is nothing but addresses.
 */
static bool of_latest_flow(const struct coalescer *c, const struct ip_info *info,
                           const uint8_t *packet)
{
    const struct frame *f = c->latest;
    if (f == NULL || !f->open || f->info.family != info->family ||
        f->info.protocol != info->protocol) {
        return false;
    }
    const uint8_t *first = f->iov[1].iov_base;
    return info->family == FAMILY_IPV4 ? memcmp(first + 12, packet + 12, 8 + 4) == 0
                                       : memcmp(first + 8, packet + 8, 32 + 4) == 0;
}

/* A frame of its own. `header`: of a transport that more may be glued to, or 0. */
static void begin(struct coalescer *c, const struct flow *flow, const struct ip_info *info,
                  uint8_t *packet, size_t header)
{
    struct frame *f = &c->frames[c->n++];
    uint8_t *chain = chain_of(c, flow);
    f->hdr = (struct virtio_net_hdr){.gso_type = VIRTIO_NET_HDR_GSO_NONE};
    f->iov[0] = (struct iovec){&f->hdr, sizeof(f->hdr)};
    f->iov[1] = (struct iovec){packet, info->total_len};
    f->n = 1;
    f->next = *chain;
    *chain = (uint8_t)c->n;
    c->latest = f;
    f->flow = *flow;
    f->info = *info;
    f->len = info->total_len;
    f->verified = false;
    f->open = header != 0;
    f->header_len = info->header_len + header;
    f->segment = info->total_len - f->header_len;
    if (f->open && info->protocol == IPPROTO_TCP) {
        const uint8_t *tcp = packet + info->header_len;
        f->next_sequence = get_u32(tcp + 4) + (uint32_t)f->segment;
        f->open = (tcp[13] & (TCP_PSH | TCP_FIN)) == 0;
    }
}

bool coalesce_add(struct coalescer *c, const struct ip_info *info, uint8_t *packet)
{
    struct flow flow;
    size_t header = 0;
    bool merges = may_merge(c, info, packet, &header);
    if (merges && of_latest_flow(c, info, packet) && append(c->latest, info, packet, header)) {
        return true;
    }
    flow_of(&flow, info, packet);
    struct frame *f = c->enabled ? find(c, &flow) : NULL;
    if (f != NULL) {
        if (merges && append(f, info, packet, header)) {
            c->latest = f;
            return true;
        }
        f->open = false; /* what comes later must not overtake this one */
    }
    if (c->n == COALESCE_FRAMES) {
        return false;
    }
    begin(c, &flow, info, packet, merges ? header : 0);
    return true;
}

/* The headers of a super-packet: its whole length, and the pseudo header's sum where the checksum
 * will be. */
static void finish(struct frame *f)
{
    uint8_t *packet = f->iov[1].iov_base;
    uint8_t *upper = packet + f->info.header_len;
    size_t upper_len = f->len - f->info.header_len;
    if (f->info.family == FAMILY_IPV4) {
        put_u16(packet + 2, (uint16_t)f->len);
        ipv4_checksum_set(packet);
    } else {
        put_u16(packet + 4, (uint16_t)(f->len - IPV6_HEADER));
    }
    f->hdr = (struct virtio_net_hdr){
        .flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
        .hdr_len = (uint16_t)f->header_len,
        .gso_size = (uint16_t)f->segment,
        .csum_start = (uint16_t)f->info.header_len,
    };
    if (f->info.protocol == IPPROTO_UDP) {
        put_u16(upper + 4, (uint16_t)upper_len);
        f->hdr.gso_type = VIRTIO_NET_HDR_GSO_UDP_L4;
        f->hdr.csum_offset = 6;
    } else {
        f->hdr.gso_type =
            f->info.family == FAMILY_IPV4 ? VIRTIO_NET_HDR_GSO_TCPV4 : VIRTIO_NET_HDR_GSO_TCPV6;
        f->hdr.csum_offset = 16;
    }
    uint16_t pseudo = checksum_fold(checksum_pseudo(&f->info, packet, upper_len));
    memcpy(upper + f->hdr.csum_offset, &pseudo, 2);
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
