/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_NM_AUTH_DIALOG_WINDOW_H
#define GODWIT_NM_AUTH_DIALOG_WINDOW_H

#include <gio/gio.h>

#include "gui/questions/ask_form.h"

/*
 * Shows the form and waits for its answers, as of ask_answers_new(): the caller's. NULL when the
 * person cancels, and when `gone` is cancelled; NULL and *why, a translated sentence, when there is
 * no display.
 */
GHashTable *window_ask(const struct ask_form *form, GCancellable *gone, const char **why);

#endif
