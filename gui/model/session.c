/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "gui/model/session.h"

#include <string.h>
#include <unistd.h>

#include "common/boottime.h"
#include "common/i18n.h"
#include "common/phase.h"
#include "common/vpn1.h"
#include "gui/model/text.h"

enum { ENTRIES_MAX = 1000 };

struct _GodwitSession {
    GObject parent;
    GDBusProxy *proxy;
    GCancellable *gone;
    GPtrArray *history;
    GodwitTrace *trace;
    GHashTable *phases; /* names of those that the history has */
    gboolean watches_trace;
    gboolean measuring;
    guint64 measured_us;
    struct godwit_traffic traffic;
};

enum { CHANGED, HISTORY, MEASURED, N_SIGNALS };
static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE(GodwitSession, godwit_session, G_TYPE_OBJECT)

/* ---- properties ---- */

static GVariant *value_of(GodwitSession *session, const char *property, const char *type)
{
    GVariant *value = g_dbus_proxy_get_cached_property(session->proxy, property);

    if (value != NULL && !g_variant_is_of_type(value, (const GVariantType *)type)) {
        g_clear_pointer(&value, g_variant_unref);
    }
    return value;
}

char *godwit_session_dup_raw(GodwitSession *session, const char *property)
{
    g_autoptr(GVariant) value = value_of(session, property, "s");

    return value == NULL ? g_strdup("") : g_variant_dup_string(value, NULL);
}

char *godwit_session_dup_text(GodwitSession *session, const char *property)
{
    g_autofree char *raw = godwit_session_dup_raw(session, property);

    return shown_text(raw);
}

char *godwit_session_dup_banner(GodwitSession *session)
{
    g_autofree char *raw = godwit_session_dup_raw(session, "Banner");

    return shown_lines(raw);
}

char *godwit_session_dup_list(GodwitSession *session, const char *property)
{
    g_autoptr(GVariant) value = value_of(session, property, "as");
    g_auto(GStrv) texts = value == NULL ? g_new0(char *, 1) : g_variant_dup_strv(value, NULL);
    g_autofree char *all = g_strjoinv(", ", texts);

    return shown_text(all);
}

char *godwit_session_dup_fact(GodwitSession *session, const char *fact)
{
    g_autoptr(GVariant) summary = value_of(session, "Summary", "a{ss}");
    const char *text = "";

    if (summary != NULL) {
        (void)g_variant_lookup(summary, fact, "&s", &text);
    }
    return shown_text(text);
}

gboolean godwit_session_get_switch(GodwitSession *session, const char *property)
{
    g_autoptr(GVariant) value = value_of(session, property, "b");

    return value != NULL && g_variant_get_boolean(value);
}

GVariant *godwit_session_dup_form(GodwitSession *session)
{
    GVariant *form = value_of(session, "Form", VPN1_FORM_TYPE);
    guint32 number = 0;

    if (form != NULL) {
        g_variant_get_child(form, 0, "u", &number);
        if (number == 0) {
            g_clear_pointer(&form, g_variant_unref);
        }
    }
    return form;
}

gint64 godwit_session_get_seconds(GodwitSession *session)
{
    g_autoptr(GVariant) value = value_of(session, "Connected", "t");
    guint64 connected = value == NULL ? 0 : g_variant_get_uint64(value), now = boottime_now();

    return connected == 0 || connected > now ? -1 : (gint64)((now - connected) / G_USEC_PER_SEC);
}

gboolean godwit_session_is_ours(GodwitSession *session)
{
    g_autoptr(GVariant) owner = value_of(session, "Owner", "u");

    return owner != NULL && g_variant_get_uint32(owner) == geteuid();
}

gboolean godwit_session_is_ending(GodwitSession *session)
{
    g_autofree char *state = godwit_session_dup_raw(session, "State");

    return strcmp(state, "disconnecting") == 0;
}

enum godwit_state godwit_session_get_state(GodwitSession *session)
{
    g_autoptr(GVariant) form = godwit_session_dup_form(session);
    g_autofree char *state = godwit_session_dup_raw(session, "State");

    return form != NULL && strcmp(state, "disconnecting") != 0 ? GODWIT_ATTENTION
           : strcmp(state, "connected") == 0                   ? GODWIT_ON
           : strcmp(state, "reconnecting") == 0                ? GODWIT_ROAMING
                                                               : GODWIT_CONNECTING;
}

