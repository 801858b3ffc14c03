/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_CLI_FACTS_H
#define GODWIT_CLI_FACTS_H

#include <gio/gio.h>

/*
 * The properties of one session, by their names in org.godwit.VPN1.Session. What is missing, or of
 * another type than it should be, reads as empty.
 */
struct facts;

struct facts *facts_new(void);
void facts_free(struct facts *facts); /* NULL is harmless */
/* Takes `value` when it floats. */
void facts_set(struct facts *facts, const char *name, GVariant *value);
/* Sets what is in an a{sv}. */
void facts_update(struct facts *facts, GVariant *changed);
/* It has that value already. */
gboolean facts_has(const struct facts *facts, const char *name, GVariant *value);

const char *facts_text(const struct facts *facts, const char *name); /* never NULL; borrowed */
char **facts_texts(const struct facts *facts, const char *name);     /* never NULL; g_strfreev() */
guint64 facts_number(const struct facts *facts, const char *name);   /* of u, t, x or q */
gboolean facts_bool(const struct facts *facts, const char *name);
/* The value when it is of that type, else NULL; borrowed. */
GVariant *facts_value(const struct facts *facts, const char *name, const char *type);

#endif
