/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_GUI_EDITOR_PAGE_H
#define GODWIT_GUI_EDITOR_PAGE_H

#include <gtk/gtk.h>

#include "gui/editor/values.h"

/*
 * A column of rows: a label, a field and, when there is one, the reason why what stands in the
 * field is wrong. What is typed goes into the values at once.
 */
struct page;

typedef void (*page_changed)(gpointer context);

/*
 * A choice of files and of what lies on tokens, in the place of our button: a widget that calls
 * page_choose() with a path or a "pkcs11:" URI; NULL = our button for this key.
 */
typedef GtkWidget *(*page_make_chooser)(const struct profile_key *key, gpointer row);

/* Where a page's rows come from and whom it tells; borrowed, for longer than the page. */
struct page_owner {
    struct values *values;
    page_changed changed;
    gpointer context;
    page_make_chooser make_chooser; /* NULL = a button that opens a choice of files */
    gboolean has_keyring;           /* secrets may be kept for the user alone, or be asked for */
};

/* The page lives as long as its widget, a GtkGrid. */
struct page *page_new(const struct page_owner *owner);
GtkWidget *page_widget(struct page *page);
/* Around the grid, which may be too high to be seen at once. */
GtkWidget *page_view(struct page *page);
void page_add(struct page *page, const struct profile_key *key);
/* "Show passwords", for the rows above it. */
void page_add_reveal(struct page *page);
/* Any widget below the rows, over the whole width. */
void page_add_widget(struct page *page, GtkWidget *widget);
/* A text that is no key, with the page's own mnemonics. Free it. */
char *page_mnemonic(struct page *page, const char *label);
/*
 * Shows the rows that the method of authentication needs, and what is wrong with each. FALSE when no
 * row is left.
 */
gboolean page_refresh(struct page *page);
/* A file, or a "pkcs11:" URI, for the row that a chooser was made for: read now. */
void page_choose(gpointer row, const char *path);

#endif
