/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_DAEMON_WIRE_PROFILE_H
#define GODWIT_DAEMON_WIRE_PROFILE_H

#include <gio/gunixfdlist.h>

#include "profile/profile.h"

/* Largest profile that a caller may send, in octets: a bundle of authorities, a certificate and a
 * key as large as they may be. */
#define WIRE_PROFILE_MAX (3 * PROFILE_FILE_MAX + 8 * PROFILE_TEXT_MAX)

/*
 * A profile as a caller sends it: a{sv}, in which an octet string may be the handle of a sealed
 * memfd in `fds` (NULL = none came). Every value is checked; rules across keys are not. NULL and
 * *error on failure.
 */
struct profile *wire_profile(GVariant *dict, GUnixFDList *fds, GError **error);

#endif
