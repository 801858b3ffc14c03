/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "token/token.h"

#include <gnutls/abstract.h>
#include <gnutls/pkcs11.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/i18n.h"
#include "common/pkcs11_uri.h"
#include "common/secret.h"
#include "crypto/cert.h"

#define URI_ROOM (PKCS11_URI_MAX + 32)
#define TEXT_MAX 256
#define CERTS_MAX (TOKEN_PARTS_MAX - 1)
#define CHOICES_MAX (TOKEN_PARTS_MAX / TOKEN_CHOICE_PARTS)

struct token {
    struct token_asker asker;
    char key_uri[URI_ROOM];
    char label[TEXT_MAX]; /* of the token that was opened last */
    char pin[GNUTLS_PKCS11_MAX_PIN_LEN];
    bool have_pin, cancelled;
    gnutls_privkey_t key;
    /* What the last answer points to. */
    gnutls_datum_t certs[CERTS_MAX], public_key, signature;
    size_t n_certs;
    char texts[TOKEN_PARTS_MAX][TEXT_MAX];
    char uris[CHOICES_MAX][URI_ROOM];
};

/* ---- PIN ---- */

static void forget_pin(struct token *token)
{
    secret_wipe(token->pin, sizeof token->pin);
    token->have_pin = false;
}

/* A PIN that was right is used again: keys may want it for each signature, and a token that was
 * taken out has forgotten it. */
static int on_pin(void *context, int attempt, const char *url, const char *label, unsigned flags,
                  char *pin, size_t pin_max)
{
    struct token *token = context;
    bool wrong = attempt > 0 || (flags & GNUTLS_PIN_WRONG) != 0;
    unsigned bits = (wrong ? TOKEN_PIN_WRONG : 0U) |
                    ((flags & GNUTLS_PIN_COUNT_LOW) != 0 ? TOKEN_PIN_LOW : 0U) |
                    ((flags & GNUTLS_PIN_FINAL_TRY) != 0 ? TOKEN_PIN_FINAL : 0U);

    (void)url;
    if (wrong) {
        forget_pin(token);
    }
    if (!token->have_pin && !token->cancelled) {
        token->have_pin = token->asker.ask(token->asker.context, label, (uint8_t)bits, token->pin,
                                           sizeof token->pin - 1);
        token->cancelled = !token->have_pin;
    }
    if (!token->have_pin || strlen(token->pin) >= pin_max) {
        return -1;
    }
    (void)strcpy(pin, token->pin);
    return 0;
}

/* ---- answers ---- */

static void clear(struct token *token)
{
    for (size_t i = 0; i < token->n_certs; i++) {
        gnutls_free(token->certs[i].data);
    }
    token->n_certs = 0;
    gnutls_free(token->public_key.data);
    gnutls_free(token->signature.data);
    token->public_key = token->signature = (gnutls_datum_t){0};
    token->cancelled = false;
}

static struct bytes octets_of(const gnutls_datum_t *datum)
{
    return bytes_of(datum->data, datum->size);
}

static void fail(struct token *token, enum token_failure failure, const char *text,
                 struct token_message *answer)
{
    size_t len = strnlen(text, TEXT_MAX - 1);

    memmove(token->texts[0], text, len);
    token->texts[0][len] = '\0';
    *answer = (struct token_message){
        .kind = TOKEN_FAILED,
        .code = (uint8_t)failure,
        .n = 1,
        .parts = {bytes_of(token->texts[0], len)},
    };
}

/* ---- tokens ---- */

bool token_label(const char *uri, char *out, size_t cap)
{
    unsigned flags = 0;
    size_t len = cap - 1;

    memset(out, 0, cap);
    return gnutls_pkcs11_token_get_flags(uri, &flags) >= 0 &&
           (flags & GNUTLS_PKCS11_TOKEN_TRUSTED) == 0 &&
           (flags & GNUTLS_PKCS11_TOKEN_INITIALIZED) != 0 &&
           gnutls_pkcs11_token_get_info(uri, GNUTLS_PKCS11_TOKEN_LABEL, out, &len) >= 0;
}

