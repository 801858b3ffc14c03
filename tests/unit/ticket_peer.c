/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ticket_peer.h"

#include "auth_gateway.h"
#include "vectors.h"

struct ticket_peer ticket_peer;

static const struct bytes none;

void ticket_peer_write(struct chain *chain, uint32_t lifetime_s, const char *ticket)
{
    uint8_t data[128];
    struct writer w = writer_of(data, sizeof data);

    wr_u32(&w, lifetime_s);
    wr_bytes(&w, bytes_of_string(ticket));
    notify_write(chain, 0, none, N_TICKET_LT_OPAQUE, wr_written(&w));
}

void ticket_peer_check_asked(void)
{
    struct notify notify;

    ck_assert(notify_find(&gw.message, N_TICKET_REQUEST, &notify));
    ck_assert_uint_eq(notify.protocol, 0);
    ck_assert_uint_eq(notify.spi.len, 0);
    ck_assert_uint_eq(notify.data.len, 0);
}

struct ike_config ticket_peer_psk(void)
{
    return (struct ike_config){.request_ipv4 = true, .wall_clock = PKI_NOW};
}

struct ike_config ticket_peer_eap(const char *user)
{
    static const uint8_t methods[] = {EAP_MSCHAPV2};
    struct ike_config config = ticket_peer_psk();

    config.eap = (struct eap_config){
        .user = user,
        .password = bytes_of_string(PASSWORD),
        .have_password = true,
        .methods = methods,
        .n_methods = 1,
    };
    return config;
}

/* The last response of the handshake in gw, with a notify about the ticket. */
static void establish(uint32_t message_id, struct chain *chain, uint16_t type)
{
    gw_write_address(chain);
    gw_write_child(chain, "aes128gcm16-noesn");
    if (type == N_TICKET_LT_OPAQUE) {
        ticket_peer_write(chain, LIFETIME_S, TICKET);
    } else if (type != 0) {
        notify_write(chain, 0, none, type, none);
    }
    gw_send_sealed(X_IKE_AUTH, message_id, true, chain);
    gw_drain();
    ck_assert(gw.up);
}

void ticket_peer_connect(uint16_t type)
{
    struct chain chain;

    gw_until_auth();
    ticket_peer_check_asked();
    chain = gw_new_chain();
    gw_write_idr_auth(&chain);
    establish(1, &chain, type);
}

static void keep_ticket(void)
{
    ck_assert_octets(secret_bytes(&gw.ticket.opaque), bytes_of_string(TICKET));
    ck_assert(ike_ticket_copy(&ticket_peer.kept, &gw.ticket));
    ck_assert_uint_eq(gw.sa.keys.d.len, sizeof ticket_peer.sk_d);
    memcpy(ticket_peer.sk_d, gw.sa.keys.d.data, sizeof ticket_peer.sk_d);
}

void ticket_peer_get(void)
{
    gw_start();
    ticket_peer_connect(N_TICKET_LT_OPAQUE);
    keep_ticket();
    gw_finish();
}

void ticket_peer_get_by_eap(const char *user)
{
    struct chain chain;

    gw_start_with(ticket_peer_eap(user));
    ike_set_trust(gw.ike, trust);
    gw_until_request();
    ticket_peer_check_asked();
    if (*user == '\0') {
        send_identity_request(gateway_key);
        gw_drain();
        ck_assert_int_eq(gw.asked, EAP_SECRET_USER);
        ike_provide_secret(gw.ike, EAP_SECRET_USER, bytes_of_string(USER), gw.now);
        until_finish_of_identified();
    } else {
        until_finish();
    }
    chain = gw_new_chain();
    gw_write_shared_auth(&chain, bytes_of(msk, sizeof msk));
    establish(5, &chain, N_TICKET_LT_OPAQUE);
    keep_ticket();
    gw_finish();
}

void ticket_peer_forget(void)
{
    ike_ticket_free(&ticket_peer.kept);
}
