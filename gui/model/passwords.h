/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_GUI_MODEL_PASSWORDS_H
#define GODWIT_GUI_MODEL_PASSWORDS_H

#include "gui/model/profiles.h"
#include "gui/questions/keyring.h"

/*
 * The secrets of profiles that the desktop's keyring keeps: under the profile's name, and for one
 * gateway alone, so that a profile that is sent elsewhere does not take them along. The calls are
 * those of keyring.h.
 */

/* `gateway` as the connection names it. A person may be asked to open the keyring. */
struct keyring_call *passwords_load(GodwitProfile *profile, const char *gateway,
                                    keyring_loaded loaded, void *context);
struct keyring_call *passwords_store(GodwitProfile *profile, const char *gateway, const char *key,
                                     const char *value, keyring_done done, void *context);
/* Nobody waits for its end. */
void passwords_forget(GodwitProfile *profile);

#endif
