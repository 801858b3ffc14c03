/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * TCP streams that cost little themselves, for measurements.
 *   stream receive PORT N [check]     takes N connections
 *   stream send ADDRESS PORT N SECONDS|OCTETS"o"
 * The sender lets the kernel take pages of a file in memory; the receiver has the kernel drop what
 * came, or with "check" compares it with what must have been sent. The receiver prints "ready",
 * then "connected", and per stream a line "OCTETS SECONDS" from its first octet to its last.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define STREAMS_MAX 64
#define CHUNK ((size_t)500000)
/* Octets after which the text repeats: a prime, so that no shift by packets or pages fits; all of
 * it stays in a processor's cache. */
#define PERIOD ((size_t)524287)

struct stream {
    int fd;
    uint64_t octets, limit;
    uint64_t first_us, last_us;
};

static int fail(const char *what)
{
    perror(what);
    return 1;
}

static uint64_t clock_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

/* PERIOD octets, the same in every process, then their beginning again: CHUNK can be taken at any
 * place. Maps a file in memory, *fd, that holds it. */
static uint8_t *text_map(int *fd)
{
    size_t len = PERIOD + CHUNK;
    *fd = memfd_create("stream", MFD_CLOEXEC);
    if (*fd < 0 || ftruncate(*fd, (off_t)len) != 0) {
        return NULL;
    }
    uint8_t *text = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, *fd, 0);
    if (text == MAP_FAILED) {
        return NULL;
    }
    uint64_t random = 0x9e3779b97f4a7c15;
    for (size_t i = 0; i < PERIOD; i++) {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        text[i] = (uint8_t)(random >> 32);
    }
    memcpy(text + PERIOD, text, CHUNK);
    return text;
}

static bool address_parse(const char *text, uint16_t port, struct sockaddr_in6 *out)
{
    char mapped[64];
    *out = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = htons(port)};
    snprintf(mapped, sizeof(mapped), "%s%s", strchr(text, ':') == NULL ? "::ffff:" : "", text);
    return inet_pton(AF_INET6, mapped, &out->sin6_addr) == 1;
}

static void print(const struct stream *streams, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        printf("%lu %.6f\n", streams[i].octets,
               (double)(streams[i].last_us - streams[i].first_us) / 1e6);
    }
}

/* ---- receiving ---- */

static int take_connections(uint16_t port, struct stream *streams, size_t n)
{
    struct sockaddr_in6 any = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    int one = 1;
    int listener = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (listener < 0 || setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) != 0 ||
        bind(listener, (struct sockaddr *)&any, sizeof(any)) != 0 ||
        listen(listener, STREAMS_MAX) != 0) {
        return fail("listen");
    }
    printf("ready\n");
    fflush(stdout);
    for (size_t i = 0; i < n; i++) {
        streams[i].fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (streams[i].fd < 0) {
            return fail("accept");
        }
    }
    close(listener);
    printf("connected\n");
    fflush(stdout);
    return 0;
}

/* False when what came is not what was sent, true at the end and while there is no more. */
static bool take(struct stream *stream, const uint8_t *expected, uint8_t *buffer, bool *open)
{
    ssize_t n = recv(stream->fd, buffer, CHUNK, expected == NULL ? MSG_TRUNC : 0);
    if (n <= 0) {
        *open = n < 0 && (errno == EAGAIN || errno == EINTR);
        return true;
    }
    stream->last_us = clock_us();
    if (stream->octets == 0) {
        stream->first_us = stream->last_us;
    }
    bool same =
        expected == NULL || memcmp(buffer, expected + stream->octets % PERIOD, (size_t)n) == 0;
    stream->octets += (uint64_t)n;
    return same;
}

