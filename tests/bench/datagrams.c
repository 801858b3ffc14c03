/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * UDP datagrams at a rate, many a system call, for measurements.
 *   datagrams receive PORT QUIET      prints "ready", and at the end how many have come
 *   datagrams send ADDRESS PORT OCTETS RATE SECONDS     prints "SENT SECONDS"
 * OCTETS of payload; RATE in datagrams a second, 0 = as fast as it goes. The receiver ends when its
 * standard input has ended and nothing has come for QUIET milliseconds.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define BATCH 64
#define OCTETS_MAX 2048
#define BUFFER (16 << 20)
#define STEP_NS 200000        /* between two batches at a rate */
#define SECOND_NS 1000000000L /* nanoseconds */

static int fail(const char *what)
{
    perror(what);
    return 1;
}

static uint64_t clock_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * SECOND_NS + (uint64_t)now.tv_nsec;
}

/* ---- receiving ---- */

/* How many were waiting. */
static uint64_t drain(int fd)
{
    static struct mmsghdr messages[BATCH];
    uint64_t count = 0;
    int n;
    while ((n = recvmmsg(fd, messages, BATCH, MSG_DONTWAIT | MSG_TRUNC, NULL)) > 0) {
        count += (uint64_t)n;
    }
    return count;
}

static int receive(uint16_t port, int quiet)
{
    struct sockaddr_in6 any = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    int size = BUFFER;
    int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) != 0 ||
        bind(fd, (struct sockaddr *)&any, sizeof(any)) != 0) {
        return fail("socket");
    }
    printf("ready\n");
    fflush(stdout);
    struct pollfd fds[2] = {{fd, POLLIN, 0}, {STDIN_FILENO, POLLIN, 0}};
    uint64_t count = 0;
    for (bool ending = false;;) {
        int ready = poll(fds, 2, ending ? quiet : -1);
        if (ready < 0 && errno != EINTR) {
            return fail("poll");
        }
        if (ready == 0) {
            printf("%lu\n", count);
            return 0;
        }
        count += drain(fd);
        if (fds[1].revents != 0) {
            ending = true;
            fds[1].fd = -1;
        }
    }
}

/* ---- sending ---- */

static void sleep_until(uint64_t at)
{
    struct timespec then = {(time_t)(at / SECOND_NS), (long)(at % SECOND_NS)};
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &then, NULL) == EINTR) {
    }
}

/* Sends `n` of them; how many went, or -1. */
static int64_t burst(int fd, struct mmsghdr *messages, uint64_t n)
{
    int64_t sent = 0;
    while (n > 0) {
        int now = sendmmsg(fd, messages, n < BATCH ? (unsigned)n : BATCH, 0);
        if (now < 0 && errno != ENOBUFS && errno != EINTR) {
            return -1;
        }
        /* A full queue is a loss like another. */
        sent += now < 0 ? 1 : now;
        n -= now < 0 ? 1 : (uint64_t)now;
    }
    return sent;
}

static int give(int fd, size_t octets, double rate, double seconds)
{
    static uint8_t text[OCTETS_MAX];
    struct iovec iov = {text, octets};
    struct mmsghdr messages[BATCH] = {0};
    for (size_t i = 0; i < BATCH; i++) {
        messages[i].msg_hdr.msg_iov = &iov;
        messages[i].msg_hdr.msg_iovlen = 1;
    }
    uint64_t begin = clock_ns();
    uint64_t end = begin + (uint64_t)(seconds * SECOND_NS);
    uint64_t sent = 0;
    uint64_t now = begin;
    for (; now < end; now = clock_ns()) {
        uint64_t due =
            rate > 0 ? (uint64_t)((double)(now - begin) * rate / SECOND_NS) : sent + BATCH;
        int64_t went = due > sent ? burst(fd, messages, due - sent) : 0;
        if (went < 0) {
            return fail("sendmmsg");
        }
        sent += (uint64_t)went;
        if (rate > 0) {
            sleep_until(now + STEP_NS);
        }
    }
    printf("%lu %.6f\n", sent, (double)(now - begin) / SECOND_NS);
    return 0;
}

static int send_all(const char *address, uint16_t port, char **argv)
{
    struct sockaddr_in6 to = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    char mapped[64];
    size_t octets = strtoul(argv[0], NULL, 10);
    snprintf(mapped, sizeof(mapped), "%s%s", strchr(address, ':') == NULL ? "::ffff:" : "",
             address);
    int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (octets > OCTETS_MAX || inet_pton(AF_INET6, mapped, &to.sin6_addr) != 1 || fd < 0 ||
        connect(fd, (struct sockaddr *)&to, sizeof(to)) != 0) {
        return fail(address);
    }
    (void)prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);
    return give(fd, octets, strtod(argv[1], NULL), strtod(argv[2], NULL));
}

int main(int argc, char **argv)
{
    if (argc == 4 && strcmp(argv[1], "receive") == 0) {
        return receive((uint16_t)atoi(argv[2]), atoi(argv[3]));
    }
    if (argc == 7 && strcmp(argv[1], "send") == 0) {
        return send_all(argv[2], (uint16_t)atoi(argv[3]), argv + 4);
    }
    fprintf(stderr,
            "usage: datagrams receive PORT QUIET | send ADDRESS PORT OCTETS RATE SECONDS\n");
    return 2;
}
