/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>
#include <stdlib.h>

#include "ike/keys.h"
#include "ike/payload.h"
#include "vectors.h"

/* Whole sessions between two foreign daemons with all their keys
 * (vectors/strongswan-traces/README.md). */

struct session {
    const char *name;
    const char *encr, *integ, *prf, *esp; /* esp: the Child SA's cipher, "-integ" behind */
};

/* Those whose algorithms we have; the names are the proposals that the two were set up with. */
static const struct session sessions[] = {
    {"psk14", "aes256", "sha256", "prfsha256", "aes256-sha256"},
    {"rsagcm", "aes256gcm16", NULL, "prfsha384", "aes256gcm16"},
    {"eapmsc", "chacha20poly1305", NULL, "prfsha256", "chacha20poly1305"},
    {"pskcmac", "aes128", "aescmac", "prfaescmac", NULL},
    {"pskctr", "aes192ctr", "sha384", "prfsha384", NULL},
};
#define N_SESSIONS (int)(sizeof sessions / sizeof sessions[0])

static JsonObject *load(const struct session *session)
{
    char name[128];

    (void)snprintf(name, sizeof name, "strongswan-traces/%s.json", session->name);
    return vectors_load(name);
}

static const struct alg *alg_of(const char *name)
{
    const struct alg *alg = name != NULL ? alg_find_name(bytes_of_string(name)) : NULL;

    ck_assert_msg(name == NULL || alg != NULL, "unknown algorithm %s", name);
    return alg;
}

static struct suite suite_of(const struct session *session)
{
    return (struct suite){
        .encr = alg_of(session->encr),
        .integ = alg_of(session->integ),
        .prf = alg_of(session->prf),
    };
}

static uint64_t spi_of(JsonObject *set, unsigned index)
{
    JsonArray *spis = vector_array(set, "spis");
    struct reader r = reader_of(hex(json_array_get_string_element(spis, index)));

    return rd_u64(&r);
}

START_TEST(the_seven_keys_of_real_sessions)
{
    const struct session *session = &sessions[_i];
    JsonObject *root = load(session);
    JsonObject *set = json_array_get_object_element(vector_array(root, "key_sets"), 0);
    const struct suite suite = suite_of(session);
    const struct key_seed seed = {
        .ni = vector_hex(root, "nonce_i"),
        .nr = vector_hex(root, "nonce_r"),
        .spi_i = spi_of(set, 0),
        .spi_r = spi_of(set, 1),
    };
    struct ike_keys keys;

    ck_assert_int_eq(ike_keys_derive(&keys, &suite, &seed, vector_hex(set, "g")), OK);
    ck_assert_octets(secret_bytes(&keys.d), vector_hex(set, "SK_d"));
    ck_assert_octets(secret_bytes(&keys.ai), vector_hex_or_empty(set, "SK_ai"));
    ck_assert_octets(secret_bytes(&keys.ar), vector_hex_or_empty(set, "SK_ar"));
    ck_assert_octets(secret_bytes(&keys.ei), vector_hex(set, "SK_ei"));
    ck_assert_octets(secret_bytes(&keys.er), vector_hex(set, "SK_er"));
    ck_assert_octets(secret_bytes(&keys.pi), vector_hex(set, "SK_pi"));
    ck_assert_octets(secret_bytes(&keys.pr), vector_hex(set, "SK_pr"));
    ike_keys_free(&keys);
    json_object_unref(root);
}
END_TEST

