/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon/holding.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <unistd.h>

#include "session/kill_switch.h"

#define FOLDER SYSCONFDIR "/godwit"
#define STATE_FILE FOLDER "/kill-switch"
#define GROUP "kill-switch"

struct holding {
    gboolean always; /* as in the file */
    char **excepted;
    struct kill_switch_follower *follower; /* NULL = nothing is held */
};

static void load(struct holding *holding)
{
    g_autoptr(GKeyFile) file = g_key_file_new();
    g_autoptr(GError) error = NULL;
    if (!g_key_file_load_from_file(file, STATE_FILE, G_KEY_FILE_NONE, &error)) {
        if (!g_error_matches(error, G_FILE_ERROR, G_FILE_ERROR_NOENT)) {
            /* Whoever set it wants nothing to leave. */
            g_warning("%s: %s", STATE_FILE, error->message);
            holding->always = TRUE;
        }
        return;
    }
    holding->always = TRUE;
    char **excepted = g_key_file_get_string_list(file, GROUP, "excepted", NULL, NULL);
    if (excepted) {
        g_strfreev(holding->excepted);
        holding->excepted = excepted;
    }
}

static gboolean save(gboolean always, const char *const *excepted, GError **error)
{
    g_autoptr(GKeyFile) file = g_key_file_new();
    if (!always) {
        /* A file system that cannot be written to says so also of what is not there. */
        int err = g_access(STATE_FILE, F_OK) != 0 ? errno : g_unlink(STATE_FILE) == 0 ? 0 : errno;
        if (err != 0 && err != ENOENT) {
            g_set_error(error, G_FILE_ERROR, (gint)g_file_error_from_errno(err), "%s: %s.",
                        STATE_FILE, g_strerror(err));
        }
        return err == 0 || err == ENOENT;
    }
    g_key_file_set_string_list(file, GROUP, "excepted", excepted, g_strv_length((char **)excepted));
    g_autofree char *text = g_key_file_to_data(file, NULL, NULL);
    (void)g_mkdir_with_parents(FOLDER, 0755);
    return g_file_set_contents_full(STATE_FILE, text, -1,
                                    G_FILE_SET_CONTENTS_CONSISTENT | G_FILE_SET_CONTENTS_DURABLE,
                                    0600, error);
}

static gboolean apply(gboolean always, const char *const *excepted, GError **error)
{
    return always ? kill_switch_hold(FALSE, excepted, error) : kill_switch_release(error);
}

void holding_follow(struct holding *holding)
{
    g_autoptr(GError) error = NULL;
    if (!holding_is_on(holding)) {
        g_clear_pointer(&holding->follower, kill_switch_follower_free);
    } else if (!holding->follower) {
        holding->follower = kill_switch_follow(&error);
        if (!holding->follower) {
            g_warning("%s", error->message);
        }
    }
}

gboolean holding_set(struct holding *holding, gboolean always, const char *const *excepted,
                     GError **error)
{
    gboolean was = kill_switch_is_held();
    /* What is let go is written first, what is held last: should we end between them, it holds. */
    gboolean done = always ? apply(always, excepted, error) && save(always, excepted, error)
                           : save(always, excepted, error) && apply(always, excepted, error);
    if (done) {
        holding->always = always;
        g_strfreev(holding->excepted);
        holding->excepted = g_strdupv((char **)excepted);
    } else {
        g_autoptr(GError) again = NULL;
        if (!apply(was, holding_excepted(holding), &again)) {
            g_warning("%s", again->message);
        }
    }
    return done;
}

gboolean holding_is_on(const struct holding *holding)
{
    return holding->always || kill_switch_is_held();
}

const char *const *holding_excepted(const struct holding *holding)
{
    return (const char *const *)holding->excepted;
}

static struct holding *load_new(void)
{
    struct holding *holding = g_new0(struct holding, 1);
    holding->excepted = g_new0(char *, 1);
    load(holding);
    return holding;
}

gboolean holding_apply(GError **error)
{
    struct holding *holding = load_new();
    gboolean done = !holding->always || apply(TRUE, holding_excepted(holding), error);
    holding_free(holding);
    return done;
}

struct holding *holding_new(void)
{
    struct holding *holding = load_new();
    g_autoptr(GError) error = NULL;
    if (holding->always && !apply(TRUE, holding_excepted(holding), &error)) {
        g_critical("Traffic is not held although it should be: %s", error->message);
    }
    return holding;
}

void holding_free(struct holding *holding)
{
    if (holding) {
        kill_switch_follower_free(holding->follower);
        g_strfreev(holding->excepted);
        g_free(holding);
    }
}
