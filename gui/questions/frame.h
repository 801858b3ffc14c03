/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_GUI_QUESTIONS_FRAME_H
#define GODWIT_GUI_QUESTIONS_FRAME_H

#include <gtk/gtk.h>

/*
 * The window around a question: a symbol, a heading, what the question consists of, and two
 * buttons. Escape and the window manager's cross cancel.
 */
struct frame_look {
    const char *title;  /* of the window */
    const char *symbol; /* name of an icon */
    const char *heading;
    const char *accept;         /* the button, with a mnemonic */
    gboolean accept_by_default; /* by Enter; else Enter cancels */
};

/* Called once. The window goes after it. */
typedef void (*frame_closed)(void *owner, gboolean accepted);

/* Not shown yet: frame_fit(), then gtk_window_present(). `owner` is given to `closed` and freed by
 * `free_owner` with the window. */
GtkWindow *frame_new(GtkWindow *parent, const struct frame_look *look, frame_closed closed,
                     void *owner, GDestroyNotify free_owner);
/* As large as what it consists of, which has changed. */
void frame_fit(GtkWindow *frame);
/* Below the heading, in the order of the calls. Texts are plain; empty ones are left out. */
void frame_add(GtkWindow *frame, GtkWidget *widget);
void frame_add_text(GtkWindow *frame, const char *text, const char *style);
/* What went wrong, said aloud by a screen reader. */
GtkWidget *frame_add_error(GtkWindow *frame, const char *text);
/* Lines of any length, broken where they must be; no hyphens come into what others have written. */
void frame_wrap(GtkLabel *label);
void frame_set_acceptable(GtkWindow *frame, gboolean acceptable);
void frame_accept(GtkWindow *frame);
/* Goes without a call of `closed`. */
void frame_dismiss(GtkWindow *frame);

/* The characters that the frame's own buttons use, for mnemonic_label(). */
GString *frame_used_mnemonics(GtkWindow *frame);

#endif
