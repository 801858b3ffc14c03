/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rekey_peer.h"

#include "vectors.h"

/* Ladders of rekeying, one side at a time (RFC 7296 1.3, 2.8, 2.18). */

#define ESP "aes128gcm16-noesn"
#define COUNT(array) ((int)(sizeof(array) / sizeof(array)[0]))

/* ---- the gateway rekeys the Child SA ---- */

static const struct {
    const char *esp, *group;
    uint16_t refusal;
} offers[] = {
    {ESP, NULL, 0},
    {"aes128gcm16-x25519-noesn", "x25519", 0},
    {"aes128gcm16-ecp256-noesn", "ecp256", 0},
    {"aes256gcm16-noesn,aes128gcm16-noesn", NULL, 0},
    /* the value is of one group, but only another one is acceptable */
    {"aes128gcm16-x25519-noesn", "modp2048", N_INVALID_KE_PAYLOAD},
    {"aes128gcm16-x25519-noesn", NULL, N_INVALID_KE_PAYLOAD},
    {"aes256gcm16-noesn", NULL, N_NO_PROPOSAL_CHOSEN},
    {"aes128-sha256-noesn", NULL, N_NO_PROPOSAL_CHOSEN},
    {"aes128gcm16-modp3072-noesn", "modp3072", N_NO_PROPOSAL_CHOSEN},
};

START_TEST(child_rekeyed_by_gateway)
{
    uint32_t made;

    peer_start();
    peer_ask_child(PEER_FIRST_SPI, NEW_SPI, LOW, offers[_i].esp, offers[_i].group);
    if (offers[_i].refusal != 0) {
        peer_expect_notify(X_CREATE_CHILD_SA, offers[_i].refusal);
        peer_check_alive(PEER_FIRST_SPI, 1);
        peer_finish();
        return;
    }
    made = peer_child_answered();
    peer_check_child(made);
    /* it receives along both, and sends along the old one until the gateway shows that it is ready
     */
    peer_check_alive(PEER_FIRST_SPI, 2);
    peer_delete_child(PEER_FIRST_SPI);
    peer_child_deleted(peer.first_child);
    peer_check_alive(NEW_SPI, 2);
    peer_finish_with(NEW_SPI);
}
END_TEST

START_TEST(child_rekeyed_by_gateway_that_forgets_the_delete)
{
    (void)peer_start_rekeyed();
    /* Its repetitions must be over. */
    peer_wait(30);
    peer_check_alive(NEW_SPI, 2);
    peer_wait(60);
    peer_finish_replaced(NEW_SPI);
}
END_TEST

/* Its Delete could not come; it is as ready as it was. */
START_TEST(child_rekeyed_by_gateway_before_we_are_offline)
{
    const struct ike_local local = {.addr = gateway_path.local.addr};

    peer_start();
    ike_set_paths(gw.ike, &local, 1, gw.now);
    peer_ask_child(PEER_FIRST_SPI, NEW_SPI, LOW, ESP, NULL);
    peer_child_answered();
    ike_set_paths(gw.ike, NULL, 0, gw.now);
    peer_wait(90);
    ck_assert_uint_eq(gw.outbound, PEER_FIRST_SPI);
    ike_set_paths(gw.ike, &local, 1, gw.now);
    gw_expect(X_INFORMATIONAL, false);
    gw_answer_empty(gw.message.header.message_id);
    peer_wait(29);
    peer_check_alive(PEER_FIRST_SPI, 2);
    peer_wait(2);
    peer_check_alive(NEW_SPI, 2);
    peer_wait(30);
    peer_finish_replaced(NEW_SPI);
}
END_TEST

