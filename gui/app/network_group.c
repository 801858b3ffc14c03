/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "gui/app/network_group.h"

#include <adwaita.h>
#include <string.h>

#include "common/i18n.h"
#include "gui/model/choices.h"
#include "gui/questions/shown.h"

struct network_group {
    GodwitWorld *world;
    struct untrusted *untrusted;
    GodwitNetworks *networks;
    struct choices *choices;
    GtkWidget *group, *connects, *profile, *trusted;
    GPtrArray *rows;     /* of networks */
    GPtrArray *profiles; /* names, as the entries of the list */
};

static void save(struct network_group *group)
{
    g_autoptr(GError) error = NULL;

    if (!choices_save(group->choices, &error)) {
        g_autofree char *text = shown_text(error->message);

        adw_preferences_group_set_description(ADW_PREFERENCES_GROUP(group->group), text);
    }
    untrusted_update(group->untrusted);
}

/* ---- whether, and which ---- */

static void on_connects(struct network_group *group)
{
    group->choices->connects = gtk_switch_get_active(GTK_SWITCH(group->connects));
    save(group);
}

static void on_profile(struct network_group *group)
{
    guint at = adw_combo_row_get_selected(ADW_COMBO_ROW(group->profile));

    if (at < group->profiles->len) {
        g_free(group->choices->profile);
        group->choices->profile = g_strdup(group->profiles->pdata[at]);
        save(group);
    }
}

static void add_profiles(struct network_group *group)
{
    GListModel *profiles = G_LIST_MODEL(godwit_world_get_profiles(group->world));
    const GodwitProfile *chosen = choices_find_profile(group->choices, profiles);
    g_autoptr(GtkStringList) titles = gtk_string_list_new(NULL);
    guint selected = GTK_INVALID_LIST_POSITION;

    for (guint i = 0; i < g_list_model_get_n_items(profiles); i++) {
        g_autoptr(GodwitProfile) profile = g_list_model_get_item(profiles, i);
        g_autofree char *title = shown_line(godwit_profile_get_title(profile), 60);

        gtk_string_list_append(titles, title);
        g_ptr_array_add(group->profiles, choices_name_of(profile));
        if (profile == chosen) {
            selected = i;
        }
    }
    group->profile = adw_combo_row_new();
    adw_preferences_row_set_title(ADW_PREFERENCES_ROW(group->profile), _("Connection"));
    adw_combo_row_set_model(ADW_COMBO_ROW(group->profile), G_LIST_MODEL(titles));
    adw_combo_row_set_selected(ADW_COMBO_ROW(group->profile), selected);
    g_signal_connect_swapped(group->profile, "notify::selected", G_CALLBACK(on_profile), group);
    adw_preferences_group_add(ADW_PREFERENCES_GROUP(group->group), group->profile);
}

/* ---- which are trusted ---- */

static void on_trusted(GtkSwitch *toggle, GParamSpec *property, struct network_group *group)
{
    const char *uuid = g_object_get_data(G_OBJECT(toggle), "uuid");

    (void)property;
    if (gtk_switch_get_active(toggle)) {
        g_hash_table_add(group->choices->trusted, g_strdup(uuid));
    } else {
        g_hash_table_remove(group->choices->trusted, uuid);
    }
    save(group);
}

static const char *kind_words(enum godwit_network_kind kind)
{
    switch (kind) {
    case GODWIT_NETWORK_WIFI:
        return _("Wi-Fi");
    case GODWIT_NETWORK_OPEN_WIFI:
        return _("Wi-Fi without a password: anybody can set up one of that name");
    case GODWIT_NETWORK_CABLE:
        return _("By cable, whichever network it leads to");
    case GODWIT_NETWORK_MOBILE:
        return _("Mobile network");
    }
    return "";
}

