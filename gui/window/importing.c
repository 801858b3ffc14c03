/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "gui/window/importing.h"

#include <adwaita.h>
#include <string.h>

#include "common/i18n.h"
#include "gui/model/store.h"
#include "gui/questions/shown.h"

static void tell(GtkWindow *parent, const char *heading, const GError *error)
{
    g_autofree char *text = shown_text(error->message);
    GtkWidget *dialog = adw_message_dialog_new(parent, heading, text);

    adw_message_dialog_add_response(ADW_MESSAGE_DIALOG(dialog), "close", _("_Close"));
    gtk_window_present(GTK_WINDOW(dialog));
}

/* ---- importing ---- */

static void import(GtkWindow *parent, GFile *file)
{
    g_autofree char *path = g_file_get_path(file);
    g_autoptr(GError) error = NULL;

    if (path != NULL && !store_import(path, &error)) {
        tell(parent, _("It Cannot Be Imported"), error);
    }
}

static void on_chosen(GtkNativeDialog *dialog, int response, gpointer parent)
{
    if (response == GTK_RESPONSE_ACCEPT) {
        g_autoptr(GFile) file = gtk_file_chooser_get_file(GTK_FILE_CHOOSER(dialog));

        import(parent, file);
    }
    g_object_unref(dialog);
}

void importing_choose(GtkWindow *parent)
{
    GtkFileChooserNative *dialog = gtk_file_chooser_native_new(
        _("Import a Connection"), parent, GTK_FILE_CHOOSER_ACTION_OPEN, _("_Import"), _("_Cancel"));

    gtk_native_dialog_set_modal(GTK_NATIVE_DIALOG(dialog), TRUE);
    g_signal_connect_object(dialog, "response", G_CALLBACK(on_chosen), parent, 0);
    gtk_native_dialog_show(GTK_NATIVE_DIALOG(dialog));
}

static gboolean on_drop(GtkDropTarget *target, const GValue *value, double x, double y, gpointer window)
{
    const GSList *files = g_value_get_boxed(value);

    (void)target;
    (void)x;
    (void)y;
    for (; files != NULL; files = files->next) {
        import(window, files->data);
    }
    return TRUE;
}

void importing_accept_drops(GtkWindow *window)
{
    GtkDropTarget *target = gtk_drop_target_new(GDK_TYPE_FILE_LIST, GDK_ACTION_COPY);

    g_signal_connect_object(target, "drop", G_CALLBACK(on_drop), window, 0);
    gtk_widget_add_controller(GTK_WIDGET(window), GTK_EVENT_CONTROLLER(target));
}

/* ---- deleting ---- */

static void on_answer(AdwMessageDialog *dialog, const char *response, GodwitProfile *profile)
{
    g_autoptr(GError) error = NULL;

    if (strcmp(response, "delete") == 0 && !store_delete(godwit_profile_get_path(profile), &error)) {
        tell(gtk_window_get_transient_for(GTK_WINDOW(dialog)), _("It Cannot Be Deleted"), error);
    }
}

void deleting_ask(GtkWindow *parent, GodwitProfile *profile)
{
    g_autofree char *title = shown_name(godwit_profile_get_title(profile), 60);
    g_autofree char *heading = g_strdup_printf(_("Delete “%s”?"), title);
    GtkWidget *dialog =
        adw_message_dialog_new(parent, heading, _("Its settings and secrets are gone then."));

    adw_message_dialog_add_responses(ADW_MESSAGE_DIALOG(dialog), "cancel", _("_Cancel"), "delete",
                                     _("_Delete"), NULL);
    adw_message_dialog_set_response_appearance(ADW_MESSAGE_DIALOG(dialog), "delete",
                                               ADW_RESPONSE_DESTRUCTIVE);
    adw_message_dialog_set_close_response(ADW_MESSAGE_DIALOG(dialog), "cancel");
    g_signal_connect_object(dialog, "response", G_CALLBACK(on_answer), profile, 0);
    gtk_window_present(GTK_WINDOW(dialog));
}
