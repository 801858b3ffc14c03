/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>

#include "crypto/crypt.h"
#include "esp/esp.h"
#include "unit/packets.h"
#include "unit/vectors.h"

/* Many packets at once are what they are one by one: for every suite, by GnuTLS and by what is
 * fastest on this processor. */

#define SPI 0xc0ffee01u
#define ROOM 1700
#define PACKETS_MAX 150

struct bed {
    struct suite suite;
    struct esp_params params;
    struct crypt_lanes *lanes;
    struct esp_out *single_out, *batch_out;
    struct esp_in *single_in, *batch_in;
    uint8_t *single[PACKETS_MAX], *batch[PACKETS_MAX]; /* ROOM octets each */
    struct esp_packet packets[PACKETS_MAX];
};

static void bed_setup(struct bed *bed, size_t index, struct crypt_lanes *lanes)
{
    ck_assert(suite_at(index, &bed->suite));
    params_for(&bed->params, &bed->suite, SPI);
    bed->params.first_sequence = bed->suite.esn ? UINT32_MAX - 20 : 0;
    bed->lanes = lanes;
    ck_assert_int_eq(esp_out_new(&bed->single_out, &bed->params, NULL), OK);
    ck_assert_int_eq(esp_out_new(&bed->batch_out, &bed->params, lanes), OK);
    for (unsigned i = 1; i < ESP_SEALERS; i++) {
        ck_assert_int_eq(esp_out_add_sealer(bed->batch_out, i, &bed->params, lanes), OK);
    }
    ck_assert_int_eq(esp_in_new(&bed->single_in, &bed->params, NULL), OK);
    ck_assert_int_eq(esp_in_new(&bed->batch_in, &bed->params, lanes), OK);
    for (size_t i = 0; i < PACKETS_MAX; i++) {
        bed->single[i] = malloc(ROOM);
        bed->batch[i] = malloc(ROOM);
    }
}

static void bed_end(struct bed *bed)
{
    esp_out_free(bed->single_out);
    esp_out_free(bed->batch_out);
    esp_in_free(bed->single_in);
    esp_in_free(bed->batch_in);
    for (size_t i = 0; i < PACKETS_MAX; i++) {
        free(bed->single[i]);
        free(bed->batch[i]);
    }
}

static void for_each_suite(void (*one)(struct bed *))
{
    static const enum crypt_library libraries[] = {CRYPT_GNUTLS, CRYPT_FASTEST};
    for (size_t i = 0; i < G_N_ELEMENTS(libraries); i++) {
        struct crypt_lanes *lanes;
        struct suite suite;
        ck_assert_int_eq(crypt_lanes_new(&lanes, libraries[i]), OK);
        for (size_t j = 0; suite_at(j, &suite); j++) {
            struct bed *bed = calloc(1, sizeof(*bed));
            bed_setup(bed, j, lanes);
            one(bed);
            bed_end(bed);
            free(bed);
        }
        crypt_lanes_free(lanes);
    }
}

/* Once there is no number, there is none for the rest. */
static void seal_batch(struct esp_out *sa, unsigned sealer, struct esp_packet *packets, size_t n)
{
    size_t wrapped = 0;
    for (size_t i = 0; i < n; i++) {
        esp_wrap(sa, &packets[i]);
        wrapped += packets[i].err == OK;
    }
    esp_encrypt(sa, sealer, packets, wrapped);
}