char *godwit_session_dup_why(GodwitSession *session)
{
    enum godwit_state state = godwit_session_get_state(session);
    g_autofree char *phase = godwit_session_dup_text(session, "CurrentPhase");

    return godwit_session_is_ending(session)              ? g_strdup("")
           : state == GODWIT_CONNECTING && *phase != '\0' ? g_strdup(phase_title(phase))
           : state == GODWIT_ROAMING ? godwit_session_dup_text(session, "PhaseText")
                                     : g_strdup("");
}

char *godwit_session_dup_words(GodwitSession *session)
{
    const char *words = godwit_state_words(godwit_session_get_state(session));
    g_autofree char *why = godwit_session_dup_why(session);

    return godwit_session_is_ending(session) ? g_strdup(_("Disconnecting"))
           : *why == '\0'                    ? g_strdup(words)
                                             : g_strdup_printf("%s: %s", words, why);
}

/* ---- what happened ---- */

gboolean godwit_session_has_passed(GodwitSession *session, const char *phase)
{
    return g_hash_table_contains(session->phases, phase);
}

static void free_entry(gpointer data)
{
    struct godwit_entry *entry = data;

    g_free(entry->text);
    g_free(entry);
}

static void add_entry(GPtrArray *entries, guint64 at_us, char *text)
{
    struct godwit_entry *entry = g_new(struct godwit_entry, 1);

    *entry = (struct godwit_entry){at_us, text};
    g_ptr_array_add(entries, entry);
    if (entries->len > ENTRIES_MAX) {
        g_ptr_array_remove_index(entries, 0);
    }
}

static void add_phase(GodwitSession *session, GVariant *tuple)
{
    const char *phase, *text;
    guint64 at_us;

    g_variant_get(tuple, "(&s&st)", &phase, &text, &at_us);
    g_autofree char *title = shown_text(phase_title(phase));
    g_autofree char *facts = shown_text(text);
    g_autofree char *all =
        *facts == '\0' ? g_strdup(title) : g_strdup_printf("%s: %s", title, facts);

    if (g_hash_table_size(session->phases) < ENTRIES_MAX) {
        g_hash_table_add(session->phases, g_strdup(phase));
    }
    godwit_trace_add_phase(session->trace, at_us, all);
    add_entry(session->history, at_us, g_steal_pointer(&all));
}

static void add_rung(GodwitSession *session, GVariant *tuple)
{
    const char *line;
    gboolean outbound, again;
    guint64 at_us;

    g_variant_get(tuple, "(&sbbt)", &line, &outbound, &again, &at_us);
    godwit_trace_add_message(session->trace, at_us, line, outbound, again);
}

/* The reply is a list of tuples: all that happened so far, which replaces what we have heard. */
static void take_list(GodwitSession *session, GVariant *reply,
                      void (*add)(GodwitSession *, GVariant *))
{
    g_autoptr(GVariant) list = g_variant_get_child_value(reply, 0);
    GVariantIter iter;
    GVariant *tuple;

    godwit_trace_forget(session->trace, add == add_rung);
    if (add == add_phase) {
        g_ptr_array_set_size(session->history, 0);
    }
    g_variant_iter_init(&iter, list);
    while ((tuple = g_variant_iter_next_value(&iter)) != NULL) {
        add(session, tuple);
        g_variant_unref(tuple);
    }
    godwit_trace_thaw(session->trace);
    g_signal_emit(session, signals[HISTORY], 0);
}

static GVariant *reply_of(GObject *source, GAsyncResult *result, const char *type)
{
    g_autoptr(GVariant) reply = g_dbus_proxy_call_finish(G_DBUS_PROXY(source), result, NULL);

    return reply != NULL && g_variant_is_of_type(reply, (const GVariantType *)type)
               ? g_steal_pointer(&reply)
               : NULL;
}

static void on_log(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(GodwitSession) session = data;
    g_autoptr(GVariant) reply = reply_of(source, result, "(a(sst))");

    if (reply != NULL) {
        take_list(session, reply, add_phase);
    }
}

static void on_trace(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(GodwitSession) session = data;
    g_autoptr(GVariant) reply = reply_of(source, result, "(a(sbbt))");

    if (reply != NULL) {
        take_list(session, reply, add_rung);
    }
}

static void call(GodwitSession *session, const char *method, GAsyncReadyCallback done)
{
    g_dbus_proxy_call(session->proxy, method, NULL, G_DBUS_CALL_FLAGS_NONE, -1, session->gone, done,
                      g_object_ref(session));
}

void godwit_session_watch_trace(GodwitSession *session)
{
    if (!session->watches_trace) {
        session->watches_trace = TRUE;
        call(session, "GetTrace", on_trace);
    }
}

