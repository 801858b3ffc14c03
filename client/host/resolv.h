/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_HOST_RESOLV_H
#define GODWIT_HOST_RESOLV_H

#include "host/dns.h"

/*
 * /etc/resolv.conf for the time of a tunnel. What was there is kept in RUNDIR/NAME.resolv, down to
 * owner, mode and a symbolic link's target. All calls need the lock of record_lock(), but for
 * resolv_intact().
 */

/* Replaces the file; on failure nothing has changed and *error says why. Repeated, it puts ours
 * back: what another program has written meanwhile is what comes back in the end. */
gboolean resolv_apply(const struct record *record, const struct dns_plan *plan, GError **error);
/* The file is as resolv_apply() of this or another session left it, or there is nothing to keep. */
gboolean resolv_intact(const struct record *record);
/*
 * Puts back what was there. A file that somebody else has changed meanwhile is left alone, and a
 * message says so; when it was another session, that one inherits the original. Harmless when
 * nothing was applied.
 */
void resolv_revert(struct record *record);

#endif
