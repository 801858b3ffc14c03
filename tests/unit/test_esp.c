/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <gnutls/crypto.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/cursor.h"
#include "crypto/crypt.h"
#include "esp/esp.h"
#include "unit/packets.h"
#include "unit/vectors.h"

#define SPI 0xc0ffee01u

/* A packet with room on both sides of exactly what the suite promises, so that a sanitizer sees a
 * trespass. */
struct box {
    uint8_t *memory;
    uint8_t *packet;
};

static struct box box_new(const struct suite *suite, size_t len)
{
    struct box box;
    box.memory = malloc(esp_headroom(suite) + len + esp_tailroom(suite));
    box.packet = box.memory + esp_headroom(suite);
    return box;
}

static struct suite named_suite(const char *encr, const char *integ, bool esn)
{
    struct suite suite = {.encr = alg_find_name(bytes_of_string(encr)), .esn = esn};
    ck_assert_ptr_nonnull(suite.encr);
    if (integ != NULL) {
        suite.integ = alg_find_name(bytes_of_string(integ));
        ck_assert_ptr_nonnull(suite.integ);
    }
    return suite;
}

static void pair_with(struct esp_params *params, struct esp_out **out, struct esp_in **in)
{
    ck_assert_int_eq(esp_out_new(out, params, NULL), OK);
    ck_assert_int_eq(esp_in_new(in, params, NULL), OK);
}

/* ---- vectors ---- */

/* RFC 7634 appendix A: a whole ESP packet in tunnel mode. */
START_TEST(test_rfc7634_packet)
{
    JsonObject *root = vectors_load("chacha20poly1305-rfc7634.json");
    JsonObject *example = vector_object(root, "esp_example");
    struct suite suite = named_suite("chacha20poly1305", NULL, false);
    struct esp_params params;
    struct esp_in *in;
    params_for(&params, &suite, 0x01020304);
    params.encr_key = vector_hex(example, "KEYMAT");
    struct bytes outer = vector_hex(example, "esp_packet_with_outer_ip");
    struct bytes esp = bytes_of(outer.data + 20, outer.len - 20);
    uint8_t *inner;
    size_t inner_len;

    for (size_t i = 0; i < esp.len; i++) {
        ck_assert_int_eq(esp_in_new(&in, &params, NULL), OK);
        uint8_t *changed = octets_copy(esp);
        changed[i] ^= 0x10;
        enum err err = esp_open(in, changed, esp.len, 0, &inner, &inner_len);
        ck_assert_int_eq(err, i < 4 ? ERR_SYNTAX : ERR_INTEGRITY);
        ck_assert_uint_eq(inner_len, 0);
        esp_in_free(in);
    }
    ck_assert_int_eq(esp_in_new(&in, &params, NULL), OK);
    ck_assert_int_eq(esp_open(in, octets_copy(esp), esp.len, 0, &inner, &inner_len), OK);
    ck_assert_octets(bytes_of(inner, inner_len), vector_hex(example, "source_packet"));
    ck_assert_int_eq(esp_open(in, octets_copy(esp), esp.len, 0, &inner, &inner_len), ERR_REPLAY);
    esp_in_free(in);
    json_object_unref(root);
}
END_TEST

/* RFC 3602 4: packets without ICV, completed here. Cases 5 and 6 are transport mode, which a tunnel
 * refuses. */
