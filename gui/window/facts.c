/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "gui/window/facts.h"

#include <string.h>

#include "common/dns_words.h"
#include "common/i18n.h"
#include "gui/model/algorithms.h"
#include "gui/model/text.h"

/* ---- what is known ---- */

static char *gateway_of(GodwitSession *session)
{
    g_autofree char *name = godwit_session_dup_text(session, "Gateway");
    g_autofree char *address = godwit_session_dup_text(session, "GatewayAddress");

    return *address == '\0' ? g_steal_pointer(&name)
           : *name == '\0'  ? g_steal_pointer(&address)
                           /* Translators: the gateway's name, and its address. */
                           : g_strdup_printf(_("%s, at %s"), name, address);
}

static char *identity_of(GodwitSession *session)
{
    g_autofree char *identity = godwit_session_dup_text(session, "GatewayIdentity");
    g_autofree char *proof = godwit_session_dup_fact(session, "gateway-auth");

    return *identity == '\0' || *proof == '\0'
               ? g_steal_pointer(&identity)
               /* Translators: the gateway's identity, and by what it was proved: a signature. */
               : g_strdup_printf(_("%s, proved by %s"), identity, proof);
}

static char *subject_of(GodwitSession *session)
{
    return godwit_session_dup_fact(session, "gateway-subject");
}

static char *software_of(GodwitSession *session)
{
    return godwit_session_dup_fact(session, "gateway-version");
}

static char *user_of(GodwitSession *session)
{
    g_autofree char *name = godwit_session_dup_fact(session, "local-id");
    g_autofree char *method = godwit_session_dup_fact(session, "user-auth");

    return *name == '\0' || *method == '\0'
               ? g_steal_pointer(&name)
               /* Translators: a user's name, and a method such as EAP-MSCHAPv2. */
               : g_strdup_printf(_("%s, by %s"), name, method);
}

static char *addresses_of(GodwitSession *session)
{
    return godwit_session_dup_list(session, "Addresses");
}

static char *routes_of(GodwitSession *session)
{
    return godwit_session_get_switch(session, "FullTunnel")
               ? g_strdup(_("All traffic goes through the tunnel"))
               : godwit_session_dup_list(session, "Routes");
}

static char *dns_of(GodwitSession *session)
{
    g_autofree char *servers = godwit_session_dup_list(session, "Dns");
    g_autofree char *domains = godwit_session_dup_list(session, "Domains");

    return *servers == '\0' || *domains == '\0'
               ? g_steal_pointer(&servers)
               /* Translators: addresses of DNS servers, and the domains that they are asked for. */
               : g_strdup_printf(_("%s for %s"), servers, domains);
}

static char *answers_of(GodwitSession *session)
{
    g_autofree char *servers = godwit_session_dup_list(session, "Dns");
    g_autofree char *how = godwit_session_dup_text(session, "DnsMethod");
    g_autofree char *whether = godwit_session_dup_text(session, "DnsAnswers");
    g_autofree char *method = dns_words_here(how), *answers = dns_words_here(whether);

    return *servers == '\0'   ? g_strdup("")
           : *answers == '\0' ? g_steal_pointer(&method)
                              : g_strdup_printf("%s; %s", method, answers);
}

static char *interface_of(GodwitSession *session)
{
    return godwit_session_dup_text(session, "Interface");
}

static char *kill_switch_of(GodwitSession *session)
{
    g_autofree char *level = godwit_session_dup_raw(session, "KillSwitch");

    return g_strdup(strcmp(level, "connected") == 0 ? _("Holds traffic while it reconnects")
                    : strcmp(level, "always") == 0  ? _("Holds traffic until somebody lets it go")
                    : strcmp(level, "off") == 0     ? _("Off")
                                                    : "");
}

static char *origin_of(GodwitSession *session)
{
    g_autofree char *origin = godwit_session_dup_raw(session, "Origin");

    return g_strdup(strcmp(origin, "cli") == 0              ? _("The command line")
                    : strcmp(origin, "networkmanager") == 0 ? _("NetworkManager")
                    : strcmp(origin, "autoconnect") == 0    ? _("The start of this computer")
                                                            : "");
}

/* ---- rows ---- */

enum group { GATEWAY, NETWORK };

static const struct {
    enum group group;
    const char *label;
    char *(*value)(GodwitSession *session);
} table[] = {
    {GATEWAY, N_("Server"), gateway_of},      {GATEWAY, N_("Verified Identity"), identity_of},
    {GATEWAY, N_("Certificate"), subject_of}, {GATEWAY, N_("Software"), software_of},
    {GATEWAY, N_("Signed In As"), user_of},   {GATEWAY, N_("Started By"), origin_of},
    {NETWORK, N_("Addresses"), addresses_of}, {NETWORK, N_("Routes"), routes_of},
    {NETWORK, N_("DNS Servers"), dns_of},     {NETWORK, N_("DNS"), answers_of},
    {NETWORK, N_("Interface"), interface_of}, {NETWORK, N_("Kill Switch"), kill_switch_of},
};

