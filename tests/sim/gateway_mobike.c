/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/gateway.h"

/* MOBIKE (RFC 4555) as the responder, conforming or not. */

#define COOKIE_LEN 24

static const struct bytes none;

static bool find(const struct message *message, uint16_t type, struct bytes *data)
{
    const struct payload *payload;
    struct notify notify;

    for (size_t i = 0; (payload = message_find(message, P_NOTIFY, i)) != NULL; i++) {
        if (notify_parse(&notify, payload->body) == OK && notify.type == type) {
            *data = notify.data;
            return true;
        }
    }
    return false;
}

void gateway_mobike_first(struct gateway *gateway, const struct message *message)
{
    struct bytes data;

    gateway->mobike = gateway->config.mobike && find(message, N_MOBIKE_SUPPORTED, &data);
}

static void write_addresses(const struct gateway *gateway, struct chain *chain,
                            const struct addr *source)
{
    for (size_t i = 0; i < GATEWAY_ADDRESSES_MAX && gateway->config.addresses[i] != NULL; i++) {
        struct addr addr = {0};

        sim_require(addr_parse(&addr, gateway->config.addresses[i]), "an address");
        if (source == NULL || !addr_equal(&addr, source)) {
            notify_write(chain, 0, none,
                         addr.family == FAMILY_IPV6 ? N_ADDITIONAL_IP6_ADDRESS
                                                    : N_ADDITIONAL_IP4_ADDRESS,
                         addr_bytes(&addr));
        }
    }
}

void gateway_mobike_answer(struct gateway *gateway, struct chain *reply)
{
    if (gateway->mobike) {
        notify_write(reply, 0, none, N_MOBIKE_SUPPORTED, none);
        write_addresses(gateway, reply, &gateway->ike_path.local.addr);
    }
}

static void echo_cookie(struct gateway *gateway, struct bytes cookie, struct chain *reply)
{
    uint8_t copy[64];

    if (cookie.len < 8 || cookie.len > sizeof copy) {
        gateway_complain(gateway, "COOKIE2 of %zu octets", cookie.len);
        return;
    }
    memcpy(copy, cookie.data, cookie.len);
    copy[0] ^= gateway->config.cookie2 == GATEWAY_COOKIE2_WRONG ? 1 : 0;
    if (gateway->config.cookie2 != GATEWAY_COOKIE2_MISSING) {
        notify_write(reply, 0, none, N_COOKIE2, bytes_of(copy, cookie.len));
    }
}

static void update(struct gateway *gateway, struct chain *reply)
{
    uint16_t error = gateway->updates < GATEWAY_REFUSALS_MAX
                         ? gateway->config.refuse_update[gateway->updates]
                         : 0;

    gateway->updates++;
    if (error != 0) {
        notify_write(reply, 0, none, error, none);
        return;
    }
    gateway->ike_path = gateway->path;
    gateway->n_tells_from = 0;
    if (gateway->config.checks_routability) {
        gateway->check_due = true;
    } else {
        gateway->esp_path = gateway->path;
    }
}

void gateway_mobike_request(struct gateway *gateway, struct gateway_sa *sa,
                            const struct message *message, struct chain *reply)
{
    struct bytes data;
    bool natd = find(message, N_NAT_DETECTION_SOURCE_IP, &data) &&
                find(message, N_NAT_DETECTION_DESTINATION_IP, &data);

    if (!gateway->mobike) {
        if (find(message, N_UPDATE_SA_ADDRESSES, &data)) {
            gateway_complain(gateway, "UPDATE_SA_ADDRESSES without MOBIKE");
        }
        return;
    }
    if (find(message, N_UPDATE_SA_ADDRESSES, &data)) {
        if (!natd) {
            gateway_complain(gateway, "UPDATE_SA_ADDRESSES without NAT detection");
        }
        /* One that has been replaced moves nothing any more. */
        if (sa->state == GATEWAY_SA_UP) {
            update(gateway, reply);
        }
    }
    if (natd) {
        gateway_write_nat_detection(gateway, sa, reply);
    }
    if (find(message, N_COOKIE2, &data)) {
        echo_cookie(gateway, data, reply);
    }
}

void gateway_mobike_run(struct gateway *gateway)
{
    uint8_t buffer[64];
    struct chain chain = chain_of(buffer, sizeof buffer);

    if (!gateway->check_due || gateway->phase != GATEWAY_UP || gateway->sa->request != NULL) {
        return;
    }
    sim_require(rng_fill(&gateway->rng, gateway->sa->check, COOKIE_LEN) == OK, "a cookie");
    notify_write(&chain, 0, none, N_COOKIE2, bytes_of(gateway->sa->check, COOKIE_LEN));
    if (gateway_send_request(gateway, gateway->sa, X_INFORMATIONAL, &chain)) {
        gateway->check_due = false;
        gateway->sa->ask = GATEWAY_ASK_ROUTABILITY;
    }
}

void gateway_mobike_answered(struct gateway *gateway, const struct gateway_sa *sa,
                             const struct message *message)
{
    struct bytes data;

    if (!find(message, N_COOKIE2, &data) || !bytes_equal(data, bytes_of(sa->check, COOKIE_LEN))) {
        gateway_complain(gateway, "COOKIE2 does not come back");
    }
    gateway->esp_path = gateway->ike_path;
}

/* RFC 4555 3.6: it does not know which of them the client can be reached from, unless the client
 * has told meanwhile. */
void gateway_tell_from_next(struct gateway *gateway)
{
    struct addr *local = &gateway->ike_path.local.addr;
    size_t next = 0;

    if (gateway->n_tells_from == 0) {
        return;
    }
    for (size_t i = 0; i < gateway->n_tells_from; i++) {
        next = addr_equal(&gateway->tells_from[i], local) ? i + 1 : next;
    }
    *local = gateway->tells_from[next % gateway->n_tells_from];
}

void gateway_told_addresses(struct gateway *gateway)
{
    if (gateway->n_tells_from > 0) {
        gateway->ike_path.local = gateway->path.local;
        gateway->n_tells_from = 0;
    }
}

void gateway_tell_addresses(struct gateway *gateway, const struct addr *addrs, size_t n,
                            uint64_t now)
{
    struct gateway_sa *sa = gateway->sa;
    uint8_t buffer[512];
    struct chain chain = chain_of(buffer, sizeof buffer);
    bool stays = false;

    if (sa->request != NULL) {
        return;
    }
    for (size_t i = 0; i < n; i++) {
        gateway->tells_from[i] = addrs[i];
        stays = stays || addr_equal(&addrs[i], &gateway->ike_path.local.addr);
    }
    gateway->n_tells_from = n;
    if (!stays) {
        gateway_tell_from_next(gateway);
    }
    /* All: what is repeated from elsewhere would lack the one that it was to come from. */
    write_addresses(gateway, &chain, NULL);
    if (chain.n_payloads == 0) {
        notify_write(&chain, 0, none, N_NO_ADDITIONAL_ADDRESSES, none);
    }
    gateway->now = now;
    if (gateway_send_request(gateway, sa, X_INFORMATIONAL, &chain)) {
        sa->ask = GATEWAY_ASK_ADDRESSES;
    }
}
