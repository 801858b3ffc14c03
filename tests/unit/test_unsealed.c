/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/cursor.h"
#include "crypto/crypt.h"
#include "esp/udp.h"
#include "unit/datapath_ends.h"
#include "unit/vectors.h"
#include "unit/waiting.h"

/* A cipher that fails: what it leaves behind is plain, and must not leave the machine. */

enum { SEGMENTS = 40, MSS = 700, LAST = 500 }; /* octets of the last one */

struct sent {
    size_t len;
    uint8_t data[1500];
};

/* Guarded by `lock`. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static const bool *failing; /* of SEGMENTS packets */
static unsigned asked;      /* of the cipher */
static struct sent sent[SEGMENTS];
static unsigned n_sent, calls;

/* ---- in the place of the cipher and of the socket: linked with --wrap ---- */

void __real_crypt_seal_batch(struct crypt *crypt, struct crypt_message *messages, size_t n);
void __wrap_crypt_seal_batch(struct crypt *crypt, struct crypt_message *messages, size_t n);
void __wrap_crypt_seal_batch(struct crypt *crypt, struct crypt_message *messages, size_t n)
{
    pthread_mutex_lock(&lock);
    for (size_t i = 0; i < n; i++) {
        if (failing[asked++ % SEGMENTS]) {
            messages[i].err = ERR_CRYPTO;
        } else {
            __real_crypt_seal_batch(crypt, &messages[i], 1);
        }
    }
    pthread_mutex_unlock(&lock);
}

int __wrap_udp_send(const struct udp_target *target, const uint8_t *data, size_t len,
                    size_t segment, uint8_t tos);
int __wrap_udp_send(const struct udp_target *target, const uint8_t *data, size_t len,
                    size_t segment, uint8_t tos)
{
    (void)target;
    (void)tos;
    pthread_mutex_lock(&lock);
    calls++;
    for (size_t at = 0; at < len; at += segment) {
        struct sent *one = &sent[n_sent++ % SEGMENTS];
        one->len = len - at < segment ? len - at : segment;
        memcpy(one->data, data + at, one->len < sizeof(one->data) ? one->len : sizeof(one->data));
    }
    pthread_mutex_unlock(&lock);
    return 0;
}

/* ---- what was sent ---- */

/* It is the next of those that were not to fail, whole. */
static void expect_segment(struct esp_in *gateway, struct sent *one, const uint8_t *payload,
                           unsigned segment)
{
    static const struct packet_spec spec = {.protocol = IPPROTO_TCP};
    struct reader number = reader_of(bytes_of(one->data + 4, 4));
    size_t headers = packet_header_len(&spec);
    uint8_t *inner;
    size_t len;
    ck_assert_uint_eq(rd_u32(&number), segment + 1);
    ck_assert_int_eq(esp_open(gateway, one->data, one->len, 0, &inner, &len), OK);
    packet_check(inner, len);
    ck_assert_uint_eq(len, headers + (segment == SEGMENTS - 1 ? LAST : MSS));
    ck_assert_octets(bytes_of(inner + headers, len - headers),
                     bytes_of(payload + segment * MSS, len - headers));
}

static void expect_others(const struct esp_params *params, const uint8_t *payload)
{
    struct esp_in *gateway;
    unsigned next = 0;
    ck_assert_int_eq(esp_in_new(&gateway, params, NULL), OK);
    pthread_mutex_lock(&lock);
    for (unsigned i = 0; i < SEGMENTS; i++) {
        if (!failing[i]) {
            ck_assert_uint_lt(next, n_sent);
            expect_segment(gateway, &sent[next++], payload, i);
        }
    }
    ck_assert_uint_eq(next, n_sent); /* nothing else */
    pthread_mutex_unlock(&lock);
    esp_in_free(gateway);
}

/* ---- tests ---- */

/* One run of SEGMENTS packets. Returns how many calls it took to send it. */
static unsigned play(const bool fails[SEGMENTS])
{
    struct tunnel t;
    struct esp_params params;
    static uint8_t packet[70000];
    struct packet_spec spec = {
        .protocol = IPPROTO_TCP, .tcp_flags = 0x10, .payload = MSS * (SEGMENTS - 1) + LAST};
    struct virtio_net_hdr hdr = packet_frame_header(&spec, MSS);
    uint64_t left = 0, inner = 0;
    failing = fails;
    tunnel_open(&t, FAMILY_IPV4, true);
    set_paths(&t);
    params_for(&params, &t.suite, 0x1000);
    set_out(&t.a, 1, &params);
    size_t len = packet_build(&spec, false, packet);
    size_t headers = packet_header_len(&spec);
    tun_write(&t, &t.a, &hdr, packet, len);
    for (unsigned i = 0; i < SEGMENTS; i++) {
        left += !fails[i];
        inner += fails[i] ? 0 : headers + (i == SEGMENTS - 1 ? LAST : MSS);
    }
    WAIT(&t.a, out_dropped_no_sa, SEGMENTS - left); /* where the cipher's failures are counted */
    WAIT(&t.a, out_packets, left);
    WAIT(&t.a, out_octets, inner);
    tunnel_close(&t);
    expect_others(&params, packet + headers);
    return calls;
}

/* In each batch that the cipher is given, at either end of it and of the run. */
START_TEST(test_one_fails)
{
    static const unsigned which[] = {0, 1, 7, 15, 16, 31, 32, SEGMENTS - 2, SEGMENTS - 1};
    bool fails[SEGMENTS] = {false};
    fails[which[_i]] = true;
    ck_assert_uint_eq(play(fails), 1);
}
END_TEST

START_TEST(test_several_fail)
{
    bool fails[SEGMENTS];
    for (unsigned i = 0; i < SEGMENTS; i++) {
        fails[i] = (0xf08001c3a5u >> i & 1) != 0;
    }
    ck_assert_uint_eq(play(fails), 1);
}
END_TEST

START_TEST(test_first_batch_fails)
{
    bool fails[SEGMENTS];
    for (unsigned i = 0; i < SEGMENTS; i++) {
        fails[i] = i < 16;
    }
    ck_assert_uint_eq(play(fails), 1);
}
END_TEST

START_TEST(test_all_fail)
{
    bool fails[SEGMENTS];
    memset(fails, true, sizeof(fails));
    ck_assert_uint_eq(play(fails), 0);
}
END_TEST

START_TEST(test_none_fails)
{
    static const bool fails[SEGMENTS];
    ck_assert_uint_eq(play(fails), 1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("unsealed");
    TCase *tcase = tcase_create("unsealed");
    tcase_add_loop_test(tcase, test_one_fails, 0, 9);
    tcase_add_test(tcase, test_several_fail);
    tcase_add_test(tcase, test_first_batch_fails);
    tcase_add_test(tcase, test_all_fail);
    tcase_add_test(tcase, test_none_fails);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
