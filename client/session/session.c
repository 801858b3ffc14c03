/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "session/session_private.h"

#include <unistd.h>

#include "common/i18n.h"

#define START_TIME 10000 /* milliseconds from fork to Accepted */

/* ---- the end ---- */

static void stop_source(GSource **source)
{
    if (*source) {
        g_source_destroy(*source);
        g_source_unref(*source);
        *source = NULL;
    }
}

static void start_source(GSource **slot, GSource *source, GSourceFunc function,
                         struct session *session)
{
    stop_source(slot);
    g_source_set_callback(source, function, session, NULL);
    g_source_attach(source, g_main_context_get_thread_default());
    *slot = source;
}

void session_decide(struct session *session, enum reason reason, const char *detail)
{
    if (session->reason == REASON_NONE) {
        session->reason = reason;
        session->detail = g_strdup(detail);
    }
    session->state = ENDING;
}

/* The worker is of no use any more. */
static void lose(struct session *session, enum reason reason, const char *why)
{
    if (session->reason != REASON_NONE || session->state == LOST) {
        return;
    }
    if (session->was_up) {
        session->state = LOST;
        g_free(session->lost);
        session->lost = g_strdup(why);
    } else {
        session_decide(session, reason, why);
    }
}

static gboolean on_replace(gpointer data);

/* How often within the period, this time included. */
static guint count_crashes(struct session *session)
{
    gint64 now = g_get_monotonic_time();
    guint recent = 1;
    for (gsize i = CRASHES_MAX - 1; i > 0; i--) {
        session->crashes[i] = session->crashes[i - 1];
        recent += session->crashes[i] != 0 && now - session->crashes[i] < CRASHES_PERIOD;
    }
    session->crashes[0] = now;
    return recent;
}

/* TUN, sockets, addresses, routes and DNS stay as they are, or the kill switch when the interface
 * is gone: what would leave beside the tunnel waits for the next worker. */
static void replace_later(struct session *session)
{
    guint times = session->bereft ? ++session->renewals : count_crashes(session);
    session_close_channel(session);
    g_clear_pointer(&session->worker, worker_free);
    if (times >= CRASHES_MAX && !session->bereft) {
        g_autofree char *detail =
            g_strdup_printf(_("That happened %u times in a short time. %s"), times, session->lost);
        session_decide(session, REASON_WORKER_DIED, detail);
        return;
    }
    session->state = REPLACING;
    start_source(&session->timer,
                 g_timeout_source_new(times == 1 ? 0 : REPLACE_DELAY << MIN(times - 2, 6)),
                 on_replace, session);
    session_replacing(session);
}

static gboolean settle(gpointer data)
{
    struct session *session = data;
    stop_source(&session->settling);
    if (worker_running(session->worker) || session->state == ENDED) {
        return G_SOURCE_REMOVE;
    }
    if (session->state == LOST) {
        replace_later(session);
    }
    if (session->reason != REASON_NONE) {
        session->state = ENDED;
        stop_source(&session->timer);
        session_close_channel(session);
        g_clear_pointer(&session->kept, g_variant_unref);
        g_clear_pointer(&session->lent, lent_free);
        g_clear_pointer(&session->token, worker_free);
        session_revert(session);
        session->ops->ended(session->context, session->reason, session->detail);
    }
    return G_SOURCE_REMOVE;
}

/* For callers inside a public function, where no callback may come. */
static void settle_later(struct session *session)
{
    start_source(&session->settling, g_idle_source_new(), settle, session);
}

static gboolean on_time_over(gpointer data)
{
    struct session *session = data;
    stop_source(&session->timer);
    if (worker_running(session->worker)) {
        lose(session, REASON_WORKER_DIED, _("godwit-tunnel does not respond and was ended."));
        worker_kill(session->worker);
    } else {
        lose(session, REASON_WORKER_DIED, session->worker_end);
        settle(session);
    }
    return G_SOURCE_REMOVE;
}

void session_limit_time(struct session *session, guint milliseconds)
{
    if (milliseconds == 0) {
        stop_source(&session->timer);
    } else {
        start_source(&session->timer, g_timeout_source_new(milliseconds), on_time_over, session);
    }
}

static void on_worker_ended(void *context, const char *how)
{
    struct session *session = context;
    g_free(session->worker_end);
    session->worker_end = g_strdup(how);
    if (session->channel && !session->channel_closed) {
        /* What it said last is still on its way: on_closed() comes after it. */
        session_limit_time(session, EXIT_TIME);
        return;
    }
    lose(session, REASON_WORKER_DIED, how);
    settle(session);
}

