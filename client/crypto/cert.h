/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_CRYPTO_CERT_H
#define GODWIT_CRYPTO_CERT_H

#include <time.h>

#include "common/addr.h"
#include "common/bytes.h"
#include "common/error.h"
#include "common/gateway_facts.h"

/* X.509 through GnuTLS. Everything here takes octets; nothing opens files except
 * cert_trust_system(). */

/* ---- identities (RFC 7296 3.5) ---- */
enum id_type {
    ID_NONE = 0,
    ID_IPV4_ADDR = 1,
    ID_FQDN = 2,
    ID_RFC822_ADDR = 3,
    ID_IPV6_ADDR = 5,
    ID_DER_ASN1_DN = 9,
    ID_DER_ASN1_GN = 10,
    ID_KEY_ID = 11
};
#define ID_MAX 1024
struct id {
    enum id_type type;
    uint8_t data[ID_MAX]; /* as on the wire */
    size_t len;
};
/*
 * From a user's text: "vpn.example.org" FQDN, "a@b" RFC822, an address, "CN=x, O=y" a DN, "@#hex"
 * or "keyid:text" KEY_ID, "fqdn:", "email:", "dn:", "ipv4:", "ipv6:" force a type. Empty after the
 * prefix is refused (CVE-2026-47895's class).
 */
bool id_parse(struct id *out, const char *text) ERR_CHECK;
/* From the wire; false when too long or of wrong length for its type. */
bool id_from_wire(struct id *out, uint8_t type, struct bytes data) ERR_CHECK;
/* Printable form ("fqdn vpn.example.org" without the type: just the name); returns out. */
const char *id_text(const struct id *id, char *out, size_t cap);
/* Same type and value; FQDN and the host part of RFC822 without regard to case, DNs by comparing
 * their RDNs. */
bool id_equal(const struct id *a, const struct id *b);

/* ---- trust ---- */
struct cert_trust;
/* Every certificate of a PEM bundle or one DER; `*n` = how many. ERR_SYNTAX when there is none, or
 * a NUL in PEM. */
enum err cert_trust_from_data(struct cert_trust **out, struct bytes data, size_t *n) ERR_CHECK;
/* The octets of the bundle of authorities that the distribution keeps, for cert_trust_from_data():
 * *out is the caller's to free(). ERR_SYNTAX when there is none. */
enum err cert_trust_bundle(uint8_t **out, size_t *len) ERR_CHECK;
/* The system's store: that bundle, or what else GnuTLS was built to use. */
enum err cert_trust_system(struct cert_trust **out, size_t *n) ERR_CHECK;
void cert_trust_free(struct cert_trust *trust);
struct cert_problem {
    enum reason reason; /* REASON_NONE when all is well */
    bool unknown;       /* GATEWAY_UNTRUSTED only because no chain leads to a trusted authority */
    char detail[768];   /* a sentence with the facts: issuer DN that is missing, dates, names the
                           certificate has */
};
/*
 * What the index-th, which there must be, can vouch for at `now` by the rules of
 * cert_chain_verify(): GATEWAY_UNTRUSTED, GATEWAY_EXPIRED = nothing. *itself: it is no authority
 * and stands for the one gateway that has it.
 */
void cert_trust_check(const struct cert_trust *trust, size_t index, time_t now, bool *itself,
                      struct cert_problem *out);
/* The same of its dates alone: GATEWAY_EXPIRED, or REASON_NONE. */
void cert_trust_check_dates(const struct cert_trust *trust, size_t index, time_t now,
                            struct cert_problem *out);
/* What people tell an authority by. */
struct cert_summary {
    char subject[768];                    /* printable */
    time_t until;                         /* seconds since 1970, -1 = it cannot be read */
    uint8_t fingerprint[FINGERPRINT_LEN]; /* SHA-256 of the DER */
};
/* Of the index-th, counted from 0. False past the last, or when it has no fingerprint. */
bool cert_trust_summary(const struct cert_trust *trust, size_t index,
                        struct cert_summary *out) ERR_CHECK;