/* RFC 7296 2.17, on a Child SA without a key exchange of its own. */
START_TEST(child_keys_of_real_sessions)
{
    const struct session *session = &sessions[_i];
    JsonObject *root = load(session);
    JsonObject *set = json_array_get_object_element(vector_array(root, "key_sets"), 0);
    JsonObject *child = json_array_get_object_element(vector_array(root, "child_sa_keys"), 0);
    struct child_keys keys;
    struct suite suite = {0};
    const char *dash;

    if (session->esp == NULL) {
        json_object_unref(root);
        return;
    }
    dash = strchr(session->esp, '-');
    suite.encr = alg_find_name(bytes_of(session->esp, dash != NULL ? (size_t)(dash - session->esp)
                                                                   : strlen(session->esp)));
    suite.integ = dash != NULL ? alg_of(dash + 1) : NULL;
    ck_assert_ptr_nonnull(suite.encr);
    ck_assert_int_eq(child_keys_derive(&keys, alg_of(session->prf), vector_hex(set, "SK_d"), &suite,
                                       (struct bytes){0}, vector_hex(root, "nonce_i"),
                                       vector_hex(root, "nonce_r")),
                     OK);
    ck_assert_octets(secret_bytes(&keys.encr_i), vector_hex(child, "encryption initiator key"));
    ck_assert_octets(secret_bytes(&keys.encr_r), vector_hex(child, "encryption responder key"));
    ck_assert_octets(secret_bytes(&keys.integ_i),
                     vector_hex_or_empty(child, "integrity initiator key"));
    ck_assert_octets(secret_bytes(&keys.integ_r),
                     vector_hex_or_empty(child, "integrity responder key"));
    child_keys_free(&keys);
    json_object_unref(root);
}
END_TEST

/* RFC 7296 2.15: octets from their parts, and the MAC over them with PSK or MSK. */
START_TEST(auth_of_real_sessions)
{
    const struct session *session = &sessions[_i];
    JsonObject *root = load(session);
    JsonArray *all = vector_array(root, "auth_computations");
    JsonArray *messages = vector_array(root, "messages");
    const struct alg *prf = alg_of(session->prf);
    unsigned macs = 0;

    for (unsigned i = 0; i < json_array_get_length(all); i++) {
        JsonObject *one = json_array_get_object_element(all, i);
        bool initiator = strcmp(vector_text(one, "role"), "i") == 0;
        JsonObject *init = json_array_get_object_element(messages, initiator ? 0 : 1);
        uint8_t mac[PRF_MAX];
        struct secret octets = {0};

        ck_assert_int_eq(auth_octets(&octets, prf, vector_hex(init, "hex"),
                                     vector_hex(root, initiator ? "nonce_r" : "nonce_i"),
                                     vector_hex(one, "SK_p"), vector_hex(one, "IDx'")),
                         OK);
        ck_assert_octets(secret_bytes(&octets), vector_hex(one, "octets"));
        if (vector_has(one, "AUTH")) {
            ck_assert_int_eq(
                auth_shared_key(prf, vector_hex(one, "secret"), secret_bytes(&octets), mac), OK);
            ck_assert_octets(bytes_of(mac, prf_len(prf)), vector_hex(one, "AUTH"));
            macs++;
        }
        secret_free(&octets);
    }
    ck_assert(macs > 0 || strcmp(session->name, "rsagcm") == 0);
    json_object_unref(root);
}
END_TEST

/* A nonce that is longer than the protocol allows must not overrun anything. */
START_TEST(nonces_are_bounded)
{
    static const uint8_t big[300] = {0};
    const struct suite suite = suite_of(&sessions[1]);
    struct key_seed seed = {
        .ni = bytes_of(big, 256), .nr = bytes_of(big, 256), .spi_i = 1, .spi_r = 2};
    struct ike_keys keys;

    ck_assert_int_eq(ike_keys_derive(&keys, &suite, &seed, bytes_of(big, 32)), OK);
    ike_keys_free(&keys);
    seed.ni = bytes_of(big, sizeof big);
    ck_assert_int_eq(ike_keys_derive(&keys, &suite, &seed, bytes_of(big, 32)), ERR_SPACE);
    ck_assert_ptr_null(keys.d.data);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("keys");
    TCase *tcase = tcase_create("keys");

    tcase_add_loop_test(tcase, the_seven_keys_of_real_sessions, 0, N_SESSIONS);
    tcase_add_loop_test(tcase, child_keys_of_real_sessions, 0, N_SESSIONS);
    tcase_add_loop_test(tcase, auth_of_real_sessions, 0, N_SESSIONS);
    tcase_add_test(tcase, nonces_are_bounded);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
