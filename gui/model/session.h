/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_GUI_MODEL_SESSION_H
#define GODWIT_GUI_MODEL_SESSION_H

#include <gio/gio.h>

#include "gui/model/state.h"
#include "gui/model/trace.h"

/*
 * A connection as godwitd tells of it, whoever began it. Signals:
 *   "changed"   a property is another one
 *   "history"   there is another entry of the history or of the trace
 *   "measured"  traffic was counted anew
 * All texts are fit to be shown, and the caller's to g_free() unless told otherwise.
 */
#define GODWIT_TYPE_SESSION (godwit_session_get_type())
G_DECLARE_FINAL_TYPE(GodwitSession, godwit_session, GODWIT, SESSION, GObject)

/* `proxy` is of org.godwit.VPN1.Session. The history is asked for at once. */
GodwitSession *godwit_session_new(GDBusProxy *proxy);

const char *godwit_session_get_path(GodwitSession *session); /* borrowed */
/* GODWIT_CONNECTING, _ON, _ROAMING, or _ATTENTION while it asks for something. */
enum godwit_state godwit_session_get_state(GodwitSession *session);
gboolean godwit_session_is_ending(GodwitSession *session);
gboolean godwit_session_is_ours(GodwitSession *session); /* of the same user */
/* How far it is, or why it is made anew; "" = there is nothing to say. */
char *godwit_session_dup_why(GodwitSession *session);
/* The state in words, with that: "Connecting: Gateway answered". */
char *godwit_session_dup_words(GodwitSession *session);
/* "" when it is not known. */
char *godwit_session_dup_text(GodwitSession *session, const char *property);
/* As the service told it, for comparing; not to be shown. */
char *godwit_session_dup_raw(GodwitSession *session, const char *property);
/* Elements of a list, with commas. */
char *godwit_session_dup_list(GodwitSession *session, const char *property);
/* Of the property Summary, such as "ike-suite". */
char *godwit_session_dup_fact(GodwitSession *session, const char *fact);
/* Whether it has come to that phase, by the name that the service gives it. */
gboolean godwit_session_has_passed(GodwitSession *session, const char *phase);
char *godwit_session_dup_banner(GodwitSession *session); /* with line feeds */
gboolean godwit_session_get_switch(GodwitSession *session, const char *property);
/* Seconds since it was first connected; -1 before. */
gint64 godwit_session_get_seconds(GodwitSession *session);
/* The open question as VPN1_FORM_TYPE, see the interface; NULL when there is none. */
GVariant *godwit_session_dup_form(GodwitSession *session);

struct godwit_entry {
    guint64 at_us; /* of CLOCK_BOOTTIME */
    char *text;
};
/* Phases so far, struct godwit_entry, oldest first; borrowed. */
const GPtrArray *godwit_session_get_history(GodwitSession *session);
/* The same and the ladder of messages, which is known once godwit_session_watch_trace() was called;
 * borrowed. */
GodwitTrace *godwit_session_get_trace(GodwitSession *session);
void godwit_session_watch_trace(GodwitSession *session);

struct godwit_traffic {
    guint64 rx, tx;          /* octets so far */
    double rx_rate, tx_rate; /* octets in each second */
};
/* Counts anew; "measured" follows. Again while it is being counted: nothing. */
void godwit_session_measure(GodwitSession *session);
const struct godwit_traffic *godwit_session_get_traffic(GodwitSession *session); /* borrowed */

#endif
