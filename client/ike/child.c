/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ike/engine.h"

#include <stdlib.h>

#include "common/i18n.h"

/* The Child SA that IKE_AUTH makes (RFC 7296 1.2, 2.9, 2.17). */

/* ---- request ---- */

static void ts_everything(struct ts_list *list, enum family family)
{
    static const uint8_t ones[16] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                     0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    static const uint8_t zeros[16] = {0};

    list->items[list->n++] = (struct ts){
        .port_high = 65535,
        .start = addr_of(family, zeros),
        .end = addr_of(family, ones),
    };
}

/* What is not configured is asked for in full; the gateway narrows it (RFC 7296 2.9, 2.19). */
static void ts_offer(struct ts_list *out, const struct ts_list *configured,
                     const struct ike_config *config)
{
    *out = *configured;
    if (out->n > 0) {
        return;
    }
    if (config->request_ipv4 || !config->request_ipv6) {
        ts_everything(out, FAMILY_IPV4);
    }
    if (config->request_ipv6 || !config->request_ipv4) {
        ts_everything(out, FAMILY_IPV6);
    }
}

/* RFC 7296 1.2: the Child SA of IKE_AUTH has no key exchange of its own. */
void child_offer_without_ke(struct proposal_list *out, const struct proposal_list *from)
{
    *out = *from;
    for (size_t p = 0; p < out->n; p++) {
        struct proposal *proposal = &out->items[p];
        size_t kept = 0;

        for (size_t a = 0; a < proposal->n_algs; a++) {
            if (proposal->algs[a]->type != TRANSFORM_KE) {
                proposal->algs[kept++] = proposal->algs[a];
            }
        }
        proposal->n_algs = kept;
    }
}

void child_offer_write(struct chain *chain, const struct child_offer *offer)
{
    uint8_t spi[4];
    struct writer w = writer_of(spi, sizeof spi);

    wr_u32(&w, offer->spi_in);
    sa_write(chain, &offer->proposals, bytes_of(spi, sizeof spi));
}

/* Of the first Child SA, as they are asked for (RFC 7296 2.9). */
static void selectors(const struct ike *ike, struct ts_list *local, struct ts_list *remote)
{
    ts_offer(local, &ike->config.local_ts, &ike->config);
    ts_offer(remote, &ike->config.remote_ts, &ike->config);
}

static bool spi_taken(const struct ike *ike, uint32_t spi)
{
    bool taken = spi <= 255;

    for (size_t i = 0; i < CHILDREN_MAX; i++) {
        const struct child *child = &ike->children[i];

        taken = taken || (child->state != CHILD_NONE && child->sa->spi_in == spi);
    }
    return taken;
}

enum err child_spi(const struct ike *ike, uint32_t *out)
{
    uint8_t octets[4];
    enum err err;

    do {
        struct reader r = reader_of(bytes_of(octets, sizeof octets));

        err = rng_fill(&ike->config.rng, octets, sizeof octets);
        if (err != OK) {
            return err;
        }
        *out = rd_u32(&r);
    } while (spi_taken(ike, *out));
    return OK;
}

bool child_is_later(const struct ike *ike)
{
    return ike->config.childless && ike->init.childless;
}

enum err child_build(struct ike *ike, struct chain *chain)
{
    struct child_offer *offer = &ike->offer;
    enum err err = child_spi(ike, &offer->spi_in);

    if (err != OK) {
        return err;
    }
    child_offer_without_ke(&offer->proposals, &ike->offer_esp);
    selectors(ike, &offer->local, &offer->remote);
    if (child_is_later(ike)) {
        return OK;
    }
    child_offer_write(chain, offer);
    ts_write(chain, P_TSi, &offer->local);
    ts_write(chain, P_TSr, &offer->remote);
    return OK;
}

/* ---- response ---- */

void ike_child_free(struct ike_child *child)
{
    secret_free(&child->out_encr);
    secret_free(&child->out_integ);
    secret_free(&child->in_encr);
    secret_free(&child->in_integ);
}

