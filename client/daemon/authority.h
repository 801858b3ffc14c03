/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_DAEMON_AUTHORITY_H
#define GODWIT_DAEMON_AUTHORITY_H

#include <gio/gio.h>

/* Asks polkit whether a caller may do something. Never waits for it in the main loop. */
struct authority;

enum verdict {
    VERDICT_ALLOWED,
    VERDICT_DENIED,
    VERDICT_CHALLENGE, /* it could be allowed if somebody were asked for a password */
    VERDICT_NO_ANSWER, /* polkit is not there, or does not answer in time */
};

typedef void (*authority_cb)(void *context, enum verdict verdict);

struct authority *authority_new(GDBusConnection *bus);
/* What still waits gets no callback. NULL is harmless. */
void authority_free(struct authority *authority);
/* Whether the owner of the unique name may do it. `interactive`: polkit may ask a person, who has
 * two minutes; else it has five seconds. Calls back later, once. */
void authority_check(struct authority *authority, const char *name, const char *action,
                     gboolean interactive, authority_cb done, void *context);

#endif
