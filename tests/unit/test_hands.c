/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "esp/datapath_internal.h"
#include "unit/datapath_ends.h"
#include "unit/vectors.h"

/* Which thread has what comes in: one serves both directions until there is much to do. */

static unsigned inbound_by(const struct end *end)
{
    return atomic_load(&end->dp->inbound_by);
}

enum { MSS = 100, SEGMENTS = 400 };

/* One frame of many packets. */
static void move(const struct tunnel *t, bool back)
{
    static uint8_t packet[70000];
    struct packet_spec spec = {
        .protocol = IPPROTO_TCP, .tcp_flags = 0x10, .payload = MSS * SEGMENTS};
    size_t len = packet_build(&spec, back, packet);
    struct virtio_net_hdr hdr = {.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
                                 .gso_type = VIRTIO_NET_HDR_GSO_TCPV4,
                                 .gso_size = MSS,
                                 .csum_start = 20,
                                 .csum_offset = 16};
    tun_write(t, back ? &t->b : &t->a, &hdr, packet, len);
    for (size_t got = 0; got < MSS * SEGMENTS;) {
        len = tun_read(t, back ? &t->a : &t->b, &hdr, packet, sizeof(packet));
        got += len - packet_header_len(&spec);
    }
}

/* Under load the other thread takes it, and gives it back afterwards; not a packet is lost, in
 * either direction, and a new path and new keys are heeded all the while. */
START_TEST(test_load_comes_and_goes)
{
    struct tunnel t;
    uint64_t there = 0, back = 0;
    tunnel_open(&t, FAMILY_IPV4, true);
    set_paths(&t);
    add_sas(&t, 0x1000);
    for (uint32_t round = 0; round < 3; round++) {
        struct packet_spec spec = {.payload = 100 + round};
        exchange(&t, false, &spec);
        ck_assert_uint_eq(inbound_by(&t.a), HAND_FIRST);
        while (inbound_by(&t.a) != HAND_SECOND || inbound_by(&t.b) != HAND_SECOND) {
            move(&t, false);
            move(&t, true);
            there += SEGMENTS;
            back += SEGMENTS;
        }
        add_sas(&t, 0x2000 + 16 * round);
        while (inbound_by(&t.a) != HAND_FIRST || inbound_by(&t.b) != HAND_FIRST) {
            exchange(&t, false, &spec);
            exchange(&t, true, &spec);
            there++;
            back++;
            poll(NULL, 0, 1);
        }
        set_paths(&t);
        exchange(&t, true, &spec);
        there++;
        back++;
    }
    WAIT(&t.a, out_packets, there);
    WAIT(&t.b, in_packets, there);
    WAIT(&t.b, out_packets, back);
    WAIT(&t.a, in_packets, back);
    tunnel_close(&t);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("hands");
    TCase *tcase = tcase_create("hands");
    tcase_set_timeout(tcase, 120);
    tcase_add_test(tcase, test_load_comes_and_goes);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
