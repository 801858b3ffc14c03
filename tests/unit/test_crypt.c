/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "crypto/crypt.h"

#include <gnutls/gnutls.h>

#include "common/cursor.h"
#include "crypto/prf.h"
#include "unit/vectors.h"

static const struct bytes nothing;

/* Every test runs with GnuTLS, and again with what is fastest here. */
static struct crypt_lanes *lanes;

static const struct alg *alg_named(const char *name)
{
    const struct alg *alg = alg_find_name(bytes_of_string(name));

    ck_assert_msg(alg != NULL, "no algorithm %s", name);
    return alg;
}

/* a | b | c, exactly as long. */
static struct bytes join(struct bytes a, struct bytes b, struct bytes c)
{
    static uint8_t space[4096];
    struct writer w = writer_of(space, sizeof(space));

    wr_bytes(&w, a);
    wr_bytes(&w, b);
    wr_bytes(&w, c);
    ck_assert(!w.failed);
    return bytes_of(octets_copy(wr_written(&w)), w.len);
}

static struct crypt *crypt_of(const struct alg *encr, const struct alg *integ, struct bytes key,
                              struct bytes integ_key)
{
    struct crypt *crypt;

    ck_assert_uint_eq(crypt_new_in(&crypt, lanes, encr, integ, key, integ_key), OK);
    return crypt;
}

/* A message as it travels, with what is authenticated around it. */
struct sealed {
    struct bytes aad;
    struct bytes mac_tail;
    struct bytes data; /* iv | ciphertext | icv */
};

/* Several of the same at once; each right behind its header, as on the wire. */
#define SEVERAL 6

struct several {
    uint8_t *memory;
    struct crypt_message messages[SEVERAL];
};

static void several_begin(struct several *several, const struct sealed *sealed, struct bytes data)
{
    size_t len = sealed->aad.len + data.len;

    several->memory = g_malloc(SEVERAL * len + 1);
    for (size_t i = 0; i < SEVERAL; i++) {
        uint8_t *at = several->memory + i * len;

        if (sealed->aad.len > 0) {
            memcpy(at, sealed->aad.data, sealed->aad.len);
        }
        if (data.len > 0) {
            memcpy(at + sealed->aad.len, data.data, data.len);
        }
        several->messages[i] = (struct crypt_message){.aad = bytes_of(at, sealed->aad.len),
                                                      .mac_tail = sealed->mac_tail,
                                                      .data = at + sealed->aad.len,
                                                      .len = data.len};
    }
}

static void check_result(enum err err, const uint8_t *data, const uint8_t *text, size_t text_len,
                         const struct crypt *crypt, struct bytes plaintext)
{
    if (err == OK) {
        ck_assert_ptr_eq(text, data + crypt_iv_len(crypt));
        ck_assert_octets(bytes_of(text, text_len), plaintext);
    } else {
        ck_assert_ptr_null(text);
        ck_assert_uint_eq(text_len, 0);
    }
}

/* Opens copies, one and several; OK must give `plaintext`, a failure nothing. */
static enum err open_copy(struct crypt *crypt, const struct sealed *sealed, struct bytes plaintext)
{
    uint8_t *data = g_malloc(sealed->data.len > 0 ? sealed->data.len : 1);
    uint8_t *text = data;
    size_t text_len = 1;
    struct several several;
    enum err err;

    if (sealed->data.len > 0) {
        memcpy(data, sealed->data.data, sealed->data.len);
    }
    err =
        crypt_open(crypt, sealed->aad, sealed->mac_tail, data, sealed->data.len, &text, &text_len);
    check_result(err, data, text, text_len, crypt, plaintext);
    g_free(data);
    several_begin(&several, sealed, sealed->data);
    crypt_open_batch(crypt, several.messages, SEVERAL);
    for (size_t i = 0; i < SEVERAL; i++) {
        const struct crypt_message *message = &several.messages[i];

        ck_assert_uint_eq(message->err, err);
        check_result(err, message->data, message->text, message->text_len, crypt, plaintext);
    }
    g_free(several.memory);
    return err;
}

static void flip(struct bytes run, size_t index)
{
    /* Every run here was made by join(), so it is ours to write. */
    ((uint8_t *)(uintptr_t)run.data)[index] ^= (uint8_t)(1u << (index % 8));
}

