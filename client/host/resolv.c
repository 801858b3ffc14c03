/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "host/resolv.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/i18n.h"
#include "host/host.h"

#define PATH "/etc/resolv.conf"
#define TEMPORARY "/etc/.resolv.conf.godwit" /* there is one writer at a time: who has the lock */
#define SUFFIX ".resolv"
#define SIZE_MAX_OCTETS (1 << 20)
#define SESSIONS_DEEP 64 /* that have written over one another */

enum kind { ABSENT, REGULAR, LINK };

/* A state of PATH. */
struct state {
    enum kind kind;
    char *content; /* REGULAR: the octets; LINK: the target */
    gsize len;
    mode_t mode;
    uid_t uid;
    gid_t gid;
};

static void state_clear(struct state *state)
{
    g_clear_pointer(&state->content, g_free);
}

static gboolean cannot_read(GError **error, int err)
{
    g_set_error(error, HOST_ERROR, HOST_ERROR_CONFIG, _("%s cannot be read: %s."), PATH,
                g_strerror(err));
    return FALSE;
}

static gboolean cannot_write(GError **error, int err)
{
    g_set_error(error, HOST_ERROR, HOST_ERROR_CONFIG, _("%s cannot be written: %s."), PATH,
                g_strerror(err));
    return FALSE;
}

static gboolean same(const struct state *a, const struct state *b)
{
    return a->kind == b->kind && a->len == b->len &&
           (a->len == 0 || memcmp(a->content, b->content, a->len) == 0);
}

static gboolean state_read(struct state *out, GError **error)
{
    struct stat status;
    *out = (struct state){.kind = ABSENT};
    if (lstat(PATH, &status) != 0) {
        return errno == ENOENT || cannot_read(error, errno);
    }
    out->mode = status.st_mode & 07777;
    out->uid = status.st_uid;
    out->gid = status.st_gid;
    if (S_ISLNK(status.st_mode)) {
        out->kind = LINK;
        out->content = g_file_read_link(PATH, NULL);
        out->len = out->content ? strlen(out->content) : 0;
        return out->content != NULL || cannot_read(error, EIO);
    }
    out->kind = REGULAR;
    if (!S_ISREG(status.st_mode) || status.st_size > SIZE_MAX_OCTETS) {
        return cannot_read(error, S_ISREG(status.st_mode) ? EFBIG : EINVAL);
    }
    g_autoptr(GError) why = NULL;
    if (!g_file_get_contents(PATH, &out->content, &out->len, &why)) {
        return cannot_read(error, EIO);
    }
    return TRUE;
}

static gboolean write_all(int fd, const char *data, gsize len)
{
    while (len > 0) {
        ssize_t n = write(fd, data, len);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return FALSE;
        }
        data += n;
        len -= (gsize)n;
    }
    return TRUE;
}

/* The service may not give files away; whose it is matters less than what is in it. */
static gboolean may_be_owned(int result)
{
    return result == 0 || errno == EPERM;
}

static gboolean make_regular(const char *path, const struct state *state)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) {
        return FALSE;
    }
    gboolean done = write_all(fd, state->content, state->len) &&
                    may_be_owned(fchown(fd, state->uid, state->gid)) &&
                    fchmod(fd, state->mode) == 0;
    int err = errno;
    close(fd);
    errno = err;
    return done;
}

/* A file that is a mount point cannot be replaced: containers mount theirs over PATH; nor can one
 * on a full disk. Room for all of it is made before the first octet changes. */
static gboolean write_in_place(const struct state *state, gsize len_now)
{
    int fd = open(PATH, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0) {
        return FALSE;
    }
    int err = state->len > len_now ? posix_fallocate(fd, 0, (off_t)state->len) : 0;
    if (err != 0) {
        err = ftruncate(fd, (off_t)len_now) == 0 ? err : errno;
    } else if (!write_all(fd, state->content, state->len) ||
               ftruncate(fd, (off_t)state->len) != 0) {
        err = errno;
    } else {
        (void)!fchown(fd, state->uid, state->gid);
        (void)!fchmod(fd, state->mode);
    }
    close(fd);
    errno = err;
    return err == 0;
}

/* Makes PATH be `state`; errno on failure. `now` is what it is. */
static gboolean state_write(const struct state *state, const struct state *now)
{
    gboolean made;
    if (state->kind == ABSENT) {
        return unlink(PATH) == 0 || errno == ENOENT;
    }
    (void)unlink(TEMPORARY);
    made = state->kind == LINK ? symlink(state->content, TEMPORARY) == 0 &&
                                     may_be_owned(lchown(TEMPORARY, state->uid, state->gid))
                               : make_regular(TEMPORARY, state);
    if (made && rename(TEMPORARY, PATH) == 0) {
        return TRUE;
    }
    int err = errno;
    (void)unlink(TEMPORARY);
    errno = err;
    gboolean stuck = err == EBUSY || err == EXDEV || err == EROFS || err == ENOSPC || err == EDQUOT;
    return stuck && state->kind == REGULAR && now->kind == REGULAR &&
           write_in_place(state, now->len);
}

