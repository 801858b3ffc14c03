/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "host/firewall.h"
#include "host/host.h"
#include "host/record.h"

gboolean host_hold(const struct host_options *options, GError **error)
{
    int lock = record_lock(error);
    gboolean done = lock >= 0 && firewall_hold(options, error);
    record_unlock(lock);
    return done;
}

gboolean host_hold_follow(const struct network *network, GError **error)
{
    int lock = record_lock(error);
    gboolean done = lock >= 0 && firewall_hold_follow(network, error);
    record_unlock(lock);
    return done;
}

gboolean host_release(GError **error)
{
    int lock = record_lock(error);
    gboolean done = lock >= 0 && firewall_release(error);
    record_unlock(lock);
    return done;
}

gboolean host_is_held(void)
{
    return firewall_is_held();
}

gboolean host_let_resolvers_ask(GError **error)
{
    int lock = record_lock(error);
    gboolean done = lock >= 0 && firewall_let_resolvers_ask(error);
    record_unlock(lock);
    return done;
}

gboolean host_let_user_out(guint32 uid, guint seconds, GError **error)
{
    int lock = record_lock(error);
    gboolean done = lock >= 0 && firewall_portal(uid, seconds, error);
    record_unlock(lock);
    return done;
}