static int receive(uint16_t port, size_t n, bool checked)
{
    struct stream streams[STREAMS_MAX] = {0};
    struct pollfd fds[STREAMS_MAX];
    int file = -1;
    uint8_t *buffer = malloc(CHUNK);
    const uint8_t *expected = checked ? text_map(&file) : NULL;
    if (buffer == NULL || (checked && expected == NULL)) {
        return fail("memory");
    }
    if (take_connections(port, streams, n) != 0) {
        return 1;
    }
    for (size_t i = 0; i < n; i++) {
        fds[i] = (struct pollfd){streams[i].fd, POLLIN, 0};
    }
    for (size_t left = n; left > 0;) {
        if (poll(fds, n, -1) < 0 && errno != EINTR) {
            return fail("poll");
        }
        for (size_t i = 0; i < n; i++) {
            bool open = true;
            if (fds[i].revents != 0 && !take(&streams[i], expected, buffer, &open)) {
                fprintf(stderr, "other octets than were sent, at most %lu from the start\n",
                        streams[i].octets);
                return 1;
            }
            if (!open) {
                fds[i].fd = -1;
                fds[i].revents = 0;
                left--;
            }
        }
    }
    print(streams, n);
    free(buffer);
    return 0;
}

/* ---- sending ---- */

static int give(struct stream *streams, size_t n, int file, uint64_t until_us)
{
    struct pollfd fds[STREAMS_MAX];
    for (size_t i = 0; i < n; i++) {
        fds[i] = (struct pollfd){streams[i].fd, POLLOUT, 0};
    }
    for (size_t left = n; left > 0 && clock_us() < until_us;) {
        if (poll(fds, n, 100) < 0 && errno != EINTR) {
            return fail("poll");
        }
        for (size_t i = 0; i < n; i++) {
            if (fds[i].revents == 0) {
                continue;
            }
            off_t at = (off_t)(streams[i].octets % PERIOD);
            uint64_t more = streams[i].limit - streams[i].octets;
            ssize_t sent = sendfile(fds[i].fd, file, &at, more < CHUNK ? (size_t)more : CHUNK);
            if (sent < 0 && errno != EAGAIN && errno != EINTR) {
                return fail("sendfile");
            }
            streams[i].octets += sent > 0 ? (uint64_t)sent : 0;
            if (streams[i].octets == streams[i].limit) {
                fds[i].fd = -1;
                left--;
            }
        }
    }
    return 0;
}

/* A socket with Debian's congestion control, whatever this machine's is: BBR, which paces, moves a
 * third of what CUBIC does between two namespaces. A kernel without CUBIC keeps its own. */
static int sender_socket(void)
{
    static const char name[] = "cubic";
    int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, name, sizeof(name) - 1) != 0 &&
        errno != ENOENT) {
        close(fd);
        return -1;
    }
    return fd;
}

static int send_all(const char *address, uint16_t port, size_t n, const char *amount)
{
    struct stream streams[STREAMS_MAX] = {0};
    struct sockaddr_in6 to;
    char *unit;
    double number = strtod(amount, &unit);
    bool by_octets = *unit == 'o';
    int file;
    if (!address_parse(address, port, &to) || text_map(&file) == NULL) {
        return fail(address);
    }
    for (size_t i = 0; i < n; i++) {
        streams[i].limit = by_octets ? (uint64_t)number : UINT64_MAX;
        streams[i].fd = sender_socket();
        if (streams[i].fd < 0 || connect(streams[i].fd, (struct sockaddr *)&to, sizeof(to)) != 0) {
            return fail("connect");
        }
        /* From here on one slow stream does not hold up the others. */
        (void)fcntl(streams[i].fd, F_SETFL, O_NONBLOCK);
    }
    return give(streams, n, file, by_octets ? UINT64_MAX : clock_us() + (uint64_t)(number * 1e6));
}

int main(int argc, char **argv)
{
    size_t n = argc > 3 ? strtoul(argv[argc > 5 ? 4 : 3], NULL, 10) : 0;
    if (n >= 1 && n <= STREAMS_MAX && argc >= 4 && strcmp(argv[1], "receive") == 0) {
        return receive((uint16_t)atoi(argv[2]), n, argc > 4 && strcmp(argv[4], "check") == 0);
    }
    if (n >= 1 && n <= STREAMS_MAX && argc == 6 && strcmp(argv[1], "send") == 0) {
        return send_all(argv[2], (uint16_t)atoi(argv[3]), n, argv[5]);
    }
    fprintf(stderr, "usage: stream receive PORT N [check] | send ADDRESS PORT N SECONDS|OCTETSo\n");
    return 2;
}
