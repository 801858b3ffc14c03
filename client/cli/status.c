/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "cli/json.h"
#include "cli/print.h"
#include "cli/progress.h"
#include "cli/seen.h"
#include "common/boottime.h"
#include "common/dns_words.h"
#include "common/i18n.h"
#include "profile/profile.h"
#include "session/kill_switch.h"

enum { FLAG_JSON, FLAG_NAMES, FLAG_WATCH };
static const struct flag flags[] = {
    [FLAG_JSON] = {"json", N_("Print a JSON array, for programs."), NULL},
    [FLAG_NAMES] = {"names", N_("Print the names alone, one on each line."), NULL},
    [FLAG_WATCH] = {"watch",
                    N_("Go on, each second, with the rates; of one connection until it ends."),
                    NULL},
    {.name = NULL},
};
static const struct usage usage = {
    .synopsis = N_("godwit status [NAME] [OPTION…]"),
    .about =
        N_("Shows what is connected now, whoever began it: gateway, addresses, DNS and traffic "
           "of each connection. Other users' connections are seen by root only."),
    .flags = flags,
    .max_words = 1,
    .words = WORDS_SESSIONS,
};

/* Octets at the last look, by path or interface, and what came since in each second. */
struct rate {
    guint64 rx, tx, at_us;
    double rx_rate, tx_rate;
};

struct status {
    struct bus *bus;
    const char *name; /* NULL = all */
    const struct options *options;
    GHashTable *rates; /* NULL unless watching */
    gboolean dirty;    /* something has changed */
    gboolean over;
    char *path;     /* of the one that is watched, when the service has it */
    gboolean found; /* it was there */
    gboolean none;  /* there was nothing to show */
    int code;
};

/* ---- JSON ---- */

static void json_traffic(struct json *json, const char *name, guint64 octets, guint64 packets,
                         const double *rate)
{
    json_begin(json, name, '{');
    json_number(json, "octets", (gint64)octets);
    json_number(json, "packets", (gint64)packets);
    if (rate != NULL) {
        json_number(json, "octets-per-second", (gint64)*rate);
    }
    json_end(json, '}');
}

static void json_failure(struct json *json, const struct seen *seen)
{
    static const char *const names[] = {"reason", "sentence", "detail", "hint"};
    GVariant *failure = facts_value(seen->facts, "LastError", "(ssss)");

    json_begin(json, "last-error", '{');
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        const char *text = "";

        if (failure != NULL) {
            g_variant_get_child(failure, i, "&s", &text);
        }
        json_text(json, names[i], text);
    }
    json_end(json, '}');
}

static void json_list(struct json *json, const char *name, const struct seen *seen,
                      const char *property)
{
    g_auto(GStrv) texts = facts_texts(seen->facts, property);

    json_texts(json, name, texts);
}

static void json_seen(struct json *json, const struct seen *seen, const struct rate *rate)
{
    const struct {
        const char *name, *property;
    } texts[] = {
        {"name", "Name"},
        {"origin", "Origin"},
        {"system-profile", "SystemProfile"},
        {"interface", "Interface"},
        {"gateway", "GatewayAddress"},
        {"gateway-id", "GatewayIdentity"},
        {"state", "State"},
        {"why", "PhaseText"},
        {"dns-method", "DnsMethod"},
        {"dns-answers", "DnsAnswers"},
        {"kill-switch", "KillSwitch"},
    };

    json_begin(json, NULL, '{');
    for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
        json_text(json, texts[i].name, facts_text(seen->facts, texts[i].property));
    }
    json_failure(json, seen);
    json_list(json, "addresses", seen, "Addresses");
    json_list(json, "routes", seen, "Routes");
    json_list(json, "dns", seen, "Dns");
    json_list(json, "domains", seen, "Domains");
    json_number(json, "mtu", (gint64)facts_number(seen->facts, "Mtu"));
    json_number(json, "owner", (gint64)facts_number(seen->facts, "Owner"));
    json_number(json, "since", (gint64)facts_number(seen->facts, "ConnectedSince"));
    json_number(json, "pid", seen->pid);
    json_traffic(json, "received", seen->rx_octets, seen->rx_packets,
                 rate == NULL ? NULL : &rate->rx_rate);
    json_traffic(json, "sent", seen->tx_octets, seen->tx_packets,
                 rate == NULL ? NULL : &rate->tx_rate);
    json_end(json, '}');
}

/* ---- for people ---- */

static char *traffic_text(guint64 octets, guint64 packets, const double *rate)
{
    g_autofree char *size = g_format_size(octets);
    g_autofree char *each = rate == NULL ? NULL : g_format_size((guint64)*rate);

    return rate == NULL
               ? g_strdup_printf(_("%s in %" PRIu64 " packets"), size, packets)
               : g_strdup_printf(_("%s/s (%s in %" PRIu64 " packets)"), each, size, packets);
}

