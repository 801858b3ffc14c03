/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit/session_watch.h"

#include <net/if.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/i18n.h"
#include "unit/sandbox.h"
#include "unit/waiting.h"

/* ---- the session's clock: linked with --wrap ---- */

guint watch_hurried_ms, watch_n_hurried;

GSource *__real_g_timeout_source_new(guint interval);
GSource *__wrap_g_timeout_source_new(guint interval);
GSource *__wrap_g_timeout_source_new(guint interval)
{
    if (interval != 0 && interval == watch_hurried_ms) {
        watch_n_hurried++;
        interval /= 50;
    }
    return __real_g_timeout_source_new(interval);
}

/* ---- what is told ---- */

static void on_phase(void *context, const char *phase, const char *text, guint64 at_us)
{
    struct watch *watch = context;
    (void)at_us;
    g_string_append_printf(watch->log, "%s ", phase);
    g_free(watch->phase_text);
    watch->phase_text = g_strdup(text);
    if (watch->stop_at && strstr(text, watch->stop_at)) {
        g_main_loop_quit(watch->loop);
    }
    if (g_str_equal(phase, "established")) {
        session_disconnect(watch->session);
    }
}

static void on_failed(void *context, enum reason reason, const char *detail)
{
    struct watch *watch = context;
    g_free(watch->failed);
    watch->failed = g_strdup_printf("%s: %s", reason_name(reason), detail);
}

static void on_trace(void *context, const char *line, gboolean outbound, gboolean retransmission,
                     guint64 at_us)
{
    struct watch *watch = context;
    (void)line;
    (void)at_us;
    g_string_append(watch->log, outbound && !retransmission ? "trace " : "odd-trace ");
}

static void on_connected(void *context, const struct session_info *info)
{
    struct watch *watch = context;
    ck_assert_int_eq(info->again, watch->connects > 0);
    watch->connects++;
    g_free(watch->gateway_id);
    g_free(watch->dns);
    watch->connected = TRUE;
    watch->full_tunnel = info->full_tunnel;
    watch->gateway_id = g_strdup(g_hash_table_lookup(info->summary, "gateway-id"));
    watch->dns = g_strdup(info->dns_method);
    ck_assert(!g_hash_table_contains(info->summary, "surprise"));
    g_string_append(watch->log, "connected ");
    if (watch->stop_when_connected) {
        g_timer_start(watch->since_stop);
        session_disconnect(watch->session);
    } else {
        g_main_loop_quit(watch->loop);
    }
}

void watch_on_ended(void *context, enum reason reason, const char *detail)
{
    struct watch *watch = context;
    ck_assert(!watch->ended);
    watch->ended = TRUE;
    watch->reason = reason;
    watch->detail = g_strdup(detail);
    g_string_append(watch->log, "ended");
    g_main_loop_quit(watch->loop);
}

static void on_secrets(void *context, const struct session_field *fields, gsize n_fields)
{
    struct watch *watch = context;
    g_autoptr(GHashTable) values =
        g_hash_table_new_full(g_str_hash, g_str_equal, NULL, (GDestroyNotify)g_bytes_unref);
    ck_assert_uint_eq(n_fields, 1);
    ck_assert_str_eq(fields[0].id, "password");
    ck_assert_str_eq(fields[0].kind, VPN1_FIELD_SECRET);
    if (watch->connected) {
        g_autoptr(GPtrArray) records = session_records();
        const struct session_record *record = records->pdata[0];
        watch->state = g_strdup(record->state);
        watch->why = g_strdup(record->why);
    }
    watch->label = g_strdup(fields[0].label);
    watch->prompt = g_strdup(fields[0].prompt);
    g_string_append(watch->log, "asked ");
    if (watch->stop_when_asked) {
        session_disconnect(watch->session);
        return;
    }
    if (!watch->password) {
        session_provide_secrets(watch->session, NULL);
        return;
    }
    GBytes *value = g_bytes_new(watch->password, strlen(watch->password));
    g_hash_table_insert(values, (char *)"password", g_bytes_ref(value));
    session_provide_secrets(watch->session, values);
    const char *octets = g_bytes_get_data(value, NULL);
    for (gsize i = 0; i < g_bytes_get_size(value); i++) {
        ck_assert_int_eq(octets[i], 0);
    }
    g_bytes_unref(value);
}

