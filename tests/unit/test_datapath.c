/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <arpa/inet.h>
#include <linux/virtio_net.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "esp/pipeline.h"
#include "unit/datapath_ends.h"
#include "unit/vectors.h"
#include "unit/waiting.h"

START_TEST(test_both_ways)
{
    for (unsigned i = 0; i < 4; i++) {
        struct tunnel t;
        tunnel_open(&t, i & 1 ? FAMILY_IPV6 : FAMILY_IPV4, i & 2);
        set_paths(&t);
        add_sas(&t, 0x1000);
        uint64_t octets = 0;
        for (size_t payload = 0; payload <= 1340; payload += 20) {
            struct packet_spec spec = {.family = payload % 3 ? FAMILY_IPV4 : FAMILY_IPV6,
                                       .payload = payload};
            exchange(&t, false, &spec);
            exchange(&t, true, &spec);
            octets += packet_header_len(&spec) + payload;
        }
        WAIT(&t.a, out_packets, 68);
        WAIT(&t.a, out_octets, octets);
        WAIT(&t.a, in_octets, octets);
        WAIT(&t.a, in_packets, 68);
        ck_assert_uint_gt(counters(&t.a).last_out_us, 0);
        tunnel_close(&t);
    }
}
END_TEST

/* A TCP stream in super-packets of the kernel's kind arrives complete, whatever is glued together
 * again. */
START_TEST(test_super_packets)
{
    enum { MSS = 1300, SUPER = 40 * MSS + 77, ROUNDS = 20 };
    for (unsigned v6 = 0; v6 < 2; v6++) {
        struct tunnel t;
        tunnel_open(&t, FAMILY_IPV4, true);
        set_paths(&t);
        add_sas(&t, 0x1000);
        static uint8_t packet[70000];
        uint32_t next = 0;
        uint64_t glued = 0;
        for (unsigned round = 0; round < ROUNDS; round++) {
            struct packet_spec spec = {.family = v6 ? FAMILY_IPV6 : FAMILY_IPV4,
                                       .protocol = IPPROTO_TCP,
                                       .sequence = round * SUPER,
                                       .tcp_flags = 0x18,
                                       .payload = SUPER,
                                       .pattern = (uint8_t)(round * SUPER * 7)};
            size_t len = packet_build(&spec, false, packet);
            struct virtio_net_hdr hdr = packet_frame_header(&spec, MSS);
            tun_write(&t, &t.a, &hdr, packet, len);
            while (next < (round + 1) * SUPER) {
                len = tun_read(&t, &t.b, &hdr, packet, sizeof(packet));
                size_t header = packet_header_len(&spec);
                const uint8_t *tcp = packet + header - 20;
                ck_assert_uint_eq((uint32_t)tcp[4] << 24 | (uint32_t)tcp[5] << 16 |
                                      (uint32_t)tcp[6] << 8 | tcp[7],
                                  next);
                for (size_t i = header; i < len; i++) {
                    ck_assert_uint_eq(packet[i], (uint8_t)(next++ * 7));
                }
                if (hdr.gso_type == VIRTIO_NET_HDR_GSO_NONE) {
                    packet_check(packet, len);
                } else {
                    glued++;
                    ck_assert_uint_eq(hdr.gso_size, MSS);
                }
            }
        }
        ck_assert_uint_gt(glued, 0); /* the loop-back interface keeps runs together */
        WAIT(&t.a, out_packets, ROUNDS * 41);
        tunnel_close(&t);
    }
}
END_TEST

/* One frame of TCP goes in; the octets of its header. */
static size_t send_frame(struct tunnel *t, uint16_t mss, size_t segments)
{
    static uint8_t packet[70000];
    struct packet_spec spec = {
        .protocol = IPPROTO_TCP, .tcp_flags = 0x10, .payload = mss * segments};
    size_t len = packet_build(&spec, false, packet);
    struct virtio_net_hdr hdr = packet_frame_header(&spec, mss);
    tun_write(t, &t->a, &hdr, packet, len);
    return packet_header_len(&spec);
}

/* One frame of TCP goes in, and so many of its segments come out at the other end; the octets of
 * their headers. */