/* The gateway sends along the new one: it is ready for ours. */
START_TEST(child_rekeyed_by_gateway_that_uses_it)
{
    uint32_t made;

    peer_start();
    ike_child_received(gw.ike, peer.first_child, gw.now);
    peer_ask_child(PEER_FIRST_SPI, NEW_SPI, LOW, ESP, NULL);
    made = peer_child_answered();
    ike_child_received(gw.ike, peer.first_child, gw.now);
    peer_check_alive(PEER_FIRST_SPI, 2);
    ike_child_received(gw.ike, made, gw.now);
    peer_check_alive(NEW_SPI, 2);
    ike_child_received(gw.ike, made, gw.now);
    ike_child_received(gw.ike, 0x12345678, gw.now);
    peer_delete_child(PEER_FIRST_SPI);
    peer_child_deleted(peer.first_child);
    peer_finish_with(NEW_SPI);
}
END_TEST

/* What has worn the one out that is still held. */
START_TEST(held_child_rekeyed_before_its_time)
{
    uint32_t made = peer_start_rekeyed();

    ike_rekey_child(gw.ike, made, gw.now);
    gw_drain();
    ck_assert(!gw_pull());
    ike_child_received(gw.ike, made, gw.now);
    peer_take_child();
    ck_assert_uint_eq(peer.asked_rekey, made);
    peer_answer_child(OTHER_SPI, LOW);
    peer_take_delete(made);
    peer_answer_delete(NEW_SPI);
    peer_check_alive(OTHER_SPI, 3);
    peer_finish();
}
END_TEST

static const struct {
    uint64_t wanted;
    const char *esp;
    uint64_t octets;
} volumes[] = {
    {0, "aes256gcm16", UINT64_C(1) << 38},
    {0, "aes128-sha256", UINT64_C(1) << 38},
    {0, "chacha20poly1305", 0},
    {0, "3des-sha256", UINT64_C(1) << 26},
    {1 << 20, "aes256gcm16", 1 << 20},
    {1 << 20, "chacha20poly1305", 1 << 20},
    {UINT64_C(1) << 40, "3des-sha256", 1 << 26},
};

START_TEST(octets_of_a_child)
{
    const struct ike_config config = {.child_octets = volumes[_i].wanted};
    struct proposal_list list;
    struct bytes at = {0};
    const char *why;
    struct suite suite = {0};

    ck_assert(proposal_parse(&list, PROTO_ESP, volumes[_i].esp, true, &at, &why));
    suite.encr = list.items[0].algs[0];
    gw_start_with(config);
    for (unsigned n = 0; n < 20; n++) {
        uint64_t octets = renew_octets(gw.ike, &suite);

        ck_assert_uint_ge(octets, volumes[_i].octets - volumes[_i].octets / 10);
        ck_assert_uint_le(octets, volumes[_i].octets + volumes[_i].octets / 10);
    }
    gw_finish();
}
END_TEST

/* The response is lost: the request comes again and gets the same answer, not another Child SA. */
START_TEST(child_rekey_repeated_by_gateway)
{
    uint32_t made;

    peer_start();
    peer.hold = true;
    peer_ask_child(PEER_FIRST_SPI, NEW_SPI, LOW, ESP, NULL);
    {
        static uint8_t again[sizeof peer.held];

        memcpy(again, peer.held, sizeof again);
        peer_release();
        ck_assert(gw_pull());
        gw_deliver(again, peer.held_len);
    }
    made = peer_child_answered();
    peer_check_child(made);
    peer_check_alive(PEER_FIRST_SPI, 2);
    peer_finish();
}
END_TEST

START_TEST(child_rekeyed_twice_before_any_delete)
{
    uint32_t made = peer_start_rekeyed();

    peer_ask_child(NEW_SPI, OTHER_SPI, LOW, ESP, NULL);
    peer_child_answered();
    peer_delete_child(PEER_FIRST_SPI);
    peer_child_deleted(peer.first_child);
    peer_check_alive(NEW_SPI, 3);
    peer_delete_child(NEW_SPI);
    peer_child_deleted(made);
    peer_check_alive(OTHER_SPI, 3);
    peer_finish_with(OTHER_SPI);
}
END_TEST

