/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit/interleavings.h"

#include <check.h>
#include <errno.h>
#include <linux/futex.h>
#include <string.h>
#include <ucontext.h>

#define STEPS_MAX 1000 /* of one order: more is no progress */
#define PREEMPTIONS_MAX 4
#define STACK (256 << 10)

struct thread {
    ucontext_t context;
    interleaved *run;
    bool ended;
    const _Atomic uint32_t *sleeps_on; /* NULL: it does not */
    bool (*ready)(void *argument);     /* what it waits for; NULL: it does not */
    void *argument;
    bool patience; /* it does not wait for ever */
};

static struct {
    struct thread threads[2];
    ucontext_t home;
    void *world;
    unsigned now; /* who plays */
    unsigned step;
    /* Before which steps the other one is let in, ascending. */
    unsigned n, at[PREEMPTIONS_MAX];
    unsigned preempted;   /* so many of them are over */
    bool open[STEPS_MAX]; /* before which steps the other one could run */
} play;

static _Alignas(16) unsigned char stacks[2][STACK];

static bool can_run(unsigned which)
{
    const struct thread *thread = &play.threads[which];
    return !thread->ended && thread->sleeps_on == NULL &&
           (thread->ready == NULL || thread->ready(thread->argument));
}

/* Check writes a mark for each assertion, which would be most of the time here. */
#define must(condition)                                                                            \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            ck_abort_msg("not so: %s", #condition);                                                \
        }                                                                                          \
    } while (0)

static void change(void)
{
    unsigned was = play.now;
    play.now = 1 - was;
    must(swapcontext(&play.threads[was].context, &play.threads[play.now].context) == 0);
}

void interleavings_step(void)
{
    unsigned step = play.step++;
    must(step < STEPS_MAX); /* it gets on */
    play.open[step] = can_run(1 - play.now);
    if (play.preempted < play.n && play.at[play.preempted] == step) {
        play.preempted++;
        change();
    }
}

/* The thread that plays cannot go on. */
static void let_the_other(void)
{
    bool can = can_run(1 - play.now);
    if (!can && play.threads[play.now].patience) {
        return;
    }
    if (!can && !play.threads[1 - play.now].patience) {
        ck_abort_msg("both sleep for ever, after %u steps, preempted before %u, %u, %u, %u (of %u)",
                     play.step, play.at[0], play.at[1], play.at[2], play.at[3], play.n);
    }
    change();
}

long interleavings_futex(long number, _Atomic uint32_t *word, int operation, uint32_t value, ...)
{
    (void)number;
    interleavings_step();
    if (operation == FUTEX_WAKE_PRIVATE) {
        for (unsigned i = 0; i < 2; i++) {
            if (play.threads[i].sleeps_on == word) {
                play.threads[i].sleeps_on = NULL;
            }
        }
        return 0;
    }
    must(operation == FUTEX_WAIT_PRIVATE);
    if (*word != value) {
        errno = EAGAIN;
        return -1;
    }
    play.threads[play.now].sleeps_on = word;
    let_the_other();
    return 0;
}

bool interleavings_wait(bool (*ready)(void *argument), void *argument, bool patience)
{
    struct thread *self = &play.threads[play.now];
    interleavings_step();
    if (ready(argument)) {
        return true;
    }
    self->ready = ready;
    self->argument = argument;
    self->patience = patience;
    let_the_other();
    self->ready = NULL;
    self->patience = false;
    return ready(argument);
}

static void begin(void)
{
    struct thread *self = &play.threads[play.now];
    self->run(play.world);
    /* run() may have changed threads, but it ended on its own. */
    self->ended = true;
    if (play.threads[1 - play.now].ended) {
        setcontext(&play.home);
    }
    let_the_other();
}

static void prepare(unsigned which, interleaved *run)
{
    struct thread *thread = &play.threads[which];
    memset(thread, 0, sizeof(*thread));
    thread->run = run;
    must(getcontext(&thread->context) == 0);
    thread->context.uc_stack.ss_sp = stacks[which];
    thread->context.uc_stack.ss_size = STACK;
    makecontext(&thread->context, begin, 0);
}

/* Returns how many steps it took. */
static unsigned play_once(interleaved *const threads[2])
{
    prepare(0, threads[0]);
    prepare(1, threads[1]);
    play.now = 0;
    play.step = 0;
    play.preempted = 0;
    must(swapcontext(&play.home, &play.threads[0].context) == 0);
    return play.step;
}

/* All orders that begin as the one in `play` does and are preempted up to `more` times after it. */
static unsigned long all(interleaved *const threads[2], interleaved *reset, interleaved *check,
                         unsigned more)
{
    unsigned n = play.n;
    reset(play.world);
    unsigned steps = play_once(threads);
    check(play.world);
    unsigned long count = 1;
    if (more == 0) {
        return count;
    }
    bool open[STEPS_MAX];
    memcpy(open, play.open, steps);
    for (unsigned at = n > 0 ? play.at[n - 1] + 1 : 0; at < steps; at++) {
        if (open[at]) {
            play.at[n] = at;
            play.n = n + 1;
            count += all(threads, reset, check, more - 1);
        }
    }
    play.n = n;
    return count;
}

unsigned long interleavings(interleaved *const threads[2], interleaved *reset, interleaved *check,
                            void *world, unsigned preemptions)
{
    ck_assert_uint_le(preemptions, PREEMPTIONS_MAX);
    memset(&play, 0, sizeof(play));
    play.world = world;
    return all(threads, reset, check, preemptions);
}
