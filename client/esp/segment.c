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

static void set_lengths(const struct segmenter *s, uint8_t *out, size_t len)
{
    if (s->info.family == FAMILY_IPV4) {
        put_u16(out + 2, (uint16_t)len);
        put_u16(out + 4, (uint16_t)(get_u16(out + 4) + s->index));
        ipv4_checksum_set(out);
    } else {
        put_u16(out + 4, (uint16_t)(len - IPV6_HEADER));
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
    size_t payload = len - s->header_len;
    memcpy(out, s->packet, s->header_len);
    memcpy(out + s->header_len, s->packet + s->header_len + s->at, payload);
    bool last = s->at + payload >= s->info.total_len - s->header_len;
    set_lengths(s, out, len);

    uint8_t *upper = out + s->info.header_len;
    size_t upper_len = len - s->info.header_len;
    uint8_t *checksum;
    if (s->info.protocol == IPPROTO_TCP) {
        put_u32(upper + 4, (uint32_t)(get_u32(upper + 4) + s->at));
        if (!last) {
            upper[13] &= (uint8_t) ~(TCP_FIN | TCP_PSH);
        }
        if (s->index > 0) {
            upper[13] &= (uint8_t)~TCP_CWR; /* RFC 3168 6.1.2: one packet answers the echo */
        }
        checksum = upper + 16;
    } else {
        put_u16(upper + 4, (uint16_t)upper_len);
        checksum = upper + 6;
    }
    put_u16(checksum, 0);
    checksum_store(checksum,
                   checksum_add(checksum_pseudo(&s->info, out, upper_len), upper, upper_len));
    s->at += payload;
    s->index++;
    s->done = last;
}