static size_t pass_frame(struct tunnel *t, uint16_t mss, size_t segments, size_t come)
{
    static uint8_t packet[70000];
    struct virtio_net_hdr hdr;
    size_t header = send_frame(t, mss, segments);
    for (size_t got = 0; got < mss * come;) {
        got += tun_read(t, &t->b, &hdr, packet, sizeof(packet)) - header;
    }
    return header;
}

/* A socket that sends without checksums cannot have its datagrams cut by the kernel: they go
 * singly, all of them. */
START_TEST(test_segment_refused)
{
    enum { MSS = 1000, SEGMENTS = 30 };
    struct tunnel t;
    int one = 1;
    tunnel_open(&t, FAMILY_IPV4, true);
    ck_assert_int_eq(setsockopt(t.a.udp, SOL_SOCKET, SO_NO_CHECK, &one, sizeof(one)), 0);
    set_paths(&t);
    add_sas(&t, 0x1000);
    for (unsigned round = 1; round <= 3; round++) {
        pass_frame(&t, MSS, SEGMENTS, SEGMENTS);
        WAIT(&t.a, out_packets, round * SEGMENTS);
        ck_assert_uint_eq(counters(&t.a).gso_fallbacks, 1); /* remembered, not tried again */
    }
    struct datapath_event event;
    ck_assert(datapath_next_event(t.a.dp, &event));
    ck_assert_int_eq(event.type, DATAPATH_SINGLY);
    ck_assert(!datapath_next_event(t.a.dp, &event));
    /* On a new path it is tried again. */
    ck_assert_int_eq(setsockopt(t.a.udp, SOL_SOCKET, SO_NO_CHECK, &(int){0}, sizeof(int)), 0);
    set_paths(&t);
    struct packet_spec spec = {.payload = 10};
    exchange(&t, false, &spec);
    ck_assert_uint_eq(counters(&t.a).out_dropped_send, 0);
    tunnel_close(&t);
}
END_TEST

/* What comes in single datagrams, and has had to wait in the socket, is glued all the same; a run
 * behind them finds room. */
START_TEST(test_singles_are_glued)
{
    enum { MSS = 1000, SINGLES = 30, RUN = 55 };
    static uint8_t filler[HDR + 1000], packet[70000];
    struct tunnel t;
    struct virtio_net_hdr hdr;
    unsigned fillers = 0, frames = 0;
    tunnel_open(&t, FAMILY_IPV4, true);
    ck_assert_int_eq(setsockopt(t.a.udp, SOL_SOCKET, SO_NO_CHECK, &(int){1}, sizeof(int)), 0);
    set_paths(&t);
    add_sas(&t, 0x1000);
    while (send(t.b.tun_inner, filler, sizeof(filler), MSG_DONTWAIT) > 0) {
        fillers++;
    }
    size_t header = send_frame(&t, MSS, SINGLES);
    WAIT(&t.a, out_packets, SINGLES);
    ck_assert_int_eq(setsockopt(t.a.udp, SOL_SOCKET, SO_NO_CHECK, &(int){0}, sizeof(int)), 0);
    set_paths(&t);
    send_frame(&t, MSS, RUN);
    WAIT(&t.a, out_packets, SINGLES + RUN);
    for (; fillers > 0; fillers--) {
        ck_assert_uint_eq(tun_read(&t, &t.b, &hdr, packet, sizeof(packet)), 1000);
    }
    for (size_t got = 0, len; got < MSS * (SINGLES + RUN); got += len, frames++) {
        len = tun_read(&t, &t.b, &hdr, packet, sizeof(packet)) - header;
        size_t sequence = (size_t)packet[26] << 8 | packet[27];
        for (size_t i = 0; i < len; i++) {
            ck_assert_uint_eq(packet[header + i], (uint8_t)((sequence + i) * 7));
        }
    }
    /* At worst one by one until all slots were waiting for the TUN; the rest, and the run. */
    ck_assert_uint_le(frames, PIPELINE_SLOTS + 2);
    WAIT(&t.b, in_packets, SINGLES + RUN);
    tunnel_close(&t);
}
END_TEST

/* The numbers of an SA end within a frame: what cannot be sealed does not go out, not even among
 * the others. */
