/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/seen.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cli/print.h"
#include "cli/target.h"
#include "common/i18n.h"
#include "session/session.h"

enum { PATIENCE_MS = 15000 };

static void seen_free(gpointer data)
{
    struct seen *seen = data;

    facts_free(seen->facts);
    g_free(seen->path);
    g_free(seen);
}

static struct seen *seen_new(GPtrArray *all, const char *path)
{
    struct seen *seen = g_new0(struct seen, 1);

    seen->path = g_strdup(path);
    seen->facts = facts_new();
    g_ptr_array_add(all, seen);
    return seen;
}

/* ---- the service's ---- */

static void read_objects(GVariant *objects, GPtrArray *all)
{
    GVariantIter iter;
    const char *path;
    GVariant *interfaces;

    g_variant_iter_init(&iter, objects);
    while (g_variant_iter_next(&iter, "{&o@a{sa{sv}}}", &path, &interfaces)) {
        g_autoptr(GVariant) properties =
            g_variant_lookup_value(interfaces, VPN1_SESSION_INTERFACE, G_VARIANT_TYPE_VARDICT);

        if (properties != NULL) {
            facts_update(seen_new(all, path)->facts, properties);
        }
        g_variant_unref(interfaces);
    }
}

struct count {
    struct seen *seen;
    guint *open;
};

static void on_traffic(void *context, GVariant *reply, const GError *error)
{
    struct count *count = context;
    struct seen *seen = count->seen;

    /* It may have ended just now. */
    (void)error;
    if (reply != NULL && g_variant_is_of_type(reply, G_VARIANT_TYPE("(tttt)"))) {
        g_variant_get(reply, "(tttt)", &seen->rx_octets, &seen->rx_packets, &seen->tx_octets,
                      &seen->tx_packets);
    }
    (*count->open)--;
    g_free(count);
}

static void read_traffic(struct bus *bus, const GPtrArray *all)
{
    guint open = 0;

    for (guint i = 0; i < all->len; i++) {
        struct count *count = g_new(struct count, 1);

        *count = (struct count){all->pdata[i], &open};
        open++;
        bus_send(bus, count->seen->path, VPN1_SESSION_INTERFACE, "GetTraffic", NULL, BUS_PLAIN,
                 on_traffic, count);
    }
    while (open > 0) {
        g_main_context_iteration(NULL, TRUE);
    }
}

static gboolean ask_service(struct bus *bus, unsigned flags, GPtrArray *all, GError **error)
{
    g_autoptr(GError) why = NULL;
    g_autoptr(GVariant) reply =
        bus_call(bus, VPN1_PATH, DBUS_OBJECT_MANAGER, "GetManagedObjects", NULL, flags, &why);
    g_autoptr(GVariant) objects = NULL;

    if (reply == NULL && why->code == (gint)REASON_SERVICE_UNAVAILABLE && (flags & BUS_NO_START)) {
        return TRUE;
    }
    if (reply == NULL) {
        g_propagate_error(error, g_steal_pointer(&why));
        return FALSE;
    }
    if (g_variant_is_of_type(reply, G_VARIANT_TYPE("(a{oa{sa{sv}}})"))) {
        objects = g_variant_get_child_value(reply, 0);
        read_objects(objects, all);
        read_traffic(bus, all);
    }
    return TRUE;
}

/* ---- standalone ones, from their records ---- */

static void set_text(struct facts *facts, const char *name, const char *text)
{
    facts_set(facts, name, g_variant_new_string(text == NULL ? "" : text));
}

static gboolean is_listed(const GPtrArray *all, const char *interface)
{
    for (guint i = 0; i < all->len; i++) {
        const struct seen *seen = all->pdata[i];

        if (seen->path != NULL && g_strcmp0(facts_text(seen->facts, "Interface"), interface) == 0) {
            return TRUE;
        }
    }
    return FALSE;
}

static void add_record(const struct session_record *record, GPtrArray *all)
{
    struct seen *seen = seen_new(all, NULL);
    static char *const none[] = {NULL};

    set_text(seen->facts, "Name", record->name);
    set_text(seen->facts, "Origin", "standalone");
    set_text(seen->facts, "Interface", record->interface);
    set_text(seen->facts, "GatewayAddress", record->gateway);
    set_text(seen->facts, "GatewayIdentity", record->gateway_id);
    set_text(seen->facts, "State", record->state == NULL ? "connected" : record->state);
    set_text(seen->facts, "PhaseText", record->why);
    facts_set(seen->facts, "Addresses",
              g_variant_new_strv(
                  (const char *const *)(record->addresses == NULL ? none : record->addresses), -1));
    facts_set(
        seen->facts, "Dns",
        g_variant_new_strv(
            (const char *const *)(record->dns_servers == NULL ? none : record->dns_servers), -1));
    set_text(seen->facts, "DnsMethod", record->dns_method);
    set_text(seen->facts, "DnsAnswers", record->dns_answers);
    facts_set(seen->facts, "ConnectedSince", g_variant_new_int64(record->since));
    seen->pid = record->pid;
    seen->rx_octets = record->rx_octets;
    seen->rx_packets = record->rx_packets;
    seen->tx_octets = record->tx_octets;
    seen->tx_packets = record->tx_packets;
}

