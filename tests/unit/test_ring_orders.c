/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit/interleavings.h"

#include "../../client/esp/ring.c"

#include "unit/vectors.h"

#define SLOTS 2
#define PREEMPTIONS 3

struct world {
    struct ring ring;
    unsigned slots[SLOTS];
    unsigned put, taken;
    bool in_order;
    bool drained;
};

static void reset(void *argument)
{
    struct world *world = argument;
    memset(world, 0, sizeof(*world));
    world->in_order = true;
    ring_init(&world->ring, SLOTS);
}

static void put(struct world *world)
{
    uint32_t slot;
    if (ring_wait_room(&world->ring, &slot, -1)) {
        world->slots[slot] = ++world->put;
        ring_put(&world->ring);
    }
}

static void take_all(void *argument)
{
    struct world *world = argument;
    uint32_t slot;
    while (ring_take(&world->ring, &slot)) {
        world->in_order = world->in_order && world->slots[slot] == world->taken + 1;
        world->taken++;
        ring_done(&world->ring);
    }
}

/* So many that it runs full and empty. */
static void put_some(void *argument)
{
    struct world *world = argument;
    for (unsigned i = 0; i < SLOTS + 1; i++) {
        put(world);
    }
    world->drained = ring_drain(&world->ring);
    ring_close(&world->ring);
}

/* It waits until each one is handled. */
static void put_one_by_one(void *argument)
{
    struct world *world = argument;
    world->drained = true;
    for (unsigned i = 0; i < 2; i++) {
        put(world);
        world->drained = ring_drain(&world->ring) && world->drained;
    }
    ring_close(&world->ring);
}

static void put_until_closed(void *argument)
{
    struct world *world = argument;
    uint32_t slot;
    while (ring_wait_room(&world->ring, &slot, -1)) {
        world->put++;
        ring_put(&world->ring);
    }
}

static void take_one_and_close(void *argument)
{
    struct world *world = argument;
    uint32_t slot;
    world->taken = ring_take(&world->ring, &slot) ? 1 : 0;
    ring_done(&world->ring);
    ring_close(&world->ring);
}

static void all_is_handled(void *argument)
{
    const struct world *world = argument;
    ck_assert(world->in_order);
    ck_assert(world->drained);
    ck_assert_uint_eq(world->taken, world->put);
}

static void one_is_handled(void *argument)
{
    const struct world *world = argument;
    ck_assert_uint_eq(world->taken, 1);
}

static void explore(interleaved *first, interleaved *second, interleaved *check)
{
    struct world world;
    for (unsigned i = 0; i < 2; i++) { /* who begins */
        interleaved *const threads[2] = {i == 0 ? first : second, i == 0 ? second : first};
        unsigned long orders = interleavings(threads, reset, check, &world, PREEMPTIONS);
        ck_assert_uint_gt(orders, 1000);
    }
}

START_TEST(test_some)
{
    explore(put_some, take_all, all_is_handled);
}
END_TEST

START_TEST(test_one_by_one)
{
    explore(put_one_by_one, take_all, all_is_handled);
}
END_TEST

START_TEST(test_close)
{
    explore(put_until_closed, take_one_and_close, one_is_handled);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("ring_orders");
    TCase *tcase = tcase_create("ring_orders");
    tcase_add_test(tcase, test_some);
    tcase_add_test(tcase, test_one_by_one);
    tcase_add_test(tcase, test_close);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
