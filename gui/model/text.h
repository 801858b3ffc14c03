/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_GUI_MODEL_TEXT_H
#define GODWIT_GUI_MODEL_TEXT_H

#include <glib.h>

#include "gui/questions/shown.h"

/*
 * Words for people; what came from elsewhere (names, banners, phases) goes through shown_text() or
 * shown_lines() before it is shown. All are the caller's to g_free().
 */

/* "1:02:03", "0:07" */
char *duration_text(gint64 seconds);
/* "1.2 MB/s" */
char *rate_text(double octets_per_second);
/* "14:02:33", the local time of a moment of CLOCK_BOOTTIME. */
char *clock_text(guint64 boottime_us);

#endif
