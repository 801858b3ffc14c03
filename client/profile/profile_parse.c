/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/i18n.h"
#include "profile/profile_private.h"

/*
 * The keyfile format of GLib, with one group. Not GKeyFile itself: it knows no line numbers, keeps
 * secrets in memory that nobody can wipe, and lets the second of two equal keys win in silence.
 */

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

struct bytes profile_without_mark(struct bytes text)
{
    static const char byte_order_mark[] = "\xef\xbb\xbf";

    return text.len >= 3 && memcmp(text.data, byte_order_mark, 3) == 0
               ? bytes_of(text.data + 3, text.len - 3)
               : text;
}

struct bytes profile_first_line(struct bytes text)
{
    const uint8_t *end = memchr(text.data, '\n', text.len);

    return bytes_of(text.data, end == NULL ? text.len : (size_t)(end + 1 - text.data));
}

static const struct profile_key *key_of(struct bytes name)
{
    const struct profile_key *key = profile_keys();

    while (key->name != NULL && !bytes_equal(bytes_of_string(key->name), name)) {
        key++;
    }
    return key->name == NULL ? NULL : key;
}

struct profile_line profile_line_read(struct bytes line)
{
    struct bytes text = trimmed(line);
    const uint8_t *equals = text.len == 0 ? NULL : memchr(text.data, '=', text.len);
    struct profile_line read = {.kind = PROFILE_LINE_NONE, .text = text};

    if (text.len == 0 || text.data[0] == '#') {
        read.kind = PROFILE_LINE_COMMENT;
    } else if (text.data[0] == '[') {
        read.kind = bytes_equal(text, bytes_of_string(PROFILE_GROUP)) ? PROFILE_LINE_GROUP
                                                                      : PROFILE_LINE_OTHER_GROUP;
    } else if (equals != NULL) {
        read.kind = PROFILE_LINE_PAIR;
        read.name = trimmed(bytes_of(text.data, (size_t)(equals - text.data)));
        read.value = trimmed(bytes_of(equals + 1, text.len - (size_t)(equals + 1 - text.data)));
        read.key = key_of(read.name);
    }
    return read;
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

gboolean profile_set_written(struct profile *profile, const struct profile_key *key,
                             struct bytes written, const char *folder, const char *where,
                             GError **error)
{
    struct secret value = {0};
    gboolean ok;

    if (unescape(written, &value)) {
        ok = profile_set_text(profile, key, secret_bytes(&value), folder, where, error);
    } else {
        ok = profile_fail(
            error, PROFILE_ERROR_SYNTAX, where,
            _("a backslash must be written \\\\; only \\s, \\t, \\n and \\r exist besides"));
    }
    secret_free(&value);
    return ok;
}

static gboolean other_group(const struct parser *p, struct bytes line, GError **error)
{
    char *shown = profile_quotable(line);

    profile_fail(error, PROFILE_ERROR_SYNTAX, p->where, _("unknown group %s; keys belong in [%s]"),
                 shown, "godwit");
    g_free(shown);
    return FALSE;
}

static gboolean unknown_key(const struct parser *p, struct bytes name, GError **error)
{
    char *shown = profile_quotable(name);
    const char *near = profile_key_suggest(shown);

    if (near != NULL) {
        profile_fail(error, PROFILE_ERROR_KEY, p->where,
                     _("unknown key \"%s\" (did you mean \"%s\"?)"), shown, near);
    } else {
        profile_fail(error, PROFILE_ERROR_KEY, p->where, _("unknown key \"%s\""), shown);
    }
    g_free(shown);
    return FALSE;
}

static gboolean parse_pair(struct parser *p, const struct profile_line *line, GError **error)
{
    unsigned before;
    char *where;
    gboolean ok;

    if (line->key == NULL) {
        return unknown_key(p, line->name, error);
    }
    before = GPOINTER_TO_UINT(g_hash_table_lookup(p->seen, line->key->name));
    if (before != 0) {
        return profile_fail(error, PROFILE_ERROR_SYNTAX, p->where,
                            _("\"%s\" was already set in line %u"), line->key->name, before);
    }
    g_hash_table_insert(p->seen, (gpointer)line->key->name, GUINT_TO_POINTER(p->line));
    where = g_strdup_printf("%s: %s", p->where, line->key->name);
    ok = profile_set_written(p->profile, line->key, line->value, p->folder, where, error);
    g_free(where);
    return ok;
}

static gboolean parse_line(struct parser *p, struct bytes text, GError **error)
{
    struct profile_line line = profile_line_read(text);

    if (!p->in_group && (line.kind == PROFILE_LINE_PAIR || line.kind == PROFILE_LINE_NONE)) {
        return profile_fail(error, PROFILE_ERROR_SYNTAX, p->where, _("[%s] must come first"),
                            "godwit");
    }
    switch (line.kind) {
    case PROFILE_LINE_COMMENT:
        break;
    case PROFILE_LINE_GROUP:
        p->in_group = TRUE;
        break;
    case PROFILE_LINE_PAIR:
        return parse_pair(p, &line, error);
    case PROFILE_LINE_OTHER_GROUP:
        return other_group(p, line.text, error);
    case PROFILE_LINE_NONE:
        return profile_fail(error, PROFILE_ERROR_SYNTAX, p->where,
                            _("neither key=value nor a comment"));
    }
    return TRUE;
}

struct profile *profile_parse(struct bytes text, const char *origin, const char *folder,
                              GError **error)
{
    struct parser p = {.origin = origin, .folder = folder};
    gboolean ok = TRUE;

    if (text.len > PROFILE_FILE_MAX) {
        profile_fail(error, PROFILE_ERROR_SYNTAX, origin, _("larger than 1 MiB"));
        return NULL;
    }
    p.profile = profile_new();
    p.seen = g_hash_table_new(g_str_hash, g_str_equal);
    text = profile_without_mark(text);
    while (ok && text.len > 0) {
        struct bytes line = profile_first_line(text);

        p.where = g_strdup_printf("%s:%u", origin, ++p.line);
        ok = parse_line(&p, line, error);
        g_free(p.where);
        text = bytes_of(text.data + line.len, text.len - line.len);
    }
    g_hash_table_destroy(p.seen);
    if (!ok) {
        g_clear_pointer(&p.profile, profile_free);
    }
    return p.profile;
}

unsigned profile_line_of(const char *path, const char *key)
{
    struct secret content = {0};
    struct bytes text;
    unsigned line = 0, found = 0;

    (void)profile_read_file(path, NULL, &content, NULL);
    text = profile_without_mark(secret_bytes(&content));
    while (found == 0 && text.len > 0) {
        struct bytes next = profile_first_line(text);
        struct profile_line read = profile_line_read(next);

        line++;
        if (read.key != NULL && strcmp(read.key->name, key) == 0) {
            found = line;
        }
        text = bytes_of(text.data + next.len, text.len - next.len);
    }
    secret_free(&content);
    return found;
}
