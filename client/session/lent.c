/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "session/lent.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/channel.h"
#include "common/i18n.h"
#include "common/secret.h"

/* Two places, in turn: the header, which is written last and at once, tells which one counts. */
#define FIRST_PLACE 4096
#define SIZE (FIRST_PLACE + 2 * (off_t)CHANNEL_KEPT_MAX)
#define SEALS (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)

struct header {
    guint32 place; /* 0 or 1 */
    guint32 len;   /* octets there; 0 = nothing was written */
};

struct lent {
    int fd;
    struct header header;
};

static off_t place_of(const struct header *header)
{
    return FIRST_PLACE + (off_t)header->place * (off_t)CHANNEL_KEPT_MAX;
}

static void wipe(int fd, const struct header *header)
{
    g_autofree guint8 *zeros = g_malloc0(header->len);
    (void)!pwrite(fd, zeros, header->len, place_of(header));
}

struct lent *lent_new(GError **error)
{
    int fd = memfd_create("godwit-lent", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0 || ftruncate(fd, SIZE) != 0 || fcntl(fd, F_ADD_SEALS, SEALS) != 0) {
        g_set_error_literal(error, G_IO_ERROR, (int)g_io_error_from_errno(errno),
                            g_strerror(errno));
        if (fd >= 0) {
            close(fd);
        }
        return NULL;
    }
    struct lent *lent = g_new0(struct lent, 1);
    lent->fd = fd;
    return lent;
}

void lent_write(struct lent *lent, GVariant *kept)
{
    const struct header before = lent->header;
    const struct header next = {!before.place, (guint32)g_variant_get_size(kept)};
    if (next.len > CHANNEL_KEPT_MAX ||
        pwrite(lent->fd, g_variant_get_data(kept), next.len, place_of(&next)) !=
            (ssize_t)next.len ||
        pwrite(lent->fd, &next, sizeof next, 0) != sizeof next) {
        return; /* what was there before still counts */
    }
    lent->header = next;
    wipe(lent->fd, &before);
}

int lent_fd(const struct lent *lent)
{
    return lent->fd;
}

void lent_leave(struct lent *lent)
{
    if (lent) {
        close(lent->fd);
        g_free(lent);
    }
}

void lent_free(struct lent *lent)
{
    if (lent) {
        const struct header nothing = {0, 0};
        (void)!pwrite(lent->fd, &nothing, sizeof nothing, 0);
        wipe(lent->fd, &lent->header);
        lent_leave(lent);
    }
}

/* ---- the other side ---- */

static void wipe_and_free(gpointer data)
{
    struct secret *octets = data;
    secret_free(octets);
    g_free(octets);
}

/* Nothing but memory of that size, which cannot be cut short: to read anything else may wait. */
static gboolean read_header(int fd, struct header *header)
{
    struct stat status;
    int seals = fcntl(fd, F_GET_SEALS);
    return seals >= 0 && (seals & SEALS) == SEALS && fstat(fd, &status) == 0 &&
           status.st_size == SIZE && pread(fd, header, sizeof *header, 0) == sizeof *header &&
           header->place <= 1 && header->len > 0 && header->len <= CHANNEL_KEPT_MAX;
}

GVariant *lent_read(int fd, GError **error)
{
    struct header header;
    GVariant *kept = NULL;
    struct secret *octets = g_new0(struct secret, 1);
    if (read_header(fd, &header) && secret_alloc(octets, header.len) &&
        pread(fd, octets->data, octets->len, place_of(&header)) == (ssize_t)octets->len) {
        kept = g_variant_ref_sink(g_variant_new_from_data(
            G_VARIANT_TYPE_VARDICT, octets->data, octets->len, FALSE, wipe_and_free, octets));
    } else {
        wipe_and_free(octets);
    }
    if (kept && !g_variant_is_normal_form(kept)) {
        g_clear_pointer(&kept, g_variant_unref);
    }
    if (!kept) {
        g_set_error_literal(error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
                            _("What was kept of the connection cannot be read."));
    }
    return kept;
}
