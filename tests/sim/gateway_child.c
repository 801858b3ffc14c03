/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/gateway.h"

/* The gateway's Child SAs, and what it asks for in them. */

#define LINGER_US UINT64_C(5000000)

struct gateway_child *gateway_child_in(struct gateway *gateway, uint32_t spi_in)
{
    for (size_t i = 0; i < GATEWAY_CHILDREN_MAX; i++) {
        struct gateway_child *child = &gateway->children[i];

        if (child->state != GATEWAY_CHILD_NONE && child->spi_in == spi_in) {
            return child;
        }
    }
    return NULL;
}

struct gateway_child *gateway_child_out(struct gateway *gateway, uint32_t spi_out)
{
    for (size_t i = 0; i < GATEWAY_CHILDREN_MAX; i++) {
        struct gateway_child *child = &gateway->children[i];

        if (child->state != GATEWAY_CHILD_NONE && child->state != GATEWAY_CHILD_LINGERING &&
            child->spi_out == spi_out) {
            return child;
        }
    }
    return NULL;
}

struct gateway_child *gateway_child_sent(struct gateway *gateway, uint32_t spi_out)
{
    for (size_t i = 0; i < GATEWAY_CHILDREN_MAX; i++) {
        struct gateway_child *child = &gateway->children[i];

        if (child->state != GATEWAY_CHILD_NONE && child->spi_out == spi_out) {
            return child;
        }
    }
    return NULL;
}

uint32_t gateway_child_spi(struct gateway *gateway)
{
    uint8_t spi[4];
    struct reader r = reader_of(bytes_of(spi, sizeof spi));

    sim_require(rng_fill(&gateway->rng, spi, sizeof spi) == OK, "SPI");
    spi[0] |= 0x80; /* above the reserved range */
    return rd_u32(&r);
}

struct gateway_child *gateway_child_add(struct gateway *gateway, const struct gateway_child *child)
{
    for (size_t i = 0; i < GATEWAY_CHILDREN_MAX; i++) {
        if (gateway->children[i].state == GATEWAY_CHILD_NONE) {
            gateway->children[i] = *child;
            gateway->children[i].state = GATEWAY_CHILD_UP;
            return &gateway->children[i];
        }
    }
    sim_require(false, "too many Child SAs");
    return NULL;
}

void gateway_child_deleted(struct gateway *gateway, struct gateway_child *child)
{
    child->state = GATEWAY_CHILD_LINGERING;
    child->until = gateway->now + LINGER_US;
    if (gateway->outbound != child->spi_in) {
        return;
    }
    gateway->outbound = 0;
    for (size_t i = 0; i < GATEWAY_CHILDREN_MAX; i++) {
        if (gateway->children[i].state == GATEWAY_CHILD_UP) {
            gateway->outbound = gateway->children[i].spi_in;
        }
    }
}

static void forget(struct gateway_child *child)
{
    child_keys_free(&child->keys);
    *child = (struct gateway_child){0};
}

void gateway_children_free(struct gateway *gateway)
{
    for (size_t i = 0; i < GATEWAY_CHILDREN_MAX; i++) {
        forget(&gateway->children[i]);
    }
    gateway->outbound = 0;
}

void gateway_children_tick(struct gateway *gateway)
{
    for (size_t i = 0; i < GATEWAY_CHILDREN_MAX; i++) {
        struct gateway_child *child = &gateway->children[i];

        if (child->state == GATEWAY_CHILD_LINGERING && child->until <= gateway->now) {
            forget(child);
        }
    }
}

unsigned gateway_live_children(const struct gateway *gateway)
{
    unsigned n = 0;

    for (size_t i = 0; i < GATEWAY_CHILDREN_MAX; i++) {
        n += gateway->children[i].state == GATEWAY_CHILD_UP;
    }
    return n;
}

/* ---- policy ---- */

static void proposals(struct proposal_list *out, enum protocol protocol, const char *text)
{
    struct bytes at;
    const char *why = "";

    if (text == NULL) {
        proposal_defaults(out, protocol, false);
        return;
    }
    sim_require(proposal_parse(out, protocol, text, true, &at, &why), text);
}

void gateway_esp_proposals(const struct gateway *gateway, struct proposal_list *out)
{
    proposals(out, PROTO_ESP, gateway->config.esp);
}

void gateway_ike_proposals(const struct gateway *gateway, struct proposal_list *out)
{
    proposals(out, PROTO_IKE, gateway->config.ike);
}

void gateway_suite(struct suite *out, const struct proposal *choice)
{
    *out = (struct suite){0};
    for (size_t i = 0; i < choice->n_algs; i++) {
        const struct alg *alg = choice->algs[i];

        switch (alg->type) {
        case TRANSFORM_ENCR:
            out->encr = alg;
            break;
        case TRANSFORM_PRF:
            out->prf = alg;
            break;
        case TRANSFORM_INTEG:
            out->integ = alg;
            break;
        case TRANSFORM_KE:
            out->ke = alg;
            break;
        case TRANSFORM_SN:
            out->esn = alg->id == 1;
            break;
        }
    }
}

uint8_t gateway_network(struct bytes tsr)
{
    static struct ts_list list;

    sim_require(ts_parse(&list, tsr) == OK, "TSr");
    return list.items[0].start.octets[1];
}

void gateway_write_ts(struct gateway *gateway, struct chain *reply, struct bytes tsi,
                      struct bytes tsr)
{
    static struct ts_list ours;

    sim_require(ts_parse(&ours, tsi) == OK, "TSi");
    if (ours.items[0].start.family == FAMILY_IPV4) {
        /* Narrowed to the address that was assigned. */
        ours.n = 1;
        sim_require(addr_parse(&ours.items[0].start, "10.99.0.5"), "address");
        ours.items[0].end = ours.items[0].start;
    }
    ts_write(reply, P_TSi, &ours);
    sim_require(ts_parse(&ours, tsr) == OK, "TSr");
    if (gateway->config.per_network) {
        ours.n = 1;
    }
    if (gateway->config.wide_ts) {
        ours.n = 1;
        ours.items[0] = (struct ts){.port_high = UINT16_MAX};
        sim_require(addr_parse(&ours.items[0].start, "fe80::") &&
                        addr_parse(&ours.items[0].end, "fe80::ffff"),
                    "address");
    }
    ts_write(reply, P_TSr, &ours);
}
