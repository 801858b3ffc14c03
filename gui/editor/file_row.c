/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <gio/gio.h>
#include <string.h>

#include "common/i18n.h"
#include "common/secret.h"
#include "gui/editor/certificate.h"
#include "gui/editor/compat.h"
#include "gui/editor/row.h"
#include "gui/questions/shown.h"

/*
 * A file is read when it is chosen, with the rights of whoever chooses it, and kept by value:
 * later, nobody has to open it. What lies on a token stays there: its URI is kept.
 */

#define BASE64 "base64:"
#define TOKEN "pkcs11:"
#define SHOWN 60 /* characters */

/* ---- what it holds, in words ---- */

static char *content_in_words(const char *base64, gboolean is_certificate)
{
    gsize length;
    guchar *octets = g_base64_decode(base64, &length);
    g_autofree char *name = is_certificate ? certificate_holder(octets, length) : NULL;
    secret_wipe(octets, length);
    g_free(octets);
    if (name && *name) {
        return shown_line(name, SHOWN);
    }
    g_autofree char *size = g_format_size(length);
    /* Translators: of a file whose content is kept; %s is how large it is. */
    return g_strdup_printf(_("Kept here (%s)"), size);
}

void file_row_refresh(struct row *row, gboolean wanted)
{
    const char *text = values_get(row->owner->values, row->key->name);
    gboolean is_certificate = !g_str_has_prefix(row->key->name, "private");
    g_autofree char *words = !text ? NULL
                             : g_str_has_prefix(text, BASE64)
                                 ? content_in_words(text + strlen(BASE64), is_certificate)
                                 : shown_line(text, SHOWN);
    gtk_label_set_text(GTK_LABEL(row->status), words ? words : "");
    gtk_widget_set_tooltip_text(row->status, words);
    show_by_owner(row->kept, wanted && words);
}

/* ---- a new one ---- */

/* By value, what is a readable file; anything else becomes the value, and the reason stands beside.
 */
static char *text_for(const char *key, const char *path)
{
    struct profile *profile = profile_new();
    char *text = NULL;
    if (!g_str_has_prefix(path, TOKEN) && profile_set(profile, key, path, NULL, NULL)) {
        struct bytes octets = profile_get_bytes(profile, key);
        char *encoded = g_base64_encode(octets.data, octets.len);
        text = g_strconcat(BASE64, encoded, NULL);
        secret_wipe(encoded, strlen(encoded));
        g_free(encoded);
    }
    profile_free(profile);
    return text ? text : g_strdup(path);
}

void file_row_take(struct row *row, const char *key, const char *path)
{
    char *text = text_for(key, path);
    values_change(row->owner->values, key, text);
    row->owner->changed(row->owner->context);
    secret_wipe(text, strlen(text));
    g_free(text);
}

void file_row_close(struct row *row)
{
    if (row->dialog) {
        gtk_native_dialog_destroy(GTK_NATIVE_DIALOG(row->dialog));
        g_clear_object(&row->dialog);
    }
}

static void responded(GtkNativeDialog *dialog, int response, gpointer data)
{
    struct row *row = data;
    g_autoptr(GFile) file = response == GTK_RESPONSE_ACCEPT
                                ? gtk_file_chooser_get_file(GTK_FILE_CHOOSER(dialog))
                                : NULL;
    g_autofree char *path = file ? g_file_get_path(file) : NULL;
    file_row_close(row);
    if (path) {
        file_row_take(row, row->key->name, path);
    }
}

static void choose_clicked(GtkWidget *button, gpointer data)
{
    struct row *row = data;
    file_row_close(row);
    row->dialog = gtk_file_chooser_native_new(_(row->key->label), window_of(button),
                                              GTK_FILE_CHOOSER_ACTION_OPEN, NULL, NULL);
    gtk_native_dialog_set_modal(GTK_NATIVE_DIALOG(row->dialog), TRUE);
    g_signal_connect(row->dialog, "response", G_CALLBACK(responded), row);
    gtk_native_dialog_show(GTK_NATIVE_DIALOG(row->dialog));
}

static void remove_clicked(GtkWidget *button, gpointer data)
{
    (void)button;
    row_change(data, NULL);
}

/* "Choose…" is many times on a page: a screen reader says of what. */
static GtkWidget *named_button(const char *text, const struct profile_key *key)
{
    g_autofree char *name = g_strdup_printf("%s: %s", _(key->label), text);
    GtkWidget *button = gtk_button_new_with_label(text);
    give_name(button, name);
    return button;
}

static GtkWidget *make_status(void)
{
    GtkWidget *status = gtk_label_new(NULL);
    gtk_label_set_xalign(GTK_LABEL(status), 0);
    gtk_label_set_ellipsize(GTK_LABEL(status), PANGO_ELLIPSIZE_MIDDLE);
    gtk_label_set_width_chars(GTK_LABEL(status), 12);
    gtk_widget_set_hexpand(status, TRUE);
    return status;
}

void file_row_fill(struct row *row)
{
    const struct page_owner *owner = row->owner;
    GtkWidget *elsewhere = owner->make_chooser ? owner->make_chooser(row->key, row) : NULL;
    row->line = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 6);
    row->field = named_button(_("Choose…"), row->key);
    gtk_widget_set_hexpand(row->field, TRUE);
    g_signal_connect(row->field, "clicked", G_CALLBACK(choose_clicked), row);
    put_in_box(row->line, row->field);
    if (elsewhere) {
        put_in_box(row->line, elsewhere);
    }
    row->kept = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, 6);
    row->status = make_status();
    row->remove = named_button(_("Remove"), row->key);
    g_signal_connect(row->remove, "clicked", G_CALLBACK(remove_clicked), row);
    put_in_box(row->kept, row->status);
    put_in_box(row->kept, row->remove);
}
