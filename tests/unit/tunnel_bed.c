/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit/tunnel_bed.h"

#include <check.h>

#include "unit/fake_engine.h"
#include "unit/vectors.h"
#include "unit/waiting.h"

/* Far above what any step takes, so that only a hang meets it. */
#define PATIENCE_S 20

struct tunnel_bed bed;

/* ---- what the session hears ---- */

static void on_phase(void *context, const char *phase, const char *text, guint64 at)
{
    (void)context;
    (void)at;
    g_string_append_printf(bed.log, "%s(%s) ", phase, text);
}

static void on_failed(void *context, enum reason reason, const char *detail)
{
    (void)context;
    g_string_append_printf(bed.log, "failed-%s(%s) ", reason_name(reason), detail);
}

static void on_trace(void *context, const char *line, gboolean outbound, gboolean retransmission,
                     guint64 at)
{
    (void)context;
    (void)line;
    (void)outbound;
    (void)retransmission;
    (void)at;
}

static void on_secret(void *context, const char *id, const char *prompt)
{
    (void)context;
    (void)prompt;
    g_string_append_printf(bed.log, "asked-%s ", id);
}

static void on_choice(void *context, const char *id, const struct tunnel_choice *choices, gsize n)
{
    (void)context;
    g_string_append_printf(bed.log, "choice-%s-%zu-%s ", id, n, choices[n - 1].title);
}

static void on_trust(void *context, const struct gateway_facts *facts)
{
    char digits[FINGERPRINT_TEXT];

    (void)context;
    g_string_append_printf(bed.log, "trust-%.4s ", fingerprint_text(facts->fingerprint, digits));
}

static void on_connected(void *context, const struct net_config *net,
                         const struct tunnel_summary *summary)
{
    char text[ADDR_TEXT_MAX];

    (void)context;
    g_string_append_printf(bed.log, "connected-%s-%s ", summary->ike.gateway_id,
                           addr_text(&net->addresses[0].addr, text));
}

static void on_keep(void *context, GVariant *kept)
{
    (void)context;
    g_clear_pointer(&bed.kept, g_variant_unref);
    bed.kept = g_variant_ref_sink(kept);
}

static void on_mtu(void *context, guint16 mtu)
{
    (void)context;
    g_string_append_printf(bed.log, "mtu-%u ", mtu);
}

static void on_down(void *context, enum reason reason, const char *detail)
{
    (void)context;
    ck_assert(!bed.over);
    bed.over = TRUE;
    g_string_append_printf(bed.log, "down-%s(%s) ", reason_name(reason), detail);
}

static const struct tunnel_ops ops = {
    .phase = on_phase,
    .failed = on_failed,
    .trace = on_trace,
    .secret_required = on_secret,
    .choice_required = on_choice,
    .trust_required = on_trust,
    .connected = on_connected,
    .mtu = on_mtu,
    .keep = on_keep,
    .down = on_down,
};

/* ---- the test's hand ---- */

static gboolean on_patience(gpointer data)
{
    (void)data;
    ck_abort_msg("nothing happened for %d s; heard: %s; %zu engines", PATIENCE_S, bed.log->str,
                 fake_n_engines);
    return G_SOURCE_REMOVE;
}

gboolean bed_heard(const char *text)
{
    return strstr(bed.log->str, text) != NULL;
}

void bed_wait_heard(const char *text)
{
    guint patience = g_timeout_add_seconds(PATIENCE_S, on_patience, NULL);

    while (!bed_heard(text)) {
        g_main_context_iteration(NULL, TRUE);
    }
    g_source_remove(patience);
    g_string_erase(bed.log, 0, strstr(bed.log->str, text) - bed.log->str + (gssize)strlen(text));
}

void bed_wait_engines(gsize n)
{
    guint patience = g_timeout_add_seconds(PATIENCE_S, on_patience, NULL);

    while (fake_n_engines < n) {
        g_main_context_iteration(NULL, TRUE);
    }
    g_source_remove(patience);
    ck_assert_uint_eq(fake_n_engines, n);
}

void bed_wait_freed(gsize engine)
{
    guint patience = g_timeout_add_seconds(PATIENCE_S, on_patience, NULL);

    while (!fake_engines[engine].freed) {
        g_main_context_iteration(NULL, TRUE);
    }
    g_source_remove(patience);
}

void bed_wait_taken(gsize engine)
{
    const struct ike *ike = &fake_engines[engine];
    guint patience = g_timeout_add_seconds(PATIENCE_S, on_patience, NULL);

    while (ike->next_event < ike->n_events) {
        g_main_context_iteration(NULL, TRUE);
    }
    g_source_remove(patience);
}

void bed_let_pass(guint milliseconds)
{
    gint64 end = g_get_monotonic_time() + milliseconds * 1000;

    while (g_get_monotonic_time() < end) {
        g_main_context_iteration(NULL, FALSE);
        wait_let_pass(500);
    }
}

void bed_begin_with(const char *settings, struct tunnel_options options)
{
    const struct tunnel_fds fds = {-1, -1, -1, -1, -1, -1, -1, bed.token};
    struct profile *profile = profile_new();
    char **words = g_strsplit(settings, " ", 0);

    ck_assert(profile_set(profile, "gateway", "vpn.example.org", "test", NULL));
    ck_assert(profile_set(profile, "user", "alice", "test", NULL));
    /* One port, so that one address is asked once. */
    ck_assert(profile_set(profile, "port", "4500", "test", NULL));
    /* The system's store of authorities takes its time to read. */
    ck_assert(profile_set(profile, "auth", "psk", "test", NULL));
    ck_assert(profile_set_bytes(profile, "psk", bytes_of_string("sesame"), NULL));
    if (bed.private_key_password != NULL) {
        ck_assert(profile_set_bytes(profile, "private-key-password",
                                    bytes_of_string(bed.private_key_password), NULL));
    }
    for (char **word = words; *word != NULL && **word != '\0'; word += 2) {
        ck_assert(profile_set(profile, word[0], word[1], "test", NULL));
    }
    g_strfreev(words);
    bed.log = g_string_new("");
    bed.tunnel = tunnel_new(-1, &ops, NULL);
    tunnel_connect(bed.tunnel, profile, &fds, &options);
}

void bed_begin(const char *settings)
{
    bed_begin_with(settings, (struct tunnel_options){0});
}

void bed_begin_up(const char *settings)
{
    bed_begin(settings);
    bed_wait_engines(1);
    fake_up(0, 100, "10.9.0.5/32");
    bed_wait_heard("connected-192.0.2.1-10.9.0.5 ");
    ck_assert_uint_eq(fake_out[1], 100);
}

void bed_set_up(void)
{
    memset(&bed, 0, sizeof bed);
    bed.token = -1;
    fake_reset();
}

void bed_tear_down(void)
{
    tunnel_free(bed.tunnel);
    for (gsize i = 0; i < fake_n_engines; i++) {
        ck_assert_msg(fake_engines[i].freed, "engine %zu is left", i);
    }
    g_string_free(bed.log, TRUE);
    g_clear_pointer(&bed.kept, g_variant_unref);
}
