/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_HOST_RP_FILTER_H
#define GODWIT_HOST_RP_FILTER_H

#include "host/record.h"

/*
 * The gateway's answers come in without our mark, so that the strict reverse path filter (RFC
 * 3704 2.2) compares with the tunnel's routes and drops them; the loose one does not.
 */

/* Loosens it if it is strict somewhere, having saved the record; FALSE when that cannot be saved.
 * Needs the lock, as the call below. */
gboolean rp_filter_loosen(struct record *record, GError **error);
/* What it was, unless another session still needs it loose. */
void rp_filter_restore(const struct record *record);

#endif
