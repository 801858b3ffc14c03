/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_DAEMON_SERVICE_H
#define GODWIT_DAEMON_SERVICE_H

#include <glib.h>

/* The service on the system bus, from its start to its end. */
struct service;

struct service_options {
    guint idle_seconds; /* ends when nothing has been asked of it for so long; 0 = never */
};

/* NULL and *error without a system bus. */
struct service *service_new(const struct service_options *options, GError **error);
/* Until it ends; returns the exit status. */
int service_run(struct service *service);
/* Ends all sessions, then service_run(). A second call does not wait for their gateways. */
void service_stop(struct service *service);
void service_free(struct service *service);

#endif