START_TEST(test_rfc3602_packets)
{
    JsonObject *root = vectors_load("aes-cbc-esp-rfc3602.json");
    JsonArray *cases = vector_array(root, "cases");
    static const uint8_t mac_key[32] = {1, 2, 3};
    unsigned tunnel = 0;
    for (guint i = 4; i < json_array_get_length(cases); i++) {
        JsonObject *item = json_array_get_object_element(cases, i);
        struct suite suite = named_suite("aes128", "sha256", false);
        struct esp_params params;
        struct esp_in *in;
        params_for(&params, &suite, (uint32_t)strtoul(vector_text(item, "spi"), NULL, 16));
        params.encr_key = vector_hex(item, "key");
        params.integ_key = bytes_of(mac_key, sizeof(mac_key));
        struct bytes parts[3] = {vector_hex(item, "spi_seq"), vector_hex(item, "iv"),
                                 vector_hex(item, "ciphertext")};
        uint8_t packet[512];
        struct writer w = writer_of(packet, sizeof(packet));
        for (size_t j = 0; j < 3; j++) {
            wr_bytes(&w, parts[j]);
        }
        uint8_t mac[32];
        gnutls_hmac_fast(GNUTLS_MAC_SHA256, mac_key, sizeof(mac_key), packet, w.len, mac);
        wr_bytes(&w, bytes_of(mac, 16));

        uint8_t *inner;
        size_t inner_len;
        struct bytes text = vector_hex(item, "padded_plaintext");
        bool is_tunnel = text.data[text.len - 1] == 4;
        ck_assert_int_eq(esp_in_new(&in, &params, NULL), OK);
        ck_assert_int_eq(esp_open(in, packet, w.len, 0, &inner, &inner_len),
                         is_tunnel ? OK : ERR_STATE);
        ck_assert_octets(bytes_of(packet + 8 + 16, text.len), text);
        if (is_tunnel) {
            tunnel++;
            ck_assert_uint_eq(inner_len, (size_t)(text.data[2] << 8 | text.data[3]));
            packet_check(inner, inner_len);
        }
        esp_in_free(in);
    }
    ck_assert_uint_eq(tunnel, 2);
    json_object_unref(root);
}
END_TEST

/* RFC 4106 and 4309 vectors whose associated data has the form of ESP: SPI | SN or SPI | SN-high |
 * SN-low. */
static unsigned run_testmgr(JsonObject *sets, const char *set, const char *family)
{
    JsonArray *vectors = vector_array(vector_object(sets, set), "vectors");
    unsigned run = 0;
    for (guint i = 0; i < json_array_get_length(vectors); i++) {
        JsonObject *item = json_array_get_object_element(vectors, i);
        struct bytes aad = vector_hex_or_empty(item, "aad");
        struct bytes key = vector_hex(item, "key");
        struct bytes salt = vector_hex_or_empty(item, "salt");
        struct bytes iv = vector_hex_or_empty(item, "iv");
        struct bytes text =
            vector_hex_or_empty(item, vector_has(item, "plaintext") ? "plaintext" : "none");
        if ((aad.len != 8 && aad.len != 12) || text.len < 4 || iv.len != 8 ||
            !vector_has(item, "ciphertext")) {
            continue;
        }
        struct bytes cipher = vector_hex(item, "ciphertext");
        struct bytes tag = vector_hex(item, "tag");
        char name[32];
        snprintf(name, sizeof(name), "aes%zu%s%zu", key.len * 8, family, tag.len);
        const struct alg *encr = alg_find_name(bytes_of_string(name));
        uint64_t sequence = 0;
        for (size_t j = 4; j < aad.len; j++) {
            sequence = sequence << 8 | aad.data[j];
        }
        if (encr == NULL || sequence == 0) {
            continue;
        }
        struct suite suite = {.encr = encr, .esn = aad.len == 12};
        struct esp_params params;
        struct esp_in *in;
        uint8_t packet[1024];
        uint8_t keymat[64];
        struct writer k = writer_of(keymat, sizeof(keymat));
        wr_bytes(&k, key);
        wr_bytes(&k, salt);
        struct writer w = writer_of(packet, sizeof(packet));
        wr_bytes(&w, bytes_of(aad.data, 4));
        wr_bytes(&w, bytes_of(aad.data + aad.len - 4, 4));
        wr_bytes(&w, iv);
        wr_bytes(&w, cipher);
        wr_bytes(&w, tag);
        params_for(&params, &suite,
                   (uint32_t)aad.data[0] << 24 | (uint32_t)aad.data[1] << 16 |
                       (uint32_t)aad.data[2] << 8 | aad.data[3]);
        params.encr_key = wr_written(&k);
        params.first_sequence = sequence;
        uint8_t *inner;
        size_t inner_len;
        for (size_t j = 4; j < w.len; j++) {
            uint8_t *changed = octets_copy(wr_written(&w));
            changed[j] ^= 1;
            ck_assert_int_eq(esp_in_new(&in, &params, NULL), OK);
            enum err err = esp_open(in, changed, w.len, 0, &inner, &inner_len);
            /* A changed number can be outside the window or cross into a high half that cannot be.
             */
            ck_assert_msg(err == ERR_INTEGRITY || (j < 8 && err == ERR_REPLAY), "octet %zu: %d", j,
                          err);
            esp_in_free(in);
        }
        ck_assert_int_eq(esp_in_new(&in, &params, NULL), OK);
        enum err err = esp_open(in, packet, w.len, 0, &inner, &inner_len);
        /* Their next header is not a tunnel's, or the text is no packet; but the ICV is good and
         * the text is right. */
        ck_assert_msg(err == ERR_STATE || err == ERR_SYNTAX, "vector %u: %d", i, err);
        ck_assert_octets(bytes_of(packet + 16, text.len), text);
        esp_in_free(in);
        run++;
    }
    return run;
}

