/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ike_gateway.h"

#include <stdio.h>

#include "crypto/ke.h"
#include "vectors.h"

struct gateway gw;

/* ID payload of "vpn.example.org" */
static const char default_idr[] = "\2\0\0\0vpn.example.org";

const struct path gateway_path = {
    .remote = {.addr = {.family = FAMILY_IPV4, .octets = {192, 0, 2, 1}}, .port = IKE_PORT},
};

void gw_start_with(struct ike_config config)
{
    struct proposal_list esp;
    struct bytes at;
    const char *why;
    static struct proposal_list ike;

    memset(&gw, 0, sizeof gw);
    gw.psk = PSK_TEXT;
    gw.fragments = true;
    gw.now = 1000000;
    gw.rng = rng_from_seed(&gw.seeds[0], 1);
    ck_assert(
        proposal_parse(&ike, PROTO_IKE, "aes128gcm16-prfsha256-x25519-ecp256", false, &at, &why));
    ck_assert(proposal_parse(&esp, PROTO_ESP, "aes128gcm16-noesn", false, &at, &why));
    if (config.path.remote.addr.family == FAMILY_NONE) {
        config.path = gateway_path;
    }
    config.ike = &ike;
    config.esp = &esp;
    if (config.eap.methods == NULL && config.credential == NULL) {
        config.auth = IKE_AUTH_PSK;
        config.psk = bytes_of_string(PSK_TEXT);
    }
    if (config.local_id.type == ID_NONE) {
        ck_assert(id_parse(&config.local_id, "alice"));
    }
    if (config.remote_id.type == ID_NONE) {
        ck_assert(id_parse(&config.remote_id, "vpn.example.org"));
    }
    config.trace = true;
    config.rng = rng_from_seed(&gw.seeds[1], 2);
    ck_assert_int_eq(ike_new(&gw.ike, &config, gw.now), OK);
}

void gw_start(void)
{
    gw_start_with((struct ike_config){.request_ipv4 = true});
}

void gw_finish(void)
{
    ike_free(gw.ike);
    ike_ticket_free(&gw.ticket);
    gw.sa.request.busy = false;
    ike_sa_free(&gw.sa);
    secret_free(&gw.init_request);
    secret_free(&gw.init_response);
    secret_free(&gw.idi);
}

/* ---- the wire ---- */

bool gw_pull(void)
{
    ssize_t n = ike_output(gw.ike, &gw.path, gw.datagram, sizeof gw.datagram, gw.now);

    gw.len = (size_t)n;
    return n > 0;
}

/* Takes the client's next message and opens it. */
void gw_expect(uint8_t exchange, bool response)
{
    ck_assert_msg(gw_pull(), "the client sends nothing");
    gw_open(exchange, response);
}

void gw_open(uint8_t exchange, bool response)
{
    uint8_t inner;
    uint8_t unknown;
    struct bytes plain;

    ck_assert_int_eq(message_parse(&gw.message, bytes_of(gw.datagram, gw.len), &inner, &unknown),
                     OK);
    ck_assert_uint_eq(gw.message.header.exchange, exchange);
    ck_assert_uint_eq(gw.message.header.flags,
                      (response ? 0x20U : 0U) | (gw.sa.initiator ? 0U : 0x08U));
    if (exchange == X_IKE_SA_INIT || exchange == X_IKE_SESSION_RESUME) {
        return;
    }
    ck_assert_int_eq(
        message_open(gw.datagram, gw.len, message_find(&gw.message, P_SK, 0), gw.sa.in, &plain),
        OK);
    gw.message.n_payloads = 0;
    gw.message.present = 0;
    ck_assert_int_eq(message_parse_chain(&gw.message, inner, plain, &unknown), OK);
}

void gw_deliver_from(const struct path *path, const uint8_t *octets, size_t len)
{
    ike_input(gw.ike, path, bytes_of(octets, len), gw.now);
}

void gw_deliver(const uint8_t *octets, size_t len)
{
    struct path path = gateway_path;

    path.remote.port = gw.path.remote.port;
    gw_deliver_from(&path, octets, len);
}

