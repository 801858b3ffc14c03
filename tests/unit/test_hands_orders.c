/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit/interleavings.h"

#include <poll.h>
#include <sys/eventfd.h>

#include "esp/datapath_internal.h"

/* The two hands, eventfds and poll(2) played. */
static int play_poll(struct pollfd *fds, nfds_t n, int timeout);
static ssize_t play_write(int fd, const void *data, size_t len);
static ssize_t play_read(int fd, void *data, size_t len);
#define poll(fds, n, timeout) play_poll(fds, n, timeout)
#define write(fd, data, len) play_write(fd, data, len)
#define read(fd, data, len) play_read(fd, data, len)

#include "../../client/esp/hands.c"

#include "unit/vectors.h"

#define PREEMPTIONS 3
#define DATAGRAMS 3

enum { FD_WAKE, FD_CALL_FIRST, FD_CALL_SECOND, FD_UDP, FD_TUN, N_FD };

static struct {
    struct datapath dp;
    bool readable[N_FD];
    unsigned taken;
    bool inside, collided; /* somebody is in inbound_some() */
    bool unheld;           /* what it was working with */
    bool full;             /* the socket */
    unsigned given;        /* so often the second hand was called */
    uint64_t now;
} world;

/* ---- the system ---- */

static bool any_ready(void *argument)
{
    const struct pollfd *fds = argument;
    bool any = false;
    for (unsigned i = 0; i < N_POLL; i++) {
        any = any || (fds[i].fd >= 0 && world.readable[fds[i].fd]);
    }
    return any;
}

static int play_poll(struct pollfd *fds, nfds_t n, int timeout)
{
    struct pollfd all[N_POLL];
    int ready = 0;
    for (unsigned i = 0; i < N_POLL; i++) {
        all[i].fd = i < n ? fds[i].fd : -1;
    }
    (void)interleavings_wait(any_ready, all, timeout >= 0);
    for (unsigned i = 0; i < n; i++) {
        fds[i].revents = fds[i].fd >= 0 && world.readable[fds[i].fd] ? POLLIN : 0;
        ready += fds[i].revents != 0;
    }
    return ready;
}

static ssize_t play_write(int fd, const void *data, size_t len)
{
    (void)data;
    interleavings_step();
    world.readable[fd] = true;
    world.given += fd == FD_CALL_SECOND;
    return (ssize_t)len;
}

static ssize_t play_read(int fd, void *data, size_t len)
{
    (void)data;
    interleavings_step();
    world.readable[fd] = false;
    world.readable[FD_TUN] = world.readable[FD_TUN] || fd == FD_CALL_FIRST;
    return (ssize_t)len;
}

/* Enough for any window to be over. */
uint64_t boottime_now(void)
{
    return world.now += WINDOW_US;
}

/* ---- the work ---- */

int inbound_fd(const struct inbound *in, unsigned source)
{
    (void)in;
    return source == 0 ? FD_UDP : -1;
}

/* The second hand finds that it has been calm for long. */
void inbound_some(struct inbound *in, unsigned source)
{
    (void)in;
    (void)source;
    struct quiesce *quiesce = &world.dp.quiesce;
    quiesce_online(quiesce, THREAD_IN, quiesce_epoch(quiesce));
    world.collided = world.collided || world.inside;
    world.inside = true;
    interleavings_step();
    if (world.readable[FD_UDP]) {
        world.taken++;
    }
    world.readable[FD_UDP] = world.taken < DATAGRAMS;
    world.readable[FD_TUN] = true;
    world.dp.hands[HAND_SECOND].calm_windows = CALM_WINDOWS;
    world.inside = false;
    world.unheld = world.unheld || atomic_load(&quiesce->seen[THREAD_IN]) == UINT64_MAX;
}

/* While the socket is full the other hand shall have what comes in. */
int outbound_some(struct outbound *o)
{
    (void)o;
    interleavings_step();
    if (!world.readable[FD_TUN]) {
        return 0;
    }
    world.readable[FD_TUN] = false;
    if (world.full) {
        hands_part(&world.dp);
    }
    if (world.taken == DATAGRAMS) {
        atomic_store(&world.dp.stop, true);
        world.readable[FD_WAKE] = true;
    }
    return 1;
}

bool outbound_release(struct outbound *o)
{
    (void)o;
    return true;
}

void pipeline_decide(struct pipeline *p)
{
    (void)p;
}

unsigned pipeline_processors(void)
{
    return 1;
}

bool datapath_thread(pthread_t *thread, void *(*run)(void *), void *argument)
{
    (void)thread;
    (void)run;
    (void)argument;
    return false;
}

/* ---- the two ---- */

static void reset(void *argument)
{
    (void)argument;
    memset(&world, 0, sizeof(world));
    quiesce_init(&world.dp.quiesce);
    world.dp.wake = FD_WAKE;
    world.dp.several_hands = true;
    for (unsigned i = 0; i < N_HANDS; i++) {
        world.dp.hands[i] = (struct hand){.dp = &world.dp,
                                          .number = i,
                                          .call = i == HAND_FIRST ? FD_CALL_FIRST : FD_CALL_SECOND,
                                          .tun = i == HAND_FIRST ? FD_TUN : -1};
    }
    world.readable[FD_UDP] = true;
    world.full = true;
}

static void run_first(void *argument)
{
    (void)argument;
    (void)first(&world.dp.hands[HAND_FIRST]);
}

static void run_second(void *argument)
{
    (void)argument;
    (void)second(&world.dp.hands[HAND_SECOND]);
}

static void check(void *argument)
{
    (void)argument;
    ck_assert(!world.collided);
    ck_assert(!world.unheld);
    ck_assert_uint_eq(world.taken, DATAGRAMS);
}

/* What comes in is always somebody's, never two's, however often it changes hands. */
START_TEST(test_hand_over)
{
    interleaved *const both[2] = {run_first, run_second};
    for (unsigned i = 0; i < 2; i++) { /* who begins */
        interleaved *const threads[2] = {both[i], both[1 - i]};
        ck_assert_uint_gt(interleavings(threads, reset, check, NULL, PREEMPTIONS), 1000);
    }
}
END_TEST

/* It was busy when it fell asleep, and it has long been calm: what comes in is given back to it. */
static void reset_calm(void *argument)
{
    reset(argument);
    world.full = false;
    world.readable[FD_UDP] = false;
    world.taken = DATAGRAMS;
    atomic_init(&world.dp.inbound_by, HAND_SECOND);
    world.dp.hands[HAND_FIRST].busy = true;
    world.dp.hands[HAND_FIRST].window = WINDOW_US; /* not over before it sleeps */
    world.dp.hands[HAND_SECOND].calm_windows = CALM_WINDOWS;
}

static void check_calm(void *argument)
{
    (void)argument;
    ck_assert_uint_eq(world.given, 0);
    ck_assert_uint_eq(atomic_load(&world.dp.inbound_by), HAND_FIRST);
}

/* Then it stays there. */
START_TEST(test_given_back)
{
    interleaved *const threads[2] = {run_first, run_second};
    ck_assert_uint_gt(interleavings(threads, reset_calm, check_calm, NULL, PREEMPTIONS), 100);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("hands_orders");
    TCase *tcase = tcase_create("hands_orders");
    tcase_add_test(tcase, test_hand_over);
    tcase_add_test(tcase, test_given_back);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
