/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit/vectors.h"

#include <stdio.h>

#include "crypto/prf.h"
#include "ike/message.h"

/*
 * Messages that others made: strongSwan's sessions with every key, and the captures of Wireshark's
 * test suite.
 */

#define NONCE_LEN 32 /* strongSwan's */

static const char *const traces[] = {"psk14",  "rsagcm", "eapmsc",   "ecxcbc", "pskcmac",
                                     "pskccm", "pskctr", "ppk",      "pqc",    "pqc2",
                                     "pqonly", "eaptls", "childless"};

struct session {
    const struct alg *encr, *integ, *prf;
};

static const struct alg *named(const char *name)
{
    return alg_find_name(bytes_of_string(name));
}

static JsonObject *load_trace(const char *name)
{
    char *file = g_strdup_printf("strongswan-traces/%s.json", name);
    JsonObject *root = vectors_load(file);

    g_free(file);
    return root;
}

/* Our row for the trace's words; false (and says so) when we left the algorithm out on purpose. */
static bool session_algs(JsonObject *trace, struct session *out)
{
    static const struct {
        const char *trace, *ours;
    } prfs[] = {{"sha1", "prfsha1"},     {"sha256", "prfsha256"}, {"sha384", "prfsha384"},
                {"sha512", "prfsha512"}, {"cmac", "prfaescmac"},  {"xcbc", NULL}},
      integs[] = {{"sha1", "sha1"},     {"sha256", "sha256"}, {"sha384", "sha384"},
                  {"sha512", "sha512"}, {"cmac", "aescmac"},  {"xcbc", NULL}};
    const char *encr = vector_text(trace, "encr");
    const char *prf = vector_text(trace, "prf");
    int64_t octets = vector_int(trace, "encr_keymat_octets");
    char name[32];

    *out = (struct session){0};
    for (size_t i = 0; i < 6; i++) {
        if (strcmp(prf, prfs[i].trace) == 0 && prfs[i].ours != NULL) {
            out->prf = named(prfs[i].ours);
        }
        if (!json_object_get_null_member(trace, "integ") && integs[i].ours != NULL &&
            strcmp(vector_text(trace, "integ"), integs[i].trace) == 0) {
            out->integ = named(integs[i].ours);
        }
    }
    if (strcmp(encr, "chapoly") == 0) {
        g_strlcpy(name, "chacha20poly1305", sizeof name);
    } else if (strcmp(encr, "cbc") == 0) {
        g_snprintf(name, sizeof name, "aes%d", (int)octets * 8);
    } else {
        int salt = strncmp(encr, "ccm", 3) == 0 ? 3 : 4;

        g_snprintf(name, sizeof name, "aes%d%s", (int)(octets - salt) * 8, encr);
    }
    out->encr = named(name);
    if (out->prf == NULL) {
        fprintf(stderr, "%s: left out, we have no AES-XCBC\n", vector_text(trace, "name"));
        return false;
    }
    ck_assert_ptr_nonnull(out->encr);
    return true;
}

static struct crypt *session_crypt(const struct session *session, JsonObject *keys, bool initiator)
{
    struct crypt *crypt = NULL;

    ck_assert_int_eq(crypt_new(&crypt, session->encr, session->integ,
                               vector_hex(keys, initiator ? "SK_ei" : "SK_er"),
                               vector_hex_or_empty(keys, initiator ? "SK_ai" : "SK_ar")),
                     OK);
    return crypt;
}

static void check_types(JsonObject *vector, const char *member, const struct message *message,
                        size_t skip)
{
    JsonArray *types = vector_array(vector, member);

    ck_assert_uint_eq(message->n_payloads - skip, json_array_get_length(types));
    for (guint i = 0; i < json_array_get_length(types); i++) {
        ck_assert_int_eq(message->payloads[skip + i].type, json_array_get_int_element(types, i));
    }
}

/* ---- opening ---- */

