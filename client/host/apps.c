/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "host/apps.h"

#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <linux/magic.h>
#include <poll.h>
#include <stdio.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "common/i18n.h"
#include "host/host.h"

#define DEPTH_MAX 32 /* groups inside of groups */
#define PROCESSES_MAX 4096

struct apps {
    char **names;
    uid_t owner;
    GPtrArray *added; /* groups */
    char *groups;
    int notify;
    GSource *source;
    void (*changed)(void *context);
    void *context;
};

const char *apps_missing(void)
{
    struct statfs about;
    return statfs(APPS_ROOT, &about) == 0 && about.f_type == CGROUP2_SUPER_MAGIC
               ? NULL
               : _("this system has no control groups of version 2 at /sys/fs/cgroup");
}

/* ---- names ---- */

/* A blank ends a word, a quote a string of nft(8). */
static gboolean is_plain(const char *name)
{
    gboolean plain = *name != '\0' && *name != '.';
    for (const char *c = name; *c; c++) {
        plain &= g_ascii_isalnum(*c) || strchr("-_.:@\\", *c) != NULL;
    }
    return plain;
}

/* systemd-escape(1): "\x2d" is a hyphen that does not separate. */
static char *unescape(const char *text)
{
    GString *out = g_string_new(NULL);
    for (; *text; text++) {
        if (text[0] == '\\' && text[1] == 'x' && g_ascii_isxdigit(text[2]) &&
            g_ascii_isxdigit(text[3])) {
            g_string_append_c(
                out, (char)(g_ascii_xdigit_value(text[2]) << 4 | g_ascii_xdigit_value(text[3])));
            text += 3;
        } else {
            g_string_append_c(out, *text);
        }
    }
    return g_string_free(out, FALSE);
}

/* "firefox" is also the application org.mozilla.firefox. */
static gboolean is_id(const char *escaped, const char *name)
{
    g_autofree char *id = unescape(escaped);
    const char *last = strrchr(id, '.');
    return g_ascii_strcasecmp(id, name) == 0 || (last && g_ascii_strcasecmp(last + 1, name) == 0);
}

/* app-ID-RANDOM.scope, app-LAUNCHER-ID-RANDOM.scope; app-ID@RANDOM.service, app-LAUNCHER-ID.slice
 * (systemd's DESKTOP_ENVIRONMENTS.md). */
static gboolean is_xdg_group(const char *group_name, const char *name)
{
    const char *suffix = strrchr(group_name, '.');
    gboolean scope = suffix && g_str_equal(suffix, ".scope");
    if (!g_str_has_prefix(group_name, "app-") ||
        !(scope ||
          (suffix && (g_str_equal(suffix, ".service") || g_str_equal(suffix, ".slice"))))) {
        return FALSE;
    }
    g_autofree char *base = g_strndup(group_name, (gsize)(suffix - group_name));
    char *instance = strchr(base, '@');
    if (instance) {
        *instance = '\0';
    }
    g_auto(GStrv) fields = g_strsplit(base, "-", 0);
    guint n = g_strv_length(fields);
    return is_id(fields[scope && n > 2 ? n - 2 : n - 1], name);
}

/* snap.NAME.APPLICATION-RANDOM.scope */
static gboolean is_snap_group(const char *group_name, const char *name)
{
    g_autofree char *prefix = g_strconcat("snap.", name, ".", NULL);
    return g_str_has_prefix(group_name, prefix);
}

gboolean apps_is_group_of(const char *group_name, const char *name)
{
    return g_str_equal(group_name, name) || is_xdg_group(group_name, name) ||
           is_snap_group(group_name, name);
}

/* The outermost slice of a user tells whose it is: inside of it he makes groups of any name. */
static gboolean is_of_owner(const char *group, uid_t owner)
{
    g_auto(GStrv) parts = g_strsplit(group, "/", 0);
    g_autofree char *slice = g_strdup_printf("user-%u.slice", (guint)owner);
    for (char **part = parts; *part; part++) {
        if (g_str_has_prefix(*part, "user-") && g_str_has_suffix(*part, ".slice")) {
            return g_str_equal(*part, slice);
        }
    }
    return FALSE;
}

/* ---- groups ---- */

static gboolean exists(const char *group)
{
    g_autofree char *path = g_build_filename(APPS_ROOT, group, NULL);
    return g_file_test(path, G_FILE_TEST_IS_DIR);
}

static void add_word(GString *words, const char *word)
{
    g_string_append_printf(words, "%s%s", words->len > 0 ? " " : "", word);
}

