/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tunnel/link.h"

#include <errno.h>
#include <time.h>

#include "common/boottime.h"

void link_set_path(struct link *link, const struct path *path)
{
    link->path = (struct datapath_path){
        .local = path->local,
        .remote = path->remote,
        .ifindex = path->ifindex,
    };
}

enum link_result link_open(struct link **out, const struct ike_sockets *sockets,
                           struct ike_config *config, const struct endpoint *gateway,
                           guint16 path_mtu)
{
    struct link *link = g_new0(struct link, 1);
    enum err err;

    *out = NULL;
    config->path = (struct path){.transport = TRANSPORT_UDP, .remote = *gateway};
    if (!ike_socket_route_to(sockets, gateway, &config->path.local.addr, &config->path_mtu)) {
        g_free(link);
        return LINK_NO_ROUTE;
    }
    if (path_mtu != 0) {
        config->path_mtu = path_mtu;
    }
    config->wall_clock = time(NULL);
    err = ike_new(&link->ike, config, boottime_now());
    if (err != OK) {
        g_free(link);
        return err == ERR_UNSUPPORTED ? LINK_CONTRADICTION : LINK_FAILED;
    }
    link->gateway = gateway->addr;
    link->port = gateway->port;
    link_set_path(link, &config->path);
    link->path_mtu = config->path_mtu;
    *out = link;
    return LINK_OPENED;
}

void link_free(struct link *link)
{
    if (link != NULL) {
        ike_free(link->ike);
        g_free(link->detail);
        g_free(link->untrusted);
        g_free(link);
    }
}

gboolean link_owns(const struct link *link, struct bytes datagram)
{
    return link != NULL && link->ike != NULL && ike_owns(link->ike, datagram);
}

void link_ended(struct link *link, const struct ike_event *event)
{
    link->down = TRUE;
    link->retry = event->retry;
    link->reason = event->reason;
    g_free(link->detail);
    link->detail = g_strdup(event->text);
    link->untrusted =
        event->untrusted != NULL ? g_memdup2(event->untrusted, sizeof *event->untrusted) : NULL;
}

static gsize child_slot(const struct link *link, guint32 spi_in)
{
    gsize slot = 0;

    while (slot < LINK_CHILDREN_MAX && link->children[slot] != spi_in) {
        slot++;
    }
    return slot;
}

gboolean link_add_child(struct link *link, guint32 spi_in)
{
    gsize slot = child_slot(link, 0);

    if (slot < LINK_CHILDREN_MAX) {
        link->children[slot] = spi_in;
    }
    return slot < LINK_CHILDREN_MAX;
}

gboolean link_has_child(const struct link *link, guint32 spi_in)
{
    return child_slot(link, spi_in) < LINK_CHILDREN_MAX;
}

void link_remove_child(struct link *link, guint32 spi_in)
{
    gsize slot = child_slot(link, spi_in);

    if (slot < LINK_CHILDREN_MAX) {
        link->children[slot] = 0;
    }
}

gboolean link_can_move(const struct link *link)
{
    struct ike_summary summary = {0};

    if (link->ike != NULL) {
        ike_get_summary(link->ike, &summary);
    }
    return summary.mobike;
}

void link_send(struct link *link, const struct ike_sockets *sockets, uint8_t *buffer)
{
    struct path path;
    ssize_t len;

    while ((len = ike_output(link->ike, &path, buffer, IKE_MESSAGE_MAX, boottime_now())) > 0) {
        if (!ike_socket_send(sockets, &path, bytes_of(buffer, (size_t)len))) {
            g_debug("sending to the gateway: %s", g_strerror(errno));
        }
    }
}
