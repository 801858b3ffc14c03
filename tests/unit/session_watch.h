/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_TESTS_SESSION_WATCH_H
#define GODWIT_TESTS_SESSION_WATCH_H

#include <check.h>

#include "session/session.h"

/* Far above what any step takes, so that only a hang meets it. */
#define PATIENCE_S 20

/*
 * A session of a test, with what was called and told. Its worker is fake_worker.c, which does what
 * the profile's gateway says.
 */
struct watch {
    struct session *session;
    GMainLoop *loop;
    GString *log; /* what was called, in order */
    enum reason reason;
    char *failed; /* reason and detail of the last attempt that did */
    char *detail, *phase_text, *label, *prompt, *gateway_id, *dns;
    guint connects;
    char *state, *why; /* in the record, when a password was asked for */
    gboolean connected, ended, full_tunnel, stop_when_connected, stop_when_asked;
    const char *password; /* NULL cancels */
    const char *stop_at;  /* text of a phase */
    GTimer *since_stop;
};

/* A limit of the session's, in milliseconds, that is over fifty times as soon (0 = none), and how
 * often it was set. */
extern guint watch_hurried_ms, watch_n_hurried;

/* Keep everything; end the session when it is "established". */
extern const struct session_ops watch_ops;
void watch_on_ended(void *context, enum reason reason, const char *detail);

/* Start a session: of a profile, which is freed; of one with that gateway and tunnel; of a full
 * tunnel. */
void watch_profile(struct watch *watch, struct profile *profile, const struct session_ops *with);
void watch_mode(struct watch *watch, const char *mode, const char *tunnel,
                const struct session_ops *with);
void watch_begin(struct watch *watch, const char *mode, const struct session_ops *with);
/* Until it has connected, has ended, or tells `stop_at`. */
void watch_run(struct watch *watch);
/* Until the text of a phase has that. */
void watch_until_told(struct watch *watch, const char *text);
void watch_finish(struct watch *watch);

/* No process of ours, and the host as before. */
void watch_expect_clean(const char *before);
/* Packets to that address leave so. */
void watch_expect_way(const char *to, const char *device);
/* Enters a sandbox with an uplink, in which each of its tests has fake_worker.c as its worker. */
TCase *watch_tests(void);

#endif
