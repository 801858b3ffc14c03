/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A session that does nothing to the host: the command line and the service are tested against it.
 * What happens is in the environment variable FAKE, or else is its name: steps with ';' between
 * them and '|' between their fields, taken one after the other from the main loop: phase|NAME|TEXT
 * failed|REASON|DETAIL  trace|LINE|OUT|AGAIN  connect|full, split or again  ask|ID|LABEL|PROMPT
 * end|REASON|DETAIL  wait (for a disconnect)  stubborn (for the second one) Values that were
 * provided are written to the file FAKE_VALUES as "ID=VALUE".
 */
#include <glib/gstdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "session/kill_switch.h"
#include "session/session.h"

struct session {
    char *name;
    const struct session_ops *ops;
    void *context;
    char **steps;
    guint at, disconnects, wanted_disconnects, source;
    gboolean trace;
};

static guint64 now_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_BOOTTIME, &now);
    return (guint64)now.tv_sec * G_USEC_PER_SEC + (guint64)now.tv_nsec / 1000;
}

static void must(bool worked)
{
    if (!worked) {
        abort();
    }
}

static void end(struct session *session, enum reason reason, const char *detail)
{
    session->source = 0;
    session->ops->ended(session->context, reason, detail);
}

static void connected(struct session *session, const char *how)
{
    GHashTable *summary = g_hash_table_new(g_str_hash, g_str_equal);
    struct net_config net = {.mtu = 1422};
    struct session_info info = {
        .name = session->name,
        .interface = "godwit0",
        .net = &net,
        .summary = summary,
        .dns_method = "/etc/resolv.conf",
        .full_tunnel = strcmp(how, "full") == 0,
        .again = strcmp(how, "again") == 0,
    };

    must(prefix_parse(&net.addresses[0], "10.1.0.5/32", false));
    must(prefix_parse(&net.addresses[1], "2001:db8::5/128", false));
    net.n_addresses = 2;
    for (net.n_routes = 0; net.n_routes < 10; net.n_routes++) {
        must(prefix_parse(&net.routes[net.n_routes], "10.0.0.0/24", false));
        net.routes[net.n_routes].addr.octets[2] = (uint8_t)net.n_routes;
    }
    must(addr_parse(&net.dns[0], "10.99.0.1"));
    net.n_dns = 1;
    g_strlcpy(net.domains[0], "corp.example", sizeof net.domains[0]);
    net.n_domains = 1;
    g_strlcpy(net.banner, "Welcome.\nBe good.", sizeof net.banner);
    g_hash_table_insert(summary, (gpointer) "gateway", (gpointer) "192.0.2.1:4500");
    g_hash_table_insert(summary, (gpointer) "gateway-id", (gpointer) "vpn.example.org");
    g_hash_table_insert(summary, (gpointer) "gateway-auth", (gpointer) "ECDSA with SHA2-256");
    g_hash_table_insert(summary, (gpointer) "gateway-version", (gpointer) "evil\033[2J");
    g_hash_table_insert(summary, (gpointer) "local-id", (gpointer) "alice");
    g_hash_table_insert(summary, (gpointer) "user-auth", (gpointer) "EAP-MSCHAPv2");
    g_hash_table_insert(summary, (gpointer) "ike-suite", (gpointer) "aes256gcm16-prfsha384-x25519");
    g_hash_table_insert(summary, (gpointer) "esp-suite", (gpointer) "aes256gcm16");
    session->ops->connected(session->context, &info);
    g_hash_table_destroy(summary);
}

/* FALSE when the next step waits for something from outside. */
static gboolean step(struct session *session, char **words)
{
    guint n = g_strv_length(words);
    const char *first = n > 1 ? words[1] : "", *second = n > 2 ? words[2] : "";
    struct session_field field = {.id = first,
                                  .label = second,
                                  .kind = strcmp(first, "user") != 0 ? VPN1_FIELD_SECRET
                                                                     : VPN1_FIELD_TEXT};

    if (strcmp(words[0], "phase") == 0) {
        session->ops->phase(session->context, first, second, now_us());
    } else if (strcmp(words[0], "failed") == 0) {
        session->ops->failed(session->context, reason_from_name(first), second);
    } else if (strcmp(words[0], "trace") == 0 && session->trace) {
        session->ops->trace(session->context, first, *second == '1', n > 3, now_us());
    } else if (strcmp(words[0], "connect") == 0) {
        connected(session, first);
    } else if (strcmp(words[0], "ask") == 0 && session->ops->secrets_required == NULL) {
        end(session, REASON_SECRET_MISSING, "");
        return FALSE;
    } else if (strcmp(words[0], "ask") == 0) {
        field.prompt = n > 3 ? words[3] : "";
        session->ops->secrets_required(session->context, &field, 1);
        return FALSE;
    } else if (strcmp(words[0], "end") == 0) {
        end(session, reason_from_name(first), second);
        return FALSE;
    } else if (strcmp(words[0], "wait") == 0 || strcmp(words[0], "stubborn") == 0) {
        session->wanted_disconnects = words[0][0] == 'w' ? 1 : 2;
        return FALSE;
    }
    return TRUE;
}

