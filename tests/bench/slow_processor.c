/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>

#include "common/boottime.h"
#include "esp/pipeline.h"
#include "esp/udp.h"

/*
 * Linked with --wrap: the datapath on PROCESSORS processors (a variable of the environment), each a
 * SLOWNESSth part as fast as the machine's own. What a thread does takes so much longer: having
 * spent some time on the processor, it sleeps for the rest, and meanwhile no other thread of the
 * datapath has the slow processor that it is on. Which one that is, is decided as a scheduler
 * would: the one that is free first.
 */
#define PROCESSORS_MAX 8
#define UNIT_NS 100000 /* of the machine's time: shorter sleeps would not be exact */

uint64_t __real_thread_spent(clockid_t clock);
uint64_t __wrap_thread_spent(clockid_t clock);
unsigned __wrap_pipeline_processors(void);
void __real_ring_put(struct ring *ring);
void __wrap_ring_put(struct ring *ring);
void __real_ring_done(struct ring *ring);
void __wrap_ring_done(struct ring *ring);
int __real_udp_send(const struct udp_target *target, const uint8_t *data, size_t len,
                    size_t segment, uint8_t tos);
int __wrap_udp_send(const struct udp_target *target, const uint8_t *data, size_t len,
                    size_t segment, uint8_t tos);
int __real_udp_receive(int fd, uint8_t *data, size_t cap, size_t *len, struct udp_meta *meta);
int __wrap_udp_receive(int fd, uint8_t *data, size_t cap, size_t *len, struct udp_meta *meta);

static _Atomic uint64_t busy_until_ns[PROCESSORS_MAX];

static unsigned number(const char *variable)
{
    const char *text = getenv(variable);
    return text != NULL ? (unsigned)strtoul(text, NULL, 10) : 1;
}

static uint64_t now_ns(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static _Atomic uint64_t *free_first(void)
{
    _Atomic uint64_t *first = &busy_until_ns[0];
    for (unsigned i = 1; i < number("PROCESSORS") && i < PROCESSORS_MAX; i++) {
        if (atomic_load(&busy_until_ns[i]) < atomic_load(first)) {
            first = &busy_until_ns[i];
        }
    }
    return first;
}

/* When work of that length, begun at `begun`, is done. */
static uint64_t occupy(uint64_t begun, uint64_t length)
{
    for (;;) {
        _Atomic uint64_t *processor = free_first();
        uint64_t busy = atomic_load(processor);
        uint64_t end = (busy > begun ? busy : begun) + length;
        if (atomic_compare_exchange_strong(processor, &busy, end)) {
            return end;
        }
    }
}

/* Between two pieces of work. */
static void slow_down(void)
{
    static _Thread_local uint64_t before;
    uint64_t spent = now_ns(CLOCK_THREAD_CPUTIME_ID) - before;
    if (spent < UNIT_NS) {
        return;
    }
    uint64_t end = occupy(now_ns(CLOCK_MONOTONIC) - spent, spent * number("SLOWNESS"));
    struct timespec until = {(time_t)(end / 1000000000), (long)(end % 1000000000)};
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) != 0) {
    }
    before = now_ns(CLOCK_THREAD_CPUTIME_ID);
}

uint64_t __wrap_thread_spent(clockid_t clock)
{
    return __real_thread_spent(clock) * number("SLOWNESS");
}

unsigned __wrap_pipeline_processors(void)
{
    return number("PROCESSORS");
}

void __wrap_ring_put(struct ring *ring)
{
    __real_ring_put(ring);
    slow_down();
}

void __wrap_ring_done(struct ring *ring)
{
    __real_ring_done(ring);
    slow_down();
}

int __wrap_udp_send(const struct udp_target *target, const uint8_t *data, size_t len,
                    size_t segment, uint8_t tos)
{
    int failed = __real_udp_send(target, data, len, segment, tos);
    slow_down();
    return failed;
}

int __wrap_udp_receive(int fd, uint8_t *data, size_t cap, size_t *len, struct udp_meta *meta)
{
    slow_down();
    return __real_udp_receive(fd, data, cap, len, meta);
}
