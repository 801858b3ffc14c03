/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "gui/tray/menu.h"

#include <libdbusmenu-glib/dbusmenu-glib.h>
#include <string.h>

#include "common/i18n.h"
#include "gui/model/text.h"

enum { NAME_MAX_CHARACTERS = 60, SENTENCE_MAX_CHARACTERS = 160 };

struct tray_menu {
    GodwitWorld *world;
    const struct tray_menu_ops *ops;
    void *context;
    DbusmenuServer *server;
    DbusmenuMenuitem *root;
    GPtrArray *keys; /* what the items stand for, in their order */
};

/* ---- one item ---- */

/* No mnemonics: underscores are doubled. */
static char *label_of(const char *text, glong characters)
{
    g_autofree char *shown = shown_text(text);
    g_auto(GStrv) parts = NULL;

    if (g_utf8_strlen(shown, -1) > characters) {
        g_autofree char *cut = g_utf8_substring(shown, 0, characters);

        g_free(shown);
        shown = g_strconcat(cut, "…", NULL);
    }
    parts = g_strsplit(shown, "_", -1);
    return g_strjoinv("__", parts);
}

/* Items while they are listed: their kind, what they act upon, and how they look. */
struct line {
    enum {
        LINE_TEXT,
        LINE_FAILURE,
        LINE_SEPARATOR,
        LINE_PROFILE,
        LINE_SESSION,
        LINE_DISCONNECT,
        LINE_OPEN,
        LINE_QUIT
    } kind;
    GObject *object; /* the profile or session; NULL = none */
    const char *label;
    gboolean enabled, on;
};

static void on_activated(DbusmenuMenuitem *item, guint time, gpointer data);

/* Two lists with the same keys differ in their looks alone. */
static char *key_of(const struct line *line)
{
    return g_strdup_printf("%d %p", (int)line->kind, (void *)line->object);
}

static void set_looks(DbusmenuMenuitem *item, const struct line *line)
{
    g_autofree char *label = label_of(
        line->label, line->kind == LINE_FAILURE ? SENTENCE_MAX_CHARACTERS : NAME_MAX_CHARACTERS);

    if (line->kind == LINE_SEPARATOR) {
        dbusmenu_menuitem_property_set(item, DBUSMENU_MENUITEM_PROP_TYPE, "separator");
        return;
    }
    dbusmenu_menuitem_property_set(item, DBUSMENU_MENUITEM_PROP_LABEL, label);
    dbusmenu_menuitem_property_set_bool(item, DBUSMENU_MENUITEM_PROP_ENABLED, line->enabled);
    if (line->kind == LINE_PROFILE || line->kind == LINE_SESSION) {
        dbusmenu_menuitem_property_set(item, DBUSMENU_MENUITEM_PROP_TOGGLE_TYPE,
                                       DBUSMENU_MENUITEM_TOGGLE_CHECK);
        dbusmenu_menuitem_property_set_int(item, DBUSMENU_MENUITEM_PROP_TOGGLE_STATE,
                                           line->on ? DBUSMENU_MENUITEM_TOGGLE_STATE_CHECKED
                                                    : DBUSMENU_MENUITEM_TOGGLE_STATE_UNCHECKED);
    }
}

static DbusmenuMenuitem *item_of(struct tray_menu *menu, const struct line *line)
{
    DbusmenuMenuitem *item = dbusmenu_menuitem_new();

    g_object_set_data(G_OBJECT(item), "kind", GINT_TO_POINTER(line->kind));
    if (line->object != NULL) {
        g_object_set_data_full(G_OBJECT(item), "object", g_object_ref(line->object),
                               g_object_unref);
    }
    g_signal_connect(item, DBUSMENU_MENUITEM_SIGNAL_ITEM_ACTIVATED, G_CALLBACK(on_activated), menu);
    return item;
}

static void toggle_profile(GodwitWorld *world, GodwitProfile *profile)
{
    if (godwit_world_find_session(world, profile) != NULL ||
        godwit_world_is_asked(world, profile)) {
        godwit_world_disconnect(world, profile);
    } else {
        godwit_world_connect(world, profile);
    }
}

