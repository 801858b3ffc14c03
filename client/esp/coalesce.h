/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_ESP_COALESCE_H
#define GODWIT_ESP_COALESCE_H

#include <linux/virtio_net.h>
#include <sys/uio.h>

#include "esp/selector.h"

/*
 * Glues TCP and UDP packets of one flow, opened from one receive batch, into super-packets for the
 * TUN, by the rules of the kernel's own receive offload: equal in all headers but lengths,
 * checksums and, for TCP, consecutive sequence numbers and the last one's PSH and FIN; of equal
 * size but the last. Nothing is copied: a frame is a list of pieces that stay where they were
 * opened.
 */
#define COALESCE_FRAMES 64
#define COALESCE_PACKETS 64 /* pieces of one frame */
#define COALESCE_CHAINS 64  /* a power of two */

struct frame {
    struct virtio_net_hdr hdr;
    uint8_t n;     /* packets in it */
    uint8_t next;  /* in its chain: 1 + index of an earlier frame, 0 = none */
    bool open;     /* more may be appended */
    bool verified; /* the first packet's checksum was found good */
    struct flow flow;
    struct ip_info info;
    size_t header_len;                      /* IP and transport */
    size_t segment;                         /* payload of the first packet */
    size_t len;                             /* of all, with one header */
    uint32_t next_sequence;                 /* TCP */
    struct iovec iov[1 + COALESCE_PACKETS]; /* the first is `hdr` */
};

struct coalescer {
    bool enabled; /* the TUN takes struct virtio_net_hdr */
    bool udp;     /* and UDP super-packets (Linux 6.2) */
    size_t n;
    struct frame *latest;                 /* begun or grown; NULL: none yet */
    uint8_t chains[COALESCE_CHAINS];      /* 1 + index of the latest frame, 0 = none */
    struct frame frames[COALESCE_FRAMES]; /* in the order of their first packets; of one flow the
                                             latest grows */
};

/* Octets of all its packets, as they came. */
static inline size_t coalesce_octets(const struct frame *f)
{
    return f->len + (f->n - 1u) * f->header_len;
}
void coalesce_reset(struct coalescer *c);
/* Takes a packet (borrowed until coalesce_reset). False when there is no room: write all frames,
 * reset, try again. */
bool coalesce_add(struct coalescer *c, const struct ip_info *info, uint8_t *packet);
/* Finishes frame `index` and gives its pieces, with the virtio header when enabled. */
const struct iovec *coalesce_frame(struct coalescer *c, size_t index, size_t *n_iov);

#endif
