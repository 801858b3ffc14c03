/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <gnutls/gnutls.h>
#include <locale.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>

#include "common/confine.h"
#include "common/i18n.h"
#include "common/signals.h"
#include "tunnel/check.h"
#include "tunnel/control.h"
#include "tunnel/scout.h"

/*
 * godwit-tunnel: the unprivileged worker of one connection. Its session gives it its sockets; it
 * opens nothing of the host itself and changes nothing there.
 */

/* GnuTLS would otherwise start before main(); tunnel_connect() has time for it. */
GNUTLS_SKIP_GLOBAL_INIT

static gboolean on_signal(gpointer data)
{
    control_terminate(data);
    return G_SOURCE_CONTINUE;
}

struct orders {
    int channel_fd, report_fd;
    gboolean check;
};

static gboolean parse(int *argc, char ***argv, struct orders *orders, GError **error)
{
    const GOptionEntry entries[] = {
        {"channel-fd", 0, 0, G_OPTION_ARG_INT, &orders->channel_fd,
         N_("Socket that leads to the session"), "FD"},
        {"report-fd", 0, 0, G_OPTION_ARG_INT, &orders->report_fd, N_("Pipe for the last words"),
         "FD"},
        {"check", 0, G_OPTION_FLAG_HIDDEN, G_OPTION_ARG_NONE, &orders->check, NULL, NULL},
        {NULL, 0, 0, 0, NULL, NULL, NULL},
    };
    GOptionContext *context = g_option_context_new(NULL);
    gboolean parsed;

    g_option_context_add_main_entries(context, entries, PACKAGE);
    g_option_context_set_summary(
        context, _("The worker of one VPN connection. Started by godwit, not by hand."));
    parsed = g_option_context_parse(context, argc, argv, error);
    g_option_context_free(context);
    return parsed;
}

int main(int argc, char **argv)
{
    static const int signals[] = {SIGTERM, SIGINT};
    static const char header[] = ""; /* of every catalogue */
    struct orders orders = {.channel_fd = -1, .report_fd = -1};
    GError *error = NULL;
    GMainLoop *loop;
    struct control *control;
    GSource *watch;

    /* Started from a descriptor, the kernel has no better name for us than its number. */
    prctl(PR_SET_NAME, "godwit-tunnel", 0, 0, 0);
    /* Texts are all that is translated here; each further category would be a file to load. */
    setlocale(LC_CTYPE, "");
    setlocale(LC_MESSAGES, "");
    bindtextdomain(PACKAGE, LOCALEDIR);
    textdomain(PACKAGE);
    /* Catalogues are read at their first text: now, for later no file can be opened. */
    (void)dgettext(PACKAGE, header);
    (void)dgettext("libc", header);
    if (!parse(&argc, &argv, &orders, &error)) {
        g_printerr("godwit-tunnel: %s\n", error->message);
        g_error_free(error);
        return EXIT_FAILURE;
    }
    if (orders.check) {
        check_run();
    }
    if (orders.channel_fd < 0) {
        g_printerr("godwit-tunnel: %s\n", _("This program is started by godwit, not by hand."));
        return EXIT_FAILURE;
    }
    /* Whoever started us should have dropped everything; parsing strangers' octets as root is
     * refused even when it did not. */
    if (!confine_rights()) {
        g_printerr("godwit-tunnel: %s\n", _("It must not run as root."));
        return EXIT_FAILURE;
    }
    int scout = scout_start();
    loop = g_main_loop_new(NULL, FALSE);
    control = control_new(orders.channel_fd, orders.report_fd, scout, loop);
    watch = signals_watch(signals, G_N_ELEMENTS(signals), on_signal, control);
    g_main_loop_run(loop);
    if (watch != NULL) {
        g_source_destroy(watch);
        g_source_unref(watch);
    }
    control_free(control);
    g_main_loop_unref(loop);
    return EXIT_SUCCESS;
}
