/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>
#include <unistd.h>

#include "cli/cli.h"
#include "common/i18n.h"
#include "session/session.h"

static const struct flag no_flags[] = {{.name = NULL}};
static const struct usage usage = {
    .synopsis = N_("godwit cleanup"),
    .about =
        N_("Removes the routes, rules, addresses and DNS settings that connections left behind "
           "which were killed. Every new connection does the same first."),
    .flags = no_flags,
};

static int run(const struct options *options)
{
    guint n;

    (void)options;
    if (geteuid() != 0) {
        return cli_fail(REASON_NOT_ROOT, NULL);
    }
    n = session_clean_leftovers();
    if (n == 0) {
        puts(_("There was nothing to clean up."));
    } else {
        printf(ngettext("Cleaned up after %u connection.\n", "Cleaned up after %u connections.\n", n),
               n);
    }
    return 0;
}

const struct command command_cleanup = {
    .name = "cleanup",
    .summary = N_("remove what killed connections left behind"),
    .usage = &usage,
    .run = run,
};
