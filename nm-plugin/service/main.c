/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <glib-unix.h>
#include <gnutls/gnutls.h>
#include <locale.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/i18n.h"
#include "nm-plugin/service/plugin.h"
#include "nm-plugin/shared/settings.h"

/* libnm brings GnuTLS, which would otherwise start before main(): nothing here needs it. */
GNUTLS_SKIP_GLOBAL_INIT

static gboolean on_signal(gpointer loop)
{
    g_main_loop_quit(loop);
    return G_SOURCE_CONTINUE;
}

static int run(const char *bus_name, gboolean persist)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GMainLoop) loop = g_main_loop_new(NULL, FALSE);
    GodwitPlugin *plugin = godwit_plugin_new(bus_name, &error);
    if (!plugin) {
        fprintf(stderr, "nm-godwit-service: %s\n", error->message);
        return EXIT_FAILURE;
    }
    if (!persist) {
        g_signal_connect_swapped(plugin, "quit", G_CALLBACK(g_main_loop_quit), loop);
    }
    guint terminate = g_unix_signal_add(SIGTERM, on_signal, loop);
    guint interrupt = g_unix_signal_add(SIGINT, on_signal, loop);
    g_main_loop_run(loop);
    g_source_remove(terminate);
    g_source_remove(interrupt);
    g_autoptr(GDBusConnection) bus =
        nm_vpn_service_plugin_get_connection(NM_VPN_SERVICE_PLUGIN(plugin));
    nm_vpn_service_plugin_shutdown(NM_VPN_SERVICE_PLUGIN(plugin));
    g_object_unref(plugin);
    /* Disconnect reaches godwitd. */
    (void)g_dbus_connection_flush_sync(bus, NULL, NULL);
    return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    g_autofree char *bus_name = NULL;
    gboolean persist = FALSE;
    const GOptionEntry entries[] = {
        {"bus-name", 0, 0, G_OPTION_ARG_STRING, &bus_name, N_("name to take on the system bus"),
         N_("NAME")},
        {"persist", 0, 0, G_OPTION_ARG_NONE, &persist, N_("stay when NetworkManager is done"),
         NULL},
        {NULL, 0, 0, G_OPTION_ARG_NONE, NULL, NULL, NULL},
    };
    g_autoptr(GError) error = NULL;
    /* Secrets pass through memory that is not ours to wipe (libnm's, the bus connection's): what is
     * freed is overwritten. */
    (void)mallopt(M_PERTURB, 0xa5);
    /* Texts are all that is translated here; each further category would be a file to load. */
    setlocale(LC_CTYPE, "");
    setlocale(LC_MESSAGES, "");
    bindtextdomain(PACKAGE, LOCALEDIR);
    bind_textdomain_codeset(PACKAGE, "UTF-8");
    textdomain(PACKAGE);
    g_autoptr(GOptionContext) context = g_option_context_new(NULL);
    g_option_context_add_main_entries(context, entries, PACKAGE);
    g_option_context_set_summary(context,
                                 _("Started by NetworkManager: makes its VPN connections of type "
                                   "godwit through godwitd."));
    if (!g_option_context_parse(context, &argc, &argv, &error)) {
        fprintf(stderr, "nm-godwit-service: %s\n", error->message);
        return EXIT_FAILURE;
    }
    return run(bus_name ? bus_name : SETTINGS_SERVICE, persist);
}