static void tamper_run(struct crypt *crypt, const struct sealed *sealed, struct bytes run,
                       struct bytes plaintext)
{
    for (size_t i = 0; i < run.len; i++) {
        flip(run, i);
        ck_assert_uint_eq(open_copy(crypt, sealed, plaintext), ERR_INTEGRITY);
        flip(run, i);
    }
}

/* Opens as it is, and in no way that it was not sealed. */
static void check_open(struct crypt *crypt, const struct sealed *given, struct bytes plaintext)
{
    struct sealed sealed = {
        .aad = join(given->aad, nothing, nothing),
        .mac_tail = join(given->mac_tail, nothing, nothing),
        .data = join(given->data, nothing, nothing),
    };
    struct sealed changed = sealed;

    ck_assert_uint_eq(open_copy(crypt, &sealed, plaintext), OK);
    tamper_run(crypt, &sealed, sealed.aad, plaintext);
    tamper_run(crypt, &sealed, sealed.mac_tail, plaintext);
    tamper_run(crypt, &sealed, sealed.data, plaintext);
    if (sealed.aad.len > 0) {
        changed.aad.len--;
        ck_assert_uint_eq(open_copy(crypt, &changed, plaintext), ERR_INTEGRITY);
    }
    changed = sealed;
    for (changed.data.len = 0; changed.data.len < sealed.data.len; changed.data.len++) {
        enum err err = open_copy(crypt, &changed, plaintext);
        size_t around = crypt_iv_len(crypt) + crypt_icv_len(crypt);
        bool fits =
            changed.data.len >= around && (changed.data.len - around) % crypt_block_len(crypt) == 0;

        ck_assert_uint_eq(err, fits ? ERR_INTEGRITY : ERR_SYNTAX);
    }
    /* A failure leaves nothing behind that the next message would feel. */
    ck_assert_uint_eq(open_copy(crypt, &sealed, plaintext), OK);
}

static void check_seal(struct crypt *crypt, uint64_t counter, const struct sealed *sealed,
                       struct bytes plaintext)
{
    size_t iv_len = crypt_iv_len(crypt);
    size_t len = iv_len + plaintext.len + crypt_icv_len(crypt);
    uint8_t *data = g_malloc0(len);
    struct several several;

    if (plaintext.len > 0) {
        memcpy(data + iv_len, plaintext.data, plaintext.len);
    }
    several_begin(&several, sealed, bytes_of(data, len));
    ck_assert_uint_eq(
        crypt_seal(crypt, counter, sealed->aad, sealed->mac_tail, data + iv_len, plaintext.len),
        OK);
    ck_assert_octets(bytes_of(data, len), sealed->data);
    g_free(data);
    for (size_t i = 0; i < SEVERAL; i++) {
        several.messages[i].counter = counter;
    }
    crypt_seal_batch(crypt, several.messages, SEVERAL);
    for (size_t i = 0; i < SEVERAL; i++) {
        const struct crypt_message *message = &several.messages[i];

        ck_assert_uint_eq(message->err, OK);
        ck_assert_octets(bytes_of(message->data, message->len), sealed->data);
    }
    g_free(several.memory);
}

static uint64_t number(struct bytes octets)
{
    struct reader r = reader_of(octets);

    return rd_u64(&r);
}

/* ---- vectors ---- */

