/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * UDP datagrams at a rate, many a system call, for measurements.
 *   datagrams receive PORT QUIET      prints "ready", and at the end how many octets have come
 *   datagrams send ADDRESS PORT OCTETS RATE SECONDS [AT_ONCE]     prints "SENT SECONDS"
 * OCTETS of payload; RATE in datagrams a second, 0 = as fast as it goes. AT_ONCE: that many
 * are handed over as one for the kernel to cut (UDP_SEGMENT), as QUIC does; 1. The receiver ends
 * when its standard input has ended and nothing has come for QUIET milliseconds.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
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
#define OCTETS_MAX 65000 /* of one call */
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

/* How many octets were waiting. */
static uint64_t drain(int fd)
{
    static struct mmsghdr messages[BATCH];
    uint64_t octets = 0;
    int n;
    while ((n = recvmmsg(fd, messages, BATCH, MSG_DONTWAIT | MSG_TRUNC, NULL)) > 0) {
        for (int i = 0; i < n; i++) {
            octets += messages[i].msg_len;
        }
    }
    return octets;
}

static int receive(uint16_t port, int quiet)
{
    struct sockaddr_in6 any = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    int size = BUFFER;
    int together = 1;
    int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || setsockopt(fd, IPPROTO_UDP, UDP_GRO, &together, sizeof(together)) != 0 ||
        setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) != 0 ||
        bind(fd, (struct sockaddr *)&any, sizeof(any)) != 0) {
        return fail("socket");
    }
    printf("ready\n");
    fflush(stdout);
    struct pollfd fds[2] = {{fd, POLLIN, 0}, {STDIN_FILENO, POLLIN, 0}};
    uint64_t octets = 0;
    for (bool ending = false;;) {
        int ready = poll(fds, 2, ending ? quiet : -1);
        if (ready < 0 && errno != EINTR) {
            return fail("poll");
        }
        if (ready == 0) {
            printf("%lu\n", octets);
            return 0;
        }
        octets += drain(fd);
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

struct sender {
    int fd;
    size_t octets, at_once;
    uint8_t *text;
    double rate;
};

/* Sends `n` calls' worth; how many calls went, or -1. A full queue is a loss like another. */
static int64_t burst(const struct sender *sender, uint64_t n)
{
    struct iovec iov = {sender->text, sender->octets * sender->at_once};
    struct mmsghdr messages[BATCH] = {0};
    for (size_t i = 0; i < BATCH; i++) {
        messages[i].msg_hdr.msg_iov = &iov;
        messages[i].msg_hdr.msg_iovlen = 1;
    }
    for (uint64_t left = n; left > 0;) {
        int now = sendmmsg(sender->fd, messages, left < BATCH ? (unsigned)left : BATCH, 0);
        if (now < 0 && errno != ENOBUFS && errno != EINTR) {
            return -1;
        }
        left -= now < 0 ? 1 : (uint64_t)now;
    }
    return (int64_t)n;
}

static int give(const struct sender *sender, double seconds)
{
    double rate = sender->rate / (double)sender->at_once; /* of calls */
    uint64_t begin = clock_ns();
    uint64_t end = begin + (uint64_t)(seconds * SECOND_NS);
    uint64_t sent = 0;
    uint64_t now = begin;
    for (; now < end; now = clock_ns()) {
        uint64_t due =
            rate > 0 ? (uint64_t)((double)(now - begin) * rate / SECOND_NS) : sent + BATCH;
        int64_t went = due > sent ? burst(sender, due - sent) : 0;
        if (went < 0) {
            return fail("sendmmsg");
        }
        sent += (uint64_t)went;
        if (rate > 0) {
            sleep_until(now + STEP_NS);
        }
    }
    printf("%lu %.6f\n", sent * sender->at_once, (double)(now - begin) / SECOND_NS);
    return 0;
}

static bool connect_to(int fd, const char *address, uint16_t port)
{
    struct sockaddr_in6 to = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    char mapped[64];
    snprintf(mapped, sizeof(mapped), "%s%s", strchr(address, ':') == NULL ? "::ffff:" : "",
             address);
    return inet_pton(AF_INET6, mapped, &to.sin6_addr) == 1 &&
           connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0;
}

static int send_all(int argc, char **argv)
{
    static uint8_t text[OCTETS_MAX];
    struct sender sender = {.fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0),
                            .octets = strtoul(argv[4], NULL, 10),
                            .at_once = argc > 7 ? strtoul(argv[7], NULL, 10) : 1,
                            .text = text,
                            .rate = strtod(argv[5], NULL)};
    int segment = (int)sender.octets;
    if (sender.fd < 0 || !connect_to(sender.fd, argv[2], (uint16_t)atoi(argv[3]))) {
        return fail(argv[2]);
    }
    if (sender.at_once < 1 || sender.octets * sender.at_once > OCTETS_MAX) {
        fprintf(stderr, "so much does not go at once\n");
        return 2;
    }
    if (sender.at_once > 1 &&
        setsockopt(sender.fd, IPPROTO_UDP, UDP_SEGMENT, &segment, sizeof(segment)) != 0) {
        return fail("UDP_SEGMENT");
    }
    (void)prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);
    return give(&sender, strtod(argv[6], NULL));
}

int main(int argc, char **argv)
{
    if (argc == 4 && strcmp(argv[1], "receive") == 0) {
        return receive((uint16_t)atoi(argv[2]), atoi(argv[3]));
    }
    if ((argc == 7 || argc == 8) && strcmp(argv[1], "send") == 0) {
        return send_all(argc, argv);
    }
    fprintf(
        stderr,
        "usage: datagrams receive PORT QUIET | send ADDRESS PORT OCTETS RATE SECONDS [AT_ONCE]\n");
    return 2;
}
