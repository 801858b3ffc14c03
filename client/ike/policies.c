/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ike/engine.h"

#include <stdlib.h>

#include "common/i18n.h"

/*
 * What is to go through the tunnel, each by a Child SA of its own and its successors. One is enough
 * for gateways that grant at once what they are asked for; others make a Child SA for each network,
 * or none in IKE_AUTH (RFC 7296 1.2, 1.3.1, 2.9, RFC 6023). The tunnel is open, and announced, when
 * nothing more is to be had.
 */

#define OPENING_US UINT64_C(5000000)

struct policy *policies_find(const struct ike *ike, uint32_t reqid)
{
    return reqid > 0 && reqid <= ike->n_policies ? ike->policies[reqid - 1] : NULL;
}

struct policy *policies_add(struct ike *ike, const struct ts_list *local,
                            const struct ts_list *remote)
{
    struct policy *policy = ike->n_policies < POLICIES_MAX ? calloc(1, sizeof *policy) : NULL;

    if (policy == NULL) {
        return NULL;
    }
    ike->policies[ike->n_policies++] = policy;
    policy->reqid = (uint32_t)ike->n_policies;
    policy->wanted = true;
    policy->asked_local = policy->local = *local;
    policy->asked_remote = policy->remote = *remote;
    return policy;
}

void policies_free(struct ike *ike)
{
    for (size_t i = 0; i < ike->n_policies; i++) {
        free(ike->policies[i]);
    }
    ike->n_policies = 0;
}

bool policies_awaited(const struct ike *ike, const struct policy *policy)
{
    const struct renewal *renewal = &ike->renew_child;
    bool under_way = renewal->wanted || ike->sa.request.purpose == TASK_REKEY_CHILD;

    return policy->wanted || (under_way && renewal->reqid == policy->reqid);
}

/* ---- what the gateway grants ---- */

/* RFC 7296 2.9: it tells of more, or the user has listed what is wanted. */
static bool more_wanted(const struct ike *ike, const struct message *message)
{
    const struct payload *payload;
    struct notify notify;

    for (size_t i = 0; (payload = message_find(message, P_NOTIFY, i)) != NULL; i++) {
        if (notify_parse(&notify, payload->body) == OK && notify.type == N_ADDITIONAL_TS_POSSIBLE) {
            return true;
        }
    }
    return ike->config.remote_ts.n > 1;
}

static bool has_family(const struct ts_list *list, enum family family)
{
    for (size_t i = 0; i < list->n; i++) {
        if (list->items[i].start.family == family) {
            return true;
        }
    }
    return false;
}

/* Who is given addresses has no use for a family without one. */
static bool family_usable(const struct ike *ike, enum family family)
{
    for (size_t i = 0; i < ike->net.n_addresses; i++) {
        if (ike->net.addresses[i].addr.family == family) {
            return true;
        }
    }
    return ike->net.n_addresses == 0;
}

/* Of what was asked for and not granted: what may be had by another Child SA. Gateways that can
 * have but one family in each do not say so. */
static void keep_worth_asking(const struct ike *ike, struct ts_list *rest,
                              const struct ts_list *granted, bool more)
{
    size_t kept = 0;

    for (size_t i = 0; i < rest->n; i++) {
        enum family family = rest->items[i].start.family;

        if (family_usable(ike, family) && (more || !has_family(granted, family))) {
            rest->items[kept++] = rest->items[i];
        }
    }
    rest->n = kept;
}

static void add_for(struct ike *ike, const struct policy *policy, const struct ts_list *remote)
{
    struct ts_list *local = malloc(sizeof *local);

    if (local == NULL) {
        return;
    }
    local->n = 0;
    for (size_t i = 0; i < policy->asked_local.n; i++) {
        if (has_family(remote, policy->asked_local.items[i].start.family)) {
            local->items[local->n++] = policy->asked_local.items[i];
        }
    }
    if (local->n > 0) {
        (void)policies_add(ike, local, remote);
    }
    free(local);
}

void policies_granted(struct ike *ike, const struct policy *policy, const struct message *message)
{
    struct ts_list *rest = malloc(sizeof *rest);

    if (rest != NULL && ike->opening.on &&
        ts_list_subtract(rest, &policy->asked_remote, &policy->remote)) {
        keep_worth_asking(ike, rest, &policy->remote, more_wanted(ike, message));
        if (rest->n > 0) {
            add_for(ike, policy, rest);
        }
    }
    free(rest);
}

bool policies_split(struct ike *ike, struct policy *policy)
{
    struct ts_list *one = malloc(sizeof *one);
    size_t before = ike->n_policies;

    for (size_t i = 0; one != NULL && policy->asked_remote.n > 1 && i < policy->asked_remote.n;
         i++) {
        one->n = 1;
        one->items[0] = policy->asked_remote.items[i];
        if (family_usable(ike, one->items[0].start.family)) {
            add_for(ike, policy, one);
        }
    }
    free(one);
    return ike->n_policies > before;
}

/* ---- from the end of IKE_AUTH until all is made ---- */

void policies_open(struct ike *ike)
{
    ike->opening.on = true;
    ike->opening.until = ike->now + OPENING_US;
}

uint64_t policies_deadline(const struct ike *ike)
{
    return ike->opening.on ? ike->opening.until : IKE_NEVER;
}

static bool complete(const struct ike *ike)
{
    for (size_t i = 0; i < ike->n_policies; i++) {
        if (policies_awaited(ike, ike->policies[i])) {
            return ike->now >= ike->opening.until;
        }
    }
    return true;
}

void policies_check(struct ike *ike)
{
    bool any = false;

    if (!ike->opening.on || ike->state >= ST_CLOSE_TODO || !complete(ike)) {
        return;
    }
    for (size_t i = 0; i < ike->n_policies; i++) {
        struct policy *policy = ike->policies[i];

        policy->wanted = policy->wanted && policy->made;
        if (children_carry(ike, policy->reqid)) {
            config_add_routes(&ike->net, &policy->remote);
            any = true;
        }
    }
    if (!any) {
        ike_close(ike, CLOSE_DELETE, REASON_GATEWAY_REFUSED,
                  _("The gateway let us in, but made no Child SA for the tunnel."));
        return;
    }
    ike->opening.on = false;
    if (!ike->ending.wanted) {
        ike_phase(ike, IKE_PHASE_ESTABLISHED, "%s", ike->summary.esp_suite);
        children_announce(ike);
    }
}
