/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "profile/profile_private.h"

/*
 * A profile as the text of a keyfile: what is there already stays as somebody has written it, with
 * its comments, its order and its spelling, and only what says something else is written anew.
 */

struct text {
    struct secret octets;
    gsize len;       /* of them that are used */
    gboolean failed; /* out of memory */
};

/* Grows by copying into wiped memory: a GString would leave secrets behind when it moves. */
static void append(struct text *out, struct bytes more)
{
    struct secret larger = {0};

    if (out->octets.len - out->len < more.len) {
        if (!secret_alloc(&larger, 2 * (out->octets.len + more.len))) {
            out->failed = TRUE;
            return;
        }
        if (out->len > 0) {
            memcpy(larger.data, out->octets.data, out->len);
        }
        secret_move(&out->octets, &larger);
    }
    if (more.len > 0) {
        memcpy(out->octets.data + out->len, more.data, more.len);
    }
    out->len += more.len;
}

static void append_string(struct text *out, const char *more)
{
    append(out, bytes_of_string(more));
}

/* ---- values ---- */

static void append_escaped(struct text *out, struct bytes text)
{
    for (size_t i = 0; i < text.len; i++) {
        gboolean edge = i == 0 || i == text.len - 1;

        if (text.data[i] == '\\') {
            append_string(out, "\\\\");
        } else if (text.data[i] == ' ' && edge) {
            append_string(out, "\\s");
        } else {
            append(out, bytes_of(text.data + i, 1));
        }
    }
}

static void append_base64(struct text *out, struct bytes octets)
{
    struct secret text = {0};
    gint state = 0, save = 0;

    if (!secret_alloc(&text, (octets.len / 3 + 1) * 4 + 4)) {
        out->failed = TRUE;
    } else {
        gsize n =
            g_base64_encode_step(octets.data, octets.len, FALSE, (char *)text.data, &state, &save);

        n += g_base64_encode_close(FALSE, (char *)text.data + n, &state, &save);
        append_string(out, PROFILE_BASE64);
        append(out, bytes_of(text.data, n));
    }
    secret_wipe(&save, sizeof save);
    secret_free(&text);
}

static void append_value(struct text *out, const struct profile *profile,
                         const struct profile_key *key)
{
    const struct profile_value *value = profile_value_at(profile, key);
    struct bytes octets = secret_bytes(&value->octets);
    size_t prefix = strlen(PROFILE_BASE64);

    if (value->text != NULL) {
        append_escaped(out, bytes_of_string(value->text));
    } else if (key->type == PROFILE_FILE || check_text(octets) != NULL ||
               (octets.len >= prefix && memcmp(octets.data, PROFILE_BASE64, prefix) == 0)) {
        append_base64(out, octets);
    } else {
        append_escaped(out, octets);
    }
}

/* ---- the lines that are there ---- */

enum fate {
    STAYS,   /* as it is */
    CHANGES, /* another value, and the rest of the line as it is */
    GOES,
    REFUSED, /* no profile may hold it: a comment from now on */
};

struct line {
    struct bytes text; /* with its end */
    struct bytes value;
    const struct profile_key *key;
    enum fate fate;
};

struct layout {
    GArray *lines;
    guint group;  /* which line is that of the group, from 1; 0 = none */
    guint *place; /* by key: which line sets it, from 1; 0 = none */
};

static guint *place_of(const struct layout *layout, const struct profile_key *key)
{
    return &layout->place[key - profile_keys()];
}

static gboolean says_the_same(const struct profile *profile, const struct line *line,
                              const char *folder)
{
    const struct profile_value *wanted = profile_value_at(profile, line->key);
    struct profile *there = profile_new();
    const struct profile_value *value = profile_value_at(there, line->key);
    gboolean same =
        profile_set_written(there, line->key, line->value, folder, line->key->name, NULL) &&
        g_strcmp0(value->text, wanted->text) == 0 &&
        (wanted->text != NULL ||
         secret_equal(secret_bytes(&value->octets), secret_bytes(&wanted->octets)));

    profile_free(there);
    return same;
}

static enum fate fate_of(const struct layout *layout, const struct profile *profile,
                         const struct line *line, const char *folder)
{
    if (line->key == NULL) {
        return REFUSED;
    }
    if (!profile_value_is_set(profile_value_at(profile, line->key)) ||
        *place_of(layout, line->key) != 0) {
        return GOES;
    }
    return says_the_same(profile, line, folder) ? STAYS : CHANGES;
}