/* ---- the backup ---- */

static void store(GKeyFile *file, const char *group, const struct state *state)
{
    g_autofree char *content = g_base64_encode((const guchar *)state->content, state->len);
    g_key_file_set_integer(file, group, "kind", (int)state->kind);
    g_key_file_set_string(file, group, "content", content);
    g_key_file_set_integer(file, group, "mode", (int)state->mode);
    g_key_file_set_uint64(file, group, "uid", state->uid);
    g_key_file_set_uint64(file, group, "gid", state->gid);
}

static void fetch(GKeyFile *file, const char *group, struct state *out)
{
    g_autofree char *content = g_key_file_get_string(file, group, "content", NULL);
    gsize len = 0;
    guchar *octets = content ? g_base64_decode(content, &len) : NULL;
    int kind = g_key_file_get_integer(file, group, "kind", NULL);
    *out = (struct state){
        .kind = kind == LINK      ? LINK
                : kind == REGULAR ? REGULAR
                                  : ABSENT,
        .mode = (mode_t)g_key_file_get_integer(file, group, "mode", NULL),
        .uid = (uid_t)g_key_file_get_uint64(file, group, "uid", NULL),
        .gid = (gid_t)g_key_file_get_uint64(file, group, "gid", NULL),
        .len = len,
    };
    /* With the NUL that a symbolic link's target needs. */
    out->content = g_malloc0(len + 1);
    if (len > 0) {
        memcpy(out->content, octets, len);
    }
    g_free(octets);
}

static gboolean backup_save(const char *path, GKeyFile *file, GError **error)
{
    g_autofree char *text = g_key_file_to_data(file, NULL, NULL);
    return g_file_set_contents_full(path, text, -1, G_FILE_SET_CONTENTS_CONSISTENT, 0600, error);
}

static char *compose(const struct record *record, const struct dns_plan *plan)
{
    char text[ADDR_TEXT_MAX];
    GString *out = g_string_new("# Written by Godwit for the tunnel \"");
    /* The name is the user's own; a line break in it must not become a line of ours. */
    g_autofree char *name = g_strdelimit(g_strdup(record_name(record)), "\r\n", ' ');
    g_string_append_printf(out, "%s\"; what was here comes back when it ends.\n", name);
    if (plan->n_domains > 0) {
        g_string_append(out, "search");
        for (size_t i = 0; i < plan->n_domains; i++) {
            g_string_append_printf(out, " %s", plan->domains[i]);
        }
        g_string_append_c(out, '\n');
    }
    for (size_t i = 0; i < plan->n_servers; i++) {
        g_string_append_printf(out, "nameserver %s\n", addr_text(&plan->servers[i], text));
    }
    return g_string_free(out, FALSE);
}

/*
 * Sessions that wrote over one another form a chain: what one found (its original) is what the one
 * below wrote (its ours). The file is of the top one; what is below all is what the host had.
 */
struct backup {
    char *path;
    GKeyFile *file;
    struct state original, ours;
};

static gboolean backup_load(struct backup *backup, char *path)
{
    *backup = (struct backup){.path = path, .file = g_key_file_new()};
    if (!g_key_file_load_from_file(backup->file, path, G_KEY_FILE_NONE, NULL)) {
        return FALSE;
    }
    fetch(backup->file, "original", &backup->original);
    fetch(backup->file, "ours", &backup->ours);
    return TRUE;
}

static void backup_clear(struct backup *backup)
{
    state_clear(&backup->original);
    state_clear(&backup->ours);
    g_clear_pointer(&backup->file, g_key_file_unref);
    g_clear_pointer(&backup->path, g_free);
}

static gboolean backup_set(struct backup *backup, const char *group, const struct state *state,
                           GError **error)
{
    store(backup->file, group, state);
    return backup_save(backup->path, backup->file, error);
}

