/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "crypto/algs.h"

#include "crypto/crypt.h"
#include "crypto/ke.h"
#include "crypto/prf.h"
#include "unit/vectors.h"

/* ---- the table ---- */

START_TEST(rows_are_distinct_and_found)
{
    const struct alg *alg;
    size_t n = 0;

    for (; (alg = alg_at(n)) != NULL; n++) {
        char text[40];

        ck_assert_ptr_eq(alg_find(alg->type, alg->id, alg->key_bits), alg);
        ck_assert_ptr_eq(alg_find_name(bytes_of_string(alg->name)), alg);
        ck_assert_str_eq(alg_describe(alg->type, alg->id, alg->key_bits, text, sizeof(text)),
                         alg->name);
        ck_assert_uint_gt(strlen(alg->title), 3);
        for (size_t i = 0; i < n; i++) {
            ck_assert_str_ne(alg_at(i)->name, alg->name);
            ck_assert_str_ne(alg_at(i)->title, alg->title);
        }
    }
    ck_assert_uint_ge(n, 45);
    ck_assert_ptr_null(alg_at(n + 1));
    ck_assert_ptr_null(alg_at(SIZE_MAX));
}
END_TEST

/* Lengths from RFC 4106, 4309, 7634, 3602, 3686, 2451 and 4868, 4494, 2404. */
START_TEST(lengths)
{
    static const struct {
        const char *name;
        unsigned id;
        unsigned key, salt, iv, icv, block;
    } rows[] = {
        {"aes256gcm16", 20, 32, 4, 8, 16, 1},
        {"aes192gcm12", 19, 24, 4, 8, 12, 1},
        {"aes128gcm8", 18, 16, 4, 8, 8, 1},
        {"aes256ccm16", 16, 32, 3, 8, 16, 1},
        {"aes128ccm12", 15, 16, 3, 8, 12, 1},
        {"aes256ccm8", 14, 32, 3, 8, 8, 1},
        {"chacha20poly1305", 28, 32, 4, 8, 16, 1},
        {"aes256", 12, 32, 0, 16, 0, 16},
        {"aes192", 12, 24, 0, 16, 0, 16},
        {"aes128", 12, 16, 0, 16, 0, 16},
        {"aes192ctr", 13, 24, 4, 8, 0, 1},
        {"3des", 3, 24, 0, 8, 0, 8},
        {"sha1", 2, 20, 0, 0, 12, 0},
        {"aescmac", 8, 16, 0, 0, 12, 0},
        {"sha256", 12, 32, 0, 0, 16, 0},
        {"sha384", 13, 48, 0, 0, 24, 0},
        {"sha512", 14, 64, 0, 0, 32, 0},
        {"prfsha1", 2, 20, 0, 0, 0, 0},
        {"prfsha256", 5, 32, 0, 0, 0, 0},
        {"prfsha384", 6, 48, 0, 0, 0, 0},
        {"prfsha512", 7, 64, 0, 0, 0, 0},
        {"prfaescmac", 8, 16, 0, 0, 0, 0},
        {"x25519", 31, 0, 0, 0, 0, 0},
        {"modp8192", 18, 0, 0, 0, 0, 0},
        {"esn", 1, 0, 0, 0, 0, 0},
        {"noesn", 0, 0, 0, 0, 0, 0},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        const struct alg *alg = alg_find_name(bytes_of_string(rows[i].name));

        ck_assert_msg(alg != NULL, "%s", rows[i].name);
        ck_assert_uint_eq(alg->id, rows[i].id);
        ck_assert_uint_eq(alg->key_octets, rows[i].key);
        ck_assert_uint_eq(alg->salt_octets, rows[i].salt);
        ck_assert_uint_eq(alg->iv_octets, rows[i].iv);
        ck_assert_uint_eq(alg->icv_octets, rows[i].icv);
        ck_assert_uint_eq(alg->block_octets, rows[i].block);
    }
}
END_TEST