static void add_network(struct network_group *group, const struct godwit_network *network)
{
    gboolean current = strcmp(godwit_networks_get_current(group->networks), network->uuid) == 0;
    gboolean on = g_hash_table_contains(group->choices->trusted, network->uuid);
    g_autofree char *name = shown_line(network->name, 60), *subtitle = NULL, *title = NULL;
    GtkWidget *row, *toggle;

    subtitle = current ? g_strdup_printf("%s. %s", _("In use"), kind_words(network->kind))
                       : g_strdup(kind_words(network->kind));
    title = g_markup_escape_text(name, -1);
    toggle = switch_row_new(title, subtitle, on, &row);
    gtk_accessible_update_property(GTK_ACCESSIBLE(toggle), GTK_ACCESSIBLE_PROPERTY_LABEL, name, -1);
    g_object_set_data_full(G_OBJECT(toggle), "uuid", g_strdup(network->uuid), g_free);
    g_signal_connect(toggle, "notify::active", G_CALLBACK(on_trusted), group);
    adw_expander_row_add_row(ADW_EXPANDER_ROW(group->trusted), row);
    g_ptr_array_add(group->rows, row);
}

static void show_networks(struct network_group *group)
{
    const GPtrArray *known = godwit_networks_get_known(group->networks);
    gboolean running = godwit_networks_is_running(group->networks);

    gtk_widget_set_sensitive(group->group, running);
    adw_preferences_group_set_description(ADW_PREFERENCES_GROUP(group->group),
                                          running ? NULL : _("This needs NetworkManager."));
    for (guint i = 0; i < group->rows->len; i++) {
        adw_expander_row_remove(ADW_EXPANDER_ROW(group->trusted), group->rows->pdata[i]);
    }
    g_ptr_array_set_size(group->rows, 0);
    for (guint i = 0; i < known->len; i++) {
        add_network(group, known->pdata[i]);
    }
    gtk_widget_set_sensitive(group->trusted, known->len > 0);
}

/* ---- all of it ---- */

GtkWidget *switch_row_new(const char *title, const char *subtitle, gboolean on, GtkWidget **row)
{
    GtkWidget *toggle = gtk_switch_new();

    *row = adw_action_row_new();
    gtk_widget_set_valign(toggle, GTK_ALIGN_CENTER);
    gtk_switch_set_active(GTK_SWITCH(toggle), on);
    adw_preferences_row_set_title(ADW_PREFERENCES_ROW(*row), title);
    adw_action_row_set_subtitle(ADW_ACTION_ROW(*row), subtitle);
    adw_action_row_add_suffix(ADW_ACTION_ROW(*row), toggle);
    adw_action_row_set_activatable_widget(ADW_ACTION_ROW(*row), toggle);
    gtk_accessible_update_property(GTK_ACCESSIBLE(toggle), GTK_ACCESSIBLE_PROPERTY_LABEL, title,
                                   -1);
    return toggle;
}

static void on_destroy(struct network_group *group)
{
    g_signal_handlers_disconnect_by_data(group->networks, group);
    g_signal_handlers_disconnect_by_data(group->profile, group);
    g_object_unref(group->networks);
    g_object_unref(group->world);
    choices_free(group->choices);
    g_ptr_array_unref(group->rows);
    g_ptr_array_unref(group->profiles);
    g_free(group);
}

GtkWidget *network_group_new(GodwitWorld *world, struct untrusted *untrusted)
{
    struct network_group *group = g_new0(struct network_group, 1);
    GtkWidget *row;

    group->world = g_object_ref(world);
    group->untrusted = untrusted;
    group->networks = g_object_ref(untrusted_get_networks(untrusted));
    group->choices = choices_load();
    group->rows = g_ptr_array_new();
    group->profiles = g_ptr_array_new_with_free_func(g_free);
    group->group = adw_preferences_group_new();
    adw_preferences_group_set_title(ADW_PREFERENCES_GROUP(group->group), _("Networks"));
    group->connects =
        switch_row_new(_("Connect on Networks That Are Not Trusted"),
                       _("As soon as this computer joins one"), group->choices->connects, &row);
    g_signal_connect_swapped(group->connects, "notify::active", G_CALLBACK(on_connects), group);
    adw_preferences_group_add(ADW_PREFERENCES_GROUP(group->group), row);
    add_profiles(group);
    group->trusted = adw_expander_row_new();
    adw_preferences_row_set_title(ADW_PREFERENCES_ROW(group->trusted), _("Trusted Networks"));
    adw_preferences_group_add(ADW_PREFERENCES_GROUP(group->group), group->trusted);
    g_signal_connect_swapped(group->networks, "changed", G_CALLBACK(show_networks), group);
    g_signal_connect_swapped(group->group, "destroy", G_CALLBACK(on_destroy), group);
    godwit_networks_list(group->networks);
    show_networks(group);
    return group->group;
}