const struct session_ops watch_ops = {.phase = on_phase,
                                      .failed = on_failed,
                                      .trace = on_trace,
                                      .secrets_required = on_secrets,
                                      .connected = on_connected,
                                      .ended = watch_on_ended};
const struct session_ops watch_ops_few = {.ended = watch_on_ended};

static gboolean on_patience(gpointer data)
{
    (void)data;
    ck_abort_msg("nothing happened for %d s", PATIENCE_S);
    return G_SOURCE_REMOVE;
}

void watch_run(struct watch *watch)
{
    guint patience = g_timeout_add_seconds(PATIENCE_S, on_patience, NULL);
    g_main_loop_run(watch->loop);
    g_source_remove(patience);
}

void watch_profile(struct watch *watch, struct profile *profile, const struct session_ops *with)
{
    watch->loop = g_main_loop_new(NULL, FALSE);
    watch->log = g_string_new(NULL);
    watch->since_stop = g_timer_new();
    watch->session = session_new("test", profile, TRUE, with, watch);
    profile_free(profile);
    session_start(watch->session);
    ck_assert(!watch->ended);
}

void watch_mode(struct watch *watch, const char *mode, const char *tunnel,
                const struct session_ops *with)
{
    g_autoptr(GError) error = NULL;
    struct profile *profile = profile_new();
    ck_assert(profile_set(profile, "gateway", mode, "test", &error));
    ck_assert(profile_set(profile, "tunnel", tunnel, "test", &error));
    watch_profile(watch, profile, with);
}

void watch_begin(struct watch *watch, const char *mode, const struct session_ops *with)
{
    watch_mode(watch, mode, "full", with);
}

void watch_until_told(struct watch *watch, const char *text)
{
    watch->stop_at = text;
    while (!watch->phase_text || !strstr(watch->phase_text, text)) {
        watch_run(watch);
    }
    watch->stop_at = NULL;
}

void watch_finish(struct watch *watch)
{
    session_free(watch->session);
    g_main_loop_unref(watch->loop);
    g_string_free(watch->log, TRUE);
    g_timer_destroy(watch->since_stop);
    g_free(watch->detail);
    g_free(watch->phase_text);
    g_free(watch->label);
    g_free(watch->prompt);
    g_free(watch->gateway_id);
    g_free(watch->dns);
    g_free(watch->state);
    g_free(watch->why);
    g_free(watch->failed);
}

void watch_expect_clean(const char *before)
{
    /* The kernel closes a descriptor that was still under way to a worker some time after the worker
     * and its socket are gone. */
    wait_until(strstr(before, " godwit0:") || if_nametoindex("godwit0") == 0);
    sandbox_expect_same(before);
    ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1);
}

void watch_expect_way(const char *to, const char *device)
{
    g_autofree char *way = sandbox_run("ip route get %s", to);
    ck_assert_msg(strstr(way, device) != NULL, "%s", way);
}

static void each_test(void)
{
    g_setenv("GODWIT_TUNNEL", TOP_BUILDDIR "/tests/unit/fake_worker", TRUE);
    g_unsetenv("LC_FAKE");
    watch_hurried_ms = watch_n_hurried = 0;
}

TCase *watch_tests(void)
{
    TCase *tests = tcase_create("fake worker");
    sandbox_enter();
    sandbox_uplink();
    sandbox_do("printf 'nameserver 192.0.2.53\\n' >/etc/resolv.conf");
    tcase_add_checked_fixture(tests, each_test, NULL);
    return tests;
}
