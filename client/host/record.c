/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "host/record.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/i18n.h"
#include "host/host.h"

#define SUFFIX ".undo"
#define NAME_MAX_OCTETS 100

struct record {
    char *name;
    GKeyFile *file;
};

static gboolean fail(GError **error, const char *what, int err)
{
    g_set_error(error, HOST_ERROR,
                err == EACCES || err == EPERM ? HOST_ERROR_PERMISSION : HOST_ERROR_CONFIG,
                _("%s cannot be written: %s."), what, g_strerror(err));
    return FALSE;
}

static gboolean make_run_directory(GError **error)
{
    struct stat status;
    if (mkdir(RUNDIR, 0755) != 0 && errno != EEXIST) {
        return fail(error, RUNDIR, errno);
    }
    if (lstat(RUNDIR, &status) != 0) {
        return fail(error, RUNDIR, errno);
    }
    /* Records are obeyed, so that nobody else may write them. */
    if (!S_ISDIR(status.st_mode) || status.st_uid != geteuid() || (status.st_mode & 022) != 0) {
        return fail(error, RUNDIR, EPERM);
    }
    return TRUE;
}

int record_lock(GError **error)
{
    if (!make_run_directory(error)) {
        return -1;
    }
    /* The directory itself: a file of its own would stay behind. */
    int lock = open(RUNDIR, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (lock < 0) {
        fail(error, RUNDIR, errno);
        return -1;
    }
    while (flock(lock, LOCK_EX) != 0) {
        if (errno != EINTR) {
            fail(error, RUNDIR, errno);
            close(lock);
            return -1;
        }
    }
    return lock;
}

void record_unlock(int lock)
{
    if (lock >= 0) {
        close(lock);
    }
}

/* File names without a path separator or a leading dot, whatever the session is called. */
static char *escaped(const char *name)
{
    GString *out = g_string_new(NULL);
    for (const char *c = name; *c; c++) {
        if (g_ascii_isalnum(*c) || *c == '-' || *c == '_' || (*c == '.' && c != name)) {
            g_string_append_c(out, *c);
        } else {
            g_string_append_printf(out, "%%%02x", (guchar)*c);
        }
    }
    return g_string_free(out, FALSE);
}

char *record_path(const struct record *record, const char *suffix)
{
    g_autofree char *name = escaped(record->name);
    return g_strconcat(RUNDIR "/", name, suffix, NULL);
}

/* Clock ticks since boot when the process began: with the PID this names a process for good. 0 = no
 * such process. */
static guint64 start_time(pid_t pid)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/stat", (int)pid);
    g_autofree char *text = NULL;
    /* proc(5): field 22; the name in field 2 may hold blanks and parentheses. */
    if (!g_file_get_contents(path, &text, NULL, NULL)) {
        return 0;
    }
    const char *rest = strrchr(text, ')');
    if (!rest) {
        return 0;
    }
    g_auto(GStrv) fields = g_strsplit(rest + 1, " ", 22);
    if (g_strv_length(fields) < 21 || fields[1][0] == 'Z' || fields[1][0] == 'X') {
        return 0;
    }
    return g_ascii_strtoull(fields[20], NULL, 10);
}

static guint64 network_namespace(void)
{
    struct stat status;
    return stat("/proc/self/ns/net", &status) == 0 ? (guint64)status.st_ino : 0;
}

static struct record *load(const char *path)
{
    g_autoptr(GKeyFile) file = g_key_file_new();
    g_autofree char *name = NULL;
    if (!g_key_file_load_from_file(file, path, G_KEY_FILE_NONE, NULL)) {
        return NULL;
    }
    name = g_key_file_get_string(file, "session", "name", NULL);
    if (!name) {
        return NULL;
    }
    struct record *record = g_new0(struct record, 1);
    record->name = g_steal_pointer(&name);
    record->file = g_steal_pointer(&file);
    return record;
}