START_TEST(test_numbers_end)
{
    enum { MSS = 1000, SEGMENTS = 30, LEFT = 21 };
    struct tunnel t;
    struct esp_params params;
    tunnel_open(&t, FAMILY_IPV4, true);
    set_paths(&t);
    t.suite.esn = false;
    params_for(&params, &t.suite, 0x1000);
    params.first_sequence = UINT32_MAX - LEFT + 1;
    add_in(&t.b, &params);
    set_out(&t.a, 0x1001, &params);
    size_t header = pass_frame(&t, MSS, SEGMENTS, LEFT);
    WAIT(&t.a, out_packets, LEFT);
    WAIT(&t.a, out_dropped_no_sa, SEGMENTS - LEFT);
    WAIT(&t.a, out_octets, LEFT * (MSS + header));
    WAIT(&t.b, in_packets, LEFT);
    struct datapath_counters b = counters(&t.b);
    ck_assert_uint_eq(b.in_dropped_unknown_spi + b.in_dropped_integrity + b.in_dropped_malformed,
                      0);
    tunnel_close(&t);
}
END_TEST

START_TEST(test_no_sa_no_path)
{
    struct tunnel t;
    uint8_t packet[200];
    struct packet_spec spec = {.payload = 100};
    size_t len = packet_build(&spec, false, packet);
    tunnel_open(&t, FAMILY_IPV4, true);
    tun_write(&t, &t.a, NULL, packet, len);
    WAIT(&t.a, out_dropped_no_sa, 1);
    set_paths(&t);
    tun_write(&t, &t.a, NULL, packet, len);
    WAIT(&t.a, out_dropped_no_sa, 2);
    add_sas(&t, 0x1000);
    exchange(&t, false, &spec);
    ck_assert_int_eq(datapath_remove_out(t.a.dp, 0x1001), OK);
    tun_write(&t, &t.a, NULL, packet, len);
    WAIT(&t.a, out_dropped_no_sa, 3);
    /* A family for which the host has no socket. */
    add_sas(&t, 0x2000);
    struct datapath_path v6 = {.remote.port = 4500};
    ck_assert(addr_parse(&v6.remote.addr, "::1"));
    ck_assert_int_eq(datapath_set_path(t.a.dp, &v6), OK);
    tun_write(&t, &t.a, NULL, packet, len);
    WAIT(&t.a, out_dropped_send, 1);
    tunnel_close(&t);
}
END_TEST

START_TEST(test_hostile_frames)
{
    struct tunnel t;
    uint8_t packet[200];
    struct packet_spec spec = {.protocol = IPPROTO_TCP, .tcp_flags = 0x10, .payload = 100};
    size_t len = packet_build(&spec, false, packet);
    tunnel_open(&t, FAMILY_IPV4, true);
    set_paths(&t);
    add_sas(&t, 0x1000);
    const struct virtio_net_hdr bad[] = {
        {.flags = 1, .gso_type = 1, .gso_size = 0, .csum_start = 20, .csum_offset = 16},
        {.flags = 0, .gso_type = 1, .gso_size = 50, .csum_start = 20, .csum_offset = 16},
        {.flags = 1, .gso_type = 1, .gso_size = 50, .csum_start = 24, .csum_offset = 16},
        {.flags = 1, .gso_type = 4, .gso_size = 50, .csum_start = 20, .csum_offset = 16},
        {.flags = 1, .gso_type = 5, .gso_size = 50, .csum_start = 20, .csum_offset = 6},
        {.flags = 1, .gso_type = 3, .gso_size = 50, .csum_start = 20, .csum_offset = 6},
        {.flags = 1, .gso_type = 0, .csum_start = 139, .csum_offset = 0},
        {.flags = 1, .gso_type = 0, .csum_start = 0xffff, .csum_offset = 0xffff},
        {.flags = 1, .gso_type = 0, .csum_start = 140, .csum_offset = 0},
    };
    const size_t n = sizeof(bad) / sizeof(bad[0]);
    for (size_t i = 0; i < n; i++) {
        tun_write(&t, &t.a, &bad[i], packet, len);
    }
    WAIT(&t.a, out_dropped_malformed, n);
    ck_assert_int_eq(send(t.a.tun, packet, 5, 0), 5); /* shorter than its header */
    WAIT(&t.a, out_dropped_malformed, n + 1);
    tun_write(&t, &t.a, NULL, packet, 19);
    tun_write(&t, &t.a, NULL, packet, len - 1);
    packet[0] = 0x50;
    tun_write(&t, &t.a, NULL, packet, len);
    WAIT(&t.a, out_dropped_malformed, n + 4);
    exchange(&t, false, &spec);
    WAIT(&t.a, out_packets, 1);
    tunnel_close(&t);
}
END_TEST