/* Every row has something behind it that works, and consistent flags. */
START_TEST(rows_work)
{
    static const uint8_t key[64];
    struct rng rng = rng_system();
    const struct alg *alg;

    for (size_t i = 0; (alg = alg_at(i)) != NULL; i++) {
        uint8_t out[PRF_MAX];
        struct crypt *crypt;
        struct ke *ke;

        switch (alg->type) {
        case TRANSFORM_ENCR: {
            bool aead = (alg->flags & ALG_AEAD) != 0;
            const struct alg *integ = aead ? NULL : alg_find_name(bytes_of_string("sha256"));

            ck_assert_int_eq(aead, alg->icv_octets != 0);
            ck_assert_int_eq((alg->flags & ALG_KEYLEN) != 0, alg->key_bits != 0);
            ck_assert(alg->key_bits == 0 || alg->key_bits == 8 * alg->key_octets);
            ck_assert_uint_eq(crypt_new(&crypt, alg, integ, bytes_of(key, crypt_encr_key_len(alg)),
                                        bytes_of(key, crypt_integ_key_len(integ))),
                              OK);
            crypt_free(crypt);
            break;
        }
        case TRANSFORM_PRF:
            ck_assert_uint_eq(prf_parts(alg, bytes_of(key, 5), NULL, 0, out), OK);
            break;
        case TRANSFORM_INTEG:
            ck_assert_uint_eq(mac_parts(alg, bytes_of(key, alg->key_octets), NULL, 0, out), OK);
            break;
        case TRANSFORM_KE:
            ck_assert_uint_eq(ke_new(&ke, alg, &rng), OK);
            ke_free(ke);
            break;
        case TRANSFORM_SN:
            break;
        }
    }
}
END_TEST

START_TEST(strangers)
{
    static const char *const names[] = {"",       "aes257", "AES256",  "aes25", "aes2566",
                                        "prfmd5", "md5",    "modp768", "none",  "aes256ctr16"};
    char text[40];
    char small[5];

    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        ck_assert_msg(alg_find_name(bytes_of_string(names[i])) == NULL, "%s", names[i]);
    }
    /* RFC 7296 3.3.5: AES needs its Key Length; ChaCha20 (RFC 7634 4) and 3DES have none. */
    ck_assert_ptr_null(alg_find(TRANSFORM_ENCR, ENCR_AES_CBC, 0));
    ck_assert_ptr_null(alg_find(TRANSFORM_ENCR, ENCR_AES_CBC, 512));
    ck_assert_ptr_null(alg_find(TRANSFORM_ENCR, ENCR_CHACHA20_POLY1305, 256));
    ck_assert_ptr_null(alg_find(TRANSFORM_PRF, PRF_HMAC_SHA2_256, 256));
    ck_assert_ptr_null(alg_find((enum transform_type)6, 1, 0));
    ck_assert_str_eq(alg_describe(TRANSFORM_ENCR, 1234, 128, text, sizeof(text)), "ENCR 1234/128");
    ck_assert_str_eq(alg_describe(TRANSFORM_PRF, 4, 0, text, sizeof(text)), "PRF 4");
    ck_assert_str_eq(alg_describe(TRANSFORM_KE, 1025, 0, text, sizeof(text)), "KE 1025");
    ck_assert_str_eq(alg_describe(TRANSFORM_INTEG, 0, 0, text, sizeof(text)), "none");
    ck_assert_str_eq(alg_describe(TRANSFORM_KE, 0, 0, text, sizeof(text)), "none");
    ck_assert_str_eq(alg_describe(TRANSFORM_SN, 2, 0, text, sizeof(text)), "SN 2");
    ck_assert_str_eq(alg_describe((enum transform_type)255, 65535, 65535, text, sizeof(text)),
                     "type 255 65535/65535");
    ck_assert_str_eq(alg_describe(TRANSFORM_ENCR, 20, 256, small, sizeof(small)), "aes2");
}
END_TEST

START_TEST(names_of_strongswan)
{
    static const char *const pairs[][2] = {
        {"aes", "aes128"},
        {"aes128gcm128", "aes128gcm16"},
        {"aes256gcm96", "aes256gcm12"},
        {"aes256gcm64", "aes256gcm8"},
        {"aes128ccm64", "aes128ccm8"},
        {"aes256ccm128", "aes256ccm16"},
        {"sha", "sha1"},
        {"sha2_256", "sha256"},
        {"curve25519", "x25519"},
        {"curve448", "x448"},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(pairs); i++) {
        const struct alg *alg = alg_find_name(bytes_of_string(pairs[i][0]));

        ck_assert_ptr_nonnull(alg);
        ck_assert_str_eq(alg->name, pairs[i][1]);
    }
}
END_TEST

