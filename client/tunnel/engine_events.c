/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/boottime.h"
#include "common/i18n.h"
#include "tunnel/tunnel_private.h"

/* What an engine reports, turned into the datapath's state and the session's news. */

static const char *phase_name(enum ike_phase phase)
{
    switch (phase) {
    case IKE_PHASE_INIT:
        return "init";
    case IKE_PHASE_GATEWAY_ANSWERED:
        return "gateway-answered";
    case IKE_PHASE_GATEWAY_VERIFIED:
        return "gateway-verified";
    case IKE_PHASE_USER_AUTH:
        return "user-auth";
    case IKE_PHASE_USER_ACCEPTED:
        return "user-accepted";
    case IKE_PHASE_ESTABLISHED:
        return "established";
    case IKE_PHASE_DISCONNECTING:
        return "disconnecting";
    }
    return "";
}

/* The user follows the first connection step by step. Later ones are made in the background, and
 * what counts of them is said as a whole. */
static void phase(struct tunnel *t, struct link *link, const struct ike_event *event)
{
    if (event->phase == IKE_PHASE_GATEWAY_ANSWERED) {
        link->answered = TRUE;
        link->late = t->config.ike.auth != IKE_AUTH_EAP;
        succession_answered(t, link);
    }
    /* Then the gateway has only our last word to wait for. */
    link->late = link->late || event->phase == IKE_PHASE_USER_ACCEPTED;
    /* Of those that are asked beside each other the first is named. */
    if (event->phase == IKE_PHASE_INIT && link != t->next) {
        return;
    }
    if (!t->was_up || (t->disconnecting && link == t->current)) {
        t->ops->phase(t->context, phase_name(event->phase), event->text, boottime_now());
    }
}

static void not_installed(struct tunnel *t)
{
    tunnel_end(t, REASON_INTERNAL, _("The keys of the tunnel could not be installed."));
}

static gboolean install_in(struct tunnel *t, struct link *link, const struct ike_event *event)
{
    return traffic_add_in(&t->traffic, event->child, event->net) &&
           link_add_child(link, event->child->spi_in);
}

static gboolean same_net(const struct net_config *a, const struct net_config *b)
{
    return memcmp(a, b, sizeof *a) == 0;
}

/* The session hears of it when the IKE SA is another one, and of what changes. */
static void report_connected(struct tunnel *t, const struct link *link,
                             const struct net_config *net)
{
    struct tunnel_summary summary = {.esp_library =
                                         datapath_library(t->traffic.datapath, &t->traffic.suite)};

    ike_get_summary(link->ike, &summary.ike);
    endpoint_text(&link->path.remote, summary.gateway);
    endpoint_text(&(struct endpoint){.addr = link->gateway, .port = link->port}, summary.asked);
    t->net = *net;
    t->ops->connected(t->context, net, &summary);
    kept_report(t);
}

static gboolean start_datapath(struct tunnel *t)
{
    if (t->traffic.datapath == NULL) {
        if (!traffic_start(&t->traffic)) {
            tunnel_end(t, REASON_INTERNAL, _("The datapath could not be started."));
            return FALSE;
        }
        loop_watch_datapath(t);
    }
    return TRUE;
}

static void child_up(struct tunnel *t, struct link *link, const struct ike_event *event)
{
    struct net_config *net = g_memdup2(event->net, sizeof *event->net);
    gboolean first = link == t->next, used = first || link == t->current;

    if ((first && t->disconnecting) || !start_datapath(t)) {
        goto out;
    }
    if (!install_in(t, link, event)) {
        not_installed(t);
        goto out;
    }
    if (first) {
        traffic_hold(&t->traffic); /* until settle_replaced() */
    }
    if (used) {
        link->path_mtu = mtu_of_path(t, link);
        t->traffic.suite = event->child->suite;
        traffic_set_mtu(&t->traffic, net, &link->path, link->path_mtu);
        if (datapath_set_path(t->traffic.datapath, &link->path) != OK ||
            (!event->held && !traffic_set_out(&t->traffic, event->child))) {
            not_installed(t);
            goto out;
        }
    }
    if (first) {
        succession_take_over(t, link);
        mtu_taken_over(t);
        report_connected(t, link, net);
    } else if (used && !same_net(net, &t->net)) {
        report_connected(t, link, net);
    }
out:
    g_free(net);
}

static void path_changed(struct tunnel *t, struct link *link, const struct path *path)
{
    link_set_path(link, path);
    if (link == t->current) {
        if (datapath_set_path(t->traffic.datapath, &link->path) != OK) {
            tunnel_end(t, REASON_INTERNAL, "");
            return;
        }
        mtu_moved(t);
    }
    succession_path_found(t, link);
}

/* A predecessor's end makes its own ticket void, not that of its successor. */
static void keep_ticket(struct tunnel *t, const struct link *link, const struct ike_ticket *ticket)
{
    if (ticket == NULL && link != t->ticket_of && link != t->ticket_with) {
        return;
    }
    ike_ticket_free(&t->ticket);
    t->ticket_of = link;
    t->ticket_with = NULL;
    /* Without memory for it the next start is a full one. */
    if (ticket != NULL && !ike_ticket_copy(&t->ticket, ticket)) {
        g_debug("the ticket is lost");
    }
    kept_report(t);
}

void engine_event(struct tunnel *t, struct link *link, const struct ike_event *event)
{
    switch (event->type) {
    case IKE_EVENT_PHASE:
        phase(t, link, event);
        break;
    case IKE_EVENT_SECRET:
        typed_required(t, event->secret, event->prompt);
        break;
    case IKE_EVENT_SIGN:
        token_key_sign(t, link);
        break;
    case IKE_EVENT_CHILD_UP:
        child_up(t, link, event);
        break;
    case IKE_EVENT_CHILD_OUT:
        if (link == t->current && !traffic_set_out(&t->traffic, event->child)) {
            not_installed(t);
        }
        break;
    case IKE_EVENT_CHILD_DOWN:
        link_remove_child(link, event->spi_in);
        if (!traffic_remove(&t->traffic, event->spi_in)) {
            tunnel_end(t, REASON_INTERNAL, "");
        }
        break;
    case IKE_EVENT_PATH:
        path_changed(t, link, &event->path);
        break;
    case IKE_EVENT_PATH_LOST:
        succession_path_lost(t, link, event->text);
        break;
    case IKE_EVENT_REDIRECT:
        succession_redirect(t, link, event->text);
        break;
    case IKE_EVENT_REAUTH:
        if (link == t->current) {
            t->stale = TRUE;
        }
        break;
    case IKE_EVENT_MTU:
        mtu_answer(t, link, event->mtu, event->passed);
        break;
    case IKE_EVENT_TICKET:
        keep_ticket(t, link, event->ticket);
        break;
    case IKE_EVENT_TRACE:
        t->ops->trace(t->context, event->text, event->outbound, event->retransmission, event->at);
        break;
    case IKE_EVENT_DOWN:
        link_ended(link, event);
        break;
    }
}
