/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>

#include "cli/options.h"
#include "cli/print.h"
#include "common/i18n.h"

char *key_help(const struct profile_key *key)
{
    GString *help = g_string_new(_(key->help));

    if (key->type == PROFILE_CHOICE) {
        char *choices = g_strjoinv(", ", (char **)key->choices);

        g_string_append_printf(help, _(" One of: %s."), choices);
        g_free(choices);
    }
    if (key->fallback != NULL) {
        g_string_append_printf(help, _(" Default: %s."), key->fallback);
    }
    return g_string_free(help, FALSE);
}

static void print_option(const char *name, const char *suffix, const char *metavar,
                         const char *help)
{
    printf("  %s--%s%s%s%s%s\n", style_begin(stdout, STYLE_BOLD), name, suffix, style_end(stdout),
           metavar == NULL ? "" : " ", metavar == NULL ? "" : metavar);
    print_wrapped(stdout, 8, help);
}

static void print_key(const struct profile_key *key)
{
    char *help = key_help(key);

    if (key->type == PROFILE_SECRET) {
        char *more = g_strdup_printf(_("%s Read from the first line of file descriptor N."), help);

        print_option(key->name, "-fd", "N", more);
        g_free(more);
    } else {
        print_option(key->name, "", key->type == PROFILE_BOOL ? NULL : _(key->metavar), help);
    }
    g_free(help);
}

static void print_keys(gboolean advanced)
{
    for (const struct profile_key *key = profile_keys(); key->name != NULL; key++) {
        gboolean has_option = key->type == PROFILE_SECRET || (key->flags & PROFILE_NO_OPTION) == 0;

        if (has_option && ((key->flags & PROFILE_ADVANCED) != 0) == advanced) {
            print_key(key);
        }
    }
}

void usage_print(const struct usage *usage)
{
    printf(_("Usage: %s\n\n"), _(usage->synopsis));
    print_wrapped(stdout, 0, _(usage->about));
    printf("\n%s%s%s\n", style_begin(stdout, STYLE_BOLD), _("Options"), style_end(stdout));
    for (const struct flag *flag = usage->flags; flag->name != NULL; flag++) {
        print_option(flag->name, "", flag->metavar == NULL ? NULL : _(flag->metavar),
                     _(flag->help));
    }
    print_option("help", "", NULL, _("Show this help."));
    if (!usage->keys) {
        return;
    }
    printf("\n%s%s%s\n", style_begin(stdout, STYLE_BOLD),
           _("Settings, which override the profile's"), style_end(stdout));
    print_keys(FALSE);
    printf("\n%s%s%s\n", style_begin(stdout, STYLE_BOLD), _("Settings for special cases"),
           style_end(stdout));
    print_keys(TRUE);
    putchar('\n');
    print_wrapped(
        stdout, 0,
        _("Switches take true or false; without a value they mean true, and --no-mobike "
          "is --mobike false. Secrets never come from the command line. See godwit.conf(5) for "
          "the same settings in a profile."));
}