char *apps_existing(const char *groups)
{
    g_auto(GStrv) all = g_strsplit(groups, " ", 0);
    GString *words = g_string_new(NULL);
    for (char **group = all; *group; group++) {
        if (**group && exists(*group)) {
            add_word(words, *group);
        }
    }
    return g_string_free(words, FALSE);
}

struct search {
    const struct apps *apps;
    GString *found;
    guint n;
};

static gboolean is_wanted(const struct apps *apps, const char *group, const char *name)
{
    for (char **wanted = apps->names; *wanted; wanted++) {
        if (apps_is_group_of(name, *wanted) &&
            (apps->owner == 0 || is_of_owner(group, apps->owner))) {
            return TRUE;
        }
    }
    return FALSE;
}

/* Watched before it is read, so that no group in it escapes. What is inside of an application's
 * group is the application. */
static void search(struct search *search_, const char *group, guint depth)
{
    g_autofree char *path = g_build_filename(APPS_ROOT, group, NULL);
    (void)inotify_add_watch(search_->apps->notify, path, IN_CREATE | IN_DELETE | IN_ONLYDIR);
    g_autoptr(GDir) dir = depth < DEPTH_MAX ? g_dir_open(path, 0, NULL) : NULL;
    const char *name;
    while (dir && (name = g_dir_read_name(dir))) {
        g_autofree char *inner = *group ? g_build_filename(group, name, NULL) : g_strdup(name);
        if (!is_plain(name) || !exists(inner)) {
            continue;
        }
        if (!is_wanted(search_->apps, inner, name)) {
            search(search_, inner, depth + 1);
        } else if (search_->n < APPS_GROUPS_MAX) {
            add_word(search_->found, inner);
            search_->n++;
        }
    }
}

/* TRUE when there are others than before. */
static gboolean look(struct apps *apps)
{
    struct search all = {.apps = apps, .found = g_string_new(NULL)};
    for (guint i = apps->added->len; i > 0; i--) {
        if (!exists(apps->added->pdata[i - 1])) {
            g_ptr_array_remove_index(apps->added, i - 1);
        }
    }
    if (*apps->names) {
        search(&all, "", 0);
    }
    for (guint i = 0; i < apps->added->len; i++) {
        add_word(all.found, apps->added->pdata[i]);
    }
    g_autofree char *before = apps->groups;
    apps->groups = g_string_free(all.found, FALSE);
    return g_strcmp0(before, apps->groups) != 0;
}

static gboolean on_groups(gint fd, GIOCondition condition, gpointer data)
{
    struct apps *apps = data;
    char events[4096];
    (void)condition;
    while (read(fd, events, sizeof events) > 0) {
    }
    if (look(apps)) {
        apps->changed(apps->context);
    }
    return G_SOURCE_CONTINUE;
}

struct apps *apps_new(const char *const *names, uid_t owner, void (*changed)(void *context),
                      void *context, GError **error)
{
    const char *missing = apps_missing();
    int notify = missing ? -1 : inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (notify < 0) {
        g_set_error(error, HOST_ERROR, HOST_ERROR_CONFIG,
                    _("Applications cannot be told apart: %s."),
                    missing ? missing : g_strerror(errno));
        return NULL;
    }
    struct apps *apps = g_new0(struct apps, 1);
    apps->names = g_strdupv((char **)names);
    apps->owner = owner;
    apps->added = g_ptr_array_new_with_free_func(g_free);
    apps->notify = notify;
    apps->changed = changed;
    apps->context = context;
    apps->source = g_unix_fd_source_new(notify, G_IO_IN);
    g_source_set_callback(apps->source, G_SOURCE_FUNC(on_groups), apps, NULL);
    g_source_attach(apps->source, g_main_context_get_thread_default());
    (void)look(apps);
    return apps;
}

void apps_free(struct apps *apps)
{
    if (apps) {
        g_source_destroy(apps->source);
        g_source_unref(apps->source);
        close(apps->notify);
        g_ptr_array_unref(apps->added);
        g_strfreev(apps->names);
        g_free(apps->groups);
        g_free(apps);
    }
}

const char *apps_groups(const struct apps *apps)
{
    return apps->groups;
}

gboolean apps_add(struct apps *apps, const char *group, GError **error)
{
    (void)look(apps);
    if (apps->added->len >= APPS_GROUPS_MAX) {
        g_set_error_literal(error, HOST_ERROR, HOST_ERROR_CONFIG,
                            _("There are too many programs of their own already."));
        return FALSE;
    }
    if (!g_ptr_array_find_with_equal_func(apps->added, group, g_str_equal, NULL)) {
        g_ptr_array_add(apps->added, g_strdup(group));
    }
    (void)look(apps);
    return TRUE;
}

/* ---- the group of a process ---- */

