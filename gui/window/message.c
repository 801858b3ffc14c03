/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "gui/window/message.h"

#include <adwaita.h>

#include "common/i18n.h"
#include "gui/questions/shown.h"

void message_show(GtkWindow *parent, const char *heading, const char *text)
{
    g_autofree char *shown = shown_text(text);
    GtkWidget *dialog = adw_message_dialog_new(parent, heading, shown);

    adw_message_dialog_add_response(ADW_MESSAGE_DIALOG(dialog), "close", _("_Close"));
    gtk_window_present(GTK_WINDOW(dialog));
}
