/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "esp/segment.h"

#include "esp/wire.h"

/*
 * Completes the checksum whose field holds the pseudo header's sum (virtio 1.2, 5.1.6.2). It lies
 * behind the IP header, which has been checked and must stay as it is.
 */
static enum err complete_checksum(const struct segmenter *s, const struct virtio_net_hdr *hdr,
                                  uint8_t *packet)
{
    size_t start = hdr->csum_start;
    size_t field = start + hdr->csum_offset;
    size_t len = s->info.total_len;
    if (start < s->info.header_len || field + 2 > len) {
        return ERR_SYNTAX;
    }
    checksum_store(packet + field, checksum_add(0, packet + start, len - start));
    return OK;
}

static enum err begin_tcp(struct segmenter *s, size_t len)
{
    size_t at = s->info.header_len;
    if (s->info.protocol != IPPROTO_TCP || len - at < TCP_HEADER) {
        return ERR_SYNTAX;
    }
    size_t tcp = (size_t)(s->packet[at + 12] >> 4) * 4;
    if (tcp < TCP_HEADER || tcp > len - at || (s->packet[at + 13] & TCP_SYN) != 0) {
        return ERR_SYNTAX;
    }
    s->header_len = at + tcp;
    return OK;
}

static enum err begin_udp(struct segmenter *s, size_t len)
{
    size_t at = s->info.header_len;
    if (s->info.protocol != IPPROTO_UDP || len - at < UDP_HEADER) {
        return ERR_SYNTAX;
    }
    s->header_len = at + UDP_HEADER;
    return OK;
}

/*
 * What all segments have in common is summed once, and not read back from where it was just written
 * in other widths, which processors do slowly.
 */
static void sum_common(struct segmenter *s)
{
    uint8_t header[IPV4_HEADER_MAX];
    size_t at = s->info.header_len;
    if (s->info.family == FAMILY_IPV4) {
        memcpy(header, s->packet, at);
        memset(header + 2, 0, 4); /* length, identification */
        memset(header + 10, 0, 2);
        s->ip_sum = checksum_add(0, header, at);
    }
    size_t len = s->header_len - at;
    memcpy(header, s->packet + at, len);
    if (s->info.protocol == IPPROTO_TCP) {
        memset(header + 4, 0, 4);  /* sequence number */
        memset(header + 12, 0, 2); /* flags, beside the offset of the data */
        memset(header + 16, 0, 2);
    } else {
        memset(header + 4, 0, 4); /* length, checksum */
    }
    s->upper_sum = checksum_add(checksum_pseudo(&s->info, s->packet, 0), header, len);
}

/* Segmentation offload always leaves the checksum to us, so its start names the transport header
 * twice. */
static enum err begin_cut(struct segmenter *s, const struct virtio_net_hdr *hdr, size_t len)
{
    if (hdr->gso_size == 0 || (hdr->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) == 0 ||
        hdr->csum_start != s->info.header_len || s->info.fragment) {
        return ERR_SYNTAX;
    }
    enum err err = ERR_SYNTAX;
    switch (hdr->gso_type & ~VIRTIO_NET_HDR_GSO_ECN) {
    case VIRTIO_NET_HDR_GSO_TCPV4:
        err = s->info.family == FAMILY_IPV4 ? begin_tcp(s, len) : ERR_SYNTAX;
        break;
    case VIRTIO_NET_HDR_GSO_TCPV6:
        err = s->info.family == FAMILY_IPV6 ? begin_tcp(s, len) : ERR_SYNTAX;
        break;
    case VIRTIO_NET_HDR_GSO_UDP_L4:
        err = begin_udp(s, len);
        break;
    default:
        break;
    }
    s->segment = hdr->gso_size;
    s->cut = true;
    if (err == OK) {
        sum_common(s);
    }
    return err;
}

enum err segment_begin(struct segmenter *s, const struct virtio_net_hdr *hdr, uint8_t *packet,
                       size_t len)
{
    *s = (struct segmenter){.packet = packet};
    if (!ip_parse(&s->info, packet, len)) {
        return ERR_SYNTAX;
    }
    len = s->info.total_len;
    if ((hdr->gso_type & ~VIRTIO_NET_HDR_GSO_ECN) != VIRTIO_NET_HDR_GSO_NONE) {
        return begin_cut(s, hdr, len);
    }
    if ((hdr->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) != 0) {
        return complete_checksum(s, hdr, packet);
    }
    return OK;
}

size_t segment_next_len(const struct segmenter *s)
{
    if (s->done) {
        return 0;
    }
    if (!s->cut) {
        return s->info.total_len;
    }
    size_t left = s->info.total_len - s->header_len - s->at;
    return s->header_len + (left < s->segment ? left : s->segment);
}

/* A 16-bit field, written and as part of a sum. */
static uint16_t put_summed(uint8_t *at, uint16_t value)
{
    uint16_t stored;
    put_u16(at, value);
    put_u16((uint8_t *)&stored, value);
    return stored;
}

static void finish_ip(const struct segmenter *s, uint8_t *out, size_t len)
{
    if (s->info.family == FAMILY_IPV4) {
        uint64_t sum = s->ip_sum + put_summed(out + 2, (uint16_t)len);
        sum += put_summed(out + 4, (uint16_t)(get_u16(s->packet + 4) + s->index));
        uint16_t checksum = (uint16_t)~checksum_fold(sum);
        memcpy(out + 10, &checksum, 2);
    } else {
        put_u16(out + 4, (uint16_t)(len - IPV6_HEADER));
    }
}

/* The flags of the segment at hand. */
static uint8_t tcp_flags(const struct segmenter *s, bool last)
{
    uint8_t flags = s->packet[s->info.header_len + 13];
    if (!last) {
        flags &= (uint8_t) ~(TCP_FIN | TCP_PSH);
    }
    if (s->index > 0) {
        flags &= (uint8_t)~TCP_CWR; /* RFC 3168 6.1.2: one packet answers the echo */
    }
    return flags;
}

static void finish_upper(const struct segmenter *s, uint8_t *upper, size_t len, uint64_t sum,
                         bool last)
{
    const uint8_t *first = s->packet + s->info.header_len;
    sum += s->upper_sum;
    if (s->info.protocol == IPPROTO_TCP) {
        uint32_t sequence = (uint32_t)(get_u32(first + 4) + s->at);
        uint8_t length[2];
        sum += put_summed(upper + 4, (uint16_t)(sequence >> 16));
        sum += put_summed(upper + 6, (uint16_t)sequence);
        sum += put_summed(upper + 12, (uint16_t)(first[12] << 8 | tcp_flags(s, last)));
        sum += put_summed(length, (uint16_t)len); /* of the pseudo header */
        checksum_store(upper + 16, sum);
    } else {
        /* Its length counts twice: in the header and in the pseudo header. */
        sum += 2 * (uint64_t)put_summed(upper + 4, (uint16_t)len);
        checksum_store(upper + 6, sum);
    }
}

void segment_next(struct segmenter *s, uint8_t *out)
{
    size_t len = segment_next_len(s);
    if (!s->cut) {
        memcpy(out, s->packet, len);
        s->done = true;
        return;
    }
    const uint8_t *from = s->packet + s->header_len + s->at;
    size_t payload = len - s->header_len;
    bool last = s->at + payload >= s->info.total_len - s->header_len;
    memcpy(out, s->packet, s->header_len);
    uint64_t sum = checksum_copy(0, out + s->header_len, from, payload);
    finish_ip(s, out, len);
    finish_upper(s, out + s->info.header_len, len - s->info.header_len, sum, last);
    s->at += payload;
    s->index++;
    s->done = last;
}