/* The gateway could not use what was made: the old one goes on. */
START_TEST(new_child_deleted_by_gateway)
{
    uint32_t made = peer_start_rekeyed();

    peer_delete_child(NEW_SPI);
    peer_child_deleted(made);
    peer_wait(PEER_LINGER_S);
    peer_check_alive(PEER_FIRST_SPI, 1);
    peer_ask_child(PEER_FIRST_SPI, OTHER_SPI, LOW, ESP, NULL);
    peer_child_answered();
    peer_finish();
}
END_TEST

START_TEST(child_requests_that_are_refused)
{
    peer_start();
    peer_ask_child(0x12345678, NEW_SPI, LOW, ESP, NULL);
    peer_expect_notify(X_CREATE_CHILD_SA, N_CHILD_SA_NOT_FOUND);
    peer_ask_child(0, NEW_SPI, LOW, ESP, NULL);
    peer_expect_notify(X_CREATE_CHILD_SA, N_NO_ADDITIONAL_SAS);
    peer_ask_child(PEER_FIRST_SPI, NEW_SPI, LOW, ESP, NULL);
    peer_child_answered();
    /* it has a successor already */
    peer_ask_child(PEER_FIRST_SPI, OTHER_SPI, LOW, ESP, NULL);
    peer_expect_notify(X_CREATE_CHILD_SA, N_TEMPORARY_FAILURE);
    peer_delete_child(PEER_FIRST_SPI);
    peer_child_deleted(peer.first_child);
    peer_ask_child(PEER_FIRST_SPI, OTHER_SPI, LOW, ESP, NULL);
    peer_expect_notify(X_CREATE_CHILD_SA, N_CHILD_SA_NOT_FOUND);
    peer_check_alive(NEW_SPI, 2);
    peer_finish();
}
END_TEST

/* ---- we rekey the Child SA ---- */

START_TEST(child_rekeyed_by_us)
{
    peer_start();
    if (_i == 0) {
        ike_rekey_child(gw.ike, 0, gw.now);
    } else {
        peer_wait_for_request(3600 - 360, 3600 + 360);
    }
    peer_take_child();
    ck_assert_uint_eq(peer.asked_rekey, peer.first_child);
    ck_assert_uint_eq(peer.asked_group, KE_CURVE25519);
    peer_answer_child(NEW_SPI, LOW);
    peer_check_child(peer.asked_spi);
    peer_check_alive(NEW_SPI, 2);
    peer_finish_replaced(NEW_SPI);
}
END_TEST

/* INVALID_KE_PAYLOAD, TS_UNACCEPTABLE and NO_PROPOSAL_CHOSEN are tried another way, each once. */
START_TEST(child_rekey_tried_another_way)
{
    struct ts_list ts;
    struct sa_proposal offer;
    struct reader r;

    peer_start_rekeying();
    peer_answer_notify(N_INVALID_KE_PAYLOAD, bytes_of("\0\x13", 2));
    peer_take_child();
    ck_assert_uint_eq(peer.asked_group, KE_ECP_256);
    ck_assert_int_eq(ts_parse(&ts, message_find(&gw.message, P_TSr, 0)->body), OK);
    ck_assert_uint_eq(ts.items[0].start.octets[1], 99);
    peer_answer_notify(N_TS_UNACCEPTABLE, (struct bytes){0});
    peer_take_child();
    ck_assert_uint_eq(peer.asked_rekey, peer.first_child);
    ck_assert_int_eq(ts_parse(&ts, message_find(&gw.message, P_TSr, 0)->body), OK);
    ck_assert_uint_eq(ts.items[0].end.octets[0], 255);
    peer_answer_notify(N_NO_PROPOSAL_CHOSEN, (struct bytes){0});
    peer_take_child();
    ck_assert_uint_eq(peer.asked_group, 0);
    r = reader_of(message_find(&gw.message, P_SA, 0)->body);
    ck_assert(sa_next(&r, &offer));
    for (size_t i = 0; i < offer.n_transforms; i++) {
        ck_assert_uint_ne(offer.transforms[i].type, TRANSFORM_KE);
    }
    peer_answer_notify(N_NO_PROPOSAL_CHOSEN, (struct bytes){0});
    ck_assert(!gw_pull());
    peer_check_alive(PEER_FIRST_SPI, 1);
    peer_finish();
}
END_TEST