/* Seals `n` packets both ways; packets[i].result and single[i] are the same ESP afterwards. */
static void seal_both(struct bed *bed, size_t n, unsigned seed)
{
    size_t head = esp_headroom(&bed->suite);
    for (size_t i = 0; i < n; i++) {
        struct packet_spec spec = {.family = (i + seed) % 3 == 0 ? FAMILY_IPV6 : FAMILY_IPV4,
                                   .payload =
                                       i % 5 == 0 ? (i + seed) % 40 : (i * 397 + seed * 53) % 1450,
                                   .pattern = (uint8_t)(i + seed)};
        uint8_t *esp;
        size_t esp_len;
        size_t len = packet_build(&spec, false, bed->single[i] + head);
        memcpy(bed->batch[i] + head, bed->single[i] + head, len);
        bed->packets[i] = (struct esp_packet){.data = bed->batch[i] + head, .len = len};
        ck_assert_int_eq(esp_seal(bed->single_out, bed->single[i] + head, len, &esp, &esp_len), OK);
        ck_assert_ptr_eq(esp, bed->single[i]);
    }
    seal_batch(bed->batch_out, (unsigned)n % ESP_SEALERS, bed->packets, n);
    for (size_t i = 0; i < n; i++) {
        struct esp_packet *packet = &bed->packets[i];
        ck_assert_int_eq(packet->err, OK);
        ck_assert_ptr_eq(packet->result, bed->batch[i]);
        ck_assert_octets(bytes_of(packet->result, packet->result_len),
                         bytes_of(bed->single[i], packet->result_len));
        *packet = (struct esp_packet){.data = packet->result, .len = packet->result_len};
    }
}

/* Opens the packets at hand both ways, from the same octets to the same results. */
static void open_both(struct bed *bed, size_t n, size_t count_of[])
{
    for (size_t i = 0; i < n; i++) {
        memcpy(bed->single[i], bed->packets[i].data, bed->packets[i].len);
    }
    esp_open_batch(bed->batch_in, bed->packets, n);
    for (size_t i = 0; i < n; i++) {
        const struct esp_packet *packet = &bed->packets[i];
        uint8_t *inner;
        size_t inner_len;
        enum err err =
            esp_open(bed->single_in, bed->single[i], packet->len, packet->ecn, &inner, &inner_len);
        ck_assert_msg(packet->err == err, "packet %zu of %zu, %s: %d for %d", i, n,
                      bed->suite.encr->name, packet->err, err);
        ck_assert_octets(bytes_of(packet->result, packet->result_len), bytes_of(inner, inner_len));
        count_of[err]++;
    }
}

static void there_and_back(struct bed *bed)
{
    static const size_t numbers[] = {1, 2, 3, 5, 8, 16, 17, 64, 65, 150};
    size_t counts[64] = {0};
    size_t total = 0;
    for (size_t i = 0; i < G_N_ELEMENTS(numbers); i++) {
        seal_both(bed, numbers[i], (unsigned)i * 7);
        open_both(bed, numbers[i], counts);
        total += numbers[i];
    }
    ck_assert_uint_eq(counts[OK], total);
}

START_TEST(batches_are_as_single_packets)
{
    for_each_suite(there_and_back);
}
END_TEST

static void hostile(struct bed *bed)
{
    enum { N = 90 };
    size_t counts[64] = {0};
    seal_both(bed, N, 3);
    for (size_t i = 0; i < N; i++) {
        struct esp_packet *packet = &bed->packets[i];
        uint8_t *end = packet->data + packet->len;
        switch (i % 9) {
        case 1:
            end[-1] ^= 1; /* ICV */
            break;
        case 2:
            packet->len = i % 16;
            break;
        case 3:
            packet->data[0] ^= 0x20; /* SPI */
            break;
        case 4: /* the one before the last again, in the same batch, or that of the batch before */
            memcpy(packet->data, bed->packets[i - 4].data, bed->packets[i - 4].len);
            packet->len = bed->packets[i - 4].len;
            break;
        case 5:
            packet->data[8 + i % (packet->len - 8)] ^= 0x40;
            break;
        case 6:
            packet->len -= 1 + i % 16;
            break;
        case 7:
            packet->ecn = (uint8_t)(i % 4);
            break;
        default:
            break;
        }
    }
    for (size_t i = 0; i + 1 < N; i += 7) {
        struct esp_packet later = bed->packets[i];
        bed->packets[i] = bed->packets[i + 1];
        bed->packets[i + 1] = later;
    }
    open_both(bed, N, counts);
    ck_assert_uint_ge(counts[OK], 20);
    ck_assert_uint_eq(counts[ERR_REPLAY], 10);
    ck_assert_uint_ge(counts[ERR_INTEGRITY], 20);
    ck_assert_uint_ge(counts[ERR_SYNTAX], 20);
}

