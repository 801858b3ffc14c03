/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>

#include "common/cursor.h"
#include "esp/datapath_internal.h"
#include "fuzz/fuzz_esp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/*
 * Frames from a hostile TUN: any virtio header before any octets, cut into segments and fragments,
 * sealed into runs. input: MTU (2 octets), then frames: length (2 octets), octets
 */
static void check_fragments(const struct ip_info *info, const uint8_t *packet, uint16_t mtu)
{
    size_t offset = 0;
    size_t n;
    uint8_t *out = malloc(mtu);
    check(out != NULL);
    while ((n = ipv4_fragment(info, packet, &offset, mtu, out)) > 0) {
        struct ip_info part;
        check(n <= mtu && ip_parse(&part, out, n) && part.total_len == n);
    }
    check(offset >= info->total_len - info->header_len || mtu < info->header_len + 8);
    free(out);
}

/* Every segment is a packet of exactly its length, with a good checksum when it was cut. */
static void check_segments(const uint8_t *frame, size_t len, uint16_t mtu)
{
    struct virtio_net_hdr hdr;
    struct segmenter s;
    if (len < sizeof(hdr)) {
        return;
    }
    memcpy(&hdr, frame, sizeof(hdr));
    len -= sizeof(hdr);
    uint8_t *packet = malloc(len + 1);
    check(packet != NULL);
    memcpy(packet, frame + sizeof(hdr), len);
    if (segment_begin(&s, &hdr, packet, len) == OK) {
        tcp_clamp_mss(&s.info, packet, mtu);
        size_t n;
        for (unsigned i = 0; (n = segment_next_len(&s)) > 0; i++) {
            uint8_t *out = malloc(n);
            check(out != NULL);
            struct ip_info info;
            bool cut = s.cut;
            segment_next(&s, out);
            check(ip_parse(&info, out, n) && info.total_len == n);
            size_t upper = n - info.header_len;
            check(!cut || checksum_fold(checksum_add(checksum_pseudo(&info, out, upper),
                                                     out + info.header_len, upper)) == 0xffff);
            if (i < 4) {
                uint8_t error[ICMP_TOO_BIG_MAX];
                size_t error_len = icmp_too_big(&info, out, mtu, error);
                check(error_len == 0 ||
                      (ip_parse(&info, error, error_len) && info.total_len == error_len));
                check(ip_parse(&info, out, n));
                if (info.family == FAMILY_IPV4) {
                    check_fragments(&info, out, mtu);
                }
            }
            free(out);
        }
    }
    free(packet);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct esp_params params = fuzz_params(0x01020304);
    struct reader r = reader_of(bytes_of(data, size));
    struct datapath_child child = {.spi_in = 1};
    struct datapath *dp = aligned_alloc(64, (sizeof(*dp) + 63) / 64 * 64);
    struct datapath_path path = {.remote = {.addr.family = FAMILY_IPV4, .port = 4500}};
    check(dp != NULL);
    memset(dp, 0, sizeof(*dp));
    /* No socket: each run is dropped and counted where it would be sent. */
    dp->config =
        (struct datapath_config){.tun_fd = -1, .vnet_hdr = true, .udp4_fd = -1, .udp6_fd = -1};
    dp->wake = dp->news = -1;
    quiesce_init(&dp->quiesce);
    datapath_set_mtu(dp, rd_u16(&r));
    check(datapath_set_out(dp, &child, &params) == OK);
    check(datapath_set_path(dp, &path) == OK);
    struct outbound *o = outbound_new(dp);
    check(o != NULL);
    outbound_begin(o);
    while (r.left > 2) {
        size_t len = rd_u16(&r);
        struct bytes frame = rd_bytes(&r, len < r.left ? len : r.left);
        check_segments(frame.data, frame.len, atomic_load(&dp->mtu));
        uint8_t *copy = malloc(frame.len + 1);
        check(copy != NULL);
        if (frame.len > 0) {
            memcpy(copy, frame.data, frame.len);
        }
        outbound_frame(o, copy, frame.len);
        free(copy);
    }
    outbound_flush(o);
    quiesce_offline(&dp->quiesce, THREAD_OUT);
    outbound_free(o);
    check(datapath_remove_out(dp, child.spi_in) == OK);
    struct out_table *table = atomic_exchange(&dp->out, NULL);
    quiesce_retire(&dp->quiesce, &table->retired);
    free(dp);
    return 0;
}
