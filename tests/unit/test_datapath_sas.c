/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/cursor.h"
#include "esp/udp.h"
#include "unit/datapath_ends.h"
#include "unit/vectors.h"
#include "unit/waiting.h"

/* Child SAs that come, go, replace one another and report. */

/* ---- under load ---- */

#define WINDOW 32

struct load {
    struct tunnel *t;
    atomic_bool stop;
    atomic_ulong moved;
};

/* Keeps WINDOW packets in flight from a to b, so that no socket buffer overflows: then not one may
 * be lost. */
static void *load_run(void *argument)
{
    struct load *load = argument;
    uint8_t packet[2000];
    uint8_t frame[70000];
    unsigned long sent = 0;
    unsigned long got = 0;
    while (!atomic_load(&load->stop) || got < sent) {
        while (sent - got < WINDOW && !atomic_load(&load->stop)) {
            struct packet_spec spec = {.payload = 8 + sent % 1200, .pattern = (uint8_t)sent};
            size_t len = packet_build(&spec, false, packet);
            tun_write(load->t, &load->t->a, NULL, packet, len);
            sent++;
        }
        if (!readable(load->t->b.tun, PATIENCE_MS)) {
            break;
        }
        ssize_t n = recv(load->t->b.tun, frame, sizeof(frame), 0);
        if (n <= (ssize_t)HDR) {
            break;
        }
        packet_check(frame + HDR, (size_t)n - HDR);
        got++;
        atomic_store(&load->moved, got);
    }
    return (void *)(uintptr_t)(sent - got);
}

static void wait_moved(struct load *load, unsigned long more)
{
    unsigned long from = atomic_load(&load->moved);
    wait_until(atomic_load(&load->moved) >= from + more);
}

START_TEST(test_swap_under_load)
{
    struct tunnel t;
    struct load load = {.t = &t};
    pthread_t thread;
    void *lost;
    tunnel_open(&t, FAMILY_IPV4, true);
    set_paths(&t);
    add_sas(&t, 0x1000);
    ck_assert_int_eq(pthread_create(&thread, NULL, load_run, &load), 0);
    for (uint32_t i = 1; i <= 60; i++) {
        wait_moved(&load, 20);
        add_sas(&t, 0x1000 + 2 * i);
        if (i % 8 == 0) {
            set_paths(&t);
            datapath_set_mtu(t.a.dp, (uint16_t)(1300 + i));
        }
        wait_moved(&load, 2 * WINDOW); /* what the old SA sealed has arrived */
        datapath_remove_in(t.b.dp, 0x1000 + 2 * (i - 1));
        datapath_remove_in(t.a.dp, 0x1001 + 2 * (i - 1));
    }
    atomic_store(&load.stop, true);
    pthread_join(thread, &lost);
    ck_assert_uint_eq((uintptr_t)lost, 0);
    struct datapath_counters b = counters(&t.b);
    ck_assert_uint_eq(b.in_dropped_unknown_spi + b.in_dropped_replay + b.in_dropped_integrity, 0);
    tunnel_close(&t);
}
END_TEST

/* ---- order ---- */

enum { STREAM_FRAMES = 150, STREAM_MSS = 700, STREAM_SEGMENTS = 40 };

static void *stream_run(void *tunnel)
{
    const struct tunnel *t = tunnel;
    static uint8_t packet[70000];
    struct packet_spec spec = {
        .protocol = IPPROTO_TCP, .tcp_flags = 0x10, .payload = STREAM_MSS * STREAM_SEGMENTS};
    size_t len = packet_build(&spec, false, packet);
    struct virtio_net_hdr hdr = packet_frame_header(&spec, STREAM_MSS);
    for (unsigned i = 0; i < STREAM_FRAMES; i++) {
        tun_write(t, &t->a, &hdr, packet, len);
    }
    return NULL;
}

/* What is handed to the kernel, by whichever thread; relaxed, for it is to order nothing itself. */
static atomic_bool sending;
static atomic_uint last_sent; /* number */
static atomic_uint disorders;

static uint32_t number_of(const uint8_t *esp)
{
    struct reader r = reader_of(bytes_of(esp + 4, 4));
    return rd_u32(&r);
}

static void note_disorder(bool is)
{
    atomic_fetch_add_explicit(&disorders, is, memory_order_relaxed);
}