START_TEST(every_algorithm)
{
    JsonObject *root = vectors_load("crypt-computed.json");
    JsonArray *vectors = vector_array(root, "vectors");
    bool seen[100] = {false};
    const struct alg *alg;

    for (guint i = 0; i < json_array_get_length(vectors); i++) {
        JsonObject *vector = json_array_get_object_element(vectors, i);
        const struct alg *encr = alg_named(vector_text(vector, "encr"));
        const struct alg *integ = NULL;
        struct bytes plaintext = vector_hex(vector, "plaintext");
        struct sealed sealed = {.aad = vector_hex(vector, "aad"),
                                .mac_tail = vector_hex_or_empty(vector, "mac_tail"),
                                .data = vector_hex(vector, "sealed")};
        struct crypt *crypt;

        if (vector_has(vector, "integ")) {
            integ = alg_named(vector_text(vector, "integ"));
        }
        crypt = crypt_of(encr, integ, vector_hex(vector, "encr_key"),
                         vector_hex_or_empty(vector, "integ_key"));
        check_seal(crypt, number(vector_hex(vector, "counter")), &sealed, plaintext);
        if (plaintext.len < 100) {
            check_open(crypt, &sealed, plaintext);
        } else {
            ck_assert_uint_eq(open_copy(crypt, &sealed, plaintext), OK);
        }
        crypt_free(crypt);
        for (size_t j = 0; (alg = alg_at(j)) != NULL; j++) {
            seen[j] = seen[j] || alg == encr || alg == integ;
        }
    }
    for (size_t i = 0; (alg = alg_at(i)) != NULL; i++) {
        bool wanted = alg->type == TRANSFORM_ENCR || alg->type == TRANSFORM_INTEG;

        ck_assert_msg(!wanted || seen[i], "no vector for %s", alg->name);
    }
    json_object_unref(root);
}
END_TEST

static void check_kernel_set(JsonObject *root, const char *set, uint16_t id, unsigned expected)
{
    JsonArray *vectors = vector_array(vector_object(vector_object(root, "sets"), set), "vectors");
    unsigned checked = 0;

    for (guint i = 0; i < json_array_get_length(vectors); i++) {
        JsonObject *vector = json_array_get_object_element(vectors, i);
        struct bytes key = vector_hex(vector, "key");
        struct bytes salt = vector_hex(vector, "salt");
        struct bytes iv = vector_hex(vector, "iv");
        struct bytes plaintext = vector_hex(vector, "plaintext");
        uint16_t bits = id == ENCR_CHACHA20_POLY1305 ? 0 : (uint16_t)(8 * key.len);
        const struct alg *encr = alg_find(TRANSFORM_ENCR, id, bits);
        struct sealed sealed = {
            .aad = vector_hex(vector, "aad"),
            .data = join(iv, vector_hex(vector, "ciphertext"), vector_hex(vector, "tag")),
        };
        struct crypt *crypt;

        /* AES-CCM with 192-bit keys is not in the table. */
        if (encr == NULL) {
            ck_assert_uint_eq(bits, 192);
            continue;
        }
        crypt = crypt_of(encr, NULL, join(key, salt, nothing), nothing);
        check_seal(crypt, number(iv), &sealed, plaintext);
        ck_assert_uint_eq(open_copy(crypt, &sealed, plaintext), OK);
        if (plaintext.len < 80) {
            check_open(crypt, &sealed, plaintext);
        }
        crypt_free(crypt);
        checked++;
    }
    ck_assert_uint_ge(checked, expected);
}

START_TEST(esp_aead_of_linux)
{
    JsonObject *root = vectors_load("esp-aead-linux-testmgr.json");

    check_kernel_set(root, "rfc4106-aes-gcm-esp", ENCR_AES_GCM_16, 23);
    check_kernel_set(root, "rfc4309-aes-ccm-esp", ENCR_AES_CCM_16, 12);
    check_kernel_set(root, "rfc7634-chacha20poly1305-esp", ENCR_CHACHA20_POLY1305, 1);
    json_object_unref(root);
}
END_TEST

START_TEST(rfc3686_ctr)
{
    JsonObject *root = vectors_load("esp-aead-linux-testmgr.json");
    JsonArray *vectors =
        vector_array(vector_object(vector_object(root, "sets"), "rfc3686-aes-ctr"), "vectors");
    const struct alg *integ = alg_named("sha256");
    struct bytes integ_key = bytes_of("0123456789abcdef0123456789abcdef", 32);

    for (guint i = 0; i < json_array_get_length(vectors); i++) {
        JsonObject *vector = json_array_get_object_element(vectors, i);
        struct bytes key = vector_hex(vector, "key");
        struct bytes iv = vector_hex(vector, "iv");
        struct bytes covered[2] = {iv, vector_hex(vector, "ciphertext")};
        const struct alg *encr = alg_find(TRANSFORM_ENCR, ENCR_AES_CTR, (uint16_t)(8 * key.len));
        uint8_t icv[16];
        struct sealed sealed = {0};
        struct crypt *crypt;

        ck_assert_uint_eq(mac_parts(integ, integ_key, covered, 2, icv), OK);
        sealed.data = join(iv, covered[1], bytes_of(icv, sizeof(icv)));
        crypt =
            crypt_of(encr, integ, join(key, vector_hex(vector, "salt_nonce"), nothing), integ_key);
        check_seal(crypt, number(iv), &sealed, vector_hex(vector, "plaintext"));
        ck_assert_uint_eq(open_copy(crypt, &sealed, vector_hex(vector, "plaintext")), OK);
        crypt_free(crypt);
    }
    json_object_unref(root);
}
END_TEST

