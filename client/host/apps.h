/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_HOST_APPS_H
#define GODWIT_HOST_APPS_H

#include <glib.h>
#include <sys/types.h>

/*
 * Applications, as far as the kernel can tell the packets of one from those of another: by the
 * control group (cgroups(7), version 2) that a socket was made in. A desktop gives each application
 * a group of its own, named after it (systemd's "XDG applications"); so do services. Groups are
 * paths below APPS_ROOT, "user.slice/…/app-gnome-firefox-2211.scope".
 */
struct apps;

#define APPS_ROOT "/sys/fs/cgroup"
#define APPS_NAMES_MAX 32
#define APPS_GROUPS_MAX 256 /* of all names together; more are not looked for */

/* Why they cannot be told apart here, translated; NULL = they can. */
const char *apps_missing(void);

/*
 * Looks for the groups of these applications, from now on: see is_app_group() for the names. Only
 * groups of user `owner`, unless 0. `changed` is called when apps_groups() is another, never from
 * inside a function of this file. NULL and *error where they cannot be told apart.
 */
struct apps *apps_new(const char *const *names, uid_t owner, void (*changed)(void *context),
                      void *context, GError **error);
void apps_free(struct apps *apps); /* NULL is harmless */
/* Those that there are, with blanks between; borrowed until the main loop runs again. */
const char *apps_groups(const struct apps *apps);
/* One more, whatever its name, until it is gone. FALSE when there are too many. */
gboolean apps_add(struct apps *apps, const char *group, GError **error);

/*
 * The group of a process of user `uid`, who wants it to be told apart: it must hold no process of
 * another user, and no groups. `pidfd` may be anything. NULL and *error, else g_free().
 */
char *apps_group_of(int pidfd, uid_t uid, GError **error);

/* Whether a group's own name is that of an application or unit. */
gboolean apps_is_group_of(const char *group_name, const char *name);
/* The words that are paths of groups there are. g_free(). */
char *apps_existing(const char *groups);

#endif
