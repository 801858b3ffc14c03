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
 * A button beside that of files, for what lies elsewhere (on a token): it calls page_choose() when
 * something has been chosen. NULL where this key cannot be there.
 */
typedef GtkWidget *(*page_make_chooser)(const struct profile_key *key, gpointer row);

/* Where a page's rows come from and whom it tells; borrowed, for longer than the page. */
struct page_owner {
    struct values *values;
    page_changed changed;
    gpointer context;
    page_make_chooser make_chooser; /* NULL = there are files alone */
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
 * Shows the rows that the method of authentication needs, and what is wrong with each. FALSE when
 * no row is left.
 */
gboolean page_refresh(struct page *page);
/* Moves the keyboard's focus to the key's field; FALSE when it has no row here. */
gboolean page_focus(struct page *page, const char *key);
/*
 * For a button that was made for `row`: sets that key, of the row or another one, to the content of
 * a file, read now, or to a "pkcs11:" URI.
 */
void page_choose(gpointer row, const char *key, const char *path);

#endif
