/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_GUI_WINDOW_FACTS_H
#define GODWIT_GUI_WINDOW_FACTS_H

#include <adwaita.h>

#include "gui/model/world.h"

/* Rows with what is known of a connection: a label, and a value that may be selected. Rows without
 * a value, and groups without a row, are not shown. */
struct facts;

struct facts_groups {
    GtkWidget *gateway, *network, *security; /* AdwPreferencesGroup */
};

struct facts *facts_new(const struct facts_groups *groups);
void facts_free(struct facts *facts);
/* Either may be NULL: of a profile that is not connected its gateway is known. */
void facts_show(struct facts *facts, GodwitProfile *profile, GodwitSession *session);

#endif
