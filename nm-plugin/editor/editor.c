/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <NetworkManager.h>

#include "common/i18n.h"
#include "gui/editor/editor.h"
#include "nm-plugin/editor/chooser.h"
#include "nm-plugin/editor/setting.h"

/*
 * The connection editor that programs with windows ask for: nm-connection-editor (GTK 3) and GNOME
 * Settings (GTK 4). One source, compiled for each.
 */
#define GODWIT_TYPE_EDITOR (godwit_editor_get_type())
G_DECLARE_FINAL_TYPE(GodwitEditor, godwit_editor, GODWIT, EDITOR, GObject)

struct _GodwitEditor {
    GObject parent;
    GtkWidget *widget;
};

static void implement(NMVpnEditorInterface *interface);

G_DEFINE_FINAL_TYPE_WITH_CODE(GodwitEditor, godwit_editor, G_TYPE_OBJECT,
                              G_IMPLEMENT_INTERFACE(NM_TYPE_VPN_EDITOR, implement))

/* NetworkManager has a name and an automatic connection of its own, and its routes know no
 * applications. */
static const char *const hidden[] = {"name", "autoconnect", "exclude-apps", "include-apps", NULL};

static void changed(gpointer self)
{
    g_signal_emit_by_name(self, "changed");
}

static GObject *get_widget(NMVpnEditor *editor)
{
    return G_OBJECT(GODWIT_EDITOR(editor)->widget);
}

static gboolean update_connection(NMVpnEditor *editor, NMConnection *connection, GError **error)
{
    const struct values *values = editor_values(GODWIT_EDITOR(editor)->widget);
    g_autoptr(GError) cause = NULL;
    if (!values_check(values, &cause)) {
        g_set_error_literal(error, NM_CONNECTION_ERROR, NM_CONNECTION_ERROR_INVALID_PROPERTY,
                            cause->message);
        return FALSE;
    }
    setting_from_values(values, connection);
    return TRUE;
}

static void implement(NMVpnEditorInterface *interface)
{
    interface->get_widget = get_widget;
    interface->update_connection = update_connection;
}

static void dispose(GObject *object)
{
    GodwitEditor *self = GODWIT_EDITOR(object);
    if (self->widget) {
        editor_forget(self->widget);
        g_clear_object(&self->widget);
    }
    G_OBJECT_CLASS(godwit_editor_parent_class)->dispose(object);
}

static void godwit_editor_class_init(GodwitEditorClass *class)
{
    G_OBJECT_CLASS(class)->dispose = dispose;
}

static void godwit_editor_init(GodwitEditor *self)
{
    (void)self;
}

G_MODULE_EXPORT NMVpnEditor *nm_vpn_editor_factory_godwit(NMVpnEditorPlugin *plugin,
                                                          NMConnection *connection, GError **error);

NMVpnEditor *nm_vpn_editor_factory_godwit(NMVpnEditorPlugin *plugin, NMConnection *connection,
                                          GError **error)
{
    const struct editor_options options = {
        .hidden = hidden, .has_keyring = TRUE, .make_chooser = chooser_new};
    (void)plugin;
    (void)error;
    GodwitEditor *self = g_object_new(GODWIT_TYPE_EDITOR, NULL);
    self->widget =
        g_object_ref_sink(editor_new(setting_to_values(connection), &options, changed, self));
    return NM_VPN_EDITOR(self);
}
