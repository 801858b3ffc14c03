/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_GUI_APP_APPLICATION_H
#define GODWIT_GUI_APP_APPLICATION_H

#include <adwaita.h>

/* godwit-tray: one for each desktop session. It joins the world, the icon with its menu, the
 * window, the notifications and the questions. */
#define GODWIT_TYPE_APPLICATION (godwit_application_get_type())
G_DECLARE_FINAL_TYPE(GodwitApplication, godwit_application, GODWIT, APPLICATION, AdwApplication)

#define APPLICATION_ID "org.godwit.Tray"

GApplication *godwit_application_new(void);

#endif