/* Concatenated SHA-1 hashes of the SubjectPublicKeyInfo of each authority, for CERTREQ (RFC
 * 7296 3.7); returns how many octets it needs, writes at most cap. Called for a pinned CA only,
 * never for the system's store (FIELD.md pain 10). */
size_t cert_trust_key_hashes(const struct cert_trust *trust, uint8_t *out, size_t cap);

/* ---- the peer's chain ---- */
#define CERT_CHAIN_MAX 16
struct cert_chain; /* end entity first, as received */
/* Parses DER certificates of CERT payloads (encoding 4), the first is the end entity; refuses more
 * than CERT_CHAIN_MAX. */
enum err cert_chain_from_der(struct cert_chain **out, const struct bytes *ders, size_t n) ERR_CHECK;
void cert_chain_free(struct cert_chain *chain);

/*
 * Chain to `trust` at `now` (seconds since 1970), with constraints, RSA >= 2048, no SHA-1/MD5
 * signatures, key usage, and extendedKeyUsage (serverAuth, ikeIntermediate, any, or none: RFC
 * 4945 5.1.3.12); reasons GATEWAY_UNTRUSTED, GATEWAY_EXPIRED.
 */
void cert_chain_verify(const struct cert_chain *chain, const struct cert_trust *trust, time_t now,
                       struct cert_problem *out);
/* The end entity has that identity: FQDN, RFC822 and address in subjectAltName (an FQDN also by a
 * one-label wildcard "*.example.org"), DN = subject. */
bool cert_chain_names(const struct cert_chain *chain, const struct id *id);
/*
 * Who the user asked for must be in the end entity; GATEWAY_IDENTITY_MISMATCH names what it has.
 * What the gateway calls itself (IDr) proves nothing beyond that, and need not be in its
 * certificate (RFC 7296 3.5): some send their address, whatever their certificate is for.
 */
void cert_chain_match_id(const struct cert_chain *chain, const struct id *wanted,
                         struct cert_problem *out);
/* The end entity's own part of cert_chain_verify(): its key, key usage and purpose. */
void cert_chain_check_end(const struct cert_chain *chain, struct cert_problem *out);
/* SHA-256 of the end entity in DER. */
bool cert_chain_fingerprint(const struct cert_chain *chain,
                            uint8_t out[static FINGERPRINT_LEN]) ERR_CHECK;
/*
 * What a person can judge the end entity by; `problem` is what cert_chain_verify() has found at
 * `now`. False when it is none that a person could put up with: a rule is broken, not only the
 * authority unknown or the end entity out of date. Who the gateway is to be, and
 * GATEWAY_OTHER_NAME, are the caller's to fill in.
 */
bool cert_chain_facts(const struct cert_chain *chain, const struct cert_problem *problem,
                      time_t now, struct gateway_facts *out) ERR_CHECK;
/* Subject DN of the end entity and others for people; returns out. */
const char *cert_chain_subject(const struct cert_chain *chain, char *out, size_t cap);

/* ---- signatures of AUTH (RFC 7296 2.15, RFC 7427, RFC 8420) ---- */
enum auth_method {
    AUTH_METHOD_RSA = 1,
    AUTH_METHOD_PSK = 2,
    AUTH_METHOD_ECDSA_256 = 9,
    AUTH_METHOD_ECDSA_384 = 10,
    AUTH_METHOD_ECDSA_521 = 11,
    AUTH_METHOD_NULL = 13,
    AUTH_METHOD_DIGITAL_SIGNATURE = 14
};
/* RFC 7427 hash algorithm numbers, as bits (1 << number). */
enum sig_hash {
    SIG_HASH_SHA1 = 1 << 1,
    SIG_HASH_SHA2_256 = 1 << 2,
    SIG_HASH_SHA2_384 = 1 << 3,
    SIG_HASH_SHA2_512 = 1 << 4,
    SIG_HASH_IDENTITY = 1 << 5
};
/*
 * Verifies Authentication Data of `method` over `octets` with the end entity's key. Method 14: the
 * AlgorithmIdentifier must be one of RFC 7427 appendix A (SHA-2 only), its parameters exact, PSS
 * salt = hash length, and its key type that of the certificate; method 1: PKCS#1 v1.5 with SHA-1
 * only if `legacy`, or SHA-2-256 as some gateways send; 9..11 curve and hash must fit. RSA
 * exponents < 65537 and moduli < 2048 bits are refused. ERR_INTEGRITY = does not verify,
 * ERR_UNSUPPORTED = method or algorithm not accepted.
 */
