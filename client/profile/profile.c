/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/i18n.h"
#include "common/pkcs11_uri.h"
#include "crypto/algs.h"
#include "profile/profile_private.h"

G_DEFINE_QUARK(godwit - profile - error, profile_error)

gsize profile_key_count(void)
{
    gsize n = 0;

    while (profile_keys()[n].name != NULL) {
        n++;
    }
    return n;
}

struct profile *profile_new(void)
{
    struct profile *profile = g_new0(struct profile, 1);

    profile->values = g_new0(struct profile_value, profile_key_count());
    return profile;
}

void profile_value_clear(struct profile_value *value)
{
    g_clear_pointer(&value->text, g_free);
    secret_free(&value->octets);
}

void profile_free(struct profile *profile)
{
    if (profile == NULL) {
        return;
    }
    for (gsize i = 0; i < profile_key_count(); i++) {
        profile_value_clear(&profile->values[i]);
    }
    g_free(profile->values);
    g_free(profile);
}

struct profile *profile_copy(const struct profile *profile)
{
    struct profile *copy = profile_new();

    for (gsize i = 0; i < profile_key_count(); i++) {
        const struct profile_value *from = &profile->values[i];

        copy->values[i].text = g_strdup(from->text);
        if (!secret_set(&copy->values[i].octets, secret_bytes(&from->octets))) {
            g_error("out of memory");
        }
    }
    return copy;
}

struct profile_value *profile_value_at(const struct profile *profile, const struct profile_key *key)
{
    return &profile->values[key - profile_keys()];
}

gboolean profile_value_is_set(const struct profile_value *value)
{
    return value->text != NULL || value->octets.len > 0;
}

static struct profile_value *value_of(const struct profile *profile, const char *name)
{
    const struct profile_key *key = profile_key_find(name);

    if (key == NULL) {
        g_error("there is no profile key \"%s\"", name);
    }
    return profile_value_at(profile, key);
}

gboolean profile_fail(GError **error, enum profile_error code, const char *where,
                      const char *format, ...)
{
    va_list arguments;
    char *message;

    va_start(arguments, format);
    message = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    g_set_error(error, PROFILE_ERROR, (int)code, "%s: %s", where, message);
    g_free(message);
    return FALSE;
}

static gboolean unknown_key(const char *name, const char *where, GError **error)
{
    const char *near = profile_key_suggest(name);
    char *shown = profile_quotable(bytes_of_string(name));

    if (near != NULL) {
        profile_fail(error, PROFILE_ERROR_KEY, where == NULL ? shown : where,
                     _("unknown key \"%s\" (did you mean \"%s\"?)"), shown, near);
    } else {
        profile_fail(error, PROFILE_ERROR_KEY, where == NULL ? shown : where,
                     _("unknown key \"%s\""), shown);
    }
    g_free(shown);
    return FALSE;
}

gboolean profile_set(struct profile *profile, const char *name, const char *text, const char *where,
                     GError **error)
{
    const struct profile_key *key = profile_key_find(name);

    if (key == NULL) {
        return unknown_key(name, where, error);
    }
    return profile_set_text(profile, key, bytes_of_string(text), NULL, where == NULL ? name : where,
                            error);
}

gboolean profile_set_bytes(struct profile *profile, const char *name, struct bytes octets,
                           GError **error)
{
    const struct profile_key *key = profile_key_find(name);

    if (key == NULL) {
        return unknown_key(name, NULL, error);
    }
    if (key->type != PROFILE_FILE && key->type != PROFILE_SECRET) {
        return profile_set_text(profile, key, octets, NULL, name, error);
    }
    return profile_set_octets(profile, key, octets, name, error);
}

void profile_unset(struct profile *profile, const char *key)
{
    profile_value_clear(value_of(profile, key));
}

gboolean profile_is_set(const struct profile *profile, const char *key)
{
    return profile_value_is_set(value_of(profile, key));
}

