/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A cable between two network namespaces: an Ethernet device at each end and, between them, what
 * netem would do where the kernel has it.
 *   cable NAMESPACE DEVICE NAMESPACE DEVICE
 * Says "ready". Each line on standard input sets what happens from then on:
 *   DELAY JITTER LOSS DUPLICATES
 * delay and jitter in microseconds each way, the others in thousandths of all frames. Jitter puts
 * frames out of order. Ends with its standard input.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#define FRAME_MAX 2048
#define QUEUE_MAX 4096 /* frames under way; what comes above is dropped */

struct frame {
    uint64_t due; /* microseconds */
    uint64_t order;
    int to;
    size_t len;
    uint8_t octets[FRAME_MAX];
};

/* A heap: the frame that is due next is at [0]. */
struct queue {
    struct frame *heap[QUEUE_MAX];
    size_t n;
    uint64_t order;
};

struct weather {
    unsigned delay, jitter, loss, duplicates;
};

static int fail(const char *what)
{
    perror(what);
    return 1;
}

static uint64_t microseconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static int open_device(const char *namespace, const char *name)
{
    char path[128];
    struct ifreq request = {.ifr_flags = IFF_TAP | IFF_NO_PI};
    snprintf(path, sizeof path, "/run/netns/%s", namespace);
    int ns = open(path, O_RDONLY | O_CLOEXEC);
    if (ns < 0 || setns(ns, CLONE_NEWNET) != 0) {
        return -1;
    }
    close(ns);
    snprintf(request.ifr_name, sizeof request.ifr_name, "%s", name);
    int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);
    if (fd >= 0 && ioctl(fd, TUNSETIFF, &request) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

static bool is_before(const struct frame *a, const struct frame *b)
{
    return a->due != b->due ? a->due < b->due : a->order < b->order;
}

static void swap(struct queue *queue, size_t a, size_t b)
{
    struct frame *frame = queue->heap[a];
    queue->heap[a] = queue->heap[b];
    queue->heap[b] = frame;
}

/* Takes the frame over. */
static void push(struct queue *queue, struct frame *frame)
{
    size_t at = queue->n++;
    frame->order = queue->order++;
    queue->heap[at] = frame;
    while (at > 0 && is_before(queue->heap[at], queue->heap[(at - 1) / 2])) {
        swap(queue, at, (at - 1) / 2);
        at = (at - 1) / 2;
    }
}

static struct frame *pop(struct queue *queue)
{
    struct frame *first = queue->heap[0];
    queue->heap[0] = queue->heap[--queue->n];
    for (size_t at = 0;;) {
        size_t least = at;
        for (size_t child = 2 * at + 1; child <= 2 * at + 2; child++) {
            if (child < queue->n && is_before(queue->heap[child], queue->heap[least])) {
                least = child;
            }
        }
        if (least == at) {
            return first;
        }
        swap(queue, at, least);
        at = least;
    }
}

static bool happens(unsigned thousandths)
{
    return (unsigned)(random() % 1000) < thousandths;
}

static void enqueue(struct queue *queue, const struct frame *frame, const struct weather *weather)
{
    if (queue->n == QUEUE_MAX || happens(weather->loss)) {
        return;
    }
    struct frame *copy = malloc(sizeof *copy);
    if (copy != NULL) {
        *copy = *frame;
        copy->due = microseconds() + weather->delay;
        if (weather->jitter > 0) {
            copy->due += (uint64_t)random() % weather->jitter;
        }
        push(queue, copy);
    }
}

static void take(struct queue *queue, int from, int to, const struct weather *weather)
{
    for (;;) {
        struct frame frame = {.to = to};
        ssize_t len = read(from, frame.octets, sizeof frame.octets);
        if (len <= 0) {
            return;
        }
        frame.len = (size_t)len;
        enqueue(queue, &frame, weather);
        if (happens(weather->duplicates)) {
            enqueue(queue, &frame, weather);
        }
    }
}

static void deliver(struct queue *queue)
{
    uint64_t now = microseconds();
    while (queue->n > 0 && queue->heap[0]->due <= now) {
        struct frame *frame = pop(queue);
        /* A device that is down loses it. */
        ssize_t written = write(frame->to, frame->octets, frame->len);
        (void)written;
        free(frame);
    }
}

/* Reads what has come of the commands; false at their end. */
static bool obey(struct weather *weather)
{
    static char text[256];
    static size_t len;
    ssize_t got = read(0, text + len, sizeof text - 1 - len);
    if (got <= 0) {
        return false;
    }
    len += (size_t)got;
    text[len] = '\0';
    for (char *end; (end = strchr(text, '\n')) != NULL;) {
        struct weather next;
        *end = '\0';
        if (sscanf(text, "%u %u %u %u", &next.delay, &next.jitter, &next.loss, &next.duplicates) ==
            4) {
            *weather = next;
        }
        len -= (size_t)(end + 1 - text);
        memmove(text, end + 1, len + 1);
    }
    return len < sizeof text - 1;
}

int main(int argc, char **argv)
{
    static struct queue queue;
    struct weather weather = {0};
    if (argc != 5) {
        fprintf(stderr, "usage: cable NAMESPACE DEVICE NAMESPACE DEVICE\n");
        return 2;
    }
    int ends[2] = {open_device(argv[1], argv[2]), -1};
    ends[1] = ends[0] < 0 ? -1 : open_device(argv[3], argv[4]);
    if (ends[1] < 0) {
        return fail("cannot make the devices");
    }
    printf("ready\n");
    fflush(stdout);
    for (;;) {
        struct pollfd polled[] = {{.fd = 0, .events = POLLIN},
                                  {.fd = ends[0], .events = POLLIN},
                                  {.fd = ends[1], .events = POLLIN}};
        struct timespec left = {0};
        if (queue.n > 0) {
            uint64_t now = microseconds(), due = queue.heap[0]->due;
            uint64_t wait = due > now ? due - now : 0;
            left = (struct timespec){.tv_sec = (time_t)(wait / 1000000),
                                     .tv_nsec = (long)(wait % 1000000) * 1000};
        }
        if (ppoll(polled, 3, queue.n > 0 ? &left : NULL, NULL) < 0 && errno != EINTR) {
            return fail("poll");
        }
        take(&queue, ends[0], ends[1], &weather);
        take(&queue, ends[1], ends[0], &weather);
        deliver(&queue);
        if (polled[0].revents != 0 && !obey(&weather)) {
            return 0;
        }
    }
}
