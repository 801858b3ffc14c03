/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rekey_peer.h"

#include "vectors.h"

/* What becomes of Child SAs when the gateway does not do what was agreed. */

/* ---- an answer to our rekeying that cannot be used ---- */

/* RFC 7296 2.9.2: gateways that answer what their policy says, however narrow the offer. */
START_TEST(wide_answer_is_asked_for_in_full)
{
    struct ts_list ts;
    uint32_t discarded;

    peer_start_rekeying();
    discarded = peer.asked_spi;
    peer_answer_child_ts(OTHER_SPI, HIGH, "10.0.0.0", "10.255.255.255");
    peer_take_delete(discarded);
    peer_answer_delete(OTHER_SPI);
    ck_assert_uint_eq(gw.n_inbound, 1);
    peer_take_child();
    ck_assert_uint_eq(peer.asked_rekey, peer.first_child);
    ck_assert_int_eq(ts_parse(&ts, message_find(&gw.message, P_TSr, 0)->body), OK);
    ck_assert_uint_eq(ts.items[0].end.octets[0], 255);
    peer_answer_child_ts(NEW_SPI, HIGH, "10.0.0.0", "10.255.255.255");
    peer_check_child(peer.asked_spi);
    peer_finish_replaced(NEW_SPI);
}
END_TEST

/* The gateway deletes by itself what we have to delete. */
START_TEST(wide_answer_that_the_gateway_deletes)
{
    uint32_t discarded;

    peer_start_rekeying();
    discarded = peer.asked_spi;
    peer_answer_child_ts(OTHER_SPI, HIGH, "10.0.0.0", "10.255.255.255");
    peer_take_delete(discarded);
    peer_delete_child(OTHER_SPI);
    peer_child_deleted(0);
    peer_answer_delete(0);
    peer_take_child();
    peer_answer_child(NEW_SPI, HIGH);
    peer_wait(PEER_LINGER_S);
    gw_drain();
    ck_assert_uint_eq(gw.n_inbound, 2);
    peer_finish();
}
END_TEST

static void write_answer(struct chain *chain, const char *esp, size_t nonce, bool selectors)
{
    static const uint8_t spi[] = {0xc0, 0, 0, 2};
    uint8_t octets[NONCE_MAX] = {0};
    struct proposal_list list;
    struct ts_list ts = {.n = 1};
    struct bytes at;
    const char *why;

    ck_assert(proposal_parse(&list, PROTO_ESP, esp, true, &at, &why));
    sa_write_choice(chain, 2, &list.items[0], bytes_of(spi, sizeof spi));
    chain_add(chain, P_NONCE, bytes_of(octets, nonce));
    ts.items[0].port_high = UINT16_MAX;
    ck_assert(addr_parse(&ts.items[0].start, "10.77.0.1"));
    ts.items[0].end = ts.items[0].start;
    if (selectors) {
        ts_write(chain, P_TSi, &ts);
        ts.items[0].start.octets[1] = ts.items[0].end.octets[1] = 99;
        ts_write(chain, P_TSr, &ts);
    } else {
        chain_add(chain, P_TSi, bytes_of("\1\0\0\0", 4));
        chain_add(chain, P_TSr, bytes_of("\1\0\0\0", 4));
    }
}

/* What the gateway has made is deleted, the one in use goes on; later it is tried again. */
START_TEST(bad_answer_is_deleted)
{
    struct chain chain;
    uint32_t discarded;

    peer_start_rekeying();
    discarded = peer.asked_spi;
    chain = gw_new_chain();
    switch (_i) {
    case 0: /* algorithms that were not offered */
        write_answer(&chain, "aes256gcm16-noesn", 32, true);
        break;
    case 1: /* RFC 7296 2.10 */
        write_answer(&chain, "aes128gcm16-noesn", NONCE_MIN - 1, true);
        break;
    case 2:
        write_answer(&chain, "aes128gcm16-noesn", 32, false);
        break;
    case 3: /* nothing that is needed */
        break;
    case 4: /* of the group no value came */
        write_answer(&chain, "aes128gcm16-x25519-noesn", 32, true);
        break;
    default:
        break;
    }
    peer_answer(&chain);
    peer_take_delete(discarded);
    peer_answer_delete(0);
    ck_assert(!gw_pull());
    peer_check_alive(PEER_FIRST_SPI, 1);
    peer_wait(3);
    peer_take_child();
    ck_assert_uint_eq(peer.asked_rekey, peer.first_child);
    peer_answer_child(NEW_SPI, HIGH);
    peer_check_child(peer.asked_spi);
    peer_finish_replaced(NEW_SPI);
}
END_TEST

static void write_unreadable(struct chain *chain)
{
    chain_add(chain, P_NONCE, bytes_of_string("0123456789abcdef"));
    chain->w.start[2] = 0xff;
}

