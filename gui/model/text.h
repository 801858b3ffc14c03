/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_GUI_MODEL_TEXT_H
#define GODWIT_GUI_MODEL_TEXT_H

#include <glib.h>

/*
 * Words for people. What came from elsewhere (names, banners, phases) goes through shown_text() or
 * shown_lines() before it is shown: then it holds no control character and no direction override,
 * and is no longer than a window can bear. It is plain text, never markup. All are the caller's to
 * g_free().
 */
char *shown_text(const char *text);
char *shown_lines(const char *text); /* line feeds stay; at most 40 lines */

/* "1:02:03", "0:07" */
char *duration_text(gint64 seconds);
/* "1.2 MB/s" */
char *rate_text(double octets_per_second);
/* "14:02:33", the local time of a moment of CLOCK_BOOTTIME. */
char *clock_text(guint64 boottime_us);
/* Now, in microseconds of CLOCK_BOOTTIME. */
guint64 boottime_now(void);

#endif
