/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/boottime.h"
#include "common/i18n.h"
#include "common/log.h"
#include "common/pkcs11_uri.h"
#include "tunnel/tunnel_private.h"

/*
 * The certificate's private key is on a token, and the PIN is the profile's private-key-password. A
 * wrong one brings the token nearer to its lock: none is tried twice, and the last try is always
 * the user's own.
 */

#define PIN_KEY "private-key-password"
/* Milliseconds. Cards take a second at most; keys to be touched wait for half a minute. */
#define PATIENCE 60000
#define TOUCH 1500
#define CHOICE_TEXT_MAX 256

/* ---- the token is there ---- */

static void cannot_use(struct tunnel *t, enum err err)
{
    const char *sentence;
    enum reason reason = worker_config_no_credential(err, &sentence);

    tunnel_end(t, reason, sentence);
}

/* Whatever worker comes after this one needs not ask for it. */
static void keep_pin(struct tunnel *t)
{
    struct token_key *key = &t->token_key;

    if (key->given.len > 0) {
        (void)profile_set_bytes(t->config.profile, PIN_KEY, secret_bytes(&key->given), NULL);
        secret_free(&key->given);
    }
}

static void on_opened(void *context, struct bytes public_key, const struct bytes *certs, gsize n)
{
    struct tunnel *t = context;
    struct bytes file = profile_get_bytes(t->config.profile, "certificate");
    gboolean on_token = profile_is_on_token(t->config.profile, "certificate");
    enum err err = cert_credential_elsewhere(&t->config.credential, on_token ? certs : &file,
                                             on_token ? n : 1, public_key);

    keep_pin(t);
    if (err != OK) {
        cannot_use(t, err);
    } else {
        tunnel_configure(t);
    }
}

static void on_signature(void *context, struct bytes signature)
{
    struct tunnel *t = context;

    keep_pin(t);
    if (t->next != NULL && t->next->ike != NULL) {
        ike_provide_signature(t->next->ike, signature, REASON_TOKEN_FAILED, "", boottime_now());
        loop_run(t);
    }
}

static void open_it(struct tunnel *t)
{
    const struct profile *profile = t->config.profile;
    struct bytes certificate = profile_get_bytes(profile, "certificate");

    if (!profile_is_on_token(profile, "certificate")) {
        certificate = (struct bytes){0};
    }
    signer_open(t->token_key.signer, certificate, profile_get_bytes(profile, "private-key"));
}

/* ---- PIN ---- */

static void give(struct tunnel *t, struct bytes pin)
{
    struct token_key *key = &t->token_key;

    if (pin.len == 0 || secret_equal(pin, secret_bytes(&key->refused)) ||
        !secret_set(&key->given, pin)) {
        secret_free(&key->given);
        pin = (struct bytes){0};
    }
    signer_pin(key->signer, pin);
}

static void on_need_pin(void *context, guint8 pin, const char *prompt)
{
    struct tunnel *t = context;
    struct token_key *key = &t->token_key;
    struct bytes known = profile_get_bytes(t->config.profile, PIN_KEY);

    if ((pin & TOKEN_PIN_WRONG) != 0) {
        secret_move(&key->refused, &key->given);
    }
    if (known.len > 0 && (pin & (TOKEN_PIN_WRONG | TOKEN_PIN_FINAL)) == 0) {
        give(t, known);
    } else {
        key->asking = TRUE;
        t->ops->secret_required(t->context, PIN_KEY, prompt);
    }
}

/* ---- which certificate ---- */

static void open_chosen(struct tunnel *t, struct bytes value)
{
    GPtrArray *choices = g_steal_pointer(&t->token_key.choices);
    const char *chosen = choices->pdata[0];

    for (guint i = 0; i < choices->len; i++) {
        if (bytes_equal(value, bytes_of_string(choices->pdata[i]))) {
            chosen = choices->pdata[i];
        }
    }
    if (profile_set_bytes(t->config.profile, "certificate", bytes_of_string(chosen), NULL)) {
        open_it(t);
    } else {
        tunnel_end(t, REASON_TOKEN_OBJECT, "");
    }
    g_ptr_array_unref(choices);
}

