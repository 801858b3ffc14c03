/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/options.h"
#include "cli/print.h"
#include "cli/progress.h"
#include "cli/secrets.h"
#include "common/i18n.h"
#include "common/signals.h"
#include "session/session.h"

enum { FLAG_STANDALONE, FLAG_TRACE };
static const struct flag flags[] = {
    [FLAG_STANDALONE] = {"standalone", N_("Make the connection in this process, without the system "
                                          "service. Needs root.")},
    [FLAG_TRACE] = {"trace", N_("Show each IKE message as a line on standard error; no secrets.")},
    {NULL, NULL},
};
static const struct usage usage = {
    .synopsis = N_("godwit connect PROFILE|HOST --standalone [OPTION…]"),
    .about = N_("Connects to the gateway of a profile, or to a host, and stays connected until "
                "Ctrl-C, SIGTERM or SIGHUP. A second Ctrl-C does not wait for the gateway."),
    .flags = flags,
    .keys = TRUE,
    .max_words = 1,
};

struct connection {
    GMainLoop *loop;
    struct session *session;
    struct prompt *prompt;
    guint64 start_us;
    gboolean over;
    int code;
};

/* ---- what the session tells ---- */

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
    const struct connection *c = context;

    if (info->again) {
        progress_again(c->start_us, info);
    } else {
        progress_connected(c->start_us, info);
    }
}

static void on_values(void *context, GHashTable *values)
{
    struct connection *c = context;

    if (!c->over) {
        session_provide_secrets(c->session, values);
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

    prompt_free(c->prompt);
    c->prompt = prompt_new(fields, n_fields, on_values, c);
    if (c->prompt == NULL) {
        g_idle_add(cancel_secrets, c);
    }
}

static void on_ended(void *context, enum reason reason, const char *detail)
{
    struct connection *c = context;

    c->over = TRUE;
    g_clear_pointer(&c->prompt, prompt_free);
    if (reason_exit_code(reason) == 0) {
        puts(_("Disconnected."));
    } else {
        c->code = cli_fail(reason, detail);
    }
    g_main_loop_quit(c->loop);
}

static const struct session_ops ops = {
    .phase = on_phase,
    .trace = on_trace,
    .secrets_required = on_secrets_required,
    .connected = on_connected,
    .ended = on_ended,
};

/* ---- running it ---- */

static gboolean on_signal(gpointer context)
{
    struct connection *c = context;

    g_clear_pointer(&c->prompt, prompt_free);
    if (!c->over) {
        session_disconnect(c->session);
    }
    return G_SOURCE_CONTINUE;
}

static int run(const char *name, const struct profile *profile, gboolean trace, guint64 start_us)
{
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
    struct connection c = {.start_us = start_us};
    GSource *watch;

    c.loop = g_main_loop_new(NULL, FALSE);
    /* Whoever read our output may be gone; the connection goes on. */
    signal(SIGPIPE, SIG_IGN);
    watch = signals_watch(signals, G_N_ELEMENTS(signals), on_signal, &c);
    c.session = session_new(name, profile, trace, &ops, &c);
    session_start(c.session);
    g_main_loop_run(c.loop);
    session_free(c.session);
    if (watch != NULL) {
        g_source_destroy(watch);
        g_source_unref(watch);
    }
    while (g_idle_remove_by_data(&c)) {
    }
    g_main_loop_unref(c.loop);
    return c.code;
}

/* Says what a word was taken for when it could have been meant otherwise. */
static void explain_host(const char *word)
{
    if (strchr(word, '.') == NULL && strchr(word, ':') == NULL) {
        printf(_("There is no profile \"%s\"; taking it for the gateway's name.\n"), word);
    }
}

/*
 * The profile that the word names, or one made for the host that it is. *name is what to call it,
 * *path where it came from, NULL for a host.
 */
static struct profile *profile_of(const char *word, char **name, char **path, GError **error)
{
    struct profile *profile;

    *path = word == NULL ? NULL : profile_find(word);
    if (*path != NULL) {
        *name = g_path_get_basename(*path);
        if (g_str_has_suffix(*name, ".conf")) {
            (*name)[strlen(*name) - strlen(".conf")] = '\0';
        }
        return profile_load(*path, error);
    }
    profile = profile_new();
    if (word != NULL && !profile_set(profile, "gateway", word, NULL, error)) {
        profile_free(profile);
        return NULL;
    }
    if (word != NULL) {
        explain_host(word);
    }
    *name = g_strdup(word);
    return profile;
}

static const char *name_of(const struct profile *profile, const char *name)
{
    if (profile_is_set(profile, "name")) {
        return profile_get(profile, "name");
    }
    return name != NULL ? name : profile_get(profile, "gateway");
}

static int connect_to(const struct options *options, guint64 start_us)
{
    char *name = NULL, *path = NULL;
    GError *error = NULL;
    struct profile *profile = profile_of(options->words[0], &name, &path, &error);
    /* Whose fault it is unless the options turn out to be wrong. */
    enum reason reason = path != NULL ? REASON_PROFILE : REASON_USAGE;
    int code;

    if (profile != NULL) {
        enum reason applied = options_apply(options, profile, &error);

        if (applied != REASON_NONE) {
            reason = applied;
        } else if (!profile_validate(profile, &error) && path != NULL) {
            g_prefix_error(&error, "%s: ", path);
        }
    }
    if (error != NULL) {
        code = cli_fail_error(reason, error);
    } else {
        (void)session_clean_leftovers();
        code = run(name_of(profile, name), profile, options->flags[FLAG_TRACE], start_us);
    }
    profile_free(profile);
    g_free(name);
    g_free(path);
    return code;
}

int command_connect(int argc, char **argv)
{
    guint64 start_us = progress_now();
    GError *error = NULL;
    struct options options;
    int code = 0;

    if (!options_parse(&options, &usage, argc, argv, &error)) {
        code = cli_fail_error(REASON_USAGE, error);
    } else if (options.help) {
        code = 0;
    } else if (!options.flags[FLAG_STANDALONE]) {
        code =
            cli_fail(REASON_USAGE, _("A connection needs --standalone for now: the system service "
                                     "that would make it does not exist yet."));
    } else if (geteuid() != 0) {
        code = cli_fail(REASON_NOT_ROOT, NULL);
    } else if (options.n_words == 0 && options.settings->len == 0) {
        code = cli_fail(REASON_USAGE, _("Which gateway? Name a profile or a host."));
    } else {
        code = connect_to(&options, start_us);
    }
    options_clear(&options);
    return code;
}
