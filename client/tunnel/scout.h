/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_TUNNEL_SCOUT_H
#define GODWIT_TUNNEL_SCOUT_H

#include <glib.h>

#include "common/addr.h"

/*
 * A process beside the worker that does what the worker may not once it is confined (cage.h): it
 * asks the name service, whose modules open files and sockets of all kinds. The same user and no
 * more rights; it sees no key and nothing of the tunnel, reads files, and starts no program. Each
 * question is answered by a process of its own, so that none waits for another.
 */

/* Forks it, to be called while there is one thread: it ends when that one does. Returns our end of
 * its socket, or -1. */
int scout_start(void);

#define SCOUT_FOUND_MAX 16

struct scout_question {
    char name[256];
};
struct scout_answer {
    guint32 n; /* of `found`; in the order of RFC 6724 */
    struct addr found[SCOUT_FOUND_MAX];
    char error[512]; /* for people, when there are none */
};

/* Returns a descriptor, the caller's to close, that becomes readable when there is an answer or
 * will be none; -1 when the question cannot be asked. */
int scout_ask(int scout, const struct scout_question *question);
/* FALSE when there is no answer (by now). Whatever it says is checked. */
gboolean scout_answer_read(int fd, struct scout_answer *answer);

#endif
