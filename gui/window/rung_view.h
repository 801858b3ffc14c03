/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_GUI_WINDOW_RUNG_VIEW_H
#define GODWIT_GUI_WINDOW_RUNG_VIEW_H

#include <gtk/gtk.h>

#include "gui/model/trace.h"

/* One step of a trace between two lines, this computer's and the gateway's: a message is an arrow
 * from one to the other. */
#define GODWIT_TYPE_RUNG_VIEW (godwit_rung_view_get_type())
G_DECLARE_FINAL_TYPE(GodwitRungView, godwit_rung_view, GODWIT, RUNG_VIEW, GtkWidget)

GtkWidget *godwit_rung_view_new(void);
/* NULL = none, until there is another one. */
void godwit_rung_view_set_step(GodwitRungView *view, GodwitStep *step);

#endif