/* ---- proposals ---- */

static char *list_text(const struct proposal_list *list)
{
    GString *all = g_string_new(NULL);

    for (size_t i = 0; i < list->n; i++) {
        char text[500];

        g_string_append_printf(all, "%s%s", i > 0 ? "," : "",
                               proposal_text(&list->items[i], text, sizeof(text)));
    }
    return g_string_free(all, FALSE);
}

START_TEST(parsed)
{
    static const struct {
        enum protocol protocol;
        const char *text;
        const char *result;
    } cases[] = {
        {PROTO_IKE, "aes256gcm16-prfsha384-x25519", "aes256gcm16-prfsha384-x25519"},
        {PROTO_IKE, "aes256gcm16-aes128gcm16-prfsha384-prfsha256-x25519-ecp256",
         "aes256gcm16-aes128gcm16-prfsha384-prfsha256-x25519-ecp256"},
        {PROTO_IKE, "aes256-sha256-modp2048", "aes256-sha256-modp2048-prfsha256"},
        {PROTO_IKE, "aes256-sha512-sha384-sha256-sha1-aescmac-modp2048",
         "aes256-sha512-sha384-sha256-sha1-aescmac-modp2048-"
         "prfsha512-prfsha384-prfsha256-prfsha1-prfaescmac"},
        {PROTO_IKE, "aes256-sha256-prfsha512-modp2048", "aes256-sha256-prfsha512-modp2048"},
        /* As strongSwan reads it: the MAC beside an AEAD only tells the PRF. */
        {PROTO_IKE, "aes256gcm128-sha384-ecp384", "aes256gcm16-ecp384-prfsha384"},
        {PROTO_IKE, "aes128ctr-aescmac-prfaescmac-x448", "aes128ctr-aescmac-prfaescmac-x448"},
        {PROTO_IKE, " aes256gcm16-prfsha384-x25519 ,\taes256-sha256-modp2048 ",
         "aes256gcm16-prfsha384-x25519,aes256-sha256-modp2048-prfsha256"},
        {PROTO_ESP, "aes256gcm16", "aes256gcm16-esn-noesn"},
        {PROTO_ESP, "aes256gcm16-noesn", "aes256gcm16-noesn"},
        {PROTO_ESP, "aes256gcm16-noesn-esn", "aes256gcm16-noesn-esn"},
        {PROTO_ESP, "aes256gcm16-sha256", "aes256gcm16-esn-noesn"},
        {PROTO_ESP, "aes128-sha1-ecp256-esn", "aes128-sha1-ecp256-esn"},
        {PROTO_ESP, "chacha20poly1305-x25519,aes256-sha256",
         "chacha20poly1305-x25519-esn-noesn,aes256-sha256-esn-noesn"},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct proposal_list list;
        struct bytes at;
        const char *why;
        char *result;

        ck_assert_msg(proposal_parse(&list, cases[i].protocol, cases[i].text, false, &at, &why),
                      "%s: %s", cases[i].text, why);
        ck_assert_ptr_null(why);
        result = list_text(&list);
        ck_assert_str_eq(result, cases[i].result);
        for (size_t j = 0; j < list.n; j++) {
            ck_assert_uint_eq(list.items[j].protocol, cases[i].protocol);
        }
        g_free(result);
    }
}
END_TEST

