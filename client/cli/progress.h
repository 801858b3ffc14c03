/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_CLI_PROGRESS_H
#define GODWIT_CLI_PROGRESS_H

#include "session/session.h"

/* Times are microseconds of CLOCK_BOOTTIME; what is shown are milliseconds since `start_us`. */
void progress_phase(guint64 start_us, const char *phase, const char *text, guint64 at_us);
/* One rung of the ladder, on stderr. */
void progress_trace(guint64 start_us, const char *line, gboolean outbound, gboolean retransmission,
                    guint64 at_us);
/* What stands behind the time; free it. */
char *progress_phase_text(const char *phase, const char *text);
char *progress_rung_text(const char *line, gboolean outbound, gboolean retransmission);
/* One line: another IKE SA carries the traffic, or the gateway has assigned something else. */
void progress_again(guint64 start_us, const struct session_info *info);
/* The summary, which begins with "Connected to NAME in N ms". */
void progress_connected(guint64 start_us, const struct session_info *info);

#endif