static void on_activated(DbusmenuMenuitem *item, guint time, gpointer data)
{
    struct tray_menu *menu = data;
    gpointer object = g_object_get_data(G_OBJECT(item), "object");

    (void)time;
    switch (GPOINTER_TO_INT(g_object_get_data(G_OBJECT(item), "kind"))) {
    case LINE_PROFILE:
        toggle_profile(menu->world, object);
        break;
    case LINE_SESSION:
    case LINE_DISCONNECT:
        godwit_world_end(menu->world, object);
        break;
    case LINE_FAILURE:
    case LINE_OPEN:
        menu->ops->open(menu->context);
        break;
    case LINE_QUIT:
        menu->ops->quit(menu->context);
        break;
    }
}

/* ---- all of them ---- */

static void add(GArray *lines, struct line line)
{
    g_array_append_val(lines, line);
}

static void add_separator(GArray *lines)
{
    add(lines, (struct line){.kind = LINE_SEPARATOR, .label = ""});
}

/* The connection that matters most: its state, its addresses. */
static void add_state(struct tray_menu *menu, GArray *lines, GStringChunk *texts)
{
    GodwitSession *session = godwit_world_get_main_session(menu->world);
    g_autofree char *words = NULL, *name = NULL, *addresses = NULL;

    if (session == NULL) {
        add(lines,
            (struct line){.kind = LINE_TEXT,
                          .label = godwit_state_words(godwit_world_get_protection(menu->world))});
        return;
    }
    name = godwit_session_dup_text(session, "Name");
    words = godwit_session_dup_words(session);
    addresses = godwit_session_dup_list(session, "Addresses");
    g_autofree char *line = g_strdup_printf("%s — %s", name, words);

    add(lines, (struct line){.kind = LINE_TEXT, .label = g_string_chunk_insert(texts, line)});
    if (*addresses != '\0') {
        add(lines,
            (struct line){.kind = LINE_TEXT, .label = g_string_chunk_insert(texts, addresses)});
    }
}

/* The window tells all of it. */
static void add_failure(struct tray_menu *menu, GArray *lines, GStringChunk *texts)
{
    const struct godwit_failure *failure = godwit_world_get_failure(menu->world);

    if (failure != NULL) {
        g_autofree char *line = godwit_failure_dup_line(failure);

        add(lines, (struct line){.kind = LINE_FAILURE,
                                 .label = g_string_chunk_insert(texts, line),
                                 .enabled = TRUE});
    }
}

static void add_profiles(struct tray_menu *menu, GArray *lines)
{
    GListModel *profiles = G_LIST_MODEL(godwit_world_get_profiles(menu->world));

    for (guint i = 0; i < g_list_model_get_n_items(profiles); i++) {
        g_autoptr(GodwitProfile) profile = g_list_model_get_item(profiles, i);

        add(lines, (struct line){.kind = LINE_PROFILE,
                                 .object = G_OBJECT(profile),
                                 .label = godwit_profile_get_title(profile),
                                 .enabled = godwit_profile_get_why(profile) == NULL,
                                 .on = godwit_world_find_session(menu->world, profile) != NULL ||
                                       godwit_world_is_asked(menu->world, profile)});
    }
}

static gboolean has_profile(struct tray_menu *menu, GodwitSession *session)
{
    GListModel *profiles = G_LIST_MODEL(godwit_world_get_profiles(menu->world));

    for (guint i = 0; i < g_list_model_get_n_items(profiles); i++) {
        g_autoptr(GodwitProfile) profile = g_list_model_get_item(profiles, i);

        if (godwit_world_find_session(menu->world, profile) == session) {
            return TRUE;
        }
    }
    return FALSE;
}

/* Sessions that no profile of ours stands for. */
static void add_sessions(struct tray_menu *menu, GArray *lines, GStringChunk *texts)
{
    GListModel *sessions = godwit_world_get_sessions(menu->world);

    for (guint i = 0; i < g_list_model_get_n_items(sessions); i++) {
        g_autoptr(GodwitSession) session = g_list_model_get_item(sessions, i);
        g_autofree char *name = godwit_session_dup_text(session, "Name");

        if (!has_profile(menu, session)) {
            add(lines, (struct line){.kind = LINE_SESSION,
                                     .object = G_OBJECT(session),
                                     .label = g_string_chunk_insert(texts, name),
                                     .enabled = TRUE,
                                     .on = TRUE});
        }
    }
}

