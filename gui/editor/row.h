/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_GUI_EDITOR_ROW_H
#define GODWIT_GUI_EDITOR_ROW_H

#include "gui/editor/page.h"

/* One key of a page; what the files of this folder share. */
struct row {
    const struct page_owner *owner;
    const struct profile_key *key;
    GtkWidget *label;   /* NULL: the field has its own */
    GtkWidget *field;   /* what the label names and what is wrong or right */
    GtkWidget *line;    /* what stands in the grid: the field, or a box around it */
    GtkWidget *storage; /* where a secret is kept; NULL = no choice */
    GtkWidget *reason;

    /* Of a file. */
    GtkWidget *kept, *status, *remove; /* what there is, and an end to it */
    GtkFileChooserNative *dialog;      /* while it is open */
};

/* Takes `used` for its mnemonic. The widgets belong to nobody yet. */
struct row *row_new(const struct page_owner *owner, const struct profile_key *key, GString *used);
void row_free(struct row *row);
/* Whether the method of authentication needs it, and so it is seen. */
gboolean row_refresh(struct row *row);
/* A person has changed what it holds. */
void row_change(struct row *row, const char *text);

/* file_row.c */
void file_row_fill(struct row *row);
void file_row_refresh(struct row *row, gboolean wanted);
void file_row_close(struct row *row);
/* Does what page_choose() promises. */
void file_row_take(struct row *row, const char *key, const char *path);

/* secret_row.c */
void secret_row_fill(struct row *row);
void secret_row_reveal(struct row *row, gboolean shown);

#endif
