/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_IKE_EVENTS_H
#define GODWIT_IKE_EVENTS_H

#include "ike/ike.h"

/* Queue of events that wait to be pulled. Owns copies of everything that an event points to. */

struct event_node;
struct events {
    struct event_node *head, *tail;
    struct event_node *pulled; /* lent to the caller until the next call */
    size_t n;
};

/* Traces are dropped once so many events wait; what changes the tunnel is never dropped. */
#define EVENTS_TRACE_MAX 4096

/* Copies the event, its text, child and net. ERR_MEMORY. */
enum err events_push(struct events *events, const struct ike_event *event) ERR_CHECK;
/* Fills *out and lends what it points to; false when none waits. */
bool events_pull(struct events *events, struct ike_event *out);
void events_free(struct events *events); /* wipes */

#endif
