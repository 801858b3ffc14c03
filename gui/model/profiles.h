/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_GUI_MODEL_PROFILES_H
#define GODWIT_GUI_MODEL_PROFILES_H

#include <gio/gio.h>

/* A profile that there is: the user's own in a file, or the computer's, which godwitd keeps. */
#define GODWIT_TYPE_PROFILE (godwit_profile_get_type())
G_DECLARE_FINAL_TYPE(GodwitProfile, godwit_profile, GODWIT, PROFILE, GObject)

/* All borrowed. */
const char *godwit_profile_get_name(GodwitProfile *profile);    /* of the file, without ".conf" */
const char *godwit_profile_get_title(GodwitProfile *profile);   /* what connections are called */
const char *godwit_profile_get_gateway(GodwitProfile *profile); /* "" = not known */
const char *godwit_profile_get_path(GodwitProfile *profile);    /* NULL = the computer's */
const char *godwit_profile_get_why(GodwitProfile *profile); /* it can't be used; NULL = it can */

/*
 * The list of them, a GListModel: the user's, kept as the folder ~/.config/godwit is, then the
 * computer's, each sorted by title. Entries that have not changed stay the same objects.
 */
#define GODWIT_TYPE_PROFILES (godwit_profiles_get_type())
G_DECLARE_FINAL_TYPE(GodwitProfiles, godwit_profiles, GODWIT, PROFILES, GObject)

GodwitProfiles *godwit_profiles_new(void);
/* At the files, now: what has just been written need not be waited for. */
void godwit_profiles_look(GodwitProfiles *profiles);
/* `list`: a(sa{sv}s) as ListSystemProfiles gives it; NULL = the service tells none. */
void godwit_profiles_set_system(GodwitProfiles *profiles, GVariant *list);
/* Of that whose title is shown so, what is set, "key=value" a line, fit to be shown: no secrets, no
 * content of files; "" = there is none. g_free(). */
char *godwit_profiles_dup_settings(GodwitProfiles *profiles, const char *title);

#endif
