/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <pthread.h>
#include <sched.h>

#include "esp/ring.h"
#include "unit/vectors.h"

#define SLOTS 4
#define MANY 50000u

/* What a thread of its own does with the ring. */
struct side {
    struct ring ring;
    uint32_t slots[SLOTS];
    uint32_t count; /* that it went through */
    bool last;      /* what the ring said in the end */
    pthread_t thread;
};

static void side_init(struct side *side, uint32_t so_far)
{
    *side = (struct side){.count = 0};
    ring_init(&side->ring, SLOTS);
    atomic_store(&side->ring.put, so_far);
    atomic_store(&side->ring.done, so_far);
}

static void side_start(struct side *side, void *(*run)(void *))
{
    ck_assert_int_eq(pthread_create(&side->thread, NULL, run, side), 0);
}

/* Counts with what was put; a pause now and then lets the ring run full. */
static void *take_all(void *argument)
{
    struct side *side = argument;
    uint32_t slot;
    while (ring_take(&side->ring, &slot)) {
        if (side->slots[slot] != side->count) {
            break;
        }
        side->count++;
        if (side->count % 1024 < 16) {
            sched_yield();
        }
        ring_done(&side->ring);
    }
    return NULL;
}

static void *put_until_closed(void *argument)
{
    struct side *side = argument;
    uint32_t slot;
    while (ring_wait_room(&side->ring, &slot, -1)) {
        side->count++;
        ring_put(&side->ring);
    }
    return NULL;
}

static void *drain(void *argument)
{
    struct side *side = argument;
    side->last = ring_drain(&side->ring);
    return NULL;
}

static void put(struct side *side)
{
    uint32_t slot;
    ck_assert(ring_wait_room(&side->ring, &slot, -1));
    ring_put(&side->ring);
}

/* Until it sleeps, as far as can be seen from outside. */
static void wait_for(_Atomic uint32_t *wanted)
{
    while (atomic_load(wanted) == 0) {
        sched_yield();
    }
}

static void carry(uint32_t so_far)
{
    struct side side;
    side_init(&side, so_far);
    side_start(&side, take_all);
    for (uint32_t i = 0; i < MANY; i++) {
        uint32_t slot;
        ck_assert(ring_wait_room(&side.ring, &slot, -1));
        side.slots[slot] = i;
        ring_put(&side.ring);
        if (i % 1000 == 0) { /* and empty */
            ck_assert(ring_drain(&side.ring));
            ck_assert(ring_empty(&side.ring));
        }
    }
    ck_assert(ring_drain(&side.ring));
    ring_close(&side.ring);
    pthread_join(side.thread, NULL);
    ck_assert_uint_eq(side.count, MANY);
}

START_TEST(test_order)
{
    carry(0);
}
END_TEST

/* The words go through their highest value. */
START_TEST(test_wraps)
{
    carry(0u - MANY);
}
END_TEST

START_TEST(test_oldest)
{
    struct side side;
    uint32_t first, oldest, taken;
    side_init(&side, 6);
    ck_assert(!ring_oldest(&side.ring, &oldest));
    ck_assert(ring_wait_room(&side.ring, &first, -1));
    put(&side);
    put(&side);
    ck_assert(ring_oldest(&side.ring, &oldest));
    ck_assert_uint_eq(oldest, first);
    ck_assert(ring_take(&side.ring, &taken));
    ck_assert_uint_eq(taken, first);
    ck_assert(ring_oldest(&side.ring, &oldest)); /* not before it is done */
    ck_assert_uint_eq(oldest, first);
    ring_done(&side.ring);
    ck_assert(ring_oldest(&side.ring, &oldest));
    ck_assert_uint_eq(oldest, (first + 1) % SLOTS);
    ck_assert(!ring_empty(&side.ring));
}
END_TEST

/* Who waits at a full ring goes on when half of it is done, not earlier. */
START_TEST(test_full)
{
    struct side side;
    uint32_t slot;
    side_init(&side, 0);
    side_start(&side, put_until_closed);
    wait_for(&side.ring.done_wanted);
    ck_assert_uint_eq(atomic_load(&side.ring.put), 2 * SLOTS);
    ck_assert(ring_take(&side.ring, &slot));
    ring_done(&side.ring);
    ck_assert_uint_ne(atomic_load(&side.ring.done_wanted), 0);
    ck_assert_uint_eq(atomic_load(&side.ring.put), 2 * SLOTS);
    ck_assert(ring_take(&side.ring, &slot));
    ring_done(&side.ring);
    while (atomic_load(&side.ring.put) != 2 * (SLOTS + 2)) {
        sched_yield();
    }
    ring_close(&side.ring);
    pthread_join(side.thread, NULL);
    ck_assert_uint_eq(side.count, SLOTS + 2);
}
END_TEST

/* Who does not wait for ever for room says so and is not woken any more. */
START_TEST(test_full_for_long)
{
    struct side side;
    uint32_t slot;
    side_init(&side, 0);
    for (unsigned i = 0; i < SLOTS; i++) {
        put(&side);
    }
    ck_assert(!ring_wait_room(&side.ring, &slot, 1));
    ck_assert(!ring_closed(&side.ring));
    ck_assert_uint_eq(atomic_load(&side.ring.done_wanted), 0);
    ck_assert(ring_take(&side.ring, &slot));
    ring_done(&side.ring);
    ck_assert(ring_wait_room(&side.ring, &slot, 1));
    ring_close(&side.ring);
    ck_assert(!ring_wait_room(&side.ring, &slot, 1));
    ck_assert(ring_closed(&side.ring));
}
END_TEST

START_TEST(test_close_while_full)
{
    struct side side;
    uint32_t slot;
    side_init(&side, 0);
    side_start(&side, put_until_closed);
    wait_for(&side.ring.done_wanted);
    ring_close(&side.ring);
    pthread_join(side.thread, NULL);
    ck_assert_uint_eq(side.count, SLOTS);
    ck_assert(!ring_take(&side.ring, &slot)); /* what waits is not handled any more */
    ck_assert(!ring_drain(&side.ring));
}
END_TEST

START_TEST(test_close_while_empty)
{
    struct side side;
    side_init(&side, 0);
    side_start(&side, take_all);
    wait_for(&side.ring.put_wanted);
    ring_close(&side.ring);
    pthread_join(side.thread, NULL);
    ck_assert_uint_eq(side.count, 0);
}
END_TEST

START_TEST(test_close_while_draining)
{
    struct side side;
    side_init(&side, 0);
    put(&side);
    side.last = true;
    side_start(&side, drain);
    wait_for(&side.ring.done_wanted);
    ring_close(&side.ring);
    pthread_join(side.thread, NULL);
    ck_assert(!side.last);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("ring");
    TCase *tcase = tcase_create("ring");
    tcase_add_test(tcase, test_order);
    tcase_add_test(tcase, test_wraps);
    tcase_add_test(tcase, test_oldest);
    tcase_add_test(tcase, test_full);
    tcase_add_test(tcase, test_full_for_long);
    tcase_add_test(tcase, test_close_while_full);
    tcase_add_test(tcase, test_close_while_empty);
    tcase_add_test(tcase, test_close_while_draining);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
