/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "host/rp_filter.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "common/i18n.h"
#include "host/host.h"

#define RP_FILTER_DIR "/proc/sys/net/ipv4/conf"
#define RP_FILTER_ALL RP_FILTER_DIR "/all/rp_filter"

static gboolean read_flag(const char *path, int *value)
{
    g_autofree char *text = NULL;
    if (!g_file_get_contents(path, &text, NULL, NULL)) {
        return FALSE;
    }
    *value = (int)g_ascii_strtoll(text, NULL, 10);
    return TRUE;
}

static gboolean write_flag(const char *path, int value)
{
    char text[16];
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0) {
        return FALSE;
    }
    int len = g_snprintf(text, sizeof text, "%d\n", value);
    gboolean done = write(fd, text, (size_t)len) == len;
    close(fd);
    return done;
}

/* Or one that is still to come ("default"): the tunnel may move to it. */
static gboolean some_interface_is_strict(void)
{
    g_autoptr(GDir) dir = g_dir_open(RP_FILTER_DIR, 0, NULL);
    const char *name;
    gboolean strict = FALSE;
    while (!strict && dir && (name = g_dir_read_name(dir))) {
        g_autofree char *path = g_build_filename(RP_FILTER_DIR, name, "rp_filter", NULL);
        int value = 0;
        strict =
            !g_str_has_prefix(name, HOST_INTERFACE_PREFIX) && read_flag(path, &value) && value == 1;
    }
    return strict;
}

/* The value that another session of this namespace has to restore, -1 when none has to. */
static int value_of_others(const struct record *own)
{
    g_autoptr(GPtrArray) records = record_list();
    for (guint i = 0; i < records->len; i++) {
        const struct record *other = records->pdata[i];
        guint64 value = record_get_number(other, "undo", "rp_filter", G_MAXUINT64);
        if (value != G_MAXUINT64 && record_here(other) &&
            !g_str_equal(record_name(other), record_name(own))) {
            return (int)value;
        }
    }
    return -1;
}

/* The value to be restored later, -1 when there is nothing to do. */
static int value_to_loosen(const struct record *record)
{
    int others = value_of_others(record), value = 0;
    if (others >= 0) {
        return others;
    }
    return read_flag(RP_FILTER_ALL, &value) && value != 2 && some_interface_is_strict() ? value
                                                                                        : -1;
}

gboolean rp_filter_loosen(struct record *record, GError **error)
{
    int value = value_to_loosen(record);
    if (value < 0) {
        return TRUE;
    }
    record_set_number(record, "undo", "rp_filter", (guint64)value);
    if (!record_save(record, error)) {
        return FALSE;
    }
    /* Read-only in containers, where the filter is the host's business. */
    if (!write_flag(RP_FILTER_ALL, 2)) {
        g_debug("%s: %s", RP_FILTER_ALL, g_strerror(errno));
    }
    return TRUE;
}

void rp_filter_restore(const struct record *record)
{
    guint64 value = record_get_number(record, "undo", "rp_filter", G_MAXUINT64);
    if (value <= 2 && value_of_others(record) < 0 && !write_flag(RP_FILTER_ALL, (int)value)) {
        g_message(_("%s cannot be restored: %s."), RP_FILTER_ALL, g_strerror(errno));
    }
}