static void note_sent(const uint8_t *data, size_t len, size_t segment)
{
    for (size_t at = 0; at < len; at += segment) {
        uint32_t number = number_of(data + at);
        note_disorder(number <= atomic_exchange_explicit(&last_sent, number, memory_order_relaxed));
    }
}

/* Linked with --wrap. */
int __real_udp_send(const struct udp_target *target, const uint8_t *data, size_t len,
                    size_t segment, uint8_t tos);
int __wrap_udp_send(const struct udp_target *target, const uint8_t *data, size_t len,
                    size_t segment, uint8_t tos);
int __wrap_udp_send(const struct udp_target *target, const uint8_t *data, size_t len,
                    size_t segment, uint8_t tos)
{
    note_disorder(atomic_exchange_explicit(&sending, true, memory_order_relaxed));
    int failed = __real_udp_send(target, data, len, segment, tos);
    if (failed == 0) {
        note_sent(data, len, segment);
    }
    atomic_store_explicit(&sending, false, memory_order_relaxed);
    return failed;
}

/* A gateway's replay window may be as small as 32 packets (RFC 4303 3.4.3): whoever seals, nothing
 * is sent before what has a lower number. In what order it arrives is the kernel's business. */
START_TEST(test_order)
{
    struct tunnel t;
    struct datapath_path path = {0};
    const struct datapath_child child = {.spi_in = 1};
    struct esp_params params;
    pthread_t thread;
    tunnel_open(&t, FAMILY_IPV4, true);
    int udp = udp_socket(FAMILY_IPV4, 0, &path.remote);
    ck_assert_int_eq(datapath_set_path(t.a.dp, &path), OK);
    params_for(&params, &t.suite, 0x1000);
    ck_assert_int_eq(datapath_set_out(t.a.dp, &child, &params), OK);
    ck_assert_int_eq(pthread_create(&thread, NULL, stream_run, &t), 0);
    WAIT(&t.a, out_packets, STREAM_FRAMES * STREAM_SEGMENTS);
    pthread_join(thread, NULL);
    ck_assert_uint_eq(atomic_load(&disorders), 0);
    ck_assert_uint_ge(atomic_load(&last_sent), STREAM_FRAMES * STREAM_SEGMENTS);
    close(udp);
    tunnel_close(&t);
}
END_TEST

START_TEST(test_many_sas)
{
    struct tunnel t;
    tunnel_open(&t, FAMILY_IPV4, false);
    set_paths(&t);
    struct esp_params params;
    params_for(&params, &t.suite, 0);
    for (uint32_t i = 1; i <= 1000; i++) {
        params.spi = i * 0x01000193;
        add_in(&t.b, &params);
    }
    add_sas(&t, 0x1000);
    struct packet_spec spec = {.payload = 100};
    exchange(&t, false, &spec);
    for (uint32_t i = 1; i <= 1000; i += 2) {
        datapath_remove_in(t.b.dp, i * 0x01000193);
    }
    params.spi = 2 * 0x01000193;
    set_out(&t.a, 1, &params);
    exchange(&t, false, &spec);
    params.spi = 3 * 0x01000193;
    set_out(&t.a, 1, &params);
    uint8_t packet[200];
    tun_write(&t, &t.a, NULL, packet, packet_build(&spec, false, packet));
    WAIT(&t.b, in_dropped_unknown_spi, 1);
    tunnel_close(&t);
}
END_TEST

/* Selects what goes to those addresses. */
static void narrow_to(struct esp_params *params, const struct suite *suite, uint32_t spi,
                      const char *start, const char *end)
{
    params_for(params, suite, spi);
    params->n_remote = 1;
    ck_assert(addr_parse(&params->remote[0].start, start));
    ck_assert(addr_parse(&params->remote[0].end, end));
}

/* Which of b's inbound SAs the next packet of a takes, found out by having only one at a time. */
static bool goes_along(struct tunnel *t, const struct esp_params *params)
{
    uint8_t packet[200];
    struct esp_params there;
    struct packet_spec spec = {.payload = 100};
    uint64_t strangers = counters(&t->b).in_dropped_unknown_spi;
    uint64_t arrived = counters(&t->b).in_packets;
    struct datapath_counters now;
    params_for(&there, &t->suite, params->spi);
    add_in(&t->b, &there);
    tun_write(t, &t->a, NULL, packet, packet_build(&spec, false, packet));
    wait_until((now = counters(&t->b),
                now.in_packets > arrived || now.in_dropped_unknown_spi > strangers));
    datapath_remove_in(t->b.dp, params->spi);
    return now.in_packets == arrived + 1 && now.in_dropped_unknown_spi == strangers;
}

