/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_GUI_QUESTIONS_ASK_DIALOG_H
#define GODWIT_GUI_QUESTIONS_ASK_DIALOG_H

#include <gtk/gtk.h>

#include "gui/questions/ask_form.h"

/*
 * Called once. `answers` as of ask_answers_new(), one for each field, borrowed for the call; NULL =
 * the person wants no more. `remember`: the answers may be kept. The window goes by itself.
 */
typedef void (*ask_done)(void *context, GHashTable *answers, gboolean remember);

/*
 * Shows the form in a window of its own, before `parent` when there is one. The form is not needed
 * after the call. adw_init() has been called. The window is GTK's; to take it away without an
 * answer: ask_dialog_dismiss().
 */
GtkWindow *ask_dialog_show(const struct ask_form *form, GtkWindow *parent, ask_done done,
                           void *context);
/* Closes it; `done` is not called any more. */
void ask_dialog_dismiss(GtkWindow *dialog);

#endif
