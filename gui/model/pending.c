/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "gui/model/pending.h"

enum wanted { WANTED, UNWANTED, ENDED };

struct one {
    enum wanted wanted;
    char *path; /* NULL = godwitd has not answered */
};

struct pending {
    GHashTable *asked; /* struct one by title */
};

static void free_one(gpointer data)
{
    struct one *one = data;

    g_free(one->path);
    g_free(one);
}

struct pending *pending_new(void)
{
    struct pending *pending = g_new(struct pending, 1);

    pending->asked = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, free_one);
    return pending;
}

void pending_free(struct pending *pending)
{
    g_hash_table_unref(pending->asked);
    g_free(pending);
}

static struct one *find(const struct pending *pending, const char *title)
{
    return g_hash_table_lookup(pending->asked, title);
}

void pending_ask(struct pending *pending, const char *title)
{
    g_hash_table_replace(pending->asked, g_strdup(title), g_new0(struct one, 1));
}

gboolean pending_is_asked(const struct pending *pending, const char *title)
{
    return find(pending, title) != NULL;
}

gboolean pending_is_empty(const struct pending *pending)
{
    return g_hash_table_size(pending->asked) == 0;
}

void pending_call_off(struct pending *pending, const char *title)
{
    struct one *one = find(pending, title);

    if (one != NULL && one->wanted == WANTED) {
        one->wanted = UNWANTED;
    }
}

gboolean pending_take_unwanted(struct pending *pending, const char *title)
{
    struct one *one = find(pending, title);
    gboolean unwanted = one != NULL && one->wanted == UNWANTED;

    if (unwanted) {
        one->wanted = ENDED;
    }
    return unwanted;
}

void pending_forget(struct pending *pending, const char *title)
{
    g_hash_table_remove(pending->asked, title);
}

void pending_begin(struct pending *pending, const char *title, const char *path)
{
    struct one *one = find(pending, title);

    if (one != NULL) {
        g_free(one->path);
        one->path = g_strdup(path);
    }
}

const char *pending_title_of(const struct pending *pending, const char *path)
{
    GHashTableIter iter;
    gpointer title, one;

    g_hash_table_iter_init(&iter, pending->asked);
    while (g_hash_table_iter_next(&iter, &title, &one)) {
        if (g_strcmp0(((struct one *)one)->path, path) == 0) {
            return title;
        }
    }
    return NULL;
}

GPtrArray *pending_paths(const struct pending *pending)
{
    GPtrArray *paths = g_ptr_array_new_with_free_func(g_free);
    GHashTableIter iter;
    gpointer one;

    g_hash_table_iter_init(&iter, pending->asked);
    while (g_hash_table_iter_next(&iter, NULL, &one)) {
        if (((struct one *)one)->path != NULL) {
            g_ptr_array_add(paths, g_strdup(((struct one *)one)->path));
        }
    }
    return paths;
}