START_TEST(test_testmgr)
{
    JsonObject *root = vectors_load("esp-aead-linux-testmgr.json");
    JsonObject *sets = vector_object(root, "sets");
    ck_assert_uint_ge(run_testmgr(sets, "rfc4106-aes-gcm-esp", "gcm"), 14);
    ck_assert_uint_ge(run_testmgr(sets, "rfc4309-aes-ccm-esp", "ccm"), 10);
    json_object_unref(root);
}
END_TEST

/* What we seal, read by GnuTLS from the layout of RFC 4106. */
START_TEST(test_sealed_layout)
{
    for (int esn = 0; esn < 2; esn++) {
        struct suite suite = named_suite("aes256gcm16", NULL, esn);
        struct esp_params params;
        struct esp_out *out;
        params_for(&params, &suite, SPI);
        params.first_sequence = esn ? UINT64_C(0x100000005) : 5;
        ck_assert_int_eq(esp_out_new(&out, &params, NULL), OK);
        struct packet_spec spec = {.payload = 51};
        struct box box = box_new(&suite, 200);
        size_t len = packet_build(&spec, false, box.packet);
        uint8_t before[200];
        memcpy(before, box.packet, len);
        uint8_t *esp;
        size_t esp_len;
        ck_assert_int_eq(esp_seal(out, box.packet, len, &esp, &esp_len), OK);
        ck_assert_uint_eq(esp_len, 8 + 8 + 84 + 16); /* 79 octets, 3 of padding, 2 of trailer */
        ck_assert_ptr_eq(esp, box.memory);
        ck_assert_octets(bytes_of(esp, 8), hex("c0ffee0100000005"));

        gnutls_aead_cipher_hd_t aead;
        gnutls_datum_t key = {(uint8_t *)(uintptr_t)params.encr_key.data, 32};
        uint8_t nonce[12];
        uint8_t text[100];
        size_t text_len = sizeof(text);
        memcpy(nonce, params.encr_key.data + 32, 4);
        memcpy(nonce + 4, esp + 8, 8);
        struct bytes aad = hex(esn ? "c0ffee010000000100000005" : "c0ffee0100000005");
        ck_assert_int_eq(gnutls_aead_cipher_init(&aead, GNUTLS_CIPHER_AES_256_GCM, &key), 0);
        ck_assert_int_eq(gnutls_aead_cipher_decrypt(aead, nonce, 12, aad.data, aad.len, 16,
                                                    esp + 16, 100, text, &text_len),
                         0);
        gnutls_aead_cipher_deinit(aead);
        ck_assert_octets(bytes_of(text, len), bytes_of(before, len));
        ck_assert_octets(bytes_of(text + len, text_len - len), hex("0102030304"));
        esp_out_free(out);
        free(box.memory);
    }
}
END_TEST

/* ---- every suite ---- */