struct record *record_new(const char *name, GError **error)
{
    struct record *record;
    if (name[0] == '\0' || strlen(name) > NAME_MAX_OCTETS || !g_utf8_validate(name, -1, NULL)) {
        g_set_error_literal(error, HOST_ERROR, HOST_ERROR_CONFIG,
                            _("The connection's name is empty or too long."));
        return NULL;
    }
    record = g_new0(struct record, 1);
    record->name = g_strdup(name);
    record->file = g_key_file_new();
    g_autofree char *path = record_path(record, SUFFIX);
    struct record *old = load(path);
    if (old && record_alive(old)) {
        g_set_error(error, HOST_ERROR, HOST_ERROR_CONFIG,
                    _("A connection named %s is already running (process %d)."), name,
                    (int)record_pid(old));
        g_clear_pointer(&record, record_free);
    }
    record_free(old);
    if (record) {
        g_key_file_set_string(record->file, "session", "name", name);
        record_set_number(record, "session", "pid", (guint64)getpid());
        record_set_number(record, "session", "start", start_time(getpid()));
        record_set_number(record, "session", "netns", network_namespace());
        record_set_number(record, "status", "since", (guint64)(g_get_real_time() / G_USEC_PER_SEC));
    }
    return record;
}

GPtrArray *record_list(void)
{
    GPtrArray *records = g_ptr_array_new_with_free_func((GDestroyNotify)record_free);
    g_autoptr(GDir) dir = g_dir_open(RUNDIR, 0, NULL);
    const char *entry;
    while (dir && (entry = g_dir_read_name(dir))) {
        if (g_str_has_suffix(entry, SUFFIX) && entry[0] != '.') {
            g_autofree char *path = g_build_filename(RUNDIR, entry, NULL);
            struct record *record = load(path);
            if (record) {
                g_ptr_array_add(records, record);
            }
        }
    }
    return records;
}

void record_free(struct record *record)
{
    if (record) {
        g_key_file_unref(record->file);
        g_free(record->name);
        g_free(record);
    }
}

const char *record_name(const struct record *record)
{
    return record->name;
}

pid_t record_pid(const struct record *record)
{
    return (pid_t)record_get_number(record, "session", "pid", 0);
}

gboolean record_alive(const struct record *record)
{
    pid_t pid = record_pid(record);
    guint64 started = record_get_number(record, "session", "start", 0);
    return pid > 0 && started != 0 && start_time(pid) == started;
}

gboolean record_here(const struct record *record)
{
    return record_get_number(record, "session", "netns", 0) == network_namespace();
}

void record_set(struct record *record, const char *group, const char *key, const char *value)
{
    g_key_file_set_string(record->file, group, key, value);
}

void record_set_number(struct record *record, const char *group, const char *key, guint64 value)
{
    g_key_file_set_uint64(record->file, group, key, value);
}

char *record_get(const struct record *record, const char *group, const char *key)
{
    return g_key_file_get_string(record->file, group, key, NULL);
}

guint64 record_get_number(const struct record *record, const char *group, const char *key,
                          guint64 fallback)
{
    g_autoptr(GError) error = NULL;
    guint64 value = g_key_file_get_uint64(record->file, group, key, &error);
    return error ? fallback : value;
}

GKeyFile *record_file(const struct record *record)
{
    return record->file;
}

gboolean record_save(struct record *record, GError **error)
{
    g_autofree char *path = record_path(record, SUFFIX);
    g_autofree char *text = g_key_file_to_data(record->file, NULL, NULL);
    g_autoptr(GError) why = NULL;
    /* Atomic against readers and our own end; a machine that stops loses /run and what it describes
     * alike. */
    if (g_file_set_contents_full(path, text, -1, G_FILE_SET_CONTENTS_CONSISTENT, 0600, &why)) {
        return TRUE;
    }
    g_set_error(error, HOST_ERROR, HOST_ERROR_CONFIG, _("The undo record cannot be written: %s."),
                why->message);
    return FALSE;
}

/* g_file_set_contents() writes NAME.XXXXXX first. */
static gboolean is_half(const char *entry)
{
    static const char *const wholes[] = {SUFFIX, ".resolv", "kill-switch"};
    gsize len = strlen(entry);
    gboolean half = FALSE;
    if (len <= 7 || entry[len - 7] != '.') {
        return FALSE;
    }
    g_autofree char *whole = g_strndup(entry, len - 7);
    for (gsize i = 0; i < G_N_ELEMENTS(wholes); i++) {
        half |= g_str_has_suffix(whole, wholes[i]);
    }
    return half;
}

void record_remove_halves(void)
{
    g_autoptr(GDir) dir = g_dir_open(RUNDIR, 0, NULL);
    const char *entry;
    while (dir && (entry = g_dir_read_name(dir))) {
        if (is_half(entry)) {
            g_autofree char *path = g_build_filename(RUNDIR, entry, NULL);
            (void)g_unlink(path);
        }
    }
}

void record_remove(struct record *record)
{
    g_autofree char *path = record_path(record, SUFFIX);
    (void)g_unlink(path);
}
