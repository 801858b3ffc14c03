/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_GUI_WINDOW_ASSISTANT_H
#define GODWIT_GUI_WINDOW_ASSISTANT_H

#include <adwaita.h>

#include "gui/model/attempt.h"

/* The page of a first connection: server, name, password. It follows the attempt. */
#define GODWIT_TYPE_ASSISTANT (godwit_assistant_get_type())
G_DECLARE_FINAL_TYPE(GodwitAssistant, godwit_assistant, GODWIT, ASSISTANT, AdwBin)

void godwit_assistant_set_attempt(GodwitAssistant *assistant, GodwitWorld *world,
                                  GodwitAttempt *attempt);
GodwitAttempt *godwit_assistant_get_attempt(GodwitAssistant *assistant); /* borrowed */
/* Gives the focus to the field that most will want. */
void godwit_assistant_focus(GodwitAssistant *assistant);
/* Nothing is typed, and nothing goes on. */
gboolean godwit_assistant_is_untouched(GodwitAssistant *assistant);
/* What is typed goes, unless it is being tried. */
void godwit_assistant_clear(GodwitAssistant *assistant);

#endif