static void round_trip(struct esp_out *out, struct esp_in *in, const struct suite *suite,
                       size_t payload)
{
    struct packet_spec spec = {.family = payload % 2 ? FAMILY_IPV6 : FAMILY_IPV4,
                               .payload = payload};
    size_t len = packet_header_len(&spec) + payload;
    struct box box = box_new(suite, len);
    uint8_t *before = malloc(len);
    packet_build(&spec, false, box.packet);
    memcpy(before, box.packet, len);
    uint8_t *esp;
    uint8_t *inner;
    size_t esp_len;
    size_t inner_len;
    ck_assert_int_eq(esp_seal(out, box.packet, len, &esp, &esp_len), OK);
    ck_assert_uint_eq(esp_len, esp_sealed_len(suite, len));
    ck_assert_uint_le(esp_len, esp_headroom(suite) + len + esp_tailroom(suite));

    uint8_t *forged = malloc(esp_len);
    memcpy(forged, esp, esp_len);
    forged[8 + (len * 131) % (esp_len - 8)] ^= 0x80;
    ck_assert_int_eq(esp_open(in, forged, esp_len, 0, &inner, &inner_len), ERR_INTEGRITY);
    memcpy(forged, esp, esp_len);
    ck_assert_int_ne(esp_open(in, forged, esp_len - 1 - len % 16, 0, &inner, &inner_len), OK);

    memcpy(forged, esp, esp_len);
    ck_assert_int_eq(esp_open(in, forged, esp_len, 0, &inner, &inner_len), OK);
    ck_assert_octets(bytes_of(inner, inner_len), bytes_of(before, len));
    ck_assert_int_eq(esp_open(in, esp, esp_len, 0, &inner, &inner_len), ERR_REPLAY);
    free(forged);
    free(before);
    free(box.memory);
}

START_TEST(test_round_trips)
{
    struct suite suite;
    size_t suites = 0;
    for (; suite_at(suites, &suite); suites++) {
        struct esp_params params;
        struct esp_out *out;
        struct esp_in *in;
        params_for(&params, &suite, SPI);
        params.first_sequence = suite.esn ? UINT32_MAX - 20 : 0;
        pair_with(&params, &out, &in);
        /* Every residue of the padding, then in strides. */
        for (size_t payload = 0; payload <= 1500; payload += payload < 70 ? 1 : 37) {
            round_trip(out, in, &suite, payload);
        }
        esp_out_free(out);
        esp_in_free(in);
    }
    ck_assert_uint_ge(
        suites, 2 * (6 + 1 + 6 + 4)); /* GCM, CCM, ChaCha20 and more than one MAC per cipher */
}
END_TEST

START_TEST(test_all_sizes)
{
    static const char *const encr[] = {"aes256gcm16", "aes128"};
    static const char *const integ[] = {NULL, "sha256"};
    for (size_t i = 0; i < 2; i++) {
        struct suite suite = named_suite(encr[i], integ[i], false);
        struct esp_params params;
        struct esp_out *out;
        struct esp_in *in;
        params_for(&params, &suite, SPI);
        pair_with(&params, &out, &in);
        for (size_t payload = 0; payload <= 1500; payload++) {
            round_trip(out, in, &suite, payload);
        }
        esp_out_free(out);
        esp_in_free(in);
    }
}
END_TEST

START_TEST(test_inner_mtu)
{
    struct suite suite;
    for (size_t i = 0; suite_at(i, &suite); i++) {
        for (unsigned path = 100; path <= 1600; path++) {
            for (unsigned v6 = 0; v6 < 2; v6++) {
                size_t outer = (v6 ? 40u : 20u) + 8;
                /* The longest whose ESP fits, tried from above. */
                size_t best = path;
                while (best > 0 && outer + esp_sealed_len(&suite, best) > path) {
                    best--;
                }
                ck_assert_uint_eq(
                    esp_inner_mtu(&suite, (uint16_t)path, v6 ? FAMILY_IPV6 : FAMILY_IPV4, true),
                    best);
                ck_assert_uint_eq(esp_inner_mtu(&suite, (uint16_t)(path - 8),
                                                v6 ? FAMILY_IPV6 : FAMILY_IPV4, false),
                                  best);
            }
        }
    }
    suite = named_suite("aes256gcm16", NULL, false);
    ck_assert_uint_eq(esp_inner_mtu(&suite, 1500, FAMILY_IPV4, true), 1438);
    ck_assert_uint_eq(esp_inner_mtu(&suite, 50, FAMILY_IPV4, true), 0);
}
END_TEST