static gboolean are_uris(const struct bytes *parts, gsize n)
{
    struct bytes at;
    gboolean fine = TRUE;

    for (gsize i = 0; fine && i < n; i++) {
        fine = pkcs11_uri_check(parts[TOKEN_CHOICE_PARTS * i], true, &at) == NULL;
    }
    return fine;
}

static void on_choices(void *context, const struct bytes *parts, gsize n)
{
    struct tunnel *t = context;
    struct tunnel_choice choices[TOKEN_PARTS_MAX / TOKEN_CHOICE_PARTS];
    char texts[G_N_ELEMENTS(choices)][2][CHOICE_TEXT_MAX];

    if (t->token_key.chosen || !are_uris(parts, n)) {
        tunnel_end(t, REASON_TOKEN_FAILED,
                   _("The PKCS#11 module that drives the token has broken godwit-token."));
        return;
    }
    t->token_key.chosen = TRUE;
    t->token_key.choices = g_ptr_array_new_with_free_func(g_free);
    for (gsize i = 0; i < n; i++) {
        const struct bytes *part = &parts[TOKEN_CHOICE_PARTS * i];

        g_ptr_array_add(t->token_key.choices, g_strndup((const char *)part[0].data, part[0].len));
        choices[i] = (struct tunnel_choice){
            .value = t->token_key.choices->pdata[i],
            .title = text_printable(part[1], texts[i][0], CHOICE_TEXT_MAX),
            .detail = text_printable(part[2], texts[i][1], CHOICE_TEXT_MAX),
        };
    }
    t->ops->choice_required(t->context, "certificate", choices, n);
}

gboolean token_key_provide(struct tunnel *t, struct bytes value)
{
    gboolean asked = t->token_key.asking || t->token_key.choices != NULL;

    if (t->token_key.asking) {
        t->token_key.asking = FALSE;
        give(t, value);
    } else if (asked) {
        open_chosen(t, value);
    }
    return asked;
}

/* ---- neither ---- */

static void on_waiting(void *context, const char *text)
{
    struct tunnel *t = context;

    if (!t->was_up) {
        t->ops->phase(t->context, "token", text, boottime_now());
    }
}

static void on_failed(void *context, enum reason reason, const char *detail)
{
    struct tunnel *t = context;

    /* Who gives no other PIN after a wrong one has the wrong one to blame. */
    if (reason == REASON_SECRET_MISSING && t->token_key.refused.len > 0) {
        reason = REASON_PIN_WRONG;
    }
    if (!t->configured) {
        tunnel_end(t, reason, detail);
    } else if (t->next != NULL && t->next->ike != NULL) {
        ike_provide_signature(t->next->ike, (struct bytes){0}, reason, detail, boottime_now());
        loop_run(t);
    }
}

static const struct signer_ops ops = {
    .patience = PATIENCE,
    .touch = TOUCH,
    .opened = on_opened,
    .choices = on_choices,
    .signature = on_signature,
    .need_pin = on_need_pin,
    .waiting = on_waiting,
    .failed = on_failed,
};

void token_key_open(struct tunnel *t)
{
    if (t->token < 0) {
        tunnel_end(t, REASON_TOKEN_FAILED, _("There is no godwit-token to ask."));
        return;
    }
    t->token_key.signer = signer_new(t->token, &ops, t);
    open_it(t);
}

void token_key_sign(struct tunnel *t, const struct link *link)
{
    struct cert_signing signing;
    struct bytes octets = ike_to_sign(link->ike, &signing);

    if (link == t->next && octets.len > 0 && t->token_key.signer != NULL) {
        signer_sign(t->token_key.signer, signing.algorithm, octets);
    }
}

void token_key_free(struct tunnel *t)
{
    g_clear_pointer(&t->token_key.signer, signer_free);
    secret_free(&t->token_key.given);
    secret_free(&t->token_key.refused);
    t->token_key.asking = FALSE;
    g_clear_pointer(&t->token_key.choices, g_ptr_array_unref);
}
