/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>
#include <unistd.h>

#include "cli/cli.h"
#include "common/i18n.h"
#include "session/kill_switch.h"
#include "session/session.h"

enum { FLAG_KILL_SWITCH };

static const struct flag flags[] = {
    [FLAG_KILL_SWITCH] =
        {.name = "kill-switch",
         .help = N_("Also lifts the kill switch that connections with kill-switch=always left.")},
    {.name = NULL},
};
static const struct usage usage = {
    .synopsis = N_("godwit cleanup [--kill-switch]"),
    .about = N_(
        "Removes the routes, rules, addresses, DNS settings and kill switch that connections left "
        "behind which were killed. Every new connection does the same first."),
    .flags = flags,
};

static int lift_kill_switch(void)
{
    GError *error = NULL;

    if (!kill_switch_release(&error)) {
        return cli_fail_error(REASON_HOST_CONFIG, error);
    }
    puts(_("There is no kill switch any more but that of connections."));
    return 0;
}

static int run(const struct options *options)
{
    guint n;

    if (geteuid() != 0) {
        return cli_fail(REASON_NOT_AUTHORIZED, NULL);
    }
    /* Also what somebody could still bring back: who asks for this has seen that nobody does. */
    n = session_clean_lent();
    if (n == 0) {
        puts(_("There was nothing to clean up."));
    } else {
        printf(ngettext("Cleaned up after %u connection.\n", "Cleaned up after %u connections.\n", n),
               n);
    }
    return options->flags[FLAG_KILL_SWITCH] ? lift_kill_switch() : 0;
}

const struct command command_cleanup = {
    .name = "cleanup",
    .summary = N_("remove what killed connections left behind"),
    .usage = &usage,
    .run = run,
};
