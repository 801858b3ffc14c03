/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_NM_SHARED_SETTINGS_H
#define GODWIT_NM_SHARED_SETTINGS_H

#include <NetworkManager.h>

#include "profile/profile.h"

/*
 * A connection of NetworkManager and a profile are the same thing in two clothes: vpn.data has the
 * profile's keys by their names, as text, vpn.secrets those that are secret. Certificates are kept
 * by value ("base64:…", as in a keyfile), so that nobody has to open a user's file later; so is a
 * private key, among the secrets. The key "timeout" is the setting's own property of that name.
 */
#define SETTINGS_SERVICE "org.freedesktop.NetworkManager.godwit"

/*
 * Reads a file that vpn.data names by its path, with the rights of whose connection it is. Octets
 * or NULL and *error; the callee's buffer, freed by the caller.
 */
typedef GBytes *(*settings_reader)(gpointer context, const char *path, GError **error);

/*
 * Every key is checked; unknown ones are errors. The connection's id stands for "name" when there
 * is none. Secrets that are not there are left out. NULL and *error (PROFILE_ERROR).
 */
struct profile *settings_to_profile(NMConnection *connection, settings_reader reader,
                                    gpointer context, GError **error);
/*
 * Puts what is set into the connection's VPN setting, made when there is none, and takes out keys
 * that are not set; what is not ours stays. "name" becomes the connection's id.
 */
void settings_from_profile(const struct profile *profile, NMConnection *connection);

/*
 * The text that the setting has for the key, NULL = none; it is the caller's, to be wiped and
 * freed. "timeout" is NetworkManager's own vpn.timeout, less what that one waits longer.
 */
char *settings_text(NMSettingVpn *setting, const struct profile_key *key);
/* Sets it, or takes it out (NULL). */
void settings_put(NMSettingVpn *setting, const struct profile_key *key, const char *text);

/* Whether the key is kept among vpn.secrets. */
gboolean settings_is_secret(const struct profile_key *key);

/* The secret that an authentication method, as the keys "auth" and "certificate" name it (NULL =
 * the default), cannot do without: the name of its key, or NULL. */
const char *settings_secret_of(const char *auth, const char *certificate);

/*
 * The secret that is needed before anything can begin and that the connection neither has nor is
 * marked as not required: the name of its key, NULL = none.
 */
const char *settings_missing_secret(NMConnection *connection);

#endif
