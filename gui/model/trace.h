/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_GUI_MODEL_TRACE_H
#define GODWIT_GUI_MODEL_TRACE_H

#include <gio/gio.h>

/* ---- one step ---- */

enum godwit_step_kind {
    GODWIT_STEP_PHASE,
    GODWIT_STEP_SENT, /* a message */
    GODWIT_STEP_RECEIVED,
    GODWIT_STEP_NOTE, /* what became of one */
    GODWIT_STEP_END,  /* why the connection ended */
};

/* Something that happened on a connection. It does not change; all texts are fit to be shown. */
#define GODWIT_TYPE_STEP (godwit_step_get_type())
G_DECLARE_FINAL_TYPE(GodwitStep, godwit_step, GODWIT, STEP, GObject)

enum godwit_step_kind godwit_step_get_kind(GodwitStep *step);
gboolean godwit_step_is_message(GodwitStep *step);   /* or a note on one */
gboolean godwit_step_is_again(GodwitStep *step);     /* a message that was sent once more */
const char *godwit_step_get_title(GodwitStep *step); /* "IKE_AUTH #1 request"; borrowed */
const char *godwit_step_get_more(GodwitStep *step);  /* its payloads, "" = nothing; borrowed */
char *godwit_step_dup_time(GodwitStep *step);        /* "14:02:33.120", local */
/* All of it as a line of text, without a line feed. */
char *godwit_step_dup_line(GodwitStep *step);
gboolean godwit_step_contains(GodwitStep *step, const char *text); /* whatever the case */

/* ---- all of them ---- */

/* Phases and the ladder of messages, a GListModel of GodwitStep in the order of time. */
#define GODWIT_TYPE_TRACE (godwit_trace_get_type())
G_DECLARE_FINAL_TYPE(GodwitTrace, godwit_trace, GODWIT, TRACE, GObject)

GodwitTrace *godwit_trace_new(void);
/* Times are of CLOCK_BOOTTIME. `line` as the service tells it, see its interface: Rung. */
void godwit_trace_add_phase(GodwitTrace *trace, guint64 at_us, const char *text);
void godwit_trace_add_message(GodwitTrace *trace, guint64 at_us, const char *line, gboolean sent,
                              gboolean again);
void godwit_trace_add_end(GodwitTrace *trace, const char *text); /* now */
/* Forgets phases, or messages and notes, which are told anew until godwit_trace_thaw(). */
void godwit_trace_forget(GodwitTrace *trace, gboolean messages);
void godwit_trace_thaw(GodwitTrace *trace);

/* The steps of such a list as text, a line each; g_free(). */
char *godwit_steps_text(GListModel *steps);

#endif