/* Opens a fragment and appends it to `whole`. */
static void open_fragment(JsonObject *vector, uint8_t *octets, size_t len, struct message *message,
                          struct crypt *crypt, GByteArray *whole)
{
    struct bytes plain;
    uint16_t number, total;
    JsonArray *fragment = vector_array(vector, "fragment");

    ck_assert_int_eq(message_open_fragment(octets, len, message_find(message, P_SKF, 0), crypt,
                                           &plain, &number, &total),
                     OK);
    ck_assert_octets(plain, vector_hex(vector, "inner_plaintext"));
    ck_assert_int_eq(number, json_array_get_int_element(fragment, 0));
    ck_assert_int_eq(total, json_array_get_int_element(fragment, 1));
    g_byte_array_append(whole, plain.data, (guint)plain.len);
}

static void check_reassembled(JsonObject *vector, struct bytes whole)
{
    struct message message = {0};
    uint8_t unknown;

    ck_assert_octets(whole, vector_hex(vector, "inner_plaintext"));
    ck_assert_int_eq(message_parse_chain(&message,
                                         (uint8_t)vector_int(vector, "first_inner_payload"), whole,
                                         &unknown),
                     OK);
    check_types(vector, "inner_payload_types", &message, 0);
}

static void open_whole(JsonObject *vector, uint8_t *octets, size_t len, struct message *message,
                       uint8_t inner, struct crypt *crypt)
{
    const struct payload *sk = message_find(message, P_SK, 0);
    struct bytes plain;
    uint8_t unknown;

    ck_assert_ptr_nonnull(sk);
    ck_assert_int_eq(inner, vector_int(vector, "first_inner_payload"));
    ck_assert_int_eq(message_open(octets, len, sk, crypt, &plain), OK);
    ck_assert_octets(plain, vector_hex(vector, "inner_plaintext"));
    ck_assert_int_eq(message_parse_chain(message, inner, plain, &unknown), OK);
    check_types(vector, "inner_payload_types", message, 1);
}

START_TEST(strongswan_messages_open)
{
    JsonObject *trace = load_trace(traces[_i]);
    JsonArray *messages = vector_array(trace, "messages");
    JsonArray *reassembled = vector_array(trace, "reassembled");
    JsonArray *key_sets = vector_array(trace, "key_sets");
    GByteArray *whole = g_byte_array_new();
    guint n_reassembled = 0;
    struct session session;

    for (guint i = 0; session_algs(trace, &session) && i < json_array_get_length(messages); i++) {
        JsonObject *vector = json_array_get_object_element(messages, i);
        struct bytes wire = vector_hex(vector, "hex");
        uint8_t *octets = octets_copy(wire);
        struct message message;
        uint8_t inner, unknown;
        struct crypt *crypt;

        ck_assert_int_eq(message_parse(&message, bytes_of(octets, wire.len), &inner, &unknown), OK);
        ck_assert_int_eq(message.header.exchange, vector_int(vector, "exchange"));
        ck_assert_int_eq(message.header.message_id, vector_int(vector, "msgid"));
        if (!vector_has(vector, "keyset")) {
            check_types(vector, "payload_types", &message, 0);
            continue;
        }
        crypt = session_crypt(
            &session, json_array_get_object_element(key_sets, (guint)vector_int(vector, "keyset")),
            (message.header.flags & IKE_FLAG_INITIATOR) != 0);
        if (vector_has(vector, "fragment")) {
            JsonArray *fragment = vector_array(vector, "fragment");

            open_fragment(vector, octets, wire.len, &message, crypt, whole);
            if (json_array_get_int_element(fragment, 0) ==
                json_array_get_int_element(fragment, 1)) {
                check_reassembled(json_array_get_object_element(reassembled, n_reassembled++),
                                  bytes_of(whole->data, whole->len));
                g_byte_array_set_size(whole, 0);
            }
        } else {
            open_whole(vector, octets, wire.len, &message, inner, crypt);
        }
        crypt_free(crypt);
    }
    if (session.prf != NULL) {
        ck_assert_uint_eq(n_reassembled, json_array_get_length(reassembled));
    }
    g_byte_array_unref(whole);
    json_object_unref(trace);
}
END_TEST

