/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "mobike_peer.h"

#include "vectors.h"

static const struct bytes none;

struct addr move_addr(const char *text)
{
    struct addr addr;

    ck_assert(addr_parse(&addr, text));
    return addr;
}

struct ike_local move_local(const char *text, unsigned rank)
{
    struct addr addr = move_addr(text);

    return (struct ike_local){.addr = addr, .ifindex = 10U + addr.octets[1], .rank = rank};
}

struct path move_pair(const char *local, const char *remote)
{
    return (struct path){.local.addr = move_addr(local),
                         .remote = {.addr = move_addr(remote), .port = IKE_PORT_NATT}};
}

void move_locals(const char *first, const char *second)
{
    struct ike_local set[2];
    size_t n = 0;

    if (first != NULL) {
        set[n++] = move_local(first, 0);
    }
    if (second != NULL) {
        set[n++] = move_local(second, 1);
    }
    ike_set_paths(gw.ike, set, n, gw.now);
    gw_drain();
}

/* ---- the gateway ---- */

static void write_addresses(struct chain *chain, const char *const *addrs)
{
    for (; addrs != NULL && *addrs != NULL; addrs++) {
        struct addr addr = move_addr(*addrs);

        notify_write(chain, 0, none,
                     addr.family == FAMILY_IPV6 ? N_ADDITIONAL_IP6_ADDRESS
                                                : N_ADDITIONAL_IP4_ADDRESS,
                     addr_bytes(&addr));
    }
}

void move_start(const char *local)
{
    struct ike_config config = {.request_ipv4 = true, .mobike = true, .path = gateway_path};

    config.path.local.addr = move_addr(local);
    gw_start_with(config);
    gw.natd = true;
}

void move_finish_auth(const char *const *addrs)
{
    struct chain chain = gw_new_chain();

    gw_write_idr_auth(&chain);
    gw_write_address(&chain);
    gw_write_child(&chain, "aes128gcm16-noesn");
    notify_write(&chain, 0, none, N_MOBIKE_SUPPORTED, none);
    write_addresses(&chain, addrs);
    gw_send_sealed(X_IKE_AUTH, 1, true, &chain);
    gw_drain();
    ck_assert(gw.up);
    gw.n_paths = 0;
}

void move_connect(const char *const *addrs)
{
    move_start(WIFI);
    move_locals(WIFI, NULL);
    gw_until_auth();
    move_finish_auth(addrs);
}

bool move_has(uint16_t type, struct bytes *data)
{
    const struct payload *payload;
    struct notify notify;

    for (size_t i = 0; (payload = message_find(&gw.message, P_NOTIFY, i)) != NULL; i++) {
        ck_assert_int_eq(notify_parse(&notify, payload->body), OK);
        if (notify.type == type) {
            if (data != NULL) {
                *data = notify.data;
            }
            return true;
        }
    }
    return false;
}

void move_check_pair(const struct path *path, const char *local, const char *remote)
{
    char have[ADDR_TEXT_MAX];

    ck_assert_str_eq(addr_text(&path->local.addr, have), local);
    ck_assert_str_eq(addr_text(&path->remote.addr, have), remote);
}

void move_expect_request(const char *local, const char *remote)
{
    gw_expect(X_INFORMATIONAL, false);
    move_check_pair(&gw.path, local, remote);
}

void move_expect_update(const char *local, const char *remote)
{
    move_expect_request(local, remote);
    ck_assert(move_has(N_UPDATE_SA_ADDRESSES, NULL));
    ck_assert(move_has(N_NAT_DETECTION_SOURCE_IP, NULL));
    ck_assert(move_has(N_NAT_DETECTION_DESTINATION_IP, NULL));
    ck_assert(move_has(N_COOKIE2, NULL));
}

bool move_silent(void)
{
    return !gw_pull();
}

void move_seal_answer(uint8_t *out, size_t *len, const char *mapping, uint16_t error)
{
    struct chain chain = gw_new_chain();
    struct path seen = {.remote = {.addr = move_addr(mapping), .port = 1234}};
    struct bytes cookie;

    if (error != 0) {
        notify_write(&chain, 0, none, error, none);
    } else {
        ck_assert_int_eq(natd_write(&chain, gw.sa.spi_i, gw.sa.spi_r, &seen), OK);
    }
    if (move_has(N_COOKIE2, &cookie)) {
        notify_write(&chain, 0, none, N_COOKIE2, cookie);
    }
    *len = gw_sealed(out, 1024, X_INFORMATIONAL, gw.message.header.message_id, true, &chain);
}

void move_answer_as(const char *mapping, uint16_t error)
{
    uint8_t out[1024];
    size_t len;

    move_seal_answer(out, &len, mapping, error);
    gw_deliver_from(&gw.path, out, len);
    gw_drain();
}

void move_answer(void)
{
    move_answer_as("203.0.113.7", 0);
}

void move_later(uint64_t us)
{
    gw_tick_at(gw.now + us);
    gw_drain();
}

void move_pass(uint64_t us)
{
    uint64_t until = gw.now + us;

    while (ike_deadline(gw.ike) < until) {
        move_later(ike_deadline(gw.ike) - gw.now);
        while (gw_pull()) {
            ck_assert_uint_eq(gw.len, 1);
        }
    }
    move_later(until - gw.now);
}

size_t move_pairs_sent(struct path *out, size_t cap)
{
    size_t n = 0;

    while (gw_pull()) {
        if (n < cap) {
            out[n] = gw.path;
        }
        n++;
    }
    return n;
}
