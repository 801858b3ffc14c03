/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_DAEMON_SPARE_H
#define GODWIT_DAEMON_SPARE_H

#include "session/worker.h"

/*
 * A worker that is started for a connection that is about to be asked for. It has no rights, knows
 * nothing yet, and ends when nobody has taken it in time.
 */
struct spare;

struct spare *spare_new(guint lifetime_ms);
/* Starts one, or lets the one that there is live as long as a new one. */
void spare_prepare(struct spare *spare);
/* The caller owns it. NULL when there is none, or it has died meanwhile. */
struct worker *spare_take(struct spare *spare);
/* NULL is harmless. */
void spare_free(struct spare *spare);

#endif
