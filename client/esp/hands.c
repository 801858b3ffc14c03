/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "common/boottime.h"
#include "esp/datapath_internal.h"

/*
 * Who works on which direction: each is one thread's at a time. The first thread has both while
 * there is little to do, for what comes in is often answered as soon as it is in the TUN, and then
 * nobody has to be woken. While it is busy the second has what comes in.
 */

#define WINDOW_US 4000  /* over which packets are counted: */
#define QUIET 16        /* at most so many, and waking costs more than they do */
#define CALM 64         /* at most so many, and one thread is enough */
#define CALM_WINDOWS 25 /* in a row */
#define BUSY 256        /* more, and two are better */
#define SILENCE_MS 10   /* whose work has kept more threads busy looks whether it still does */

/* Nothing to do, but what was sealed with is still held: a look soon, then ever more seldom. */
#define HELD_MIN_MS 1
#define HELD_MAX_MS 50

/* ---- how much there is to do ---- */

static uint64_t packets_of(const struct datapath *dp)
{
    return atomic_load_explicit(&dp->counters[IN_PACKETS], memory_order_relaxed) +
           atomic_load_explicit(&dp->counters[OUT_PACKETS], memory_order_relaxed);
}

/* A round of work is over, or a sleep. */
static void measure(struct hand *hand, uint64_t now)
{
    if (now - hand->window < WINDOW_US) {
        return;
    }
    uint64_t packets = packets_of(hand->dp);
    uint64_t passed = (packets - hand->packets) * WINDOW_US / (now - hand->window);
    hand->quiet = passed <= QUIET;
    hand->calm_windows = passed <= CALM ? hand->calm_windows + 1 : 0;
    hand->busy = passed > BUSY;
    hand->window = now;
    hand->packets = packets;
}

/* A direction uses up a processor. */
static bool at_limit(const struct datapath *dp)
{
    return pipeline_in_use(&dp->pipelines[THREAD_OUT]) ||
           pipeline_in_use(&dp->pipelines[THREAD_IN]);
}

/* ---- waiting ---- */

/* False: nothing has come in so many milliseconds (-1: for ever). */
static bool wait_for(struct hand *hand, struct pollfd *fds, nfds_t n, int timeout)
{
    struct look *look = &hand->look[hand->did];
    uint64_t began = boottime_now(), now = began;
    int ready = 0;
    enum look_result result = LOOK_NOT;
    measure(hand, began);
    if (hand->may_look && hand->quiet && look_worth(look)) {
        do {
            ready = poll(fds, n, 0);
            now = boottime_now();
        } while (ready == 0 && now - began < LOOK_US);
        result = ready != 0 ? LOOK_FOUND : LOOK_IN_VAIN;
    }
    if (ready == 0) {
        ready = poll(fds, n, timeout);
        now = boottime_now();
        measure(hand, now); /* it may have been long */
    }
    look_learn(look, result, now - began);
    return ready != 0;
}

/* ---- from hand to hand ---- */

static void call(const struct hand *hand)
{
    uint64_t one = 1;
    while (write(hand->call, &one, sizeof(one)) < 0 && errno == EINTR) {
    } /* a full eventfd is readable as well */
}

static void hear(const struct hand *hand)
{
    uint64_t calls;
    while (read(hand->call, &calls, sizeof(calls)) < 0 && errno == EINTR) {
    }
}

static bool has_inbound(const struct hand *hand)
{
    return atomic_load_explicit(&hand->dp->inbound_by, memory_order_acquire) == hand->number;
}

static void give_inbound(struct datapath *dp, unsigned to)
{
    quiesce_offline(&dp->quiesce, THREAD_IN);
    atomic_store_explicit(&dp->inbound_by, to, memory_order_release);
    call(&dp->hands[to]);
}

void hands_part(struct datapath *dp)
{
    if (dp->several_hands && has_inbound(&dp->hands[HAND_FIRST])) {
        give_inbound(dp, HAND_SECOND);
    }
}

/* ---- the threads ---- */

static bool stopped(const struct datapath *dp)
{
    return atomic_load_explicit(&dp->stop, memory_order_relaxed);
}

enum { POLL_WAKE, POLL_CALL, POLL_UDP4, POLL_UDP6, POLL_TUN, N_POLL };

static void poll_set(const struct hand *hand, struct pollfd fds[static N_POLL])
{
    const struct datapath *dp = hand->dp;
    bool inbound = has_inbound(hand);
    fds[POLL_WAKE] = (struct pollfd){dp->wake, POLLIN, 0};
    fds[POLL_CALL] = (struct pollfd){hand->call, POLLIN, 0};
    fds[POLL_UDP4] = (struct pollfd){inbound ? inbound_fd(dp->inbound, 0) : -1, POLLIN, 0};
    fds[POLL_UDP6] = (struct pollfd){inbound ? inbound_fd(dp->inbound, 1) : -1, POLLIN, 0};
    fds[POLL_TUN] = (struct pollfd){hand->tun, POLLIN, 0};
}