struct ike_header gw_header(uint8_t exchange, uint32_t id, bool response)
{
    return (struct ike_header){
        .spi_i = gw.sa.spi_i,
        .spi_r = gw.sa.spi_r,
        .version = IKE_VERSION,
        .exchange = exchange,
        .flags = (uint8_t)((response ? IKE_FLAG_RESPONSE : 0U) |
                           (gw.sa.initiator ? IKE_FLAG_INITIATOR : 0U)),
        .message_id = id,
    };
}

size_t gw_sealed(uint8_t *out, size_t cap, uint8_t exchange, uint32_t id, bool response,
                 const struct chain *chain)
{
    const struct ike_header h = gw_header(exchange, id, response);
    size_t len = message_seal(&h, chain, gw.sa.out, gw.sa.sealed++, out, cap);

    ck_assert_uint_gt(len, 0);
    return len;
}

void gw_send_sealed(uint8_t exchange, uint32_t id, bool response, const struct chain *chain)
{
    uint8_t out[4096];

    gw_deliver(out, gw_sealed(out, sizeof out, exchange, id, response, chain));
}

/* What a datapath would hold. */
static void datapath_event(const struct ike_event *event)
{
    size_t kept = 0;

    if (event->type == IKE_EVENT_CHILD_UP) {
        ck_assert_uint_lt(gw.n_inbound, sizeof gw.inbound / sizeof gw.inbound[0]);
        gw.inbound[gw.n_inbound++] = event->child->spi_in;
    }
    if ((event->type == IKE_EVENT_CHILD_UP && !event->held) || event->type == IKE_EVENT_CHILD_OUT) {
        ck_assert_uint_gt(event->child->out_encr.len, 0);
        gw.outbound = event->child->spi_out;
    }
    if (event->type == IKE_EVENT_CHILD_DOWN) {
        for (size_t i = 0; i < gw.n_inbound; i++) {
            if (gw.inbound[i] != event->spi_in) {
                gw.inbound[kept++] = gw.inbound[i];
            }
        }
        ck_assert_uint_eq(kept + 1, gw.n_inbound);
        gw.n_inbound = kept;
    }
}

void gw_drain(void)
{
    struct ike_event event;

    while (ike_next_event(gw.ike, &event)) {
        datapath_event(&event);
        if (event.type == IKE_EVENT_CHILD_UP) {
            gw.up = true;
            gw.net = *event.net;
            gw.child_spi_out = event.child->spi_out;
            ck_assert_uint_le(event.child->in_encr.len, sizeof gw.child_key);
            memcpy(gw.child_key, event.child->in_encr.data, event.child->in_encr.len);
            gw.child_in_key = bytes_of(gw.child_key, event.child->in_encr.len);
            memcpy(gw.child_out_key, event.child->out_encr.data, event.child->out_encr.len);
        } else if (event.type == IKE_EVENT_DOWN) {
            gw.down = true;
            gw.reason = event.reason;
            gw.retry = event.retry;
            strcpy(gw.detail, event.text);
            if (event.untrusted != NULL) {
                gw.untrusted = *event.untrusted;
            }
        } else if (event.type == IKE_EVENT_SECRET) {
            gw.asked = event.secret;
        } else if (event.type == IKE_EVENT_MTU) {
            gw.mtu = event.mtu;
            gw.mtu_passed = event.passed;
        } else if (event.type == IKE_EVENT_TICKET) {
            gw.n_tickets++;
            ike_ticket_free(&gw.ticket);
            ck_assert(event.ticket == NULL || ike_ticket_copy(&gw.ticket, event.ticket));
        } else if (event.type == IKE_EVENT_PATH) {
            gw.n_paths++;
            gw.esp_path = event.path;
        } else if (event.type == IKE_EVENT_PATH_LOST) {
            gw.n_lost++;
        } else if (event.type == IKE_EVENT_REDIRECT) {
            gw.n_redirects++;
            ck_assert_uint_lt(strlen(event.text), sizeof gw.redirect);
            strcpy(gw.redirect, event.text);
        } else if (event.type == IKE_EVENT_REAUTH) {
            gw.n_reauths++;
        }
    }
}

