/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_CLI_BUS_H
#define GODWIT_CLI_BUS_H

#include <gio/gio.h>

#include "cli/cli.h"
#include "common/vpn1.h"

/*
 * The system service godwitd on the system bus (org.godwit.VPN1). Without proxies: they fetch and
 * keep what one command does not need, and a connection waits for it.
 */
struct bus;

/* How a call is made. */
enum bus_flags {
    BUS_PLAIN = 0,
    BUS_NO_START = 1,    /* the service is not started for it; then it fails as unavailable */
    BUS_INTERACTIVE = 2, /* polkit may ask the person for a password, also on this terminal */
};

/* Signals of the service alone; `arguments` is borrowed. */
typedef void (*bus_signal_cb)(void *context, const char *path, const char *interface,
                              const char *name, GVariant *arguments);
/* The service, which had answered, or the bus has ended. */
typedef void (*bus_lost_cb)(void *context);
/* `reply` is NULL when it failed; all borrowed. */
typedef void (*bus_reply_cb)(void *context, GVariant *reply, const GError *error);

/* Connects to the bus. NULL and a CLI_ERROR when there is none. Signals that are to be watched with
 * signals_watch() must be watched already: it starts a thread. */
struct bus *bus_open(GError **error);
void bus_close(struct bus *bus); /* NULL is harmless; no callback follows */

/* From now on. The service sends signals to those only who have called GetManagedObjects. */
void bus_listen(struct bus *bus, bus_signal_cb signalled, bus_lost_cb lost, void *context);

/* Nobody listens any more, and no reply that is still to come is told; what was sent arrives. */
void bus_quiet(struct bus *bus);

/* Sends a call; what was sent before is carried out before. `arguments` may float. Errors are
 * CLI_ERRORs. `done` may be NULL. */
void bus_send(struct bus *bus, const char *path, const char *interface, const char *method,
              GVariant *arguments, unsigned flags, bus_reply_cb done, void *context);
/* The same, waiting for the reply: g_variant_unref(). */
GVariant *bus_call(struct bus *bus, const char *path, const char *interface, const char *method,
                   GVariant *arguments, unsigned flags, GError **error);
/* ... with a descriptor, which stays the caller's and is number 0 of the message. */
GVariant *bus_call_with_fd(struct bus *bus, const char *path, const char *interface,
                           const char *method, GVariant *arguments, int fd, unsigned flags,
                           GError **error);
/* A property of the manager; g_variant_unref(). */
GVariant *bus_manager_property(struct bus *bus, const char *name, unsigned flags, GError **error);
/* Whether somebody has that name on the bus, or would be started for it. */
gboolean bus_has_name(struct bus *bus, const char *name);

#endif