START_TEST(test_too_big)
{
    struct tunnel t;
    uint8_t packet[3000];
    struct virtio_net_hdr hdr;
    tunnel_open(&t, FAMILY_IPV4, true);
    set_paths(&t);
    add_sas(&t, 0x1000);
    datapath_set_mtu(t.a.dp, 1300);

    struct packet_spec spec = {.dont_fragment = true, .payload = 1273};
    size_t len = packet_build(&spec, false, packet);
    ck_assert_uint_eq(len, 1301);
    tun_write(&t, &t.a, NULL, packet, len);
    len = tun_read(&t, &t.a, &hdr, packet, sizeof(packet));
    packet_check(packet, len);
    ck_assert_uint_eq(packet[9], IPPROTO_ICMP);
    ck_assert_uint_eq(packet[20], 3);
    ck_assert_uint_eq(packet[21], 4);
    ck_assert_int_eq(packet[26] << 8 | packet[27], 1300);
    ck_assert_octets(bytes_of(packet + 12, 8), hex("0a0200010a010001"));
    WAIT(&t.a, out_dropped_too_big, 1);

    spec = (struct packet_spec){.family = FAMILY_IPV6, .payload = 1300};
    len = packet_build(&spec, false, packet);
    tun_write(&t, &t.a, NULL, packet, len);
    len = tun_read(&t, &t.a, &hdr, packet, sizeof(packet));
    packet_check(packet, len);
    ck_assert_uint_eq(packet[40], 2);
    ck_assert_int_eq(packet[46] << 8 | packet[47], 1300);
    WAIT(&t.a, out_dropped_too_big, 2);

    /* Just fits. */
    spec = (struct packet_spec){.dont_fragment = true, .payload = 1272};
    exchange(&t, false, &spec);
    /* May be fragmented. */
    spec = (struct packet_spec){.payload = 2000};
    len = packet_build(&spec, false, packet);
    tun_write(&t, &t.a, NULL, packet, len);
    static uint8_t whole[3000];
    size_t have = 0;
    for (unsigned i = 0; i < 2; i++) {
        uint8_t part[2000];
        size_t part_len = tun_read(&t, &t.b, &hdr, part, sizeof(part));
        ck_assert_uint_le(part_len, 1300);
        packet_check(part, part_len);
        ck_assert_uint_eq((unsigned)((part[6] & 0x1f) << 8 | part[7]) * 8, have);
        ck_assert_uint_eq(part[6] & 0x20, i == 0 ? 0x20 : 0);
        memcpy(whole + have, part + 20, part_len - 20);
        have += part_len - 20;
    }
    ck_assert_octets(bytes_of(whole, have), bytes_of(packet + 20, len - 20));
    tunnel_close(&t);
}
END_TEST

START_TEST(test_mss)
{
    struct tunnel t;
    uint8_t packet[200];
    struct virtio_net_hdr hdr;
    tunnel_open(&t, FAMILY_IPV4, true);
    set_paths(&t);
    add_sas(&t, 0x1000);
    datapath_set_mtu(t.a.dp, 1380);
    for (unsigned back = 0; back < 2; back++) {
        struct packet_spec spec = {.protocol = IPPROTO_TCP,
                                   .tcp_flags = back ? 0x12 : 0x02,
                                   .tcp_options = hex("020405b401030307")};
        size_t len = packet_build(&spec, back, packet);
        tun_write(&t, back ? &t.b : &t.a, NULL, packet, len);
        len = tun_read(&t, back ? &t.a : &t.b, &hdr, packet, sizeof(packet));
        packet_check(packet, len);
        ck_assert_int_eq(packet[42] << 8 | packet[43], 1340);
    }
    tunnel_close(&t);
}
END_TEST

/* ---- what a stranger sends ---- */

/* After some more of what nobody reads. */
static bool is_dropped(const struct tunnel *t, int fd, struct bytes message)
{
    for (unsigned i = 0; i < 100; i++) {
        send_to(fd, &t->a.address, message);
    }
    return counters(&t->a).ike_dropped > 0;
}