const char *profile_get(const struct profile *profile, const char *name)
{
    const struct profile_key *key = profile_key_find(name);
    const struct profile_value *value = value_of(profile, name);

    if (key->type == PROFILE_FILE || key->type == PROFILE_SECRET) {
        return NULL;
    }
    return value->text != NULL ? value->text : key->fallback;
}

gboolean profile_get_bool(const struct profile *profile, const char *key)
{
    return g_strcmp0(profile_get(profile, key), "true") == 0;
}

guint64 profile_get_uint(const struct profile *profile, const char *key)
{
    const char *text = profile_get(profile, key);

    return text == NULL ? 0 : g_ascii_strtoull(text, NULL, 10);
}

char **profile_get_list(const struct profile *profile, const char *key)
{
    const char *text = profile_get(profile, key);

    return g_strsplit(text == NULL ? "" : text, ",", -1);
}

struct bytes profile_get_bytes(const struct profile *profile, const char *key)
{
    return secret_bytes(&value_of(profile, key)->octets);
}

const char *profile_get_path(const struct profile *profile, const char *key)
{
    return profile_key_find(key)->type == PROFILE_FILE ? value_of(profile, key)->text : NULL;
}

gboolean profile_is_on_token(const struct profile *profile, const char *key)
{
    return pkcs11_is_uri(profile_get_bytes(profile, key));
}

gboolean profile_needs_token(const struct profile *profile)
{
    return g_strcmp0(profile_get(profile, "auth"), "certificate") == 0 &&
           (profile_is_on_token(profile, "certificate") ||
            profile_is_on_token(profile, "private-key"));
}

/* ---- rules across keys ---- */

static struct profile_breach *breach_of(const char *key, const char *other, const char *why)
{
    struct profile_breach *breach = g_new0(struct profile_breach, 1);

    breach->key = key;
    breach->other = other;
    breach->why = g_strdup(why);
    return breach;
}

static struct profile_breach *lack_of(const char *key, const char *why)
{
    struct profile_breach *breach = breach_of(key, NULL, why);

    breach->missing = TRUE;
    return breach;
}

void profile_breach_free(struct profile_breach *breach)
{
    if (breach != NULL) {
        g_free(breach->why);
        g_free(breach);
    }
}

static struct profile_breach *required_breach(const struct profile *profile)
{
    for (const struct profile_key *key = profile_keys(); key->name != NULL; key++) {
        if ((key->flags & PROFILE_REQUIRED) != 0 && !profile_is_set(profile, key->name)) {
            return lack_of(key->name, _("missing"));
        }
    }
    return NULL;
}

static struct profile_breach *auth_breach(const struct profile *profile, gboolean key_may_follow)
{
    static const char *const credentials[] = {"certificate", "private-key", NULL};
    const char *auth = profile_get(profile, "auth");
    gboolean on_token = profile_is_on_token(profile, "certificate");
    gboolean no_key = on_token || key_may_follow;

    if (on_token && profile_is_set(profile, "private-key") &&
        !profile_is_on_token(profile, "private-key")) {
        return breach_of("private-key", NULL,
                         _("a file, but the certificate is on a token: leave it out when its "
                           "key is there too"));
    }
    for (const char *const *key = credentials; *key != NULL; key++) {
        if (strcmp(auth, "certificate") == 0 && !profile_is_set(profile, *key) &&
            !(no_key && strcmp(*key, "private-key") == 0)) {
            return lack_of(*key, _("missing; auth=certificate needs it"));
        }
        /* Left over beside another auth it does no harm; without any, the user meant it. */
        if (!profile_is_set(profile, "auth") && profile_is_set(profile, *key)) {
            return breach_of(*key, "auth",
                             _("set, but auth is not: add auth=certificate to use it"));
        }
    }
    if (!profile_is_set(profile, "auth") && profile_is_set(profile, "psk")) {
        return breach_of("psk", "auth", _("set, but auth is not: add auth=psk to use it"));
    }
    return NULL;
}