/* ---- keys of the IKE SA (RFC 7296 2.14, 2.17, 2.18; RFC 8784; RFC 9370) ---- */

/* Cuts the next key from keymat and compares. */
static void check_key(struct reader *keymat, JsonObject *keys, const char *member)
{
    if (vector_has(keys, member)) {
        struct bytes expected = vector_hex(keys, member);

        ck_assert_octets(rd_bytes(keymat, expected.len), expected);
    }
}

static void check_skeyseed(const struct alg *prf, JsonArray *key_sets, JsonObject *keys)
{
    struct bytes g = vector_hex(keys, "g");
    struct bytes nonces = vector_hex(keys, "nonces");
    const char *derivation = vector_text(keys, "derivation");
    uint8_t skeyseed[PRF_MAX], key[16];
    int from;

    if (strncmp(derivation, "initial", 7) == 0) {
        /* AES-CMAC takes the first 64 bits of each nonce as its key (RFC 7296 2.14). */
        if (prf->id == PRF_AES128_CMAC) {
            memcpy(key, nonces.data, 8);
            memcpy(key + 8, nonces.data + NONCE_LEN, 8);
            nonces = bytes_of(key, sizeof key);
        }
        ck_assert_int_eq(prf_parts(prf, nonces, &g, 1, skeyseed), OK);
    } else if (sscanf(derivation, "from SK_d of key set %d", &from) == 1) {
        JsonObject *old = json_array_get_object_element(key_sets, (guint)from);
        struct bytes parts[] = {g, nonces, vector_hex_or_empty(keys, "add")};

        ck_assert_int_eq(prf_parts(prf, vector_hex(old, "SK_d"), parts, 3, skeyseed), OK);
    } else {
        return;
    }
    ck_assert_octets(bytes_of(skeyseed, prf_len(prf)), vector_hex(keys, "SKEYSEED"));
}

START_TEST(strongswan_ike_keys)
{
    static const char *const order[] = {"SK_d",  "SK_ai", "SK_ar", "SK_ei",
                                        "SK_er", "SK_pi", "SK_pr"};
    JsonObject *trace = load_trace(traces[_i]);
    JsonArray *key_sets = vector_array(trace, "key_sets");
    struct session session;

    for (guint i = 0; session_algs(trace, &session) && i < json_array_get_length(key_sets); i++) {
        JsonObject *keys = json_array_get_object_element(key_sets, i);
        JsonArray *spis = vector_array(keys, "spis");
        struct bytes seed[] = {vector_hex(keys, "nonces"),
                               hex(json_array_get_string_element(spis, 0)),
                               hex(json_array_get_string_element(spis, 1))};
        uint8_t keymat[1024];
        struct reader r = reader_of(bytes_of(keymat, sizeof keymat));

        if (strncmp(vector_text(keys, "derivation"), "RFC 8784", 8) == 0) {
            continue; /* the PPK step is no prf+ over SKEYSEED */
        }
        check_skeyseed(session.prf, key_sets, keys);
        ck_assert_int_eq(
            prf_plus(session.prf, vector_hex(keys, "SKEYSEED"), seed, 3, keymat, sizeof keymat),
            OK);
        for (size_t k = 0; k < sizeof order / sizeof order[0]; k++) {
            check_key(&r, keys, order[k]);
        }
    }
    json_object_unref(trace);
}
END_TEST