/* Whose original, or ours, is that state; not `own_path`'s. Cleared by the caller in any case. */
static gboolean find(struct backup *out, const char *own_path, gboolean original,
                     const struct state *state)
{
    g_autoptr(GDir) dir = g_dir_open(RUNDIR, 0, NULL);
    const char *entry;
    *out = (struct backup){0};
    while (dir && (entry = g_dir_read_name(dir))) {
        char *path = g_build_filename(RUNDIR, entry, NULL);
        if (!g_str_has_suffix(entry, SUFFIX) || g_str_equal(path, own_path)) {
            g_free(path);
            continue;
        }
        if (backup_load(out, path) && same(original ? &out->original : &out->ours, state)) {
            return TRUE;
        }
        backup_clear(out);
    }
    return FALSE;
}

/* Another program has written `now`: that is what the host has from now on. */
static gboolean adopt(struct backup *top, const struct state *now, GError **error)
{
    struct backup chain[2] = {{0}}; /* taken in turns */
    struct backup *lowest = top;
    gboolean done;
    for (int i = 0; i < SESSIONS_DEEP; i++) {
        struct backup *below = &chain[i % 2];
        backup_clear(below);
        if (!find(below, lowest->path, FALSE, &lowest->original)) {
            break;
        }
        lowest = below;
    }
    done = backup_set(lowest, "original", now, error);
    backup_clear(&chain[0]);
    backup_clear(&chain[1]);
    return done;
}

static gboolean is_ours(const struct state *now, const struct state *ours)
{
    /* A part of it: we ended while writing in place. */
    return now->kind == REGULAR && now->len <= ours->len &&
           (now->len == 0 || memcmp(now->content, ours->content, now->len) == 0);
}

static gboolean write_first(const char *path, const struct state *ours, const struct state *now,
                            GError **error)
{
    g_autoptr(GKeyFile) file = g_key_file_new();
    store(file, "original", now);
    store(file, "ours", ours);
    if (!backup_save(path, file, error)) {
        return FALSE;
    }
    if (!state_write(ours, now)) {
        cannot_write(error, errno);
        (void)g_unlink(path);
        return FALSE;
    }
    return TRUE;
}

static gboolean write_again(struct backup *own, const struct state *ours, const struct state *now,
                            GError **error)
{
    struct backup above;
    gboolean done;
    if (find(&above, own->path, TRUE, &own->ours)) {
        done = backup_set(&above, "original", ours, error) && backup_set(own, "ours", ours, error);
    } else {
        done = (is_ours(now, &own->ours) || adopt(own, now, error)) &&
               backup_set(own, "ours", ours, error) &&
               (state_write(ours, now) || cannot_write(error, errno));
    }
    backup_clear(&above);
    return done;
}

gboolean resolv_apply(const struct record *record, const struct dns_plan *plan, GError **error)
{
    struct state ours = {.kind = REGULAR, .mode = 0644, .uid = 0, .gid = 0}, now;
    struct backup own;
    gboolean again = backup_load(&own, record_path(record, SUFFIX));
    ours.content = compose(record, plan);
    ours.len = strlen(ours.content);
    gboolean done = state_read(&now, error) && (again ? write_again(&own, &ours, &now, error)
                                                      : write_first(own.path, &ours, &now, error));
    backup_clear(&own);
    state_clear(&ours);
    state_clear(&now);
    return done;
}

gboolean resolv_intact(const struct record *record)
{
    struct backup own, other = {0};
    struct state now;
    gboolean intact =
        !backup_load(&own, record_path(record, SUFFIX)) ||
        (state_read(&now, NULL) && (same(&now, &own.ours) || find(&other, own.path, FALSE, &now)));
    state_clear(&now);
    backup_clear(&other);
    backup_clear(&own);
    return intact;
}

/* Another session wrote over our file and so keeps ours as its original: give it the true one. */
static gboolean hand_over(const struct backup *own)
{
    struct backup above;
    gboolean handed = find(&above, own->path, TRUE, &own->ours) &&
                      backup_set(&above, "original", &own->original, NULL);
    backup_clear(&above);
    return handed;
}

void resolv_revert(struct record *record)
{
    struct backup own;
    struct state now = {0};
    g_autoptr(GError) error = NULL;
    if (!backup_load(&own, record_path(record, SUFFIX))) {
        backup_clear(&own);
        return;
    }
    if (!state_read(&now, &error)) {
        g_message("%s", error->message);
    } else if (same(&now, &own.original)) {
        g_debug("%s is as it was", PATH);
    } else if (is_ours(&now, &own.ours)) {
        if (!state_write(&own.original, &now)) {
            g_message(_("%s cannot be restored: %s."), PATH, g_strerror(errno));
        }
    } else if (!hand_over(&own)) {
        g_message(_("%s was changed by another program and is left as it is."), PATH);
    }
    /* We were killed while writing. */
    (void)unlink(TEMPORARY);
    (void)g_unlink(own.path);
    backup_clear(&own);
    state_clear(&now);
}