/* Returns whether there was anything. */
static bool take_inbound(struct hand *hand, const struct pollfd fds[static N_POLL])
{
    struct inbound *in = hand->dp->inbound;
    bool any = false;
    for (unsigned i = 0; i < 2 && has_inbound(hand); i++) {
        if (fds[POLL_UDP4 + i].revents != 0) {
            inbound_some(in, i);
            hand->did = THREAD_IN;
            any = true;
        }
    }
    if (any) {
        quiesce_offline(&hand->dp->quiesce, THREAD_IN);
    }
    return any;
}

static void take_outbound(struct hand *hand)
{
    struct datapath *dp = hand->dp;
    int frames = outbound_some(dp->outbound);
    if (frames < 0) {
        hand->tun = -1;
    } else if (frames > 0) {
        hand->did = THREAD_OUT;
    }
}

/* How long the first thread may sleep; `before`: how long it has just slept in vain, or 0. */
static int first_patience(struct datapath *dp, int before)
{
    if (!outbound_release(dp->outbound)) {
        int longer = before > 0 ? 2 * before : HELD_MIN_MS;
        return longer < HELD_MAX_MS ? longer : HELD_MAX_MS;
    }
    return pipeline_in_use(&dp->pipelines[THREAD_OUT]) ? SILENCE_MS : -1;
}

static void *first(void *argument)
{
    struct hand *hand = argument;
    struct datapath *dp = hand->dp;
    int patience = 0;
    while (!stopped(dp)) {
        struct pollfd fds[N_POLL];
        poll_set(hand, fds);
        patience = first_patience(dp, patience);
        if (wait_for(hand, fds, N_POLL, patience)) {
            patience = 0;
        } else {
            pipeline_decide(&dp->pipelines[THREAD_OUT]);
        }
        if (fds[POLL_CALL].revents != 0) {
            hear(hand);
        }
        bool answer = take_inbound(hand, fds);
        if (hand->tun >= 0 && (answer || fds[POLL_TUN].revents != 0)) {
            take_outbound(hand);
        }
        if (hand->busy || at_limit(dp)) {
            hands_part(dp);
        }
    }
    return NULL;
}

static void *second(void *argument)
{
    struct hand *hand = argument;
    struct datapath *dp = hand->dp;
    while (!stopped(dp)) {
        struct pollfd fds[N_POLL];
        poll_set(hand, fds);
        bool inbound = has_inbound(hand);
        if (!wait_for(hand, fds, POLL_TUN, inbound ? SILENCE_MS : -1) && inbound) {
            pipeline_decide(&dp->pipelines[THREAD_IN]);
        }
        if (fds[POLL_CALL].revents != 0) {
            hear(hand);
        }
        (void)take_inbound(hand, fds);
        if (has_inbound(hand) && !at_limit(dp) && hand->calm_windows >= CALM_WINDOWS) {
            hand->calm_windows = 0;
            give_inbound(dp, HAND_FIRST);
        }
    }
    return NULL;
}

static enum err start(struct hand *hand, void *(*run)(void *))
{
    if (!datapath_thread(&hand->thread, run, hand)) {
        return ERR_MEMORY;
    }
    hand->dp->n_threads++;
    return OK;
}

enum err hands_start(struct datapath *dp)
{
    static void *(*const run[N_HANDS])(void *) = {first, second};
    bool may_look = pipeline_processors() > 1;
    uint64_t now = boottime_now();
    enum err err = OK;
    atomic_init(&dp->inbound_by, HAND_FIRST);
    for (unsigned i = 0; i < N_HANDS; i++) {
        dp->hands[i] = (struct hand){.dp = dp,
                                     .number = i,
                                     .call = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK),
                                     .tun = i == HAND_FIRST ? dp->config.tun_fd : -1,
                                     .window = now,
                                     .may_look = may_look};
        err = dp->hands[i].call < 0 ? ERR_MEMORY : err;
        for (unsigned direction = 0; direction < QUIESCE_THREADS; direction++) {
            look_init(&dp->hands[i].look[direction]);
        }
    }
    dp->several_hands = err == OK;
    for (unsigned i = 0; i < N_HANDS && err == OK; i++) {
        err = start(&dp->hands[i], run[i]);
    }
    return err;
}

void hands_stop(struct datapath *dp)
{
    for (unsigned i = 0; i < dp->n_threads; i++) {
        pthread_join(dp->hands[i].thread, NULL);
    }
    for (unsigned i = 0; i < N_HANDS; i++) {
        if (dp->hands[i].dp != NULL && dp->hands[i].call >= 0) {
            close(dp->hands[i].call);
        }
    }
    dp->n_threads = 0;
}