/* The old one is kept; the next attempt comes after a while. */
START_TEST(child_rekey_refused)
{
    static const uint16_t refusals[] = {N_TEMPORARY_FAILURE, N_NO_ADDITIONAL_SAS, 8192};

    peer_start();
    gw.ike->children[0].rekey_at = gw.now;
    peer_wait(0);
    peer_take_child();
    peer_answer_notify(refusals[_i], (struct bytes){0});
    ck_assert(!gw_pull());
    peer_check_alive(PEER_FIRST_SPI, 1);
    peer_wait(3);
    peer_take_child();
    peer_answer_notify(refusals[_i], (struct bytes){0});
    peer_wait(3);
    ck_assert(!gw_pull());
    peer_wait(2);
    peer_take_child();
    peer_answer_child(NEW_SPI, LOW);
    peer_check_alive(NEW_SPI, 2);
    peer_finish();
}
END_TEST

START_TEST(child_that_is_never_renewed_expires)
{
    peer_start();
    for (unsigned i = 0; i < 2000 && !gw.down; i++) {
        peer_wait(10);
        while (gw.ike->sa.request.busy && gw.ike->state == ST_UP) {
            peer_take_child();
            peer_answer_notify(N_TEMPORARY_FAILURE, (struct bytes){0});
        }
    }
    gw_expect_down(REASON_GATEWAY_REFUSED);
    peer_finish();
}
END_TEST

/* RFC 7296 2.25.1: the gateway has lost it; a new one is made. */
START_TEST(child_lost_by_gateway)
{
    peer_start_rekeying();
    peer_answer_notify(N_CHILD_SA_NOT_FOUND, (struct bytes){0});
    peer_take_child();
    ck_assert_uint_eq(peer.asked_rekey, 0);
    peer_answer_child(NEW_SPI, LOW);
    peer_check_child(peer.asked_spi);
    peer_wait(PEER_LINGER_S);
    peer_check_alive(NEW_SPI, 1);
    ck_assert(!gw_pull());
    peer_finish();
}
END_TEST

/* ---- the IKE SA, one side at a time ---- */

START_TEST(ike_rekeyed_by_gateway)
{
    struct ike_sa made;

    peer_start();
    for (uint64_t i = 0; i < 3; i++) {
        peer_ask_ike(IKE_SPI + i, LOW);
        peer_ike_answered(&made);
        peer_delete_ike();
        peer_ike_deleted();
        peer_use(&made);
        ike_sa_free(&made);
        peer_check_alive(PEER_FIRST_SPI, 1);
    }
    /* the Child SA has moved along, and the keys for the next one come from the new IKE SA */
    peer_ask_child(PEER_FIRST_SPI, NEW_SPI, LOW, ESP, NULL);
    peer_check_child(peer_child_answered());
    ike_disconnect(gw.ike, gw.now);
    peer_take_ike_delete();
    gw_drain();
    ck_assert(gw.down);
    peer_finish();
}
END_TEST

START_TEST(ike_rekeyed_by_us)
{
    struct ike_sa made;

    peer_start();
    if (_i == 0) {
        ike_rekey(gw.ike, gw.now);
    } else {
        gw.ike->children[0].rekey_at = IKE_NEVER;
        gw.ike->children[0].expires_at = IKE_NEVER;
        peer_wait_for_request(14400 - 1440, 14400 + 1440);
    }
    peer_take_ike();
    peer_answer_ike(&made, IKE_SPI, LOW);
    peer_take_ike_delete();
    peer_use(&made);
    ike_sa_free(&made);
    peer_check_alive(PEER_FIRST_SPI, 1);
    ike_rekey_child(gw.ike, 0, gw.now);
    peer_take_child();
    ck_assert_uint_eq(gw.message.header.message_id, 0);
    peer_answer_child(NEW_SPI, LOW);
    peer_check_child(peer.asked_spi);
    peer_finish();
}
END_TEST