static void give_up_worker(struct session *session)
{
    if (worker_running(session->worker)) {
        worker_kill(session->worker);
    } else {
        settle(session);
    }
}

void session_breach(struct session *session)
{
    lose(session, REASON_INTERNAL, _("godwit-tunnel does not follow the protocol."));
    give_up_worker(session);
}

void session_lose_interface(struct session *session, const char *why)
{
    if (session->state != STARTING && session->state != CONNECTING && session->state != UP) {
        return;
    }
    if (session->was_up && session_has_kill_switch(session)) {
        session->bereft = TRUE;
        lose(session, REASON_HOST_CONFIG, why);
        give_up_worker(session);
    } else {
        session_end_gracefully(session, REASON_HOST_CONFIG, why);
    }
}

void session_channel_closed(struct session *session, gboolean breach)
{
    session->channel_closed = TRUE;
    if (breach) {
        session_breach(session);
    } else if (worker_running(session->worker)) {
        session_limit_time(session, EXIT_TIME);
    } else {
        lose(session, REASON_WORKER_DIED, session->worker_end);
        settle(session);
    }
}

void session_end_gracefully(struct session *session, enum reason reason, const char *detail)
{
    gboolean connected = session->state == CONNECTING || session->state == UP;
    session_decide(session, reason, detail);
    if (connected && !session->channel_closed) {
        channel_send(session->channel, MESSAGE_DISCONNECT, NULL);
        session_limit_time(session, DOWN_TIME);
    } else {
        worker_kill(session->worker);
    }
}

/* ---- the start ---- */

static void on_token_ended(void *context, const char *how)
{
    struct session *session = context;
    /* The worker tells what that means for the connection; it ends with it otherwise. */
    if (worker_running(session->worker)) {
        g_message("%s", how);
    }
}

/* -1 when it cannot be started; else our end of its channel. */
static int start_worker(struct session *session, GError **error)
{
    g_clear_pointer(&session->token, worker_free);
    if (profile_needs_token(session->profile)) {
        session->token = worker_start(WORKER_TOKEN, session->language, error);
        if (!session->token) {
            g_clear_pointer(&session->worker, worker_free); /* nobody would hear of its end */
            return -1;
        }
        session->fds.token = worker_use(session->token, on_token_ended, session);
    }
    if (!session->worker) {
        session->worker = worker_start(WORKER_TUNNEL, session->language, error);
    }
    if (!session->worker) {
        return -1;
    }
    session_limit_time(session, START_TIME);
    return worker_use(session->worker, on_worker_ended, session);
}

static gboolean on_replace(gpointer data)
{
    struct session *session = data;
    g_autoptr(GError) error = NULL;
    stop_source(&session->timer);
    if (session->state != REPLACING) {
        return G_SOURCE_REMOVE;
    }
    session->state = STARTING;
    int fd = session->bereft && !session_renew_host(session, &error)
                 ? -1
                 : start_worker(session, &error);
    if (fd >= 0) {
        session_open_channel(session, fd);
    } else {
        lose(session, REASON_WORKER_DIED, error->message);
        settle(session);
    }
    return G_SOURCE_REMOVE;
}

static gboolean prepare_host(struct session *session, GError **error)
{
    if (!session_hold(session, error) || !session_open_tun(session, error) ||
        !session_open_sockets(session, error)) {
        return FALSE;
    }
    session->host = session->adopted
                        ? host_adopt(session->name, session->interface, session->keeper, error)
                        : host_new(session->name, session->interface, error);
    if (!session->host) {
        return FALSE;
    }
    if (session->spares_leftovers && !session->adopted) {
        session->kept = session_inherited(session);
        session->was_up = session->kept != NULL;
    } else if (!session->adopted) {
        (void)host_clean_leftovers();
    }
    host_watch_dns(session->host, session_dns_changed, session);
    return TRUE;
}

/* The worker starts before everything else, which then goes on beside its own start. */
static gboolean begin(struct session *session, GError **error)
{
    int fd = start_worker(session, error);
    if (fd < 0) {
        return FALSE;
    }
    if (!prepare_host(session, error)) {
        close(fd);
        return FALSE;
    }
    session_open_channel(session, fd);
    /* The worker is at work, and then the gateway. */
    host_prepare();
    return TRUE;
}

