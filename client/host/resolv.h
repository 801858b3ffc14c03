/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_HOST_RESOLV_H
#define GODWIT_HOST_RESOLV_H

#include "common/net_config.h"
#include "host/record.h"

/*
 * /etc/resolv.conf for the time of a tunnel. What was there is kept in RUNDIR/NAME.resolv, down to
 * owner, mode and a symbolic link's target. Both calls need the lock of record_lock().
 */

/* Replaces the file; on failure nothing has changed and *error says why. `config` has at least one
 * server in `servers`. */
gboolean resolv_apply(const struct record *record, const struct addr *servers, size_t n_servers,
                      const struct net_config *config, GError **error);
/*
 * Puts back what was there. A file that somebody else has changed meanwhile is left alone, and a
 * message says so; when it was another session, that one inherits the original. Harmless when
 * nothing was applied.
 */
void resolv_revert(const struct record *record);

#endif
