/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/i18n.h"
#include "host/dns_backend.h"
#include "host/resolv.h"

/* Putting ours back: so often at once, then once in a while, so that two programs that both insist
 * do not keep the machine busy. */
#define BURST 5
#define PAUSE 2 /* seconds */

struct file {
    const struct dns_target *target;
    guint done; /* since the last pause */
    gint64 since_us;
    GSource *later;
};

static enum dns_reach reach(void)
{
    return DNS_EVERYBODY;
}

static gboolean apply(const struct dns_target *target, GError **error)
{
    int lock = record_lock(error);
    gboolean done = lock >= 0 && resolv_apply(target->record, target->plan, error);
    record_unlock(lock);
    return done;
}

static void *start(const struct dns_target *target, dns_told told, void *context)
{
    struct file *file = g_new0(struct file, 1);
    g_autoptr(GError) error = NULL;
    file->target = target;
    if (!target->plan->all && target->plan->strict) {
        told(context, FALSE, _("nothing on this host can tell domains apart"));
    } else {
        gboolean done = apply(target, &error);
        told(context, done, done ? NULL : error->message);
    }
    return file;
}

static void put_back(struct file *file)
{
    g_autoptr(GError) error = NULL;
    if (!apply(file->target, &error)) {
        g_message("%s", error->message);
    }
}

static gboolean on_later(gpointer data)
{
    struct file *file = data;
    g_clear_pointer(&file->later, g_source_unref);
    file->done = 0;
    if (!resolv_intact(file->target->record)) {
        put_back(file);
    }
    return G_SOURCE_REMOVE;
}

static void meddled(void *way)
{
    struct file *file = way;
    gint64 now = g_get_monotonic_time();
    if (file->later || resolv_intact(file->target->record)) {
        return;
    }
    if (now - file->since_us > PAUSE * G_USEC_PER_SEC) {
        file->since_us = now;
        file->done = 0;
    }
    if (file->done++ < BURST) {
        put_back(file);
        return;
    }
    g_message(_("Another program keeps writing /etc/resolv.conf."));
    file->later = g_timeout_source_new_seconds(PAUSE);
    g_source_set_callback(file->later, on_later, file, NULL);
    g_source_attach(file->later, g_main_context_get_thread_default());
}

static void stop(void *way)
{
    struct file *file = way;
    if (file->later) {
        g_source_destroy(file->later);
        g_source_unref(file->later);
    }
    g_free(file);
}

const struct dns_backend dns_file = {
    .id = "file",
    .name = "/etc/resolv.conf",
    .reach = reach,
    .start = start,
    .stop = stop,
    .meddled = meddled,
    .revert = resolv_revert,
};

gboolean dns_file_names(const char *const *servers)
{
    g_autofree char *text = NULL;
    gboolean named = FALSE;
    if (!g_file_get_contents("/etc/resolv.conf", &text, NULL, NULL)) {
        return FALSE;
    }
    g_auto(GStrv) lines = g_strsplit(text, "\n", 0);
    for (char **line = lines; *line; line++) {
        g_auto(GStrv) words = g_strsplit_set(g_strstrip(*line), " \t", 0);
        if (g_strcmp0(words[0], "nameserver") == 0 && words[1]) {
            if (!g_strv_contains(servers, words[1])) {
                return FALSE;
            }
            named = TRUE;
        }
    }
    return named;
}
