/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_GUI_APP_TALK_H
#define GODWIT_GUI_APP_TALK_H

#include <gtk/gtk.h>

#include "gui/model/attempt.h"
#include "gui/model/world.h"

/*
 * What one session asks for, and who answers it: the keyring, when it has what is asked for, and
 * else a person. What a person wants to be remembered is kept once the gateway has accepted it.
 * A certificate that was chosen among several then stands in the profile.
 * Codes that are good for once, and the PINs of tokens, are never kept.
 */
struct talk;

/*
 * `attempt`: the first connection, whose profile is in no file yet. `refused`: why the last session
 * of this profile did not accept what was remembered; NULL = nothing was refused.
 */
struct talk *talk_new(GtkApplication *application, GodwitWorld *world, GodwitAttempt *attempt,
                      const char *path, const char *refused);
void talk_free(struct talk *talk);

/* The session has changed. `may_ask`: an open question is to be answered now. */
void talk_follow(struct talk *talk, gboolean may_ask);
/* Brings an open question before the person. */
void talk_present(struct talk *talk);
/* Whether the end of the session means that what was remembered is wrong. */
gboolean talk_is_refused(const struct talk *talk, enum reason reason);

#endif
