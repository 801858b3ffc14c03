/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_GUI_MODEL_ATTEMPT_H
#define GODWIT_GUI_MODEL_ATTEMPT_H

#include "gui/model/world.h"

/*
 * A first connection, made from a server, a name and a password; all else is found out. Its profile
 * is written when it is connected, not before. It goes on without a window. Signals:
 *   "changed"   what can be asked below is another one
 *   "saved" (GodwitProfile)   it is connected, and its profile is written
 *   "told" (heading, text)    it is connected, and this did not work besides; translated
 */
#define GODWIT_TYPE_ATTEMPT (godwit_attempt_get_type())
G_DECLARE_FINAL_TYPE(GodwitAttempt, godwit_attempt, GODWIT, ATTEMPT, GObject)

enum godwit_attempt_field {
    GODWIT_ATTEMPT_NOWHERE,
    GODWIT_ATTEMPT_SERVER,
    GODWIT_ATTEMPT_USER,
    GODWIT_ATTEMPT_PASSWORD,
    GODWIT_ATTEMPT_MORE, /* what the three do not say: the form of all settings has it */
};

GodwitAttempt *godwit_attempt_new(GodwitWorld *world);
/* `password` may be empty: it is asked for then. `remember`: it goes into the keyring when it was
 * right. Blanks around server and name do not count. Nothing while one is running. */
void godwit_attempt_begin(GodwitAttempt *attempt, const char *server, const char *user,
                          const char *password, gboolean remember);
void godwit_attempt_cancel(GodwitAttempt *attempt);
/* The one certificate that its gateway may have, 64 digits, be it in this attempt or in the next
 * ones at the same server; it is written with the profile. */
void godwit_attempt_pin(GodwitAttempt *attempt, const char *fingerprint);
gboolean godwit_attempt_is_running(GodwitAttempt *attempt);
/* While it is running; NULL = it has not begun. Borrowed. */
GodwitSession *godwit_attempt_get_session(GodwitAttempt *attempt);

/* Where the last one failed, and what to do there, "" = nothing to be said beside the world's
 * failure; borrowed. */
enum godwit_attempt_field godwit_attempt_get_field(GodwitAttempt *attempt);
const char *godwit_attempt_get_advice(GodwitAttempt *attempt);
/* It is looked into anew: what was said of the last one is over. */
void godwit_attempt_settle(GodwitAttempt *attempt);

#endif