void gw_expect_down(enum reason reason)
{
    gw_drain();
    ck_assert(gw.down);
    ck_assert_int_eq(gw.reason, reason);
}

void gw_tick_at(uint64_t at)
{
    gw.now = at;
    ike_tick(gw.ike, at);
}

/* ---- the gateway's side of the handshake ---- */

void gw_send_notify_init(uint16_t type, struct bytes data)
{
    uint8_t buffer[256];
    uint8_t out[512];
    struct chain chain = chain_of(buffer, sizeof buffer);
    struct ike_header h = gw_header(X_IKE_SA_INIT, 0, true);

    h.spi_i = gw.message.header.spi_i;
    h.spi_r = 0;
    notify_write(&chain, 0, (struct bytes){0}, type, data);
    gw_deliver(out, message_write(&h, &chain, out, sizeof out));
}

static void keys_of(struct ke *ke, struct bytes peer)
{
    struct secret shared = {0};
    struct key_seed seed = {
        .ni = secret_bytes(&gw.sa.ni),
        .nr = bytes_of(gw.nonce, sizeof gw.nonce),
        .spi_i = gw.sa.spi_i,
        .spi_r = gw.sa.spi_r,
    };

    ck_assert_int_eq(ke_shared(ke, peer, &shared), OK);
    ck_assert_int_eq(ike_keys_derive(&gw.sa.keys, &gw.sa.suite, &seed, secret_bytes(&shared)), OK);
    ck_assert_int_eq(crypt_new(&gw.sa.in, gw.sa.suite.encr, NULL, secret_bytes(&gw.sa.keys.ei),
                               (struct bytes){0}),
                     OK);
    ck_assert_int_eq(crypt_new(&gw.sa.out, gw.sa.suite.encr, NULL, secret_bytes(&gw.sa.keys.er),
                               (struct bytes){0}),
                     OK);
    secret_free(&shared);
}

/* SAr1, KEr, Nr <-- for the request in gw.message */
void gw_answer_init(const char *group)
{
    static uint8_t buffer[2048];
    static uint8_t out[4096];
    struct chain chain = chain_of(buffer, sizeof buffer);
    struct proposal_list choice;
    struct ke_payload peer;
    struct ke *ke;
    struct ike_header h;
    struct bytes at;
    const char *why;
    char text[64];
    size_t len;

    (void)snprintf(text, sizeof text, "aes128gcm16-prfsha256-%s", group);
    ck_assert(proposal_parse(&choice, PROTO_IKE, text, false, &at, &why));
    gw.sa.suite = (struct suite){
        .encr = alg_find_name(bytes_of_string("aes128gcm16")),
        .prf = alg_find_name(bytes_of_string("prfsha256")),
        .ke = alg_find_name(bytes_of_string(group)),
    };
    gw.sa.spi_i = gw.message.header.spi_i;
    gw.sa.spi_r = 0x1122334455667788;
    ck_assert(secret_set(&gw.sa.ni, message_find(&gw.message, P_NONCE, 0)->body));
    ck_assert_int_eq(rng_fill(&gw.rng, gw.nonce, sizeof gw.nonce), OK);
    ck_assert_int_eq(ke_parse(&peer, message_find(&gw.message, P_KE, 0)->body), OK);
    ck_assert_uint_eq(peer.group, gw.sa.suite.ke->id);
    ck_assert_int_eq(ke_new(&ke, gw.sa.suite.ke, &gw.rng), OK);
    sa_write(&chain, &choice, (struct bytes){0});
    ke_write(&chain, peer.group, ke_public(ke));
    chain_add(&chain, P_NONCE, bytes_of(gw.nonce, sizeof gw.nonce));
    notify_write(&chain, 0, (struct bytes){0}, N_SIGNATURE_HASH_ALGORITHMS,
                 bytes_of("\0\2\0\3\0\4\0\5", 8));
    if (gw.fragments) {
        notify_write(&chain, 0, (struct bytes){0}, N_FRAGMENTATION_SUPPORTED, (struct bytes){0});
    }
    if (gw.childless) {
        notify_write(&chain, PROTO_IKE, (struct bytes){0}, N_CHILDLESS_IKEV2_SUPPORTED,
                     (struct bytes){0});
    }
    if (gw.natd) {
        ck_assert_int_eq(natd_write(&chain, gw.sa.spi_i, gw.sa.spi_r, &gw.path), OK);
    }
    h = gw_header(X_IKE_SA_INIT, 0, true);
    len = message_write(&h, &chain, out, sizeof out);
    ck_assert(secret_set(&gw.init_request, bytes_of(gw.datagram, gw.len)));
    ck_assert(secret_set(&gw.init_response, bytes_of(out, len)));
    keys_of(ke, peer.data);
    ke_free(ke);
    gw_deliver(out, len);
}

