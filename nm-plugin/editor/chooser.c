/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "nm-plugin/editor/chooser.h"

#include <nma-cert-chooser.h>

#include "common/i18n.h"
#include "gui/editor/compat.h"

struct chooser {
    const struct profile_key *key;
    gpointer row;
    GtkWidget *dialog; /* NULL until it is wanted */
    NMACertChooser *choice;
};

static void chooser_free(gpointer data)
{
    struct chooser *chooser = data;
    if (chooser->dialog) {
        close_window(chooser->dialog);
    }
    g_free(chooser);
}

/* A certificate's private key is beside it, and chosen with it. */
static void take(struct chooser *chooser)
{
    NMSetting8021xCKScheme scheme;
    g_autofree char *certificate = nma_cert_chooser_get_cert(chooser->choice, &scheme);
    g_autofree char *private_key = nma_cert_chooser_get_key(chooser->choice, &scheme);
    if (certificate) {
        page_choose(chooser->row, chooser->key->name, certificate);
    }
    if (private_key) {
        page_choose(chooser->row, "private-key", private_key);
    }
}

static void responded(GtkWidget *dialog, int response, gpointer data)
{
    gtk_widget_hide(dialog);
    if (response == GTK_RESPONSE_OK) {
        take(data);
    }
}

static void make_dialog(struct chooser *chooser, GtkWindow *parent)
{
    /* Translators: what NetworkManager's own words are put around: "… certificate". */
    GtkWidget *choice = nma_cert_chooser_new(_("User"), NMA_CERT_CHOOSER_FLAG_NO_PASSWORDS);
    chooser->choice = NMA_CERT_CHOOSER(choice);
    chooser->dialog =
        gtk_dialog_new_with_buttons(_(chooser->key->label), parent, GTK_DIALOG_MODAL, _("_Cancel"),
                                    GTK_RESPONSE_CANCEL, _("_OK"), GTK_RESPONSE_OK, NULL);
    gtk_dialog_set_default_response(GTK_DIALOG(chooser->dialog), GTK_RESPONSE_OK);
    keep_when_closed(chooser->dialog);
    set_margins(choice, 18);
    put_in_box(gtk_dialog_get_content_area(GTK_DIALOG(chooser->dialog)), choice);
    g_signal_connect(chooser->dialog, "response", G_CALLBACK(responded), chooser);
}

static void clicked(GtkWidget *button, gpointer data)
{
    struct chooser *chooser = data;
    if (!chooser->dialog) {
        make_dialog(chooser, window_of(button));
    }
    show_dialog(chooser->dialog);
}

GtkWidget *chooser_new(const struct profile_key *key, gpointer row)
{
    if (!(key->flags & PROFILE_TOKEN) || g_str_equal(key->name, "private-key")) {
        return NULL;
    }
    struct chooser *chooser = g_new0(struct chooser, 1);
    GtkWidget *button = gtk_button_new_with_label(_("On a token…"));
    g_autofree char *name = g_strdup_printf("%s: %s", _(key->label), _("On a token…"));
    give_name(button, name);
    chooser->key = key;
    chooser->row = row;
    g_signal_connect(button, "clicked", G_CALLBACK(clicked), chooser);
    g_object_set_data_full(G_OBJECT(button), "godwit-chooser", chooser, chooser_free);
    return button;
}