static gboolean on_idle(gpointer data)
{
    struct session *session = data;
    char **words;
    gboolean more;

    if (session->steps[session->at] == NULL) {
        session->source = 0;
        return G_SOURCE_REMOVE;
    }
    words = g_strsplit(session->steps[session->at++], "|", -1);
    more = step(session, words);
    g_strfreev(words);
    session->source = more ? session->source : 0;
    return more;
}

struct session *session_new(const char *name, const struct profile *profile, gboolean trace,
                            const struct session_ops *ops, void *context)
{
    struct session *session = g_new0(struct session, 1);
    const char *fake = g_getenv("FAKE");

    must(profile_validate(profile, NULL));
    session->name = g_strdup(name);
    session->ops = ops;
    session->context = context;
    session->trace = trace;
    session->steps = g_strsplit(fake == NULL ? name : fake, ";", -1);
    /* Also of one that has not come to that step yet. */
    session->wanted_disconnects = strcmp(session->steps[0], "stubborn") == 0 ? 2 : 1;
    if (g_getenv("FAKE_PROFILE") != NULL) {
        must(profile_save(profile, g_getenv("FAKE_PROFILE"), NULL));
    }
    return session;
}

struct worker *worker_start(enum worker_program program, const char *language, GError **error)
{
    (void)program;
    (void)language;
    (void)error;
    return NULL;
}

gboolean worker_waits(const struct worker *worker)
{
    (void)worker;
    return FALSE;
}

void worker_free(struct worker *worker)
{
    (void)worker;
}

void session_use_worker(struct session *session, struct worker *worker)
{
    (void)session;
    (void)worker;
}

void session_leave_host(struct session *session)
{
    (void)session;
}

void session_spare_leftovers(struct session *session)
{
    (void)session;
}

void session_free(struct session *session)
{
    if (session->source != 0) {
        g_source_remove(session->source);
    }
    g_strfreev(session->steps);
    g_free(session->name);
    g_free(session);
}

void session_start(struct session *session)
{
    session->source = g_idle_add(on_idle, session);
}

static gboolean on_disconnected(gpointer data)
{
    end(data, REASON_USER, "");
    return G_SOURCE_REMOVE;
}

void session_disconnect(struct session *session)
{
    session->ops->phase(session->context, "disconnecting", "", now_us());
    if (++session->disconnects == session->wanted_disconnects) {
        if (session->source != 0) {
            g_source_remove(session->source);
        }
        session->source = g_idle_add(on_disconnected, session);
    }
}

void session_provide_secrets(struct session *session, GHashTable *values)
{
    GString *text = g_string_new(NULL);
    GHashTableIter iter;
    gpointer id, value;

    if (values == NULL) {
        g_string_free(text, TRUE);
        end(session, REASON_SECRET_MISSING, "");
        return;
    }
    g_hash_table_iter_init(&iter, values);
    while (g_hash_table_iter_next(&iter, &id, &value)) {
        gsize size;
        const char *data = g_bytes_get_data(value, &size);

        g_string_append_printf(text, "%s=%.*s\n", (const char *)id, (int)size, data);
    }
    if (g_getenv("FAKE_VALUES") != NULL) {
        must(g_file_set_contents(g_getenv("FAKE_VALUES"), text->str, -1, NULL));
    }
    g_string_free(text, TRUE);
    session->source = g_idle_add(on_idle, session);
}

gboolean session_traffic(const char *interface, struct session_traffic *out)
{
    *out = (struct session_traffic){1, 2, 3, 4};
    return strcmp(interface, "godwit0") == 0;
}

/* What is held is a file of networks; where one would refuse is another. */
#define FAKE_HELD "/run/fake-held"
#define FAKE_REFUSES "/run/fake-refuses"

