/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_DAEMON_PRIVILEGES_H
#define GODWIT_DAEMON_PRIVILEGES_H

#include <glib.h>

/* Gives up for good what the service has no need of, for itself and for all that it starts. To be
 * called while there is one thread. FALSE and *error when that is not to be had. */
gboolean privileges_drop(GError **error);

#endif
