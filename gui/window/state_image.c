/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "gui/window/state_image.h"

void state_image_show(GtkImage *image, enum godwit_state state)
{
    g_autofree char *icon = g_strdup_printf("godwit-%s-symbolic", godwit_state_name(state));
    const char *classes[] = {"state", godwit_state_name(state), NULL};

    gtk_image_set_from_icon_name(image, icon);
    gtk_widget_set_css_classes(GTK_WIDGET(image), classes);
}
