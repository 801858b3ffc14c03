/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rekey_peer.h"

#include "vectors.h"

/* Message IDs: windows that gateways announce (RFC 7296 2.3), and their synchronisation after a
 * cluster has failed over (RFC 6311). */

#define NONCE 0x01020304U

/* ---- RFC 7383 2.6.1 ---- */

/* Returns how many datagrams came back. */
static unsigned send_request_in_three(uint32_t message_id, struct bytes plain)
{
    const struct ike_header header = {
        .spi_i = gw.sa.spi_i,
        .spi_r = gw.sa.spi_r,
        .version = IKE_VERSION,
        .exchange = X_INFORMATIONAL,
        .message_id = message_id,
    };
    uint8_t out[256];
    unsigned n = 0;

    for (uint16_t i = 0; i < 3; i++) {
        gw_deliver(out, message_seal_fragment(&header, P_VENDOR, bytes_of(plain.data + 8 * i, 8),
                                              (uint16_t)(i + 1), 3, gw.sa.out, gw.sa.sealed++, out,
                                              sizeof out));
        n += gw_pull();
    }
    return n;
}

/* A request whose fragments come again, for its answer was lost, is answered once more, not three
 * times. */
START_TEST(fragments_of_a_repeated_request)
{
    struct chain chain = gw_new_chain();

    peer_start();
    chain_add(&chain, P_VENDOR, bytes_of_string("twenty octets of it."));
    ck_assert_uint_eq(send_request_in_three(gw.sa.next_id, wr_written(&chain.w)), 1);
    ck_assert_uint_eq(send_request_in_three(gw.sa.next_id, wr_written(&chain.w)), 1);
    gw.sa.next_id++;
    peer_finish();
}
END_TEST

/* ---- RFC 6311 ---- */

static void start_cluster(void)
{
    gw_start();
    gw.announces = N_IKEV2_MESSAGE_ID_SYNC_SUPPORTED;
    peer_connect();
}

static struct chain sync_chain(uint32_t nonce, uint32_t m1, uint32_t p1)
{
    struct chain chain = gw_new_chain();
    uint8_t data[SYNC_LEN];
    struct writer w = writer_of(data, sizeof data);

    wr_u32(&w, nonce);
    wr_u32(&w, m1);
    wr_u32(&w, p1);
    notify_write(&chain, 0, (struct bytes){0}, N_IKEV2_MESSAGE_ID_SYNC, wr_written(&w));
    return chain;
}

/* INFORMATIONAL {N(IKEV2_MESSAGE_ID_SYNC)} with ID 0 --> */
static void send_sync(uint32_t nonce, uint32_t m1, uint32_t p1)
{
    struct chain chain = sync_chain(nonce, m1, p1);

    gw_send_sealed(X_INFORMATIONAL, 0, false, &chain);
    gw_drain();
}

static void expect_sync(uint32_t nonce, uint32_t m2, uint32_t p2)
{
    struct notify notify;
    struct reader r;

    gw_expect(X_INFORMATIONAL, true);
    ck_assert_uint_eq(gw.message.header.message_id, 0);
    ck_assert_uint_eq(gw.message.n_payloads, 1);
    ck_assert_int_eq(notify_parse(&notify, message_find(&gw.message, P_NOTIFY, 0)->body), OK);
    ck_assert_uint_eq(notify.type, N_IKEV2_MESSAGE_ID_SYNC);
    r = reader_of(notify.data);
    ck_assert_uint_eq(rd_u32(&r), nonce);
    ck_assert_uint_eq(rd_u32(&r), p2);
    ck_assert_uint_eq(rd_u32(&r), m2);
    ck_assert(rd_done(&r));
    gw.sa.next_id = m2;
}

/* The client's next request has this ID. */
static void check_next_id(uint32_t id)
{
    ike_rekey_child(gw.ike, 0, gw.now);
    peer_take_child();
    ck_assert_uint_eq(peer.asked_id, id);
    peer_answer_child(NEW_SPI, HIGH);
    peer_take_delete(peer.first_child);
    peer_answer_delete(PEER_FIRST_SPI);
}

START_TEST(sync_is_announced)
{
    const struct payload *payload;
    struct notify notify;
    bool announced = false;

    gw_start();
    gw_until_auth();
    for (size_t i = 0; (payload = message_find(&gw.message, P_NOTIFY, i)) != NULL; i++) {
        ck_assert_int_eq(notify_parse(&notify, payload->body), OK);
        announced = announced || notify.type == N_IKEV2_MESSAGE_ID_SYNC_SUPPORTED;
        /* not what we leave to the gateway */
        ck_assert_uint_ne(notify.type, N_IKEV2_MESSAGE_ID_SYNC_SUPPORTED + 1);
    }
    ck_assert(announced);
    gw_finish();
}
END_TEST

