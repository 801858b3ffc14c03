/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/i18n.h"
#include "gui/editor/compat.h"
#include "gui/editor/row.h"

static const struct {
    enum values_storage storage;
    const char *label;
} places[] = {
    {VALUES_FOR_USER, N_("Kept for this user")},
    {VALUES_FOR_ALL, N_("Kept for all users")},
    {VALUES_ASKED, N_("Asked for each time")},
    {VALUES_NOT_NEEDED, N_("Not needed")},
};

static void entry_changed(GtkWidget *entry, gpointer data)
{
    row_change(data, entry_text(entry));
}

static void storage_changed(GtkWidget *combo, gpointer data)
{
    struct row *row = data;
    int chosen = gtk_combo_box_get_active(GTK_COMBO_BOX(combo));
    if (chosen < 0) {
        return;
    }
    enum values_storage storage = places[chosen].storage;
    values_set_storage(row->owner->values, row->key->name, storage);
    gtk_widget_set_sensitive(row->field, values_keeps(storage));
    if (!values_keeps(storage)) {
        entry_set_text(row->field, "");
    }
    row_change(row, entry_text(row->field));
}

static GtkWidget *storage_choice(struct row *row)
{
    GtkWidget *combo = gtk_combo_box_text_new();
    unsigned storage = values_storage(row->owner->values, row->key->name);
    for (gsize i = 0; i < G_N_ELEMENTS(places); i++) {
        gtk_combo_box_text_append_text(GTK_COMBO_BOX_TEXT(combo), _(places[i].label));
        if (places[i].storage == storage) {
            gtk_combo_box_set_active(GTK_COMBO_BOX(combo), (int)i);
        }
    }
    /* Translators: %s is the label of a secret, such as "Password". */
    g_autofree char *name = g_strdup_printf(_("%s: where it is kept"), _(row->key->label));
    give_name(combo, name);
    gtk_widget_set_tooltip_text(combo, name);
    g_signal_connect(combo, "changed", G_CALLBACK(storage_changed), row);
    return combo;
}

void secret_row_fill(struct row *row)
{
    const char *text = values_get(row->owner->values, row->key->name);
    row->field = row->line = gtk_entry_new();
    gtk_entry_set_input_purpose(GTK_ENTRY(row->field), GTK_INPUT_PURPOSE_PASSWORD);
    gtk_widget_set_hexpand(row->field, TRUE);
    gtk_entry_set_activates_default(GTK_ENTRY(row->field), TRUE);
    secret_row_reveal(row, FALSE);
    entry_set_text(row->field, text ? text : "");
    g_signal_connect(row->field, "changed", G_CALLBACK(entry_changed), row);
    if (row->owner->has_keyring) {
        row->storage = storage_choice(row);
        gtk_widget_set_sensitive(row->field,
                                 values_keeps(values_storage(row->owner->values, row->key->name)));
    }
}

void secret_row_reveal(struct row *row, gboolean shown)
{
    gtk_entry_set_visibility(GTK_ENTRY(row->field), shown);
}
