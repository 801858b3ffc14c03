/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "auth_gateway.h"
#include "ticket_peer.h"
#include "vectors.h"

/* Tickets for the next time (RFC 5723 4.1, 6.2): asked for, kept, void. */

#define SECOND "another one"

static const struct bytes none;

/* ---- asking for one ---- */

static const struct {
    uint32_t lifetime_s;
    size_t len;
} bad_tickets[] = {{0, 16}, {60, 0}, {60, TICKET_MAX + 1}};

START_TEST(tickets_that_are_no_use)
{
    static uint8_t data[4 + TICKET_MAX + 1], out[16384];
    struct writer w = writer_of(data, sizeof data);
    struct chain chain;

    gw_start();
    gw_until_auth();
    chain = gw_new_chain();
    gw_write_idr_auth(&chain);
    gw_write_address(&chain);
    gw_write_child(&chain, "aes128gcm16-noesn");
    wr_u32(&w, bad_tickets[_i].lifetime_s);
    wr_zeros(&w, bad_tickets[_i].len);
    notify_write(&chain, 0, none, N_TICKET_LT_OPAQUE, wr_written(&w));
    notify_write(&chain, 0, none, N_TICKET_LT_OPAQUE, bytes_of("\0\0\1", 3));
    gw_deliver(out, gw_sealed(out, sizeof out, X_IKE_AUTH, 1, true, &chain));
    gw_drain();
    ck_assert(gw.up);
    ck_assert_uint_eq(gw.n_tickets, 0);
    gw_finish();
}
END_TEST

/* Until the client's next request, not counting keepalives; how many seconds that took. */
static unsigned wait_for_request(unsigned at_most_s)
{
    uint64_t began = gw.now;

    while (gw.now < began + at_most_s * 1000 * MS) {
        gw_tick_at(ike_deadline(gw.ike));
        while (gw_pull()) {
            if (gw.len > 1) {
                struct message *m = &gw.message;
                struct bytes plain;
                uint8_t inner, unknown;

                ck_assert_int_eq(message_parse(m, bytes_of(gw.datagram, gw.len), &inner, &unknown),
                                 OK);
                ck_assert_int_eq(
                    message_open(gw.datagram, gw.len, message_find(m, P_SK, 0), gw.sa.in, &plain),
                    OK);
                m->n_payloads = 0;
                m->present = 0;
                ck_assert_int_eq(message_parse_chain(m, inner, plain, &unknown), OK);
                return (unsigned)((gw.now - began) / (1000 * MS));
            }
        }
    }
    return at_most_s;
}

/* TICKET_ACK: later, in an exchange of its own. */
START_TEST(put_off)
{
    struct chain chain = gw_new_chain();

    gw_start();
    ticket_peer_connect(N_TICKET_ACK);
    ck_assert_uint_eq(wait_for_request(60), 5);
    ck_assert_uint_eq(gw.message.header.exchange, X_INFORMATIONAL);
    ticket_peer_check_asked();
    ticket_peer_write(&chain, LIFETIME_S, TICKET);
    gw_send_sealed(X_INFORMATIONAL, 2, true, &chain);
    gw_drain();
    ck_assert_octets(secret_bytes(&gw.ticket.opaque), bytes_of_string(TICKET));
    ck_assert_octets(secret_bytes(&gw.ticket.sk_d), secret_bytes(&gw.sa.keys.d));
    gw_finish();
}
END_TEST

/* 0 = refused, 1 = no word about it: never again of itself */
START_TEST(refused_ticket)
{
    gw_start();
    ticket_peer_connect(_i == 0 ? N_TICKET_NACK : 0);
    ck_assert_uint_eq(gw.n_tickets, 0);
    ck_assert_uint_eq(wait_for_request(1200), 1200);
    gw_finish();
}
END_TEST