static enum err read_selectors(struct ike_child *out, const struct message *message,
                               const struct child_offer *offer)
{
    enum err err = ts_parse(&out->local_ts, message_find(message, P_TSi, 0)->body);

    if (err == OK) {
        err = ts_parse(&out->remote_ts, message_find(message, P_TSr, 0)->body);
    }
    /* RFC 7296 2.9: the responder may narrow, never widen. */
    if (err == OK && (!ts_list_within(&out->local_ts, &offer->local) ||
                      !ts_list_within(&out->remote_ts, &offer->remote))) {
        err = ERR_UNSUPPORTED;
    }
    return err;
}

enum err child_read(struct ike_child *out, const struct message *message,
                    const struct child_offer *offer)
{
    struct bytes spi = {0};
    struct reader r;
    enum err err =
        sa_parse_choice(&out->suite, &spi, message_find(message, P_SA, 0)->body, &offer->proposals);

    if (err != OK) {
        return err;
    }
    r = reader_of(spi);
    out->spi_in = offer->spi_in;
    out->spi_out = rd_u32(&r);
    return rd_done(&r) && out->spi_out > 255 ? read_selectors(out, message, offer) : ERR_SYNTAX;
}

enum err child_derive(const struct ike *ike, struct ike_child *out, const struct child_seed *seed)
{
    struct child_keys keys;
    enum err err = child_keys_derive(&keys, ike->sa.suite.prf, secret_bytes(&ike->sa.keys.d),
                                     &out->suite, seed->shared, seed->ni, seed->nr);

    if (err == OK) {
        /* RFC 7296 2.17: initiator is who made this exchange, whoever made the IKE SA. */
        secret_move(seed->initiator ? &out->out_encr : &out->in_encr, &keys.encr_i);
        secret_move(seed->initiator ? &out->out_integ : &out->in_integ, &keys.integ_i);
        secret_move(seed->initiator ? &out->in_encr : &out->out_encr, &keys.encr_r);
        secret_move(seed->initiator ? &out->in_integ : &out->out_integ, &keys.integ_r);
    }
    return err;
}

/* A gateway may narrow TSi to networks that the address it assigned is not in: nothing would get
 * through. */
bool child_address_usable(const struct net_config *net, const struct ts_list *local)
{
    for (size_t i = 0; i < net->n_addresses; i++) {
        for (size_t t = 0; t < local->n; t++) {
            if (addr_compare(&local->items[t].start, &net->addresses[i].addr) <= 0 &&
                addr_compare(&net->addresses[i].addr, &local->items[t].end) <= 0) {
                return true;
            }
        }
    }
    return net->n_addresses == 0;
}

static void refuse_selectors(struct ike *ike, const struct ts_list *local)
{
    char address[ADDR_TEXT_MAX];
    char text[512];

    ike_close(ike, CLOSE_DELETE, REASON_TS_UNACCEPTABLE,
              _("IKE_AUTH: the gateway assigned the address %s, but lets only %s through."),
              addr_text(&ike->net.addresses[0].addr, address), ts_text(local, text, sizeof text));
}

/* The IKE SA is established. */
static void begin(struct ike *ike)
{
    renew_ike_done(ike);
    liveness_begin(ike);
    policies_open(ike);
}

/* Keys and config are ready. Takes `child` over when it returns OK. */
static enum err add_first(struct ike *ike, const struct message *message, struct ike_child *child)
{
    struct policy *policy = policies_add(ike, &ike->offer.local, &ike->offer.remote);
    enum err err;

    if (policy == NULL) {
        return ERR_MEMORY;
    }
    begin(ike);
    (void)suite_text(&child->suite, ike->summary.esp_suite, sizeof ike->summary.esp_suite);
    child->reqid = policy->reqid;
    err = children_add(ike, child, CHILD_UP, 0);
    if (err == OK) {
        policies_granted(ike, policy, message);
        policies_check(ike);
    }
    return err;
}