START_TEST(ike_rekey_refused)
{
    peer_start();
    ike_rekey(gw.ike, gw.now);
    peer_take_ike();
    peer_answer_notify(N_INVALID_KE_PAYLOAD, bytes_of("\0\x13", 2));
    gw_expect(X_CREATE_CHILD_SA, false);
    peer.asked_id = gw.message.header.message_id;
    {
        struct ke_payload ke;

        ck_assert_int_eq(ke_parse(&ke, message_find(&gw.message, P_KE, 0)->body), OK);
        ck_assert_uint_eq(ke.group, KE_ECP_256);
    }
    peer_answer_notify(N_TEMPORARY_FAILURE, (struct bytes){0});
    ck_assert(!gw_pull());
    peer_check_alive(PEER_FIRST_SPI, 1);
    gw.ike->renew_ike.wanted = true;
    peer_wait(3);
    peer_take_ike();
    peer_finish();
}
END_TEST

/* ---- a gateway that lets nothing be rekeyed (RFC 7296 4) ---- */

static void refuse_rekeying(bool ike, uint16_t type)
{
    if (ike) {
        peer_take_ike();
    } else {
        peer_take_child();
    }
    peer_answer_notify(type, (struct bytes){0});
    gw_drain();
}

static const struct {
    uint16_t refusals[4];
    bool ike;
    unsigned told_after; /* so many of them; 0 = never */
} rows[] = {
    {{N_NO_ADDITIONAL_SAS, N_NO_ADDITIONAL_SAS, N_NO_ADDITIONAL_SAS, N_NO_ADDITIONAL_SAS},
     false,
     2},
    {{N_NO_ADDITIONAL_SAS, N_NO_ADDITIONAL_SAS, N_NO_ADDITIONAL_SAS, N_NO_ADDITIONAL_SAS}, true, 2},
    {{N_TEMPORARY_FAILURE, N_TEMPORARY_FAILURE, N_TEMPORARY_FAILURE, N_TEMPORARY_FAILURE},
     false,
     0},
    {{N_TEMPORARY_FAILURE, N_TEMPORARY_FAILURE, N_TEMPORARY_FAILURE, N_TEMPORARY_FAILURE}, true, 0},
    {{N_NO_ADDITIONAL_SAS, N_TEMPORARY_FAILURE, 8192, N_TEMPORARY_FAILURE}, false, 0},
    {{N_TEMPORARY_FAILURE, 8192, N_NO_ADDITIONAL_SAS, N_TEMPORARY_FAILURE}, true, 3},
};

START_TEST(another_ike_sa_instead_of_rekeying)
{
    static const unsigned pauses[] = {3, 5, 9, 0};

    peer_start();
    peer_wait(20);
    if (rows[_i].ike) {
        ike_rekey(gw.ike, gw.now);
    } else {
        ike_rekey_child(gw.ike, 0, gw.now);
    }
    for (unsigned i = 0; i < COUNT(pauses); i++) {
        refuse_rekeying(rows[_i].ike, rows[_i].refusals[i]);
        ck_assert_uint_eq(gw.n_reauths, rows[_i].told_after != 0 && i + 1 >= rows[_i].told_after);
        peer_wait(pauses[i]);
    }
    peer_check_alive(PEER_FIRST_SPI, 1);
    peer_finish();
}
END_TEST

/* Within the first seconds the carrier is not told; what is tried again later makes up for it. */
START_TEST(refused_soon_after_the_beginning)
{
    peer_start_rekeying();
    peer_answer_notify(N_NO_ADDITIONAL_SAS, (struct bytes){0});
    peer_wait(3);
    refuse_rekeying(false, N_NO_ADDITIONAL_SAS);
    peer_wait(5);
    refuse_rekeying(false, N_NO_ADDITIONAL_SAS);
    ck_assert_uint_eq(gw.n_reauths, 0);
    peer_wait(9);
    refuse_rekeying(false, N_NO_ADDITIONAL_SAS);
    ck_assert_uint_eq(gw.n_reauths, 1);
    peer_finish();
}
END_TEST

