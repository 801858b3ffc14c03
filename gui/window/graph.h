/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_GUI_WINDOW_GRAPH_H
#define GODWIT_GUI_WINDOW_GRAPH_H

#include <gtk/gtk.h>

#include "gui/model/session.h"

/* The traffic of a session over the last minute, received and sent. It measures once a second, and
 * only while it is to be seen. */
#define GODWIT_TYPE_GRAPH (godwit_graph_get_type())
G_DECLARE_FINAL_TYPE(GodwitGraph, godwit_graph, GODWIT, GRAPH, GtkWidget)

/* NULL = of none: it is empty. */
void godwit_graph_set_session(GodwitGraph *graph, GodwitSession *session);

#endif
