/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "cli/bus.h"
#include "cli/print.h"
#include "cli/progress.h"
#include "cli/remote.h"
#include "cli/secrets.h"
#include "cli/target.h"
#include "common/boottime.h"
#include "common/i18n.h"
#include "common/signals.h"
#include "session/session.h"

enum { FLAG_FOREGROUND, FLAG_STANDALONE, FLAG_TRACE };
static const struct flag flags[] = {
    [FLAG_FOREGROUND] = {"foreground",
                         N_("Stay connected until Ctrl-C, SIGTERM or SIGHUP instead of "
                            "returning when the tunnel is up."),
                         NULL},
    [FLAG_STANDALONE] = {"standalone",
                         N_("Make the connection in this process, without the system "
                            "service, and stay until Ctrl-C. Needs root."),
                         NULL},
    [FLAG_TRACE] = {"trace", N_("Show each IKE message as a line on standard error; no secrets."),
                    NULL},
    {.name = NULL},
};
static const struct usage usage = {
    .synopsis = N_("godwit connect PROFILE|HOST [OPTION…]"),
    .about =
        N_("Connects to the gateway of a profile, or to a host, through the system service, and "
           "returns when the tunnel is up: godwit disconnect ends it. Ctrl-C before that gives "
           "up; a second one does not wait for the gateway."),
    .flags = flags,
    .keys = TRUE,
    .max_words = 1,
    .words = WORDS_PROFILES,
};

/* One connection, made by ourselves or by the service; what people see of it is the same. */
struct connection {
    GMainLoop *loop;
    struct session *session; /* --standalone */
    struct remote *remote;   /* else */
    struct prompt *prompt;
    const char *path; /* of the profile, see struct target */
    guint64 start_us;
    gboolean stays;   /* until Ctrl-C */
    gboolean perhaps; /* not-found is not said: something else is tried */
    gboolean over;
    enum reason reason;
    int code;
};

/* ---- what it tells ---- */

static void on_phase(void *context, const char *phase, const char *text, guint64 at_us)
{
    const struct connection *c = context;

    progress_phase(c->start_us, phase, text, at_us);
}

static void on_trace(void *context, const char *line, gboolean outbound, gboolean retransmission,
                     guint64 at_us)
{
    const struct connection *c = context;

    progress_trace(c->start_us, line, outbound, retransmission, at_us);
}

static void on_connected(void *context, const struct session_info *info)
{
    struct connection *c = context;

    if (info->again) {
        progress_again(c->start_us, info);
        return;
    }
    progress_connected(c->start_us, info);
    if (!c->stays) {
        char *name = printable(info->name);
        char *quoted = strpbrk(name, " \"'\\$`") == NULL ? g_strdup(name) : g_shell_quote(name);

        printf(_("godwit disconnect %s ends it.\n"), quoted);
        g_free(quoted);
        g_free(name);
        c->over = TRUE;
        g_main_loop_quit(c->loop);
    }
}

static void on_dns_answers(void *context, const char *text)
{
    const struct connection *c = context;

    progress_phase(c->start_us, "dns", text, boottime_now());
}

/* Whom a person trusts, or which certificate she chose, is in the profile from now on. */
static void remember(const struct connection *c, GHashTable *values)
{
    static const char *const keys[] = {"gateway-fingerprint", "certificate"};

    for (gsize i = 0; i < G_N_ELEMENTS(keys); i++) {
        GBytes *value = g_hash_table_lookup(values, keys[i]);
        g_autofree char *text =
            value == NULL ? NULL
                          : g_strndup(g_bytes_get_data(value, NULL), g_bytes_get_size(value));
        g_autoptr(GError) error = NULL;

        if (text != NULL && !profile_set_in_file(c->path, keys[i], text, &error)) {
            fprintf(stderr, _("It cannot be remembered: %s\n"), error->message);
        }
    }
}

static void on_values(void *context, GHashTable *values)
{
    struct connection *c = context;

    if (c->over) {
        return;
    }
    if (values != NULL && prompt_remembers(c->prompt)) {
        remember(c, values);
    }
    if (c->session != NULL) {
        session_provide_secrets(c->session, values);
    } else {
        remote_provide_secrets(c->remote, values);
    }
}

static gboolean cancel_secrets(gpointer context)
{
    on_values(context, NULL);
    return G_SOURCE_REMOVE;
}

static void on_secrets_required(void *context, const struct session_field *fields, gsize n_fields)
{
    struct connection *c = context;

    g_clear_pointer(&c->prompt, prompt_free);
    if (n_fields == 0) {
        return;
    }
    c->prompt = prompt_new(fields, n_fields, c->path != NULL, on_values, c);
    if (c->prompt == NULL) {
        g_idle_add(cancel_secrets, c);
    }
}

