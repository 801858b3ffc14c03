/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_ESP_SEGMENT_H
#define GODWIT_ESP_SEGMENT_H

#include <linux/virtio_net.h>

#include "esp/ip.h"

/* Linux 6.2; the headers of Debian 12 know it, older ones do not. */
#ifndef VIRTIO_NET_HDR_GSO_UDP_L4
#define VIRTIO_NET_HDR_GSO_UDP_L4 5
#endif

/*
 * Cuts a frame of a TUN device (TCP or UDP with segmentation offload, or one plain packet) into the
 * packets that go on the wire, with their lengths, identifications, sequence numbers, flags and
 * checksums.
 */
struct segmenter {
    struct ip_info info;
    const uint8_t *packet;
    size_t header_len;  /* IP and transport header, before each segment's payload */
    size_t segment;     /* payload octets of each packet but the last */
    size_t at;          /* payload already cut off */
    uint64_t ip_sum;    /* of what is the same in each IPv4 header */
    uint64_t upper_sum; /* and in each transport header with its pseudo header */
    uint16_t index;
    bool cut; /* more than a plain packet */
    bool done;
};

/*
 * Checks the frame against its header and completes a checksum that was left to us, in place.
 * `packet` is borrowed until the last segment. ERR_SYNTAX when header and packet contradict each
 * other.
 */
enum err segment_begin(struct segmenter *s, const struct virtio_net_hdr *hdr, uint8_t *packet,
                       size_t len) ERR_CHECK;
/* Length of the next packet, 0 when there is none left. */
size_t segment_next_len(const struct segmenter *s);
/* Writes the next packet (segment_next_len octets). */
void segment_next(struct segmenter *s, uint8_t *out);

/* ---- packets that are too long for the tunnel ---- */

/*
 * One fragment of an IPv4 packet (RFC 791 3.2) that carries the payload from *offset on; *offset
 * advances and the return is the fragment's length, 0 when all is done. `out` holds `mtu` octets,
 * at least 68. `info` came from ip_parse.
 */
size_t ipv4_fragment(const struct ip_info *info, const uint8_t *packet, size_t *offset, size_t mtu,
                     uint8_t *out);

#define ICMP_TOO_BIG_MAX 1280
/*
 * Makes the ICMP error that tells the sender of `packet` to use `mtu` (RFC 792 and 1191; RFC
 * 4443 3.2), as if from the packet's destination. Returns its length, 0 when no error may be sent
 * about this packet (RFC 1122 3.2.2, RFC 4443 2.4).
 */
size_t icmp_too_big(const struct ip_info *info, const uint8_t *packet, uint16_t mtu,
                    uint8_t out[static ICMP_TOO_BIG_MAX]);

#endif
