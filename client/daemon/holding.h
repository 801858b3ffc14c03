/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_DAEMON_HOLDING_H
#define GODWIT_DAEMON_HOLDING_H

#include <glib.h>

/* The kill switch while nothing is connected, as it was last set: kept in /etc/godwit/kill-switch
 * over restarts of the machine. */
struct holding;

/* Holds if it is set, or what it is cannot be read. For a process that ends then. */
gboolean holding_apply(GError **error);
/* The same, for one that stays. */
struct holding *holding_new(void);
void holding_free(struct holding *holding); /* the kernel holds on */
/* Both the host and the file, or neither. `excepted`: networks as text. */
gboolean holding_set(struct holding *holding, gboolean always, const char *const *excepted,
                     GError **error);
/* Also when a session began it, whose profile says kill-switch=always. */
gboolean holding_is_on(const struct holding *holding);
/* Once a session or holding_set() may have changed that: as long as traffic is held, what follows
 * the host's networks, and brings the rules back when others take them away, is there. */
void holding_follow(struct holding *holding);
const char *const *holding_excepted(const struct holding *holding);

#endif