START_TEST(test_numbers_end)
{
    for (int esn = 0; esn < 2; esn++) {
        struct suite suite = named_suite("aes128gcm16", NULL, esn);
        struct esp_params params;
        struct esp_out *out;
        struct esp_in *in;
        params_for(&params, &suite, SPI);
        params.first_sequence = (esn ? UINT64_MAX : UINT32_MAX) - 1;
        pair_with(&params, &out, &in);
        round_trip(out, in, &suite, 10);
        round_trip(out, in, &suite, 10);
        struct packet_spec spec = {.payload = 10};
        struct box box = box_new(&suite, 100);
        size_t len = packet_build(&spec, false, box.packet);
        uint8_t *esp;
        size_t esp_len;
        ck_assert_int_eq(esp_seal(out, box.packet, len, &esp, &esp_len), ERR_STATE);
        ck_assert_int_eq(esp_seal(out, box.packet, len, &esp, &esp_len), ERR_STATE);
        free(box.memory);
        esp_out_free(out);
        esp_in_free(in);
    }
}
END_TEST

/* ---- what an authentic gateway may put inside ---- */

/* Seals any text (with its trailer) as the peer would, and opens it. */
static enum err open_text(struct esp_in *in, const struct esp_params *params, uint32_t sequence,
                          struct bytes text, uint8_t ecn, uint8_t *packet, struct bytes *inner)
{
    struct crypt *crypt;
    ck_assert_int_eq(crypt_new(&crypt, params->suite.encr, params->suite.integ, params->encr_key,
                               params->integ_key),
                     OK);
    size_t iv = crypt_iv_len(crypt);
    struct writer w = writer_of(packet, 8);
    wr_u32(&w, params->spi);
    wr_u32(&w, sequence);
    if (text.len > 0) {
        memcpy(packet + 8 + iv, text.data, text.len);
    }
    ck_assert_int_eq(crypt_seal(crypt, sequence, bytes_of(packet, 8), bytes_of(NULL, 0),
                                packet + 8 + iv, text.len),
                     OK);
    size_t len = 8 + iv + text.len + crypt_icv_len(crypt);
    crypt_free(crypt);
    uint8_t *at;
    enum err err = esp_open(in, packet, len, ecn, &at, &inner->len);
    inner->data = at;
    return err;
}