START_TEST(test_ike_and_strangers)
{
    for (unsigned v6 = 0; v6 < 2; v6++) {
        struct tunnel t;
        struct endpoint stranger;
        uint8_t got[2000];
        struct endpoint local;
        struct endpoint remote;
        bool marker;
        tunnel_open(&t, v6 ? FAMILY_IPV6 : FAMILY_IPV4, true);
        int fd = udp_socket(v6 ? FAMILY_IPV6 : FAMILY_IPV4, 0, &stranger);
        ck_assert_uint_eq(datapath_ike_receive(t.a.dp, got, sizeof(got), &local, &remote, &marker),
                          0);

        uint8_t message[1204] = {0};
        memset(message + 4, 0x77, 1200);
        send_to(fd, &t.a.address, hex("ff"));
        send_to(fd, &t.a.address, bytes_of(message, sizeof(message)));
        ck_assert(readable(datapath_ike_fd(t.a.dp), PATIENCE_MS));
        size_t len = datapath_ike_receive(t.a.dp, got, sizeof(got), &local, &remote, &marker);
        ck_assert_octets(bytes_of(got, len), bytes_of(message + 4, 1200));
        ck_assert(marker);
        ck_assert(endpoint_equal(&local, &t.a.address));
        ck_assert(endpoint_equal(&remote, &stranger));
        ck_assert_uint_eq(datapath_ike_receive(t.a.dp, got, sizeof(got), &local, &remote, &marker),
                          0);

        /* Too short for anything; too short for IKE; no such SA; not a keepalive. */
        send_to(fd, &t.a.address, bytes_of(NULL, 0));
        send_to(fd, &t.a.address, hex("fe"));
        send_to(fd, &t.a.address, hex("fffefd"));
        send_to(fd, &t.a.address, hex("0000000001"));
        WAIT(&t.a, in_dropped_malformed, 3);
        send_to(fd, &t.a.address, hex("000010000000000100000000000000000000"));
        WAIT(&t.a, in_dropped_unknown_spi, 1);
        add_sas(&t, 0xfff);
        send_to(fd, &t.a.address, hex("00001000"));
        send_to(fd, &t.a.address, hex("0000100000000001"));
        WAIT(&t.a, in_dropped_malformed, 5);
        uint8_t forged[100] = {0, 0, 0x10, 0, 0, 0, 0, 1};
        send_to(fd, &t.a.address, bytes_of(forged, sizeof(forged)));
        WAIT(&t.a, in_dropped_integrity, 1);

        /* A message that does not fit is skipped, the next is found. */
        send_to(fd, &t.a.address, bytes_of(message, sizeof(message)));
        send_to(fd, &t.a.address, bytes_of(message, 100));
        ck_assert(readable(datapath_ike_fd(t.a.dp), PATIENCE_MS));
        do {
            len = datapath_ike_receive(t.a.dp, got, 200, &local, &remote, &marker);
        } while (len == 0 && readable(datapath_ike_fd(t.a.dp), PATIENCE_MS));
        ck_assert_uint_eq(len, 96);

        /* A flood that nobody reads is dropped and counted: what the kernel drops before does not
         * count, so it goes on until the datapath has had its turns. */
        wait_until(is_dropped(&t, fd, bytes_of(message, sizeof(message))));
        close(fd);
        tunnel_close(&t);
    }
}
END_TEST

/* The conversation of port 500 has no marker: an SPI may then begin with four zeros as with
 * anything else. */
START_TEST(test_port_500)
{
    struct tunnel t;
    struct endpoint gateway;
    struct endpoint local;
    struct endpoint remote;
    uint8_t got[200];
    bool marker;
    int fd = udp_socket(FAMILY_IPV4, 500, &gateway);
    if (fd < 0) {
        fprintf(stderr, "port 500 is not to be had: not tested\n");
        return;
    }
    tunnel_open(&t, FAMILY_IPV4, true);
    add_sas(&t, 0x01020303);
    uint8_t message[60] = {1, 2, 3, 4};
    for (unsigned i = 0; i < 2; i++) {
        send_to(fd, &t.a.address, bytes_of(message, sizeof(message)));
        ck_assert(readable(datapath_ike_fd(t.a.dp), PATIENCE_MS));
        size_t len = datapath_ike_receive(t.a.dp, got, sizeof(got), &local, &remote, &marker);
        ck_assert_octets(bytes_of(got, len), bytes_of(message, sizeof(message)));
        ck_assert(!marker);
        ck_assert_uint_eq(remote.port, 500);
        memset(message, 0, 4);
    }
    close(fd);
    tunnel_close(&t);
}
END_TEST