static void fail_without_token(struct token *token, struct token_message *answer)
{
    char *url;

    *answer = (struct token_message){.kind = TOKEN_FAILED, .code = TOKEN_FAILED_NO_TOKEN};
    for (unsigned i = 0; answer->n < TOKEN_PARTS_MAX &&
                         gnutls_pkcs11_token_get_url(i, GNUTLS_PKCS11_URL_GENERIC, &url) >= 0;
         i++) {
        if (token_label(url, token->texts[answer->n], TEXT_MAX)) {
            answer->parts[answer->n] = bytes_of_string(token->texts[answer->n]);
            answer->n++;
        }
        gnutls_free(url);
    }
}

/* False when it is not there, or takes no PIN; *answer says so. */
static bool find(struct token *token, const char *uri, struct token_message *answer)
{
    unsigned flags = 0;

    if (gnutls_pkcs11_token_get_flags(uri, &flags) < 0 ||
        !token_label(uri, token->label, sizeof token->label)) {
        fail_without_token(token, answer);
        return false;
    }
    if ((flags & GNUTLS_PKCS11_TOKEN_USER_PIN_LOCKED) != 0) {
        fail(token, TOKEN_FAILED_PIN_LOCKED, token->label, answer);
        return false;
    }
    if ((flags & GNUTLS_PKCS11_TOKEN_PROTECTED_AUTHENTICATION_PATH) != 0) {
        token->asker.pinpad(token->asker.context, token->label);
    }
    return true;
}

static bool is_there(const char *uri)
{
    unsigned flags;

    return gnutls_pkcs11_token_get_flags(uri, &flags) >= 0;
}

static bool is_locked(const char *uri)
{
    unsigned flags = 0;

    return gnutls_pkcs11_token_get_flags(uri, &flags) >= 0 &&
           (flags & GNUTLS_PKCS11_TOKEN_USER_PIN_LOCKED) != 0;
}

/* `missing`: what it means that an object is not there. */
static void fail_by_code(struct token *token, const char *uri, int code, enum token_failure missing,
                         struct token_message *answer)
{
    enum token_failure failure = TOKEN_FAILED_OTHER;

    switch (code) {
    case GNUTLS_E_PKCS11_REQUESTED_OBJECT_NOT_AVAILBLE:
    case GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE:
        failure = missing;
        break;
    case GNUTLS_E_PKCS11_PIN_ERROR:
        failure = TOKEN_FAILED_PIN_WRONG;
        break;
    case GNUTLS_E_PKCS11_PIN_EXPIRED:
        failure = TOKEN_FAILED_PIN_EXPIRED;
        break;
    case GNUTLS_E_PKCS11_PIN_LOCKED:
        failure = TOKEN_FAILED_PIN_LOCKED;
        break;
    case GNUTLS_E_PKCS11_UNSUPPORTED_FEATURE_ERROR:
    case GNUTLS_E_UNSUPPORTED_SIGNATURE_ALGORITHM:
    case GNUTLS_E_INCOMPATIBLE_SIG_WITH_KEY:
    case GNUTLS_E_UNIMPLEMENTED_FEATURE:
    case GNUTLS_E_CONSTRAINT_ERROR:
        failure = TOKEN_FAILED_UNSUPPORTED;
        break;
    default:
        break;
    }
    if (token->cancelled) {
        failure = TOKEN_FAILED_PIN_CANCELLED;
    }
    if (is_locked(uri)) {
        failure = TOKEN_FAILED_PIN_LOCKED;
    }
    if (!is_there(uri)) {
        failure = TOKEN_FAILED_GONE;
    }
    fail(token, failure, failure == TOKEN_FAILED_OTHER ? gnutls_strerror(code) : token->label,
         answer);
}

/* ---- opening ---- */

/* `uri` without its type and these attributes, but of this type. */
static bool retyped(struct bytes uri, const char *const *without, const char *type,
                    char out[static URI_ROOM])
{
    if (!pkcs11_uri_without(uri, without, out, PKCS11_URI_MAX + 1)) {
        return false;
    }
    (void)strcat(strcat(out, ";type="), type);
    return true;
}

/* ---- several that fit ---- */