static void on_ended(void *context, enum reason reason, const char *detail)
{
    struct connection *c = context;

    c->over = TRUE;
    c->reason = reason;
    g_clear_pointer(&c->prompt, prompt_free);
    if (reason_exit_code(reason) == 0) {
        puts(_("Disconnected."));
    } else if (reason != REASON_NOT_FOUND || !c->perhaps) {
        c->code = cli_fail(reason, detail);
    }
    g_main_loop_quit(c->loop);
}

static const struct session_ops ops = {
    .phase = on_phase,
    .trace = on_trace,
    .secrets_required = on_secrets_required,
    .connected = on_connected,
    .dns_answers = on_dns_answers,
    .ended = on_ended,
};

/* ---- running it ---- */

static gboolean on_signal(gpointer context)
{
    struct connection *c = context;

    g_clear_pointer(&c->prompt, prompt_free);
    if (c->over) {
        return G_SOURCE_CONTINUE;
    }
    if (c->session != NULL) {
        session_disconnect(c->session);
    } else if (c->remote != NULL) {
        remote_disconnect(c->remote);
    }
    return G_SOURCE_CONTINUE;
}

static GSource *watch_signals(struct connection *c)
{
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP};

    /* Whoever read our output may be gone; the connection goes on. */
    signal(SIGPIPE, SIG_IGN);
    return signals_watch(signals, G_N_ELEMENTS(signals), on_signal, c);
}

static void finish(struct connection *c, GSource *watch)
{
    g_clear_pointer(&c->prompt, prompt_free);
    if (watch != NULL) {
        g_source_destroy(watch);
        g_source_unref(watch);
    }
    while (g_idle_remove_by_data(c)) {
    }
    g_main_loop_unref(c->loop);
}

static int connect_standalone(const struct options *options)
{
    struct connection c = {.start_us = options->start_us, .stays = TRUE};
    struct target target = {0};
    struct worker *worker;
    GError *error = NULL;
    enum reason reason;
    GSource *watch;

    if (geteuid() != 0) {
        return cli_fail(REASON_NOT_ROOT, NULL);
    }
    c.loop = g_main_loop_new(NULL, FALSE);
    watch = watch_signals(&c); /* from the first process on that would have to be ended */
    /* It gets ready meanwhile. When it cannot be started, the session says why. */
    worker = worker_start(WORKER_TUNNEL, NULL, NULL);
    reason = target_read(options, &target, &error);
    if (reason == REASON_NONE) {
        c.path = target.path;
        c.session = session_new(target.name, target.profile, options->flags[FLAG_TRACE], &ops, &c);
        session_use_worker(c.session, worker);
        session_start(c.session);
        g_main_loop_run(c.loop);
        session_free(c.session);
    } else {
        worker_free(worker);
        c.code = cli_fail_error(reason, error);
    }
    finish(&c, watch);
    target_clear(&target);
    return c.code;
}

/* Runs one connection over the bus until it is up, or over. */
static void run_remote(struct connection *c, struct bus *bus, const struct target *target,
                       const struct options *options)
{
    struct remote_request request = {
        .name = target->name,
        .profile = target->profile,
        .trace = options->flags[FLAG_TRACE],
        .bound = c->stays,
    };

    c->over = FALSE;
    c->perhaps = target->perhaps;
    c->path = target->path;
    c->reason = REASON_NONE;
    c->remote = remote_new(bus, &request, &ops, c);
    g_main_loop_run(c->loop);
    g_clear_pointer(&c->remote, remote_free);
}

static int connect_remote(const struct options *options)
{
    struct connection c = {.start_us = options->start_us, .stays = options->flags[FLAG_FOREGROUND]};
    struct target target = {0};
    struct bus *bus = NULL;
    GError *error = NULL;
    enum reason reason = target_find(options, &target, &error);
    GSource *watch;

    c.loop = g_main_loop_new(NULL, FALSE);
    watch = watch_signals(&c);
    if (reason == REASON_NONE) {
        bus = bus_open(&error);
    }
    if (bus != NULL) {
        run_remote(&c, bus, &target, options);
        if (c.reason == REASON_NOT_FOUND && c.perhaps) {
            target_clear(&target);
            reason = target_host(options, &target, &error);
            if (reason == REASON_NONE) {
                run_remote(&c, bus, &target, options);
            }
        }
    }
    if (error != NULL) {
        c.code = cli_fail_error(reason, error);
    }
    bus_close(bus);
    finish(&c, watch);
    target_clear(&target);
    return c.code;
}

static int run(const struct options *options)
{
    if (options->n_words == 0 && options->settings->len == 0) {
        return cli_fail(REASON_USAGE, _("Which gateway? Name a profile or a host."));
    }
    return options->flags[FLAG_STANDALONE] ? connect_standalone(options) : connect_remote(options);
}

const struct command command_connect = {
    .name = "connect",
    .summary = N_("connect to a gateway"),
    .usage = &usage,
    .run = run,
};