static struct layout read_layout(const struct profile *profile, struct bytes text,
                                 const char *folder)
{
    struct layout layout = {.lines = g_array_new(FALSE, TRUE, sizeof(struct line)),
                            .place = g_new0(guint, profile_key_count())};
    gboolean in_group = FALSE;

    while (text.len > 0) {
        struct line line = {.text = profile_first_line(text)};
        struct profile_line read = profile_line_read(line.text);

        switch (read.kind) {
        case PROFILE_LINE_COMMENT:
            break;
        case PROFILE_LINE_GROUP:
            in_group = TRUE;
            layout.group = layout.group == 0 ? layout.lines->len + 1 : layout.group;
            break;
        case PROFILE_LINE_PAIR:
            line.key = in_group ? read.key : NULL;
            line.value = read.value;
            line.fate = fate_of(&layout, profile, &line, folder);
            break;
        case PROFILE_LINE_OTHER_GROUP:
            in_group = FALSE;
            line.fate = REFUSED;
            break;
        case PROFILE_LINE_NONE:
            line.fate = REFUSED;
            break;
        }
        g_array_append_val(layout.lines, line);
        if (line.fate == CHANGES || (line.fate == STAYS && line.key != NULL)) {
            *place_of(&layout, line.key) = layout.lines->len;
        }
        text = bytes_of(text.data + line.text.len, text.len - line.text.len);
    }
    return layout;
}

/* ---- the text ---- */

static void append_line(struct text *out, const struct profile *profile, const struct line *line)
{
    const uint8_t *rest = line->value.data + line->value.len;

    switch (line->fate) {
    case STAYS:
        append(out, line->text);
        break;
    case CHANGES:
        append(out, bytes_of(line->text.data, (size_t)(line->value.data - line->text.data)));
        append_value(out, profile, line->key);
        append(out, bytes_of(rest, line->text.len - (size_t)(rest - line->text.data)));
        break;
    case GOES:
        break;
    case REFUSED:
        append_string(out, "#");
        append(out, line->text);
        break;
    }
}

/* The end of a line that has none, of the last one. */
static void append_end(struct text *out, const char *end)
{
    if (out->len > 0 && out->octets.data[out->len - 1] != '\n') {
        append_string(out, end);
    }
}

/* The keys that are new, behind the line of the one before them in forms and in the manual. */
static void append_new(struct text *out, const struct profile *profile, const struct layout *layout,
                       guint behind, const char *end)
{
    guint place = layout->group;

    for (const struct profile_key *key = profile_keys(); key->name != NULL; key++) {
        if (*place_of(layout, key) != 0) {
            place = *place_of(layout, key);
        } else if (place == behind && profile_value_is_set(profile_value_at(profile, key))) {
            append_end(out, end);
            append_string(out, key->name);
            append_string(out, "=");
            append_value(out, profile, key);
            append_string(out, end);
        }
    }
}

static const char *end_of_lines(const struct layout *layout)
{
    struct bytes first = {0};

    if (layout->lines->len > 0) {
        first = g_array_index(layout->lines, struct line, 0).text;
    }
    return first.len > 1 && first.data[first.len - 2] == '\r' ? "\r\n" : "\n";
}

gboolean profile_to_text(const struct profile *profile, struct bytes old, const char *folder,
                         struct secret *text)
{
    struct bytes rest = profile_without_mark(old);
    struct layout layout = read_layout(profile, rest, folder);
    const char *end = end_of_lines(&layout);
    struct text out = {0};

    append(&out, bytes_of(old.data, old.len - rest.len));
    for (guint i = 0; i < layout.lines->len; i++) {
        append_line(&out, profile, &g_array_index(layout.lines, struct line, i));
        append_new(&out, profile, &layout, i + 1, end);
    }
    if (layout.group == 0) {
        append_end(&out, end);
        append_string(&out, PROFILE_GROUP);
        append_string(&out, end);
        append_new(&out, profile, &layout, 0, end);
    }
    g_array_unref(layout.lines);
    g_free(layout.place);
    /* What is behind is zero. */
    out.octets.len = out.len;
    secret_move(text, &out.octets);
    return !out.failed;
}
