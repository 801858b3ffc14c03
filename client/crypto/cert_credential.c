/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <limits.h>
#include <stdlib.h>

#include "common/secret.h"
#include "crypto/cert_internal.h"

/* Our own certificate and private key. */

#define RSA_BITS_MIN 2048

static bool contains(struct bytes data, const char *word)
{
    size_t len = strlen(word);

    for (size_t i = 0; i + len <= data.len; i++) {
        if (memcmp(data.data + i, word, len) == 0) {
            return true;
        }
    }
    return false;
}

static bool is_encrypted(const gnutls_datum_t *data, gnutls_x509_crt_fmt_t format)
{
    unsigned schema = 0;

    if (format == GNUTLS_X509_FMT_PEM) {
        struct bytes text = bytes_of(data->data, data->size);

        return contains(text, "BEGIN ENCRYPTED PRIVATE KEY") ||
               contains(text, "Proc-Type: 4,ENCRYPTED");
    }
    /* INVALID_REQUEST is the library's word for "this structure is not encrypted". */
    return gnutls_pkcs8_info(data, format, &schema, NULL, NULL, NULL, NULL, NULL) >= 0;
}

static enum err key_decrypt(gnutls_x509_privkey_t key, const gnutls_datum_t *data,
                            gnutls_x509_crt_fmt_t format, struct bytes password)
{
    struct secret text = {0};
    int code;

    if (password.len == 0 || memchr(password.data, '\0', password.len) != NULL) {
        return ERR_PASSWORD;
    }
    if (!secret_alloc(&text, password.len + 1)) {
        return ERR_MEMORY;
    }
    memcpy(text.data, password.data, password.len);
    code = gnutls_x509_privkey_import2(key, data, format, (const char *)text.data, 0);
    secret_free(&text);
    switch (code) {
    case GNUTLS_E_UNKNOWN_CIPHER_TYPE:
    case GNUTLS_E_UNKNOWN_PK_ALGORITHM:
    case GNUTLS_E_ECC_UNSUPPORTED_CURVE:
        return ERR_UNSUPPORTED;
    default:
        /* A wrong password shows as a bad padding or, one time in 256, as garbage inside. */
        return cert_err(code, ERR_PASSWORD);
    }
}

static enum err key_import(gnutls_x509_privkey_t key, struct bytes file, struct bytes password)
{
    gnutls_datum_t data = {.data = (unsigned char *)(uintptr_t)file.data,
                           .size = (unsigned)file.len};
    gnutls_x509_crt_fmt_t format =
        file.len > 0 && file.data[0] == 0x30 ? GNUTLS_X509_FMT_DER : GNUTLS_X509_FMT_PEM;
    int code;

    if (file.len == 0 || file.len > INT_MAX) {
        return ERR_SYNTAX;
    }
    if (is_encrypted(&data, format)) {
        return key_decrypt(key, &data, format, password);
    }
    code = gnutls_x509_privkey_import2(key, &data, format, NULL, GNUTLS_PKCS_PLAIN);
    if (code == GNUTLS_E_UNKNOWN_PK_ALGORITHM || code == GNUTLS_E_ECC_UNSUPPORTED_CURVE) {
        return ERR_UNSUPPORTED;
    }
    return cert_err(code, ERR_SYNTAX);
}

static bool is_supported(const struct cert_credential *credential)
{
    switch ((int)credential->algorithm) {
    case GNUTLS_PK_RSA:
    case GNUTLS_PK_RSA_PSS:
        return credential->bits >= RSA_BITS_MIN;
    case GNUTLS_PK_ECDSA:
        return credential->bits >= 256;
    case GNUTLS_PK_EDDSA_ED25519:
    case GNUTLS_PK_EDDSA_ED448:
        return true;
    default:
        return false;
    }
}

#define KEY_ID_LEN 32

