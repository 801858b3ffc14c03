/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_GUI_QUESTIONS_SHOWN_H
#define GODWIT_GUI_QUESTIONS_SHOWN_H

#include <glib.h>

/*
 * What came from elsewhere (a gateway, a certificate, a file) as it may stand in a window: UTF-8,
 * without control characters and characters that reorder or hide text, and of limited length ("…"
 * where it was cut). It is plain text, never markup. NULL counts as "". Free them.
 */

/* One line of at most `characters`. */
char *shown_line(const char *text, gsize characters);
/* Line ends stay; of at most `characters` and `lines`. Empty lines at the ends go. */
char *shown_block(const char *text, gsize characters, guint lines);
/* One line that may stand in a sentence of either direction, which its own does not change. */
char *shown_name(const char *text, gsize characters);

/* For who may take it for markup, or may not: what looks alike is in the place of "<", ">" and
 * "&". */
char *shown_unmarked(const char *text);
/* "21 November 2026" of seconds since 1970, here; "?" of what no calendar has. */
char *shown_date(gint64 when);

/* The same for what has a page of its own: 400 characters, 40 lines. */
char *shown_text(const char *text);
char *shown_lines(const char *text);

#endif