START_TEST(test_several_outbound)
{
    struct tunnel t;
    struct esp_params all, part, elsewhere, renewed;
    struct datapath_child child = {.spi_in = 1, .reqid = 1};
    uint8_t packet[200];
    struct packet_spec spec = {.payload = 100};
    tunnel_open(&t, FAMILY_IPV4, false);
    set_paths(&t);
    params_for(&all, &t.suite, 0x1000);
    ck_assert_int_eq(datapath_set_out(t.a.dp, &child, &all), OK);
    ck_assert(goes_along(&t, &all));
    /* A later Child SA takes what it selects, and that alone. */
    narrow_to(&elsewhere, &t.suite, 0x2000, "10.3.0.0", "10.3.255.255");
    child = (struct datapath_child){.spi_in = 2, .reqid = 2};
    ck_assert_int_eq(datapath_set_out(t.a.dp, &child, &elsewhere), OK);
    ck_assert(goes_along(&t, &all));
    narrow_to(&part, &t.suite, 0x3000, "10.2.0.0", "10.2.0.255");
    child = (struct datapath_child){.spi_in = 3, .reqid = 3};
    ck_assert_int_eq(datapath_set_out(t.a.dp, &child, &part), OK);
    ck_assert(goes_along(&t, &part));
    /* A successor takes its predecessor's place, not the first. */
    params_for(&renewed, &t.suite, 0x4000);
    child = (struct datapath_child){.spi_in = 4, .reqid = 1};
    ck_assert_int_eq(datapath_set_out(t.a.dp, &child, &renewed), OK);
    ck_assert(goes_along(&t, &part));
    /* Who has been replaced is not there to be removed. */
    ck_assert_int_eq(datapath_remove_out(t.a.dp, 1), OK);
    ck_assert_int_eq(datapath_remove_out(t.a.dp, 3), OK);
    ck_assert(goes_along(&t, &renewed));
    ck_assert_int_eq(datapath_remove_out(t.a.dp, 4), OK);
    size_t len = packet_build(&spec, false, packet);
    tun_write(&t, &t.a, NULL, packet, len);
    WAIT(&t.a, out_dropped_policy, 1);
    ck_assert_int_eq(datapath_remove_out(t.a.dp, 2), OK);
    tun_write(&t, &t.a, NULL, packet, len);
    WAIT(&t.a, out_dropped_no_sa, 1);
    tunnel_close(&t);
}
END_TEST

static uint32_t spi_of_next(int udp)
{
    uint8_t datagram[2000];
    ck_assert(readable(udp, PATIENCE_MS));
    ck_assert_int_gt(recv(udp, datagram, sizeof(datagram), 0), 4);
    struct reader r = reader_of(bytes_of(datagram, 4));
    return rd_u32(&r);
}

/* Until all is set for the other gateway everything goes to the one before, by its SAs. */
START_TEST(test_change_over)
{
    struct tunnel t;
    struct esp_params all, part, next_all, next_part;
    struct datapath_path to_other = {0};
    uint8_t packet[200];
    struct packet_spec spec = {.payload = 100};
    size_t len = packet_build(&spec, false, packet);
    tunnel_open(&t, FAMILY_IPV4, false);
    set_paths(&t);
    int other = udp_socket(FAMILY_IPV4, 0, &to_other.remote);
    params_for(&all, &t.suite, 0x1000);
    narrow_to(&part, &t.suite, 0x2000, "10.2.0.0", "10.2.0.255");
    params_for(&next_all, &t.suite, 0x3000);
    narrow_to(&next_part, &t.suite, 0x4000, "10.2.0.0", "10.2.0.255");
    const struct datapath_child first = {.spi_in = 1, .reqid = 1},
                                second = {.spi_in = 2, .reqid = 2},
                                third = {.spi_in = 3, .reqid = 1},
                                fourth = {.spi_in = 4, .reqid = 2};
    ck_assert_int_eq(datapath_set_out(t.a.dp, &first, &all), OK);
    ck_assert_int_eq(datapath_set_out(t.a.dp, &second, &part), OK);
    datapath_hold(t.a.dp);
    ck_assert_int_eq(datapath_set_path(t.a.dp, &to_other), OK);
    ck_assert(goes_along(&t, &part));
    ck_assert_int_eq(datapath_set_out(t.a.dp, &third, &next_all), OK);
    ck_assert(goes_along(&t, &part));
    ck_assert_int_eq(datapath_set_out(t.a.dp, &fourth, &next_part), OK);
    ck_assert(goes_along(&t, &part));
    datapath_commit(t.a.dp);
    tun_write(&t, &t.a, NULL, packet, len);
    ck_assert_uint_eq(spi_of_next(other), 0x4000);
    /* Not held: at once. */
    ck_assert_int_eq(datapath_remove_out(t.a.dp, 4), OK);
    tun_write(&t, &t.a, NULL, packet, len);
    ck_assert_uint_eq(spi_of_next(other), 0x3000);
    /* What came and went while it was held was never there. */
    datapath_hold(t.a.dp);
    ck_assert_int_eq(datapath_set_out(t.a.dp, &second, &part), OK);
    ck_assert_int_eq(datapath_set_out(t.a.dp, &fourth, &next_part), OK);
    ck_assert_int_eq(datapath_remove_out(t.a.dp, 4), OK);
    datapath_commit(t.a.dp);
    tun_write(&t, &t.a, NULL, packet, len);
    ck_assert_uint_eq(spi_of_next(other), 0x3000);
    close(other);
    tunnel_close(&t);
}
END_TEST