static gboolean host_lets(GError **error)
{
    if (g_file_test(FAKE_REFUSES, G_FILE_TEST_EXISTS)) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_FAILED, "The kernel refuses.");
        return FALSE;
    }
    return TRUE;
}

gboolean kill_switch_hold(gboolean local_network, const char *const *excepted, GError **error)
{
    char *text = g_strjoinv(",", (char **)excepted);
    gboolean held =
        !local_network && host_lets(error) && g_file_set_contents(FAKE_HELD, text, -1, error);

    g_free(text);
    return held;
}

gboolean kill_switch_release(GError **error)
{
    if (!host_lets(error)) {
        return FALSE;
    }
    (void)g_unlink(FAKE_HELD);
    return TRUE;
}

gboolean kill_switch_is_held(void)
{
    return g_file_test(FAKE_HELD, G_FILE_TEST_EXISTS);
}

struct kill_switch_follower *kill_switch_follow(GError **error)
{
    (void)error;
    return g_malloc0(1);
}

void kill_switch_follower_free(struct kill_switch_follower *follower)
{
    g_free(follower);
}

gboolean kill_switch_let_user_out(guint32 uid, guint seconds, GError **error)
{
    return uid != 0 && seconds <= 600 && host_lets(error);
}

guint session_leftovers(void)
{
    const char *n = g_getenv("FAKE_LEFTOVERS");

    return n == NULL ? 0 : (guint)atoi(n);
}

void session_set_owner(struct session *session, uid_t owner)
{
    (void)session;
    (void)owner;
}

void session_set_language(struct session *session, const char *language)
{
    (void)session;
    (void)language;
}

gboolean session_add_app(struct session *session, int pidfd, uid_t uid, gboolean inside,
                         GError **error)
{
    (void)session;
    (void)pidfd;
    (void)uid;
    (void)inside;
    (void)error;
    return TRUE;
}

gboolean session_lend(struct session *session, uid_t keeper, int *interface, int *state,
                      GError **error)
{
    (void)session;
    (void)keeper;
    (void)error;
    *interface = *state = STDIN_FILENO;
    return TRUE;
}

void session_adopt(struct session *session, uid_t keeper, int interface, GVariant *kept)
{
    (void)session;
    (void)keeper;
    (void)kept;
    close(interface);
}

char *session_lent_name(int interface, GError **error)
{
    (void)interface;
    g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_FAILED, "That is no interface.");
    return NULL;
}

gboolean session_abandon(struct session *session)
{
    (void)session;
    return FALSE;
}

guint session_count_lent(void)
{
    return 0;
}

const char *session_apps_missing(void)
{
    return NULL;
}

const char *session_dns_way(void)
{
    return "carrier pigeon";
}

guint session_clean_leftovers(void)
{
    return session_leftovers();
}

void session_make_room(void)
{
}

guint session_clean_lent(void)
{
    return session_leftovers();
}

void session_record_free(struct session_record *record)
{
    g_strfreev(record->addresses);
    g_free(record->name);
    g_free(record->interface);
    g_free(record->gateway);
    g_free(record->gateway_id);
    g_free(record->state);
    g_free(record->why);
    g_free(record);
}

GPtrArray *session_records(void)
{
    GPtrArray *records = g_ptr_array_new_with_free_func((GDestroyNotify)session_record_free);
    const char *names = g_getenv("FAKE_RECORDS");
    char **list = g_strsplit(names == NULL ? "" : names, ",", -1);

    for (char **name = list; *name != NULL; name++) {
        struct session_record *record = g_new0(struct session_record, 1);

        record->name = g_strdup(*name);
        record->interface = g_strdup("godwit0");
        record->gateway = g_strdup("192.0.2.1:4500");
        record->gateway_id = g_strdup("vpn.example.org");
        record->state = g_strdup(g_getenv("FAKE_STATE"));
        record->why = g_strdup("The gateway stopped answering.");
        record->addresses = g_strsplit("10.1.0.5/32 2001:db8::5/128", " ", -1);
        record->since = g_get_real_time() / G_USEC_PER_SEC - 125;
        record->pid = 4711;
        record->rx_octets = 1234567;
        record->rx_packets = 1000;
        record->tx_octets = 42;
        record->tx_packets = 1;
        g_ptr_array_add(records, record);
    }
    g_strfreev(list);
    return records;
}
