/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/cursor.h"
#include "crypto/crypt.h"
#include "esp/datapath_internal.h"
#include "fuzz/fuzz_esp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/*
 * Inbound ESP from the UDP run to the frames that reach the TUN. The input is a list of datagrams;
 * those marked as authentic are sealed here with the right key, so that what a gateway may put
 * inside is reached: trailers, inner headers, neighbours that are glued. datagram: flags (1
 * authentic, 2 no tunnel trailer of ours, 4 replay the last number, 8 from port 500, 16 ends the
 * run, 32 the next run has come before this one is given on), ECN, length (2 octets), octets
 */
#define SPI 0x01020304
#define RUN_MAX 65536

/* What came out is something that the kernel, and our own segmenter, take. */
static void read_back(int fd)
{
    static uint8_t frame[70000];
    ssize_t n;
    while ((n = recv(fd, frame, sizeof(frame), MSG_DONTWAIT)) > 0) {
        struct virtio_net_hdr hdr = {.gso_type = VIRTIO_NET_HDR_GSO_NONE};
        const size_t before = sizeof(hdr);
        check((size_t)n > before);
        memcpy(&hdr, frame, before);
        struct segmenter s;
        check(segment_begin(&s, &hdr, frame + before, (size_t)n - before) == OK);
        check(s.info.total_len == (size_t)n - before);
        check(hdr.gso_type == VIRTIO_NET_HDR_GSO_NONE || s.segment < s.info.total_len);
    }
}

/* Appends one datagram to the run; its length. */
static size_t put_datagram(uint8_t *out, size_t cap, unsigned flags, uint32_t sequence,
                           struct bytes content, struct crypt *crypt)
{
    size_t len = (flags & 1) != 0 ? 8 + 8 + content.len + 6 + 16 : content.len;
    if (len > cap) {
        return 0;
    }
    struct writer w = writer_of(out, cap);
    if ((flags & 1) == 0) {
        wr_bytes(&w, content);
        return len;
    }
    wr_u32(&w, SPI);
    wr_u32(&w, sequence);
    wr_zeros(&w, 8);
    wr_bytes(&w, content);
    size_t text = content.len;
    if ((flags & 2) == 0 && content.len > 0) {
        size_t pad = (4 - (content.len + 2) % 4) % 4;
        wr_zeros(&w, pad);
        wr_u8(&w, (uint8_t)pad);
        wr_u8(&w, content.data[0] >> 4 == 4 ? 4 : 41);
        text += pad + 2;
    }
    check(crypt_seal(crypt, sequence, bytes_of(out, 8), bytes_of(NULL, 0), out + 16, text) == OK);
    return 16 + text + 16;
}

static void run_input(struct inbound *in, struct crypt *crypt, int tun, struct reader *r)
{
    static uint8_t room[2 * RUN_MAX];
    uint8_t *run = room;
    uint32_t sequence = 1;
    size_t used = 0;
    struct udp_meta meta = {.remote.port = 4500};
    while (r->left > 4) {
        unsigned flags = rd_u8(r);
        uint8_t tos = rd_u8(r);
        size_t len = rd_u16(r);
        struct bytes content = rd_bytes(r, len < r->left ? len : r->left);
        size_t cap = used == 0                       ? RUN_MAX
                     : meta.segment < RUN_MAX - used ? meta.segment
                                                     : RUN_MAX - used;
        size_t n = put_datagram(run + used, cap, flags, sequence, content, crypt);
        sequence += (flags & 4) == 0;
        if (n == 0) {
            continue;
        }
        if (used == 0) {
            meta.segment = n;
            meta.tos = tos;
            meta.remote.port = (flags & 8) != 0 ? 500 : 4500;
        }
        used += n;
        /* A shorter datagram ends a run, as in the kernel. */
        if (n < meta.segment || r->left <= 4 || (flags & 16) != 0) {
            inbound_run(in, run, used, &meta, -1);
            run += used;
            used = 0;
            if ((flags & 32) == 0 || run > room + RUN_MAX) {
                inbound_flush(in);
                read_back(tun);
                run = room;
            }
        }
    }
    if (used > 0) {
        inbound_run(in, run, used, &meta, -1);
    }
    inbound_flush(in);
    read_back(tun);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static int tun[2] = {-1, -1};
    struct esp_params params = fuzz_params(SPI);
    struct reader r = reader_of(bytes_of(data, size));
    struct datapath *dp = aligned_alloc(64, (sizeof(*dp) + 63) / 64 * 64);
    struct esp_in *sa;
    struct crypt *crypt;
    if (tun[0] < 0) {
        check(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, tun) == 0);
    }
    check(dp != NULL);
    memset(dp, 0, sizeof(*dp));
    dp->config =
        (struct datapath_config){.tun_fd = tun[0], .vnet_hdr = true, .udp4_fd = -1, .udp6_fd = -1};
    dp->uso = true;
    dp->wake = -1;
    dp->ike[0] = dp->ike[1] = -1;
    quiesce_init(&dp->quiesce);
    datapath_set_mtu(dp, (uint16_t)(576 + rd_u8(&r) * 8));
    check(sa_table_init(&dp->in) == OK);
    check(esp_in_new(&sa, &params, NULL) == OK);
    check(sa_table_add(&dp->in, &dp->quiesce, SPI, sa, &(struct usage){0}) == OK);
    check(crypt_new(&crypt, params.suite.encr, NULL, params.encr_key, params.integ_key) == OK);
    struct inbound *in = inbound_new(dp);
    check(in != NULL);
    run_input(in, crypt, tun[1], &r);
    crypt_free(crypt);
    inbound_free(in);
    sa_table_free(&dp->in);
    free(dp);
    return 0;
}