/* IKE_SA_INIT and IKE_AUTH were 0 and 1 of ours, so that 2 is our next. */
static const struct {
    unsigned theirs; /* requests before */
    uint32_t m1, p1, m2, p2;
    bool dropped;
} syncs[] = {
    {.m1 = 0, .p1 = 2, .m2 = 0, .p2 = 2},
    {.m1 = 1, .p1 = 3, .m2 = 1, .p2 = 3},
    {.m1 = 7, .p1 = 0, .m2 = 7, .p2 = 2},
    {.theirs = 1, .m1 = 1, .p1 = 1, .m2 = 1, .p2 = 2},
    {.theirs = 2, .m1 = 5, .p1 = 9, .m2 = 5, .p2 = 9},
    /* RFC 6311 5.1: M1 lower than or equal to the highest value that was seen */
    {.theirs = 1, .m1 = 0, .p1 = 2, .dropped = true},
    {.theirs = 2, .m1 = 1, .p1 = 9, .dropped = true},
    /* nothing would be left */
    {.m1 = UINT32_MAX, .p1 = 2, .dropped = true},
    {.m1 = 3, .p1 = UINT32_MAX, .dropped = true},
};

START_TEST(sync_of_both_ids)
{
    start_cluster();
    for (unsigned i = 0; i < syncs[_i].theirs; i++) {
        peer_check_alive(PEER_FIRST_SPI, 1);
    }
    send_sync(NONCE, syncs[_i].m1, syncs[_i].p1);
    if (syncs[_i].dropped) {
        ck_assert(!gw_pull());
        check_next_id(2);
    } else {
        expect_sync(NONCE, syncs[_i].m2, syncs[_i].p2);
        check_next_id(syncs[_i].p2);
    }
    peer_check_alive(NEW_SPI, 2);
    peer_finish();
}
END_TEST

START_TEST(sync_that_was_not_agreed)
{
    peer_start();
    peer_check_alive(PEER_FIRST_SPI, 1);
    peer_check_alive(PEER_FIRST_SPI, 1);
    send_sync(NONCE, 5, 9);
    ck_assert(!gw_pull());
    check_next_id(2);
    peer_check_alive(NEW_SPI, 2);
    peer_finish();
}
END_TEST

/* Its answer is lost: the same answer. Later it is a replay, and so is one with the same counters.
 */
START_TEST(sync_repeated_and_replayed)
{
    uint8_t datagram[256];
    struct chain chain;
    size_t len;

    start_cluster();
    peer_check_alive(PEER_FIRST_SPI, 1);
    chain = sync_chain(NONCE, 4, 6);
    len = gw_sealed(datagram, sizeof datagram, X_INFORMATIONAL, 0, false, &chain);
    gw_deliver(datagram, len);
    expect_sync(NONCE, 4, 6);
    gw_deliver(datagram, len);
    expect_sync(NONCE, 4, 6);
    send_sync(NONCE + 1, 4, 6);
    ck_assert(!gw_pull());
    send_sync(NONCE + 1, 3, 6);
    ck_assert(!gw_pull());
    peer_check_alive(PEER_FIRST_SPI, 1);
    gw_deliver(datagram, len);
    ck_assert(!gw_pull());
    send_sync(NONCE, 4, 6);
    ck_assert(!gw_pull());
    /* it fails over once more */
    send_sync(NONCE + 2, 8, 8);
    expect_sync(NONCE + 2, 8, 8);
    gw_deliver(datagram, len);
    ck_assert(!gw_pull());
    check_next_id(8);
    peer_check_alive(NEW_SPI, 2);
    peer_finish();
}
END_TEST

/* What the failed member was asked is asked again; its late answer means nothing. */
START_TEST(sync_while_our_request_is_in_flight)
{
    uint32_t asked;

    start_cluster();
    ike_rekey_child(gw.ike, 0, gw.now);
    peer_take_child();
    ck_assert_uint_eq(peer.asked_id, 2);
    asked = peer.asked_spi;
    send_sync(NONCE, 3, (uint32_t)_i);
    expect_sync(NONCE, 3, _i > 3 ? (uint32_t)_i : 3);
    peer_answer_notify(N_TEMPORARY_FAILURE, (struct bytes){0});
    peer_take_child();
    ck_assert_uint_eq(peer.asked_id, _i > 3 ? (uint32_t)_i : 3);
    ck_assert_uint_eq(peer.asked_spi, asked);
    peer_answer_child(NEW_SPI, HIGH);
    peer_check_child(asked);
    peer_take_delete(peer.first_child);
    peer_answer_delete(PEER_FIRST_SPI);
    peer_check_alive(NEW_SPI, 2);
    peer_finish();
}
END_TEST

