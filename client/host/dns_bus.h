/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_HOST_DNS_BUS_H
#define GODWIT_HOST_DNS_BUS_H

#include <gio/gio.h>

#include "host/dns_backend.h"

/*
 * What the ways over the system bus have in common: a service that is there, or is not, that comes
 * and goes, and that is told everything again when it has come.
 */
struct dns_bus;

struct dns_service {
    const char *bus_name;
    const char *name;    /* for people */
    gboolean auto_start; /* have the bus start it */
    /* Told again also when properties of this object change; NULL = none. */
    const char *followed_name, *followed_path, *followed_interface;
    /* It has come: to be told, by dns_bus_call(). */
    void (*come)(struct dns_bus *bus);
};

/* The system bus for what cannot wait for the main loop, if it is had within DNS_PATIENCE; else
 * NULL. g_object_unref(). */
GDBusConnection *dns_bus_now(void);

struct dns_bus *dns_bus_new(const struct dns_service *service, const struct dns_target *target,
                            dns_told told, void *context);
void dns_bus_free(struct dns_bus *bus);
const struct dns_target *dns_bus_target(const struct dns_bus *bus);

/* A method of the service, within DNS_PATIENCE. When all that were called have been answered the
 * way is set; it is not when one failed that `must` not. Consumes `arguments`. */
void dns_bus_call(struct dns_bus *bus, const char *path, const char *interface, const char *method,
                  GVariant *arguments, gboolean must);
/* What is called for cannot be had; `why` is copied. */
void dns_bus_fail(struct dns_bus *bus, const char *why);
/* Another service's property, told to `got`, NULL when there is none; counts as dns_bus_call(). */
void dns_bus_get(struct dns_bus *bus, const char *name, const char *path, const char *interface,
                 const char *property, void (*got)(struct dns_bus *bus, GVariant *value));

#endif
