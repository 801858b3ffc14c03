/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_GUI_MODEL_ALGORITHMS_H
#define GODWIT_GUI_MODEL_ALGORITHMS_H

#include <glib.h>

/* A suite as in a session's summary ("aes256gcm16-prfsha384-x25519") for people: its name,
 * "AES-GCM-256 (16-octet ICV), …", and what each part does and how good it is, a line each. Parts
 * that are not known stand as they are. Fit to be shown if the suite is; g_free(). */
char *algorithms_title(const char *suite);
char *algorithms_why(const char *suite);
/* Whether something of it is known to be weak. */
gboolean algorithms_are_old(const char *suite);

#endif
