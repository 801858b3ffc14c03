/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "crypto/algs.h"

#include <stdio.h>

#define AES_GCM(bits, icv)                                                                         \
    {                                                                                              \
        .type = TRANSFORM_ENCR,                                                                    \
        .id = (icv) == 16   ? ENCR_AES_GCM_16                                                      \
              : (icv) == 12 ? ENCR_AES_GCM_12                                                      \
                            : ENCR_AES_GCM_8,                                                      \
        .key_bits = (bits), .name = "aes" #bits "gcm" #icv,                                        \
        .title = "AES-GCM-" #bits " (" #icv "-octet ICV)", .flags = ALG_AEAD | ALG_KEYLEN,         \
        .key_octets = (bits) / 8, .salt_octets = 4, .iv_octets = 8, .icv_octets = (icv),           \
        .block_octets = 1                                                                          \
    }
#define AES_CCM(bits, icv)                                                                         \
    {                                                                                              \
        .type = TRANSFORM_ENCR,                                                                    \
        .id = (icv) == 16   ? ENCR_AES_CCM_16                                                      \
              : (icv) == 12 ? ENCR_AES_CCM_12                                                      \
                            : ENCR_AES_CCM_8,                                                      \
        .key_bits = (bits), .name = "aes" #bits "ccm" #icv,                                        \
        .title = "AES-CCM-" #bits " (" #icv "-octet ICV)", .flags = ALG_AEAD | ALG_KEYLEN,         \
        .key_octets = (bits) / 8, .salt_octets = 3, .iv_octets = 8, .icv_octets = (icv),           \
        .block_octets = 1                                                                          \
    }
#define AES_CBC(bits)                                                                              \
    {                                                                                              \
        .type = TRANSFORM_ENCR, .id = ENCR_AES_CBC, .key_bits = (bits), .name = "aes" #bits,       \
        .title = "AES-CBC-" #bits, .flags = ALG_KEYLEN, .key_octets = (bits) / 8, .iv_octets = 16, \
        .block_octets = 16                                                                         \
    }
#define AES_CTR(bits)                                                                              \
    {                                                                                              \
        .type = TRANSFORM_ENCR, .id = ENCR_AES_CTR, .key_bits = (bits), .name = "aes" #bits "ctr", \
        .title = "AES-CTR-" #bits, .flags = ALG_KEYLEN, .key_octets = (bits) / 8,                  \
        .salt_octets = 4, .iv_octets = 8, .block_octets = 1                                        \
    }
#define PRF(number, octets, word, text)                                                            \
    {                                                                                              \
        .type = TRANSFORM_PRF, .id = (number), .name = (word), .title = (text),                    \
        .key_octets = (octets)                                                                     \
    }
#define MAC(number, octets, icv, word, text)                                                       \
    {                                                                                              \
        .type = TRANSFORM_INTEG, .id = (number), .name = (word), .title = (text),                  \
        .key_octets = (octets), .icv_octets = (icv)                                                \
    }
#define KE(number, word, text, alg_flags)                                                          \
    {                                                                                              \
        .type = TRANSFORM_KE, .id = (number), .name = (word), .title = (text),                     \
        .flags = (alg_flags)                                                                       \
    }

/* clang-format off */
static const struct alg algs[] = {
    /* RFC 4106, RFC 4309, RFC 7634, RFC 3602, RFC 3686, RFC 2451 */
    AES_GCM(256, 16), AES_GCM(192, 16), AES_GCM(128, 16),
    AES_GCM(256, 12), AES_GCM(192, 12), AES_GCM(128, 12),
    AES_GCM(256, 8), AES_GCM(192, 8), AES_GCM(128, 8),
    {.type = TRANSFORM_ENCR, .id = ENCR_CHACHA20_POLY1305, .name = "chacha20poly1305",
     .title = "ChaCha20-Poly1305", .flags = ALG_AEAD, .key_octets = 32, .salt_octets = 4,
     .iv_octets = 8, .icv_octets = 16, .block_octets = 1},
    AES_CCM(256, 16), AES_CCM(128, 16),
    AES_CCM(256, 12), AES_CCM(128, 12),
    AES_CCM(256, 8), AES_CCM(128, 8),
    AES_CBC(256), AES_CBC(192), AES_CBC(128),
    AES_CTR(256), AES_CTR(192), AES_CTR(128),
    {.type = TRANSFORM_ENCR, .id = ENCR_3DES, .name = "3des", .title = "3DES-CBC",
     .flags = ALG_LEGACY, .key_octets = 24, .iv_octets = 8, .block_octets = 8},
    /* RFC 4868, RFC 4615, RFC 2104 */
    PRF(PRF_HMAC_SHA2_256, 32, "prfsha256", "PRF-HMAC-SHA2-256"),
    PRF(PRF_HMAC_SHA2_384, 48, "prfsha384", "PRF-HMAC-SHA2-384"),
    PRF(PRF_HMAC_SHA2_512, 64, "prfsha512", "PRF-HMAC-SHA2-512"),
    PRF(PRF_AES128_CMAC, 16, "prfaescmac", "PRF-AES128-CMAC"),
    PRF(PRF_HMAC_SHA1, 20, "prfsha1", "PRF-HMAC-SHA1"),
    /* RFC 4868, RFC 4494, RFC 2404 */
    MAC(AUTH_HMAC_SHA2_256_128, 32, 16, "sha256", "HMAC-SHA2-256-128"),
    MAC(AUTH_HMAC_SHA2_384_192, 48, 24, "sha384", "HMAC-SHA2-384-192"),
    MAC(AUTH_HMAC_SHA2_512_256, 64, 32, "sha512", "HMAC-SHA2-512-256"),
    MAC(AUTH_AES_CMAC_96, 16, 12, "aescmac", "AES-CMAC-96"),
    MAC(AUTH_HMAC_SHA1_96, 20, 12, "sha1", "HMAC-SHA1-96"),
    /* RFC 8031, RFC 5903, RFC 3526, RFC 7296 B */
    KE(KE_CURVE25519, "x25519", "Curve25519", 0),
    KE(KE_CURVE448, "x448", "Curve448", 0),
    KE(KE_ECP_256, "ecp256", "ECP-256 (NIST P-256)", 0),
    KE(KE_ECP_384, "ecp384", "ECP-384 (NIST P-384)", 0),
    KE(KE_ECP_521, "ecp521", "ECP-521 (NIST P-521)", 0),
    KE(KE_MODP_2048, "modp2048", "MODP-2048", 0),
    KE(KE_MODP_3072, "modp3072", "MODP-3072", 0),
    KE(KE_MODP_4096, "modp4096", "MODP-4096", 0),
    KE(KE_MODP_6144, "modp6144", "MODP-6144", 0),
    KE(KE_MODP_8192, "modp8192", "MODP-8192", 0),
    KE(KE_MODP_1536, "modp1536", "MODP-1536", ALG_LEGACY),
    KE(KE_MODP_1024, "modp1024", "MODP-1024", ALG_LEGACY),
    /* RFC 4304, RFC 9827 */
    {.type = TRANSFORM_SN, .id = 1, .name = "esn", .title = "64-bit sequence numbers"},
    {.type = TRANSFORM_SN, .id = 0, .name = "noesn", .title = "32-bit sequence numbers"},
};

