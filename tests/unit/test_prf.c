/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "crypto/prf.h"

#include <stdio.h>

#include "unit/vectors.h"

static const struct alg *prf_named(const char *name)
{
    const struct alg *prf = alg_find_name(bytes_of_string(name));

    ck_assert_ptr_nonnull(prf);
    return prf;
}

static void check_prf(const struct alg *prf, struct bytes key, struct bytes data,
                      struct bytes expected)
{
    /* Cut in three, so that the joining of parts is seen too. */
    struct bytes parts[3] = {
        bytes_of(data.data, data.len / 3),
        bytes_of(data.data + data.len / 3, 0),
        bytes_of(data.data + data.len / 3, data.len - data.len / 3),
    };
    uint8_t out[PRF_MAX];

    ck_assert_uint_eq(prf_parts(prf, key, parts, 3, out), OK);
    ck_assert_octets(bytes_of(out, prf_len(prf)), expected);
    ck_assert_uint_eq(prf_parts(prf, key, &data, 1, out), OK);
    ck_assert_octets(bytes_of(out, prf_len(prf)), expected);
}

/* ---- NIST CAVS: the whole IKEv2 key derivation ---- */

static void check_plus(const struct alg *prf, struct bytes key, const struct bytes *seed, size_t n,
                       struct bytes expected)
{
    uint8_t *out = octets_copy(expected);

    memset(out, 0, expected.len);
    ck_assert_uint_eq(prf_plus(prf, key, seed, n, out, expected.len), OK);
    ck_assert_octets(bytes_of(out, expected.len), expected);
}

static void check_kdf(const struct alg *prf, JsonObject *test)
{
    struct bytes ni = vector_hex(test, "Ni");
    struct bytes nr = vector_hex(test, "Nr");
    struct bytes new_secret = vector_hex(test, "g_ir_new");
    struct bytes skeyseed = vector_hex(test, "SKEYSEED");
    struct bytes dkm = vector_hex(test, "DKM");
    struct bytes nonces[2] = {ni, nr};
    struct bytes seed[4] = {ni, nr, vector_hex(test, "SPIi"), vector_hex(test, "SPIr")};
    struct bytes rekey[3] = {new_secret, ni, nr};
    struct bytes sk_d = bytes_of(dkm.data, prf_len(prf));
    uint8_t joined[512];

    memcpy(joined, ni.data, ni.len);
    memcpy(joined + ni.len, nr.data, nr.len);
    check_prf(prf, bytes_of(joined, ni.len + nr.len), vector_hex(test, "g_ir"), skeyseed);
    check_plus(prf, skeyseed, seed, 4, dkm);
    check_plus(prf, sk_d, nonces, 2, vector_hex(test, "DKM_child"));
    check_plus(prf, sk_d, rekey, 3, vector_hex(test, "DKM_child_DH"));
    ck_assert_uint_eq(prf_parts(prf, sk_d, rekey, 3, joined), OK);
    ck_assert_octets(bytes_of(joined, prf_len(prf)), vector_hex(test, "SKEYSEED_rekey"));
}

START_TEST(nist_cavs)
{
    static const struct {
        const char *theirs;
        const char *ours;
    } names[] = {
        {"HMAC-SHA-1", "prfsha1"},
        {"HMAC-SHA-256", "prfsha256"},
        {"HMAC-SHA-384", "prfsha384"},
        {"HMAC-SHA-512", "prfsha512"},
    };
    JsonObject *root = vectors_load("ikev2-kdf-nist-cavs.json");
    JsonArray *groups = vector_array(root, "groups");
    unsigned checked = 0;

    for (guint i = 0; i < json_array_get_length(groups); i++) {
        JsonObject *group = json_array_get_object_element(groups, i);
        JsonArray *tests = vector_array(group, "tests");
        const struct alg *prf = NULL;

        for (size_t j = 0; j < G_N_ELEMENTS(names); j++) {
            if (strcmp(vector_text(group, "prf"), names[j].theirs) == 0) {
                prf = prf_named(names[j].ours);
            }
        }
        ck_assert_msg(prf != NULL, "no PRF for %s", vector_text(group, "prf"));
        for (guint j = 0; j < json_array_get_length(tests); j++) {
            check_kdf(prf, json_array_get_object_element(tests, j));
            checked++;
        }
    }
    ck_assert_uint_eq(checked, 98);
    json_object_unref(root);
}
END_TEST

/* ---- single functions ---- */

START_TEST(cmac_prf_reduces_keys)
{
    JsonObject *root = vectors_load("prf-aes-xcbc-cmac.json");
    JsonObject *set = vector_object(vector_object(root, "sets"), "PRF_AES128_CMAC (8)");
    JsonArray *vectors = vector_array(set, "vectors");

    ck_assert_uint_eq(json_array_get_length(vectors), 3);
    for (guint i = 0; i < json_array_get_length(vectors); i++) {
        JsonObject *vector = json_array_get_object_element(vectors, i);

        check_prf(prf_named("prfaescmac"), vector_hex(vector, "key"), vector_hex(vector, "data"),
                  vector_hex(vector, "prf"));
    }
    json_object_unref(root);
}
END_TEST