/* The RFC's packets have no ICV and IVs of their own choice: the MAC is ours, and they are only
 * opened. */
START_TEST(rfc3602_cbc)
{
    JsonObject *root = vectors_load("aes-cbc-esp-rfc3602.json");
    JsonArray *cases = vector_array(root, "cases");
    const struct alg *integ = alg_named("sha1");
    struct bytes integ_key = bytes_of("0123456789abcdefghij", 20);

    ck_assert_uint_eq(json_array_get_length(cases), 8);
    for (guint i = 0; i < json_array_get_length(cases); i++) {
        JsonObject *vector = json_array_get_object_element(cases, i);
        bool packet = vector_has(vector, "spi_seq");
        struct bytes plaintext = vector_hex(vector, packet ? "padded_plaintext" : "plaintext");
        struct sealed sealed = {.aad = vector_hex_or_empty(vector, "spi_seq")};
        struct bytes covered[3] = {sealed.aad, vector_hex(vector, "iv"),
                                   vector_hex(vector, "ciphertext")};
        uint8_t icv[12];
        struct crypt *crypt =
            crypt_of(alg_named("aes128"), integ, vector_hex(vector, "key"), integ_key);

        ck_assert_uint_eq(mac_parts(integ, integ_key, covered, 3, icv), OK);
        sealed.data = join(covered[1], covered[2], bytes_of(icv, sizeof(icv)));
        check_open(crypt, &sealed, plaintext);
        crypt_free(crypt);
    }
    json_object_unref(root);
}
END_TEST

START_TEST(rfc7634_chacha20)
{
    JsonObject *root = vectors_load("chacha20poly1305-rfc7634.json");
    JsonObject *esp = vector_object(root, "esp_example");
    JsonObject *ike = vector_object(root, "ikev2_example");
    const struct alg *encr = alg_named("chacha20poly1305");
    struct sealed sealed = {
        .aad = vector_hex(esp, "aad"),
        .data = join(vector_hex(esp, "iv"), vector_hex(esp, "ciphertext"), vector_hex(esp, "tag")),
    };
    struct crypt *crypt = crypt_of(encr, NULL, vector_hex(esp, "KEYMAT"), nothing);
    struct bytes payload = vector_hex(ike, "encrypted_payload");

    check_seal(crypt, number(vector_hex(esp, "iv")), &sealed, vector_hex(esp, "plaintext"));
    check_open(crypt, &sealed, vector_hex(esp, "plaintext"));
    crypt_free(crypt);
    sealed.aad = vector_hex(ike, "aad");
    sealed.data = bytes_of(payload.data + 4, payload.len - 4);
    crypt = crypt_of(encr, NULL, join(vector_hex(ike, "key"), vector_hex(ike, "salt"), nothing),
                     nothing);
    check_seal(crypt, number(vector_hex(ike, "iv")), &sealed, vector_hex(ike, "plaintext"));
    check_open(crypt, &sealed, vector_hex(ike, "plaintext"));
    crypt_free(crypt);
    json_object_unref(root);
}
END_TEST

/* ---- Wycheproof ---- */