/* Sealed by hand, so that each refusal can be provoked. */
START_TEST(test_refusals)
{
    struct tunnel t;
    struct endpoint stranger;
    struct esp_params params;
    struct esp_params narrow;
    struct esp_out *out;
    uint8_t room[400];
    uint8_t *esp;
    size_t esp_len;
    tunnel_open(&t, FAMILY_IPV4, true);
    int fd = udp_socket(FAMILY_IPV4, 0, &stranger);
    params_for(&params, &t.suite, 0x3000);
    ck_assert_int_eq(esp_out_new(&out, &params, NULL), OK);
    narrow = params;
    ck_assert(addr_parse(&narrow.remote[0].start, "10.9.0.0"));
    struct datapath_child child = {.spi_in = narrow.spi};
    add_in(&t.a, &narrow);
    ck_assert_int_eq(datapath_add_in(t.a.dp, &child, &narrow), ERR_STATE);

    struct packet_spec spec = {.payload = 64};
    size_t len = packet_build(&spec, true, room + 100);
    ck_assert_int_eq(esp_seal(out, room + 100, len, &esp, &esp_len), OK);
    send_to(fd, &t.a.address, bytes_of(esp, esp_len));
    WAIT(&t.a, in_dropped_policy, 1);
    send_to(fd, &t.a.address, bytes_of(esp, esp_len));
    WAIT(&t.a, in_dropped_replay, 1);
    datapath_remove_in(t.a.dp, 0x3000);
    datapath_remove_in(t.a.dp, 0x3000);
    send_to(fd, &t.a.address, bytes_of(esp, esp_len));
    WAIT(&t.a, in_dropped_unknown_spi, 1);
    add_in(&t.a, &params);
    send_to(fd, &t.a.address, bytes_of(esp, esp_len));
    WAIT(&t.a, in_packets, 1);

    /* What the selectors of the outbound SA do not cover stays here. */
    ck_assert(addr_parse(&narrow.remote[0].start, "10.9.0.0"));
    set_out(&t.a, 0x3000, &narrow);
    set_paths(&t);
    len = packet_build(&spec, false, room);
    tun_write(&t, &t.a, NULL, room, len);
    WAIT(&t.a, out_dropped_policy, 1);
    esp_out_free(out);
    close(fd);
    tunnel_close(&t);
}
END_TEST

static void *flood_run(void *argument)
{
    const struct end *end = argument;
    uint8_t frame[HDR + 1000] = {0};
    struct packet_spec spec = {.payload = 900};
    size_t len = packet_build(&spec, false, frame + HDR);
    while (send(end->tun, frame, HDR + len, MSG_NOSIGNAL) > 0) {
    }
    return NULL;
}

/* Nobody reads the far TUN: the threads are then stuck in full queues, and must still stop. */
START_TEST(test_stop_under_load)
{
    for (unsigned i = 0; i < 5; i++) {
        struct tunnel t;
        pthread_t thread;
        tunnel_open(&t, FAMILY_IPV4, true);
        set_paths(&t);
        add_sas(&t, 0x1000);
        ck_assert_int_eq(pthread_create(&thread, NULL, flood_run, &t.a), 0);
        wait_until(counters(&t.b).in_packets >= 50);
        datapath_stop(t.b.dp);
        t.b.dp = NULL;
        datapath_stop(t.a.dp);
        t.a.dp = NULL;
        shutdown(t.a.tun, SHUT_RDWR);
        pthread_join(thread, NULL);
        tunnel_close(&t);
    }
}
END_TEST

/* What the kernel drops because this end is too slow has a name too. */
START_TEST(test_socket_overflows)
{
    struct tunnel t;
    pthread_t thread;
    uint8_t frame[2000];
    tunnel_open(&t, FAMILY_IPV4, true);
    ck_assert_int_eq(setsockopt(t.b.udp, SOL_SOCKET, SO_RCVBUF, &(int){20000}, sizeof(int)), 0);
    set_paths(&t);
    add_sas(&t, 0x1000);
    ck_assert_int_eq(pthread_create(&thread, NULL, flood_run, &t.a), 0);
    for (int64_t since_ms = wait_now_ms(); counters(&t.b).in_dropped_socket == 0;) {
        wait_look_again(since_ms, "a packet that the socket had no room for");
        ck_assert_int_gt(recv(t.b.tun, frame, sizeof(frame), 0), 0);
    }
    datapath_stop(t.a.dp);
    t.a.dp = NULL;
    shutdown(t.a.tun, SHUT_RDWR);
    pthread_join(thread, NULL);
    tunnel_close(&t);
}
END_TEST

