/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_SESSION_WORKER_H
#define GODWIT_SESSION_WORKER_H

#include <glib.h>

/*
 * The process godwit-tunnel: started as WORKER_USER without capabilities, in a session of its own,
 * with nothing open but the descriptors given here, and killed by the kernel when the starting
 * thread ends.
 */
struct worker;

struct worker_fds {
    int tun, udp4, udp6, lookup4, lookup6, tcp4, tcp6; /* -1 = absent; they stay the caller's */
};

/* Called once from the main context when the process has ended; `how` is a translated sentence. */
typedef void (*worker_ended_cb)(void *context, const char *how);

#define WORKER_ERROR worker_error_quark()
GQuark worker_error_quark(void);
enum worker_error { WORKER_ERROR_START };

/* *channel is our end of the private socket, the caller's to close. NULL and *error when it cannot
 * be started. */
struct worker *worker_start(const struct worker_fds *fds, int *channel, worker_ended_cb ended,
                            void *context, GError **error);
gboolean worker_running(const struct worker *worker);
void worker_kill(struct worker *worker);
/* Kills and waits when it still runs; `ended` is not called any more. NULL is harmless. */
void worker_free(struct worker *worker);

#endif