START_TEST(hmac_of_linux)
{
    static const struct {
        const char *set;
        const char *prf;
    } sets[] = {
        {"hmac-sha1-rfc2202", "prfsha1"},     {"hmac-sha256-rfc4231", "prfsha256"},
        {"hmac-sha384-rfc4231", "prfsha384"}, {"hmac-sha512-rfc4231", "prfsha512"},
        {"aes-cmac-128", "prfaescmac"},
    };
    JsonObject *root = vectors_load("mac-hmac-cmac-xcbc.json");

    for (size_t i = 0; i < G_N_ELEMENTS(sets); i++) {
        JsonArray *vectors = vector_array(vector_object(root, "sets"), sets[i].set);
        unsigned checked = 0;

        for (guint j = 0; j < json_array_get_length(vectors); j++) {
            JsonObject *vector = json_array_get_object_element(vectors, j);
            struct bytes key = vector_hex(vector, "key");
            struct bytes mac = vector_hex(vector, "mac");

            /* The kernel's list also has AES-256-CMAC, which IKEv2 does not know. */
            if (strcmp(sets[i].prf, "prfaescmac") == 0 && key.len != 16) {
                continue;
            }
            check_prf(prf_named(sets[i].prf), key, vector_hex(vector, "data"), mac);
            checked++;
        }
        ck_assert_uint_gt(checked, 3);
    }
    json_object_unref(root);
}
END_TEST

/* "AUTH256-3" → the INTEG algorithm; NULL for the PRF cases. */
static const struct alg *integ_of_case(const char *name)
{
    if (g_str_has_prefix(name, "AUTH256")) {
        return alg_find(TRANSFORM_INTEG, AUTH_HMAC_SHA2_256_128, 0);
    }
    if (g_str_has_prefix(name, "AUTH384")) {
        return alg_find(TRANSFORM_INTEG, AUTH_HMAC_SHA2_384_192, 0);
    }
    return g_str_has_prefix(name, "AUTH512") ? alg_find(TRANSFORM_INTEG, AUTH_HMAC_SHA2_512_256, 0)
                                             : NULL;
}

START_TEST(rfc4868)
{
    JsonObject *root = vectors_load("hmac-sha2-rfc4868.json");
    JsonArray *vectors = vector_array(root, "vectors");
    unsigned truncated = 0;

    for (guint i = 0; i < json_array_get_length(vectors); i++) {
        JsonObject *vector = json_array_get_object_element(vectors, i);
        const struct alg *integ = integ_of_case(vector_text(vector, "case"));
        struct bytes key = vector_hex(vector, "key");
        struct bytes data = vector_hex(vector, "data");
        char prf[16];

        (void)snprintf(prf, sizeof(prf), "prf%s", vector_text(vector, "hash"));
        check_prf(prf_named(prf), key, data, vector_hex(vector, "prf"));
        if (integ != NULL) {
            uint8_t icv[PRF_MAX];

            ck_assert_uint_eq(mac_parts(integ, key, &data, 1, icv), OK);
            ck_assert_octets(bytes_of(icv, integ->icv_octets),
                             vector_hex(vector, "auth_truncated"));
            truncated++;
        }
    }
    ck_assert_uint_eq(truncated, 12);
    json_object_unref(root);
}
END_TEST

/* Tags are truncated there, and whole tags that must not match are among them. */
static void check_wycheproof(const char *file, const char *name)
{
    JsonObject *root = vectors_load_shared(file);
    JsonArray *groups;

    if (root == NULL) {
        return;
    }
    groups = vector_array(root, "testGroups");
    for (guint i = 0; i < json_array_get_length(groups); i++) {
        JsonObject *group = json_array_get_object_element(groups, i);
        JsonArray *tests = vector_array(group, "tests");

        for (guint j = 0; j < json_array_get_length(tests); j++) {
            JsonObject *test = json_array_get_object_element(tests, j);
            struct bytes msg = vector_hex(test, "msg");
            struct bytes key = vector_hex(test, "key");
            struct bytes tag = vector_hex(test, "tag");
            const struct alg *prf = prf_named(name);
            uint8_t out[PRF_MAX];

            if (prf->id == PRF_AES128_CMAC && key.len != 16) {
                continue;
            }
            ck_assert_uint_eq(prf_parts(prf, key, &msg, 1, out), OK);
            ck_assert_msg(bytes_equal(bytes_of(out, tag.len), tag) ==
                              (strcmp(vector_text(test, "result"), "valid") == 0),
                          "%s: test %d", file, (int)vector_int(test, "tcId"));
        }
    }
    json_object_unref(root);
}

