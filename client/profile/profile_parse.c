/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/i18n.h"
#include "profile/profile_private.h"

/*
 * The keyfile format of GLib, with one group. Not GKeyFile itself: it knows no line numbers, keeps
 * secrets in memory that nobody can wipe, and lets the second of two equal keys win in silence.
 */

#define GROUP "godwit"

struct parser {
    struct profile *profile;
    const char *origin, *folder;
    unsigned line;
    char *where; /* "home.conf:12" */
    gboolean in_group;
    GHashTable *seen; /* line by key */
};

static struct bytes trimmed(struct bytes text)
{
    while (text.len > 0 && g_ascii_isspace(text.data[0])) {
        text = bytes_of(text.data + 1, text.len - 1);
    }
    while (text.len > 0 && g_ascii_isspace(text.data[text.len - 1])) {
        text.len--;
    }
    return text;
}

gboolean profile_line_is_group(struct bytes line)
{
    return bytes_equal(trimmed(line), bytes_of_string("[" GROUP "]"));
}

gboolean profile_line_sets(struct bytes line, const struct profile_key *key)
{
    const uint8_t *equals = memchr(line.data, '=', line.len);

    return equals != NULL && bytes_equal(trimmed(bytes_of(line.data, (size_t)(equals - line.data))),
                                         bytes_of_string(key->name));
}

static gboolean parse_group(struct parser *p, struct bytes line, GError **error)
{
    char *shown;

    p->in_group = profile_line_is_group(line);
    if (p->in_group) {
        return TRUE;
    }
    shown = profile_quotable(line);
    profile_fail(error, PROFILE_ERROR_SYNTAX, p->where, _("unknown group %s; keys belong in [%s]"),
                 shown, GROUP);
    g_free(shown);
    return FALSE;
}

/* Undoes \s \t \n \r \\ into *out, which is as long as the text at most. */
static gboolean unescape(struct bytes text, struct secret *out)
{
    static const char letters[] = "stnr\\", meanings[] = " \t\n\r\\";
    gsize len = 0;

    if (!secret_alloc(out, text.len)) {
        return FALSE;
    }
    for (gsize i = 0; i < text.len; i++) {
        const char *letter;

        if (text.data[i] != '\\') {
            out->data[len++] = text.data[i];
            continue;
        }
        if (++i == text.len || text.data[i] == '\0' ||
            (letter = strchr(letters, text.data[i])) == NULL) {
            return FALSE;
        }
        out->data[len++] = (uint8_t)meanings[letter - letters];
    }
    /* What is behind is still zero. */
    out->len = len;
    return TRUE;
}

static const struct profile_key *parse_key(struct parser *p, struct bytes name, GError **error)
{
    char *shown = profile_quotable(name);
    const struct profile_key *key = profile_key_find(shown);
    const char *near = profile_key_suggest(shown);
    unsigned before;

    if (key == NULL && near != NULL) {
        profile_fail(error, PROFILE_ERROR_KEY, p->where,
                     _("unknown key \"%s\" (did you mean \"%s\"?)"), shown, near);
    } else if (key == NULL) {
        profile_fail(error, PROFILE_ERROR_KEY, p->where, _("unknown key \"%s\""), shown);
    } else if ((before = GPOINTER_TO_UINT(g_hash_table_lookup(p->seen, key->name))) != 0) {
        profile_fail(error, PROFILE_ERROR_SYNTAX, p->where, _("\"%s\" was already set in line %u"),
                     shown, before);
        key = NULL;
    } else {
        g_hash_table_insert(p->seen, (gpointer)key->name, GUINT_TO_POINTER(p->line));
    }
    g_free(shown);
    return key;
}

static gboolean parse_pair(struct parser *p, struct bytes line, GError **error)
{
    const uint8_t *equals = memchr(line.data, '=', line.len);
    const struct profile_key *key;
    struct secret value = {0};
    struct bytes text;
    char *where;
    gboolean ok;

    if (!p->in_group) {
        return profile_fail(error, PROFILE_ERROR_SYNTAX, p->where, _("[%s] must come first"),
                            GROUP);
    }
    if (equals == NULL) {
        return profile_fail(error, PROFILE_ERROR_SYNTAX, p->where,
                            _("neither key=value nor a comment"));
    }
    key = parse_key(p, trimmed(bytes_of(line.data, (size_t)(equals - line.data))), error);
    if (key == NULL) {
        return FALSE;
    }
    text = trimmed(bytes_of(equals + 1, line.len - (size_t)(equals + 1 - line.data)));
    where = g_strdup_printf("%s: %s", p->where, key->name);
    if (unescape(text, &value)) {
        ok = profile_set_text(p->profile, key, secret_bytes(&value), p->folder, where, error);
    } else {
        ok = profile_fail(
            error, PROFILE_ERROR_SYNTAX, where,
            _("a backslash must be written \\\\; only \\s, \\t, \\n and \\r exist besides"));
    }
    secret_free(&value);
    g_free(where);
    return ok;
}

static gboolean parse_line(struct parser *p, struct bytes line, GError **error)
{
    line = trimmed(line);
    if (line.len == 0 || line.data[0] == '#') {
        return TRUE;
    }
    return line.data[0] == '[' ? parse_group(p, line, error) : parse_pair(p, line, error);
}

struct profile *profile_parse(struct bytes text, const char *origin, const char *folder,
                              GError **error)
{
    static const char byte_order_mark[] = "\xef\xbb\xbf";
    struct parser p = {.origin = origin, .folder = folder};
    gboolean ok = TRUE;

    if (text.len > PROFILE_FILE_MAX) {
        profile_fail(error, PROFILE_ERROR_SYNTAX, origin, _("larger than 1 MiB"));
        return NULL;
    }
    p.profile = profile_new();
    p.seen = g_hash_table_new(g_str_hash, g_str_equal);
    if (text.len >= 3 && memcmp(text.data, byte_order_mark, 3) == 0) {
        text = bytes_of(text.data + 3, text.len - 3);
    }
    while (ok && text.len > 0) {
        const uint8_t *end = memchr(text.data, '\n', text.len);
        size_t len = end == NULL ? text.len : (size_t)(end - text.data);

        p.where = g_strdup_printf("%s:%u", origin, ++p.line);
        ok = parse_line(&p, bytes_of(text.data, len), error);
        g_free(p.where);
        len += end == NULL ? 0 : 1;
        text = bytes_of(text.data + len, text.len - len);
    }
    g_hash_table_destroy(p.seen);
    if (!ok) {
        g_clear_pointer(&p.profile, profile_free);
    }
    return p.profile;
}
