/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <inttypes.h>

#include "common/i18n.h"
#include "common/pkcs11_uri.h"
#include "profile/profile_private.h"

/* WHERE: "WORD" is no number, or WHERE: "WORD": reason; `joint` stands behind the word. */
static gboolean bad_value(GError **error, const char *where, struct bytes word, const char *joint,
                          const char *why)
{
    char *shown = profile_quotable(word);
    char *quoted = g_strdup_printf("\"%s\"", shown);
    gboolean failed = profile_fail(error, PROFILE_ERROR_VALUE, where, "%s%s%s", quoted, joint, why);

    g_free(quoted);
    g_free(shown);
    return failed;
}

static char *normalise_bool(const char *text, const char *where, GError **error)
{
    static const char *const yes[] = {"true", "yes", "on", "1"};
    static const char *const no[] = {"false", "no", "off", "0"};

    for (gsize i = 0; i < G_N_ELEMENTS(yes); i++) {
        if (g_ascii_strcasecmp(text, yes[i]) == 0) {
            return g_strdup("true");
        }
        if (g_ascii_strcasecmp(text, no[i]) == 0) {
            return g_strdup("false");
        }
    }
    bad_value(error, where, bytes_of_string(text), " ", _("is neither true nor false"));
    return NULL;
}

/* The number with its unit spelt out; NULL when it has none, or is no number that it could be. */
static char *without_unit(const struct profile_key *key, const char *text)
{
    static const char units[] = "KMGT";
    size_t len = strlen(text);
    const char *unit = NULL;
    char *number;
    guint64 value;
    gboolean is;

    if ((key->flags & PROFILE_UNITS) != 0 && len > 1) {
        unit = strchr(units, g_ascii_toupper(text[len - 1]));
    }
    if (unit == NULL) {
        return NULL;
    }
    number = g_strndup(text, len - 1);
    is = g_ascii_string_to_unsigned(number, 10, 0, UINT32_MAX, &value, NULL);
    g_free(number);
    return is ? g_strdup_printf("%" PRIu64, value << 10 * (unit - units + 1)) : NULL;
}

static char *normalise_uint(const struct profile_key *key, const char *text, const char *where,
                            GError **error)
{
    GError *cause = NULL;
    guint64 number;
    char *plain = without_unit(key, text);
    gboolean is = g_ascii_string_to_unsigned(plain != NULL ? plain : text, 10, key->min, key->max,
                                             &number, &cause);

    g_free(plain);
    if (is) {
        return g_strdup_printf("%" PRIu64, number);
    }
    if (cause->code == (int)G_NUMBER_PARSER_ERROR_OUT_OF_BOUNDS) {
        char *why =
            g_strdup_printf(_("is not between %" PRIu64 " and %" PRIu64), key->min, key->max);

        bad_value(error, where, bytes_of_string(text), " ", why);
        g_free(why);
    } else {
        bad_value(error, where, bytes_of_string(text), " ", _("is not a whole number"));
    }
    g_error_free(cause);
    return NULL;
}

static gboolean is_choice(const struct profile_key *key, const char *text, const char *where,
                          GError **error)
{
    const char *near;
    char *all, *why;

    if (g_strv_contains(key->choices, text)) {
        return TRUE;
    }
    near = nearest_word(text, key->choices);
    all = g_strjoinv(", ", (char **)key->choices);
    why = near == NULL ? g_strdup_printf(_("is none of: %s"), all)
                       : g_strdup_printf(_("is none of: %s (did you mean \"%s\"?)"), all, near);
    bad_value(error, where, bytes_of_string(text), " ", why);
    g_free(why);
    g_free(all);
    return FALSE;
}

static gboolean passes_check(const struct profile_key *key, const char *text, const char *where,
                             GError **error)
{
    struct bytes at = bytes_of_string(text);
    const char *why;

    if (key->choices != NULL && !is_choice(key, text, where, error)) {
        return FALSE;
    }
    why = key->check == NULL ? NULL : key->check(text, &at);
    return why == NULL ? TRUE : bad_value(error, where, at, ": ", _(why));
}

static char *normalise_list(const struct profile_key *key, const char *text, const char *where,
                            GError **error)
{
    guint64 max = key->max > 0 ? key->max : PROFILE_LIST_MAX;
    char **words = g_strsplit(text, ",", -1);
    char *joined = NULL;

    if (g_strv_length(words) > max) {
        profile_fail(error, PROFILE_ERROR_VALUE, where, _("more than %" PRIu64 " elements"), max);
        goto out;
    }
    for (char **word = words; *word != NULL; word++) {
        g_strstrip(*word);
        if (**word == '\0') {
            profile_fail(error, PROFILE_ERROR_VALUE, where,
                         _("there is nothing between two commas or at an end"));
            goto out;
        }
        if (!passes_check(key, *word, where, error)) {
            goto out;
        }
    }
    joined = g_strjoinv(",", words);
out:
    g_strfreev(words);
    return joined;
}

static char *normalise(const struct profile_key *key, const char *text, const char *where,
                       GError **error)
{
    char *normal = NULL;

    switch (key->type) {
    case PROFILE_LIST:
        return normalise_list(key, text, where, error);
    case PROFILE_BOOL:
        return normalise_bool(text, where, error);
    case PROFILE_UINT:
        normal = normalise_uint(key, text, where, error);
        break;
    case PROFILE_STRING:
    case PROFILE_HOST:
    case PROFILE_CHOICE:
    case PROFILE_FILE:
    case PROFILE_SECRET:
        normal = g_strdup(text);
        break;
    }
    if (normal != NULL && !passes_check(key, normal, where, error)) {
        g_clear_pointer(&normal, g_free);
    }
    return normal;
}

