/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "esp/backlog.h"
#include "esp/udp.h"
#include "unit/datapath_ends.h"
#include "unit/vectors.h"

#define LARGE ((size_t)8 << 20)
#define SMALL 1000
#define MS 1000u

START_TEST(test_burst)
{
    struct backlog backlog = {0};
    uint64_t now = 5 * MS;
    for (unsigned i = 0; i < 100; i++) {
        ck_assert(!backlog_stays(&backlog, LARGE, LARGE, now));
        ck_assert(!backlog_stays(&backlog, LARGE, LARGE, now + BACKLOG_INTERVAL_US - 1));
        ck_assert(!backlog_stays(&backlog, LARGE / BACKLOG_SHARE, LARGE, now += 20 * MS));
    }
}
END_TEST

START_TEST(test_standing)
{
    struct backlog backlog = {0};
    unsigned marks = 0;
    for (uint64_t now = MS; now <= 1001 * MS; now += MS / 4) {
        marks += backlog_stays(&backlog, LARGE / BACKLOG_SHARE + 1, LARGE, now);
    }
    ck_assert_uint_eq(marks, 1000 * MS / BACKLOG_INTERVAL_US);
}
END_TEST

/* A share of a small buffer is no backlog. */
START_TEST(test_least)
{
    struct backlog backlog = {0};
    ck_assert(!backlog_stays(&backlog, BACKLOG_MIN, SMALL, MS));
    ck_assert(!backlog_stays(&backlog, BACKLOG_MIN, SMALL, 100 * MS));
    ck_assert(!backlog_stays(&backlog, BACKLOG_MIN + 1, SMALL, 101 * MS));
    ck_assert(backlog_stays(&backlog, BACKLOG_MIN + 1, SMALL, 200 * MS));
}
END_TEST

/* What has been read and not been given back yet, at most a quarter, is no backlog. */
START_TEST(test_given_back_late)
{
    struct backlog backlog = {0};
    ck_assert(!backlog_stays(&backlog, LARGE / 4, LARGE, MS));
    ck_assert(!backlog_stays(&backlog, LARGE / 4, LARGE, 100 * MS));
}
END_TEST

static void set_buffer(int fd, int which, int octets)
{
    ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, which, &octets, sizeof(octets)), 0);
}

/* Twice the least backlog, where so large a buffer is allowed. */
static size_t enough(int fd)
{
    size_t size;
    if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &(int){2 * BACKLOG_MIN}, sizeof(int)) != 0) {
        set_buffer(fd, SO_RCVBUF, 2 * BACKLOG_MIN);
    }
    (void)udp_waiting(fd, &size); /* the kernel doubles it */
    return size / 8 * 7 < 2 * BACKLOG_MIN ? size / 8 * 7 : 2 * BACKLOG_MIN;
}

/* Fills the receive buffer of b, whose TUN takes no more; returns how many packets there are. */
static unsigned fill(struct tunnel *t, uint8_t tos)
{
    uint8_t packet[4000];
    size_t size;
    unsigned sent = 0;
    size_t least = enough(t->b.udp);
    set_buffer(t->b.tun_inner, SO_SNDBUF, 1);
    while (udp_waiting(t->b.udp, &size) < least) {
        /* Each longer than the one before, so that each goes by itself. */
        struct packet_spec spec = {.tos = tos, .payload = 300 + 2 * sent};
        tun_write(t, &t->a, NULL, packet, packet_build(&spec, false, packet));
        WAIT(&t->a, out_packets, ++sent);
        ck_assert_uint_lt(sent, 520);
    }
    return sent;
}

/* What waits for long is told to those who send: by a mark, or a drop where they do not know
 * ECN. */
START_TEST(test_told)
{
    static const uint8_t not_ect = 0, ect = 2, ce = 3;
    struct tunnel t;
    uint8_t packet[4000];
    struct virtio_net_hdr hdr;
    uint8_t tos = _i == 0 ? not_ect : ect;
    unsigned come = 0, marked = 0;
    tunnel_open(&t, FAMILY_IPV4, true);
    set_paths(&t);
    add_sas(&t, 0x1000);
    unsigned sent = fill(&t, tos);
    for (int waited = 0; come + counters(&t.b).in_dropped_queue < sent; waited++) {
        ck_assert_int_lt(waited, PATIENCE_MS);
        poll(NULL, 0, 1); /* slowly */
        if (readable(t.b.tun, 0)) {
            size_t len = tun_read(&t, &t.b, &hdr, packet, sizeof(packet));
            packet_check(packet, len);
            marked += (packet[1] & 3) == ce;
            come++;
        }
    }
    if (tos == ect) {
        ck_assert_uint_gt(marked, 0);
        ck_assert_uint_eq(come, sent);
    } else {
        ck_assert_uint_eq(marked, 0);
        ck_assert_uint_lt(come, sent);
    }
    ck_assert_uint_eq(counters(&t.b).in_dropped_policy, 0);
    tunnel_close(&t);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("backlog");
    TCase *tcase = tcase_create("backlog");
    tcase_add_test(tcase, test_burst);
    tcase_add_test(tcase, test_standing);
    tcase_add_test(tcase, test_least);
    tcase_add_test(tcase, test_given_back_late);
    tcase_add_loop_test(tcase, test_told, 0, 2);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
