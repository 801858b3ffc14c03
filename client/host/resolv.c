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
#define SUFFIX ".resolv"
#define SIZE_MAX_OCTETS (1 << 20)

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

static gboolean make_regular(const char *path, const struct state *state)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) {
        return FALSE;
    }
    gboolean done = write_all(fd, state->content, state->len) &&
                    fchown(fd, state->uid, state->gid) == 0 && fchmod(fd, state->mode) == 0;
    int err = errno;
    close(fd);
    errno = err;
    return done;
}

/* A file that is a mount point cannot be replaced: containers mount theirs over PATH. */
static gboolean write_in_place(const struct state *state)
{
    int fd = open(PATH, O_WRONLY | O_TRUNC | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0) {
        return FALSE;
    }
    gboolean done = write_all(fd, state->content, state->len);
    int err = errno;
    close(fd);
    errno = err;
    return done;
}

/* Makes PATH be `state`; errno on failure. `now` is what it is. */
static gboolean state_write(const struct state *state, const struct state *now)
{
    g_autofree char *temporary = g_strdup_printf("/etc/.resolv.conf.godwit-%d", (int)getpid());
    gboolean made;
    if (state->kind == ABSENT) {
        return unlink(PATH) == 0 || errno == ENOENT;
    }
    (void)unlink(temporary);
    made = state->kind == LINK ? symlink(state->content, temporary) == 0 &&
                                     lchown(temporary, state->uid, state->gid) == 0
                               : make_regular(temporary, state);
    if (made && rename(temporary, PATH) == 0) {
        return TRUE;
    }
    int err = errno;
    (void)unlink(temporary);
    errno = err;
    return state->kind == REGULAR && now->kind == REGULAR && write_in_place(state);
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

static char *compose(const struct record *record, const struct addr *servers, size_t n_servers,
                     const struct net_config *config)
{
    char text[ADDR_TEXT_MAX];
    GString *out = g_string_new("# Written by Godwit for the tunnel \"");
    /* The name is the user's own; a line break in it must not become a line of ours. */
    g_autofree char *name = g_strdelimit(g_strdup(record_name(record)), "\r\n", ' ');
    g_string_append_printf(out, "%s\"; what was here comes back when it ends.\n", name);
    if (config->n_domains > 0) {
        g_string_append(out, "search");
        for (size_t i = 0; i < config->n_domains; i++) {
            g_string_append_printf(out, " %s", config->domains[i]);
        }
        g_string_append_c(out, '\n');
    }
    for (size_t i = 0; i < n_servers; i++) {
        g_string_append_printf(out, "nameserver %s\n", addr_text(&servers[i], text));
    }
    return g_string_free(out, FALSE);
}

gboolean resolv_apply(const struct record *record, const struct addr *servers, size_t n_servers,
                      const struct net_config *config, GError **error)
{
    g_autofree char *path = record_path(record, SUFFIX);
    g_autoptr(GKeyFile) file = g_key_file_new();
    struct state ours = {.kind = REGULAR, .mode = 0644, .uid = 0, .gid = 0}, original;
    if (!state_read(&original, error)) {
        state_clear(&original);
        return FALSE;
    }
    ours.content = compose(record, servers, n_servers, config);
    ours.len = strlen(ours.content);
    store(file, "original", &original);
    store(file, "ours", &ours);
    gboolean done = backup_save(path, file, error);
    if (done && !state_write(&ours, &original)) {
        done = cannot_write(error, errno);
        (void)g_unlink(path);
    }
    state_clear(&ours);
    state_clear(&original);
    return done;
}

/* Another session wrote over our file and so keeps ours as its original: give it the true one. */
static gboolean hand_over(const char *own_path, const struct state *ours,
                          const struct state *original)
{
    g_autoptr(GDir) dir = g_dir_open(RUNDIR, 0, NULL);
    const char *entry;
    gboolean handed = FALSE;
    while (!handed && dir && (entry = g_dir_read_name(dir))) {
        g_autofree char *path = g_build_filename(RUNDIR, entry, NULL);
        g_autoptr(GKeyFile) file = g_key_file_new();
        struct state theirs;
        if (!g_str_has_suffix(entry, SUFFIX) || g_str_equal(path, own_path) ||
            !g_key_file_load_from_file(file, path, G_KEY_FILE_NONE, NULL)) {
            continue;
        }
        fetch(file, "original", &theirs);
        if (same(&theirs, ours)) {
            store(file, "original", original);
            handed = backup_save(path, file, NULL);
        }
        state_clear(&theirs);
    }
    return handed;
}

static gboolean is_ours(const struct state *now, const struct state *ours)
{
    /* A part of it: we ended while writing in place. */
    return now->kind == REGULAR && now->len <= ours->len &&
           (now->len == 0 || memcmp(now->content, ours->content, now->len) == 0);
}

void resolv_revert(const struct record *record)
{
    g_autofree char *path = record_path(record, SUFFIX);
    g_autoptr(GKeyFile) file = g_key_file_new();
    g_autoptr(GError) error = NULL;
    struct state original, ours, now;
    if (!g_key_file_load_from_file(file, path, G_KEY_FILE_NONE, NULL)) {
        return;
    }
    fetch(file, "original", &original);
    fetch(file, "ours", &ours);
    if (!state_read(&now, &error)) {
        g_message("%s", error->message);
    } else if (same(&now, &original)) {
        g_debug("%s is as it was", PATH);
    } else if (is_ours(&now, &ours)) {
        if (!state_write(&original, &now)) {
            g_message(_("%s cannot be restored: %s."), PATH, g_strerror(errno));
        }
    } else if (!hand_over(path, &ours, &original)) {
        g_message(_("%s was changed by another program and is left as it is."), PATH);
    }
    (void)g_unlink(path);
    state_clear(&original);
    state_clear(&ours);
    state_clear(&now);
}