/* It is not repeated in the form that the failed member would have got. */
START_TEST(sync_of_a_request_that_was_made_small)
{
    start_cluster();
    ike_rekey_child(gw.ike, 0, gw.now);
    peer_take_child();
    for (unsigned i = 0; i < SMALL_AFTER_TRIES; i++) {
        gw_tick_at(gw.ike->sa.request.due);
        while (gw_pull()) {
        }
    }
    send_sync(NONCE, 0, 5);
    expect_sync(NONCE, 0, 5);
    peer_take_child();
    ck_assert_uint_eq(peer.asked_id, 5);
    peer_answer_child(NEW_SPI, HIGH);
    peer_take_delete(peer.first_child);
    peer_answer_delete(PEER_FIRST_SPI);
    peer_check_alive(NEW_SPI, 2);
    peer_finish();
}
END_TEST

/* What looks like it and is none: with ID 0 it is no request either, once there was one. */
START_TEST(sync_that_is_none)
{
    struct chain chain;
    uint8_t datagram[256];
    size_t len;

    start_cluster();
    peer_check_alive(PEER_FIRST_SPI, 1);
    peer_check_alive(PEER_FIRST_SPI, 1);
    chain = sync_chain(NONCE, 5, 9);
    switch (_i) {
    case 0: /* RFC 6311 5.1: no additional payloads */
        chain_add(&chain, P_VENDOR, bytes_of_string("x"));
        break;
    case 1:
        notify_write(&chain, 0, (struct bytes){0}, N_MOBIKE_SUPPORTED, (struct bytes){0});
        break;
    case 2:
        notify_write(&chain, 0, (struct bytes){0}, N_IKEV2_MESSAGE_ID_SYNC,
                     bytes_of("0123456789ab", SYNC_LEN));
        break;
    case 3:
        chain = gw_new_chain();
        notify_write(&chain, 0, (struct bytes){0}, N_IKEV2_MESSAGE_ID_SYNC,
                     bytes_of("0123456789a", SYNC_LEN - 1));
        break;
    case 4:
        chain = gw_new_chain();
        notify_write(&chain, 0, (struct bytes){0}, N_IKEV2_MESSAGE_ID_SYNC,
                     bytes_of("0123456789abc", SYNC_LEN + 1));
        break;
    case 5:
        chain = gw_new_chain();
        break;
    case 6:
        chain = gw_new_chain();
        notify_write(&chain, 0, (struct bytes){0}, N_IPSEC_REPLAY_COUNTER_SYNC,
                     bytes_of("\0\0\0\1", 4));
        break;
    case 7:
        chain = gw_new_chain();
        chain_add(&chain, P_NOTIFY, bytes_of("\0\xff\0\0", 4));
        break;
    default:
        break;
    }
    len = gw_sealed(datagram, sizeof datagram, _i == 8 ? X_CREATE_CHILD_SA : X_INFORMATIONAL, 0,
                    _i == 9, &chain);
    if (_i == 10) {
        datagram[len - 1] ^= 1; /* its integrity check */
    }
    gw_deliver(datagram, len);
    ck_assert(!gw_pull());
    check_next_id(2);
    peer_check_alive(NEW_SPI, 2);
    peer_finish();
}
END_TEST

/* The counters of ESP are left alone, but the rest is done. */
START_TEST(sync_with_a_delta_for_esp)
{
    struct chain chain;

    start_cluster();
    chain = sync_chain(NONCE, 5, 9);
    notify_write(&chain, 0, (struct bytes){0}, N_IPSEC_REPLAY_COUNTER_SYNC,
                 bytes_of("\x40\0\0\0", 4));
    gw_send_sealed(X_INFORMATIONAL, 0, false, &chain);
    expect_sync(NONCE, 5, 9);
    check_next_id(9);
    peer_check_alive(NEW_SPI, 2);
    peer_finish();
}
END_TEST

/* An ordinary first request has ID 0 as well, and so has its repetition. */
START_TEST(request_with_id_zero)
{
    uint8_t datagram[256];
    struct chain chain;
    size_t len;

    start_cluster();
    chain = gw_new_chain();
    len = gw_sealed(datagram, sizeof datagram, X_INFORMATIONAL, 0, false, &chain);
    for (unsigned i = 0; i < 2; i++) {
        gw_deliver(datagram, len);
        gw_expect(X_INFORMATIONAL, true);
        ck_assert_uint_eq(gw.message.n_payloads, 0);
    }
    gw.sa.next_id = 1;
    send_sync(NONCE, 1, 2);
    expect_sync(NONCE, 1, 2);
    /* the repetition of what was answered before */
    gw_deliver(datagram, len);
    ck_assert(!gw_pull());
    peer_check_alive(PEER_FIRST_SPI, 1);
    peer_finish();
}
END_TEST