/* Whose it is, by whom and until when; false for an authority's. */
static bool describe(gnutls_pkcs11_obj_t object, char title[static TEXT_MAX],
                     char detail[static TEXT_MAX])
{
    gnutls_x509_crt_t cert;
    char issuer[TEXT_MAX / 2] = "", until[32] = "";
    size_t title_len = TEXT_MAX, issuer_len = sizeof issuer;
    struct tm parts;
    time_t end;
    bool own;

    if (gnutls_x509_crt_init(&cert) < 0) {
        return false;
    }
    own = gnutls_x509_crt_import_pkcs11(cert, object) >= 0 &&
          gnutls_x509_crt_get_ca_status(cert, NULL) <= 0;
    if (own) {
        if (gnutls_x509_crt_get_dn(cert, title, &title_len) < 0) {
            title[0] = '\0';
        }
        if (gnutls_x509_crt_get_issuer_dn(cert, issuer, &issuer_len) < 0) {
            issuer[0] = '\0';
        }
        end = gnutls_x509_crt_get_expiration_time(cert);
        if (gmtime_r(&end, &parts) != NULL) {
            (void)strftime(until, sizeof until, "%Y-%m-%d", &parts);
        }
        (void)snprintf(detail, TEXT_MAX, _("issued by %s, until %s"), issuer, until);
    }
    gnutls_x509_crt_deinit(cert);
    return own;
}

/* The object becomes one of the n choices, unless it is one already or cannot be. */
static size_t add_choice(struct token *token, gnutls_pkcs11_obj_t object, size_t n)
{
    static const char *const type[] = {"type", NULL};
    char *whole = NULL;
    struct bytes at;
    bool good =
        n < CHOICES_MAX &&
        gnutls_pkcs11_obj_export_url(object, GNUTLS_PKCS11_URL_GENERIC, &whole) >= 0 &&
        pkcs11_uri_without(bytes_of_string(whole), type, token->uris[n], PKCS11_URI_MAX + 1) &&
        pkcs11_uri_check(bytes_of_string(token->uris[n]), true, &at) == NULL &&
        describe(object, token->texts[2 * n], token->texts[2 * n + 1]);

    for (size_t i = 0; good && i < n; i++) {
        good = strcmp(token->uris[i], token->uris[n]) != 0;
    }
    gnutls_free(whole);
    return n + good;
}

/* How many there are for people to choose from; their URIs are in the token then. *answer asks. */
static size_t list_choices(struct token *token, const char *uri, struct token_message *answer)
{
    gnutls_pkcs11_obj_t *objects = NULL;
    unsigned n_objects = 0;
    size_t n = 0;

    if (gnutls_pkcs11_obj_list_import_url4(&objects, &n_objects, uri, GNUTLS_PKCS11_OBJ_FLAG_CRT) <
        0) {
        return 0;
    }
    for (unsigned i = 0; i < n_objects; i++) {
        n = add_choice(token, objects[i], n);
        gnutls_pkcs11_obj_deinit(objects[i]);
    }
    gnutls_free(objects);
    *answer = (struct token_message){.kind = TOKEN_CHOICES, .n = n * TOKEN_CHOICE_PARTS};
    for (size_t i = 0; i < n; i++) {
        answer->parts[TOKEN_CHOICE_PARTS * i] = bytes_of_string(token->uris[i]);
        answer->parts[TOKEN_CHOICE_PARTS * i + 1] = bytes_of_string(token->texts[2 * i]);
        answer->parts[TOKEN_CHOICE_PARTS * i + 2] = bytes_of_string(token->texts[2 * i + 1]);
    }
    return n;
}

/* ---- one ---- */

static int import_object(struct token *token, const char *uri, gnutls_pkcs11_obj_t *out)
{
    int code = gnutls_pkcs11_obj_init(out);

    if (code < 0) {
        *out = NULL;
        return code;
    }
    gnutls_pkcs11_obj_set_pin_function(*out, on_pin, token);
    code = gnutls_pkcs11_obj_import_url(*out, uri, GNUTLS_PKCS11_OBJ_FLAG_CRT);
    if (code == GNUTLS_E_PKCS11_REQUESTED_OBJECT_NOT_AVAILBLE ||
        code == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE) {
        /* It may show itself to its owner only. */
        code = gnutls_pkcs11_obj_import_url(
            *out, uri, GNUTLS_PKCS11_OBJ_FLAG_CRT | GNUTLS_PKCS11_OBJ_FLAG_LOGIN);
    }
    return code;
}