START_TEST(test_contents)
{
    struct suite suite = named_suite("aes128gcm16", NULL, false);
    struct esp_params params;
    struct esp_in *in;
    uint8_t packet[3000];
    uint8_t text[2500];
    struct bytes inner;
    params_for(&params, &suite, SPI);
    ck_assert_int_eq(esp_in_new(&in, &params, NULL), OK);
    struct packet_spec spec = {.payload = 20};
    size_t len = packet_build(&spec, false, text);
    uint8_t *end = text + len;
    uint32_t n = 1;

    /* Plain, 48 octets and no padding needed; then padding that is not 1, 2, 3. */
    memcpy(end, (uint8_t[]){0, 4}, 2);
    ck_assert_int_eq(open_text(in, &params, n++, bytes_of(text, len + 2), 0, packet, &inner), OK);
    ck_assert_octets(inner, bytes_of(text, len));
    memcpy(end, (uint8_t[]){9, 9, 2, 4}, 4);
    ck_assert_int_eq(open_text(in, &params, n++, bytes_of(text, len + 4), 0, packet, &inner), OK);
    ck_assert_octets(inner, bytes_of(text, len));
    /* Traffic flow confidentiality padding behind the packet (RFC 4303 2.7). */
    memset(end, 0xaa, 1000);
    memcpy(end + 1000, (uint8_t[]){1, 2, 2, 4}, 4);
    ck_assert_int_eq(open_text(in, &params, n++, bytes_of(text, len + 1004), 0, packet, &inner),
                     OK);
    ck_assert_octets(inner, bytes_of(text, len));
    /* 255 octets of padding, the most there can be. */
    for (unsigned i = 0; i < 255; i++) {
        end[i] = (uint8_t)(i + 1);
    }
    memcpy(end + 255, (uint8_t[]){255, 4}, 2);
    ck_assert_int_eq(open_text(in, &params, n++, bytes_of(text, len + 257), 0, packet, &inner), OK);
    ck_assert_octets(inner, bytes_of(text, len));

    /* Dummies, with and without content (RFC 4303 2.6). */
    ck_assert_int_eq(
        open_text(in, &params, n++, hex("ffffff0102020203c0ffee3b"), 0, packet, &inner),
        ERR_SYNTAX);
    ck_assert_int_eq(open_text(in, &params, n++, hex("0102023b"), 0, packet, &inner), OK);
    ck_assert_uint_eq(inner.len, 0);
    ck_assert_int_eq(open_text(in, &params, n++, hex("deadbeef0102023b"), 0, packet, &inner), OK);
    ck_assert_uint_eq(inner.len, 0);

    /* Not a tunnel: ICMP in transport mode. */
    memcpy(end, (uint8_t[]){1, 2, 2, 1}, 4);
    ck_assert_int_eq(open_text(in, &params, n++, bytes_of(text, len + 4), 0, packet, &inner),
                     ERR_STATE);
    ck_assert_uint_eq(inner.len, 0);
    /* Next header and version disagree. */
    end[3] = 41;
    ck_assert_int_eq(open_text(in, &params, n++, bytes_of(text, len + 4), 0, packet, &inner),
                     ERR_SYNTAX);
    ck_assert_uint_eq(inner.len, 0);
    /* The inner packet is longer than its container. */
    memcpy(text + len - 2, (uint8_t[]){0, 4}, 2);
    ck_assert_int_eq(open_text(in, &params, n++, bytes_of(text, len), 0, packet, &inner),
                     ERR_SYNTAX);
    /* More padding than text; nothing at all. */
    ck_assert_int_eq(open_text(in, &params, n++, hex("01020304"), 0, packet, &inner), ERR_SYNTAX);
    ck_assert_int_eq(open_text(in, &params, n++, hex("ff04"), 0, packet, &inner), ERR_SYNTAX);
    ck_assert_int_eq(open_text(in, &params, n++, hex("0004"), 0, packet, &inner), ERR_SYNTAX);
    ck_assert_int_ne(open_text(in, &params, n++, hex("04"), 0, packet, &inner), OK);
    ck_assert_int_ne(open_text(in, &params, n++, bytes_of(NULL, 0), 0, packet, &inner), OK);
    ck_assert_uint_eq(inner.len, 0);
    esp_in_free(in);
}
END_TEST

START_TEST(test_runts)
{
    struct suite suite;
    for (size_t i = 0; suite_at(i, &suite); i++) {
        struct esp_params params;
        struct esp_in *in;
        params_for(&params, &suite, SPI);
        ck_assert_int_eq(esp_in_new(&in, &params, NULL), OK);
        for (size_t len = 0; len < 80; len++) {
            uint8_t *packet = calloc(1, len + 1);
            uint8_t *inner;
            size_t inner_len;
            struct writer w = writer_of(packet, len);
            wr_u32(&w, SPI);
            wr_u32(&w, 1);
            enum err err = esp_open(in, packet, len, 0, &inner, &inner_len);
            ck_assert(err == ERR_SYNTAX || err == ERR_INTEGRITY);
            ck_assert_uint_eq(inner_len, 0);
            free(packet);
        }
        esp_in_free(in);
    }
}
END_TEST