void gw_client_octets(struct secret *out)
{
    ck_assert_int_eq(auth_octets(out, gw.sa.suite.prf, secret_bytes(&gw.init_request),
                                 bytes_of(gw.nonce, sizeof gw.nonce), secret_bytes(&gw.sa.keys.pi),
                                 secret_bytes(&gw.idi)),
                     OK);
}

void gw_check_shared_auth(struct bytes secret)
{
    struct auth_payload auth;
    struct secret octets = {0};
    uint8_t mac[PRF_MAX];

    ck_assert_int_eq(auth_parse(&auth, message_find(&gw.message, P_AUTH, 0)->body), OK);
    gw_client_octets(&octets);
    ck_assert_int_eq(auth_shared_key(gw.sa.suite.prf, secret, secret_bytes(&octets), mac), OK);
    ck_assert_uint_eq(auth.method, AUTH_METHOD_PSK);
    ck_assert_octets(auth.data, bytes_of(mac, 32));
    secret_free(&octets);
}

static struct bytes idr(void)
{
    return gw.idr.len > 0 ? gw.idr : bytes_of(default_idr, sizeof default_idr - 1);
}

void gw_write_idr(struct chain *chain)
{
    chain_add(chain, P_IDr, idr());
}

void gw_octets(struct secret *out)
{
    ck_assert_int_eq(auth_octets(out, gw.sa.suite.prf, secret_bytes(&gw.init_response),
                                 secret_bytes(&gw.sa.ni), secret_bytes(&gw.sa.keys.pr), idr()),
                     OK);
}

void gw_write_shared_auth(struct chain *chain, struct bytes secret)
{
    struct secret octets = {0};
    uint8_t mac[PRF_MAX];

    gw_octets(&octets);
    ck_assert_int_eq(auth_shared_key(gw.sa.suite.prf, secret, secret_bytes(&octets), mac), OK);
    auth_write(chain, AUTH_METHOD_PSK, bytes_of(mac, 32));
    secret_free(&octets);
}

void gw_write_idr_auth(struct chain *chain)
{
    gw_write_idr(chain);
    gw_write_shared_auth(chain, bytes_of_string(gw.psk));
}

void gw_write_child(struct chain *chain, const char *suite)
{
    gw_write_child_ts(chain, suite, "10.99.0.0", "10.99.255.255");
}

void gw_write_child_ts(struct chain *chain, const char *suite, const char *first, const char *last)
{
    static const uint8_t spi[] = {0xaa, 0xbb, 0xcc, 0xdd};
    struct proposal_list choice;
    struct ts_list ts = {.n = 1};
    struct bytes at;
    const char *why;

    gw.spi_in = 0xaabbccdd;
    ck_assert(proposal_parse(&choice, PROTO_ESP, suite, false, &at, &why));
    sa_write(chain, &choice, bytes_of(spi, sizeof spi));
    ts.items[0] = (struct ts){.port_high = 65535};
    ck_assert(addr_parse(&ts.items[0].start, "10.77.0.1"));
    ts.items[0].end = ts.items[0].start;
    ts_write(chain, P_TSi, &ts);
    ck_assert(addr_parse(&ts.items[0].start, first));
    ck_assert(addr_parse(&ts.items[0].end, last));
    ts_write(chain, P_TSr, &ts);
}