static enum reason reason_of(const GError *error)
{
    if (g_error_matches(error, HOST_ERROR, HOST_ERROR_NO_TUN)) {
        return REASON_NO_TUN;
    }
    /* Others may not even reach the worker's program. */
    if (g_error_matches(error, HOST_ERROR, HOST_ERROR_PERMISSION) ||
        error->domain == WORKER_ERROR) {
        return geteuid() == 0 ? REASON_HOST_CONFIG : REASON_NOT_ROOT;
    }
    return error->domain == HOST_ERROR ? REASON_HOST_CONFIG : REASON_INTERNAL;
}

void session_start(struct session *session)
{
    g_autoptr(GError) error = NULL;
    if (session->state != NEW) {
        return;
    }
    session->state = STARTING;
    if (!begin(session, &error)) {
        session_decide(session, reason_of(error), error->message);
        worker_kill(session->worker);
        settle_later(session);
    }
}

void session_disconnect(struct session *session)
{
    if (session->state == ENDED) {
        return;
    }
    if (session->state == ENDING) {
        worker_kill(session->worker);
    } else {
        session_end_gracefully(session, REASON_USER, "");
    }
    settle_later(session);
}

struct session *session_new(const char *name, const struct profile *profile, gboolean trace,
                            const struct session_ops *ops, void *context)
{
    struct session *session = g_new0(struct session, 1);
    session->name = g_strdup(name);
    session->profile = profile_copy(profile);
    session->trace = trace;
    session->ops = ops;
    session->context = context;
    session->fds = (struct session_fds){-1, -1, -1, -1, -1, -1, -1, -1};
    session->summary = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    return session;
}

void session_use_worker(struct session *session, struct worker *worker)
{
    session->worker = worker;
}

void session_leave_host(struct session *session)
{
    session->leaves_host = TRUE;
}

void session_spare_leftovers(struct session *session)
{
    session->spares_leftovers = TRUE;
}

void session_set_owner(struct session *session, uid_t owner)
{
    session->owner = owner;
}

void session_set_language(struct session *session, const char *language)
{
    g_free(session->language);
    session->language = g_strdup(language);
}

gboolean session_lend(struct session *session, uid_t keeper, int *interface, int *state,
                      GError **error)
{
    if (session->state != UP || !session->leaves_host) {
        g_set_error_literal(error, HOST_ERROR, HOST_ERROR_CONFIG, _("Nothing is connected yet."));
        return FALSE;
    }
    session->lent = session->lent ? session->lent : lent_new(error);
    if (!session->lent || !host_lend(session->host, keeper, error)) {
        return FALSE;
    }
    if (session->kept) {
        lent_write(session->lent, session->kept);
    }
    *interface = session->fds.tun;
    *state = lent_fd(session->lent);
    return TRUE;
}

void session_adopt(struct session *session, uid_t keeper, int interface, GVariant *kept)
{
    session->adopted = session->was_up = TRUE;
    session->keeper = keeper;
    session->fds.tun = interface;
    session->kept = g_variant_ref(kept);
}

char *session_lent_name(int interface, GError **error)
{
    char device[16];
    gboolean vnet_hdr;
    if (!host_tun_adopt(interface, device, &vnet_hdr, error)) {
        return NULL;
    }
    char *name = host_lent_name(device);
    if (!name) {
        g_set_error(error, HOST_ERROR, HOST_ERROR_CONFIG, _("No connection left %s behind."),
                    device);
    }
    return name;
}

gboolean session_abandon(struct session *session)
{
    if (!(session->lent || session->adopted) || session->state == ENDING ||
        session->state == ENDED) {
        return FALSE;
    }
    g_clear_pointer(&session->worker, worker_free);
    session_close_channel(session);
    g_clear_pointer(&session->host, host_free);
    lent_leave(g_steal_pointer(&session->lent));
    session_free(session);
    return TRUE;
}

void session_free(struct session *session)
{
    if (!session) {
        return;
    }
    stop_source(&session->timer);
    stop_source(&session->settling);
    session_close_channel(session);
    worker_free(session->worker);
    worker_free(session->token);
    session_revert(session);
    g_hash_table_unref(session->summary);
    profile_free(session->profile);
    g_clear_pointer(&session->kept, g_variant_unref);
    lent_free(session->lent);
    g_free(session->lost);
    g_free(session->worker_end);
    g_free(session->detail);
    g_free(session->dns_answers);
    g_free(session->language);
    g_free(session->name);
    g_free(session);
}