static gboolean decode_base64(struct bytes text, struct secret *out)
{
    gint state = 0;
    guint save = 0;
    gsize n;

    if (text.len == 0 || text.len % 4 != 0 || !secret_alloc(out, text.len / 4 * 3 + 3)) {
        return FALSE;
    }
    for (size_t i = 0; i < text.len; i++) {
        guchar c = text.data[i];

        if (!g_ascii_isalnum(c) && c != '+' && c != '/' && !(c == '=' && i + 2 >= text.len)) {
            return FALSE;
        }
    }
    n = g_base64_decode_step((const char *)text.data, text.len, out->data, &state, &save);
    secret_wipe(&save, sizeof save);
    /* The spare octets behind n are zero: cut them off without copying. */
    out->len = n;
    return n > 0;
}

static gboolean set_uri(struct profile *profile, const struct profile_key *key, struct bytes uri,
                        const char *where, GError **error)
{
    struct profile_value *value = profile_value_at(profile, key);
    struct bytes at;
    /* Of several certificates on a token one is chosen, which then names its key. */
    const char *why = pkcs11_uri_check(uri, strcmp(key->name, "certificate") != 0, &at);

    if (why != NULL) {
        return bad_value(error, where, at, ": ", _(why));
    }
    profile_value_clear(value);
    value->text = g_strndup((const char *)uri.data, uri.len);
    if (!secret_set(&value->octets, uri)) {
        return profile_fail(error, PROFILE_ERROR_VALUE, where, _("out of memory"));
    }
    return TRUE;
}

static gboolean may_be_uri(const struct profile_key *key, struct bytes value)
{
    return (key->flags & PROFILE_TOKEN) != 0 && pkcs11_is_uri(value);
}

gboolean profile_set_octets(struct profile *profile, const struct profile_key *key,
                            struct bytes octets, const char *where, GError **error)
{
    gsize max = key->type == PROFILE_FILE ? PROFILE_FILE_MAX : PROFILE_SECRET_MAX;
    struct profile_value *value = profile_value_at(profile, key);
    const char *why = NULL;

    if (octets.len == 0) {
        return profile_fail(error, PROFILE_ERROR_VALUE, where, _("the value is empty"));
    }
    if (may_be_uri(key, octets)) {
        return set_uri(profile, key, octets, where, error);
    }
    if (octets.len > max) {
        return profile_fail(error, PROFILE_ERROR_VALUE, where, _("longer than %zu octets"), max);
    }
    if (key->type == PROFILE_SECRET && (key->flags & PROFILE_OCTETS) == 0) {
        why = check_text(octets);
    }
    if (why != NULL) {
        return profile_fail(error, PROFILE_ERROR_VALUE, where, "%s", _(why));
    }
    profile_value_clear(value);
    if (!secret_set(&value->octets, octets)) {
        return profile_fail(error, PROFILE_ERROR_VALUE, where, _("out of memory"));
    }
    return TRUE;
}

static gboolean set_base64(struct profile *profile, const struct profile_key *key,
                           struct bytes text, const char *where, GError **error)
{
    struct secret decoded = {0};
    gboolean ok = FALSE;

    if (decode_base64(text, &decoded)) {
        ok = profile_set_octets(profile, key, secret_bytes(&decoded), where, error);
    } else {
        profile_fail(error, PROFILE_ERROR_VALUE, where, _("what follows base64: is not base64"));
    }
    secret_free(&decoded);
    return ok;
}

static gboolean set_file(struct profile *profile, const struct profile_key *key, const char *path,
                         const char *folder, const char *where, GError **error)
{
    struct profile_value *value = profile_value_at(profile, key);
    struct secret content = {0};
    /* A profile by the name of its file alone is in "." */
    char *start = g_canonicalize_filename(folder == NULL ? "." : folder, NULL);
    char *absolute = g_canonicalize_filename(path, start);

    g_free(start);
    if (!profile_read_file(absolute, where, &content, error)) {
        g_free(absolute);
        return FALSE;
    }
    profile_value_clear(value);
    value->text = absolute;
    secret_move(&value->octets, &content);
    return TRUE;
}

gboolean profile_set_text(struct profile *profile, const struct profile_key *key, struct bytes text,
                          const char *folder, const char *where, GError **error)
{
    static const size_t prefix_len = sizeof PROFILE_BASE64 - 1;
    gboolean holds_octets = key->type == PROFILE_SECRET || key->type == PROFILE_FILE;
    const char *why = check_text(text);
    char *plain, *normal;

    if (text.len == 0) {
        return profile_fail(error, PROFILE_ERROR_VALUE, where, _("the value is empty"));
    }
    if (why != NULL) {
        return profile_fail(error, PROFILE_ERROR_VALUE, where, "%s", _(why));
    }
    if (holds_octets && text.len >= prefix_len &&
        memcmp(text.data, PROFILE_BASE64, prefix_len) == 0) {
        text = bytes_of(text.data + prefix_len, text.len - prefix_len);
        return set_base64(profile, key, text, where, error);
    }
    if (key->type == PROFILE_SECRET || may_be_uri(key, text)) {
        return profile_set_octets(profile, key, text, where, error);
    }
    if (text.len > PROFILE_TEXT_MAX) {
        return profile_fail(error, PROFILE_ERROR_VALUE, where, _("longer than %d octets"),
                            PROFILE_TEXT_MAX);
    }
    plain = g_strndup((const char *)text.data, text.len);
    if (key->type == PROFILE_FILE) {
        gboolean ok = set_file(profile, key, plain, folder, where, error);

        g_free(plain);
        return ok;
    }
    normal = normalise(key, plain, where, error);
    g_free(plain);
    if (normal != NULL) {
        struct profile_value *value = profile_value_at(profile, key);

        profile_value_clear(value);
        value->text = normal;
    }
    return normal != NULL;
}
