/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_CRYPTO_ALGS_H
#define GODWIT_CRYPTO_ALGS_H

#include "common/bytes.h"
#include "common/error.h"

/*
 * The one table of algorithms: everything else (proposals, ciphers, man page, trace) asks it.
 * Numbers: IANA IKEv2 parameters; status: RFC 8247 (IKE) and RFC 8221 (ESP).
 */

enum transform_type {
    TRANSFORM_ENCR = 1,
    TRANSFORM_PRF = 2,
    TRANSFORM_INTEG = 3,
    TRANSFORM_KE = 4,
    TRANSFORM_SN = 5, /* sequence numbers: 0 = 32 bit, 1 = extended (RFC 9827) */
};

enum encr_id {
    ENCR_3DES = 3,
    ENCR_AES_CBC = 12,
    ENCR_AES_CTR = 13,
    ENCR_AES_CCM_8 = 14,
    ENCR_AES_CCM_12 = 15,
    ENCR_AES_CCM_16 = 16,
    ENCR_AES_GCM_8 = 18,
    ENCR_AES_GCM_12 = 19,
    ENCR_AES_GCM_16 = 20,
    ENCR_CHACHA20_POLY1305 = 28
};
enum prf_id {
    PRF_HMAC_SHA1 = 2,
    PRF_HMAC_SHA2_256 = 5,
    PRF_HMAC_SHA2_384 = 6,
    PRF_HMAC_SHA2_512 = 7,
    PRF_AES128_CMAC = 8
};
enum integ_id {
    AUTH_NONE = 0,
    AUTH_HMAC_SHA1_96 = 2,
    AUTH_AES_CMAC_96 = 8,
    AUTH_HMAC_SHA2_256_128 = 12,
    AUTH_HMAC_SHA2_384_192 = 13,
    AUTH_HMAC_SHA2_512_256 = 14
};
enum ke_id {
    KE_NONE = 0,
    KE_MODP_1024 = 2,
    KE_MODP_1536 = 5,
    KE_MODP_2048 = 14,
    KE_MODP_3072 = 15,
    KE_MODP_4096 = 16,
    KE_MODP_6144 = 17,
    KE_MODP_8192 = 18,
    KE_ECP_256 = 19,
    KE_ECP_384 = 20,
    KE_ECP_521 = 21,
    KE_CURVE25519 = 31,
    KE_CURVE448 = 32
};

enum alg_flags {
    ALG_AEAD = 1,   /* combined mode: no separate integrity algorithm (RFC 5282) */
    ALG_LEGACY = 2, /* usable only where a profile allows legacy */
    ALG_KEYLEN = 4, /* carries the Key Length attribute */
};

struct alg {
    enum transform_type type;
    uint16_t id;
    uint16_t key_bits;    /* Key Length attribute, 0 = none */
    const char *name;     /* as users write it: "aes256gcm16", "prfsha384", "x25519" */
    const char *title;    /* as people read it: "AES-GCM-256 (16-octet ICV)" */
    unsigned flags;       /* enum alg_flags */
    uint8_t key_octets;   /* of cipher, PRF (preferred, = output) or MAC; without salt */
    uint8_t salt_octets;  /* from KEYMAT behind the key: 4 GCM, 3 CCM, 4 ChaCha20, 4 CTR nonce */
    uint8_t iv_octets;    /* on the wire */
    uint8_t icv_octets;   /* of AEAD or MAC */
    uint8_t block_octets; /* padding granularity of the cipher itself, 1 for stream modes */
};

/* The row for a negotiated transform; NULL when we do not have it. key_bits 0 = attribute absent.
 */
const struct alg *alg_find(enum transform_type type, uint16_t id, uint16_t key_bits);
/* The row for a user's name such as "aes256gcm16"; NULL when unknown. Aliases as strongSwan users
 * know them
 * ("aes256gcm128" = "aes256gcm16", "curve25519", "sha256" is an INTEG name; "prfsha256" a PRF
 * name). */
const struct alg *alg_find_name(struct bytes name);
/* All rows in the table's order; NULL past the end. For tests and documentation. */
const struct alg *alg_at(size_t index);
/* Name for a transform that may be unknown, for traces: "ENCR 1234/128". Returns out. */
const char *alg_describe(enum transform_type type, uint16_t id, uint16_t key_bits, char *out,
                         size_t cap);

/* ---- proposals (RFC 7296 3.3) ---- */
#define PROPOSAL_ALGS_MAX 40
#define PROPOSALS_MAX 8

enum protocol { PROTO_IKE = 1, PROTO_AH = 2, PROTO_ESP = 3 };

/* One proposal: every listed transform in order of preference within its type. */
struct proposal {
    enum protocol protocol;
    const struct alg *algs[PROPOSAL_ALGS_MAX];
    size_t n_algs;
};

struct proposal_list {
    struct proposal items[PROPOSALS_MAX];
    size_t n;
};

/*
 * Parses "aes256gcm16-prfsha384-x25519,aes256-sha256-modp2048" (several names of one type offer
 * alternatives; commas separate proposals). IKE: a PRF is derived from the integrity algorithm when
 * none is named; a key exchange is required. ESP: PFS group optional, "esn"/"noesn" optional
 * (default: offer both, ESN first). AEAD and non-AEAD ciphers cannot share a proposal. On failure
 * *error_at/…len name the offending word (borrowed from text) and *why is an untranslated sentence.
 */
bool proposal_parse(struct proposal_list *out, enum protocol protocol, const char *text,
                    bool legacy, struct bytes *error_at, const char **why) ERR_CHECK;
/*
 * The defaults of RFC 8247 / RFC 8221, chosen so that RRAS, iOS, strongSwan and Cisco gateways
 * accept one: a proposal of AEADs and one of CBC + HMAC, with x25519, ecp256, ecp384, modp2048,
 * modp3072...; `legacy` appends modp1024/1536, 3DES, SHA-1.
 */
void proposal_defaults(struct proposal_list *out, enum protocol protocol, bool legacy);
/* "aes256gcm16-prfsha384-x25519"; truncates; returns out. */
const char *proposal_text(const struct proposal *proposal, char *out, size_t cap);

/* A negotiated suite: one algorithm of each type. integ NULL for AEAD; ke NULL when no key
 * exchange; prf NULL for ESP. */
struct suite {
    const struct alg *encr;
    const struct alg *prf;
    const struct alg *integ;
    const struct alg *ke;
    bool esn;
};
/* "aes256gcm16-prfsha384-x25519"; returns out. */
const char *suite_text(const struct suite *suite, char *out, size_t cap);

#endif
