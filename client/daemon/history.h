/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_DAEMON_HISTORY_H
#define GODWIT_DAEMON_HISTORY_H

#include <glib.h>

/* The last HISTORY_MAX things of one kind that happened. */
#define HISTORY_MAX 1000

struct history;

struct history *history_new(const char *type); /* of an element, "(sst)" */
void history_free(struct history *history);
void history_add(struct history *history, GVariant *element); /* may be floating */
GVariant *history_array(const struct history *history);       /* oldest first; floating */

#endif