static char *joined(const struct seen *seen, const char *property)
{
    g_auto(GStrv) texts = facts_texts(seen->facts, property);
    g_autofree char *all = g_strjoinv(", ", texts);

    return printable(all);
}

/* What to do about what keeps it from being made again. */
static char *hint_text(const struct seen *seen)
{
    GVariant *failure = facts_value(seen->facts, "LastError", "(ssss)");
    const char *name, *hint;
    enum reason reason;

    if (failure == NULL) {
        return NULL;
    }
    g_variant_get(failure, "(&s&s&s&s)", &name, NULL, NULL, &hint);
    reason = reason_from_name(name);
    if (strcmp(reason_name(reason), name) != 0) { /* a newer service's */
        return printable(hint);
    }
    return profile_hint(reason, FALSE);
}

static char *gateway_text(const struct seen *seen)
{
    const char *identity = facts_text(seen->facts, "GatewayIdentity");
    const char *address = facts_text(seen->facts, "GatewayAddress");
    g_autofree char *text = *identity != '\0' && *address != '\0'
                                ? g_strdup_printf("%s (%s)", identity, address)
                            : *address != '\0' ? g_strdup(address)
                                               : g_strdup(facts_text(seen->facts, "Gateway"));

    return printable(text);
}

static char *state_text(const struct seen *seen)
{
    g_autofree char *state = seen_state(seen);
    g_autofree char *why = printable(facts_text(seen->facts, "PhaseText"));

    if (strcmp(facts_text(seen->facts, "State"), "connected") == 0) {
        return NULL;
    }
    return *why == '\0' ? g_strdup(state) : g_strdup_printf(_("%s: %s"), state, why);
}

/* What the gateway wants to know, and nobody has answered. */
static char *question_text(const struct seen *seen)
{
    GVariant *form = facts_value(seen->facts, "Form", VPN1_FORM_TYPE);
    g_autoptr(GVariant) fields = NULL;
    GString *labels = g_string_new(NULL);
    g_autofree char *text = NULL;
    GVariantIter iter;
    const char *label;

    if (form != NULL) {
        fields = g_variant_get_child_value(form, 1);
        g_variant_iter_init(&iter, fields);
        while (g_variant_iter_next(&iter, "(&s&s&s&s@a{sv})", NULL, &label, NULL, NULL, NULL)) {
            g_string_append_printf(labels, "%s%s", labels->len == 0 ? "" : ", ", label);
        }
    }
    text = g_string_free(labels, FALSE);
    return printable(text);
}

static char *dns_text(const struct seen *seen)
{
    g_autofree char *servers = joined(seen, "Dns");
    g_autofree char *domains = joined(seen, "Domains");
    g_autofree char *how = dns_words_here(facts_text(seen->facts, "DnsMethod"));
    g_autofree char *whether = dns_words_here(facts_text(seen->facts, "DnsAnswers"));
    g_autofree char *method = printable(how), *answers = printable(whether);
    GString *text = g_string_new(servers);

    if (*domains != '\0') {
        g_string_append_printf(text, _(" for %s"), domains);
    }
    if (*servers != '\0' && *method != '\0') {
        g_string_append_printf(text, *answers == '\0' ? " (%s)" : " (%s; %s)", method, answers);
    }
    return g_string_free(text, FALSE);
}

static char *origin_text(const struct seen *seen)
{
    guint64 owner = facts_number(seen->facts, "Owner");
    g_autofree char *origin = printable(facts_text(seen->facts, "Origin"));

    return seen->path == NULL || owner == geteuid()
               ? g_strdup(origin)
               : g_strdup_printf(_("%s, for user %" PRIu64), origin, owner);
}

/* Since it is connected; the clock may have been set meanwhile. */
static gint64 seconds_connected(const struct seen *seen)
{
    guint64 connected = facts_number(seen->facts, "Connected");
    gint64 since = (gint64)facts_number(seen->facts, "ConnectedSince");

    return connected > 0 ? (gint64)((boottime_now() - connected) / G_USEC_PER_SEC)
                         : MAX(0, g_get_real_time() / G_USEC_PER_SEC - since);
}