/* What strongSwan users also write. */
static const struct {
    const char *alias;
    const char *name;
} aliases[] = {
    {"aes", "aes128"},
    {"aes256gcm", "aes256gcm16"},      {"aes192gcm", "aes192gcm16"},
    {"aes128gcm", "aes128gcm16"},
    {"aes256gcm128", "aes256gcm16"},   {"aes192gcm128", "aes192gcm16"},
    {"aes128gcm128", "aes128gcm16"},   {"aes256gcm96", "aes256gcm12"},
    {"aes192gcm96", "aes192gcm12"},    {"aes128gcm96", "aes128gcm12"},
    {"aes256gcm64", "aes256gcm8"},     {"aes192gcm64", "aes192gcm8"},
    {"aes128gcm64", "aes128gcm8"},
    {"aes256ccm", "aes256ccm16"},      {"aes128ccm", "aes128ccm16"},
    {"aes256ccm128", "aes256ccm16"},   {"aes128ccm128", "aes128ccm16"},
    {"aes256ccm96", "aes256ccm12"},    {"aes128ccm96", "aes128ccm12"},
    {"aes256ccm64", "aes256ccm8"},     {"aes128ccm64", "aes128ccm8"},
    {"aesctr", "aes128ctr"},
    {"sha", "sha1"},                   {"sha2_256", "sha256"},
    {"sha2_384", "sha384"},            {"sha2_512", "sha512"},
    {"cmac", "aescmac"},               {"prfcmac", "prfaescmac"},
    {"curve25519", "x25519"},          {"curve448", "x448"},
};
/* clang-format on */

#define ALGS_COUNT (sizeof(algs) / sizeof(algs[0]))
#define ALIASES_COUNT (sizeof(aliases) / sizeof(aliases[0]))

const struct alg *alg_find(enum transform_type type, uint16_t id, uint16_t key_bits)
{
    for (size_t i = 0; i < ALGS_COUNT; i++) {
        if (algs[i].type == type && algs[i].id == id && algs[i].key_bits == key_bits) {
            return &algs[i];
        }
    }
    return NULL;
}

const struct alg *alg_find_name(struct bytes name)
{
    for (size_t i = 0; i < ALIASES_COUNT; i++) {
        if (bytes_equal(name, bytes_of_string(aliases[i].alias))) {
            name = bytes_of_string(aliases[i].name);
            break;
        }
    }
    for (size_t i = 0; i < ALGS_COUNT; i++) {
        if (bytes_equal(name, bytes_of_string(algs[i].name))) {
            return &algs[i];
        }
    }
    return NULL;
}

const struct alg *alg_at(size_t index)
{
    return index < ALGS_COUNT ? &algs[index] : NULL;
}

static const char *type_name(enum transform_type type)
{
    switch (type) {
    case TRANSFORM_ENCR:
        return "ENCR";
    case TRANSFORM_PRF:
        return "PRF";
    case TRANSFORM_INTEG:
        return "INTEG";
    case TRANSFORM_KE:
        return "KE";
    case TRANSFORM_SN:
        return "SN";
    }
    return NULL;
}

const char *alg_describe(enum transform_type type, uint16_t id, uint16_t key_bits, char *out,
                         size_t cap)
{
    const struct alg *alg = alg_find(type, id, key_bits);
    const char *word = type_name(type);
    char number[24] = "";

    if (alg != NULL) {
        (void)snprintf(out, cap, "%s", alg->name);
        return out;
    }
    if ((type == TRANSFORM_INTEG && id == AUTH_NONE) || (type == TRANSFORM_KE && id == KE_NONE)) {
        (void)snprintf(out, cap, "none");
        return out;
    }
    if (word == NULL) {
        /* The type comes from the wire, so it need not be one of ours. */
        (void)snprintf(number, sizeof(number), "type %u", (unsigned)type);
        word = number;
    }
    if (key_bits != 0) {
        (void)snprintf(out, cap, "%s %u/%u", word, id, key_bits);
    } else {
        (void)snprintf(out, cap, "%s %u", word, id);
    }
    return out;
}