START_TEST(wycheproof)
{
    check_wycheproof("wycheproof/hmac_sha1_test.json", "prfsha1");
    check_wycheproof("wycheproof/hmac_sha256_test.json", "prfsha256");
    check_wycheproof("wycheproof/hmac_sha384_test.json", "prfsha384");
    check_wycheproof("wycheproof/hmac_sha512_test.json", "prfsha512");
    check_wycheproof("wycheproof/aes_cmac_test.json", "prfaescmac");
}
END_TEST

/* ---- limits ---- */

START_TEST(prf_plus_ends_at_255_blocks)
{
    const struct alg *prf = prf_named("prfsha256");
    struct bytes key = hex("00010203");
    struct bytes seed = hex("a0a1a2a3");
    uint8_t *out = g_malloc(255 * 32 + 1);
    uint8_t block[PRF_MAX];
    uint8_t counter = 255;
    struct bytes last[3] = {bytes_of(out + 253 * 32, 32), seed, bytes_of(&counter, 1)};

    ck_assert_uint_eq(prf_plus(prf, key, &seed, 1, out, 255 * 32 + 1), ERR_SPACE);
    ck_assert_uint_eq(prf_plus(prf, key, &seed, 1, out, 255 * 32), OK);
    /* T255 = prf(K, T254 | S | 0xff) */
    ck_assert_uint_eq(prf_parts(prf, key, last, 3, block), OK);
    ck_assert_octets(bytes_of(out + 254 * 32, 32), bytes_of(block, 32));
    ck_assert_uint_eq(prf_plus(prf, key, &seed, 1, NULL, 0), OK);
    g_free(out);
}
END_TEST

START_TEST(empty_inputs)
{
    /* HMAC-SHA-256 with an empty key over nothing. */
    struct bytes expected = hex("b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
    struct bytes nothing = {0};
    uint8_t out[PRF_MAX];

    ck_assert_uint_eq(prf_parts(prf_named("prfsha256"), nothing, NULL, 0, out), OK);
    ck_assert_octets(bytes_of(out, 32), expected);
    ck_assert_uint_eq(prf_parts(prf_named("prfsha256"), nothing, &nothing, 1, out), OK);
    ck_assert_octets(bytes_of(out, 32), expected);
}
END_TEST

START_TEST(sha1_joins_parts)
{
    struct bytes parts[3] = {bytes_of_string("a"), {0}, bytes_of_string("bc")};
    uint8_t out[SHA1_LEN];

    ck_assert_uint_eq(sha1_parts(parts, 3, out), OK);
    ck_assert_octets(bytes_of(out, SHA1_LEN), hex("a9993e364706816aba3e25717850c26c9cd0d89d"));
    ck_assert_uint_eq(sha1_parts(NULL, 0, out), OK);
    ck_assert_octets(bytes_of(out, SHA1_LEN), hex("da39a3ee5e6b4b0d3255bfef95601890afd80709"));
}
END_TEST

START_TEST(wrong_use_is_refused)
{
    const struct alg *cipher = alg_find(TRANSFORM_ENCR, ENCR_AES_GCM_16, 128);
    const struct alg *integ = alg_find(TRANSFORM_INTEG, AUTH_HMAC_SHA2_256_128, 0);
    struct alg unknown = {.type = TRANSFORM_PRF, .id = 4, .key_octets = 16};
    struct bytes key = hex("00112233445566778899aabbccddeeff");
    uint8_t out[PRF_MAX];

    ck_assert_uint_eq(prf_parts(cipher, key, NULL, 0, out), ERR_UNSUPPORTED);
    ck_assert_uint_eq(prf_parts(&unknown, key, NULL, 0, out), ERR_UNSUPPORTED);
    ck_assert_uint_eq(prf_plus(&unknown, key, NULL, 0, out, 16), ERR_UNSUPPORTED);
    ck_assert_uint_eq(mac_parts(cipher, key, NULL, 0, out), ERR_UNSUPPORTED);
    /* RFC 4868 2.1.1: an integrity key has the length of the hash, no other. */
    ck_assert_uint_eq(mac_parts(integ, key, NULL, 0, out), ERR_KEY);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("prf");
    TCase *vectors = tcase_create("vectors");
    TCase *limits = tcase_create("limits");

    tcase_add_test(vectors, nist_cavs);
    tcase_add_test(vectors, cmac_prf_reduces_keys);
    tcase_add_test(vectors, hmac_of_linux);
    tcase_add_test(vectors, rfc4868);
    tcase_add_test(vectors, wycheproof);
    suite_add_tcase(suite, vectors);
    tcase_add_test(limits, prf_plus_ends_at_255_blocks);
    tcase_add_test(limits, empty_inputs);
    tcase_add_test(limits, sha1_joins_parts);
    tcase_add_test(limits, wrong_use_is_refused);
    suite_add_tcase(suite, limits);
    return run_suite(suite);
}
