/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/boottime.h"
#include "tunnel/tunnel_private.h"

/*
 * What the user types is kept, for the IKE SAs that follow the first one may come at any hour. A
 * code that is good for once is not: the second one that a single authentication asks for is such a
 * code (a password and then a code), and the first one is forgotten as soon as it is refused.
 */

static const char *field_name(enum eap_secret secret)
{
    return secret == EAP_SECRET_USER ? "user" : "password";
}

void typed_required(struct tunnel *t, enum eap_secret secret, const char *prompt)
{
    t->ops->secret_required(t->context, field_name(secret), prompt != NULL ? prompt : "");
}

static void keep(struct tunnel *t, enum eap_secret secret, struct bytes value)
{
    struct typed *typed = &t->typed;

    if (secret == EAP_SECRET_USER) {
        g_free(typed->user);
        typed->user = g_strndup((const char *)value.data, value.len);
    } else if (typed->answers++ == 0) {
        if (!secret_set(&typed->password, value)) {
            secret_free(&typed->password);
        }
    }
}

void typed_provide(struct tunnel *t, enum eap_secret secret, struct bytes value)
{
    if (t->next == NULL || t->next->ike == NULL) {
        return;
    }
    if (value.len > 0) {
        keep(t, secret, value);
    }
    ike_provide_secret(t->next->ike, secret, value, boottime_now());
}

void typed_apply(struct tunnel *t)
{
    struct eap_config *eap = &t->config.ike.eap;

    t->typed.answers = 0;
    if (t->typed.user != NULL) {
        eap->user = t->typed.user;
    }
    if (t->typed.password.len > 0) {
        eap->password = secret_bytes(&t->typed.password);
        eap->have_password = true;
        /* Whatever else this authentication asks for is for once. */
        t->typed.answers = 1;
    }
}

gboolean typed_forget(struct tunnel *t)
{
    struct eap_config *eap = &t->config.ike.eap;
    gboolean had = t->typed.password.len > 0;

    if (had) {
        secret_free(&t->typed.password);
        eap->password = (struct bytes){0};
        eap->have_password = false;
    }
    return had;
}
