/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_NM_SERVICE_LINK_H
#define GODWIT_NM_SERVICE_LINK_H

#include "common/error.h"
#include "generated/vpn1.h"

/*
 * One connection at godwitd: asked for, watched, and asked for again when godwitd dies; what it has
 * lent then, once it was connected, lets it go on with the same interface. Asynchronous; everything
 * comes by callbacks of the main context.
 */
struct link;

struct link_ops {
    /* Connected, again after a change: read the properties. */
    void (*connected)(void *context, Vpn1Session *session);
    /* `form` as in the interface's property Form; answer by link_answer(). */
    void (*asks)(void *context, GVariant *form);
    /* A phase begins, for the log. */
    void (*phase)(void *context, const char *phase, const char *text);
    /* The last call. Texts are untranslated or translated sentences, may be "". */
    void (*ended)(void *context, enum reason reason, const char *sentence, const char *detail);
};

/* Somebody is about to ask for a connection: godwitd is started, gets to know who we are, and does
 * what it can do beforehand. */
void link_warm_up(GDBusConnection *bus);
/* `profile` a{sv} as in the interface, floating or not; `owner`: the user it is for, 0 = nobody in
 * particular. */
struct link *link_new(GDBusConnection *bus, const char *name, GVariant *profile, guint32 owner,
                      const struct link_ops *ops, void *context);
/* `values` a{say}, floating; wiped. */
void link_answer(struct link *link, guint32 form, GVariant *values);
/* Nobody answers. */
void link_cancel(struct link *link, guint32 form);
/* Callbacks stop; the session, if there is one or godwitd still makes one, is disconnected. NULL is
 * harmless. */
void link_free(struct link *link);

#endif