static bool belong_together(gnutls_x509_crt_t cert, const uint8_t of_key[static KEY_ID_LEN])
{
    uint8_t of_cert[KEY_ID_LEN];
    size_t len = sizeof(of_cert);

    return gnutls_x509_crt_get_key_id(cert, GNUTLS_KEYID_USE_SHA256, of_cert, &len) >= 0 &&
           bytes_equal(bytes_of(of_cert, len), bytes_of(of_key, KEY_ID_LEN));
}

/* Files that begin with the authority are common: the certificate of the key goes first, the others
 * keep their order. */
static enum err put_own_first(struct cert_credential *credential,
                              const uint8_t of_key[static KEY_ID_LEN])
{
    for (unsigned i = 0; i < credential->n; i++) {
        gnutls_x509_crt_t own = credential->certs[i];

        if (belong_together(own, of_key)) {
            memmove(credential->certs + 1, credential->certs, i * sizeof(*credential->certs));
            credential->certs[0] = own;
            return OK;
        }
    }
    return ERR_KEY;
}

static enum err ders_export(struct cert_credential *credential)
{
    credential->ders = calloc(credential->n, sizeof(*credential->ders));
    if (credential->ders == NULL) {
        return ERR_MEMORY;
    }
    for (unsigned i = 0; i < credential->n; i++) {
        enum err err = cert_err(gnutls_x509_crt_export2(credential->certs[i], GNUTLS_X509_FMT_DER,
                                                        &credential->ders[i]),
                                ERR_CRYPTO);

        if (err != OK) {
            return err;
        }
    }
    return OK;
}

static enum err load(struct cert_credential *credential, gnutls_x509_privkey_t key,
                     struct bytes certs, struct bytes key_file, struct bytes password)
{
    enum err err = cert_list_import(certs, &credential->certs, &credential->n);
    uint8_t of_key[KEY_ID_LEN];
    size_t len = sizeof(of_key);

    if (err == OK) {
        err = key_import(key, key_file, password);
    }
    if (err == OK) {
        err = cert_err(gnutls_x509_privkey_get_key_id(key, GNUTLS_KEYID_USE_SHA256, of_key, &len),
                       ERR_CRYPTO);
    }
    if (err == OK) {
        err = put_own_first(credential, of_key);
    }
    if (err == OK) {
        err = ders_export(credential);
    }
    if (err == OK) {
        err = cert_err(gnutls_privkey_init(&credential->key), ERR_CRYPTO);
    }
    if (err == OK) {
        err = cert_err(gnutls_privkey_import_x509(credential->key, key, GNUTLS_PRIVKEY_IMPORT_COPY),
                       ERR_CRYPTO);
    }
    if (err == OK) {
        credential->algorithm = (gnutls_pk_algorithm_t)gnutls_privkey_get_pk_algorithm(
            credential->key, &credential->bits);
        err = is_supported(credential) ? OK : ERR_UNSUPPORTED;
    }
    return err;
}

enum err cert_credential_new(struct cert_credential **out, struct bytes certs, struct bytes key,
                             struct bytes password)
{
    struct cert_credential *credential = calloc(1, sizeof(*credential));
    gnutls_x509_privkey_t parsed = NULL;
    enum err err = ERR_MEMORY;

    *out = NULL;
    if (credential != NULL && gnutls_x509_privkey_init(&parsed) >= 0) {
        err = load(credential, parsed, certs, key, password);
        gnutls_x509_privkey_deinit(parsed);
    }
    if (err != OK) {
        cert_credential_free(credential);
        return err;
    }
    *out = credential;
    return OK;
}

/* ---- elsewhere ---- */

/* Puts the certificates of one PEM or DER behind those that are there. */
static enum err append(struct cert_credential *credential, struct bytes data)
{
    gnutls_x509_crt_t *more = NULL;
    gnutls_x509_crt_t *all;
    unsigned n = 0;
    enum err err = cert_list_import(data, &more, &n);