static void check_wycheproof_test(JsonObject *test, const struct alg *encr)
{
    struct bytes nonce = vector_hex(test, "iv");
    struct bytes salt = bytes_of(nonce.data, encr->salt_octets);
    struct bytes iv = bytes_of(nonce.data + salt.len, 8);
    struct bytes msg = vector_hex(test, "msg");
    struct sealed sealed = {
        .aad = vector_hex(test, "aad"),
        .data = join(iv, vector_hex(test, "ct"), vector_hex(test, "tag")),
    };
    struct crypt *crypt =
        crypt_of(encr, NULL, join(vector_hex(test, "key"), salt, nothing), nothing);
    bool valid = strcmp(vector_text(test, "result"), "valid") == 0;

    ck_assert_msg(open_copy(crypt, &sealed, msg) == (valid ? OK : ERR_INTEGRITY), "%s, test %d",
                  encr->name, (int)vector_int(test, "tcId"));
    if (valid) {
        check_seal(crypt, number(iv), &sealed, msg);
    }
    crypt_free(crypt);
}

/* Only nonces and tags of the lengths that IPsec uses can pass through our interface. */
static void check_wycheproof(const char *file, uint16_t id, unsigned expected)
{
    JsonObject *root = vectors_load_shared(file);
    JsonArray *groups;
    unsigned checked = 0;

    if (root == NULL) {
        return;
    }
    groups = vector_array(root, "testGroups");
    for (guint i = 0; i < json_array_get_length(groups); i++) {
        JsonObject *group = json_array_get_object_element(groups, i);
        JsonArray *tests = vector_array(group, "tests");
        int64_t bits = vector_int(group, "keySize");
        const struct alg *encr =
            alg_find(TRANSFORM_ENCR, id, id == ENCR_CHACHA20_POLY1305 ? 0 : (uint16_t)bits);

        if (encr == NULL || vector_int(group, "ivSize") != 8 * (encr->salt_octets + 8) ||
            vector_int(group, "tagSize") != 8 * encr->icv_octets) {
            continue;
        }
        for (guint j = 0; j < json_array_get_length(tests); j++) {
            check_wycheproof_test(json_array_get_object_element(tests, j), encr);
            checked++;
        }
    }
    ck_assert_uint_ge(checked, expected);
    json_object_unref(root);
}

START_TEST(wycheproof)
{
    check_wycheproof("wycheproof/aes_gcm_test.json", ENCR_AES_GCM_16, 190);
    check_wycheproof("wycheproof/aes_ccm_test.json", ENCR_AES_CCM_16, 12);
    check_wycheproof("wycheproof/chacha20_poly1305_test.json", ENCR_CHACHA20_POLY1305, 310);
}
END_TEST

/* ---- the interface ---- */

/* Calls `one` with a crypt object for every cipher, each with every MAC that it may have. */
static void for_each_crypt(void (*one)(struct crypt *, const struct alg *, const struct alg *))
{
    static const uint8_t key[64] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
    const struct alg *encr;
    const struct alg *integ;

    for (size_t i = 0; (encr = alg_at(i)) != NULL; i++) {
        struct bytes encr_key = bytes_of(key, crypt_encr_key_len(encr));

        for (size_t j = 0; encr->type == TRANSFORM_ENCR && (integ = alg_at(j)) != NULL; j++) {
            struct crypt *crypt;

            if ((encr->flags & ALG_AEAD) != 0) {
                crypt = crypt_of(encr, NULL, encr_key, nothing);
                one(crypt, encr, NULL);
                crypt_free(crypt);
                break;
            }
            if (integ->type == TRANSFORM_INTEG) {
                crypt = crypt_of(encr, integ, encr_key, bytes_of(key, crypt_integ_key_len(integ)));
                one(crypt, encr, integ);
                crypt_free(crypt);
            }
        }
    }
}

static void there_and_back(struct crypt *crypt, const struct alg *encr, const struct alg *integ)
{
    size_t iv_len = crypt_iv_len(crypt);
    size_t icv_len = crypt_icv_len(crypt);
    size_t block = crypt_block_len(crypt);
    struct bytes aad = bytes_of_string("header--");

    ck_assert_uint_eq(iv_len, encr->iv_octets);
    ck_assert_uint_eq(icv_len, integ != NULL ? integ->icv_octets : encr->icv_octets);
    for (size_t len = 0; len <= 130; len++) {
        uint8_t *data = g_malloc(iv_len + len + icv_len);
        uint8_t *text;
        size_t text_len;
        enum err err;

        memset(data, 0x5a, iv_len + len + icv_len);
        err = crypt_seal(crypt, len, aad, nothing, data + iv_len, len);
        if (len % block != 0) {
            ck_assert_uint_eq(err, ERR_SYNTAX);
            g_free(data);
            continue;
        }
        ck_assert_uint_eq(err, OK);
        err = crypt_open(crypt, aad, nothing, data, iv_len + len + icv_len, &text, &text_len);
        ck_assert_uint_eq(err, OK);
        ck_assert_uint_eq(text_len, len);
        for (size_t i = 0; i < len; i++) {
            ck_assert_uint_eq(text[i], 0x5a);
        }
        g_free(data);
    }
}

