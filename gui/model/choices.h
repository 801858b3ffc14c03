/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_GUI_MODEL_CHOICES_H
#define GODWIT_GUI_MODEL_CHOICES_H

#include <glib.h>

#include "gui/model/profiles.h"

/* What a person has chosen for networks that are not trusted; kept in ~/.config/godwit/tray.ini. */
struct choices {
    gboolean connects;   /* on such networks */
    char *profile;       /* choices_name_of() the one to connect; "" = the first that can be used */
    GHashTable *trusted; /* a set of NetworkManager's UUIDs */
};

/* What the file has; the default is to connect nowhere and to trust nothing. Never NULL. */
struct choices *choices_load(void);
gboolean choices_save(const struct choices *choices, GError **error);
void choices_free(struct choices *choices);

/* By which a profile is chosen; g_free(). */
char *choices_name_of(GodwitProfile *profile);
/* The profile that is to be connected; NULL = there is none. Borrowed from the list. */
GodwitProfile *choices_find_profile(const struct choices *choices, GListModel *profiles);

#endif
