/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_GUI_APP_ASKING_H
#define GODWIT_GUI_APP_ASKING_H

#include <gtk/gtk.h>

#include "gui/model/attempt.h"
#include "gui/model/world.h"

/*
 * The questions of connections. What one of those that were begun here asks is asked at once; of
 * others when somebody wants to answer: whoever began them may be about to. A question that is
 * answered elsewhere goes.
 */
struct asking;

struct asking *asking_new(GtkApplication *application, GodwitWorld *world, GodwitAttempt *attempt);
void asking_free(struct asking *asking); /* NULL is harmless */

/* Asks what the session of that path wants to know, if it does. */
void asking_show(struct asking *asking, const char *path);

#endif
