/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_DAEMON_REQUEST_H
#define GODWIT_DAEMON_REQUEST_H

#include "daemon/authority.h"
#include "daemon/callers.h"

/*
 * A method call on its way: whose it is, whether it is allowed, the answer. A handler is a chain of
 * steps; each ends with request_authorise(), which leads to the next, or with one of the answers,
 * after which the request is gone.
 */
struct request;
typedef void (*request_step)(struct request *request);

struct requests; /* all that are on their way */

struct request {
    GDBusMethodInvocation *invocation;
    struct caller *caller;
    void *context; /* of the handler */
    void *data;    /* kept from step to step */
    GDestroyNotify free_data;
    request_step meanwhile; /* NULL, or what is done once, while polkit is asked */
    /* Private. */
    struct requests *all;
    request_step next;
    struct question *question; /* to polkit that is open; NULL = none is */
};

/* `changed` is called whenever a request begins or ends. */
struct requests *requests_new(struct callers *callers, struct authority *authority,
                              void (*changed)(void *context), void *context);
/* Those on their way are told that the service ends. Nothing may come back to them any more: the
 * main loop has ended. Before what their handlers and callers need is freed. */
void requests_free(struct requests *requests);
guint requests_count(const struct requests *requests);

/* Takes over `invocation`. The first step comes when the caller is known, maybe at once. */
void request_begin(struct requests *requests, GDBusMethodInvocation *invocation,
                   request_step identified, void *context);
/* The step follows when the caller may do it, which root always may; else the request fails. */
void request_authorise(struct request *request, const char *action, request_step allowed);
/* Either step follows: `allowed`, or `refused` for whatever reason. */
void request_ask(struct request *request, const char *action, request_step allowed,
                 request_step refused);
/* What the first argument, a tuple, is made of. Borrowed. */
GVariant *request_arguments(const struct request *request);

void request_return(struct request *request, GVariant *tuple); /* NULL = (); may be floating */
/* With the descriptors that the tuple's handles are of; `fds` stays the caller's. */
void request_return_fds(struct request *request, GVariant *tuple, GUnixFDList *fds);
/* `error` is what stands behind org.godwit.VPN1.Error, such as "NotFound". */
void request_fail(struct request *request, const char *error, const char *format, ...)
    G_GNUC_PRINTF(3, 4);
/* An error of D-Bus itself. */
void request_fail_dbus(struct request *request, GDBusError code, const char *format, ...)
    G_GNUC_PRINTF(3, 4);

#endif
