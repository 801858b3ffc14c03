/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "host/dns_backend.h"

#include "common/i18n.h"
#include "host/dns_query.h"
#include "host/resolv_watch.h"

/*
 * In this order, and the first by which every program asks is enough:
 * systemd-resolved and NetworkManager's dnsmasq know which names belong to whom, when
 * /etc/resolv.conf leads to them. openresolv owns the file and would write over what we write
 * there. The file itself is always there; Debian's resolvconf, whose file is a link, comes to no
 * harm by it and could not put other servers out of the way. systemd's program of that name is
 * systemd-resolved once more and is never called.
 */
static const struct dns_backend *const backends[] = {&dns_resolved, &dns_dnsmasq, &dns_openresolv,
                                                     &dns_file};
#define N_WAYS G_N_ELEMENTS(backends)

#define PATIENCE 3000 /* milliseconds for any of them, a bus that does not answer included */

enum state { UNTRIED, TRYING, SET, FAILED };

struct way {
    struct dns *dns;
    const struct dns_backend *backend;
    enum state state;
    gboolean dirty; /* to be undone in the end */
    void *started;
    GSource *limit;
    char *why;
};

struct dns {
    struct dns_target target;
    struct dns_plan plan;
    void (*changed)(void *context);
    void *context;
    struct way ways[N_WAYS];
    gboolean pending, settling;
    char *method, *answers;
    struct resolv_watch *watch;
    struct dns_query *query;
    GSource *telling;
};

static void stop_source(GSource **source)
{
    if (*source) {
        g_source_destroy(*source);
        g_source_unref(*source);
        *source = NULL;
    }
}

static GSource *start_source(GSource *source, GSourceFunc function, gpointer data)
{
    g_source_set_callback(source, function, data, NULL);
    g_source_attach(source, g_main_context_get_thread_default());
    return source;
}

static gboolean tell(gpointer data)
{
    struct dns *dns = data;
    stop_source(&dns->telling);
    dns->changed(dns->context);
    return G_SOURCE_REMOVE;
}

static void tell_later(struct dns *dns)
{
    if (!dns->telling) {
        dns->telling = start_source(g_idle_source_new(), tell, dns);
    }
}

static void replace(struct dns *dns, char **text, char *now)
{
    gboolean same = g_strcmp0(*text, now) == 0;
    g_free(*text);
    *text = now;
    if (!same) {
        tell_later(dns);
    }
}

/* ---- the ways ---- */

static void settle(struct dns *dns);

static void on_told(void *context, gboolean set, const char *why)
{
    struct way *way = context;
    stop_source(&way->limit);
    way->state = set ? SET : FAILED;
    g_free(way->why);
    way->why = g_strdup(set ? NULL : why);
    if (!set) {
        g_debug("DNS by %s: %s", way->backend->name, why);
    }
    settle(way->dns);
}

static void stop(struct way *way)
{
    stop_source(&way->limit);
    if (way->started) {
        way->backend->stop(way->started);
        way->started = NULL;
    }
}

static gboolean on_limit(gpointer data)
{
    struct way *way = data;
    g_autofree char *why = g_strdup_printf(_("%s does not answer"), way->backend->name);
    stop(way);
    on_told(way, FALSE, why);
    return G_SOURCE_REMOVE;
}

/* Before the deed, so that it is undone whatever becomes of us. */
static gboolean record_ways(struct dns *dns, GError **error)
{
    g_autoptr(GString) ids = g_string_new(NULL);
    for (size_t i = 0; i < N_WAYS; i++) {
        if (dns->ways[i].dirty) {
            g_string_append_printf(ids, "%s%s", ids->len ? " " : "", backends[i]->id);
        }
    }
    record_set(dns->target.record, "undo", "dns", ids->str);
    return record_save(dns->target.record, error);
}

/* ---- undoing ---- */

static gboolean is_dirty(const struct way *way)
{
    return way->dirty;
}

/* Of an earlier plan, which this one has no use for. */
static gboolean is_left_over(const struct way *way)
{
    return way->dirty && way->state == UNTRIED;
}

static void undo(struct dns *dns, gboolean (*which)(const struct way *way))
{
    g_autoptr(GError) error = NULL;
    int lock = -1;
    for (size_t i = 0; i < N_WAYS && !error; i++) {
        struct way *way = &dns->ways[i];
        if (which(way) && (lock >= 0 || (lock = record_lock(&error)) >= 0)) {
            backends[i]->revert(dns->target.record);
            way->dirty = FALSE;
        }
    }
    if (lock >= 0) {
        record_unlock(lock);
        record_ways(dns, &error);
    }
    if (error) {
        g_message("%s", error->message);
    }
}

/* ---- setting ---- */

static void start(struct way *way)
{
    struct dns *dns = way->dns;
    g_autoptr(GError) error = NULL;
    way->state = TRYING;
    way->dirty = TRUE;
    if (!record_ways(dns, &error)) {
        on_told(way, FALSE, error->message);
        return;
    }
    way->limit = start_source(g_timeout_source_new(PATIENCE), on_limit, way);
    way->started = way->backend->start(&dns->target, on_told, way);
}

