/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/progress.h"

#include <stdio.h>

#include "cli/print.h"
#include "common/boottime.h"
#include "common/i18n.h"
#include "common/phase.h"

static double milliseconds(guint64 start_us, guint64 at_us)
{
    return at_us < start_us ? 0 : (double)(at_us - start_us) / 1000;
}

char *progress_phase_text(const char *phase, const char *text)
{
    char *facts = printable(text == NULL ? "" : text);
    char *title = printable(phase_title(phase));
    char *all = *facts == '\0' ? g_strdup(title) : g_strdup_printf("%s: %s", title, facts);

    g_free(title);
    g_free(facts);
    return all;
}

char *progress_rung_text(const char *line, gboolean outbound, gboolean retransmission)
{
    char *shown = printable(line);
    char *all = g_strdup_printf("%s %s%s", outbound ? "->" : "<-", shown,
                                retransmission ? _(" (again)") : "");

    g_free(shown);
    return all;
}

static void print_at(FILE *out, guint64 start_us, guint64 at_us, char *text)
{
    fprintf(out, "%s%8.1f ms%s  %s\n", style_begin(out, STYLE_DIM), milliseconds(start_us, at_us),
            style_end(out), text);
    g_free(text);
}

void progress_phase(guint64 start_us, const char *phase, const char *text, guint64 at_us)
{
    print_at(stdout, start_us, at_us, progress_phase_text(phase, text));
}

void progress_trace(guint64 start_us, const char *line, gboolean outbound, gboolean retransmission,
                    guint64 at_us)
{
    fflush(stdout);
    print_at(stderr, start_us, at_us, progress_rung_text(line, outbound, retransmission));
}

/* ---- the summary ---- */

/* "a, b" from two facts of which each may be missing; free it. */
static char *fact(const struct session_info *info, const char *first, const char *second)
{
    const char *a = info->summary == NULL ? NULL : g_hash_table_lookup(info->summary, first);
    const char *b =
        info->summary == NULL || second == NULL ? NULL : g_hash_table_lookup(info->summary, second);
    gboolean has_a = a != NULL && *a != '\0', has_b = b != NULL && *b != '\0';
    char *both =
        g_strdup_printf("%s%s%s", has_a ? a : "", has_a && has_b ? ", " : "", has_b ? b : "");
    char *shown = printable(both);

    g_free(both);
    return shown;
}

static char *gateway_text(const struct session_info *info)
{
    char *address = fact(info, "gateway", NULL),
         *identity = fact(info, "gateway-id", "gateway-auth");
    char *text = g_strdup_printf(*identity == '\0' ? "%s%s" : "%s, %s", address, identity);

    g_free(address);
    g_free(identity);
    return text;
}

static char *prefixes_text(const struct prefix *prefixes, size_t n)
{
    enum { SHOWN = 8 };
    GString *text = g_string_new(NULL);
    char one[ADDR_TEXT_MAX];

    for (size_t i = 0; i < n && i < SHOWN; i++) {
        g_string_append_printf(text, "%s%s", i == 0 ? "" : ", ", prefix_text(&prefixes[i], one));
    }
    if (n > SHOWN) {
        g_string_append_printf(text, _(" and %zu more"), n - SHOWN);
    }
    return g_string_free(text, FALSE);
}

static gboolean has_family(const struct net_config *net, enum family family)
{
    for (size_t i = 0; i < net->n_addresses; i++) {
        if (net->addresses[i].addr.family == family) {
            return TRUE;
        }
    }
    return FALSE;
}

static char *routes_text(const struct session_info *info)
{
    gboolean v4 = has_family(info->net, FAMILY_IPV4), v6 = has_family(info->net, FAMILY_IPV6);

    if (!info->full_tunnel && info->net->n_routes == 0) {
        return g_strdup(_("none: the gateway named no networks; set remote-ts to choose some"));
    }
    if (!info->full_tunnel) {
        return prefixes_text(info->net->routes, info->net->n_routes);
    }
    return g_strdup(v4 && v6 ? _("all IPv4 and IPv6 traffic")
                    : v6     ? _("all IPv6 traffic")
                             : _("all IPv4 traffic"));
}

static char *dns_text(const struct session_info *info)
{
    const struct net_config *net = info->net;
    GString *text = g_string_new(NULL);
    char one[ADDR_TEXT_MAX];

    for (size_t i = 0; i < net->n_dns; i++) {
        g_string_append_printf(text, "%s%s", i == 0 ? "" : ", ", addr_text(&net->dns[i], one));
    }
    for (size_t i = 0; i < net->n_domains; i++) {
        g_string_append_printf(text, i == 0 ? _(" for %s") : ", %s", net->domains[i]);
    }
    if (net->n_dns > 0 && info->dns_method != NULL && *info->dns_method != '\0') {
        g_string_append_printf(text, " (%s)", info->dns_method);
    }
    if (info->dns_answers != NULL && *info->dns_answers != '\0') {
        g_string_append_printf(text, "; %s", info->dns_answers);
    }
    return g_string_free(text, FALSE);
}

static void print_banner(const char *banner)
{
    char **lines = g_strsplit(banner, "\n", -1);

    for (char **line = lines; *banner != '\0' && *line != NULL; line++) {
        char *shown = printable(*line);

        printf("  | %s\n", shown);
        g_free(shown);
    }
    g_strfreev(lines);
}

void progress_again(guint64 start_us, const struct session_info *info)
{
    char *gateway = gateway_text(info),
         *addresses = prefixes_text(info->net->addresses, info->net->n_addresses);
    char *facts = g_strdup_printf("%s; %s", gateway, addresses);

    progress_phase(start_us, "again", facts, boottime_now());
    g_free(facts);
    g_free(addresses);
    g_free(gateway);
}

void progress_connected(guint64 start_us, const struct session_info *info)
{
    double took = milliseconds(start_us, boottime_now());
    char *name = printable(info->name);
    struct rows *rows = rows_new();
    char *bold = g_strconcat(style_begin(stdout, STYLE_BOLD), name, style_end(stdout), NULL);

    /* Scripts wait for this line in the language "C". */
    printf(_("Connected to %s in %.0f ms\n"), bold, took);
    rows_add(rows, _("Gateway"), gateway_text(info));
    rows_add(rows, _("Software"), fact(info, "gateway-version", NULL));
    rows_add(rows, _("User"), fact(info, "local-id", "user-auth"));
    rows_add(rows, _("Addresses"), prefixes_text(info->net->addresses, info->net->n_addresses));
    rows_add(rows, _("DNS"), dns_text(info));
    rows_add(rows, _("Routes"), routes_text(info));
    rows_add(rows, _("IKE"), fact(info, "ike-suite", NULL));
    rows_add(rows, _("ESP"), fact(info, "esp-suite", "esp-library"));
    rows_add(rows, _("Interface"),
             g_strdup_printf(_("%s, MTU %u"), info->interface, info->net->mtu));
    rows_finish(rows, stdout);
    print_banner(info->net->banner);
    g_free(bold);
    g_free(name);
}