void gw_write_address(struct chain *chain)
{
    static const uint8_t address[] = {10, 77, 0, 1};

    cp_write_begin(chain, CFG_REPLY);
    cp_write_attr(chain, INTERNAL_IP4_ADDRESS, bytes_of(address, sizeof address));
    chain_end(chain);
}

struct chain gw_new_chain(void)
{
    static uint8_t buffer[8192];

    return chain_of(buffer, sizeof buffer);
}

struct chain gw_large_chain(void)
{
    static uint8_t buffer[IKE_MESSAGE_MAX];

    return chain_of(buffer, sizeof buffer);
}

void gw_send_large(uint8_t exchange, uint32_t id, bool response, const struct chain *chain)
{
    static uint8_t out[IKE_MESSAGE_MAX];
    size_t len = gw_sealed(out, sizeof out, exchange, id, response, chain);
    uint8_t *exact = g_memdup2(out, len); /* for the sanitizer */

    gw_deliver(exact, len);
    g_free(exact);
    gw_drain();
}

/* IKE_SA_INIT, and the client's IKE_AUTH request taken */
void gw_until_request(void)
{
    struct reader r;

    gw_expect(X_IKE_SA_INIT, false);
    gw_answer_init("x25519");
    gw_expect(X_IKE_AUTH, false);
    ck_assert_uint_eq(gw.path.remote.port, IKE_PORT_NATT);
    ck_assert(secret_set(&gw.idi, message_find(&gw.message, P_IDi, 0)->body));
    if (message_find(&gw.message, P_SA, 0) == NULL) {
        ck_assert(gw.childless);
        return;
    }
    r = reader_of(message_find(&gw.message, P_SA, 0)->body);
    ck_assert(sa_next(&r, &gw.offer));
    r = reader_of(gw.offer.spi);
    gw.spi_out = rd_u32(&r);
}

void gw_until_auth(void)
{
    gw_until_request();
    gw_check_shared_auth(bytes_of_string(PSK_TEXT));
}

void gw_connect_with(uint16_t type, struct bytes data)
{
    gw.announces = type;
    gw.announced = data;
    gw_connect_tunnel();
}

void gw_connect_tunnel(void)
{
    struct chain chain = gw_new_chain();

    gw_until_auth();
    gw_write_idr_auth(&chain);
    gw_write_address(&chain);
    gw_write_child(&chain, "aes128gcm16-noesn");
    if (gw.announces != 0) {
        notify_write(&chain, 0, (struct bytes){0}, gw.announces, gw.announced);
    }
    gw_send_sealed(X_IKE_AUTH, 1, true, &chain);
    gw_drain();
    ck_assert(gw.up);
}

bool gw_has_notify(uint16_t type)
{
    struct notify notify;

    return notify_find(&gw.message, type, &notify);
}

struct notify gw_notify_in(uint16_t type)
{
    struct notify notify;

    ck_assert_msg(notify_find(&gw.message, type, &notify), "notify %u is missing", type);
    return notify;
}

void gw_notify(uint32_t id, uint16_t type, struct bytes data)
{
    struct chain chain = gw_new_chain();

    notify_write(&chain, 0, (struct bytes){0}, type, data);
    gw_send_sealed(X_INFORMATIONAL, id, false, &chain);
    gw_expect(X_INFORMATIONAL, true);
    ck_assert_uint_eq(gw.message.n_payloads, 0);
    gw_drain();
}

void gw_expect_delete(void)
{
    struct delete_payload del;

    gw_expect(X_INFORMATIONAL, false);
    ck_assert_int_eq(delete_parse(&del, message_find(&gw.message, P_DELETE, 0)->body), OK);
    ck_assert_uint_eq(del.protocol, PROTO_IKE);
}

void gw_answer_empty(uint32_t id)
{
    struct chain chain = gw_new_chain();

    gw_send_sealed(X_INFORMATIONAL, id, true, &chain);
    gw_drain();
}
