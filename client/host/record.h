/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_HOST_RECORD_H
#define GODWIT_HOST_RECORD_H

#include <glib.h>
#include <sys/types.h>

/*
 * The undo record of one session: a keyfile RUNDIR/NAME.undo (mode 0600), replaced atomically, that
 * tells what to revert and who made it. Survives its process; does not survive a restart of the
 * machine, as the changes do not either.
 */
struct record;

/* Takes RUNDIR's lock, which orders everything that is shared between sessions (records,
 * resolv.conf, rp_filter). -1 on failure. */
int record_lock(GError **error);
void record_unlock(int lock);

/* A new record of this process; NULL and *error when one of that name belongs to a process that
 * lives. */
struct record *record_new(const char *name, GError **error);
/* Every record in RUNDIR, in no order; g_ptr_array_unref(). */
GPtrArray *record_list(void);
void record_free(struct record *record); /* leaves the file */

const char *record_name(const struct record *record);
pid_t record_pid(const struct record *record);
/* The process that made it still runs. */
gboolean record_alive(const struct record *record);
/* Made in this network namespace. */
gboolean record_here(const struct record *record);

/* `group` is "undo" (what to revert), "firewall" (firewall.h), "status" (facts for people) or
 * "inherited" (such of the dead session before it).
 * Changes reach the disk with record_save(). */
void record_set(struct record *record, const char *group, const char *key, const char *value);
void record_set_number(struct record *record, const char *group, const char *key, guint64 value);
char *record_get(const struct record *record, const char *group, const char *key); /* NULL = none */
guint64 record_get_number(const struct record *record, const char *group, const char *key,
                          guint64 fallback);
gboolean record_save(struct record *record, GError **error);
/* Deletes what a process was writing when it was killed. All that write into RUNDIR what is found
 * so have the lock, as the caller must. */
void record_remove_halves(void);
/* Deletes the file. */
void record_remove(struct record *record);
/* The whole, to be read and changed; borrowed. */
GKeyFile *record_file(const struct record *record);
/* RUNDIR/NAME.SUFFIX for what belongs to the record but not into it. */
char *record_path(const struct record *record, const char *suffix);

#endif