struct suite_row {
    GtkWidget *expander, *why, *warning;
};

struct facts {
    struct facts_groups groups;
    GtkWidget *rows[G_N_ELEMENTS(table)];
    struct suite_row ike, esp;
};

static GtkWidget *row_of(const char *label)
{
    GtkWidget *row = adw_action_row_new();

    adw_preferences_row_set_use_markup(ADW_PREFERENCES_ROW(row), FALSE);
    adw_preferences_row_set_title(ADW_PREFERENCES_ROW(row), label);
    adw_action_row_set_subtitle_lines(ADW_ACTION_ROW(row), 6);
    gtk_widget_add_css_class(row, "fact");
    return row;
}

static struct suite_row suite_row_of(GtkWidget *group, const char *label)
{
    struct suite_row row = {adw_expander_row_new(), gtk_label_new(NULL),
                            gtk_image_new_from_icon_name("dialog-warning-symbolic")};

    adw_preferences_row_set_use_markup(ADW_PREFERENCES_ROW(row.expander), FALSE);
    adw_preferences_row_set_title(ADW_PREFERENCES_ROW(row.expander), label);
    gtk_widget_add_css_class(row.expander, "fact");
    gtk_widget_set_tooltip_text(row.warning, _("Part of it is no longer considered strong."));
    adw_expander_row_add_action(ADW_EXPANDER_ROW(row.expander),
                                row.warning); /* a prefix would indent */
    gtk_label_set_wrap(GTK_LABEL(row.why), TRUE);
    gtk_label_set_xalign(GTK_LABEL(row.why), 0);
    gtk_widget_add_css_class(row.why, "why");
    adw_expander_row_add_row(ADW_EXPANDER_ROW(row.expander), row.why);
    adw_preferences_group_add(ADW_PREFERENCES_GROUP(group), row.expander);
    return row;
}

struct facts *facts_new(const struct facts_groups *groups)
{
    struct facts *facts = g_new0(struct facts, 1);

    facts->groups = *groups;
    for (gsize i = 0; i < G_N_ELEMENTS(table); i++) {
        facts->rows[i] = row_of(_(table[i].label));
        adw_preferences_group_add(
            ADW_PREFERENCES_GROUP(table[i].group == GATEWAY ? groups->gateway : groups->network),
            facts->rows[i]);
    }
    facts->ike = suite_row_of(groups->security, _("Key Exchange (IKE)"));
    facts->esp = suite_row_of(groups->security, _("Your Traffic (ESP)"));
    return facts;
}

void facts_free(struct facts *facts)
{
    g_free(facts);
}

static gboolean show_suite(const struct suite_row *row, char *suite)
{
    g_autofree char *title = algorithms_title(suite), *why = algorithms_why(suite);
    gboolean has = *suite != '\0';

    adw_expander_row_set_subtitle(ADW_EXPANDER_ROW(row->expander), title);
    gtk_label_set_text(GTK_LABEL(row->why), why);
    gtk_widget_set_visible(row->warning, algorithms_are_old(suite));
    gtk_widget_set_visible(row->expander, has);
    g_free(suite);
    return has;
}

/* What is known without a connection. */
static char *value_without(gsize row, GodwitProfile *profile)
{
    return table[row].value == gateway_of && profile != NULL
               ? shown_text(godwit_profile_get_gateway(profile))
               : g_strdup("");
}

void facts_show(struct facts *facts, GodwitProfile *profile, GodwitSession *session)
{
    gboolean any[2] = {FALSE, FALSE}, ike = FALSE, esp = FALSE;

    for (gsize i = 0; i < G_N_ELEMENTS(table); i++) {
        g_autofree char *value =
            session == NULL ? value_without(i, profile) : table[i].value(session);
        gboolean has = *value != '\0';

        adw_action_row_set_subtitle(ADW_ACTION_ROW(facts->rows[i]), value);
        gtk_widget_set_visible(facts->rows[i], has);
        any[table[i].group] = any[table[i].group] || has;
    }
    gtk_widget_set_visible(facts->groups.gateway, any[GATEWAY]);
    gtk_widget_set_visible(facts->groups.network, any[NETWORK]);
    if (session != NULL) {
        ike = show_suite(&facts->ike, godwit_session_dup_fact(session, "ike-suite"));
        esp = show_suite(&facts->esp, godwit_session_dup_fact(session, "esp-suite"));
    }
    gtk_widget_set_visible(facts->groups.security, ike || esp);
}