/* What was agreed holds in the IKE SA that takes the place of the first one. */
START_TEST(sync_after_a_rekeying)
{
    struct ike_sa made;

    start_cluster();
    peer_ask_ike(IKE_SPI, HIGH);
    peer_ike_answered(&made);
    peer_delete_ike();
    peer_ike_deleted();
    peer_use(&made);
    send_sync(NONCE, 3, 4);
    expect_sync(NONCE, 3, 4);
    peer_check_alive(PEER_FIRST_SPI, 1);
    made.request.busy = false;
    ike_sa_free(&made);
    peer_finish();
}
END_TEST

/* The user's end is told to the new member. */
START_TEST(sync_while_we_disconnect)
{
    start_cluster();
    ike_disconnect(gw.ike, gw.now);
    gw_expect_delete();
    send_sync(NONCE, 3, 4);
    expect_sync(NONCE, 3, 4);
    gw_expect_delete();
    ck_assert_uint_eq(gw.message.header.message_id, 4);
    gw_answer_empty(4);
    gw_expect_down(REASON_USER);
    peer_finish();
}
END_TEST

/* ---- SET_WINDOW_SIZE (RFC 7296 2.3) ---- */

static const struct bytes windows[] = {
    {(const uint8_t *)"\0\0\0\0", 4}, {(const uint8_t *)"\0\0\0\1", 4},
    {(const uint8_t *)"\0\0\0\5", 4}, {(const uint8_t *)"\xff\xff\xff\xff", 4},
    {(const uint8_t *)"\0\0\5", 3},   {(const uint8_t *)"\0\0\0\0\5", 5},
    {(const uint8_t *)"", 0},
};

static void send_check(uint32_t id)
{
    struct chain chain = gw_new_chain();

    gw_send_sealed(X_INFORMATIONAL, id, false, &chain);
}

/*
 * Whatever the gateway lets us have outstanding, we have one request at a time; and what we let it
 * have is one, since we announce no window: the next one waits until it is repeated.
 */
START_TEST(window_of_the_gateway)
{
    struct chain chain;

    gw_start();
    gw.announces = N_SET_WINDOW_SIZE;
    gw.announced = windows[_i];
    peer_connect();
    chain = gw_new_chain();
    notify_write(&chain, 0, (struct bytes){0}, N_SET_WINDOW_SIZE, windows[_i]);
    peer_request(X_INFORMATIONAL, &chain);
    gw_expect(X_INFORMATIONAL, true);
    ck_assert_uint_eq(gw.message.n_payloads, 0);

    ike_rekey(gw.ike, gw.now);
    ike_rekey_child(gw.ike, 0, gw.now);
    peer_take_ike();
    ck_assert(!gw_pull());
    peer_answer_notify(N_NO_ADDITIONAL_SAS, (struct bytes){0});
    peer_take_child();
    ck_assert(!gw_pull());

    send_check(gw.sa.next_id + 1);
    ck_assert(!gw_pull());
    send_check(gw.sa.next_id);
    gw_expect(X_INFORMATIONAL, true);
    send_check(gw.sa.next_id + 1);
    gw_expect(X_INFORMATIONAL, true);
    /* only the latest answer is kept for repetitions */
    send_check(gw.sa.next_id);
    ck_assert(!gw_pull());
    send_check(gw.sa.next_id + 1);
    gw_expect(X_INFORMATIONAL, true);
    gw.sa.next_id += 2;

    peer_answer_child(NEW_SPI, HIGH);
    peer_take_delete(peer.first_child);
    peer_answer_delete(PEER_FIRST_SPI);
    peer_check_alive(NEW_SPI, 2);
    peer_finish();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("ike_window");
    TCase *cluster = tcase_create("cluster");
    TCase *window = tcase_create("window");

    tcase_add_test(cluster, sync_is_announced);
    tcase_add_loop_test(cluster, sync_of_both_ids, 0, sizeof syncs / sizeof syncs[0]);
    tcase_add_test(cluster, sync_that_was_not_agreed);
    tcase_add_test(cluster, sync_repeated_and_replayed);
    tcase_add_loop_test(cluster, sync_while_our_request_is_in_flight, 0, 9);
    tcase_add_test(cluster, sync_of_a_request_that_was_made_small);
    tcase_add_loop_test(cluster, sync_that_is_none, 0, 11);
    tcase_add_test(cluster, sync_with_a_delta_for_esp);
    tcase_add_test(cluster, request_with_id_zero);
    tcase_add_test(cluster, sync_after_a_rekeying);
    tcase_add_test(cluster, sync_while_we_disconnect);
    tcase_add_test(window, fragments_of_a_repeated_request);
    tcase_add_loop_test(window, window_of_the_gateway, 0, sizeof windows / sizeof windows[0]);
    suite_add_tcase(suite, cluster);
    suite_add_tcase(suite, window);
    return run_suite(suite);
}