START_TEST(strongswan_child_keymat)
{
    static const char *const order[] = {"encryption initiator key", "integrity initiator key",
                                        "encryption responder key", "integrity responder key"};
    JsonObject *trace = load_trace(traces[_i]);
    JsonArray *key_sets = vector_array(trace, "key_sets");
    JsonArray *children = vector_array(trace, "child_sa_keys");
    struct session session;

    for (guint i = 0; session_algs(trace, &session) && i < json_array_get_length(children); i++) {
        JsonObject *child = json_array_get_object_element(children, i);
        JsonObject *keys =
            json_array_get_object_element(key_sets, (guint)vector_int(child, "keyset"));
        struct bytes seed = vector_hex(child, "seed");
        uint8_t keymat[256];
        struct reader r = reader_of(bytes_of(keymat, sizeof keymat));

        ck_assert_int_eq(
            prf_plus(session.prf, vector_hex(keys, "SK_d"), &seed, 1, keymat, sizeof keymat), OK);
        for (size_t k = 0; k < 4; k++) {
            check_key(&r, child, order[k]);
        }
    }
    json_object_unref(trace);
}
END_TEST

START_TEST(strongswan_auth_octets)
{
    JsonObject *trace = load_trace(traces[_i]);
    JsonArray *auths = vector_array(trace, "auth_computations");
    struct session session;

    for (guint i = 0; session_algs(trace, &session) && i < json_array_get_length(auths); i++) {
        JsonObject *auth = json_array_get_object_element(auths, i);
        struct bytes octets = vector_hex(auth, "octets");
        struct bytes id = vector_hex(auth, "IDx'");
        struct bytes pad = bytes_of_string("Key Pad for IKEv2");
        struct reader r = reader_of(octets);
        uint8_t maced[PRF_MAX], key[PRF_MAX], value[PRF_MAX];
        size_t len = prf_len(session.prf);

        /* RealMessage | Nonce | prf(SK_p, ID'), then IntAuth if there was one (RFC 9242 3.3.2). */
        ck_assert_int_eq(prf_parts(session.prf, vector_hex(auth, "SK_p"), &id, 1, maced), OK);
        rd_skip(&r, 24);
        rd_skip(&r, rd_u32(&r) - IKE_HEADER_LEN);
        rd_skip(&r, NONCE_LEN);
        ck_assert_octets(rd_bytes(&r, len), bytes_of(maced, len));
        if (!vector_has(auth, "secret")) {
            continue;
        }
        ck_assert_int_eq(prf_parts(session.prf, vector_hex(auth, "secret"), &pad, 1, key), OK);
        ck_assert_octets(bytes_of(key, len), vector_hex(auth, "prf_secret_keypad"));
        ck_assert_int_eq(prf_parts(session.prf, bytes_of(key, len), &octets, 1, value), OK);
        ck_assert_octets(bytes_of(value, len), vector_hex(auth, "AUTH"));
    }
    json_object_unref(trace);
}
END_TEST

/* ---- Wireshark ---- */

static bool wireshark_algs(JsonObject *session, struct session *out)
{
    static const struct {
        const char *wireshark, *ours;
    } names[] = {{"AES-CCM-12 128", "aes128ccm12"}, {"AES-CTR 192", "aes192ctr"},
                 {"AES-CBC 256", "aes256"},         {"AES-CCM-16 256", "aes256ccm16"},
                 {"AES-GCM-8 256", "aes256gcm8"},   {"AES-GCM-16 256", "aes256gcm16"},
                 {"HMAC-SHA2-512-256", "sha512"},   {"HMAC-SHA2-256-128", "sha256"}};

    *out = (struct session){0};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(vector_text(session, "encr"), names[i].wireshark) == 0) {
            out->encr = named(names[i].ours);
        }
        if (strcmp(vector_text(session, "integ"), names[i].wireshark) == 0) {
            out->integ = named(names[i].ours);
        }
    }
    if (out->encr == NULL) {
        fprintf(stderr, "%s: left out, we have no %s\n", vector_text(session, "file"),
                vector_text(session, "integ"));
    }
    return out->encr != NULL;
}