/* The device goes away: no thread may spin, and stop still works. */
START_TEST(test_tun_gone)
{
    struct tunnel t;
    tunnel_open(&t, FAMILY_IPV4, true);
    set_paths(&t);
    add_sas(&t, 0x1000);
    struct packet_spec spec = {.payload = 10};
    exchange(&t, false, &spec);
    shutdown(t.b.tun, SHUT_RDWR);
    uint8_t packet[100];
    tun_write(&t, &t.a, NULL, packet, packet_build(&spec, false, packet));
    WAIT(&t.b, in_dropped_tun, 1);
    tunnel_close(&t);
}
END_TEST

/* An ICMP error that waits in the socket's queue must not keep the inbound thread awake. */
START_TEST(test_icmp_errors_are_left_behind)
{
    for (unsigned v6 = 0; v6 < 2; v6++) {
        enum family family = v6 ? FAMILY_IPV6 : FAMILY_IPV4;
        struct endpoint nobody;
        struct endpoint name;
        int one = 1;
        int pair[2];
        int gone = udp_socket(family, 0, &nobody);
        int fd = udp_socket(family, 0, &name);
        struct pollfd p = {fd, POLLIN, 0};
        close(gone);
        ck_assert_int_eq(v6 ? setsockopt(fd, IPPROTO_IPV6, IPV6_RECVERR, &one, sizeof(one))
                            : setsockopt(fd, IPPROTO_IP, IP_RECVERR, &one, sizeof(one)),
                         0);
        send_to(fd, &nobody, hex("00"));
        ck_assert_int_eq(poll(&p, 1, PATIENCE_MS), 1);
        ck_assert_int_ne(p.revents & POLLERR, 0);

        ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
        struct datapath_config config = {
            .tun_fd = pair[1], .udp4_fd = v6 ? -1 : fd, .udp6_fd = v6 ? fd : -1, .mtu = 1400};
        struct datapath *dp;
        ck_assert_int_eq(datapath_start(&dp, &config), OK);
        /* The thread takes the pending error, if it has not done so yet. */
        wait_until(poll(&p, 1, 0) == 0);
        send_to(fd, &nobody, hex("00"));
        send_to(fd, &nobody, hex("00"));
        ck_assert_int_eq(poll(&p, 1, 0), 0);
        datapath_stop(dp);
        close(pair[0]);
        close(pair[1]);
        close(fd);
    }
}
END_TEST

START_TEST(test_bad_start)
{
    struct datapath *dp;
    struct datapath_config config = {.tun_fd = -1, .udp4_fd = -1, .udp6_fd = -1, .mtu = 1400};
    ck_assert_int_eq(datapath_start(&dp, &config), ERR_STATE);
    ck_assert_ptr_null(dp);
    datapath_stop(NULL);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("datapath");
    TCase *tcase = tcase_create("datapath");
    tcase_add_test(tcase, test_both_ways);
    tcase_add_test(tcase, test_super_packets);
    tcase_add_test(tcase, test_segment_refused);
    tcase_add_test(tcase, test_singles_are_glued);
    tcase_add_test(tcase, test_numbers_end);
    tcase_add_test(tcase, test_no_sa_no_path);
    tcase_add_test(tcase, test_hostile_frames);
    tcase_add_test(tcase, test_too_big);
    tcase_add_test(tcase, test_mss);
    tcase_add_test(tcase, test_ike_and_strangers);
    tcase_add_test(tcase, test_port_500);
    tcase_add_test(tcase, test_refusals);
    tcase_add_test(tcase, test_stop_under_load);
    tcase_add_test(tcase, test_socket_overflows);
    tcase_add_test(tcase, test_tun_gone);
    tcase_add_test(tcase, test_icmp_errors_are_left_behind);
    tcase_add_test(tcase, test_bad_start);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
