/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "gui/window/profile_row.h"

#include "common/i18n.h"
#include "gui/model/text.h"

struct _GodwitProfileRow {
    AdwActionRow parent;
    GodwitWorld *world;
    GodwitProfile *profile; /* NULL: of a session alone */
    GodwitSession *session; /* NULL: of a profile */
    GtkWidget *toggle, *more;
    gboolean updating;
};

G_DEFINE_FINAL_TYPE(GodwitProfileRow, godwit_profile_row, ADW_TYPE_ACTION_ROW)

GodwitProfile *godwit_profile_row_get_profile(GodwitProfileRow *row)
{
    return row->profile;
}

GodwitSession *godwit_profile_row_get_session(GodwitProfileRow *row)
{
    return row->profile == NULL ? row->session
                                : godwit_world_find_session(row->world, row->profile);
}

static char *subtitle_of(GodwitProfileRow *row, GodwitSession *session)
{
    const char *why = row->profile == NULL ? NULL : godwit_profile_get_why(row->profile);

    return session != NULL ? godwit_session_dup_words(session)
           : godwit_world_is_asked(row->world, row->profile)
               ? g_strdup(godwit_state_words(GODWIT_CONNECTING))
           : why != NULL ? g_strdup(why)
                         : shown_text(godwit_profile_get_gateway(row->profile));
}

static void update(GodwitProfileRow *row)
{
    GodwitSession *session = godwit_profile_row_get_session(row);
    gboolean asked = row->profile != NULL && godwit_world_is_asked(row->world, row->profile);
    gboolean usable = row->profile == NULL || godwit_profile_get_why(row->profile) == NULL;
    g_autofree char *subtitle = subtitle_of(row, session);
    gboolean on = session != NULL ? !godwit_session_is_ending(session) : asked;

    adw_action_row_set_subtitle(ADW_ACTION_ROW(row), subtitle);
    row->updating = TRUE;
    /* The switch shows what is wanted; its ground, what is so. */
    gtk_switch_set_state(GTK_SWITCH(row->toggle),
                         session != NULL && godwit_session_get_state(session) == GODWIT_ON);
    gtk_switch_set_active(GTK_SWITCH(row->toggle), on);
    row->updating = FALSE;
    gtk_widget_set_sensitive(row->toggle, usable || session != NULL);
}

static void update_later(GodwitWorld *world, gpointer row)
{
    (void)world;
    update(row);
}

static gboolean on_toggled(GtkSwitch *toggle, gboolean wanted, gpointer data)
{
    GodwitProfileRow *row = data;
    GodwitSession *session = godwit_profile_row_get_session(row);

    (void)toggle;
    if (row->updating) {
        return TRUE;
    }
    if (wanted && session == NULL && row->profile != NULL) {
        godwit_world_connect(row->world, row->profile);
    } else if (!wanted && row->profile != NULL) {
        godwit_world_disconnect(row->world, row->profile);
    } else if (!wanted) {
        godwit_world_end(row->world, session);
    }
    return TRUE; /* the state follows the world */
}

static void godwit_profile_row_dispose(GObject *object)
{
    GodwitProfileRow *row = GODWIT_PROFILE_ROW(object);

    g_clear_object(&row->profile);
    g_clear_object(&row->session);
    g_clear_object(&row->world);
    G_OBJECT_CLASS(godwit_profile_row_parent_class)->dispose(object);
}

static void godwit_profile_row_class_init(GodwitProfileRowClass *class)
{
    G_OBJECT_CLASS(class)->dispose = godwit_profile_row_dispose;
}

/* As if the row was pressed. */
static void on_more(GodwitProfileRow *row)
{
    g_signal_emit_by_name(row, "activate");
}

static void godwit_profile_row_init(GodwitProfileRow *row)
{
    row->toggle = gtk_switch_new();
    gtk_widget_set_valign(row->toggle, GTK_ALIGN_CENTER);
    g_signal_connect(row->toggle, "state-set", G_CALLBACK(on_toggled), row);
    /* Names come from files and from others. */
    adw_preferences_row_set_use_markup(ADW_PREFERENCES_ROW(row), FALSE);
    adw_action_row_set_title_lines(ADW_ACTION_ROW(row), 2);
    adw_action_row_set_subtitle_lines(ADW_ACTION_ROW(row), 3);
    adw_action_row_add_suffix(ADW_ACTION_ROW(row), row->toggle);
    row->more = gtk_button_new_from_icon_name("go-next-symbolic");
    gtk_widget_set_valign(row->more, GTK_ALIGN_CENTER);
    gtk_widget_add_css_class(row->more, "flat");
    g_signal_connect_swapped(row->more, "clicked", G_CALLBACK(on_more), row);
    adw_action_row_add_suffix(ADW_ACTION_ROW(row), row->more);
    gtk_list_box_row_set_activatable(GTK_LIST_BOX_ROW(row), TRUE);
}

static GtkWidget *make(GodwitWorld *world, GodwitProfile *profile, GodwitSession *session,
                       const char *title)
{
    GodwitProfileRow *row = g_object_new(GODWIT_TYPE_PROFILE_ROW, NULL);
    g_autofree char *details = g_strdup_printf(_("Details of %s"), title);

    row->world = g_object_ref(world);
    row->profile = profile == NULL ? NULL : g_object_ref(profile);
    row->session = session == NULL ? NULL : g_object_ref(session);
    adw_preferences_row_set_title(ADW_PREFERENCES_ROW(row), title);
    gtk_accessible_update_property(GTK_ACCESSIBLE(row->toggle), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                   title, -1);
    gtk_widget_set_tooltip_text(row->more, _("Details"));
    gtk_accessible_update_property(GTK_ACCESSIBLE(row->more), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                   details, -1);
    g_signal_connect_object(world, "changed", G_CALLBACK(update_later), row, 0);
    update(row);
    return GTK_WIDGET(row);
}

GtkWidget *godwit_profile_row_new(GodwitWorld *world, GodwitProfile *profile)
{
    g_autofree char *title = shown_text(godwit_profile_get_title(profile));

    return make(world, profile, NULL, title);
}

GtkWidget *godwit_profile_row_new_for_session(GodwitWorld *world, GodwitSession *session)
{
    g_autofree char *title = godwit_session_dup_text(session, "Name");

    return make(world, NULL, session, title);
}