/* Many flows in turn, more than are remembered: each goes along the SA that selects it. */
START_TEST(test_many_flows)
{
    enum { FLOWS = 700, ROUNDS = 3 };
    struct tunnel t;
    struct esp_params all, even, there;
    uint8_t packet[200];
    struct packet_spec spec = {.payload = 100};
    size_t len = packet_build(&spec, false, packet);
    tunnel_open(&t, FAMILY_IPV4, true);
    set_paths(&t);
    params_for(&all, &t.suite, 0x1000);
    set_out(&t.a, 1, &all);
    params_for(&even, &t.suite, 0x2000);
    even.n_remote = 0;
    for (uint8_t i = 0; i < 250; i += 2) {
        struct esp_selector *one = &even.remote[even.n_remote++];
        *one = all.remote[0];
        one->start = one->end = addr_of(FAMILY_IPV4, packet + 16);
        one->start.octets[3] = one->end.octets[3] = i;
    }
    struct datapath_child child = {.spi_in = 2, .reqid = 2};
    ck_assert_int_eq(datapath_set_out(t.a.dp, &child, &even), OK);
    params_for(&there, &t.suite, 0x2000);
    add_in(&t.b, &there);
    uint64_t evens = 0, odds = 0;
    for (unsigned i = 0; i < FLOWS * ROUNDS; i++) {
        unsigned flow = i % FLOWS;
        packet[19] = (uint8_t)(flow % 250);
        packet[21] = (uint8_t)(flow / 250); /* of the source port */
        tun_write(&t, &t.a, NULL, packet, len);
        *(flow % 250 % 2 == 0 ? &evens : &odds) += 1;
        if (i % 32 == 31) { /* so that no buffer overflows */
            WAIT(&t.b, in_packets, evens);
            WAIT(&t.b, in_dropped_unknown_spi, odds);
            uint8_t frame[2000];
            while (recv(t.b.tun, frame, sizeof(frame), MSG_DONTWAIT) > 0) {
            }
        }
    }
    WAIT(&t.b, in_packets, evens);
    WAIT(&t.b, in_dropped_unknown_spi, odds);
    tunnel_close(&t);
}
END_TEST

static void expect_event(const struct end *end, enum datapath_event_type type, uint32_t spi_in)
{
    struct datapath_event event;
    ck_assert_msg(readable(datapath_event_fd(end->dp), PATIENCE_MS), "nothing was reported");
    ck_assert(datapath_next_event(end->dp, &event));
    ck_assert_int_eq(event.type, type);
    ck_assert_uint_eq(event.spi_in, spi_in);
}

static void expect_no_event(const struct end *end)
{
    struct datapath_event event;
    ck_assert(!datapath_next_event(end->dp, &event));
    ck_assert(!readable(datapath_event_fd(end->dp), 0));
}