/* Where there are several each has its name. */
static void add_disconnects(struct tray_menu *menu, GArray *lines, GStringChunk *texts)
{
    GListModel *sessions = godwit_world_get_sessions(menu->world);
    guint n = g_list_model_get_n_items(sessions);

    for (guint i = 0; i < n; i++) {
        g_autoptr(GodwitSession) session = g_list_model_get_item(sessions, i);
        g_autofree char *name = godwit_session_dup_text(session, "Name");
        g_autofree char *named = g_strdup_printf("%s — %s", _("Disconnect"), name);

        add(lines,
            (struct line){.kind = LINE_DISCONNECT,
                          .object = G_OBJECT(session),
                          .label = n == 1 ? _("Disconnect") : g_string_chunk_insert(texts, named),
                          .enabled = !godwit_session_is_ending(session)});
    }
}

static void add_ends(struct tray_menu *menu, GArray *lines, GStringChunk *texts)
{
    add_separator(lines);
    add_disconnects(menu, lines, texts);
    add(lines, (struct line){.kind = LINE_OPEN, .label = _("Open Godwit"), .enabled = TRUE});
    add(lines, (struct line){.kind = LINE_QUIT, .label = _("Quit"), .enabled = TRUE});
}

/* The lists keep the objects of `lines` while it is used. */
static void show(struct tray_menu *menu, const GArray *lines)
{
    g_autoptr(GPtrArray) keys = g_ptr_array_new_with_free_func(g_free);
    GList *items, *item;
    gboolean same = lines->len == menu->keys->len;

    for (guint i = 0; i < lines->len; i++) {
        g_ptr_array_add(keys, key_of(&g_array_index(lines, struct line, i)));
        same = same && strcmp(keys->pdata[i], menu->keys->pdata[i]) == 0;
    }
    if (!same) {
        items = dbusmenu_menuitem_take_children(menu->root);
        g_list_free_full(items, g_object_unref);
        for (guint i = 0; i < lines->len; i++) {
            DbusmenuMenuitem *made = item_of(menu, &g_array_index(lines, struct line, i));

            set_looks(made, &g_array_index(lines, struct line, i));
            dbusmenu_menuitem_child_append(menu->root, made);
            g_object_unref(made);
        }
        g_ptr_array_unref(menu->keys);
        menu->keys = g_steal_pointer(&keys);
        return;
    }
    item = dbusmenu_menuitem_get_children(menu->root);
    for (guint i = 0; i < lines->len && item != NULL; i++, item = item->next) {
        set_looks(item->data, &g_array_index(lines, struct line, i));
    }
}

static void update(struct tray_menu *menu)
{
    g_autoptr(GArray) lines = g_array_new(FALSE, FALSE, sizeof(struct line));
    GStringChunk *texts = g_string_chunk_new(256);

    add_state(menu, lines, texts);
    add_failure(menu, lines, texts);
    add_separator(lines);
    add_profiles(menu, lines);
    add_sessions(menu, lines, texts);
    add_ends(menu, lines, texts);
    show(menu, lines);
    g_string_chunk_free(texts);
}

static gboolean on_about_to_show(DbusmenuMenuitem *root, gpointer data)
{
    struct tray_menu *menu = data;

    (void)root;
    godwit_world_wake(menu->world);
    return TRUE;
}

struct tray_menu *tray_menu_new(GodwitWorld *world, const struct tray_menu_ops *ops, void *context)
{
    struct tray_menu *menu = g_new0(struct tray_menu, 1);
    GodwitProfiles *profiles = godwit_world_get_profiles(world);

    menu->world = g_object_ref(world);
    menu->ops = ops;
    menu->context = context;
    menu->keys = g_ptr_array_new_with_free_func(g_free);
    menu->root = dbusmenu_menuitem_new();
    g_signal_connect(menu->root, DBUSMENU_MENUITEM_SIGNAL_ABOUT_TO_SHOW,
                     G_CALLBACK(on_about_to_show), menu);
    menu->server = dbusmenu_server_new(TRAY_MENU_PATH);
    update(menu);
    dbusmenu_server_set_root(menu->server, menu->root);
    g_signal_connect_swapped(world, "changed", G_CALLBACK(update), menu);
    g_signal_connect_swapped(profiles, "items-changed", G_CALLBACK(update), menu);
    return menu;
}

void tray_menu_free(struct tray_menu *menu)
{
    if (menu != NULL) {
        g_signal_handlers_disconnect_by_data(menu->world, menu);
        g_signal_handlers_disconnect_by_data(godwit_world_get_profiles(menu->world), menu);
        g_object_unref(menu->server);
        g_object_unref(menu->root);
        g_object_unref(menu->world);
        g_ptr_array_unref(menu->keys);
        g_free(menu);
    }
}
