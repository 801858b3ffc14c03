/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Prints connections in which every key of the table is set to something that is not its default:
 * what the tests of the editors type. A line is
 *
 *     METHOD <tab> KEY <tab> TYPE <tab> LABEL <tab> VALUE <tab> WORDS <tab> PLACE
 *
 * in the order of the table; WORDS is what a choice is called in a form, PLACE where it stands.
 * Files are left to the caller. Keys that do not go together stand under different methods.
 */
#include <stdio.h>
#include <stdlib.h>

#include "common/i18n.h"
#include "profile/profile.h"

/* Something of these is right for whatever key there will be. */
static const char *const samples[] = {"vpn.example.org",
                                      "10.0.0.0/8,2001:db8::/32",
                                      "192.0.2.53,2001:db8::53",
                                      "corp.example,lab.example",
                                      "aes256gcm16-prfsha384-x25519,aes256-sha256-modp2048",
                                      "aes256gcm16,aes256-sha256",
                                      "mschapv2",
                                      "ab cd",
                                      ("0123456789abcdef0123456789abcdef"
                                       "0123456789abcdef0123456789abcdef")};

static gboolean fits(struct profile *profile, const struct profile_key *key, const char *text)
{
    struct profile *before = profile_copy(profile);
    gboolean good =
        profile_set(profile, key->name, text, NULL, NULL) && profile_validate(profile, NULL);
    if (!good && profile_is_set(before, key->name)) {
        (void)profile_set(profile, key->name, profile_get(before, key->name), NULL, NULL);
    } else if (!good) {
        profile_unset(profile, key->name);
    }
    profile_free(before);
    return good;
}

static gboolean set_number(struct profile *profile, const struct profile_key *key)
{
    g_autofree char *most = g_strdup_printf("%" G_GUINT64_FORMAT, key->max);
    g_autofree char *least = g_strdup_printf("%" G_GUINT64_FORMAT, key->min);
    return fits(profile, key, most) || fits(profile, key, least);
}

static gboolean set_choice(struct profile *profile, const struct profile_key *key)
{
    for (guint i = g_strv_length((char **)key->choices); i > 0; i--) {
        if (g_strcmp0(key->choices[i - 1], key->fallback) != 0 &&
            fits(profile, key, key->choices[i - 1])) {
            return TRUE;
        }
    }
    return FALSE;
}

static gboolean set_text(struct profile *profile, const struct profile_key *key)
{
    for (gsize i = 0; i < G_N_ELEMENTS(samples); i++) {
        if (fits(profile, key, samples[i])) {
            return TRUE;
        }
    }
    return FALSE;
}

static gboolean set_key(struct profile *profile, const struct profile_key *key)
{
    switch (key->type) {
    case PROFILE_BOOL:
        return fits(profile, key, g_str_equal(key->fallback, "true") ? "false" : "true");
    case PROFILE_UINT:
        return set_number(profile, key);
    case PROFILE_CHOICE:
        return set_choice(profile, key);
    case PROFILE_SECRET:
        return fits(profile, key, " s\xc3\xa4 cret=;\\n ");
    case PROFILE_FILE:
        return profile_set_bytes(profile, key->name, bytes_of_string("file"), NULL);
    case PROFILE_STRING:
    case PROFILE_HOST:
    case PROFILE_LIST:
        break;
    }
    return set_text(profile, key);
}

/* Of the value among the choices; 0 where there are none. */
static guint place_of(const struct profile_key *key, const char *value)
{
    guint place = 0;
    while (key->choice_labels && !g_str_equal(key->choices[place], value)) {
        place++;
    }
    return place;
}

static void print_key(const char *method, const struct profile *profile,
                      const struct profile_key *key)
{
    static const char *const types[] = {
        [PROFILE_STRING] = "string", [PROFILE_HOST] = "host",     [PROFILE_BOOL] = "bool",
        [PROFILE_UINT] = "number",   [PROFILE_CHOICE] = "choice", [PROFILE_FILE] = "file",
        [PROFILE_SECRET] = "secret", [PROFILE_LIST] = "list"};
    const char *text = "";
    g_autofree char *octets = NULL;
    g_autofree char *label =
        key->unit ? g_strdup_printf("%s (%s)", key->label, key->unit) : g_strdup(key->label);
    if (key->type == PROFILE_SECRET) {
        struct bytes secret = profile_get_bytes(profile, key->name);
        text = octets = g_strndup((const char *)secret.data, secret.len);
    } else if (key->type != PROFILE_FILE) {
        text = profile_get(profile, key->name);
    }
    guint place = place_of(key, text);
    printf("%s\t%s\t%s\t%s\t%s\t%s\t%u\n", method, key->name, types[key->type], label, text,
           key->choice_labels ? key->choice_labels[place] : "", place);
}

static gboolean is_of(const struct profile_key *key, const char *method)
{
    return !key->auth || g_str_equal(key->auth, method);
}

/* Of keys that exclude each other the first one wins; so what no other method has had is set first.
 */
static void set_keys(struct profile *profile, const char *method, GHashTable *done, gboolean again)
{
    for (const struct profile_key *key = profile_keys(); key->name; key++) {
        if (is_of(key, method) && !profile_is_set(profile, key->name) &&
            g_hash_table_contains(done, key->name) == again) {
            (void)set_key(profile, key);
        }
    }
}

static void print_method(const char *method, GHashTable *done)
{
    struct profile *profile = profile_new();
    (void)profile_set(profile, "gateway", samples[0], NULL, NULL);
    for (const struct profile_key *key = profile_keys(); key->name; key++) {
        if (key->type == PROFILE_FILE && is_of(key, method)) {
            (void)set_key(profile, key);
        }
    }
    (void)profile_set(profile, "auth", method, NULL, NULL);
    set_keys(profile, method, done, FALSE);
    set_keys(profile, method, done, TRUE);
    for (const struct profile_key *key = profile_keys(); key->name; key++) {
        if (profile_is_set(profile, key->name)) {
            g_hash_table_add(done, (gpointer)key->name);
            print_key(method, profile, key);
        }
    }
    profile_free(profile);
}

int main(void)
{
    g_autoptr(GHashTable) done = g_hash_table_new(g_str_hash, g_str_equal);
    const char *const *methods = profile_key_find("auth")->choices;
    for (guint i = 0; methods[i]; i++) {
        print_method(methods[i], done);
    }
    for (const struct profile_key *key = profile_keys(); key->name; key++) {
        if (!g_hash_table_contains(done, key->name)) {
            fprintf(stderr, "key_table: no sample fits the key %s\n", key->name);
            return EXIT_FAILURE;
        }
    }
    return EXIT_SUCCESS;
}