/* Those above it that the token has, but for a root: the gateway has that. */
static void add_issuers(struct token *token, const char *token_uri)
{
    gnutls_x509_crt_t cert;
    bool more = true;

    while (more && token->n_certs < CERTS_MAX) {
        gnutls_datum_t *issuer = &token->certs[token->n_certs];

        if (gnutls_x509_crt_init(&cert) < 0) {
            return;
        }
        more = gnutls_x509_crt_import(cert, &token->certs[token->n_certs - 1],
                                      GNUTLS_X509_FMT_DER) >= 0 &&
               gnutls_x509_crt_check_issuer(cert, cert) == 0 &&
               gnutls_pkcs11_get_raw_issuer(token_uri, cert, issuer, GNUTLS_X509_FMT_DER,
                                            GNUTLS_PKCS11_OBJ_FLAG_RETRIEVE_ANY) >= 0;
        gnutls_x509_crt_deinit(cert);
        token->n_certs += more;
    }
}

static void drop_root(struct token *token)
{
    gnutls_datum_t *last = &token->certs[token->n_certs - 1];
    gnutls_x509_crt_t cert;

    if (token->n_certs < 2 || gnutls_x509_crt_init(&cert) < 0) {
        return;
    }
    if (gnutls_x509_crt_import(cert, last, GNUTLS_X509_FMT_DER) >= 0 &&
        gnutls_x509_crt_check_issuer(cert, cert) != 0) {
        gnutls_free(last->data);
        token->n_certs--;
    }
    gnutls_x509_crt_deinit(cert);
}

/* The certificate with those above it; the URI of its private key, which is beside it under the
 * same ID, when there is none yet. */
static bool open_certificate(struct token *token, struct bytes certificate,
                             struct token_message *answer)
{
    static const char *const type[] = {"type", NULL};
    static const char *const object[] = {"type", "object", NULL};
    static const char *const all[] = {"type", "object", "id", NULL};
    char uri[URI_ROOM], token_uri[URI_ROOM];
    gnutls_pkcs11_obj_t found = NULL;
    char *exported = NULL;
    bool opened = false;
    size_t n;
    int code;

    if (!retyped(certificate, type, "cert", uri) ||
        !pkcs11_uri_without(certificate, all, token_uri, sizeof token_uri)) {
        fail(token, TOKEN_FAILED_OTHER, gnutls_strerror(GNUTLS_E_PARSING_ERROR), answer);
        return false;
    }
    if (!find(token, uri, answer)) {
        return false;
    }
    n = list_choices(token, uri, answer);
    if (n > 1) {
        return false;
    }
    if (n == 1 && !retyped(bytes_of_string(token->uris[0]), type, "cert", uri)) {
        fail(token, TOKEN_FAILED_OTHER, gnutls_strerror(GNUTLS_E_PARSING_ERROR), answer);
        return false;
    }
    code = import_object(token, uri, &found);
    if (code >= 0) {
        code = gnutls_pkcs11_obj_export2(found, &token->certs[0]);
    }
    if (code >= 0) {
        token->n_certs = 1;
        code = gnutls_pkcs11_obj_export_url(found, GNUTLS_PKCS11_URL_GENERIC, &exported);
    }
    if (code >= 0) {
        add_issuers(token, token_uri);
        drop_root(token);
        opened = token->key_uri[0] != '\0' ||
                 retyped(bytes_of_string(exported), object, "private", token->key_uri);
    }
    if (!opened) {
        fail_by_code(token, uri, code, TOKEN_FAILED_NO_CERTIFICATE, answer);
    }
    gnutls_free(exported);
    if (found != NULL) {
        gnutls_pkcs11_obj_deinit(found);
    }
    return opened;
}

static int import_key(struct token *token)
{
    int code;

    if (token->key != NULL) {
        gnutls_privkey_deinit(token->key);
        token->key = NULL;
    }
    code = gnutls_privkey_init(&token->key);
    if (code < 0) {
        token->key = NULL;
        return code;
    }
    gnutls_privkey_set_pin_function(token->key, on_pin, token);
    return gnutls_privkey_import_url(token->key, token->key_uri, GNUTLS_PKCS11_OBJ_FLAG_LOGIN);
}