START_TEST(refused)
{
    static const struct {
        enum protocol protocol;
        const char *text;
        const char *at;
        const char *why; /* a part of the sentence */
    } cases[] = {
        {PROTO_IKE, "", "", "name is missing"},
        {PROTO_IKE, "aes256gcm16-prfsha384-x25519,", "", "name is missing"},
        {PROTO_IKE, ",aes256gcm16-prfsha384-x25519", "", "name is missing"},
        {PROTO_IKE, "aes256gcm16--x25519", "aes256gcm16--x25519", "name is missing"},
        {PROTO_IKE, "aes256gcm16-x25519-", "aes256gcm16-x25519-", "name is missing"},
        {PROTO_IKE, "aes256gcm16-prfsha384-x25520", "x25520", "unknown"},
        {PROTO_IKE, "aes256gcm16-prfsha384-x25519,aes256-sha255-x448", "sha255", "unknown"},
        {PROTO_IKE, "aes256-sha256-modp2048!", "modp2048!", "unknown"},
        {PROTO_IKE, "3des-sha1-modp2048", "3des", "legacy"},
        {PROTO_IKE, "aes256-sha1-modp1024", "modp1024", "legacy"},
        {PROTO_IKE, "aes256-sha1-modp1536", "modp1536", "legacy"},
        {PROTO_IKE, "prfsha256-x25519", "prfsha256-x25519", "encryption algorithm is missing"},
        {PROTO_IKE, "aes256gcm16-aes256-sha256-x25519", "aes256gcm16-aes256-sha256-x25519",
         "cannot share"},
        {PROTO_IKE, "aes256-prfsha256-x25519", "aes256-prfsha256-x25519",
         "integrity algorithm is missing"},
        {PROTO_IKE, "aes256gcm16-x25519", "aes256gcm16-x25519", "pseudo-random"},
        {PROTO_IKE, "aes256gcm16-prfsha256", "aes256gcm16-prfsha256", "key exchange is missing"},
        {PROTO_IKE, "aes256gcm16-prfsha256-x25519-esn", "esn", "ESP"},
        {PROTO_ESP, "aes256gcm16-prfsha256", "prfsha256", "IKE"},
        {PROTO_ESP, "aes256", "aes256", "integrity"},
        {PROTO_ESP, "aes256-aes256-sha256", "aes256", "twice"},
        {PROTO_ESP, "x25519-curve25519-aes128gcm16", "curve25519", "twice"},
        {PROTO_ESP,
         "aes128gcm16,aes128gcm12,aes128gcm8,aes256gcm16,aes256gcm12,aes256gcm8,"
         "chacha20poly1305,aes128ccm16,aes128ccm8",
         "aes128ccm8", "too many proposals"},
        {PROTO_IKE,
         "aes256gcm16-aes192gcm16-aes128gcm16-aes256gcm12-aes192gcm12-aes128gcm12-aes256gcm8-"
         "aes192gcm8-aes128gcm8-chacha20poly1305-aes256ccm16-aes128ccm16-aes256ccm12-aes128ccm12-"
         "aes256ccm8-aes128ccm8-prfsha256-prfsha384-prfsha512-prfaescmac-prfsha1-sha256-sha384-"
         "sha512-aescmac-sha1-x25519-x448-ecp256-ecp384-ecp521-modp2048-modp3072-modp4096-modp6144",
         "modp6144", "too many algorithms"},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct proposal_list list;
        struct bytes at;
        const char *why;

        ck_assert_msg(!proposal_parse(&list, cases[i].protocol, cases[i].text, false, &at, &why),
                      "%s", cases[i].text);
        ck_assert_msg(bytes_equal(at, bytes_of_string(cases[i].at)), "%s: at %.*s", cases[i].text,
                      (int)at.len, (const char *)at.data);
        ck_assert_msg(strstr(why, cases[i].why) != NULL, "%s: %s", cases[i].text, why);
    }
}
END_TEST

START_TEST(legacy_where_allowed)
{
    struct proposal_list list;
    struct bytes at;
    const char *why;
    char *text;

    ck_assert(proposal_parse(&list, PROTO_IKE, "3des-sha1-modp1024", true, &at, &why));
    text = list_text(&list);
    ck_assert_str_eq(text, "3des-sha1-modp1024-prfsha1");
    g_free(text);
}
END_TEST

/* Whatever the text, the parser ends, and what it accepts it writes in a form that it accepts
 * again. */
START_TEST(own_text_is_understood)
{
    static const enum protocol protocols[] = {PROTO_IKE, PROTO_ESP};

    for (size_t i = 0; i < G_N_ELEMENTS(protocols); i++) {
        for (int legacy = 0; legacy < 2; legacy++) {
            struct proposal_list defaults;
            struct proposal_list again;
            struct bytes at;
            const char *why;
            char *text;
            char *second;

            proposal_defaults(&defaults, protocols[i], legacy != 0);
            text = list_text(&defaults);
            ck_assert_msg(proposal_parse(&again, protocols[i], text, legacy != 0, &at, &why),
                          "%s: %s", text, why);
            second = list_text(&again);
            ck_assert_str_eq(text, second);
            g_free(text);
            g_free(second);
        }
    }
}
END_TEST