static void print_seen(const struct seen *seen, const struct rate *rate)
{
    struct rows *rows = rows_new();
    g_autofree char *name = printable(facts_text(seen->facts, "Name"));
    gint64 since = (gint64)facts_number(seen->facts, "ConnectedSince");

    printf("%s%s%s\n", style_begin(stdout, STYLE_BOLD), name, style_end(stdout));
    rows_add(rows, _("State"), state_text(seen));
    rows_add(rows, _("Hint"), hint_text(seen));
    rows_add(rows, _("Asks for"), question_text(seen));
    rows_add(rows, _("Gateway"), gateway_text(seen));
    rows_add(rows, _("Addresses"), joined(seen, "Addresses"));
    rows_add(rows, _("DNS"), dns_text(seen));
    rows_add(rows, _("Interface"), printable(facts_text(seen->facts, "Interface")));
    rows_add(rows, _("Begun by"), origin_text(seen));
    if (since > 0) {
        rows_add(rows, _("Connected"), duration_text(seconds_connected(seen)));
        rows_add(
            rows, _("Received"),
            traffic_text(seen->rx_octets, seen->rx_packets, rate == NULL ? NULL : &rate->rx_rate));
        rows_add(
            rows, _("Sent"),
            traffic_text(seen->tx_octets, seen->tx_packets, rate == NULL ? NULL : &rate->tx_rate));
    }
    rows_finish(rows, stdout);
}

/* One line of a watch that goes into a pipe. */
static void print_line(const struct seen *seen, const struct rate *rate)
{
    g_autoptr(GDateTime) now = g_date_time_new_now_local();
    g_autofree char *time = g_date_time_format(now, "%H:%M:%S");
    g_autofree char *name = printable(facts_text(seen->facts, "Name"));
    g_autofree char *state = seen_state(seen);
    g_autofree char *rx = g_format_size((guint64)rate->rx_rate);
    g_autofree char *tx = g_format_size((guint64)rate->tx_rate);

    printf(_("%s %s %s, received %s/s, sent %s/s\n"), time, name, state, rx, tx);
}

static void print_all(const struct status *status, const GPtrArray *shown)
{
    gboolean watching = status->rates != NULL;
    struct json json = {0};

    if (status->options->flags[FLAG_JSON]) {
        json_begin(&json, NULL, '[');
    } else if (watching && isatty(STDOUT_FILENO)) {
        fputs("\033[H\033[J", stdout);
    }
    for (guint i = 0; i < shown->len; i++) {
        const struct seen *seen = shown->pdata[i];
        const char *key = seen->path != NULL ? seen->path : facts_text(seen->facts, "Interface");
        const struct rate *rate = watching ? g_hash_table_lookup(status->rates, key) : NULL;

        if (status->options->flags[FLAG_JSON]) {
            json_seen(&json, seen, rate);
        } else if (status->options->flags[FLAG_NAMES]) {
            puts(facts_text(seen->facts, "Name"));
        } else if (watching && !isatty(STDOUT_FILENO)) {
            print_line(seen, rate);
        } else {
            print_seen(seen, rate);
        }
    }
    if (status->options->flags[FLAG_JSON]) {
        json_end(&json, ']');
    } else if (shown->len == 0 && !status->options->flags[FLAG_NAMES] &&
               (!watching || isatty(STDOUT_FILENO))) {
        puts(_("Nothing is connected."));
    }
    fflush(stdout);
}

/* ---- looking ---- */

static void measure(GHashTable *rates, const struct seen *seen)
{
    const char *key = seen->path != NULL ? seen->path : facts_text(seen->facts, "Interface");
    struct rate *rate = g_hash_table_lookup(rates, key);
    guint64 now = boottime_now();

    if (rate == NULL) {
        rate = g_new0(struct rate, 1);
        *rate = (struct rate){.rx = seen->rx_octets, .tx = seen->tx_octets, .at_us = now};
        g_hash_table_insert(rates, g_strdup(key), rate);
    } else if (now - rate->at_us >= G_USEC_PER_SEC / 2) {
        double seconds = (double)(now - rate->at_us) / G_USEC_PER_SEC;

        rate->rx_rate = (double)(seen->rx_octets - MIN(rate->rx, seen->rx_octets)) / seconds;
        rate->tx_rate = (double)(seen->tx_octets - MIN(rate->tx, seen->tx_octets)) / seconds;
        rate->rx = seen->rx_octets;
        rate->tx = seen->tx_octets;
        rate->at_us = now;
    }
}

/* The one that is asked for, or all. FALSE and *error when it is not there. */
static gboolean look(struct status *status, GError **error)
{
    g_autoptr(GPtrArray) all = seen_all(status->bus, BUS_NO_START, error);
    g_autoptr(GPtrArray) shown = g_ptr_array_new();

    if (all == NULL) {
        return FALSE;
    }
    if (status->name != NULL) {
        struct seen *seen = status->path == NULL ? seen_find(all, status->name, error)
                                                 : seen_by_path(all, status->path);

        if (seen == NULL) {
            return FALSE;
        }
        if (!status->found) {
            status->path = g_strdup(seen->path);
            status->found = TRUE;
        }
        g_ptr_array_add(shown, seen);
    }
    for (guint i = 0; status->name == NULL && i < all->len; i++) {
        g_ptr_array_add(shown, all->pdata[i]);
    }
    for (guint i = 0; status->rates != NULL && i < shown->len; i++) {
        measure(status->rates, shown->pdata[i]);
    }
    status->none = shown->len == 0;
    print_all(status, shown);
    return TRUE;
}