/* RFC 7296 2.21.3: what cannot be read at all ends the IKE SA, and the gateway is told. */
START_TEST(unreadable_answer_ends_with_a_delete)
{
    struct chain chain;

    peer_start_rekeying();
    chain = gw_new_chain();
    write_unreadable(&chain);
    peer_answer(&chain);
    peer_take_ike_delete();
    gw_expect_down(REASON_PROTOCOL);
    peer_finish();
}
END_TEST

/* ... and so does a new IKE SA that we have no keys for. */
START_TEST(bad_ike_answer_ends_with_a_delete)
{
    struct chain chain;

    peer_start();
    ike_rekey(gw.ike, gw.now);
    peer_take_ike();
    chain = gw_new_chain();
    write_answer(&chain, "aes128gcm16-noesn", 32, true);
    ke_write(&chain, KE_CURVE25519, bytes_of_string("0123456789abcdef0123456789abcdef"));
    peer_answer(&chain);
    peer_take_ike_delete();
    gw_expect_down(REASON_PROTOCOL);
    peer_finish();
}
END_TEST

/* But a request that we have called INVALID_SYNTAX ends it for both sides at once. */
START_TEST(invalid_syntax_ends_without_a_delete)
{
    struct chain chain;

    peer_start();
    chain = gw_new_chain();
    write_unreadable(&chain);
    peer_request(X_INFORMATIONAL, &chain);
    peer_expect_notify(X_INFORMATIONAL, N_INVALID_SYNTAX);
    ck_assert(!gw_pull());
    gw_expect_down(REASON_PROTOCOL);
    peer_finish();
}
END_TEST

/* ---- a rekeying of the gateway that it may not know to be answered ---- */

/* It has waited so long for our answer that we go on with what it made, and do not find it there;
 * then the answer comes. */
START_TEST(held_child_that_the_gateway_makes_late)
{
    uint32_t made;

    peer_start();
    peer_ask_child(PEER_FIRST_SPI, NEW_SPI, HIGH, "aes128gcm16-noesn", NULL);
    made = peer_child_answered();
    peer_wait(30);
    gw_drain();
    ck_assert_uint_eq(gw.outbound, NEW_SPI);
    ike_rekey_child(gw.ike, made, gw.now);
    peer_take_child();
    ck_assert_uint_eq(peer.asked_rekey, made);
    peer_answer_notify(N_CHILD_SA_NOT_FOUND, (struct bytes){0});
    peer_take_child();
    ck_assert_uint_eq(peer.asked_rekey, 0);
    peer_answer_child(OTHER_SPI, HIGH);
    /* It uses what it has made: that is not lost. */
    peer_delete_child(PEER_FIRST_SPI);
    peer_child_deleted(peer.first_child);
    peer_wait(PEER_LINGER_S);
    peer_check_alive(OTHER_SPI, 2);
    peer_wait(60);
    peer_take_delete(made);
    peer_answer_delete(NEW_SPI);
    peer_finish_with(OTHER_SPI);
}
END_TEST

/* ---- old IKE SAs that the gateway never deletes ---- */

#define REKEYINGS 9

/* Each is deleted by us before it is forgotten, the oldest first; whether it answers or not. */
START_TEST(old_ike_sas_are_deleted)
{
    struct ike_sa old[REKEYINGS];
    unsigned first = OTHERS_MAX - 1;

    peer_start();
    for (unsigned i = 0; i < REKEYINGS; i++) {
        gw_tick_at(gw.now + MS);
        peer_ask_ike(IKE_SPI + i, HIGH);
        peer_ike_answered(&old[i]);
        peer_use(&old[i]);
        if (i < first) {
            ck_assert(!gw_pull());
            continue;
        }
        peer_use(&old[i - first]);
        if (_i == 0) {
            peer_take_ike_delete();
        } else {
            gw_expect_delete();
        }
        peer_use(&old[i - first]);
    }
    peer_check_alive(PEER_FIRST_SPI, 1);
    for (unsigned i = 0; i < REKEYINGS; i++) {
        ike_sa_free(&old[i]);
    }
    peer_finish();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("ike children");
    TCase *answers = tcase_create("answers");
    TCase *old = tcase_create("old IKE SAs");

    tcase_add_test(answers, wide_answer_is_asked_for_in_full);
    tcase_add_test(answers, wide_answer_that_the_gateway_deletes);
    tcase_add_loop_test(answers, bad_answer_is_deleted, 0, 5);
    tcase_add_test(answers, unreadable_answer_ends_with_a_delete);
    tcase_add_test(answers, bad_ike_answer_ends_with_a_delete);
    tcase_add_test(answers, invalid_syntax_ends_without_a_delete);
    suite_add_tcase(suite, answers);
    tcase_add_test(answers, held_child_that_the_gateway_makes_late);
    tcase_add_loop_test(old, old_ike_sas_are_deleted, 0, 2);
    suite_add_tcase(suite, old);
    return run_suite(suite);
}
