/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_SESSION_WORKER_H
#define GODWIT_SESSION_WORKER_H

#include <glib.h>

/*
 * A process of a connection, godwit-tunnel or its godwit-token: started as WORKER_USER without
 * capabilities, in a group of its own, with nothing open but its channel, and killed by the kernel
 * when the starting thread ends. godwit-tunnel waits until it is told what to connect, so that it
 * may be started before that is known.
 */
struct worker;

enum worker_program {
    WORKER_TUNNEL,
    WORKER_TOKEN, /* with the groups of WORKER_USER too: devices and stores of keys may be theirs */
};

/* Called once from the main context when the process has ended; `how` is a translated sentence. */
typedef void (*worker_ended_cb)(void *context, const char *how);

#define WORKER_ERROR worker_error_quark()
GQuark worker_error_quark(void);
enum worker_error { WORKER_ERROR_START };

/* `language`: of its sentences, as in LC_MESSAGES; NULL = that of our own environment. NULL and
 * *error when it cannot be started. */
struct worker *worker_start(enum worker_program program, const char *language, GError **error);
/* Begins its use, once: our end of the private socket, the caller's to close. From now on `ended`
 * is told, also of an end that was before. */
int worker_use(struct worker *worker, worker_ended_cb ended, void *context);
gboolean worker_running(const struct worker *worker);
/* Before its use: whether it still lives. */
gboolean worker_waits(const struct worker *worker);
void worker_kill(struct worker *worker);
/* Kills and waits when it still runs; `ended` is not called any more. NULL is harmless. */
void worker_free(struct worker *worker);

#endif
