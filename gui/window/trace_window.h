/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_GUI_WINDOW_TRACE_WINDOW_H
#define GODWIT_GUI_WINDOW_TRACE_WINDOW_H

#include <gtk/gtk.h>

#include "gui/model/trace.h"

/* A window with what happened on the connection `name`: phases, and the messages as arrows. It goes
 * on as the trace does; it can be searched, copied and saved. */
void trace_window_show(GtkWindow *parent, const char *name, GodwitTrace *trace);

#endif
