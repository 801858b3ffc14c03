/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How fast ESP's ciphers are, library by library, packet by packet and several at once, on one
 * core: crypto [--json FILE] Every figure is the median of some rounds, in which the libraries take
 * turns; time is the processor's, so that other work on the machine counts little.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "crypto/crypt.h"

#define ROUNDS 7
#define ROUND_NS 2000000.0
#define MESSAGES 64
#define HEADER 8
#define ROOM (HEADER + 16 + 1408 + 32)
#define LIBRARIES 2

static const struct {
    const char *encr, *integ;
} suites[] = {
    {"aes128gcm16", NULL}, {"aes256gcm16", NULL}, {"chacha20poly1305", NULL},
    {"aes128", "sha1"},    {"aes256", "sha256"},  {"aes256", "sha512"},
};
static const size_t sizes[] = {64, 512, 1400};
static const size_t batches[] = {1, 8, 16, 32, 64};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

struct speed {
    double seal[ROUNDS], open[ROUNDS]; /* octets of text each nanosecond */
};

static double now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static _Noreturn void fail(const char *what)
{
    fprintf(stderr, "crypto: %s\n", what);
    exit(EXIT_FAILURE);
}

static void check(bool holds, const char *what)
{
    if (!holds) {
        fail(what);
    }
}

/* ---- measuring ---- */

static struct crypt *make_crypt(struct crypt_lanes *lanes, const struct alg *encr,
                                const struct alg *integ)
{
    static const uint8_t key[64] = {1, 2, 3};
    struct crypt *crypt;
    check(crypt_new_in(&crypt, lanes, encr, integ, bytes_of(key, crypt_encr_key_len(encr)),
                       bytes_of(key, crypt_integ_key_len(integ))) == OK,
          "no such cipher");
    return crypt;
}

static double run(struct crypt *crypt, struct crypt_message *messages, size_t batch,
                  void (*work)(struct crypt *, struct crypt_message *, size_t))
{
    double began = now_ns();
    for (size_t i = 0; i < MESSAGES; i += batch) {
        work(crypt, messages + i, batch);
    }
    double ns = now_ns() - began;
    for (size_t i = 0; i < MESSAGES; i++) {
        check(messages[i].err == OK, "a message was refused");
    }
    return ns;
}

static void measure(struct crypt *crypt, size_t size, size_t batch, double *seal, double *open)
{
    static uint8_t rooms[MESSAGES][ROOM];
    struct crypt_message messages[MESSAGES];
    size_t block = crypt_block_len(crypt);
    size_t text_len = (size + block - 1) / block * block;
    double seal_ns = 0;
    double open_ns = 0;
    double octets = 0;
    for (size_t i = 0; i < MESSAGES; i++) {
        messages[i] =
            (struct crypt_message){.aad = bytes_of(rooms[i], HEADER),
                                   .data = rooms[i] + HEADER,
                                   .len = crypt_iv_len(crypt) + text_len + crypt_icv_len(crypt),
                                   .counter = i};
    }
    while (seal_ns + open_ns < ROUND_NS) {
        seal_ns += run(crypt, messages, batch, crypt_seal_batch);
        open_ns += run(crypt, messages, batch, crypt_open_batch);
        octets += (double)(MESSAGES * text_len);
    }
    *seal = octets / seal_ns;
    *open = octets / open_ns;
}

/* ---- telling ---- */

static int compare(const void *a, const void *b)
{
    double left = *(const double *)a;
    double right = *(const double *)b;
    return (left > right) - (left < right);
}

static double median(double values[static ROUNDS])
{
    qsort(values, ROUNDS, sizeof(values[0]), compare);
    return values[ROUNDS / 2];
}

struct report {
    FILE *json;
    bool first;
};

static void tell(struct report *report, const char *suite, const char *library, size_t size,
                 size_t batch, double seal, double open)
{
    printf("%-22s %-34s %6zu %8zu %8.2f %8.2f\n", suite, library, size, batch, seal, open);
    if (report->json != NULL) {
        fprintf(report->json,
                "%s\n {\"suite\": \"%s\", \"library\": \"%s\", \"octets\": %zu, \"at_once\": %zu, "
                "\"seal_gbps\": %.3f, \"open_gbps\": %.3f}",
                report->first ? "[" : ",", suite, library, size, batch, seal * 8, open * 8);
        report->first = false;
    }
}

static void compare_libraries(struct report *report, struct crypt_lanes *const *lanes, size_t suite,
                              size_t size, size_t batch)
{
    struct speed speeds[LIBRARIES];
    struct crypt *crypts[LIBRARIES];
    const struct alg *encr = alg_find_name(bytes_of_string(suites[suite].encr));
    const struct alg *integ =
        suites[suite].integ != NULL ? alg_find_name(bytes_of_string(suites[suite].integ)) : NULL;
    char name[64];
    for (size_t i = 0; i < LIBRARIES; i++) {
        crypts[i] = make_crypt(lanes[i], encr, integ);
    }
    for (size_t round = 0; round < ROUNDS; round++) {
        for (size_t i = 0; i < LIBRARIES; i++) {
            measure(crypts[i], size, batch, &speeds[i].seal[round], &speeds[i].open[round]);
        }
    }
    snprintf(name, sizeof(name), "%s%s%s", suites[suite].encr,
             suites[suite].integ != NULL ? "-" : "",
             suites[suite].integ != NULL ? suites[suite].integ : "");
    for (size_t i = 0; i < LIBRARIES; i++) {
        tell(report, name, crypt_lanes_name(lanes[i], encr, integ), size, batch,
             median(speeds[i].seal), median(speeds[i].open));
        crypt_free(crypts[i]);
    }
}

int main(int argc, char **argv)
{
    struct crypt_lanes *lanes[LIBRARIES];
    struct report report = {.first = true};
    if (argc == 3 && strcmp(argv[1], "--json") == 0) {
        report.json = fopen(argv[2], "w");
        check(report.json != NULL, strerror(errno));
    } else {
        check(argc == 1, "usage: crypto [--json FILE]");
    }
    check(crypt_lanes_new(&lanes[0], CRYPT_GNUTLS) == OK, "memory");
    check(crypt_lanes_new(&lanes[1], CRYPT_FASTEST) == OK, "memory");
    printf("%-22s %-34s %6s %8s %8s %8s\n", "octets of text each ns", "library", "octets",
           "at once", "seal", "open");
    for (size_t i = 0; i < COUNT(suites); i++) {
        for (size_t j = 0; j < COUNT(sizes); j++) {
            for (size_t k = 0; k < COUNT(batches); k++) {
                compare_libraries(&report, lanes, i, sizes[j], batches[k]);
            }
        }
    }
    if (report.json != NULL) {
        fprintf(report.json, "\n]\n");
        fclose(report.json);
    }
    crypt_lanes_free(lanes[0]);
    crypt_lanes_free(lanes[1]);
    return EXIT_SUCCESS;
}
