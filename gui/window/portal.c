/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "gui/window/portal.h"

#include "common/i18n.h"
#include "common/vpn1.h"
#include "gui/window/message.h"

enum { PORTAL_SECONDS = 300 };

static void on_allowed(GObject *bus, GAsyncResult *result, gpointer data)
{
    g_autoptr(GtkApplication) application = data;
    GtkWindow *parent = gtk_application_get_active_window(application); /* the one may be closed */
    g_autoptr(GError) error = NULL;
    g_autoptr(GVariant) reply =
        g_dbus_connection_call_finish(G_DBUS_CONNECTION(bus), result, &error);

    if (reply != NULL) {
        g_autofree char *text = g_strdup_printf(
            _("Web and DNS traffic may leave for %u seconds; connect when you have signed in.\n"),
            (guint)PORTAL_SECONDS);

        message_show(parent, _("Sign In to the Network"), g_strchomp(text));
    } else {
        struct godwit_failure *failure = godwit_failure_of_call("", error);

        message_show(parent, failure->sentence,
                     *failure->detail == '\0' ? failure->hint : failure->detail);
        godwit_failure_free(failure);
    }
}

void portal_allow(GtkWindow *parent, GodwitWorld *world)
{
    GDBusConnection *bus = godwit_world_get_bus(world);

    if (bus != NULL) {
        g_dbus_connection_call(bus, VPN1_NAME, VPN1_PATH, VPN1_MANAGER_INTERFACE, "AllowPortal",
                               g_variant_new("(u)", (guint)PORTAL_SECONDS), NULL,
                               G_DBUS_CALL_FLAGS_ALLOW_INTERACTIVE_AUTHORIZATION, G_MAXINT, NULL,
                               on_allowed, g_object_ref(gtk_window_get_application(parent)));
    }
}
