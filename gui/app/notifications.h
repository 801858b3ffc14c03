/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_GUI_APP_NOTIFICATIONS_H
#define GODWIT_GUI_APP_NOTIFICATIONS_H

#include <gio/gio.h>

#include "gui/model/world.h"

/*
 * What somebody is told who does not look: connected, lost and being made anew, needed, failed,
 * traffic held. One notification for each connection, replaced by the next; a connection that is
 * lost and back within a moment is none, and nothing is told of what a person has just ended.
 */
struct notifications;

struct notifications *notifications_new(GApplication *application, GodwitWorld *world);
void notifications_free(struct notifications *notifications); /* NULL is harmless */

#endif
