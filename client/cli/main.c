/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <locale.h>
#include <stdio.h>

#include "cli/cli.h"
#include "common/i18n.h"

int main(int argc, char **argv)
{
    /* Not LC_ALL: each category is a file to load before anything happens. */
    static const int categories[] = {LC_CTYPE, LC_MESSAGES, LC_NUMERIC, LC_TIME};

    for (gsize i = 0; i < G_N_ELEMENTS(categories); i++) {
        setlocale(categories[i], "");
    }
    bindtextdomain(PACKAGE, LOCALEDIR);
    bind_textdomain_codeset(PACKAGE, "UTF-8");
    textdomain(PACKAGE);
    /* A line at a time also into a pipe: who reads it waits for the lines. */
    setvbuf(stdout, NULL, _IOLBF, 0);
    return cli_run(argc, argv);
}