static void open_wireshark_message(const struct session *algs, JsonObject *session,
                                   JsonObject *vector)
{
    struct bytes wire = vector_hex(vector, "hex");
    uint8_t *octets = octets_copy(wire);
    struct message message;
    uint8_t inner, unknown;
    struct bytes plain, expected;
    struct crypt *crypt;

    ck_assert_int_eq(message_parse(&message, bytes_of(octets, wire.len), &inner, &unknown), OK);
    if (message_find(&message, P_SK, 0) == NULL) {
        ck_assert(!vector_has(vector, "plaintext_with_padding"));
        return;
    }
    expected = vector_hex(vector, "plaintext_with_padding");
    expected.len -= (size_t)vector_int(vector, "pad_length") + 1;
    crypt = session_crypt(algs, session, (message.header.flags & IKE_FLAG_INITIATOR) != 0);
    ck_assert_int_eq(message_open(octets, wire.len, message_find(&message, P_SK, 0), crypt, &plain),
                     OK);
    ck_assert_octets(plain, expected);
    ck_assert_int_eq(inner, vector_int(vector, "first_inner_payload"));
    ck_assert_int_eq(message_parse_chain(&message, inner, plain, &unknown), OK);
    check_types(vector, "inner_payload_types", &message, 1);
    crypt_free(crypt);
}

START_TEST(wireshark_captures_open)
{
    JsonObject *root = vectors_load_shared("wireshark-ikev2/ikev2-decrypt-sessions.json");
    JsonArray *sessions;
    guint opened = 0;

    if (root == NULL) {
        return;
    }
    sessions = vector_array(root, "sessions");
    for (guint s = 0; s < json_array_get_length(sessions); s++) {
        JsonObject *session = json_array_get_object_element(sessions, s);
        JsonArray *messages = vector_array(session, "messages");
        struct session algs;

        if (!wireshark_algs(session, &algs)) {
            continue;
        }
        opened++;
        for (guint i = 0; i < json_array_get_length(messages); i++) {
            open_wireshark_message(&algs, session, json_array_get_object_element(messages, i));
        }
    }
    ck_assert_uint_ge(opened, 7);
    json_object_unref(root);
}
END_TEST

START_TEST(wireshark_nat_detection_hashes)
{
    JsonObject *root = vectors_load_shared("wireshark-ikev2/ikev2-decrypt-sessions.json");
    JsonArray *hashes;

    if (root == NULL) {
        return;
    }
    hashes = vector_array(root, "nat_detection_hashes");
    ck_assert_uint_gt(json_array_get_length(hashes), 0);
    for (guint i = 0; i < json_array_get_length(hashes); i++) {
        JsonObject *vector = json_array_get_object_element(hashes, i);
        GInetAddress *ip = g_inet_address_new_from_string(vector_text(vector, "ip"));
        uint16_t port = (uint16_t)vector_int(vector, "port");
        uint8_t port_octets[2] = {(uint8_t)(port >> 8), (uint8_t)port};
        struct bytes parts[] = {
            vector_hex(vector, "SPIi"), vector_hex(vector, "SPIr"),
            bytes_of(g_inet_address_to_bytes(ip), g_inet_address_get_native_size(ip)),
            bytes_of(port_octets, 2)};
        uint8_t hash[SHA1_LEN];

        ck_assert_int_eq(sha1_parts(parts, 4, hash), OK);
        ck_assert_octets(bytes_of(hash, SHA1_LEN), vector_hex(vector, "sha1"));
        g_object_unref(ip);
    }
    json_object_unref(root);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("captures");
    TCase *strongswan = tcase_create("strongSwan");
    TCase *wireshark = tcase_create("Wireshark");
    int n = sizeof traces / sizeof traces[0];

    tcase_add_loop_test(strongswan, strongswan_messages_open, 0, n);
    tcase_add_loop_test(strongswan, strongswan_ike_keys, 0, n);
    tcase_add_loop_test(strongswan, strongswan_child_keymat, 0, n);
    tcase_add_loop_test(strongswan, strongswan_auth_octets, 0, n);
    suite_add_tcase(suite, strongswan);
    tcase_add_test(wireshark, wireshark_captures_open);
    tcase_add_test(wireshark, wireshark_nat_detection_hashes);
    suite_add_tcase(suite, wireshark);
    return run_suite(suite);
}
