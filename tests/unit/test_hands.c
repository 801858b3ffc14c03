/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <poll.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/boottime.h"
#include "esp/datapath_internal.h"
#include "unit/datapath_ends.h"
#include "unit/vectors.h"

/* Which thread has what comes in: one serves both directions until there is much to do. */

static unsigned inbound_by(const struct end *end)
{
    return atomic_load(&end->dp->inbound_by);
}

enum { MSS = 100, SEGMENTS = 400, RUN_PACKETS = 30 };

/* One frame of many packets. */
static void move(const struct tunnel *t, bool back)
{
    static uint8_t packet[70000];
    struct packet_spec spec = {
        .protocol = IPPROTO_TCP, .tcp_flags = 0x10, .payload = MSS * SEGMENTS};
    size_t len = packet_build(&spec, back, packet);
    struct virtio_net_hdr hdr = packet_frame_header(&spec, MSS);
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

/* ---- whether a second thread is wanted ---- */

static bool wanted(const struct end *end, unsigned direction)
{
    return atomic_load(&end->dp->pipelines[direction].wanted);
}

static uint64_t spent_by(pthread_t thread)
{
    clockid_t clock;
    ck_assert_int_eq(pthread_getcpuclockid(thread, &clock), 0);
    return thread_spent(clock);
}

static uint64_t spent(const struct end *end)
{
    const struct datapath *dp = end->dp;
    uint64_t sum = spent_by(dp->hands[HAND_FIRST].thread) + spent_by(dp->hands[HAND_SECOND].thread);
    for (unsigned i = 0; dp->helped && i < QUIESCE_THREADS; i++) {
        sum += spent_by(dp->pipelines[i].thread);
    }
    return sum;
}

/* Until no thread of it is woken any more. */
static void wait_idle(const struct end *end)
{
    uint64_t before;
    int waited = 0;
    do {
        ck_assert_int_lt(waited += 100, PATIENCE_MS);
        before = spent(end);
        poll(NULL, 0, 100);
    } while (spent(end) != before);
}

/* A transfer ends at its fastest, and not a packet follows. */
START_TEST(test_nothing_follows)
{
    struct tunnel t;
    tunnel_open(&t, FAMILY_IPV4, true);
    set_paths(&t);
    add_sas(&t, 0x1000);
    while (inbound_by(&t.a) != HAND_SECOND) {
        move(&t, false);
        move(&t, true);
    }
    if (t.a.dp->helped) {
        atomic_store(&t.a.dp->pipelines[THREAD_OUT].wanted, true);
        atomic_store(&t.a.dp->pipelines[THREAD_IN].wanted, true);
        ck_assert_int_eq(write(t.a.dp->hands[HAND_FIRST].call, &(uint64_t){1}, 8), 8);
    }
    wait_idle(&t.a);
    ck_assert(!wanted(&t.a, THREAD_OUT));
    ck_assert(!wanted(&t.a, THREAD_IN));
    ck_assert_uint_eq(inbound_by(&t.a), HAND_FIRST);
    tunnel_close(&t);
}
END_TEST

enum { DECIDE_MS = 25, MUCH_US = 200000 };

struct other_hand {
    struct pipeline pipeline;
    sem_t turn, done;
};

static void decide_later(struct pipeline *p)
{
    poll(NULL, 0, DECIDE_MS);
    pipeline_decide(p);
}

/* Has spent much more than the other, before. */
static void *spendthrift(void *argument)
{
    struct other_hand *other = argument;
    while (thread_spent(CLOCK_THREAD_CPUTIME_ID) < MUCH_US) {
    }
    for (int turns = 0; turns < 2; turns++) {
        sem_post(&other->done);
        while (sem_wait(&other->turn) != 0) {
        }
        decide_later(&other->pipeline);
    }
    sem_post(&other->done);
    return NULL;
}

static void nothing_to_do(void *owner, uint32_t slot)
{
    (void)owner;
    (void)slot;
}

static void its_turn(struct other_hand *other)
{
    sem_post(&other->turn);
    while (sem_wait(&other->done) != 0) {
    }
}

/* What one has spent says nothing about another that takes over. */
START_TEST(test_another_takes_over)
{
    static struct other_hand other;
    struct pipeline *p = &other.pipeline;
    pthread_t thread;
    pipeline_init(p, "esp test", nothing_to_do, NULL);
    ck_assert_int_eq(pipeline_start(p), OK);
    ck_assert_int_eq(sem_init(&other.turn, 0, 0), 0);
    ck_assert_int_eq(sem_init(&other.done, 0, 0), 0);
    ck_assert_int_eq(pthread_create(&thread, NULL, spendthrift, &other), 0);
    while (sem_wait(&other.done) != 0) {
    }
    decide_later(p);
    decide_later(p);
    ck_assert(!atomic_load(&p->wanted));
    its_turn(&other);
    ck_assert(!atomic_load(&p->wanted));
    atomic_store(&p->wanted, true);
    decide_later(p);
    ck_assert(atomic_load(&p->wanted));
    its_turn(&other);
    ck_assert(atomic_load(&p->wanted));
    decide_later(p);
    ck_assert(atomic_load(&p->wanted));
    decide_later(p); /* by the same one again */
    ck_assert(!atomic_load(&p->wanted));
    pthread_join(thread, NULL);
    pipeline_stop(p);
}
END_TEST

/* ---- who waits for the socket ---- */

static sem_t socket_has_room;
static void (*send_slot)(void *owner, uint32_t slot);

static void send_when_room(void *owner, uint32_t slot)
{
    while (sem_wait(&socket_has_room) != 0) {
    }
    send_slot(owner, slot);
}

/* What comes in is given back to the first thread at the very moment at which that begins to wait
 * until there is room in the socket: it does not stand still. */
START_TEST(test_given_back_too_late)
{
    enum { FRAMES = 3 * PIPELINE_SLOTS };
    struct tunnel t;
    uint8_t packet[4000];
    tunnel_open(&t, FAMILY_IPV4, true);
    set_paths(&t);
    add_sas(&t, 0x1000);
    struct datapath *dp = t.a.dp;
    struct pipeline *out = &dp->pipelines[THREAD_OUT];
    bool helped = dp->helped;
    if (helped) {
        ck_assert_int_eq(sem_init(&socket_has_room, 0, 0), 0);
        send_slot = out->second;
        out->second = send_when_room;
        atomic_store(&out->wanted, true); /* and once something waits that does not matter */
        for (unsigned i = 0; i < FRAMES; i++) {
            /* Each longer than the one before, so that each goes by itself. */
            struct packet_spec spec = {.payload = 300 + 4 * i};
            tun_write(&t, &t.a, NULL, packet, packet_build(&spec, false, packet));
        }
        while (atomic_load(&out->ring.done_wanted) == 0) {
            poll(NULL, 0, 1);
        }
        ck_assert_uint_eq(inbound_by(&t.a), HAND_SECOND);
        atomic_store(&dp->inbound_by, HAND_FIRST);
    }
    exchange(&t, true, &(struct packet_spec){.payload = 100});
    for (unsigned i = 0; helped && i < FRAMES; i++) {
        sem_post(&socket_has_room);
    }
    WAIT(&t.a, out_packets, helped ? FRAMES : 0);
    tunnel_close(&t);
}
END_TEST

/* One frame of packets that one system call sends. */
static void write_run(const struct tunnel *t)
{
    static uint8_t packet[RUN_PACKETS * MSS + 100];
    struct packet_spec spec = {
        .protocol = IPPROTO_TCP, .tcp_flags = 0x10, .payload = RUN_PACKETS * MSS};
    struct virtio_net_hdr hdr = packet_frame_header(&spec, MSS);
    tun_write(t, &t->a, &hdr, packet, packet_build(&spec, false, packet));
}

static void wait_put(const struct ring *ring, uint32_t slots)
{
    while (atomic_load(&ring->put) != 2 * slots) {
        poll(NULL, 0, 1);
    }
}

/* That the old path refused to cut runs says nothing about the new one, also when some still wait
 * to go along the old one. */
START_TEST(test_refused_on_old_path)
{
    struct tunnel t;
    int one = 1;
    tunnel_open(&t, FAMILY_IPV4, true);
    ck_assert_int_eq(setsockopt(t.a.udp, SOL_SOCKET, SO_NO_CHECK, &one, sizeof(one)), 0);
    set_paths(&t);
    add_sas(&t, 0x1000);
    struct pipeline *out = &t.a.dp->pipelines[THREAD_OUT];
    if (t.a.dp->helped) {
        ck_assert_int_eq(sem_init(&socket_has_room, 0, 0), 0);
        send_slot = out->second;
        out->second = send_when_room;
        atomic_store(&out->wanted, true); /* and once something waits that does not matter */
        write_run(&t);
        wait_put(&out->ring, 1);
        set_paths(&t);
        write_run(&t);
        wait_put(&out->ring, 2);
        for (unsigned i = 0; i < 2; i++) {
            sem_post(&socket_has_room);
        }
        WAIT(&t.a, out_packets, 2 * RUN_PACKETS);
        ck_assert_uint_eq(counters(&t.a).gso_fallbacks, 2); /* it was tried on the new one */
    }
    tunnel_close(&t);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("hands");
    TCase *tcase = tcase_create("hands");
    tcase_add_test(tcase, test_load_comes_and_goes);
    tcase_add_test(tcase, test_nothing_follows);
    tcase_add_test(tcase, test_another_takes_over);
    tcase_add_test(tcase, test_given_back_too_late);
    tcase_add_test(tcase, test_refused_on_old_path);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
