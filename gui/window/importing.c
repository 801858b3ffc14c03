/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "gui/window/importing.h"

#include <adwaita.h>
#include <string.h>

#include "common/i18n.h"
#include "gui/editor/certificate.h"
#include "gui/model/passwords.h"
#include "gui/model/store.h"
#include "gui/questions/fact_list.h"
#include "gui/questions/shown.h"
#include "gui/window/message.h"

enum { FACTS_HEIGHT = 400 }; /* pixels; what is higher is scrolled */

/* ---- importing ---- */

/* NULL: the worker would refuse them. */
static char *authorities_in_words(const struct profile *profile)
{
    struct bytes octets = profile_get_bytes(profile, "ca");

    return certificates_in_words(octets.data, octets.len);
}

/* What cannot be shown is not offered. */
static gboolean check_authorities(const struct profile *profile, GError **error)
{
    g_autofree char *words =
        profile_is_set(profile, "ca") ? authorities_in_words(profile) : g_strdup("");

    if (words == NULL) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "%s: %s",
                    _(profile_key_find("ca")->label),
                    _("The certificate or the private key cannot be read."));
    }
    return words != NULL;
}

static struct profile *read_offered(GtkWindow *parent, GFile *file)
{
    g_autofree char *path = g_file_get_path(file);
    g_autoptr(GError) error = NULL;
    struct profile *profile = NULL;

    if (path == NULL) {
        g_set_error_literal(&error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
                            _("The file is not on this computer."));
    } else {
        profile = store_offered(path, &error);
    }
    if (profile != NULL && !check_authorities(profile, &error)) {
        g_clear_pointer(&profile, profile_free);
    }
    if (profile == NULL) {
        message_show(parent, _("The File Cannot Be Imported"), error->message);
    }
    return profile;
}

static void add(GtkWindow *parent, struct profile *profile)
{
    g_autoptr(GError) error = NULL;

    if (!store_add(profile, &error)) {
        message_show(parent, _("The File Cannot Be Imported"), error->message);
    }
}

static void on_import_answer(AdwMessageDialog *dialog, const char *response)
{
    if (strcmp(response, "import") == 0) {
        add(gtk_window_get_transient_for(GTK_WINDOW(dialog)),
            g_object_get_data(G_OBJECT(dialog), "profile"));
    }
}

static const char *label_of_choice(const struct profile_key *key, const char *value)
{
    gsize i = 0;

    while (key->choices[i] != NULL && strcmp(key->choices[i], value) != 0) {
        i++;
    }
    return key->choices[i] == NULL ? value : _(key->choice_labels[i]);
}

static char *shown_value(const struct profile *profile, const struct profile_key *key)
{
    const char *text;

    if (strcmp(key->name, "ca") == 0) {
        return authorities_in_words(profile);
    }
    text = profile_get(profile, key->name);
    return shown_line(key->choice_labels == NULL ? text : label_of_choice(key, text), 200);
}

/* The gateway, who one is there, who may be the gateway, and what is let out. */
static GtkWidget *facts_of(const struct profile *profile)
{
    static const char *const keys[] = {"gateway",         "user",         "identity",
                                       "remote-identity", "ca",           "gateway-fingerprint",
                                       "exclude",         "exclude-apps", "kill-switch"};
    GtkWidget *facts = fact_list_new(), *scrolled = gtk_scrolled_window_new();

    for (gsize i = 0; i < G_N_ELEMENTS(keys); i++) {
        const struct profile_key *key = profile_key_find(keys[i]);

        if (key != NULL && profile_is_set(profile, keys[i])) {
            g_autofree char *value = shown_value(profile, key);

            fact_list_add(facts, _(key->label), value, NULL);
        }
    }
    gtk_scrolled_window_set_policy(GTK_SCROLLED_WINDOW(scrolled), GTK_POLICY_NEVER,
                                   GTK_POLICY_AUTOMATIC);
    gtk_scrolled_window_set_propagate_natural_height(GTK_SCROLLED_WINDOW(scrolled), TRUE);
    gtk_scrolled_window_set_max_content_height(GTK_SCROLLED_WINDOW(scrolled), FACTS_HEIGHT);
    gtk_scrolled_window_set_child(GTK_SCROLLED_WINDOW(scrolled), facts);
    return scrolled;
}

void importing_offer(GtkWindow *parent, GFile *file)
{
    struct profile *profile = read_offered(parent, file);
    g_autofree char *name = NULL, *heading = NULL;
    GtkWidget *dialog;

    if (profile == NULL) {
        return;
    }
    name = shown_name(profile_get(profile, "name"), 60);
    heading = g_strdup_printf(_("Import “%s”?"), name);
    dialog = adw_message_dialog_new(parent, heading, NULL);
    adw_message_dialog_set_extra_child(ADW_MESSAGE_DIALOG(dialog), facts_of(profile));
    g_object_set_data_full(G_OBJECT(dialog), "profile", profile, (GDestroyNotify)profile_free);
    adw_message_dialog_add_responses(ADW_MESSAGE_DIALOG(dialog), "cancel", _("_Cancel"), "import",
                                     _("_Import"), NULL);
    adw_message_dialog_set_response_appearance(ADW_MESSAGE_DIALOG(dialog), "import",
                                               ADW_RESPONSE_SUGGESTED);
    adw_message_dialog_set_default_response(ADW_MESSAGE_DIALOG(dialog), "import");
    adw_message_dialog_set_close_response(ADW_MESSAGE_DIALOG(dialog), "cancel");
    g_signal_connect(dialog, "response", G_CALLBACK(on_import_answer), NULL);
    gtk_window_present(GTK_WINDOW(dialog));
}