/* The first packet on an inbound SA is reported, once; what is not authentic is none. */
START_TEST(test_heard)
{
    struct tunnel t;
    struct packet_spec spec = {.payload = 64};
    struct esp_params params;
    struct esp_out *out;
    uint8_t room[400], *esp;
    size_t esp_len;
    struct endpoint stranger;
    tunnel_open(&t, FAMILY_IPV4, true);
    set_paths(&t);
    add_sas(&t, 0x1000);
    int fd = udp_socket(FAMILY_IPV4, 0, &stranger);
    params_for(&params, &t.suite, 0x3000);
    params.local[0].protocol = params.local[1].protocol = IPPROTO_SCTP;
    add_in(&t.a, &params);
    ck_assert_int_eq(esp_out_new(&out, &params, NULL), OK);
    size_t len = packet_build(&spec, true, room + 100);
    ck_assert_int_eq(esp_seal(out, room + 100, len, &esp, &esp_len), OK);
    esp[esp_len - 1] ^= 1;
    send_to(fd, &t.a.address, bytes_of(esp, esp_len));
    WAIT(&t.a, in_dropped_integrity, 1);
    expect_no_event(&t.a);
    /* Authentic, though it is not let in. */
    packet_build(&spec, true, room + 100);
    ck_assert_int_eq(esp_seal(out, room + 100, len, &esp, &esp_len), OK);
    send_to(fd, &t.a.address, bytes_of(esp, esp_len));
    expect_event(&t.a, DATAPATH_HEARD, 0x3000);
    exchange(&t, true, &spec);
    expect_event(&t.a, DATAPATH_HEARD, 0x1001);
    exchange(&t, true, &spec);
    expect_no_event(&t.a);
    expect_no_event(&t.b);
    esp_out_free(out);
    close(fd);
    tunnel_close(&t);
}
END_TEST

/* Octets and packets wear an SA out, in each direction by itself. */
START_TEST(test_worn)
{
    enum { PACKETS = 5, PAYLOAD = 100 };
    struct tunnel t;
    struct packet_spec spec = {.payload = PAYLOAD};
    struct esp_params params;
    tunnel_open(&t, FAMILY_IPV4, true);
    set_paths(&t);
    params_for(&params, &t.suite, 0x1000);
    /* 20 + 8 + 100 octets inside, 8 + 8 + 2 + 2 + 16 around. */
    struct datapath_child sender = {.spi_in = 0x77, .octets = PACKETS * (PAYLOAD + 64)};
    struct datapath_child receiver = {.spi_in = 0x1000, .packets = PACKETS};
    ck_assert_int_eq(datapath_set_out(t.a.dp, &sender, &params), OK);
    ck_assert_int_eq(datapath_add_in(t.b.dp, &receiver, &params), OK);
    exchange(&t, false, &spec);
    expect_event(&t.b, DATAPATH_HEARD, 0x1000);
    for (unsigned i = 2; i < PACKETS; i++) {
        exchange(&t, false, &spec);
        expect_no_event(&t.a);
        expect_no_event(&t.b);
    }
    exchange(&t, false, &spec);
    expect_event(&t.a, DATAPATH_WORN, 0x77);
    expect_event(&t.b, DATAPATH_WORN, 0x1000);
    exchange(&t, false, &spec);
    expect_no_event(&t.a);
    expect_no_event(&t.b);
    tunnel_close(&t);
}
END_TEST

/* That something large goes out is reported once, and again when asked again. */
START_TEST(test_large)
{
    struct tunnel t;
    struct packet_spec small = {.payload = 100}, large = {.payload = 104};
    tunnel_open(&t, FAMILY_IPV4, true);
    set_paths(&t);
    add_sas(&t, 0x1000);
    exchange(&t, false, &large);
    expect_no_event(&t.a);
    for (unsigned i = 0; i < 3; i++) {
        datapath_watch_large(t.a.dp, 100 + 64);
        exchange(&t, false, &small);
        expect_no_event(&t.a);
        exchange(&t, false, &large);
        expect_event(&t.a, DATAPATH_LARGE, 0);
        exchange(&t, false, &large);
        expect_no_event(&t.a);
    }
    tunnel_close(&t);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("datapath_sas");
    TCase *tcase = tcase_create("datapath_sas");
    tcase_add_test(tcase, test_swap_under_load);
    tcase_add_test(tcase, test_order);
    tcase_add_test(tcase, test_many_sas);
    tcase_add_test(tcase, test_several_outbound);
    tcase_add_test(tcase, test_change_over);
    tcase_add_test(tcase, test_many_flows);
    tcase_add_test(tcase, test_heard);
    tcase_add_test(tcase, test_worn);
    tcase_add_test(tcase, test_large);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
