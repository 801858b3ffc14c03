/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/doctor.h"
#include "common/i18n.h"
#include "session/session.h"

#define POLKIT "org.freedesktop.PolicyKit1"

/* ---- godwitd and polkit ---- */

static GVariant *properties_of_service(struct bus *bus, GError **error)
{
    g_autoptr(GVariant) reply =
        bus_call(bus, VPN1_PATH, DBUS_PROPERTIES, "GetAll",
                 g_variant_new("(s)", VPN1_MANAGER_INTERFACE), BUS_PLAIN, error);

    return reply == NULL || !g_variant_is_of_type(reply, G_VARIANT_TYPE("(a{sv})"))
               ? NULL
               : g_variant_get_child_value(reply, 0);
}

static void check_connectivity(struct doctor *doctor, const char *connectivity)
{
    static const struct {
        const char *name;
        enum verdict verdict;
        const char *fact, *advice;
    } rows[] = {
        {"full", VERDICT_OK, N_("NetworkManager reaches the internet."), NULL},
        {"unknown", VERDICT_OK, N_("nobody here looks for captive portals."), NULL},
        {"limited", VERDICT_NOTE, N_("NetworkManager does not reach the internet."),
         N_("Check this network; behind a firewall this may be as it should.")},
        {"portal", VERDICT_PROBLEM, N_("there is a captive portal."),
         N_("Sign in with a browser; godwit portal lets it through the kill switch.")},
        {"none", VERDICT_PROBLEM, N_("there is no network."), N_("Connect to one first.")},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        if (strcmp(rows[i].name, connectivity) == 0) {
            doctor_tell(doctor, _("Network"), rows[i].verdict, g_strdup(_(rows[i].fact)),
                        rows[i].advice == NULL ? NULL : g_strdup(_(rows[i].advice)));
        }
    }
}

static void tell_service(struct doctor *doctor, GVariant *properties)
{
    const char *version = "", *connectivity = "unknown";
    gboolean always = FALSE;

    (void)g_variant_lookup(properties, "Version", "&s", &version);
    (void)g_variant_lookup(properties, "Connectivity", "&s", &connectivity);
    (void)g_variant_lookup(properties, "KillSwitchAlways", "b", &always);
    doctor_tell(doctor, _("System service"), VERDICT_OK,
                g_strdup_printf(_("godwitd %s answers."), version), NULL);
    doctor_tell(doctor, _("Kill switch"), always ? VERDICT_NOTE : VERDICT_OK,
                g_strdup(always ? _("traffic is held while nothing is connected.")
                                : _("traffic may leave when nothing is connected.")),
                always ? g_strdup(_("If that is not wanted: godwit killswitch off")) : NULL);
    check_connectivity(doctor, connectivity);
}

void doctor_check_service(struct doctor *doctor, struct bus *bus, const GError *why)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GVariant) properties = NULL;

    if (bus == NULL) {
        doctor_tell(doctor, _("System bus"), geteuid() == 0 ? VERDICT_NOTE : VERDICT_PROBLEM,
                    g_strdup(why->message),
                    g_strdup(_("Start dbus; without it root can connect with --standalone.")));
        return;
    }
    properties = properties_of_service(bus, &error);
    if (properties != NULL) {
        tell_service(doctor, properties);
    } else {
        doctor_tell(
            doctor, _("System service"), geteuid() == 0 ? VERDICT_NOTE : VERDICT_PROBLEM,
            g_strdup(error == NULL ? "" : error->message),
            g_strdup(_("Ask systemctl status godwitd why it does not start; without it root "
                       "can connect with --standalone.")));
    }
    if (bus_has_name(bus, POLKIT)) {
        doctor_tell(doctor, _("polkit"), VERDICT_OK, g_strdup(_("it decides who may connect.")),
                    NULL);
    } else {
        doctor_tell(doctor, _("polkit"), VERDICT_PROBLEM, g_strdup(_("it is not there.")),
                    g_strdup(_("Install polkitd: without it only root may use the service.")));
    }
}

/* ---- DNS ---- */

void doctor_check_dns(struct doctor *doctor)
{
    struct stat file;

    if (lstat("/etc/resolv.conf", &file) != 0) {
        doctor_tell(doctor, _("DNS"), VERDICT_PROBLEM, g_strdup(_("there is no /etc/resolv.conf.")),
                    g_strdup(_("Names cannot be looked up: configure the network, or start "
                               "systemd-resolved.")));
    } else {
        doctor_tell(doctor, _("DNS"), VERDICT_OK,
                    g_strdup_printf(_("a tunnel's servers are set by %s."), session_dns_way()),
                    NULL);
    }
}
