/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_NM_AUTH_DIALOG_KEYRING_H
#define GODWIT_NM_AUTH_DIALOG_KEYRING_H

#include <gio/gio.h>

/*
 * The secrets of a connection that the keyring of the desktop keeps, named as NetworkManager's
 * other agents name them: what one of them stores, the others find. No call waits for ever: not
 * for a service that is silent, and not for a person who does not unlock it. `gone` ends it early;
 * it may be NULL.
 */

/*
 * Puts what is kept for the connection into `found` (strings by key, copied). `unlock`: a person
 * may be asked to open the keyring. NULL, or a translated sentence why it could not be read; free
 * it.
 */
char *keyring_read(const char *uuid, gboolean unlock, GHashTable *found, GCancellable *gone);
/* Keeps or replaces one. `name` and `service` are the connection's, for people. As above. */
char *keyring_write(const char *uuid, const char *name, const char *service, const char *key,
                    const char *value, GCancellable *gone);

#endif