static void on_chosen(GtkNativeDialog *dialog, int response, gpointer parent)
{
    if (response == GTK_RESPONSE_ACCEPT) {
        g_autoptr(GFile) file = gtk_file_chooser_get_file(GTK_FILE_CHOOSER(dialog));
        struct profile *profile = read_offered(parent, file);

        if (profile != NULL) {
            add(parent, profile);
            profile_free(profile);
        }
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

static gboolean on_drop(GtkDropTarget *target, const GValue *value, double x, double y,
                        gpointer window)
{
    const GSList *files = g_value_get_boxed(value);
    int n = 0;

    (void)target;
    (void)x;
    (void)y;
    for (; files != NULL && n < IMPORTING_FILES_MAX; files = files->next, n++) {
        importing_offer(window, files->data);
    }
    return TRUE;
}

void importing_accept_drops(GtkWindow *window)
{
    GtkDropTarget *target = gtk_drop_target_new(GDK_TYPE_FILE_LIST, GDK_ACTION_COPY);

    g_signal_connect_object(target, "drop", G_CALLBACK(on_drop), window, 0);
    gtk_widget_add_controller(GTK_WIDGET(window), GTK_EVENT_CONTROLLER(target));
}

/* ---- exporting ---- */

#define WITH_SECRETS "secrets"

/* The list may know another one of the file meanwhile. */
static void keep_profile(gpointer dialog, GodwitProfile *profile)
{
    g_object_set_data_full(G_OBJECT(dialog), "profile", g_object_ref(profile), g_object_unref);
}

static void on_target(GtkNativeDialog *native, int response, GodwitProfile *profile)
{
    GtkFileChooser *chooser = GTK_FILE_CHOOSER(native);
    g_autoptr(GFile) file =
        response == GTK_RESPONSE_ACCEPT ? gtk_file_chooser_get_file(chooser) : NULL;
    g_autofree char *path = file == NULL ? NULL : g_file_get_path(file);
    gboolean with_secrets =
        g_strcmp0(gtk_file_chooser_get_choice(chooser, WITH_SECRETS), "true") == 0;
    g_autoptr(GError) error = NULL;

    if (path != NULL &&
        !store_export(godwit_profile_get_path(profile), path, with_secrets, &error)) {
        message_show(gtk_native_dialog_get_transient_for(native),
                     _("The Connection Cannot Be Exported"), error->message);
    }
    g_object_unref(native);
}

void exporting_choose(GtkWindow *parent, GodwitProfile *profile)
{
    GtkFileChooserNative *dialog =
        gtk_file_chooser_native_new(_("Export the Connection"), parent,
                                    GTK_FILE_CHOOSER_ACTION_SAVE, _("_Export"), _("_Cancel"));
    g_autofree char *name = g_strdup_printf("%s.godwit", godwit_profile_get_title(profile));

    gtk_file_chooser_set_current_name(GTK_FILE_CHOOSER(dialog), g_strdelimit(name, "/\\", '-'));
    gtk_file_chooser_add_choice(GTK_FILE_CHOOSER(dialog), WITH_SECRETS,
                                _("With passwords and private keys"), NULL, NULL);
    gtk_file_chooser_set_choice(GTK_FILE_CHOOSER(dialog), WITH_SECRETS, "false");
    gtk_native_dialog_set_modal(GTK_NATIVE_DIALOG(dialog), TRUE);
    keep_profile(dialog, profile);
    g_signal_connect(dialog, "response", G_CALLBACK(on_target), profile);
    gtk_native_dialog_show(GTK_NATIVE_DIALOG(dialog));
}

/* ---- deleting ---- */

static void on_answer(AdwMessageDialog *dialog, const char *response, GodwitProfile *profile)
{
    g_autoptr(GError) error = NULL;

    if (strcmp(response, "delete") != 0) {
        return;
    }
    if (store_delete(godwit_profile_get_path(profile), &error)) {
        passwords_forget(profile);
    } else {
        message_show(gtk_window_get_transient_for(GTK_WINDOW(dialog)),
                     _("The Connection Cannot Be Deleted"), error->message);
    }
}

void deleting_ask(GtkWindow *parent, GodwitProfile *profile)
{
    g_autofree char *title = shown_name(godwit_profile_get_title(profile), 60);
    g_autofree char *heading = g_strdup_printf(_("Delete “%s”?"), title);
    GtkWidget *dialog =
        adw_message_dialog_new(parent, heading, _("Its settings and secrets will be lost."));

    adw_message_dialog_add_responses(ADW_MESSAGE_DIALOG(dialog), "cancel", _("_Cancel"), "delete",
                                     _("_Delete"), NULL);
    adw_message_dialog_set_response_appearance(ADW_MESSAGE_DIALOG(dialog), "delete",
                                               ADW_RESPONSE_DESTRUCTIVE);
    adw_message_dialog_set_close_response(ADW_MESSAGE_DIALOG(dialog), "cancel");
    keep_profile(dialog, profile);
    g_signal_connect(dialog, "response", G_CALLBACK(on_answer), profile);
    gtk_window_present(GTK_WINDOW(dialog));
}