START_TEST(defaults)
{
    struct proposal_list list;
    char *text;

    proposal_defaults(&list, PROTO_IKE, false);
    text = list_text(&list);
    ck_assert_str_eq(text, "aes256gcm16-aes128gcm16-chacha20poly1305-prfsha384-prfsha256-prfsha512-"
                           "x25519-ecp256-ecp384-ecp521-x448-modp2048-modp3072-modp4096,"
                           "aes256-aes128-sha256-sha384-sha512-prfsha384-prfsha256-prfsha512-"
                           "x25519-ecp256-ecp384-ecp521-x448-modp2048-modp3072-modp4096");
    g_free(text);
    proposal_defaults(&list, PROTO_ESP, false);
    text = list_text(&list);
    ck_assert_str_eq(text, "aes256gcm16-aes128gcm16-chacha20poly1305-esn-noesn,"
                           "aes256-aes128-sha256-sha384-sha512-esn-noesn");
    g_free(text);
    proposal_defaults(&list, PROTO_IKE, true);
    text = list_text(&list);
    ck_assert(g_str_has_suffix(text, ",aes256-aes128-3des-sha256-sha384-sha512-sha1-"
                                     "prfsha384-prfsha256-prfsha512-prfsha1-"
                                     "x25519-ecp256-ecp384-ecp521-x448-modp2048-modp3072-modp4096-"
                                     "modp1536-modp1024"));
    g_free(text);
    /* Nothing weak without being asked for. */
    for (int protocol = PROTO_IKE; protocol <= PROTO_ESP; protocol++) {
        proposal_defaults(&list, (enum protocol)protocol, false);
        for (size_t i = 0; i < list.n; i++) {
            for (size_t j = 0; j < list.items[i].n_algs; j++) {
                const struct alg *alg = list.items[i].algs[j];

                ck_assert_uint_eq(alg->flags & ALG_LEGACY, 0);
                ck_assert_ptr_null(strstr(alg->name, "sha1"));
            }
        }
    }
}
END_TEST

/* ---- texts ---- */

START_TEST(suites)
{
    struct suite suite = {
        .encr = alg_find_name(bytes_of_string("aes256gcm16")),
        .prf = alg_find_name(bytes_of_string("prfsha384")),
        .ke = alg_find_name(bytes_of_string("x25519")),
    };
    char text[60];

    ck_assert_str_eq(suite_text(&suite, text, sizeof(text)), "aes256gcm16-prfsha384-x25519");
    suite = (struct suite){.encr = alg_find_name(bytes_of_string("aes256")),
                           .integ = alg_find_name(bytes_of_string("sha256")),
                           .esn = true};
    ck_assert_str_eq(suite_text(&suite, text, sizeof(text)), "aes256-sha256-esn");
    ck_assert_str_eq(suite_text(&suite, text, 10), "aes256-sh");
    ck_assert_str_eq(suite_text(&suite, text, 7), "aes256");
    ck_assert_str_eq(suite_text(&suite, text, 1), "");
    text[0] = 'x';
    ck_assert_ptr_eq(suite_text(&suite, text, 0), text);
    ck_assert_int_eq(text[0], 'x');
    suite = (struct suite){0};
    ck_assert_str_eq(suite_text(&suite, text, sizeof(text)), "");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("algs");
    TCase *table = tcase_create("table");
    TCase *proposals = tcase_create("proposals");

    tcase_add_test(table, rows_are_distinct_and_found);
    tcase_add_test(table, lengths);
    tcase_add_test(table, rows_work);
    tcase_add_test(table, strangers);
    tcase_add_test(table, names_of_strongswan);
    suite_add_tcase(suite, table);
    tcase_add_test(proposals, parsed);
    tcase_add_test(proposals, refused);
    tcase_add_test(proposals, legacy_where_allowed);
    tcase_add_test(proposals, own_text_is_understood);
    tcase_add_test(proposals, defaults);
    tcase_add_test(proposals, suites);
    suite_add_tcase(suite, proposals);
    return run_suite(suite);
}
