/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "gui/editor/values.h"

#include <string.h>

#include "common/i18n.h"
#include "common/secret.h"

struct values {
    GHashTable *texts;   /* key -> text, wiped */
    GHashTable *touched; /* a set of keys */
    GHashTable *storage; /* key -> number */
};

static void wipe(gpointer text)
{
    secret_wipe(text, strlen(text));
    g_free(text);
}

struct values *values_new(void)
{
    struct values *values = g_new0(struct values, 1);
    values->texts = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, wipe);
    values->touched = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    values->storage = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    return values;
}

void values_free(struct values *values)
{
    if (values) {
        g_hash_table_unref(values->texts);
        g_hash_table_unref(values->touched);
        g_hash_table_unref(values->storage);
        g_free(values);
    }
}

const char *values_get(const struct values *values, const char *key)
{
    return g_hash_table_lookup(values->texts, key);
}

void values_load(struct values *values, const char *key, const char *text)
{
    if (text) {
        g_hash_table_replace(values->texts, g_strdup(key), g_strdup(text));
    } else {
        g_hash_table_remove(values->texts, key);
    }
}

static gboolean is_secret(const char *key)
{
    const struct profile_key *row = profile_key_find(key);
    return row && row->type == PROFILE_SECRET;
}

void values_touch(struct values *values, const char *key)
{
    g_hash_table_add(values->touched, g_strdup(key));
}

void values_change(struct values *values, const char *key, const char *text)
{
    /* Blanks may belong to a password. */
    char *copy = text ? g_strdup(text) : NULL;
    const char *kept = copy && !is_secret(key) ? g_strstrip(copy) : copy;
    values_touch(values, key);
    values_load(values, key, kept && *kept ? kept : NULL);
    if (copy) {
        wipe(copy);
    }
}

gboolean values_touched(const struct values *values, const char *key)
{
    return g_hash_table_contains(values->touched, key);
}

unsigned values_storage(const struct values *values, const char *key)
{
    return GPOINTER_TO_UINT(g_hash_table_lookup(values->storage, key));
}

void values_set_storage(struct values *values, const char *key, unsigned storage)
{
    g_hash_table_replace(values->storage, g_strdup(key), GUINT_TO_POINTER(storage));
}

gboolean values_keeps(unsigned storage)
{
    return (storage & (VALUES_ASKED | VALUES_NOT_NEEDED)) == 0;
}

const char *values_auth(const struct values *values)
{
    const char *auth = values_get(values, "auth");
    return auth ? auth : profile_key_find("auth")->fallback;
}

gboolean values_is_true(const struct values *values, const struct profile_key *key)
{
    struct profile *profile = profile_new();
    const char *text = values_get(values, key->name);
    if (text) {
        (void)profile_set(profile, key->name, text, NULL, NULL);
    }
    gboolean is = profile_get_bool(profile, key->name);
    profile_free(profile);
    return is;
}

/* ---- what is wrong ---- */

#define MARK "@" /* stands where messages name the key, and is cut off again */

/* "MARK: why" without the mark. */
static char *reason_of(const GError *error)
{
    const char *text = error->message;
    return g_strdup(g_str_has_prefix(text, MARK ": ") ? text + strlen(MARK ": ") : text);
}

/* The text by itself. */
static char *own_problem(const struct values *values, const char *key)
{
    g_autoptr(GError) error = NULL;
    const char *text = values_get(values, key);
    struct profile *profile = profile_new();
    gboolean good = !text || profile_set(profile, key, text, MARK, &error);
    profile_free(profile);
    return good ? NULL : reason_of(error);
}

/* Every value that is right by itself; secrets that are elsewhere are there in name. */
static struct profile *usable(const struct values *values)
{
    struct profile *profile = profile_new();
    for (const struct profile_key *key = profile_keys(); key->name; key++) {
        const char *text = values_get(values, key->name);
        if (text) {
            (void)profile_set(profile, key->name, text, NULL, NULL);
        } else if (key->type == PROFILE_FILE && values_storage(values, key->name)) {
            (void)profile_set_bytes(profile, key->name, bytes_of_string("kept elsewhere"), NULL);
        }
    }
    return profile;
}

/* "Tunnel: Everything", or the label alone of what is no choice. */
static char *in_words(const struct profile *profile, const char *name)
{
    const struct profile_key *key = profile_key_find(name);
    for (gsize i = 0; key->choices && key->choices[i]; i++) {
        if (g_str_equal(profile_get(profile, name), key->choices[i])) {
            return g_strdup_printf(_("%s: %s"), _(key->label), _(key->choice_labels[i]));
        }
    }
    return g_strdup(_(key->label));
}

static char *reason_in_words(const struct profile *profile, const struct profile_breach *breach)
{
    if (breach->missing) {
        return g_strdup(_("missing"));
    }
    if (!breach->other) {
        return g_strdup(breach->why);
    }
    g_autofree char *other = in_words(profile, breach->other);
    /* Translators: %s is another setting, such as "Tunnel: Everything". */
    return g_strdup_printf(_("it does not go together with “%s”"), other);
}

/* The key that does not go together with others, and why in the words of forms; or NULL. */
static const char *breach_in_words(const struct profile *profile, char **reason)
{
    struct profile_breach *breach = profile_find_breach(profile);
    const char *key = breach ? breach->key : NULL;
    *reason = breach ? reason_in_words(profile, breach) : NULL;
    profile_breach_free(breach);
    return key;
}

static const char *own_breach(const struct values *values, char **reason)
{
    struct profile *profile = usable(values);
    const char *key = breach_in_words(profile, reason);
    profile_free(profile);
    return key;
}

char *values_problem(const struct values *values, const char *key)
{
    g_autofree char *reason = NULL;
    char *own = own_problem(values, key);
    if (own || (!values_get(values, key) && !values_touched(values, key)) ||
        g_strcmp0(own_breach(values, &reason), key) != 0) {
        return own;
    }
    return g_steal_pointer(&reason);
}

/* With the words of forms instead of the key's name. */
static gboolean refuse(GError **error, const char *name, const char *reason)
{
    g_set_error(error, PROFILE_ERROR, PROFILE_ERROR_VALUE, _("%s: %s"),
                _(profile_key_find(name)->label), reason);
    return FALSE;
}

const char *values_fault(const struct values *values, char **reason)
{
    for (const struct profile_key *key = profile_keys(); key->name; key++) {
        *reason = values_touched(values, key->name) ? own_problem(values, key->name) : NULL;
        if (*reason) {
            return key->name;
        }
    }
    return own_breach(values, reason);
}

gboolean values_check(const struct values *values, GError **error)
{
    g_autofree char *reason = NULL;
    const char *wrong = values_fault(values, &reason);
    return wrong ? refuse(error, wrong, reason) : TRUE;
}

gboolean values_check_profile(const struct profile *profile, GError **error)
{
    g_autofree char *reason = NULL;
    const char *wrong = breach_in_words(profile, &reason);
    return wrong ? refuse(error, wrong, reason) : TRUE;
}
