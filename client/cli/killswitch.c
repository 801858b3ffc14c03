/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>

#include "cli/bus.h"
#include "cli/print.h"
#include "cli/progress.h"
#include "common/addr.h"
#include "common/boottime.h"
#include "common/i18n.h"

static const struct flag no_flags[] = {{.name = NULL}};

/* ---- on and off ---- */

enum { FLAG_EXCEPT };
static const struct flag on_flags[] = {
    [FLAG_EXCEPT] =
        {"except",
         N_("Networks that may be reached nevertheless, such as 192.168.1.0/24, separated "
            "by commas."),
         N_("LIST")},
    {.name = NULL},
};
static const struct usage on_usage = {
    .synopsis = N_("godwit killswitch on [--except LIST]"),
    .about =
        N_("Holds all traffic while nothing is connected, from now on and after a restart of the "
           "computer: only what makes a connection may leave."),
    .flags = on_flags,
};
static const struct usage off_usage = {
    .synopsis = N_("godwit killswitch off"),
    .about =
        N_("Lets traffic go when nothing is connected. Connections keep the kill switch of their "
           "profiles."),
    .flags = no_flags,
};
static const struct usage status_usage = {
    .synopsis = N_("godwit killswitch status"),
    .about = N_("Says whether traffic is held while nothing is connected."),
    .flags = no_flags,
};

static int failed(struct bus *bus, GError *error)
{
    bus_close(bus);
    return cli_fail_error(REASON_INTERNAL, error);
}

static int set(gboolean always, const char *const *excepted)
{
    GError *error = NULL;
    struct bus *bus = bus_open(&error);
    g_autoptr(GVariant) reply = NULL;

    if (bus != NULL) {
        reply = bus_call(bus, VPN1_PATH, VPN1_MANAGER_INTERFACE, "SetKillSwitch",
                         g_variant_new("(b^as)", always, excepted), BUS_INTERACTIVE, &error);
    }
    if (reply == NULL) {
        return failed(bus, error);
    }
    puts(always ? _("Traffic is held while nothing is connected.")
                : _("Traffic may leave when nothing is connected."));
    bus_close(bus);
    return 0;
}

static int turn_on(const struct options *options)
{
    const char *list = options->values[FLAG_EXCEPT];
    g_auto(GStrv) excepted = g_strsplit(list == NULL ? "" : list, ",", -1);

    for (char **text = excepted; *text != NULL; text++) {
        struct prefix prefix;

        g_strstrip(*text);
        if (!prefix_parse(&prefix, *text, false)) {
            g_autofree char *detail =
                g_strdup_printf(_("--except: \"%s\" is no network such as 192.168.1.0/24."), *text);

            return cli_fail(REASON_USAGE, detail);
        }
    }
    return set(TRUE, (const char *const *)excepted);
}

static int turn_off(const struct options *options)
{
    static const char *const none[] = {NULL};

    (void)options;
    return set(FALSE, none);
}

/* ---- how it is ---- */

static void print_status(GVariant *properties)
{
    g_autoptr(GVariantDict) all = g_variant_dict_new(properties);
    g_auto(GStrv) excepted = NULL;
    gboolean always = FALSE;
    guint64 portal = 0, now = boottime_now();

    g_variant_dict_lookup(all, "KillSwitchAlways", "b", &always);
    g_variant_dict_lookup(all, "KillSwitchExcepted", "^as", &excepted);
    g_variant_dict_lookup(all, "PortalAllowedUntil", "t", &portal);
    puts(always ? _("Traffic is held while nothing is connected.")
                : _("Traffic may leave when nothing is connected."));
    if (always && excepted != NULL && *excepted != NULL) {
        g_autofree char *list = g_strjoinv(", ", excepted);
        g_autofree char *shown = printable(list);

        printf(_("Excepted: %s\n"), shown);
    }
    if (portal > now) {
        g_autofree char *left = duration_text((gint64)((portal - now) / G_USEC_PER_SEC));

        printf(_("A captive portal may be used for another %s.\n"), left);
    }
}

static int status(const struct options *options)
{
    GError *error = NULL;
    struct bus *bus = bus_open(&error);
    g_autoptr(GVariant) reply = NULL;
    g_autoptr(GVariant) properties = NULL;

    (void)options;
    if (bus != NULL) {
        reply = bus_call(bus, VPN1_PATH, DBUS_PROPERTIES, "GetAll",
                         g_variant_new("(s)", VPN1_MANAGER_INTERFACE), BUS_PLAIN, &error);
    }
    if (reply == NULL) {
        return failed(bus, error);
    }
    if (g_variant_is_of_type(reply, G_VARIANT_TYPE("(a{sv})"))) {
        properties = g_variant_get_child_value(reply, 0);
        print_status(properties);
    }
    bus_close(bus);
    return 0;
}

static const struct command on = {.name = "on", .usage = &on_usage, .run = turn_on};
static const struct command off = {.name = "off", .usage = &off_usage, .run = turn_off};
static const struct command show = {.name = "status", .usage = &status_usage, .run = status};
static const struct command *const actions[] = {&on, &off, &show, NULL};

const struct command command_killswitch = {
    .name = "killswitch",
    .summary = N_("hold traffic while nothing is connected"),
    .actions = actions,
};

/* ---- captive portals ---- */

enum { PORTAL_SECONDS = 300, PORTAL_SECONDS_MAX = 600 };

static const struct usage portal_usage = {
    .synopsis = N_("godwit portal [SECONDS]"),
    .about =
        N_("Lets web and DNS traffic out beside the kill switch, to sign in to the network of a "
           "hotel or a train: for 300 seconds, or as many as are given, at most 600. 0 ends it."),
    .flags = no_flags,
    .max_words = 1,
};

static int portal(const struct options *options)
{
    GError *error = NULL;
    guint64 seconds = PORTAL_SECONDS;
    g_autoptr(GVariant) reply = NULL;
    struct bus *bus;

    if (options->n_words > 0 &&
        !g_ascii_string_to_unsigned(options->words[0], 10, 0, PORTAL_SECONDS_MAX, &seconds, NULL)) {
        g_autofree char *detail = g_strdup_printf(_("\"%s\" is not between 0 and %d."),
                                                  options->words[0], PORTAL_SECONDS_MAX);

        return cli_fail(REASON_USAGE, detail);
    }
    bus = bus_open(&error);
    if (bus != NULL) {
        reply = bus_call(bus, VPN1_PATH, VPN1_MANAGER_INTERFACE, "AllowPortal",
                         g_variant_new("(u)", (guint32)seconds), BUS_INTERACTIVE, &error);
    }
    if (reply == NULL) {
        return failed(bus, error);
    }
    if (seconds == 0) {
        puts(_("Web and DNS traffic is held again."));
    } else {
        printf(
            _("Web and DNS traffic may leave for %u seconds; connect when you have signed in.\n"),
            (unsigned)seconds);
    }
    bus_close(bus);
    return 0;
}

const struct command command_portal = {
    .name = "portal",
    .summary = N_("let a captive portal through the kill switch"),
    .usage = &portal_usage,
    .run = portal,
};