/* With a pre-shared key the gateway shows no certificate. */
static struct profile_breach *trust_breach(const struct profile *profile)
{
    struct profile_breach *breach = NULL;
    char *others, *why;

    if (strcmp(profile_get(profile, "auth"), "psk") == 0 &&
        profile_is_set(profile, "gateway-fingerprint")) {
        others = g_strdup_printf(_("is none of: %s"), "eap, certificate");
        why = g_strdup_printf("auth=psk %s", others);
        breach = breach_of("gateway-fingerprint", "auth", why);
        g_free(why);
        g_free(others);
    }
    return breach;
}

static struct profile_breach *tunnel_breach(const struct profile *profile)
{
    gboolean full = g_str_equal(profile_get(profile, "tunnel"), "full");
    gboolean always = g_str_equal(profile_get(profile, "kill-switch"), "always");

    if (!profile_get_bool(profile, "request-ipv4") && !profile_get_bool(profile, "request-ipv6")) {
        return breach_of("request-ipv6", NULL,
                         _("neither an IPv4 nor an IPv6 address would be asked for"));
    }
    if (full && profile_is_set(profile, "include")) {
        return breach_of("include", "tunnel", _("it needs tunnel=split"));
    }
    if (profile_is_set(profile, "include-apps") && profile_is_set(profile, "exclude-apps")) {
        return breach_of("include-apps", "exclude-apps",
                         _("it and exclude-apps exclude each other"));
    }
    if (profile_is_set(profile, "include-apps") && always) {
        return breach_of("include-apps", "kill-switch",
                         _("kill-switch=always holds every application, not only these"));
    }
    return full || !always ? NULL
                           : breach_of("kill-switch", "tunnel", _("always needs tunnel=full"));
}

/* Weak algorithms need `legacy`, whichever of the two keys came first. */
static struct profile_breach *proposal_breach(const struct profile *profile, const char *key,
                                              enum protocol protocol)
{
    const char *text = profile_get(profile, key);
    struct profile_breach *breach;
    struct proposal_list list;
    struct bytes at = {0};
    const char *why = NULL;
    char *quoted;

    if (text == NULL ||
        proposal_parse(&list, protocol, text, profile_get_bool(profile, "legacy"), &at, &why)) {
        return NULL;
    }
    quoted = g_strdup_printf("\"%.*s\": %s", (int)at.len,
                             at.data == NULL ? "" : (const char *)at.data, _(why));
    breach = breach_of(key, NULL, quoted);
    g_free(quoted);
    return breach;
}

static struct profile_breach *find_breach(const struct profile *profile, gboolean key_may_follow)
{
    struct profile_breach *breach = required_breach(profile);

    if (breach == NULL) {
        breach = auth_breach(profile, key_may_follow);
    }
    if (breach == NULL) {
        breach = trust_breach(profile);
    }
    if (breach == NULL) {
        breach = tunnel_breach(profile);
    }
    if (breach == NULL) {
        breach = proposal_breach(profile, "ike-proposals", PROTO_IKE);
    }
    return breach != NULL ? breach : proposal_breach(profile, "esp-proposals", PROTO_ESP);
}

struct profile_breach *profile_find_breach(const struct profile *profile)
{
    return find_breach(profile, FALSE);
}

static gboolean validate(const struct profile *profile, gboolean key_may_follow, GError **error)
{
    struct profile_breach *breach = find_breach(profile, key_may_follow);
    gboolean good = breach == NULL;

    if (!good) {
        profile_fail(error, breach->missing ? PROFILE_ERROR_MISSING : PROFILE_ERROR_VALUE,
                     breach->key, "%s", breach->why);
    }
    profile_breach_free(breach);
    return good;
}

gboolean profile_validate(const struct profile *profile, GError **error)
{
    return validate(profile, FALSE, error);
}

gboolean profile_validate_without_secrets(const struct profile *profile, GError **error)
{
    return validate(profile, TRUE, error);
}