START_TEST(all_lengths)
{
    for_each_crypt(there_and_back);
}
END_TEST

static void ivs_differ(struct crypt *crypt, const struct alg *encr, const struct alg *integ)
{
    static const uint64_t counters[] = {0,         1, 2, 255, 256, UINT32_MAX, UINT64_C(1) << 32,
                                        UINT64_MAX};
    uint8_t ivs[G_N_ELEMENTS(counters)][16] = {{0}};
    uint8_t data[16 + 16 + 32];

    (void)integ;
    for (size_t i = 0; i < G_N_ELEMENTS(counters); i++) {
        memset(data, 0, sizeof(data));
        ck_assert_uint_eq(
            crypt_seal(crypt, counters[i], nothing, nothing, data + encr->iv_octets, 16), OK);
        memcpy(ivs[i], data, encr->iv_octets);
        for (size_t j = 0; j < i; j++) {
            ck_assert(memcmp(ivs[i], ivs[j], encr->iv_octets) != 0);
        }
    }
    /* RFC 3602 3, RFC 2451 3: a CBC IV must not be a counter that an observer can foresee. */
    if (encr->block_octets > 1) {
        ck_assert(memcmp(ivs[0], "\0\0\0\0\0\0\0\0", 8) != 0);
        ck_assert(memcmp(ivs[1] + encr->iv_octets - 8, "\0\0\0\0\0\0\0\1", 8) != 0);
    }
}

START_TEST(ivs)
{
    for_each_crypt(ivs_differ);
}
END_TEST

START_TEST(wrong_keys_are_refused)
{
    static const uint8_t key[100];
    const struct alg *gcm = alg_named("aes256gcm16");
    const struct alg *cbc = alg_named("aes256");
    const struct alg *mac = alg_named("sha256");
    const struct alg *prf = alg_named("prfsha256");
    struct alg foreign = *gcm;
    struct crypt *crypt;

    ck_assert_uint_eq(crypt_encr_key_len(gcm), 36);
    ck_assert_uint_eq(crypt_encr_key_len(alg_named("aes128ccm8")), 19);
    ck_assert_uint_eq(crypt_encr_key_len(alg_named("aes192ctr")), 28);
    ck_assert_uint_eq(crypt_encr_key_len(alg_named("3des")), 24);
    ck_assert_uint_eq(crypt_integ_key_len(NULL), 0);
    for (size_t len = 0; len < sizeof(key); len++) {
        if (len != 36) {
            ck_assert_uint_eq(crypt_new_in(&crypt, lanes, gcm, NULL, bytes_of(key, len), nothing),
                              ERR_KEY);
            ck_assert_ptr_null(crypt);
        }
        if (len != 32) {
            ck_assert_uint_eq(
                crypt_new_in(&crypt, lanes, cbc, mac, bytes_of(key, 32), bytes_of(key, len)),
                ERR_KEY);
        }
    }
    /* RFC 5282 8: an AEAD has no MAC beside it; and a plain cipher never goes without. */
    ck_assert_uint_eq(crypt_new_in(&crypt, lanes, gcm, mac, bytes_of(key, 36), bytes_of(key, 32)),
                      ERR_UNSUPPORTED);
    ck_assert_uint_eq(crypt_new_in(&crypt, lanes, cbc, NULL, bytes_of(key, 32), nothing),
                      ERR_UNSUPPORTED);
    ck_assert_uint_eq(crypt_new_in(&crypt, lanes, cbc, prf, bytes_of(key, 32), bytes_of(key, 32)),
                      ERR_UNSUPPORTED);
    ck_assert_uint_eq(crypt_new_in(&crypt, lanes, alg_named("aes256ctr"), prf, bytes_of(key, 36),
                                   bytes_of(key, 32)),
                      ERR_UNSUPPORTED);
    ck_assert_uint_eq(crypt_new_in(&crypt, lanes, mac, NULL, bytes_of(key, 32), nothing),
                      ERR_UNSUPPORTED);
    foreign.id = 23;
    ck_assert_uint_eq(crypt_new_in(&crypt, lanes, &foreign, NULL, bytes_of(key, 36), nothing),
                      ERR_UNSUPPORTED);
    foreign.id = gcm->id;
    foreign.key_bits = 512;
    ck_assert_uint_eq(crypt_new_in(&crypt, lanes, &foreign, NULL, bytes_of(key, 36), nothing),
                      ERR_UNSUPPORTED);
    crypt_free(NULL);
}
END_TEST