static void read_public_key(struct token *token)
{
    gnutls_pubkey_t public_key;

    if (gnutls_pubkey_init(&public_key) < 0) {
        return;
    }
    if (gnutls_pubkey_import_privkey(public_key, token->key, 0, 0) < 0 ||
        gnutls_pubkey_export2(public_key, GNUTLS_X509_FMT_DER, &token->public_key) < 0) {
        token->public_key = (gnutls_datum_t){0};
    }
    gnutls_pubkey_deinit(public_key);
}

static bool open_key(struct token *token, struct token_message *answer)
{
    int code;

    if (!find(token, token->key_uri, answer)) {
        return false;
    }
    code = import_key(token);
    if (code < 0) {
        fail_by_code(token, token->key_uri, code, TOKEN_FAILED_NO_KEY, answer);
        return false;
    }
    read_public_key(token);
    return true;
}

void token_open(struct token *token, struct bytes certificate, struct bytes key,
                struct token_message *answer)
{
    static const char *const type[] = {"type", NULL};

    clear(token);
    token->key_uri[0] = '\0';
    if ((key.len > 0 && !retyped(key, type, "private", token->key_uri)) ||
        (certificate.len > 0 && !open_certificate(token, certificate, answer)) ||
        !open_key(token, answer)) {
        return;
    }
    *answer = (struct token_message){
        .kind = TOKEN_OPENED, .n = 1 + token->n_certs, .parts = {octets_of(&token->public_key)}};
    for (size_t i = 0; i < token->n_certs; i++) {
        answer->parts[1 + i] = octets_of(&token->certs[i]);
    }
}

/* ---- signing ---- */

static int sign(struct token *token, gnutls_sign_algorithm_t algorithm, unsigned flags,
                const gnutls_datum_t *data)
{
    return token->key == NULL
               ? GNUTLS_E_PKCS11_SESSION_ERROR
               : gnutls_privkey_sign_data2(token->key, algorithm, flags, data, &token->signature);
}

/* A token that was taken out and put in again does not know the object's handle any more. */
static bool worth_another_try(const struct token *token, int code)
{
    return !token->cancelled &&
           (code == GNUTLS_E_PKCS11_SESSION_ERROR || code == GNUTLS_E_PKCS11_DEVICE_ERROR ||
            code == GNUTLS_E_PKCS11_TOKEN_ERROR || code == GNUTLS_E_PKCS11_USER_ERROR ||
            code == GNUTLS_E_PKCS11_KEY_ERROR || code == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE ||
            code == GNUTLS_E_PKCS11_REQUESTED_OBJECT_NOT_AVAILBLE) &&
           is_there(token->key_uri);
}

void token_sign(struct token *token, uint8_t algorithm, struct bytes octets,
                struct token_message *answer)
{
    const gnutls_datum_t data = {.data = (unsigned char *)(uintptr_t)octets.data,
                                 .size = (unsigned)octets.len};
    gnutls_sign_algorithm_t chosen = (gnutls_sign_algorithm_t)algorithm;
    unsigned flags;
    int code;

    clear(token);
    if (!cert_signing_flags(algorithm, &flags)) {
        fail(token, TOKEN_FAILED_UNSUPPORTED, token->label, answer);
        return;
    }
    code = sign(token, chosen, flags, &data);
    if (code < 0 && worth_another_try(token, code)) {
        code = import_key(token);
        code = code < 0 ? code : sign(token, chosen, flags, &data);
    }
    if (code < 0) {
        fail_by_code(token, token->key_uri, code, TOKEN_FAILED_NO_KEY, answer);
        return;
    }
    *answer = (struct token_message){
        .kind = TOKEN_SIGNED, .n = 1, .parts = {octets_of(&token->signature)}};
}

/* ---- life ---- */

struct token *token_new(const struct token_asker *asker)
{
    struct token *token = calloc(1, sizeof *token);

    if (token != NULL) {
        token->asker = *asker;
        /* One module of several that cannot be loaded is no failure of the others. */
        (void)gnutls_pkcs11_init(GNUTLS_PKCS11_FLAG_AUTO, NULL);
        gnutls_pkcs11_set_pin_function(on_pin, token);
    }
    return token;
}

void token_free(struct token *token)
{
    if (token == NULL) {
        return;
    }
    clear(token);
    if (token->key != NULL) {
        gnutls_privkey_deinit(token->key);
    }
    gnutls_pkcs11_deinit();
    forget_pin(token);
    free(token);
}
