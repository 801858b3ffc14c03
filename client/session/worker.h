/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_SESSION_WORKER_H
#define GODWIT_SESSION_WORKER_H

#include <glib.h>

/*
 * A process of a connection, godwit-tunnel or its godwit-token: started as WORKER_USER without capabilities, in a session of its own,
 * with nothing open but the descriptors given here, and killed by the kernel when the starting
 * thread ends.
 */
struct worker;

enum worker_program {
    WORKER_TUNNEL,
    WORKER_TOKEN, /* with the groups of WORKER_USER too: devices and stores of keys may be theirs */
};

struct worker_fds {
    /* -1 = absent; they stay the caller's. `token`: the channel of a WORKER_TOKEN. */
    int tun, udp4, udp6, lookup4, lookup6, tcp4, tcp6, token;
};

/* Called once from the main context when the process has ended; `how` is a translated sentence. */
typedef void (*worker_ended_cb)(void *context, const char *how);

#define WORKER_ERROR worker_error_quark()
GQuark worker_error_quark(void);
enum worker_error { WORKER_ERROR_START };

/* *channel is the other end of its private socket, the caller's to close; a WORKER_TOKEN has no other
 * descriptor, and `fds` NULL. NULL and *error when it cannot be started. */
struct worker *worker_start(enum worker_program program, const struct worker_fds *fds, int *channel, worker_ended_cb ended,
                            void *context, GError **error);
gboolean worker_running(const struct worker *worker);
void worker_kill(struct worker *worker);
/* Kills and waits when it still runs; `ended` is not called any more. NULL is harmless. */
void worker_free(struct worker *worker);

#endif
