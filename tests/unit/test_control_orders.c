/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit/interleavings.h"

#include "../../client/esp/outbound.c"
#include "../../client/esp/quiesce.c"
#include "../../client/esp/ring.c"

#include "unit/vectors.h"

/* What control changes while packets go out. */

#define PREEMPTIONS 3
#define BATCHES 2
#define TABLES (BATCHES + 1)

static struct {
    struct datapath dp;
    struct outbound *o;
    struct out_table tables[TABLES];
    bool freed[TABLES];
    bool sound; /* nothing that was freed has been used */
} world;

static void release(struct retired *object)
{
    world.freed[(struct out_table *)object - world.tables] = true;
}

/* The table that a run's target is in must be there still. */
static void use(const struct run *run)
{
    const struct out_table *table =
        (const void *)((const uint8_t *)run->target - offsetof(struct out_table, target));
    world.sound = world.sound && !world.freed[table - world.tables];
}

static void reset(void *argument)
{
    (void)argument;
    world.sound = true;
    for (unsigned i = 0; i < TABLES; i++) {
        world.tables[i] = (struct out_table){.retired.release = release, .serial = i + 1};
        world.freed[i] = false;
    }
    quiesce_init(&world.dp.quiesce);
    atomic_init(&world.dp.out, &world.tables[0]);
    ring_init(&world.dp.pipelines[THREAD_OUT].ring, PIPELINE_SLOTS);
    atomic_init(&world.dp.pipelines[THREAD_OUT].wanted, true);
}

/* Hands over a run in each batch, and would sleep between them. */
static void first_half(void *argument)
{
    (void)argument;
    struct outbound *o = world.o;
    for (unsigned i = 0; i < BATCHES; i++) {
        uint32_t slot;
        (void)outbound_release(o);
        outbound_begin(o);
        if (wait_room(o, &slot)) {
            o->run = &o->runs[slot];
            run_begin(o->run, &o->table->target, o->epoch, o->generation);
            use(o->run);
            outbound_flush(o);
        }
    }
    (void)outbound_release(o);
}

/* Each table gives way to the next before a run is sent; on one thread, so that there are two. */
static void control_and_second_half(void *argument)
{
    (void)argument;
    for (unsigned i = 0; i < BATCHES; i++) {
        uint32_t slot;
        struct out_table *before = atomic_exchange(&world.dp.out, &world.tables[i + 1]);
        quiesce_retire(&world.dp.quiesce, &before->retired);
        if (ring_take(&world.dp.pipelines[THREAD_OUT].ring, &slot)) {
            quiesce_reclaim(&world.dp.quiesce);
            use(&world.o->runs[slot]);
            ring_done(&world.dp.pipelines[THREAD_OUT].ring);
        }
    }
    quiesce_reclaim(&world.dp.quiesce);
}

/* Once both rest nothing is kept. */
static void check(void *argument)
{
    (void)argument;
    struct outbound *o = world.o;
    ck_assert(world.sound);
    ck_assert(outbound_release(o));
    quiesce_reclaim(&world.dp.quiesce);
    for (unsigned i = 0; i < TABLES; i++) {
        ck_assert(world.freed[i] == (i < BATCHES));
    }
}

static void explore(interleaved *const both[2], interleaved *before, interleaved *after)
{
    for (unsigned i = 0; i < 2; i++) { /* who begins */
        interleaved *const threads[2] = {both[i], both[1 - i]};
        ck_assert_uint_gt(interleavings(threads, before, after, NULL, PREEMPTIONS), 20);
    }
}

/* What a run that waits was made with stays until it has been sent. */
START_TEST(test_runs_hold)
{
    interleaved *const both[2] = {first_half, control_and_second_half};
    world.dp.helped = true;
    world.o = outbound_new(&world.dp);
    ck_assert_ptr_nonnull(world.o);
    explore(both, reset, check);
    outbound_free(world.o);
}
END_TEST

/* ---- news ---- */

enum { SMALL = 100, LARGE = 200 };

static struct {
    _Atomic uint32_t large;
    _Atomic unsigned char worn;
    _Atomic bool news; /* the eventfd */
    unsigned larges, worns;
    bool asked; /* for more than what goes out */
    bool wrong;
} told;

static void quiet(void *argument)
{
    (void)argument;
    memset(&told, 0, sizeof(told));
    atomic_init(&told.large, SMALL);
}

/* Two packets of LARGE octets; the first wears an SA out. */
static void packets(void *argument)
{
    (void)argument;
    for (unsigned i = 0; i < 2; i++) {
        bool news = large_pass(&told.large, LARGE);
        if ((i == 0 && usage_note(&told.worn)) || news) {
            atomic_store(&told.news, true);
        }
    }
}

static void hear_news(void)
{
    if (!atomic_exchange(&told.news, false)) {
        return;
    }
    if (large_take(&told.large)) {
        told.larges++;
        told.wrong = told.wrong || told.asked;
    }
    told.worns += usage_take(&told.worn);
}

/* It listens, and then wants to know of larger ones only. */
static void ask(void *argument)
{
    (void)argument;
    hear_news();
    atomic_store(&told.large, LARGE);
    told.asked = true;
    hear_news();
}

static void all_told(void *argument)
{
    (void)argument;
    hear_news();
    ck_assert(!told.wrong);
    ck_assert_uint_le(told.larges, 1);
    ck_assert_uint_eq(told.worns, 1);
    ck_assert_uint_eq(atomic_load(&told.large), LARGE);
}

/* Nothing that is noted is lost, and an answer is one to the question that stands. */
START_TEST(test_news)
{
    interleaved *const both[2] = {packets, ask};
    explore(both, quiet, all_told);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("control_orders");
    TCase *tcase = tcase_create("control_orders");
    tcase_add_test(tcase, test_runs_hold);
    tcase_add_test(tcase, test_news);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
