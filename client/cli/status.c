/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <inttypes.h>
#include <stdio.h>

#include "cli/cli.h"
#include "cli/options.h"
#include "cli/print.h"
#include "common/i18n.h"
#include "session/session.h"

enum { FLAG_JSON };
static const struct flag flags[] = {
    [FLAG_JSON] = {"json", N_("Print a JSON array, for programs.")},
    {NULL, NULL},
};
static const struct usage usage = {
    .synopsis = N_("godwit status [--json]"),
    .about = N_("Shows what is connected now: gateway, addresses and traffic of each connection."),
    .flags = flags,
};

static void json_string(const char *name, const char *text)
{
    printf("\"%s\": ", name);
    if (text == NULL) {
        fputs("null", stdout);
        return;
    }
    putchar('"');
    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;

        if (c == '"' || c == '\\') {
            printf("\\%c", c);
        } else if (c < 0x20) {
            printf("\\u%04x", c);
        } else {
            putchar(c);
        }
    }
    putchar('"');
}

static void json_record(const struct session_record *record)
{
    const char *separator = "";

    fputs("  {", stdout);
    json_string("name", record->name);
    fputs(", ", stdout);
    json_string("interface", record->interface);
    fputs(", ", stdout);
    json_string("gateway", record->gateway);
    fputs(", ", stdout);
    json_string("gateway-id", record->gateway_id);
    fputs(", \"addresses\": [", stdout);
    for (char **address = record->addresses; address != NULL && *address != NULL; address++) {
        printf("%s\"%s\"", separator, *address);
        separator = ", ";
    }
    fputs("], ", stdout);
    json_string("state", record->state);
    fputs(", ", stdout);
    json_string("why", record->why);
    printf(", \"since\": %" PRId64 ", \"pid\": %ld, ", record->since, (long)record->pid);
    printf("\"received\": {\"octets\": %" PRIu64 ", \"packets\": %" PRIu64 "}, ", record->rx_octets,
           record->rx_packets);
    printf("\"sent\": {\"octets\": %" PRIu64 ", \"packets\": %" PRIu64 "}}", record->tx_octets,
           record->tx_packets);
}

static void print_json(const GPtrArray *records)
{
    fputs("[", stdout);
    for (guint i = 0; i < records->len; i++) {
        fputs(i == 0 ? "\n" : ",\n", stdout);
        json_record(records->pdata[i]);
    }
    fputs(records->len == 0 ? "]\n" : "\n]\n", stdout);
}

static char *traffic(guint64 octets, guint64 packets)
{
    char *size = g_format_size(octets);
    char *text = g_strdup_printf(_("%s in %" PRIu64 " packets"), size, packets);

    g_free(size);
    return text;
}

static void print_record(const struct session_record *record)
{
    struct rows *rows = rows_new();
    char *name = printable(record->name);

    printf("%s%s%s\n", style_begin(stdout, STYLE_BOLD), name, style_end(stdout));
    if (g_strcmp0(record->state, "reconnecting") == 0) {
        char *why = printable(record->why == NULL ? "" : record->why);

        rows_add(rows, _("State"), g_strdup_printf(_("reconnecting: %s"), why));
        g_free(why);
    }
    if (record->gateway_id != NULL && *record->gateway_id != '\0') {
        rows_add(rows, _("Gateway"),
                 g_strdup_printf("%s (%s)", record->gateway_id,
                                 record->gateway == NULL ? "" : record->gateway));
    } else {
        rows_add(rows, _("Gateway"), g_strdup(record->gateway));
    }
    if (record->addresses != NULL) {
        rows_add(rows, _("Addresses"), g_strjoinv(", ", record->addresses));
    }
    rows_add(rows, _("Interface"), g_strdup(record->interface));
    rows_add(rows, _("Connected"),
             duration_text(MAX(0, g_get_real_time() / G_USEC_PER_SEC - record->since)));
    rows_add(rows, _("Received"), traffic(record->rx_octets, record->rx_packets));
    rows_add(rows, _("Sent"), traffic(record->tx_octets, record->tx_packets));
    rows_finish(rows, stdout);
    g_free(name);
}

int command_status(int argc, char **argv)
{
    GError *error = NULL;
    struct options options;
    int code = 0;

    if (!options_parse(&options, &usage, argc, argv, &error)) {
        code = cli_fail_error(REASON_USAGE, error);
    } else if (!options.help) {
        GPtrArray *records = session_records();

        if (options.flags[FLAG_JSON]) {
            print_json(records);
        } else if (records->len == 0) {
            puts(_("Nothing is connected."));
        }
        for (guint i = 0; !options.flags[FLAG_JSON] && i < records->len; i++) {
            print_record(records->pdata[i]);
        }
        g_ptr_array_unref(records);
    }
    options_clear(&options);
    return code;
}
