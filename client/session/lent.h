/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_SESSION_LENT_H
#define GODWIT_SESSION_LENT_H

#include <glib.h>

/*
 * Memory (a memfd of fixed size) in which a session puts what MESSAGE_KEEP brings, and of which
 * another process has a duplicate: when ours is ended by a fault, the next one reads it there. What
 * is read is whole, whenever the writer was ended.
 */
struct lent;

struct lent *lent_new(GError **error);
/* `kept` a{sv}, in the place of what was there before, which is wiped. */
void lent_write(struct lent *lent, GVariant *kept);
int lent_fd(const struct lent *lent); /* borrowed */
/* Wipes it for all who have it, and closes it. NULL is harmless. */
void lent_free(struct lent *lent);
/* The same, but what was written stays. */
void lent_leave(struct lent *lent);

/* What is in such memory, whoever gave `fd`: a{sv} in normal form, wiped with its last reference.
 * NULL and *error when it is none, or nothing was written. */
GVariant *lent_read(int fd, GError **error);

#endif
