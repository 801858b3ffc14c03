/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "session/kill_switch.h"

#include "common/i18n.h"
#include "host/firewall_watch.h"
#include "host/host.h"
#include "host/monitor.h"

gboolean kill_switch_hold(gboolean local_network, const char *const *excepted, GError **error)
{
    struct host_options options = {.local_network = local_network, .fwmark = HOST_FWMARK_DEFAULT};
    for (; *excepted; excepted++) {
        if (options.n_excluded == HOST_EXCLUDED_MAX ||
            !prefix_parse(&options.excluded[options.n_excluded], *excepted, false) ||
            options.excluded[options.n_excluded++].len == 0) {
            g_set_error(
                error, HOST_ERROR, HOST_ERROR_CONFIG,
                _("%s cannot be let out of the kill switch: it is no prefix, or one too many."),
                *excepted);
            return FALSE;
        }
    }
    return host_hold(&options, error);
}

gboolean kill_switch_release(GError **error)
{
    return host_release(error);
}

gboolean kill_switch_is_held(void)
{
    return host_is_held();
}

gboolean kill_switch_let_user_out(guint32 uid, guint seconds, GError **error)
{
    return host_let_user_out(uid, seconds, error);
}

/* ---- local networks ---- */

struct kill_switch_follower {
    struct monitor *monitor;
    struct firewall_watch *firewall;
};

static void on_network(void *context, const struct network *network)
{
    g_autoptr(GError) error = NULL;
    (void)context;
    if (!host_hold_follow(network, &error)) {
        g_message("%s", error->message);
    }
}

struct kill_switch_follower *kill_switch_follow(GError **error)
{
    struct kill_switch_follower *follower = g_new0(struct kill_switch_follower, 1);
    follower->monitor = monitor_new(on_network, follower, error);
    if (!follower->monitor) {
        g_clear_pointer(&follower, kill_switch_follower_free);
        return NULL;
    }
    follower->firewall = firewall_watch_new();
    on_network(follower, monitor_network(follower->monitor));
    return follower;
}

void kill_switch_follower_free(struct kill_switch_follower *follower)
{
    if (follower) {
        firewall_watch_free(follower->firewall);
        monitor_free(follower->monitor);
        g_free(follower);
    }
}