static void refuse_child(struct ike *ike, enum err err, const char *what)
{
    if (err == ERR_MEMORY || err == ERR_CRYPTO) {
        ike_close_error(ike, err, "IKE_AUTH");
        return;
    }
    ike_close(ike, CLOSE_DELETE, REASON_PROTOCOL, "IKE_AUTH: %s", what);
}

/* What the gateway assigns; false when the connection has been ended over it. */
static bool configured(struct ike *ike, const struct message *message, const struct ts_list *remote)
{
    enum err err =
        config_read(&ike->net, &ike->config, message_find(message, P_CP, 0), remote, &ike->summary);

    if (err == ERR_STATE) {
        ike_close(ike, CLOSE_DELETE, REASON_ADDRESS_UNAVAILABLE,
                  _("IKE_AUTH: the gateway accepted us but assigned no internal address."));
        return false;
    }
    if (err != OK) {
        refuse_child(ike, err, _("the gateway's configuration payload is malformed."));
        return false;
    }
    return true;
}

/* What came is checked; false when the connection has been ended over it. */
static bool acceptable(struct ike *ike, const struct message *message, struct ike_child *child)
{
    enum err err = child_read(child, message, &ike->offer);

    if (err != OK) {
        refuse_child(ike, err,
                     child->suite.encr == NULL
                         ? _("the gateway's choice of ESP algorithms was not offered.")
                         : _("the gateway's traffic selectors are malformed or wider than what was "
                             "asked for."));
        return false;
    }
    if (!configured(ike, message, &child->remote_ts)) {
        return false;
    }
    if (!child_address_usable(&ike->net, &child->local_ts)) {
        refuse_selectors(ike, &child->local_ts);
        return false;
    }
    return true;
}

enum err child_accept(struct ike *ike, const struct message *message)
{
    struct ike_child *child = calloc(1, sizeof *child);
    const struct child_seed seed = {
        .ni = secret_bytes(&ike->sa.ni),
        .nr = secret_bytes(&ike->sa.nr),
        .initiator = true,
    };
    enum err err = OK;

    if (child == NULL) {
        return ERR_MEMORY;
    }
    if (acceptable(ike, message, child)) {
        err = child_derive(ike, child, &seed);
        if (err == OK) {
            err = add_first(ike, message, child);
        }
        if (err == OK) {
            return OK;
        }
        refuse_child(ike, err, "");
    }
    ike_child_free(child);
    free(child);
    return OK;
}

/* ---- it is made by CREATE_CHILD_SA ---- */

void child_later(struct ike *ike, const struct message *message)
{
    const struct ts_list none = {0};

    if (!configured(ike, message, &none)) {
        return;
    }
    if (policies_add(ike, &ike->offer.local, &ike->offer.remote) == NULL) {
        ike_close_error(ike, ERR_MEMORY, "IKE_AUTH");
        return;
    }
    begin(ike);
}

/* With addresses the gateway has gone half of the way. */
static bool half_way(const struct ike *ike, const struct message *message)
{
    return message_find(message, P_CP, 0) != NULL ||
           (!ike->config.request_ipv4 && !ike->config.request_ipv6);
}

bool child_try_again(struct ike *ike, const struct message *message, const struct notify *refusal)
{
    bool selectors = refusal->type == N_TS_UNACCEPTABLE || refusal->type == N_SINGLE_PAIR_REQUIRED;
    struct policy *policy;

    if (!half_way(ike, message) || (!selectors && refusal->type != N_NO_PROPOSAL_CHOSEN)) {
        return false;
    }
    child_later(ike, message);
    policy = policies_find(ike, 1);
    if (policy == NULL || !ike->opening.on) {
        return ike->state >= ST_CLOSE_TODO;
    }
    if (selectors) {
        policy->wanted = false;
        return policies_split(ike, policy);
    }
    return true;
}
