/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "nm-plugin/editor/chooser.h"

#include <nma-cert-chooser.h>

#include "common/i18n.h"
#include "gui/editor/compat.h"

static void chosen(NMACertChooser *chooser, gpointer row)
{
    NMSetting8021xCKScheme scheme = NM_SETTING_802_1X_CK_SCHEME_UNKNOWN;
    g_autofree char *value = nma_cert_chooser_get_cert(chooser, &scheme);
    if (value) {
        page_choose(row, value);
    }
}

GtkWidget *chooser_new(const struct profile_key *key, gpointer row)
{
    if (!g_str_equal(key->name, "ca") && !g_str_equal(key->name, "certificate")) {
        return NULL;
    }
    GtkWidget *chooser = nma_cert_chooser_new(
        _(key->label), NMA_CERT_CHOOSER_FLAG_CERT | NMA_CERT_CHOOSER_FLAG_NO_PASSWORDS);
    /* The row has a label of its own. */
    GtkWidget *label = gtk_grid_get_child_at(GTK_GRID(chooser), 0, 0);
    if (GTK_IS_LABEL(label)) {
        show_by_owner(label, FALSE);
    }
    g_signal_connect(chooser, "changed", G_CALLBACK(chosen), row);
    return chooser;
}
