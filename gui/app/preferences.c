/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "gui/app/preferences.h"

#include <adwaita.h>

#include "common/addr.h"
#include "common/i18n.h"
#include "gui/app/autostart.h"
#include "gui/app/network_group.h"
#include "gui/window/field_row.h"
#include "gui/window/message.h"

struct preferences {
    GodwitWorld *world;
    GtkWidget *window, *autostart, *holding, *local, *excepted, *save;
    char *shown; /* of what is excepted */
    gboolean updating;
};

/* ---- start with the session ---- */

static gboolean on_autostart(GtkSwitch *toggle, gboolean on, gpointer data)
{
    struct preferences *preferences = data;
    g_autoptr(GError) error = NULL;

    if (autostart_set(on, &error)) {
        gtk_switch_set_state(toggle, on);
    } else {
        gtk_switch_set_active(toggle, autostart_is_on());
        message_show(GTK_WINDOW(preferences->window), _("Start at Login"), error->message);
    }
    return TRUE;
}

/* ---- the kill switch ---- */

/* What is typed is another matter. */
static void set_holding(struct preferences *preferences, gboolean on)
{
    g_auto(GStrv) excepted = godwit_world_dup_excepted(preferences->world);

    godwit_world_set_holding(preferences->world, on, (const char *const *)excepted);
}

static gboolean on_holding(GtkSwitch *toggle, gboolean on, gpointer data)
{
    struct preferences *preferences = data;

    (void)toggle;
    if (!preferences->updating) {
        set_holding(preferences, on);
    }
    return TRUE; /* the state follows the world */
}

/* Private and link-local addresses (RFC 1918, 3927, 4193, 4291). */
static const char *const local_networks[] = {
    "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "fc00::/7", "fe80::/10",
    NULL};

static gboolean is_local_excepted(struct preferences *preferences)
{
    g_auto(GStrv) excepted = godwit_world_dup_excepted(preferences->world);
    gboolean all = TRUE;

    for (const char *const *local = local_networks; *local != NULL; local++) {
        all = all && excepted != NULL && g_strv_contains((const char *const *)excepted, *local);
    }
    return all;
}

static gboolean on_local(GtkSwitch *toggle, gboolean on, gpointer data)
{
    struct preferences *preferences = data;
    g_auto(GStrv) excepted = godwit_world_dup_excepted(preferences->world);
    g_autoptr(GPtrArray) networks = g_ptr_array_new();

    (void)toggle;
    if (preferences->updating) {
        return TRUE;
    }
    for (char **each = excepted; each != NULL && *each != NULL; each++) {
        if (!g_strv_contains(local_networks, *each)) {
            g_ptr_array_add(networks, *each);
        }
    }
    for (const char *const *local = local_networks; on && *local != NULL; local++) {
        g_ptr_array_add(networks, (gpointer)*local);
    }
    g_ptr_array_add(networks, NULL);
    godwit_world_set_holding(preferences->world, godwit_world_is_holding(preferences->world),
                             (const char *const *)networks->pdata);
    return TRUE;
}

/* NULL: there is something in it that is no network. */
static char **typed_networks(struct preferences *preferences)
{
    const char *text = gtk_editable_get_text(GTK_EDITABLE(preferences->excepted));
    g_auto(GStrv) words = g_strsplit_set(text, ", ", -1);
    g_autoptr(GStrvBuilder) networks = g_strv_builder_new();
    struct prefix prefix;

    for (char **word = words; *word != NULL; word++) {
        if (**word != '\0') {
            if (!prefix_parse(&prefix, *word, false) || prefix.len == 0) {
                return NULL;
            }
            g_strv_builder_add(networks, *word);
        }
    }
    return g_strv_builder_end(networks);
}

static void on_excepted(struct preferences *preferences)
{
    g_auto(GStrv) networks = typed_networks(preferences);

    if (networks != NULL) {
        godwit_world_set_holding(preferences->world, godwit_world_is_holding(preferences->world),
                                 (const char *const *)networks);
    }
}

static void on_typed(struct preferences *preferences)
{
    const char *text = gtk_editable_get_text(GTK_EDITABLE(preferences->excepted));
    g_auto(GStrv) networks = typed_networks(preferences);

    gtk_widget_set_visible(preferences->save, g_strcmp0(text, preferences->shown) != 0);
    gtk_widget_set_sensitive(preferences->save, networks != NULL);
    field_mark(preferences->excepted, networks == NULL);
}

static void update(struct preferences *preferences)
{
    gboolean holding = godwit_world_is_holding(preferences->world);
    gboolean local = is_local_excepted(preferences);
    g_auto(GStrv) excepted = godwit_world_dup_excepted(preferences->world);
    g_autofree char *text = g_strjoinv(", ", excepted);

    preferences->updating = TRUE;
    gtk_switch_set_state(GTK_SWITCH(preferences->local), local);
    gtk_switch_set_active(GTK_SWITCH(preferences->local), local);
    if (g_strcmp0(preferences->shown, text) != 0) { /* what is being typed stays */
        g_free(preferences->shown);
        preferences->shown = g_strdup(text);
        gtk_editable_set_text(GTK_EDITABLE(preferences->excepted), text);
    }
    gtk_switch_set_state(GTK_SWITCH(preferences->holding), holding);
    gtk_switch_set_active(GTK_SWITCH(preferences->holding), holding);
    preferences->updating = FALSE;
}

