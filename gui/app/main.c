/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <locale.h>

#include "common/i18n.h"
#include "gui/app/application.h"

int main(int argc, char **argv)
{
    g_autoptr(GApplication) application = NULL;

    setlocale(LC_ALL, "");
    bindtextdomain(PACKAGE, LOCALEDIR);
    bind_textdomain_codeset(PACKAGE, "UTF-8");
    textdomain(PACKAGE);
    application = godwit_application_new();
    return g_application_run(application, argc, argv);
}
