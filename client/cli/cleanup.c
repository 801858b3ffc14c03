/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/options.h"
#include "common/i18n.h"
#include "session/session.h"

static const struct flag no_flags[] = {{NULL, NULL}};
static const struct usage usage = {
    .synopsis = N_("godwit cleanup"),
    .about =
        N_("Removes the routes, rules, addresses and DNS settings that connections left behind "
           "which were killed. Every new connection does the same first."),
    .flags = no_flags,
};

int command_cleanup(int argc, char **argv)
{
    GError *error = NULL;
    struct options options;
    int code = 0;

    if (!options_parse(&options, &usage, argc, argv, &error)) {
        code = cli_fail_error(REASON_USAGE, error);
    } else if (!options.help && geteuid() != 0) {
        code = cli_fail(REASON_NOT_ROOT, NULL);
    } else if (!options.help) {
        guint n = session_clean_leftovers();

        if (n == 0) {
            puts(_("There was nothing to clean up."));
        } else {
            printf(ngettext("Cleaned up after %u connection.\n",
                            "Cleaned up after %u connections.\n", n),
                   n);
        }
    }
    options_clear(&options);
    return code;
}
