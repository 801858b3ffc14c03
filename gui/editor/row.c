/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "gui/editor/row.h"

#include "common/i18n.h"
#include "gui/editor/compat.h"
#include "gui/editor/mnemonic.h"

#define LABEL_WIDTH 32 /* characters; longer ones are wrapped */
#define LABEL_LEAST                                                                                \
    20                  /* characters; narrower, and a window is made as high as it would be then  \
                         */
#define ENTRY_WIDTH 24  /* characters */
#define REASON_WIDTH 40 /* characters */

void row_change(struct row *row, const char *text)
{
    values_change(row->owner->values, row->key->name, text);
    row->owner->changed(row->owner->context);
}

/* ---- fields by type ---- */

static void entry_changed(GtkWidget *entry, gpointer data)
{
    row_change(data, entry_text(entry));
}

static void fill_entry(struct row *row)
{
    const struct profile_key *key = row->key;
    const char *text = values_get(row->owner->values, key->name);
    row->field = row->line = gtk_entry_new();
    gtk_widget_set_hexpand(row->field, TRUE);
    set_entry_width(row->field, ENTRY_WIDTH);
    if (key->fallback) {
        /* Translators: in an empty field; %s is what is used when it stays empty. */
        g_autofree char *hint = g_strdup_printf(_("Default: %s"), key->fallback);
        gtk_entry_set_placeholder_text(GTK_ENTRY(row->field), hint);
    }
    entry_set_text(row->field, text ? text : "");
    gtk_entry_set_activates_default(GTK_ENTRY(row->field), TRUE);
    g_signal_connect(row->field, "changed", G_CALLBACK(entry_changed), row);
}

static void check_toggled(GtkWidget *check, gpointer data)
{
    row_change(data, check_active(check) ? "true" : "false");
}

static void fill_check(struct row *row, GString *used)
{
    g_autofree char *text = mnemonic_label(_(row->key->label), used);
    row->field = row->line = gtk_check_button_new_with_mnemonic(text);
    gtk_widget_set_halign(row->field, GTK_ALIGN_START);
    give_name(row->field, _(row->key->label));
    check_set_active(row->field, values_is_true(row->owner->values, row->key));
    g_signal_connect(row->field, "toggled", G_CALLBACK(check_toggled), row);
}

static void choice_changed(GtkWidget *combo, gpointer data)
{
    const char *id = gtk_combo_box_get_active_id(GTK_COMBO_BOX(combo));
    if (id) {
        row_change(data, id);
    }
}

static void fill_choice(struct row *row)
{
    const struct profile_key *key = row->key;
    const char *text = values_get(row->owner->values, key->name);
    row->field = row->line = gtk_combo_box_text_new();
    gtk_widget_set_hexpand(row->field, TRUE);
    for (gsize i = 0; key->choices[i]; i++) {
        gtk_combo_box_text_append(GTK_COMBO_BOX_TEXT(row->field), key->choices[i],
                                  _(key->choice_labels[i]));
    }
    gtk_combo_box_set_active_id(GTK_COMBO_BOX(row->field), text ? text : key->fallback);
    g_signal_connect(row->field, "changed", G_CALLBACK(choice_changed), row);
}

/* ---- label and reason ---- */

static GtkWidget *make_label(const struct profile_key *key, GtkWidget *target, GString *used)
{
    /* Translators: label of a field and unit of what is typed there, as in "Keepalive (seconds)".
     */
    g_autofree char *text = key->unit ? g_strdup_printf(_("%s (%s)"), _(key->label), _(key->unit))
                                      : g_strdup(_(key->label));
    g_autofree char *marked = mnemonic_label(text, used);
    GtkWidget *label = gtk_label_new_with_mnemonic(marked);
    gtk_label_set_xalign(GTK_LABEL(label), 0);
    wrap_label(label);
    gtk_label_set_max_width_chars(GTK_LABEL(label), LABEL_WIDTH);
    gtk_label_set_width_chars(GTK_LABEL(label), (int)MIN(g_utf8_strlen(text, -1), LABEL_LEAST));
    gtk_label_set_mnemonic_widget(GTK_LABEL(label), target);
    return label;
}

static GtkWidget *make_reason(void)
{
    GtkWidget *label = gtk_label_new(NULL);
    gtk_label_set_xalign(GTK_LABEL(label), 0);
    wrap_label(label);
    gtk_label_set_max_width_chars(GTK_LABEL(label), REASON_WIDTH);
    gtk_label_set_width_chars(GTK_LABEL(label), LABEL_LEAST);
    return label;
}

struct row *row_new(const struct page_owner *owner, const struct profile_key *key, GString *used)
{
    struct row *row = g_new0(struct row, 1);
    row->owner = owner;
    row->key = key;
    switch (key->type) {
    case PROFILE_BOOL:
        fill_check(row, used);
        break;
    case PROFILE_CHOICE:
        fill_choice(row);
        break;
    case PROFILE_FILE:
        file_row_fill(row);
        break;
    case PROFILE_SECRET:
        secret_row_fill(row);
        break;
    case PROFILE_STRING:
    case PROFILE_HOST:
    case PROFILE_UINT:
    case PROFILE_LIST:
        fill_entry(row);
        break;
    }
    if (key->type != PROFILE_BOOL) {
        row->label = make_label(key, row->field, used);
        gtk_widget_set_tooltip_text(row->label, _(key->help));
    }
    if (GTK_IS_COMBO_BOX(row->field)) {
        /* A list of GTK 3 would go by what is chosen in it. */
        give_name(row->field, _(key->label));
    }
    gtk_widget_set_tooltip_text(row->field, _(key->help));
    row->reason = make_reason();
    return row;
}

void row_free(struct row *row)
{
    file_row_close(row);
    g_free(row);
}

gboolean row_refresh(struct row *row)
{
    struct values *values = row->owner->values;
    gboolean wanted = !row->key->auth || g_str_equal(row->key->auth, values_auth(values));
    g_autofree char *problem = wanted ? values_problem(values, row->key->name) : NULL;
    g_autofree char *said = problem ? g_strdup_printf("%s. %s", problem, _(row->key->help))
                                    : g_strdup(_(row->key->help));
    GtkWidget *const parts[] = {row->label, row->line, row->storage};
    for (gsize i = 0; i < G_N_ELEMENTS(parts); i++) {
        if (parts[i]) {
            show_by_owner(parts[i], wanted);
        }
    }
    if (row->key->type == PROFILE_FILE) {
        file_row_refresh(row, wanted);
    }
    /* Not in the themes' red, which is hard to read in the dark one of GTK. */
    g_autofree char *marked = g_strdup_printf("\u26a0 %s", problem ? problem : "");
    gtk_label_set_text(GTK_LABEL(row->reason), marked);
    show_by_owner(row->reason, problem != NULL);
    set_style(row->field, "error", problem != NULL);
    describe(row->field, said, problem != NULL);
    return wanted;
}