/* What the service tells of those that we may not see: their number. */
static void print_others(struct bus *bus)
{
    g_autoptr(GVariant) value =
        bus == NULL ? NULL : bus_manager_property(bus, "OtherSessions", BUS_NO_START, NULL);
    guint32 n = value != NULL && g_variant_is_of_type(value, G_VARIANT_TYPE_UINT32)
                    ? g_variant_get_uint32(value)
                    : 0;

    if (n > 0) {
        printf(ngettext("There is %u connection of other users.\n",
                        "There are %u connections of other users.\n", n),
               n);
    }
}

/* Why nothing gets out. */
static void print_held(struct bus *bus)
{
    g_autoptr(GVariant) value =
        bus == NULL ? NULL : bus_manager_property(bus, "KillSwitchAlways", BUS_NO_START, NULL);

    if (value != NULL && g_variant_is_of_type(value, G_VARIANT_TYPE_BOOLEAN)
            ? g_variant_get_boolean(value)
            : kill_switch_is_held()) {
        puts(_("Traffic is held while nothing is connected."));
        puts(_("If that is not wanted: godwit killswitch off"));
    }
}

/* ---- watching ---- */

static void on_signal(void *context, const char *path, const char *interface, const char *name,
                      GVariant *arguments)
{
    struct status *status = context;

    status->dirty = status->dirty || strcmp(interface, DBUS_PROPERTIES) == 0 ||
                    strcmp(interface, DBUS_OBJECT_MANAGER) == 0;
    if (strcmp(interface, VPN1_SESSION_INTERFACE) == 0 && strcmp(name, "Ended") == 0 &&
        g_strcmp0(path, status->path) == 0 &&
        g_variant_is_of_type(arguments, G_VARIANT_TYPE("(ssss)"))) {
        const char *reason, *detail;

        g_variant_get(arguments, "(&s&s&s&s)", &reason, NULL, &detail, NULL);
        status->over = TRUE;
        if (reason_exit_code(reason_from_name(reason)) == 0) {
            puts(_("Disconnected."));
        } else {
            status->code = cli_fail(reason_from_name(reason), detail);
        }
    }
}

static void on_lost(void *context)
{
    struct status *status = context;

    status->over = status->name != NULL;
    if (status->over) {
        status->code = cli_fail(REASON_SERVICE_UNAVAILABLE, _("It ended meanwhile."));
    }
}

static gboolean on_second(gpointer context)
{
    struct status *status = context;

    status->dirty = TRUE;
    return G_SOURCE_CONTINUE;
}

/* Until the one that is watched ends; all are watched until somebody has seen enough. */
static gboolean watch(struct status *status, GError **error)
{
    guint timer = g_timeout_add(1000, on_second, status);
    gboolean there;

    status->rates = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    if (status->bus != NULL) {
        bus_listen(status->bus, on_signal, on_lost, status);
    }
    there = look(status, error);
    while (there && !status->over) {
        g_main_context_iteration(NULL, TRUE);
        if (status->dirty && !status->over) {
            status->dirty = FALSE;
            there = look(status, error);
        }
    }
    g_source_remove(timer);
    g_hash_table_destroy(status->rates);
    if (!there && status->found) {
        g_clear_error(error);
        if (!status->over) {
            puts(_("Disconnected."));
        }
    }
    return there || *error == NULL;
}

static int run(const struct options *options)
{
    struct status status = {.bus = bus_open(NULL), .name = options->words[0], .options = options};
    GError *error = NULL;

    if (!(options->flags[FLAG_WATCH] ? watch(&status, &error) : look(&status, &error))) {
        status.code = cli_fail_error(REASON_INTERNAL, error);
    }
    if (status.code == 0 && options->n_words == 0 && !options->flags[FLAG_JSON] &&
        !options->flags[FLAG_NAMES] && !options->flags[FLAG_WATCH]) {
        if (status.none) {
            print_held(status.bus);
        }
        print_others(status.bus);
    }
    bus_close(status.bus);
    g_free(status.path);
    return status.code;
}

const struct command command_status = {
    .name = "status",
    .summary = N_("show what is connected"),
    .usage = &usage,
    .run = run,
};