/* ---- no allocation per packet ---- */

static unsigned allocations;

static void *counting_malloc(size_t len)
{
    allocations++;
    return malloc(len);
}

static void *counting_calloc(size_t n, size_t len)
{
    allocations++;
    return calloc(n, len);
}

static void *counting_realloc(void *old, size_t len)
{
    allocations++;
    return realloc(old, len);
}

static void allocates_nothing(struct crypt *crypt, const struct alg *encr, const struct alg *integ)
{
    uint8_t data[16 + 1360 + 64] = {0};
    size_t iv_len = crypt_iv_len(crypt);
    uint8_t *text;
    size_t text_len;

    (void)integ;
    allocations = 0;
    for (unsigned i = 0; i < 10; i++) {
        ck_assert_uint_eq(crypt_seal(crypt, i, nothing, nothing, data + iv_len, 1360), OK);
        ck_assert_uint_eq(crypt_open(crypt, nothing, nothing, data,
                                     iv_len + 1360 + crypt_icv_len(crypt), &text, &text_len),
                          OK);
    }
    ck_assert_msg(allocations == 0, "%s allocates %u times", encr->name, allocations);
}

START_TEST(no_allocation_per_packet)
{
    gnutls_alloc_function was_malloc = gnutls_malloc;
    gnutls_calloc_function was_calloc = gnutls_calloc;
    gnutls_realloc_function was_realloc = gnutls_realloc;

    gnutls_malloc = counting_malloc;
    gnutls_calloc = counting_calloc;
    gnutls_realloc = counting_realloc;
    for_each_crypt(allocates_nothing);
    ck_assert_msg(allocations == 0, "the counters are reset before each loop");
    crypt_free(crypt_of(alg_named("aes128ccm16"), NULL,
                        hex("00112233445566778899aabbccddeeff000000"), nothing));
    ck_assert_msg(allocations > 0, "GnuTLS does not allocate through these pointers");
    gnutls_malloc = was_malloc;
    gnutls_calloc = was_calloc;
    gnutls_realloc = was_realloc;
}
END_TEST

static void with_gnutls(void)
{
    ck_assert_uint_eq(crypt_lanes_new(&lanes, CRYPT_GNUTLS), OK);
}

static void with_fastest(void)
{
    ck_assert_uint_eq(crypt_lanes_new(&lanes, CRYPT_FASTEST), OK);
}

static void lanes_end(void)
{
    crypt_lanes_free(lanes);
}

static void add_tests(Suite *suite, const char *name, SFun setup)
{
    TCase *tcase = tcase_create(name);

    tcase_add_checked_fixture(tcase, setup, lanes_end);
    tcase_add_test(tcase, every_algorithm);
    tcase_add_test(tcase, esp_aead_of_linux);
    tcase_add_test(tcase, rfc3686_ctr);
    tcase_add_test(tcase, rfc3602_cbc);
    tcase_add_test(tcase, rfc7634_chacha20);
    tcase_add_test(tcase, wycheproof);
    tcase_add_test(tcase, all_lengths);
    tcase_add_test(tcase, ivs);
    tcase_add_test(tcase, wrong_keys_are_refused);
    tcase_add_test(tcase, no_allocation_per_packet);
    suite_add_tcase(suite, tcase);
}

int main(void)
{
    Suite *suite = suite_create("crypt");

    add_tests(suite, "GnuTLS", with_gnutls);
    add_tests(suite, "fastest", with_fastest);
    return run_suite(suite);
}
