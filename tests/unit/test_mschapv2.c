/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>

#include "eap/mschapv2_crypto.h"
#include "vectors.h"

static struct bytes utf8(const char *text)
{
    return bytes_of(octets_copy(bytes_of_string(text)), strlen(text));
}

/* The whole calculation for one worked example; `n` members of the vector file's object are
 * checked. */
static void check_example(JsonObject *example)
{
    struct bytes user = utf8(vector_text(example, "UserName"));
    struct bytes authenticator = vector_hex(example, "AuthenticatorChallenge");
    struct bytes peer = vector_hex(example, "PeerChallenge");
    const char *expected = vector_text(example, "AuthenticatorResponse");
    uint8_t hash[MSCHAPV2_HASH_LEN], challenge[8], response[MSCHAPV2_NT_RESPONSE_LEN];
    uint8_t proof[MSCHAPV2_AUTHENTICATOR_LEN], msk[MSCHAPV2_MSK_LEN];

    ck_assert_int_eq(mschapv2_password_hash(utf8(vector_text(example, "Password")), hash), OK);
    ck_assert_octets(bytes_of(hash, sizeof(hash)), vector_hex(example, "PasswordHash"));
    mschapv2_challenge_hash(peer.data, authenticator.data, user, challenge);
    ck_assert_octets(bytes_of(challenge, sizeof(challenge)), vector_hex(example, "Challenge"));
    mschapv2_nt_response(challenge, hash, response);
    ck_assert_octets(bytes_of(response, sizeof(response)), vector_hex(example, "NT_Response"));
    mschapv2_authenticator_response(challenge, hash, response, proof);
    ck_assert_octets(bytes_of(proof, sizeof(proof)), hex(expected + 2));
    mschapv2_msk(hash, response, msk);
    ck_assert_octets(bytes_of(msk, sizeof(msk)), vector_hex(example, "EAP_MSCHAPv2_MSK_64"));
}

START_TEST(rfc2759_example)
{
    JsonObject *root = vectors_load("mschapv2-rfc2759-rfc3079.json");

    check_example(vector_object(root, "rfc_example"));
    json_object_unref(root);
}
END_TEST

/* Two-, three- and four-octet UTF-8, the last one as a surrogate pair. */
START_TEST(non_ascii_password)
{
    JsonObject *root = vectors_load("mschapv2-rfc2759-rfc3079.json");

    check_example(vector_object(root, "extra_computed_here_not_from_rfc"));
    json_object_unref(root);
}
END_TEST

/* RFC 3079 3.5.3 prints the key that the server sends with. */
START_TEST(rfc3079_start_key)
{
    JsonObject *root = vectors_load("mschapv2-rfc2759-rfc3079.json");
    struct bytes msk = vector_hex(vector_object(root, "rfc_example"), "EAP_MSCHAPv2_MSK_64");

    ck_assert_octets(bytes_of(msk.data + 16, 16), vector_hex(root, "rfc3079_SendStartKey128"));
    json_object_unref(root);
}
END_TEST

START_TEST(rfc2759_9_3_hash)
{
    uint8_t hash[MSCHAPV2_HASH_LEN];

    ck_assert_int_eq(mschapv2_password_hash(utf8("MyPw"), hash), OK);
    ck_assert_octets(bytes_of(hash, sizeof(hash)), hex("fc156af7edcd6c0edde3337d427f4eac"));
}
END_TEST

/* A password hash of zeros makes three weak DES keys; they must still encrypt: E_0(0) is known. */
START_TEST(weak_des_keys)
{
    static const uint8_t zeros[16];
    uint8_t response[MSCHAPV2_NT_RESPONSE_LEN];

    mschapv2_nt_response(zeros, zeros, response);
    ck_assert_octets(bytes_of(response, sizeof(response)),
                     hex("8ca64de9c1b123a7 8ca64de9c1b123a7 8ca64de9c1b123a7"));
}
END_TEST

START_TEST(empty_password)
{
    uint8_t hash[MSCHAPV2_HASH_LEN];

    ck_assert_int_eq(mschapv2_password_hash((struct bytes){0}, hash), OK);
    ck_assert_octets(bytes_of(hash, sizeof(hash)), hex("31d6cfe0d16ae931b73c59d7e0c089c0"));
}
END_TEST

START_TEST(password_of_256_units)
{
    char text[258];
    uint8_t hash[MSCHAPV2_HASH_LEN];

    memset(text, 'x', sizeof(text));
    ck_assert_int_eq(mschapv2_password_hash(bytes_of(text, 256), hash), OK);
    ck_assert_int_eq(mschapv2_password_hash(bytes_of(text, 257), hash), ERR_SPACE);
    ck_assert_octets(bytes_of(hash, sizeof(hash)), hex("00000000000000000000000000000000"));
}
END_TEST

static const char *const bad_utf8[] = {
    "80",                                                     /* continuation first */
    "c080",                                                   /* overlong NUL */
    "c1bf",     "e08080",   "e09fbf", "f0808080", "f08fbfbf", /* overlong */
    "eda080",   "edbfbf",                                     /* surrogates */
    "f4908080", "f8888080", "ff",                             /* beyond U+10FFFF */
    "c3",       "e282",     "f09f98",                         /* cut off */
    "c341",     "e28241",   "e24182",                         /* bad continuation */
};

START_TEST(invalid_utf8)
{
    uint8_t hash[MSCHAPV2_HASH_LEN];
    struct bytes text = hex(bad_utf8[_i]);

    ck_assert_int_eq(mschapv2_password_hash(text, hash), ERR_SYNTAX);
}
END_TEST

START_TEST(domain_is_stripped)
{
    ck_assert_octets(mschapv2_user_part(utf8("CORP\\alice")), utf8("alice"));
    ck_assert_octets(mschapv2_user_part(utf8("alice")), utf8("alice"));
    ck_assert_octets(mschapv2_user_part(utf8("alice@corp.example")), utf8("alice@corp.example"));
    ck_assert_octets(mschapv2_user_part(utf8("A\\b\\c")), utf8("b\\c"));
    ck_assert_uint_eq(mschapv2_user_part(utf8("CORP\\")).len, 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("mschapv2");
    TCase *tests = tcase_create("maths");

    tcase_add_test(tests, rfc2759_example);
    tcase_add_test(tests, non_ascii_password);
    tcase_add_test(tests, rfc3079_start_key);
    tcase_add_test(tests, rfc2759_9_3_hash);
    tcase_add_test(tests, weak_des_keys);
    tcase_add_test(tests, empty_password);
    tcase_add_test(tests, password_of_256_units);
    tcase_add_loop_test(tests, invalid_utf8, 0, sizeof(bad_utf8) / sizeof(bad_utf8[0]));
    tcase_add_test(tests, domain_is_stripped);
    suite_add_tcase(suite, tests);
    return run_suite(suite);
}
