/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ike/fragment.h"
#include "vectors.h"

/* RFC 7383: what is cut can be put together again, in any order, and never takes more than its
 * bounds. */

static struct reassembly parts;
static struct secret joined;
static bool complete;
static uint64_t now = 1000;

static enum err add(uint32_t id, uint16_t number, uint16_t total, const char *text)
{
    const struct ike_header header = {.exchange = X_IKE_AUTH, .message_id = id};
    const struct fragment fragment = {.number = number,
                                      .total = total,
                                      .first_inner = number == 1 ? P_IDr : 0,
                                      .plain = bytes_of_string(text)};

    return reassembly_add(&parts, &header, &fragment, now, &joined, &complete);
}

static void done(const char *want)
{
    ck_assert(complete);
    ck_assert_octets(secret_bytes(&joined), bytes_of_string(want));
    ck_assert_uint_eq(parts.first_inner, P_IDr);
    reassembly_free(&parts);
    secret_free(&joined);
}

START_TEST(any_order_and_twice)
{
    ck_assert_int_eq(add(1, 3, 3, "cc"), OK);
    ck_assert_int_eq(add(1, 1, 3, "a"), OK);
    ck_assert_int_eq(add(1, 1, 3, "zzz"), OK);
    ck_assert(!complete);
    ck_assert_int_eq(add(1, 2, 3, "b"), OK);
    done("abcc");
}
END_TEST

START_TEST(a_finer_cut_replaces_a_coarser_one)
{
    ck_assert_int_eq(add(1, 1, 2, "old"), OK);
    ck_assert_int_eq(add(1, 1, 3, "a"), OK);
    ck_assert_int_eq(add(1, 2, 2, "old"), OK);
    ck_assert(!complete);
    ck_assert_int_eq(add(1, 2, 3, "b"), OK);
    ck_assert_int_eq(add(1, 3, 3, "c"), OK);
    done("abc");
}
END_TEST

START_TEST(another_message_or_a_late_one_starts_anew)
{
    ck_assert_int_eq(add(1, 1, 2, "a"), OK);
    ck_assert_int_eq(add(2, 2, 2, "B"), OK);
    ck_assert(!complete);
    now += FRAGMENT_TIMEOUT_US;
    ck_assert_int_eq(add(2, 1, 2, "A"), OK);
    ck_assert(!complete);
    ck_assert_int_eq(add(2, 2, 2, "Z"), OK);
    done("AZ");
}
END_TEST

START_TEST(bounds)
{
    static char big[40000];

    memset(big, 'x', sizeof big - 1);
    ck_assert_int_eq(add(1, 0, 2, "a"), ERR_SPACE);
    ck_assert_int_eq(add(1, 3, 2, "a"), ERR_SPACE);
    ck_assert_int_eq(add(1, 1, 65, "a"), ERR_SPACE);
    ck_assert_int_eq(add(1, 1, 64, big), OK);
    ck_assert_int_eq(add(1, 2, 64, big), ERR_SPACE);
    ck_assert_uint_eq(parts.octets, 0);
    for (uint16_t i = 1; i <= 64; i++) {
        ck_assert_int_eq(add(1, i, 64, "y"), OK);
        ck_assert_int_eq(complete, i == 64);
    }
    ck_assert_uint_eq(joined.len, 64);
    secret_free(&joined);
    reassembly_free(&parts);
}
END_TEST

/* Each fragment is sealed on its own: with an IV of its own, or GCM gives its key away. */
static void check_ivs(const struct datagrams *datagrams)
{
    const size_t at = IKE_HEADER_LEN + IKE_PAYLOAD_HEADER_LEN + 4;

    for (size_t i = 1; i < datagrams->n; i++) {
        for (size_t k = 0; k < i; k++) {
            ck_assert_int_ne(
                memcmp(datagrams->items[i].data + at, datagrams->items[k].data + at, 8), 0);
        }
    }
}

START_TEST(cut_and_put_together)
{
    static uint8_t plain[4000];
    static uint8_t key[20] = {1};
    static const size_t rooms[] = {300, 544, 1248, 60000};
    const struct ike_header header = {
        .spi_i = 1, .spi_r = 2, .version = IKE_VERSION, .exchange = X_IKE_AUTH, .message_id = 1};
    struct chain chain = chain_of(plain, sizeof plain);
    struct datagrams datagrams = {0};
    uint64_t counter = 0;
    struct sealer sealer = {.counter = &counter};
    struct crypt *in;
    const struct alg *alg = alg_find_name(bytes_of_string("aes128gcm16"));

    ck_assert_int_eq(
        crypt_new(&sealer.crypt, alg, NULL, bytes_of(key, sizeof key), (struct bytes){0}), OK);
    ck_assert_int_eq(crypt_new(&in, alg, NULL, bytes_of(key, sizeof key), (struct bytes){0}), OK);
    chain_begin(&chain, P_VENDOR);
    memset(wr_space(&chain.w, 3500), 'v', 3500);
    chain_end(&chain);
    ck_assert_int_eq(fragment_seal(&datagrams, &header, &chain, &sealer, true, rooms[_i]), OK);
    ck_assert_int_eq(datagrams.n == 1, rooms[_i] > 4000);
    check_ivs(&datagrams);
    for (size_t i = datagrams.n; i-- > 0;) {
        struct secret *one = &datagrams.items[i];
        struct fragment fragment;
        struct message message;
        uint8_t unknown;

        ck_assert_uint_le(one->len, rooms[_i]);
        ck_assert_int_eq(
            message_parse(&message, secret_bytes(one), &fragment.first_inner, &unknown), OK);
        if (datagrams.n == 1) {
            ck_assert_int_eq(
                message_open(one->data, one->len, &message.payloads[0], in, &fragment.plain), OK);
            ck_assert_octets(fragment.plain, wr_written(&chain.w));
            break;
        }
        ck_assert_int_eq(message_open_fragment(one->data, one->len, &message.payloads[0], in,
                                               &fragment.plain, &fragment.number, &fragment.total),
                         OK);
        ck_assert_int_eq(reassembly_add(&parts, &header, &fragment, now, &joined, &complete), OK);
        ck_assert_int_eq(complete, i == 0);
    }
    if (datagrams.n > 1) {
        ck_assert_octets(secret_bytes(&joined), wr_written(&chain.w));
        ck_assert_uint_eq(parts.first_inner, P_VENDOR);
    }
    reassembly_free(&parts);
    secret_free(&joined);
    datagrams_free(&datagrams);
    /* without the peer's consent it stays whole; in too many pieces it is not sent */
    ck_assert_int_eq(fragment_seal(&datagrams, &header, &chain, &sealer, false, 300), OK);
    ck_assert_uint_eq(datagrams.n, 1);
    ck_assert_int_eq(fragment_seal(&datagrams, &header, &chain, &sealer, true, 90), ERR_SPACE);
    ck_assert_uint_eq(datagrams.n, 0);
    crypt_free(sealer.crypt);
    crypt_free(in);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("ike fragment");
    TCase *tcase = tcase_create("fragment");

    tcase_add_test(tcase, any_order_and_twice);
    tcase_add_test(tcase, a_finer_cut_replaces_a_coarser_one);
    tcase_add_test(tcase, another_message_or_a_late_one_starts_anew);
    tcase_add_test(tcase, bounds);
    tcase_add_loop_test(tcase, cut_and_put_together, 0, 4);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
