/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_TUNNEL_DROPS_H
#define GODWIT_TUNNEL_DROPS_H

#include <glib.h>

#include "esp/datapath.h"

/* Names for the log what the datapath has dropped. */
struct drops {
    struct datapath_counters told;
    guint64 told_at; /* boottime; 0 = never */
};

#define DROPS_INTERVAL G_TIME_SPAN_MINUTE /* between two lines */

/*
 * What has been dropped since the last time, once something had to be for lack of room; NULL when
 * nothing had, or it is too early to say. The caller frees it.
 */
char *drops_news(struct drops *drops, const struct datapath_counters *counters, guint64 now);

#endif
