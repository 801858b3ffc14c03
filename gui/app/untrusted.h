/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_GUI_APP_UNTRUSTED_H
#define GODWIT_GUI_APP_UNTRUSTED_H

#include "gui/model/networks.h"
#include "gui/model/world.h"

/*
 * Connects when the computer joins a network that is not trusted, as the choices are: once for each
 * time that it joins, once it leads further than to a captive portal. Where a person has ended it,
 * or answered no question, it is not begun again until the computer was in another network; where
 * it has failed, not for some minutes. What is connected already is left alone.
 */
struct untrusted;

struct untrusted *untrusted_new(GodwitWorld *world);
void untrusted_free(struct untrusted *untrusted); /* NULL is harmless */

GodwitNetworks *untrusted_get_networks(struct untrusted *untrusted); /* borrowed */
/* The choices may be others. */
void untrusted_update(struct untrusted *untrusted);

#endif