static char *describe(const struct dns *dns)
{
    g_autoptr(GString) text = g_string_new(NULL);
    const char *why = NULL;
    for (size_t i = 0; i < N_WAYS; i++) {
        const struct way *way = &dns->ways[i];
        if (way->state == SET) {
            g_string_append_printf(text, text->len ? _(" and %s") : "%s", way->backend->name);
        }
        why = way->state == FAILED && way->why ? way->why : why;
    }
    return g_strdup(text->len ? text->str : why ? why : "");
}

static gboolean any_set(const struct dns *dns)
{
    gboolean any = FALSE;
    for (size_t i = 0; i < N_WAYS; i++) {
        any |= dns->ways[i].state == SET;
    }
    return any;
}

static void on_answer(void *context, const char *text)
{
    struct dns *dns = context;
    replace(dns, &dns->answers, g_strdup(text));
}

/* Goes through the ways until one is found by which every program asks; to be called whenever
 * something has changed. */
static void settle(struct dns *dns)
{
    gboolean covered = FALSE, was_pending = dns->pending;
    if (dns->settling) {
        return; /* told from inside start(): the loop below sees it */
    }
    dns->settling = TRUE;
    dns->pending = FALSE;
    for (size_t i = 0; i < N_WAYS && !covered && !dns->pending; i++) {
        struct way *way = &dns->ways[i];
        enum dns_reach reach = backends[i]->reach();
        if (reach != DNS_NOBODY && way->state == UNTRIED) {
            start(way);
        }
        dns->pending = way->state == TRYING;
        covered = way->state == SET && reach == DNS_EVERYBODY;
    }
    dns->settling = FALSE;
    if (dns->pending) {
        return;
    }
    undo(dns, is_left_over);
    replace(dns, &dns->method, describe(dns));
    if (was_pending) {
        tell_later(dns);
    }
    if (!dns->query && any_set(dns)) {
        dns->query = dns_query_new(dns->target.interface, &dns->plan, on_answer, dns);
    }
}

static void on_meddled(void *context)
{
    struct dns *dns = context;
    for (size_t i = 0; i < N_WAYS; i++) {
        const struct way *way = &dns->ways[i];
        if (way->started && way->state == SET && way->backend->meddled) {
            way->backend->meddled(way->started);
        }
    }
    if (!dns->pending) {
        settle(dns);
    }
}

/* ---- the end ---- */

void dns_revert(struct record *record)
{
    g_autofree char *text = record_get(record, "undo", "dns");
    g_auto(GStrv) ids = g_strsplit(text ? text : "", " ", 0);
    for (size_t i = 0; i < N_WAYS; i++) {
        if (g_strv_contains((const char *const *)ids, backends[i]->id)) {
            backends[i]->revert(record);
        }
    }
    record_set(record, "undo", "dns", "");
}

void dns_stop(struct dns *dns)
{
    g_clear_pointer(&dns->watch, resolv_watch_free);
    g_clear_pointer(&dns->query, dns_query_free);
    for (size_t i = 0; i < N_WAYS; i++) {
        stop(&dns->ways[i]);
        g_clear_pointer(&dns->ways[i].why, g_free);
        dns->ways[i].state = UNTRIED;
    }
    dns->pending = FALSE;
}

void dns_apply(struct dns *dns, const struct dns_plan *plan)
{
    if (memcmp(plan, &dns->plan, sizeof *plan) == 0) {
        return;
    }
    dns_stop(dns);
    dns->plan = *plan;
    replace(dns, &dns->answers, g_strdup(""));
    if (plan->n_servers == 0) {
        undo(dns, is_dirty);
        return;
    }
    dns->watch = resolv_watch_new(on_meddled, dns);
    settle(dns);
}

gboolean dns_pending(const struct dns *dns)
{
    return dns->pending;
}

const char *dns_method(const struct dns *dns)
{
    return dns->method;
}

const char *dns_answers(const struct dns *dns)
{
    return dns->answers;
}

struct dns *dns_new(struct record *record, const char *interface, int ifindex,
                    void (*changed)(void *context), void *context)
{
    struct dns *dns = g_new0(struct dns, 1);
    dns->target = (struct dns_target){record, interface, ifindex, &dns->plan};
    dns->changed = changed;
    dns->context = context;
    dns->method = g_strdup("");
    dns->answers = g_strdup("");
    for (size_t i = 0; i < N_WAYS; i++) {
        dns->ways[i].dns = dns;
        dns->ways[i].backend = backends[i];
    }
    return dns;
}

void dns_free(struct dns *dns)
{
    if (dns) {
        dns_stop(dns);
        stop_source(&dns->telling);
        g_free(dns->method);
        g_free(dns->answers);
        g_free(dns);
    }
}

const char *dns_way_now(void)
{
    size_t i = 0;
    while (i < N_WAYS - 1 && backends[i]->reach() != DNS_EVERYBODY) {
        i++;
    }
    return backends[i]->name;
}
