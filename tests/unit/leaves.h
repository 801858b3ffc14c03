/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_TESTS_LEAVES_H
#define GODWIT_TESTS_LEAVES_H

#include <sys/types.h>

#include "host/host.h"

/* What leaves a host behind our firewall, in a sandbox. Whatever is otherwise fails the test. */
struct attempt {
    const char *to;   /* "192.0.2.1:53" */
    const char *link; /* NULL = as routed */
    guint32 mark;
    guint16 from; /* port, 0 = any */
    uid_t user;
};

/* 0, or why a datagram does not leave. */
int send_datagram(const struct attempt *attempt);
/* It leaves, or the firewall refuses it. */
void expect_sent(gboolean sent, struct attempt attempt);
void expect_leaves(gboolean leaves, const char *to, const char *link);

/* Somewhere on the internet, in both families. */
extern const char *const outside[2];
/* By the uplink, whatever the routes say, as programs can that choose their interface. */
void expect_outside(gboolean leaves);
/* What must leave beside any tunnel. */
void expect_necessary(gboolean leaves);
uid_t worker_user(void);

/* These options with the kill switch of a connection, and networks that are excluded from it, with
 * blanks between them. */
struct host_options killing(const struct host_options *options, const char *excluded);

#endif