enum err cert_verify_auth(const struct cert_chain *chain, uint8_t method, struct bytes auth_data,
                          struct bytes octets, bool legacy) ERR_CHECK;
/* "RSASSA-PSS with SHA2-256", for traces and the summary; returns out. */
const char *cert_auth_describe(uint8_t method, struct bytes auth_data, char *out, size_t cap);

/* ---- our own certificate and key ---- */
struct cert_credential;
/*
 * `certs`: PEM (end entity first, then intermediates) or DER; `key`: PEM or DER, PKCS#8 encrypted
 * or plain, PKCS#1, SEC1. ERR_PASSWORD when `password` is missing (len 0) or wrong; ERR_KEY when
 * key and certificate do not belong together; ERR_SYNTAX for garbage.
 */
enum err cert_credential_new(struct cert_credential **out, struct bytes certs, struct bytes key,
                             struct bytes password) ERR_CHECK;
void cert_credential_free(struct cert_credential *credential);
/* The i-th certificate in DER, borrowed; empty past the end. */
struct bytes cert_credential_der(const struct cert_credential *credential, size_t index);
/* Best identity: subjectAltName's first FQDN or RFC822, else the subject DN. */
bool cert_credential_id(const struct cert_credential *credential, struct id *out) ERR_CHECK;
/*
 * Signs `octets`. `peer_hashes` = what SIGNATURE_HASH_ALGORITHMS announced (enum sig_hash bits; 0 =
 * no RFC 7427: then method 1 for RSA with SHA-1 only when `legacy`, 9..11 for ECDSA). RSA prefers
 * PSS when `rsa_pss`, hash strength follows the key. Writes the auth method and the Authentication
 * Data; ERR_SPACE, ERR_UNSUPPORTED when peer and key have nothing in common.
 */
enum err cert_sign_auth(const struct cert_credential *credential, unsigned peer_hashes,
                        bool rsa_pss, bool legacy, struct bytes octets, uint8_t *method,
                        uint8_t *out, size_t cap, size_t *len) ERR_CHECK;

/* ---- a certificate whose key is elsewhere, on a token ---- */
/*
 * `certs`: each PEM or DER. `public_key`: SubjectPublicKeyInfo of the key in DER, or empty when it
 * is not known; then the first certificate is ours. ERR_KEY when no certificate is the key's.
 */
enum err cert_credential_elsewhere(struct cert_credential **out, const struct bytes *certs,
                                   size_t n, struct bytes public_key) ERR_CHECK;
bool cert_credential_is_elsewhere(const struct cert_credential *credential);
/* What the key is to make: cert_sign_auth() in parts, with the signing between them. */
struct cert_signing {
    uint8_t method;    /* enum auth_method */
    uint8_t algorithm; /* gnutls_sign_algorithm_t */
};
enum err cert_sign_choose(const struct cert_credential *credential, unsigned peer_hashes,
                          bool rsa_pss, bool legacy, struct cert_signing *out) ERR_CHECK;
/* For whoever signs: false when it is none of the algorithms that are chosen here; *flags for
 * gnutls_privkey_sign_data2(). */
bool cert_signing_flags(uint8_t algorithm, unsigned *flags);
/* Authentication Data from the signature as GnuTLS makes it. ERR_INTEGRITY when it does not verify
 * with our certificate. */
enum err cert_sign_finish(const struct cert_credential *credential,
                          const struct cert_signing *signing, struct bytes octets,
                          struct bytes signature, uint8_t *out, size_t cap, size_t *len) ERR_CHECK;

#endif