/* A packet that the selectors refuse is authentic all the same: its number is used up. */
START_TEST(test_policy_commits_replay)
{
    struct suite suite = named_suite("aes128gcm16", NULL, false);
    struct esp_params params;
    struct esp_in *in;
    uint8_t packet[300];
    uint8_t text[200];
    struct bytes inner;
    params_for(&params, &suite, SPI);
    ck_assert(addr_parse(&params.remote[0].start, "10.2.0.2"));
    ck_assert(addr_parse(&params.remote[0].end, "10.2.0.9"));
    ck_assert_int_eq(esp_in_new(&in, &params, NULL), OK);
    struct packet_spec spec = {.payload = 20};
    size_t len = packet_build(&spec, true, text);
    memcpy(text + len, (uint8_t[]){1, 2, 2, 4}, 4);
    ck_assert_int_eq(open_text(in, &params, 7, bytes_of(text, len + 4), 0, packet, &inner),
                     ERR_STATE);
    ck_assert_uint_eq(inner.len, 0);
    ck_assert_int_eq(open_text(in, &params, 7, bytes_of(text, len + 4), 0, packet, &inner),
                     ERR_REPLAY);
    esp_in_free(in);
}
END_TEST

START_TEST(test_ecn_through_open)
{
    struct suite suite = named_suite("aes128gcm16", NULL, false);
    struct esp_params params;
    struct esp_in *in;
    uint8_t packet[300];
    uint8_t text[200];
    struct bytes inner;
    params_for(&params, &suite, SPI);
    ck_assert_int_eq(esp_in_new(&in, &params, NULL), OK);
    struct packet_spec spec = {.payload = 20, .tos = 0xb8 | 2};
    size_t len = packet_build(&spec, false, text);
    ck_assert_uint_eq(esp_outer_tos(text, len), 0xba);
    memcpy(text + len, (uint8_t[]){1, 2, 2, 4}, 4);
    ck_assert_int_eq(open_text(in, &params, 1, bytes_of(text, len + 4), 3, packet, &inner), OK);
    packet_check(inner.data, inner.len);
    ck_assert_uint_eq(inner.data[1], 0xbb);
    spec.tos = 0;
    len = packet_build(&spec, false, text);
    memcpy(text + len, (uint8_t[]){1, 2, 2, 4}, 4);
    ck_assert_int_eq(open_text(in, &params, 2, bytes_of(text, len + 4), 3, packet, &inner),
                     ERR_STATE);
    ck_assert_uint_eq(inner.len, 0);
    esp_in_free(in);
}
END_TEST

START_TEST(test_bad_params)
{
    struct suite suite = named_suite("aes128gcm16", NULL, false);
    struct esp_params params;
    struct esp_out *out;
    struct esp_in *in;
    params_for(&params, &suite, SPI);
    params.n_local = 0;
    ck_assert_int_eq(esp_out_new(&out, &params, NULL), ERR_SYNTAX);
    ck_assert_ptr_null(out);
    params.n_local = ESP_SELECTORS_MAX + 1;
    ck_assert_int_eq(esp_in_new(&in, &params, NULL), ERR_SYNTAX);
    ck_assert_ptr_null(in);
    params.n_local = 1;
    params.encr_key.len--;
    ck_assert_int_eq(esp_in_new(&in, &params, NULL), ERR_KEY);
    ck_assert_ptr_null(in);
    esp_in_free(NULL);
    esp_out_free(NULL);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("esp");
    TCase *tcase = tcase_create("esp");
    tcase_add_test(tcase, test_rfc7634_packet);
    tcase_add_test(tcase, test_rfc3602_packets);
    tcase_add_test(tcase, test_testmgr);
    tcase_add_test(tcase, test_sealed_layout);
    tcase_add_test(tcase, test_round_trips);
    tcase_add_test(tcase, test_all_sizes);
    tcase_add_test(tcase, test_inner_mtu);
    tcase_add_test(tcase, test_numbers_end);
    tcase_add_test(tcase, test_contents);
    tcase_add_test(tcase, test_runts);
    tcase_add_test(tcase, test_policy_commits_replay);
    tcase_add_test(tcase, test_ecn_through_open);
    tcase_add_test(tcase, test_bad_params);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
