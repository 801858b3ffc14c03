/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "session/surroundings.h"

#include "common/network_variant.h"
#include "host/connectivity.h"
#include "host/firewall_watch.h"
#include "host/monitor.h"
#include "host/sleep.h"
#include "session/mender.h"

/* Milliseconds. */
#define FLUSH_TIME 500 /* that the machine's sleep waits for our words to leave */
#define LATER 300      /* until the bus is connected to: the gateway comes first */
#define SETTLED 40     /* that no change of the network has come: the firewall takes a while */

struct surroundings {
    struct channel *channel;
    struct host *host;
    struct monitor *monitor;
    struct mender *mender;
    const struct surroundings_ops *ops;
    void *context;
    struct firewall_watch *firewall;
    GSource *later;
    GSource *settled; /* NULL = the firewall knows of the network */
    struct sleep *sleep;
    struct connectivity_watch *watch;
    enum connectivity connectivity;
    gboolean complained; /* that uplinks cannot be followed */
};

static void send_network(struct surroundings *surroundings)
{
    struct network network = *monitor_network(surroundings->monitor);
    network.connectivity = surroundings->connectivity;
    channel_send(surroundings->channel, MESSAGE_NETWORK, network_to_variant(&network));
}

static void complain(struct surroundings *surroundings, const GError *error)
{
    if (!surroundings->complained) {
        g_message("%s", error->message);
        surroundings->complained = TRUE;
    }
}

static void stop_settling(struct surroundings *surroundings)
{
    if (surroundings->settled) {
        g_source_destroy(surroundings->settled);
        g_clear_pointer(&surroundings->settled, g_source_unref);
    }
}

static gboolean on_settled(gpointer data)
{
    struct surroundings *surroundings = data;
    g_autoptr(GError) error = NULL;
    stop_settling(surroundings);
    if (!host_follow_firewall(surroundings->host, &error)) {
        complain(surroundings, error);
    }
    return G_SOURCE_REMOVE;
}

/* The ways are there before the worker is told to try them. */
static void on_network(void *context, const struct network *network)
{
    struct surroundings *surroundings = context;
    g_autoptr(GError) error = NULL;
    /* A kernel without routes by source (CONFIG_IPV6_SUBTREES) will not have them next time. */
    if (!host_follow_uplinks(surroundings->host, network, HOST_FWMARK_DEFAULT, &error)) {
        complain(surroundings, error);
    }
    send_network(surroundings);
    stop_settling(surroundings);
    surroundings->settled = g_timeout_source_new(SETTLED);
    g_source_set_callback(surroundings->settled, on_settled, surroundings, NULL);
    g_source_attach(surroundings->settled, g_main_context_get_thread_default());
}

static void on_connectivity(void *context, enum connectivity connectivity)
{
    struct surroundings *surroundings = context;
    surroundings->connectivity = connectivity;
    if (surroundings->monitor) {
        send_network(surroundings);
    }
}

static void on_sleeping(void *context)
{
    struct surroundings *surroundings = context;
    channel_send(surroundings->channel, MESSAGE_SLEEP, NULL);
    channel_flush(surroundings->channel, FLUSH_TIME);
}

static void on_awake(void *context)
{
    struct surroundings *surroundings = context;
    channel_send(surroundings->channel, MESSAGE_WAKE, NULL);
}

static const struct sleep_ops sleep_ops = {.sleeping = on_sleeping, .awake = on_awake};

static void on_removed(void *context)
{
    struct surroundings *surroundings = context;
    surroundings->ops->removed(surroundings->context);
}

static void on_disturbed(void *context)
{
    struct surroundings *surroundings = context;
    mender_look(surroundings->mender);
}

static const struct monitor_link_ops link_ops = {.removed = on_removed, .disturbed = on_disturbed};

static gboolean watch_bus(gpointer data)
{
    struct surroundings *surroundings = data;
    surroundings->sleep = sleep_new(&sleep_ops, surroundings);
    surroundings->watch = connectivity_watch_new(on_connectivity, surroundings);
    return G_SOURCE_REMOVE;
}

struct surroundings *surroundings_new(struct channel *channel, struct host *host, unsigned ifindex,
                                      const struct surroundings_ops *ops, void *context)
{
    struct surroundings *surroundings = g_new0(struct surroundings, 1);
    g_autoptr(GError) error = NULL;
    surroundings->channel = channel;
    surroundings->host = host;
    surroundings->ops = ops;
    surroundings->context = context;
    surroundings->mender = mender_new(host, ops->fought, context);
    surroundings->monitor = monitor_new(on_network, surroundings, &error);
    if (surroundings->monitor) {
        monitor_watch_link(surroundings->monitor, ifindex, &link_ops, surroundings);
        on_network(surroundings, monitor_network(surroundings->monitor));
    } else {
        g_message("%s", error->message);
    }
    surroundings->firewall = firewall_watch_new();
    surroundings->later = g_timeout_source_new(LATER);
    g_source_set_callback(surroundings->later, watch_bus, surroundings, NULL);
    g_source_attach(surroundings->later, g_main_context_get_thread_default());
    return surroundings;
}

const struct network *surroundings_network(const struct surroundings *surroundings)
{
    return surroundings && surroundings->monitor ? monitor_network(surroundings->monitor) : NULL;
}

void surroundings_free(struct surroundings *surroundings)
{
    if (surroundings) {
        stop_settling(surroundings);
        g_source_destroy(surroundings->later);
        g_source_unref(surroundings->later);
        connectivity_watch_free(surroundings->watch);
        sleep_free(surroundings->sleep);
        firewall_watch_free(surroundings->firewall);
        monitor_free(surroundings->monitor);
        mender_free(surroundings->mender);
        g_free(surroundings);
    }
}
