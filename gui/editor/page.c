/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "gui/editor/page.h"

#include "common/i18n.h"
#include "gui/editor/compat.h"
#include "gui/editor/mnemonic.h"
#include "gui/editor/row.h"

#define BETWEEN_ROWS 6
#define BETWEEN_COLUMNS 12

struct page {
    const struct page_owner *owner;
    GtkWidget *grid;
    GtkWidget *view; /* NULL until somebody wants it */
    GPtrArray *rows; /* struct row */
    GString *mnemonics;
    int lines; /* of the grid that are taken */
};

static void page_free(gpointer data)
{
    struct page *page = data;
    g_ptr_array_unref(page->rows);
    g_string_free(page->mnemonics, TRUE);
    g_free(page);
}

struct page *page_new(const struct page_owner *owner)
{
    struct page *page = g_new0(struct page, 1);
    page->owner = owner;
    page->grid = gtk_grid_new();
    page->rows = g_ptr_array_new_with_free_func((GDestroyNotify)row_free);
    page->mnemonics = g_string_new(NULL);
    gtk_grid_set_row_spacing(GTK_GRID(page->grid), BETWEEN_ROWS);
    gtk_grid_set_column_spacing(GTK_GRID(page->grid), BETWEEN_COLUMNS);
    g_object_set_data_full(G_OBJECT(page->grid), "godwit-page", page, page_free);
    return page;
}

GtkWidget *page_widget(struct page *page)
{
    return page->grid;
}

GtkWidget *page_view(struct page *page)
{
    if (!page->view) {
        page->view = scrolled(page->grid);
        gtk_scrolled_window_set_policy(GTK_SCROLLED_WINDOW(page->view), GTK_POLICY_NEVER,
                                       GTK_POLICY_AUTOMATIC);
    }
    return page->view;
}

char *page_mnemonic(struct page *page, const char *label)
{
    return mnemonic_label(label, page->mnemonics);
}

void page_add_widget(struct page *page, GtkWidget *widget)
{
    gtk_grid_attach(GTK_GRID(page->grid), widget, 0, page->lines++, 2, 1);
}

void page_add(struct page *page, const struct profile_key *key)
{
    struct row *row = row_new(page->owner, key, page->mnemonics);
    GtkWidget *const below[] = {row->kept, row->storage, row->reason};
    if (row->label) {
        gtk_grid_attach(GTK_GRID(page->grid), row->label, 0, page->lines, 1, 1);
        gtk_grid_attach(GTK_GRID(page->grid), row->line, 1, page->lines++, 1, 1);
    } else {
        page_add_widget(page, row->line);
    }
    for (gsize i = 0; i < G_N_ELEMENTS(below); i++) {
        if (below[i]) {
            gtk_grid_attach(GTK_GRID(page->grid), below[i], 1, page->lines++, 1, 1);
        }
    }
    g_ptr_array_add(page->rows, row);
}

/* ---- "Show passwords" ---- */

static void reveal_toggled(GtkWidget *check, gpointer data)
{
    struct page *page = data;
    for (guint i = 0; i < page->rows->len; i++) {
        struct row *row = g_ptr_array_index(page->rows, i);
        if (row->key->type == PROFILE_SECRET) {
            secret_row_reveal(row, check_active(check));
        }
    }
}

void page_add_reveal(struct page *page)
{
    g_autofree char *text = page_mnemonic(page, _("Show passwords"));
    GtkWidget *check = gtk_check_button_new_with_mnemonic(text);
    give_name(check, _("Show passwords"));
    gtk_widget_set_halign(check, GTK_ALIGN_START);
    g_signal_connect(check, "toggled", G_CALLBACK(reveal_toggled), page);
    gtk_grid_attach(GTK_GRID(page->grid), check, 1, page->lines++, 1, 1);
}

gboolean page_refresh(struct page *page)
{
    gboolean any = FALSE;
    for (guint i = 0; i < page->rows->len; i++) {
        any |= row_refresh(g_ptr_array_index(page->rows, i));
    }
    return any;
}

gboolean page_focus(struct page *page, const char *key)
{
    for (guint i = 0; i < page->rows->len; i++) {
        struct row *row = g_ptr_array_index(page->rows, i);
        if (g_str_equal(row->key->name, key)) {
            gtk_widget_grab_focus(row->field);
            return TRUE;
        }
    }
    return FALSE;
}

void page_choose(gpointer row, const char *key, const char *path)
{
    file_row_take(row, key, path);
}
