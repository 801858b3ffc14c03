/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit/interleavings.h"

#include "../../client/esp/claim.c"

#include "unit/vectors.h"

#define PREEMPTIONS 4
#define PIECES 4

/* One thread prepares pieces of work, and needs each done; the other helps when it comes to it. */
struct world {
    struct claim claim;
    unsigned prepared, done; /* the piece at hand, and the last one that was done */
    unsigned helped;
    bool each_once;
};

static void reset(void *argument)
{
    struct world *world = argument;
    memset(world, 0, sizeof(*world));
    world->each_once = true;
    claim_init(&world->claim);
}

static bool work(struct world *world)
{
    if (!claim_take(&world->claim)) {
        return false;
    }
    world->each_once = world->each_once && world->done + 1 == world->prepared;
    world->done = world->prepared;
    claim_done(&world->claim);
    return true;
}

static void need(void *argument)
{
    struct world *world = argument;
    for (unsigned i = 0; i < PIECES; i++) {
        world->prepared++;
        claim_offer(&world->claim);
        (void)work(world);
        claim_wait(&world->claim);
        world->each_once = world->each_once && world->done == world->prepared;
    }
}

static void help(void *argument)
{
    struct world *world = argument;
    for (unsigned i = 0; i < PIECES; i++) {
        world->helped += work(world);
    }
}

static void all_is_done(void *argument)
{
    const struct world *world = argument;
    ck_assert(world->each_once);
    ck_assert_uint_eq(world->done, PIECES);
}

START_TEST(test_each_is_done_once)
{
    struct world world;
    for (unsigned i = 0; i < 2; i++) { /* who begins */
        interleaved *const threads[2] = {i == 0 ? need : help, i == 0 ? help : need};
        unsigned long orders = interleavings(threads, reset, all_is_done, &world, PREEMPTIONS);
        ck_assert_uint_gt(orders, 1000);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("claim_orders");
    TCase *tcase = tcase_create("claim_orders");
    tcase_add_test(tcase, test_each_is_done_once);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