/* With a limit to the authentication as well (RFC 4478), the carrier is told by turns, never twice
 * at once, and has its time each time. */
START_TEST(refused_shortly_before_the_authentication_ends)
{
    uint64_t second;

    gw_start();
    gw.announces = N_AUTH_LIFETIME;
    gw.announced = bytes_of("\0\0\0\x3c", 4);
    peer_connect();
    peer_wait((unsigned)((gw.ike->reauth.at - gw.now) / 1000000) - 4);
    ike_rekey_child(gw.ike, 0, gw.now);
    refuse_rekeying(false, N_NO_ADDITIONAL_SAS);
    peer_wait(3);
    refuse_rekeying(false, N_NO_ADDITIONAL_SAS);
    ck_assert_uint_eq(gw.n_reauths, 1);
    second = gw.ike->reauth.at;
    ck_assert_uint_ge(second, gw.now + 10000 * MS);
    ck_assert_uint_ge(gw.ike->reauth.ends, second + 30000 * MS);
    peer_wait(5);
    refuse_rekeying(false, N_NO_ADDITIONAL_SAS);
    peer_wait(4);
    ck_assert_uint_eq(gw.n_reauths, 1);
    peer_wait(2);
    ck_assert_uint_eq(gw.n_reauths, 2);
    peer_finish();
}
END_TEST

START_TEST(refused_after_the_carrier_was_told)
{
    gw_start();
    gw.announces = N_AUTH_LIFETIME;
    gw.announced = bytes_of("\0\0\0\x78", 4);
    peer_connect();
    peer_wait((unsigned)((gw.ike->reauth.at - gw.now) / 1000000) + 1);
    ck_assert_uint_eq(gw.n_reauths, 1);
    peer_wait(11);
    ike_rekey_child(gw.ike, 0, gw.now);
    refuse_rekeying(false, N_NO_ADDITIONAL_SAS);
    peer_wait(3);
    refuse_rekeying(false, N_NO_ADDITIONAL_SAS);
    peer_wait(5);
    refuse_rekeying(false, N_NO_ADDITIONAL_SAS);
    ck_assert_uint_eq(gw.n_reauths, 1);
    peer_finish();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("ike rekey");
    TCase *tcase = tcase_create("ladders");

    tcase_add_loop_test(tcase, child_rekeyed_by_gateway, 0, COUNT(offers));
    tcase_add_test(tcase, child_rekeyed_by_gateway_that_forgets_the_delete);
    tcase_add_test(tcase, child_rekeyed_by_gateway_before_we_are_offline);
    tcase_add_test(tcase, child_rekeyed_by_gateway_that_uses_it);
    tcase_add_test(tcase, held_child_rekeyed_before_its_time);
    tcase_add_test(tcase, child_rekey_repeated_by_gateway);
    tcase_add_loop_test(tcase, octets_of_a_child, 0, COUNT(volumes));
    tcase_add_test(tcase, child_rekeyed_twice_before_any_delete);
    tcase_add_test(tcase, new_child_deleted_by_gateway);
    tcase_add_test(tcase, child_requests_that_are_refused);
    tcase_add_loop_test(tcase, child_rekeyed_by_us, 0, 2);
    tcase_add_test(tcase, child_rekey_tried_another_way);
    tcase_add_loop_test(tcase, child_rekey_refused, 0, 3);
    tcase_add_test(tcase, child_that_is_never_renewed_expires);
    tcase_add_test(tcase, child_lost_by_gateway);
    tcase_add_test(tcase, ike_rekeyed_by_gateway);
    tcase_add_loop_test(tcase, ike_rekeyed_by_us, 0, 2);
    tcase_add_test(tcase, ike_rekey_refused);
    tcase_add_loop_test(tcase, another_ike_sa_instead_of_rekeying, 0, COUNT(rows));
    tcase_add_test(tcase, refused_soon_after_the_beginning);
    tcase_add_test(tcase, refused_shortly_before_the_authentication_ends);
    tcase_add_test(tcase, refused_after_the_carrier_was_told);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