START_TEST(renewed_before_it_expires)
{
    struct chain chain = gw_new_chain();

    gw_start();
    gw_until_auth();
    gw_write_idr_auth(&chain);
    gw_write_address(&chain);
    gw_write_child(&chain, "aes128gcm16-noesn");
    ticket_peer_write(&chain, 1000, TICKET);
    gw_send_sealed(X_IKE_AUTH, 1, true, &chain);
    gw_drain();
    ck_assert_uint_eq(wait_for_request(2000), 750);
    ticket_peer_check_asked();
    chain = gw_new_chain();
    ticket_peer_write(&chain, 1000, SECOND);
    gw_send_sealed(X_INFORMATIONAL, 2, true, &chain);
    gw_drain();
    ck_assert_octets(secret_bytes(&gw.ticket.opaque), bytes_of_string(SECOND));
    gw_finish();
}
END_TEST

/* ---- the end of the IKE SA is the end of its ticket (RFC 5723 6.2) ---- */

START_TEST(deleted_with_the_ike_sa)
{
    struct chain chain = gw_new_chain();

    gw_start();
    ticket_peer_connect(N_TICKET_LT_OPAQUE);
    if (_i == 0) {
        delete_write(&chain, PROTO_IKE, NULL, 0);
        gw_send_sealed(X_INFORMATIONAL, 0, false, &chain);
    } else {
        ike_disconnect(gw.ike, gw.now);
        gw_expect_delete();
        gw_answer_empty(2);
    }
    gw_drain();
    ck_assert(gw.down);
    ck_assert_uint_eq(gw.n_tickets, 2);
    ck_assert_uint_eq(gw.ticket.opaque.len, 0);
    gw_finish();
}
END_TEST

START_TEST(kept_when_the_gateway_is_lost)
{
    gw_start();
    ticket_peer_connect(N_TICKET_LT_OPAQUE);
    ike_rekey_child(gw.ike, 0, gw.now);
    for (unsigned i = 0; i < 100 && !gw.down; i++) {
        while (gw_pull()) {
        }
        gw_tick_at(ike_deadline(gw.ike));
        gw_drain();
    }
    ck_assert_int_eq(gw.reason, REASON_GATEWAY_LOST);
    ck_assert_octets(secret_bytes(&gw.ticket.opaque), bytes_of_string(TICKET));
    gw_finish();
}
END_TEST

/* Whatever is imported, it is whole or refused. */
START_TEST(import_of_anything)
{
    struct secret octets = {0};
    struct ike_ticket back;

    ticket_peer_get();
    ck_assert_int_eq(ike_ticket_export(&ticket_peer.kept, &octets), OK);
    for (size_t len = 0; len < octets.len; len++) {
        uint8_t *copy = octets_copy(bytes_of(octets.data, len));

        ck_assert_int_ne(ike_ticket_import(&back, bytes_of(copy, len)), OK);
    }
    for (size_t at = 0; at < octets.len; at++) {
        octets.data[at] ^= 0x41;
        if (ike_ticket_import(&back, secret_bytes(&octets)) == OK) {
            ck_assert_ptr_nonnull(back.suite.encr);
            ck_assert_uint_eq(back.sk_d.len, prf_len(back.suite.prf));
        }
        ike_ticket_free(&back);
        octets.data[at] ^= 0x41;
    }
    secret_free(&octets);
    ticket_peer_forget();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("ike tickets");
    TCase *tcase = tcase_create("tickets");

    tcase_add_unchecked_fixture(tcase, auth_pki_make, auth_pki_free);
    tcase_add_loop_test(tcase, tickets_that_are_no_use, 0,
                        sizeof bad_tickets / sizeof bad_tickets[0]);
    tcase_add_test(tcase, put_off);
    tcase_add_loop_test(tcase, refused_ticket, 0, 2);
    tcase_add_test(tcase, renewed_before_it_expires);
    tcase_add_loop_test(tcase, deleted_with_the_ike_sa, 0, 2);
    tcase_add_test(tcase, kept_when_the_gateway_is_lost);
    tcase_add_test(tcase, import_of_anything);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