/* What was wanted here did not come about, which would be told in the window behind this one. */
static void on_failed(struct preferences *preferences)
{
    const struct godwit_failure *failure = godwit_world_get_failure(preferences->world);

    if (*failure->name == '\0') {
        message_show(GTK_WINDOW(preferences->window), failure->sentence,
                     *failure->detail == '\0' ? failure->hint : failure->detail);
        godwit_world_dismiss_failure(preferences->world);
    }
}

/* ---- the window ---- */

static GtkWidget *add_switch(GtkWidget *group, const char *title, const char *subtitle, gboolean on)
{
    GtkWidget *row, *toggle = switch_row_new(title, subtitle, on, &row);

    adw_preferences_group_add(ADW_PREFERENCES_GROUP(group), row);
    return toggle;
}

static GtkWidget *add_group(GtkWidget *page, const char *title)
{
    GtkWidget *group = adw_preferences_group_new();

    adw_preferences_group_set_title(ADW_PREFERENCES_GROUP(group), title);
    adw_preferences_page_add(ADW_PREFERENCES_PAGE(page), ADW_PREFERENCES_GROUP(group));
    return group;
}

static void add_excepted(struct preferences *preferences, GtkWidget *group)
{
    GtkWidget *row;

    preferences->excepted = gtk_entry_new();
    gtk_entry_set_has_frame(GTK_ENTRY(preferences->excepted), FALSE);
    g_signal_connect_swapped(preferences->excepted, "changed", G_CALLBACK(on_typed), preferences);
    g_signal_connect_swapped(preferences->excepted, "activate", G_CALLBACK(on_excepted),
                             preferences);
    preferences->save = gtk_button_new_from_icon_name("object-select-symbolic");
    gtk_widget_set_tooltip_text(preferences->save, _("Save"));
    gtk_accessible_update_property(GTK_ACCESSIBLE(preferences->save), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                   _("Save"), -1);
    gtk_widget_add_css_class(preferences->save, "flat");
    gtk_widget_set_visible(preferences->save, FALSE);
    g_signal_connect_swapped(preferences->save, "clicked", G_CALLBACK(on_excepted), preferences);
    row = field_row_new(preferences->excepted,
                        _("Networks That Stay Reachable (192.168.1.0/24, …)"), preferences->save);
    adw_preferences_group_add(ADW_PREFERENCES_GROUP(group), row);
}

static void add_kill_switch(struct preferences *preferences, GtkWidget *page)
{
    GtkWidget *group = add_group(page, _("Kill Switch"));

    preferences->holding =
        add_switch(group, _("Hold Traffic While Nothing Is Connected"),
                   _("For every user of this computer, and after a restart as well"), FALSE);
    g_signal_connect(preferences->holding, "state-set", G_CALLBACK(on_holding), preferences);
    preferences->local = add_switch(group, _("Let the Local Network Through"),
                                    _("Private addresses: printers, storage and the like"), FALSE);
    g_signal_connect(preferences->local, "state-set", G_CALLBACK(on_local), preferences);
    add_excepted(preferences, group);
}

static void on_destroy(struct preferences *preferences)
{
    g_signal_handlers_disconnect_by_data(preferences->world, preferences);
    g_object_unref(preferences->world);
    g_free(preferences->shown);
    g_free(preferences);
}

void preferences_show(GtkWindow *parent, GodwitWorld *world, struct untrusted *untrusted)
{
    struct preferences *preferences = g_new0(struct preferences, 1);
    GtkWidget *page = adw_preferences_page_new(), *group = add_group(page, _("Program"));

    preferences->world = g_object_ref(world);
    preferences->window = adw_preferences_window_new();
    preferences->autostart =
        add_switch(group, _("Start at Login"),
                   _("The icon is in the panel as soon as you have logged in"), autostart_is_on());
    g_signal_connect(preferences->autostart, "state-set", G_CALLBACK(on_autostart), preferences);
    adw_preferences_page_add(ADW_PREFERENCES_PAGE(page),
                             ADW_PREFERENCES_GROUP(network_group_new(world, untrusted)));
    add_kill_switch(preferences, page);
    adw_preferences_window_add(ADW_PREFERENCES_WINDOW(preferences->window),
                               ADW_PREFERENCES_PAGE(page));
    adw_preferences_window_set_search_enabled(ADW_PREFERENCES_WINDOW(preferences->window), FALSE);
    gtk_window_set_transient_for(GTK_WINDOW(preferences->window), parent);
    gtk_window_set_modal(GTK_WINDOW(preferences->window), TRUE);
    g_signal_connect_swapped(preferences->window, "destroy", G_CALLBACK(on_destroy), preferences);
    g_signal_connect_swapped(world, "changed", G_CALLBACK(update), preferences);
    g_signal_connect_swapped(world, "failed", G_CALLBACK(on_failed), preferences);
    godwit_world_wake(world);
    update(preferences);
    gtk_window_present(GTK_WINDOW(preferences->window));
}