const GPtrArray *godwit_session_get_history(GodwitSession *session)
{
    return session->history;
}

GodwitTrace *godwit_session_get_trace(GodwitSession *session)
{
    return session->trace;
}

/* ---- traffic ---- */

static void take_traffic(GodwitSession *session, GVariant *reply)
{
    struct godwit_traffic *traffic = &session->traffic;
    guint64 now = boottime_now(), rx, tx;

    g_variant_get(reply, "(tttt)", &rx, NULL, &tx, NULL);
    traffic->rx_rate = traffic->tx_rate = 0;
    if (session->measured_us != 0 && now > session->measured_us) {
        double seconds = (double)(now - session->measured_us) / G_USEC_PER_SEC;

        traffic->rx_rate = (double)(rx - MIN(traffic->rx, rx)) / seconds;
        traffic->tx_rate = (double)(tx - MIN(traffic->tx, tx)) / seconds;
    }
    traffic->rx = rx;
    traffic->tx = tx;
    session->measured_us = now;
    g_signal_emit(session, signals[MEASURED], 0);
}

static void on_traffic(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(GodwitSession) session = data;
    g_autoptr(GVariant) reply = reply_of(source, result, "(tttt)");

    session->measuring = FALSE;
    if (reply != NULL) {
        take_traffic(session, reply);
    }
}

void godwit_session_measure(GodwitSession *session)
{
    if (!session->measuring) {
        session->measuring = TRUE;
        call(session, "GetTraffic", on_traffic);
    }
}

const struct godwit_traffic *godwit_session_get_traffic(GodwitSession *session)
{
    return &session->traffic;
}

const char *godwit_session_get_path(GodwitSession *session)
{
    return g_dbus_proxy_get_object_path(session->proxy);
}

/* ---- life ---- */

static void on_properties(GodwitSession *session)
{
    g_signal_emit(session, signals[CHANGED], 0);
}

static void on_signal(GodwitSession *session, const char *sender, const char *name,
                      GVariant *arguments)
{
    (void)sender;
    if (strcmp(name, "Phase") == 0 && g_variant_is_of_type(arguments, G_VARIANT_TYPE("(sst)"))) {
        add_phase(session, arguments);
        g_signal_emit(session, signals[HISTORY], 0);
    } else if (strcmp(name, "Rung") == 0 &&
               g_variant_is_of_type(arguments, G_VARIANT_TYPE("(sbbt)"))) {
        add_rung(session, arguments);
    }
}

static void godwit_session_dispose(GObject *object)
{
    GodwitSession *session = GODWIT_SESSION(object);

    g_cancellable_cancel(session->gone);
    g_clear_object(&session->proxy);
    G_OBJECT_CLASS(godwit_session_parent_class)->dispose(object);
}

static void godwit_session_finalize(GObject *object)
{
    GodwitSession *session = GODWIT_SESSION(object);

    g_object_unref(session->gone);
    g_ptr_array_unref(session->history);
    g_hash_table_unref(session->phases);
    g_object_unref(session->trace);
    G_OBJECT_CLASS(godwit_session_parent_class)->finalize(object);
}

static void godwit_session_class_init(GodwitSessionClass *class)
{
    static const char *const names[N_SIGNALS] = {"changed", "history", "measured"};

    G_OBJECT_CLASS(class)->dispose = godwit_session_dispose;
    G_OBJECT_CLASS(class)->finalize = godwit_session_finalize;
    for (int i = 0; i < N_SIGNALS; i++) {
        signals[i] = g_signal_new(names[i], G_TYPE_FROM_CLASS(class), G_SIGNAL_RUN_LAST, 0, NULL,
                                  NULL, NULL, G_TYPE_NONE, 0);
    }
}

static void godwit_session_init(GodwitSession *session)
{
    session->gone = g_cancellable_new();
    session->history = g_ptr_array_new_with_free_func(free_entry);
    session->phases = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    session->trace = godwit_trace_new();
}

GodwitSession *godwit_session_new(GDBusProxy *proxy)
{
    GodwitSession *session = g_object_new(GODWIT_TYPE_SESSION, NULL);

    session->proxy = g_object_ref(proxy);
    g_signal_connect_object(proxy, "g-properties-changed", G_CALLBACK(on_properties), session,
                            G_CONNECT_SWAPPED);
    g_signal_connect_object(proxy, "g-signal", G_CALLBACK(on_signal), session, G_CONNECT_SWAPPED);
    call(session, "GetLog", on_log);
    return session;
}