START_TEST(each_has_its_own_verdict)
{
    for_each_suite(hostile);
}
END_TEST

/* RFC 4303 3.3.3: no packet after the last number, wherever in a batch that comes. */
static void numbers_end(struct bed *bed)
{
    size_t head = esp_headroom(&bed->suite);
    struct esp_out *out;
    bed->params.first_sequence = (bed->suite.esn ? UINT64_MAX : UINT32_MAX) - 9;
    ck_assert_int_eq(esp_out_new(&out, &bed->params, bed->lanes), OK);
    for (size_t i = 0; i < 20; i++) {
        struct packet_spec spec = {.payload = 10};
        size_t len = packet_build(&spec, false, bed->batch[i] + head);
        bed->packets[i] = (struct esp_packet){.data = bed->batch[i] + head, .len = len};
    }
    seal_batch(out, 0, bed->packets, 20);
    for (size_t i = 0; i < 20; i++) {
        ck_assert_int_eq(bed->packets[i].err, i < 10 ? OK : ERR_STATE);
    }
    esp_out_free(out);
}

START_TEST(numbers_end_within_a_batch)
{
    for_each_suite(numbers_end);
}
END_TEST

static uint64_t number_at(const uint8_t *octets, size_t len)
{
    uint64_t number = 0;
    for (size_t i = 0; i < len; i++) {
        number = number << 8 | octets[i];
    }
    return number;
}

/* RFC 4106 3.1, RFC 7634 2: no IV twice under one key, whether a packet goes alone, with a few or
 * with many, and so by one library or the other. That of a counter mode is the sequence number. */
static void no_iv_twice(struct bed *bed)
{
    static const size_t numbers[] = {1, 3, 17, 4, 1, 64, 5, 20, 1};
    size_t iv_len = bed->suite.encr->iv_octets;
    size_t head = esp_headroom(&bed->suite);
    uint8_t ivs[PACKETS_MAX][16];
    size_t n = 0;
    for (size_t i = 0; i < G_N_ELEMENTS(numbers); i++) {
        for (size_t j = 0; j < numbers[i]; j++) {
            struct packet_spec spec = {.payload = 40};
            size_t len = packet_build(&spec, false, bed->batch[j] + head);
            bed->packets[j] = (struct esp_packet){.data = bed->batch[j] + head, .len = len};
        }
        if (numbers[i] == 1) {
            struct esp_packet *one = &bed->packets[0];
            one->err =
                esp_seal(bed->batch_out, one->data, one->len, &one->result, &one->result_len);
        } else {
            seal_batch(bed->batch_out, (unsigned)i % ESP_SEALERS, bed->packets, numbers[i]);
        }
        for (size_t j = 0; j < numbers[i]; j++, n++) {
            uint64_t expected = n + (bed->suite.esn ? bed->params.first_sequence : 1);
            ck_assert_int_eq(bed->packets[j].err, OK);
            ck_assert_uint_eq(number_at(bed->packets[j].result + 4, 4), (uint32_t)expected);
            memcpy(ivs[n], bed->packets[j].result + 8, iv_len);
            if (bed->suite.encr->block_octets == 1) {
                ck_assert_uint_eq(number_at(ivs[n], iv_len), expected);
            }
        }
    }
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < i; j++) {
            if (memcmp(ivs[i], ivs[j], iv_len) == 0) {
                ck_abort_msg("packets %zu and %zu have one IV", i, j);
            }
        }
    }
}

START_TEST(no_iv_comes_twice)
{
    for_each_suite(no_iv_twice);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("esp_batch");
    TCase *tcase = tcase_create("esp_batch");
    tcase_add_test(tcase, batches_are_as_single_packets);
    tcase_add_test(tcase, each_has_its_own_verdict);
    tcase_add_test(tcase, numbers_end_within_a_batch);
    tcase_add_test(tcase, no_iv_comes_twice);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