/* ---- all of them ---- */

static gint compare(gconstpointer a, gconstpointer b)
{
    const struct seen *first = *(const struct seen *const *)a,
                      *second = *(const struct seen *const *)b;
    gint order = g_strcmp0(facts_text(first->facts, "Name"), facts_text(second->facts, "Name"));

    return order != 0 ? order
                      : g_strcmp0(facts_text(first->facts, "Interface"),
                                  facts_text(second->facts, "Interface"));
}

GPtrArray *seen_all(struct bus *bus, unsigned flags, GError **error)
{
    GPtrArray *all = g_ptr_array_new_with_free_func(seen_free);
    g_autoptr(GPtrArray) records = NULL;

    if (bus != NULL && !ask_service(bus, flags, all, error)) {
        g_ptr_array_unref(all);
        return NULL;
    }
    /* The service keeps records too. */
    records = session_records();
    for (guint i = 0; i < records->len; i++) {
        const struct session_record *record = records->pdata[i];

        if (!is_listed(all, record->interface)) {
            add_record(record, all);
        }
    }
    g_ptr_array_sort(all, compare);
    return all;
}

struct seen *seen_by_path(const GPtrArray *all, const char *path)
{
    for (guint i = 0; i < all->len; i++) {
        struct seen *seen = all->pdata[i];

        if (seen->path != NULL && strcmp(seen->path, path) == 0) {
            return seen;
        }
    }
    return NULL;
}

/* What a connection of the profile is called that goes by this word: profiles may have a name of
 * their own. NULL = there is no such profile. */
static char *name_of_profile(const char *word)
{
    g_autofree char *path = profile_find(word);
    struct profile *profile = path == NULL ? NULL : profile_load(path, NULL);
    char *name = profile == NULL ? NULL : g_strdup(profile_get(profile, "name"));

    if (profile != NULL && name == NULL) {
        name = target_name_of_file(path);
    }
    profile_free(profile);
    return name;
}

static struct seen *find_by_profile(const GPtrArray *all, const char *word)
{
    g_autofree char *name = name_of_profile(word);

    for (guint i = 0; i < all->len; i++) {
        struct seen *seen = all->pdata[i];

        if (strcmp(facts_text(seen->facts, "SystemProfile"), word) == 0 ||
            g_strcmp0(facts_text(seen->facts, "Name"), name) == 0) {
            return seen;
        }
    }
    return NULL;
}

struct seen *seen_find(const GPtrArray *all, const char *name, GError **error)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    struct seen *found = NULL;

    for (guint i = 0; i < all->len; i++) {
        struct seen *seen = all->pdata[i];
        const char *own = facts_text(seen->facts, "Name");

        g_ptr_array_add(names, (gpointer)own);
        if (strcmp(facts_text(seen->facts, "Interface"), name) == 0) {
            return seen;
        }
        if (strcmp(own, name) == 0 && found != NULL) {
            g_set_error(error, CLI_ERROR, REASON_NOT_FOUND,
                        _("Several connections are called \"%s\"; name the interface instead."),
                        name);
            return NULL;
        }
        found = strcmp(own, name) == 0 ? seen : found;
    }
    found = found == NULL ? find_by_profile(all, name) : found;
    if (found == NULL) {
        cli_not_found(error, g_strdup_printf(_("There is no connection \"%s\"."), name), name,
                      names);
    }
    return found;
}

char *seen_state(const struct seen *seen)
{
    static const struct {
        const char *state, *title;
    } titles[] = {
        {"connecting", N_("connecting")},
        {"connected", N_("connected")},
        {"reconnecting", N_("reconnecting")},
        {"disconnecting", N_("disconnecting")},
    };
    const char *state = facts_text(seen->facts, "State");

    for (gsize i = 0; i < G_N_ELEMENTS(titles); i++) {
        if (strcmp(titles[i].state, state) == 0) {
            return g_strdup(_(titles[i].title));
        }
    }
    return printable(state);
}

/* ---- ending a standalone one ---- */

/* The record may be as old as its process; only our own program is sent a signal. */
static gboolean is_godwit(pid_t pid)
{
    g_autofree char *path = g_strdup_printf("/proc/%ld/comm", (long)pid);
    g_autofree char *name = NULL;

    return g_file_get_contents(path, &name, NULL, NULL) && g_str_has_prefix(name, "godwit\n");
}

gboolean seen_end_standalone(const struct seen *seen, GError **error)
{
    int fd = (int)syscall(SYS_pidfd_open, seen->pid, 0);
    struct pollfd end = {.fd = fd, .events = POLLIN};
    gboolean gone = fd < 0 && errno == ESRCH;

    if (fd >= 0 && is_godwit(seen->pid) &&
        syscall(SYS_pidfd_send_signal, fd, SIGTERM, NULL, 0) == 0) {
        gone = poll(&end, 1, PATIENCE_MS) > 0;
    }
    if (!gone) {
        g_set_error(error, CLI_ERROR, REASON_NOT_AUTHORIZED,
                    _("Process %ld, which makes the connection, does not end."), (long)seen->pid);
    }
    if (fd >= 0) {
        close(fd);
    }
    return gone;
}
