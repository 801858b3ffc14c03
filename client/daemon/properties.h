/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_DAEMON_PROPERTIES_H
#define GODWIT_DAEMON_PROPERTIES_H

#include <gio/gio.h>

/* The properties of one object: what they are now, and which have changed. */
struct properties;

/* Each as empty as its type can be: "", 0, FALSE, an array without elements. */
struct properties *properties_new(const GDBusInterfaceInfo *info);
void properties_free(struct properties *properties);
/* Takes a floating reference. The name and the type must be the interface's. */
void properties_set(struct properties *properties, const char *name, GVariant *value);
GVariant *properties_get(const struct properties *properties, const char *name); /* borrowed */
GVariant *properties_all(const struct properties *properties); /* a{sv}, floating */
/* The body of PropertiesChanged, floating; NULL when nothing has changed since the last time. */
GVariant *properties_take_changes(struct properties *properties);

#endif