    if (err != OK) {
        return err;
    }
    all = gnutls_realloc(credential->certs, (credential->n + n) * sizeof(*all));
    if (all == NULL) {
        cert_list_free(more, n);
        return ERR_MEMORY;
    }
    memcpy(all + credential->n, more, n * sizeof(*all));
    gnutls_free(more);
    credential->certs = all;
    credential->n += n;
    return OK;
}

static enum err own_first_by_public_key(struct cert_credential *credential, struct bytes spki)
{
    const gnutls_datum_t der = {.data = (unsigned char *)(uintptr_t)spki.data,
                                .size = (unsigned)spki.len};
    uint8_t of_key[KEY_ID_LEN];
    size_t len = sizeof(of_key);
    gnutls_pubkey_t key;
    enum err err = cert_err(gnutls_pubkey_init(&key), ERR_MEMORY);

    if (err != OK) {
        return err;
    }
    if (gnutls_pubkey_import(key, &der, GNUTLS_X509_FMT_DER) < 0 ||
        gnutls_pubkey_get_key_id(key, GNUTLS_KEYID_USE_SHA256, of_key, &len) < 0) {
        err = ERR_SYNTAX;
    } else {
        err = put_own_first(credential, of_key);
    }
    gnutls_pubkey_deinit(key);
    return err;
}

static enum err load_elsewhere(struct cert_credential *credential, const struct bytes *certs,
                               size_t n, struct bytes public_key)
{
    enum err err = n > 0 ? OK : ERR_SYNTAX;

    for (size_t i = 0; i < n && err == OK; i++) {
        err = append(credential, certs[i]);
    }
    if (err == OK && public_key.len > 0) {
        err = own_first_by_public_key(credential, public_key);
    }
    if (err == OK) {
        err = ders_export(credential);
    }
    if (err == OK) {
        credential->algorithm = (gnutls_pk_algorithm_t)gnutls_x509_crt_get_pk_algorithm(
            credential->certs[0], &credential->bits);
        err = is_supported(credential) ? OK : ERR_UNSUPPORTED;
    }
    return err;
}

enum err cert_credential_elsewhere(struct cert_credential **out, const struct bytes *certs,
                                   size_t n, struct bytes public_key)
{
    struct cert_credential *credential = calloc(1, sizeof(*credential));
    enum err err =
        credential == NULL ? ERR_MEMORY : load_elsewhere(credential, certs, n, public_key);

    if (err != OK) {
        cert_credential_free(credential);
        credential = NULL;
    }
    *out = credential;
    return err;
}

bool cert_credential_is_elsewhere(const struct cert_credential *credential)
{
    return credential->key == NULL;
}

void cert_credential_free(struct cert_credential *credential)
{
    if (credential == NULL) {
        return;
    }
    for (unsigned i = 0; i < credential->n && credential->ders != NULL; i++) {
        gnutls_free(credential->ders[i].data);
    }
    free(credential->ders);
    cert_list_free(credential->certs, credential->n);
    if (credential->key != NULL) {
        gnutls_privkey_deinit(credential->key);
    }
    free(credential);
}

struct bytes cert_credential_der(const struct cert_credential *credential, size_t index)
{
    if (index >= credential->n) {
        return (struct bytes){0};
    }
    return bytes_of(credential->ders[index].data, credential->ders[index].size);
}

bool cert_credential_id(const struct cert_credential *credential, struct id *out)
{
    gnutls_datum_t subject;
    bool ok;

    for (unsigned i = 0; cert_alt_name(credential->certs[0], i, out); i++) {
        if (out->type == ID_FQDN || out->type == ID_RFC822_ADDR) {
            return true;
        }
    }
    *out = (struct id){0};
    if (gnutls_x509_crt_get_raw_dn(credential->certs[0], &subject) < 0) {
        return false;
    }
    /* An empty SEQUENCE is no name. */
    ok =
        subject.size > 2 && id_from_wire(out, ID_DER_ASN1_DN, bytes_of(subject.data, subject.size));
    gnutls_free(subject.data);
    return ok;
}
