/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include "daemon/portals.h"

#include "common/boottime.h"
#include "session/kill_switch.h"

struct portals {
    GHashTable *users; /* struct portal by uid */
    portals_over_cb over;
    void *context;
};

struct portal {
    struct portals *all;
    uid_t uid;
    guint64 until;
    guint timer;
};

static void portal_free(gpointer data)
{
    struct portal *portal = data;
    g_clear_handle_id(&portal->timer, g_source_remove);
    g_free(portal);
}

static gboolean on_time(gpointer data)
{
    struct portal *portal = data;
    struct portals *all = portal->all;
    uid_t uid = portal->uid;
    portal->timer = 0;
    g_hash_table_remove(all->users, GUINT_TO_POINTER(uid));
    all->over(all->context, uid);
    return G_SOURCE_REMOVE;
}

gboolean portals_allow(struct portals *portals, uid_t uid, guint seconds, GError **error)
{
    if (!kill_switch_let_user_out(uid, seconds, error)) {
        return FALSE;
    }
    g_hash_table_remove(portals->users, GUINT_TO_POINTER(uid));
    if (seconds > 0) {
        struct portal *portal = g_new0(struct portal, 1);
        portal->all = portals;
        portal->uid = uid;
        portal->until = boottime_now() + (guint64)seconds * G_USEC_PER_SEC;
        portal->timer = g_timeout_add_seconds(seconds, on_time, portal);
        g_hash_table_insert(portals->users, GUINT_TO_POINTER(uid), portal);
    }
    return TRUE;
}

guint64 portals_until(const struct portals *portals, uid_t uid)
{
    const struct portal *portal = g_hash_table_lookup(portals->users, GUINT_TO_POINTER(uid));
    return portal ? portal->until : 0;
}

struct portals *portals_new(portals_over_cb over, void *context)
{
    struct portals *portals = g_new0(struct portals, 1);
    portals->users = g_hash_table_new_full(NULL, NULL, NULL, portal_free);
    portals->over = over;
    portals->context = context;
    return portals;
}

void portals_free(struct portals *portals)
{
    if (portals) {
        g_hash_table_unref(portals->users);
        g_free(portals);
    }
}