static gboolean refuse(GError **error, const char *why)
{
    g_set_error_literal(error, HOST_ERROR, HOST_ERROR_CONFIG, why);
    return FALSE;
}

/* 0 when it is no descriptor of a process that lives. */
static pid_t pid_of(int pidfd)
{
    g_autofree char *path = g_strdup_printf("/proc/self/fdinfo/%d", pidfd);
    g_autofree char *text = NULL;
    struct pollfd ended = {.fd = pidfd, .events = POLLIN};
    const char *line =
        g_file_get_contents(path, &text, NULL, NULL) ? strstr(text, "\nPid:\t") : NULL;
    gint64 pid = line ? g_ascii_strtoll(line + strlen("\nPid:\t"), NULL, 10) : 0;
    /* Only now it is known that to poll it makes nobody wait. */
    return pid > 0 && pid <= G_MAXINT && poll(&ended, 1, 0) == 0 ? (pid_t)pid : 0;
}

/* Of the four users that a process can be at a time, all. */
static gboolean is_process_of(pid_t pid, uid_t uid)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/status", pid);
    g_autofree char *text = NULL;
    unsigned ids[4];
    const char *line =
        g_file_get_contents(path, &text, NULL, NULL) ? strstr(text, "\nUid:\t") : NULL;
    if (!line || sscanf(line, "\nUid:\t%u\t%u\t%u\t%u", &ids[0], &ids[1], &ids[2], &ids[3]) != 4) {
        return FALSE;
    }
    return ids[0] == uid && ids[1] == uid && ids[2] == uid && ids[3] == uid;
}

static char *group_of_pid(pid_t pid)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/cgroup", pid);
    g_autofree char *text = NULL;
    if (!g_file_get_contents(path, &text, NULL, NULL)) {
        return NULL;
    }
    g_auto(GStrv) lines = g_strsplit(text, "\n", 0);
    for (char **line = lines; *line; line++) {
        if (g_str_has_prefix(*line, "0::/")) {
            return g_strdup(*line + strlen("0::/"));
        }
    }
    return NULL;
}

static gboolean is_plain_path(const char *group)
{
    g_auto(GStrv) parts = g_strsplit(group, "/", 0);
    gboolean plain = *parts != NULL;
    for (char **part = parts; *part; part++) {
        plain &= is_plain(*part);
    }
    return plain && exists(group);
}

static gboolean has_inner_groups(const char *group)
{
    g_autofree char *path = g_build_filename(APPS_ROOT, group, NULL);
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    const char *name;
    gboolean has = FALSE;
    while (!has && dir && (name = g_dir_read_name(dir))) {
        g_autofree char *inner = g_build_filename(group, name, NULL);
        has = exists(inner);
    }
    return has;
}

static gboolean has_others(const char *group, uid_t uid)
{
    g_autofree char *path = g_build_filename(APPS_ROOT, group, "cgroup.procs", NULL);
    g_autofree char *text = NULL;
    if (!g_file_get_contents(path, &text, NULL, NULL)) {
        return TRUE;
    }
    g_auto(GStrv) pids = g_strsplit(text, "\n", 0);
    gboolean others = g_strv_length(pids) > PROCESSES_MAX;
    for (char **pid = pids; !others && *pid; pid++) {
        others = **pid && !is_process_of((pid_t)g_ascii_strtoll(*pid, NULL, 10), uid);
    }
    return others;
}

static gboolean may_have(const char *group, uid_t uid, GError **error)
{
    if (!is_plain_path(group)) {
        return refuse(error, _("The process has no control group of its own."));
    }
    if (has_inner_groups(group)) {
        return refuse(error, _("The control group of the process holds others."));
    }
    return !has_others(group, uid) ||
           refuse(error, _("The control group of the process holds processes of other users."));
}

char *apps_group_of(int pidfd, uid_t uid, GError **error)
{
    const char *missing = apps_missing();
    pid_t pid = pid_of(pidfd);
    if (missing) {
        g_set_error(error, HOST_ERROR, HOST_ERROR_CONFIG,
                    _("Applications cannot be told apart: %s."), missing);
        return NULL;
    }
    gboolean own = pid > 0 && is_process_of(pid, uid);
    g_autofree char *group = own ? group_of_pid(pid) : NULL;
    /* Still the same process: what was read is about it, and not about one that got its number. */
    if (pid == 0 || pid_of(pidfd) != pid) {
        (void)refuse(error, _("This is no process that runs."));
        return NULL;
    }
    if (!own) {
        (void)refuse(error, _("The process is not yours."));
        return NULL;
    }
    return may_have(group ? group : "", uid, error) ? g_steal_pointer(&group) : NULL;
}
