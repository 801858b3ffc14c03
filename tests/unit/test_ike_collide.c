/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rekey_peer.h"

#include "vectors.h"

/* Ladders of exchanges that cross: rekeying and deletion by both sides at once (RFC
 * 7296 2.8.1, 2.8.2, 2.25). */

#define ESP "aes128gcm16-noesn"

/* ---- both rekey the Child SA (RFC 7296 2.8.1) ---- */

/* How the messages of the two exchanges cross, and whose has the lowest nonce. */
enum order { ANSWER_FIRST, ASKED_FIRST };
static const struct {
    bool we_win;
    enum order order;
} collisions[] = {
    {true, ASKED_FIRST}, {true, ANSWER_FIRST}, {false, ASKED_FIRST}, {false, ANSWER_FIRST}};

START_TEST(child_collision)
{
    uint8_t theirs = collisions[_i].we_win ? LOW : HIGH;
    uint8_t ours = collisions[_i].we_win ? HIGH : LOW;
    uint32_t made, mine;

    peer_start_rekeying();
    mine = peer.asked_spi;
    peer_ask_child(PEER_FIRST_SPI, NEW_SPI, theirs, ESP, NULL);
    made = peer_child_answered();
    peer_check_alive(PEER_FIRST_SPI, 2);
    peer_answer_child(OTHER_SPI, ours);
    if (collisions[_i].we_win) {
        peer_check_alive(OTHER_SPI, 3);
        peer_take_delete(peer.first_child);
        peer_answer_delete(PEER_FIRST_SPI);
        peer_delete_child(NEW_SPI);
        peer_child_deleted(made);
    } else {
        peer_check_alive(PEER_FIRST_SPI, 3);
        peer_take_delete(mine);
        if (collisions[_i].order == ASKED_FIRST) {
            peer_delete_child(PEER_FIRST_SPI);
            peer_child_deleted(peer.first_child);
            peer_answer_delete(OTHER_SPI);
        } else {
            peer_answer_delete(OTHER_SPI);
            peer_delete_child(PEER_FIRST_SPI);
            peer_child_deleted(peer.first_child);
        }
    }
    peer_wait(PEER_LINGER_S);
    peer_check_alive(collisions[_i].we_win ? OTHER_SPI : NEW_SPI, 1);
    ck_assert(!gw_pull());
    peer_finish();
}
END_TEST

/* The gateway's answer to ours comes after everything that followed its own rekeying. */
START_TEST(child_collision_with_late_answer)
{
    bool we_win = _i == 0;
    uint32_t made, mine;

    peer_start_rekeying();
    mine = peer.asked_spi;
    peer.hold = true;
    peer_answer_child(OTHER_SPI, we_win ? HIGH : LOW);
    peer_ask_child(PEER_FIRST_SPI, NEW_SPI, we_win ? LOW : HIGH, ESP, NULL);
    made = peer_child_answered();
    if (we_win) {
        peer_delete_child(NEW_SPI);
        peer_child_deleted(made);
        peer_check_alive(PEER_FIRST_SPI, 2);
        peer_release();
        peer_take_delete(peer.first_child);
        peer_answer_delete(PEER_FIRST_SPI);
    } else {
        peer_delete_child(PEER_FIRST_SPI);
        peer_child_deleted(peer.first_child);
        peer_check_alive(NEW_SPI, 2);
        peer_release();
        peer_take_delete(mine);
        peer_answer_delete(OTHER_SPI);
    }
    peer_wait(PEER_LINGER_S);
    peer_check_alive(we_win ? OTHER_SPI : NEW_SPI, 1);
    peer_finish();
}
END_TEST

/* The gateway's request was lost and comes when ours is done: while we delete, and after. */
START_TEST(child_collision_with_late_request)
{
    peer_start();
    peer.hold = true;
    peer_ask_child(PEER_FIRST_SPI, NEW_SPI, LOW, ESP, NULL);
    ike_rekey_child(gw.ike, 0, gw.now);
    peer_take_child();
    peer_answer_child(OTHER_SPI, HIGH);
    peer_take_delete(peer.first_child);
    if (_i == 0) {
        peer_release();
        peer_expect_notify(X_CREATE_CHILD_SA, N_TEMPORARY_FAILURE);
        peer_answer_delete(PEER_FIRST_SPI);
    } else {
        peer_answer_delete(PEER_FIRST_SPI);
        peer_release();
        peer_expect_notify(X_CREATE_CHILD_SA, N_CHILD_SA_NOT_FOUND);
    }
    peer_finish_with(OTHER_SPI);
}
END_TEST

/* The gateway refuses ours because of its own, which stands. */
START_TEST(child_collision_refused)
{
    static const uint16_t refusals[] = {N_TEMPORARY_FAILURE, N_CHILD_SA_NOT_FOUND};

    peer_start_rekeying();
    peer_ask_child(PEER_FIRST_SPI, NEW_SPI, LOW, ESP, NULL);
    peer_child_answered();
    peer_answer_notify(refusals[_i], (struct bytes){0});
    peer_delete_child(PEER_FIRST_SPI);
    peer_child_deleted(_i == 0 ? peer.first_child : 0);
    peer_wait(PEER_LINGER_S);
    peer_check_alive(NEW_SPI, 1);
    ck_assert(!gw_pull());
    peer_finish();
}
END_TEST

/* ---- rekeying against deletion (RFC 7296 2.25.1) ---- */

START_TEST(child_deleted_while_we_rekey_it)
{
    peer_start_rekeying();
    peer_delete_child(PEER_FIRST_SPI);
    peer_child_deleted(peer.first_child);
    ck_assert(!gw.down);
    if (_i == 0) {
        peer_answer_child(NEW_SPI, LOW);
    } else {
        /* Whether the gateway was still closing it or had closed it: we want one all the same. */
        peer_answer_notify(_i == 1 ? N_TEMPORARY_FAILURE : N_CHILD_SA_NOT_FOUND, (struct bytes){0});
        if (_i == 1) {
            ck_assert(!gw_pull());
            peer_wait(3);
        }
        peer_take_child();
        ck_assert_uint_eq(peer.asked_rekey, 0);
        peer_answer_child(NEW_SPI, LOW);
    }
    peer_wait(PEER_LINGER_S);
    peer_check_alive(NEW_SPI, 1);
    ck_assert(!gw_pull());
    peer_finish();
}
END_TEST

START_TEST(child_deletes_that_cross)
{
    peer_start_rekeying();
    peer_answer_child(NEW_SPI, LOW);
    peer_take_delete(peer.first_child);
    peer_delete_child(PEER_FIRST_SPI);
    peer_child_deleted(0); /* RFC 7296 1.4.1 */
    peer_answer_delete(0);
    peer_finish_with(NEW_SPI);
}
END_TEST

START_TEST(unknown_child_deleted)
{
    peer_start();
    peer_delete_child(0x12345678);
    peer_child_deleted(0);
    peer_check_alive(PEER_FIRST_SPI, 1);
    peer_finish();
}
END_TEST

/* ---- both rekey the IKE SA (RFC 7296 2.8.1, 2.8.2) ---- */

START_TEST(ike_collision)
{
    bool we_win = _i < 2;
    bool late = _i % 2 == 1; /* the answer to ours comes after what followed the gateway's */
    struct ike_sa theirs, mine;

    peer_start();
    ike_rekey(gw.ike, gw.now);
    peer_take_ike();
    if (late) {
        peer.hold = true;
        peer_answer_ike(&mine, OTHER_IKE_SPI, we_win ? HIGH : LOW);
    }
    peer_ask_ike(IKE_SPI, we_win ? LOW : HIGH);
    peer_ike_answered(&theirs);
    if (!late) {
        peer_answer_ike(&mine, OTHER_IKE_SPI, we_win ? HIGH : LOW);
    }
    if (we_win && late) {
        peer_use(&theirs);
        peer_delete_ike();
        peer_ike_deleted();
        peer_use(&theirs);
        peer_release();
        peer_take_ike_delete();
        peer_use(&mine);
    } else if (we_win) {
        peer_take_ike_delete();
        peer_use(&theirs);
        peer_delete_ike();
        peer_ike_deleted();
        peer_use(&mine);
    } else {
        if (late) {
            /* before our request was answered: only the gateway's own is known to us */
            peer_delete_ike();
            peer_ike_deleted();
            peer_release();
        } else {
            peer_use(&mine);
            peer_take_ike_delete();
            peer_use(&mine);
            peer_delete_ike();
            peer_ike_deleted();
        }
        peer_use(&theirs);
    }
    peer_check_alive(PEER_FIRST_SPI, 1);
    ck_assert(!gw_pull());
    peer_wait(30);
    peer_check_alive(PEER_FIRST_SPI, 1);
    ike_sa_free(&mine);
    ike_sa_free(&theirs);
    peer_finish();
}
END_TEST

START_TEST(ike_collision_refused)
{
    struct ike_sa theirs;

    peer_start();
    ike_rekey(gw.ike, gw.now);
    peer_take_ike();
    peer_ask_ike(IKE_SPI, LOW);
    peer_ike_answered(&theirs);
    peer_answer_notify(N_TEMPORARY_FAILURE, (struct bytes){0});
    peer_delete_ike();
    peer_ike_deleted();
    peer_use(&theirs);
    peer_check_alive(PEER_FIRST_SPI, 1);
    ike_sa_free(&theirs);
    peer_finish();
}
END_TEST

/* The gateway has gone on with its own while we were not heard, and says nothing in the one before.
 */
START_TEST(ike_collision_never_answered)
{
    struct ike_sa theirs;

    peer_start();
    ike_rekey(gw.ike, gw.now);
    peer_take_ike();
    peer_ask_ike(IKE_SPI, LOW);
    peer_ike_answered(&theirs);
    peer_wait(61);
    while (gw_pull()) {
    }
    peer_use(&theirs);
    peer_check_alive(PEER_FIRST_SPI, 1);
    ike_sa_free(&theirs);
    peer_finish();
}
END_TEST

START_TEST(ike_deleted_while_we_rekey_it)
{
    peer_start();
    ike_rekey(gw.ike, gw.now);
    peer_take_ike();
    peer_delete_ike();
    peer_ike_deleted();
    gw_expect_down(REASON_GATEWAY_CLOSED);
    peer_finish();
}
END_TEST

/* Both close at once: each answers (RFC 7296 2.25.2). */
START_TEST(ike_deletes_that_cross)
{
    peer_start();
    ike_disconnect(gw.ike, gw.now);
    gw_expect_delete();
    peer_delete_ike();
    peer_ike_deleted();
    gw_expect_down(REASON_USER);
    peer_finish();
}
END_TEST

/* ---- Child SA against IKE SA (RFC 7296 2.25.2) ---- */

START_TEST(ike_rekey_while_we_rekey_the_child)
{
    peer_start_rekeying();
    peer_ask_ike(IKE_SPI, LOW);
    peer_expect_notify(X_CREATE_CHILD_SA, N_TEMPORARY_FAILURE);
    peer_answer_child(NEW_SPI, LOW);
    peer_take_delete(peer.first_child);
    peer_ask_ike(IKE_SPI, LOW);
    peer_expect_notify(X_CREATE_CHILD_SA, N_TEMPORARY_FAILURE);
    peer_answer_delete(PEER_FIRST_SPI);
    peer_check_alive(NEW_SPI, 2);
    peer_finish();
}
END_TEST

START_TEST(child_rekey_while_we_rekey_the_ike_sa)
{
    struct ike_sa made;

    peer_start();
    ike_rekey(gw.ike, gw.now);
    peer_take_ike();
    peer_ask_child(PEER_FIRST_SPI, NEW_SPI, LOW, ESP, NULL);
    peer_expect_notify(X_CREATE_CHILD_SA, N_TEMPORARY_FAILURE);
    peer_answer_ike(&made, IKE_SPI, LOW);
    /* nothing is made in an IKE SA that is replaced */
    peer_ask_child(PEER_FIRST_SPI, NEW_SPI, LOW, ESP, NULL);
    peer_expect_notify(X_CREATE_CHILD_SA, N_TEMPORARY_FAILURE);
    peer_take_ike_delete();
    peer_use(&made);
    peer_ask_child(PEER_FIRST_SPI, NEW_SPI, LOW, ESP, NULL);
    peer_child_answered();
    ike_sa_free(&made);
    peer_finish();
}
END_TEST

/* A Delete of a Child SA may still come in the IKE SA that was replaced. */
START_TEST(child_deleted_in_the_replaced_ike_sa)
{
    struct ike_sa made;

    (void)peer_start_rekeyed();
    peer_ask_ike(IKE_SPI, LOW);
    peer_ike_answered(&made);
    peer_delete_child(PEER_FIRST_SPI);
    peer_child_deleted(peer.first_child);
    peer_delete_ike();
    peer_ike_deleted();
    peer_use(&made);
    peer_check_alive(NEW_SPI, 2);
    ike_sa_free(&made);
    peer_finish();
}
END_TEST

START_TEST(disconnect_while_the_ike_sa_is_rekeyed)
{
    struct ike_sa made;

    peer_start();
    ike_rekey(gw.ike, gw.now);
    peer_take_ike();
    ike_disconnect(gw.ike, gw.now);
    peer_answer_ike(&made, IKE_SPI, LOW);
    /* what has just been made is what has to be closed */
    peer_use(&made);
    peer_take_ike_delete();
    gw_expect_down(REASON_USER);
    ike_sa_free(&made);
    peer_finish();
}
END_TEST

START_TEST(requests_of_the_gateway_while_closing)
{
    peer_start();
    ike_disconnect(gw.ike, gw.now);
    gw_expect_delete();
    peer_ask_child(PEER_FIRST_SPI, NEW_SPI, LOW, ESP, NULL);
    peer_expect_notify(X_CREATE_CHILD_SA, N_TEMPORARY_FAILURE);
    peer_ask_ike(IKE_SPI, LOW);
    peer_expect_notify(X_CREATE_CHILD_SA, N_TEMPORARY_FAILURE);
    peer_finish();
}
END_TEST

#define COUNT(array) ((int)(sizeof(array) / sizeof(array)[0]))

int main(void)
{
    Suite *suite = suite_create("ike collide");
    TCase *tcase = tcase_create("ladders");

    tcase_add_loop_test(tcase, child_collision, 0, COUNT(collisions));
    tcase_add_loop_test(tcase, child_collision_with_late_answer, 0, 2);
    tcase_add_loop_test(tcase, child_collision_with_late_request, 0, 2);
    tcase_add_loop_test(tcase, child_collision_refused, 0, 2);
    tcase_add_loop_test(tcase, child_deleted_while_we_rekey_it, 0, 3);
    tcase_add_test(tcase, child_deletes_that_cross);
    tcase_add_test(tcase, unknown_child_deleted);
    tcase_add_loop_test(tcase, ike_collision, 0, 4);
    tcase_add_test(tcase, ike_collision_refused);
    tcase_add_test(tcase, ike_collision_never_answered);
    tcase_add_test(tcase, ike_deleted_while_we_rekey_it);
    tcase_add_test(tcase, ike_deletes_that_cross);
    tcase_add_test(tcase, ike_rekey_while_we_rekey_the_child);
    tcase_add_test(tcase, child_rekey_while_we_rekey_the_ike_sa);
    tcase_add_test(tcase, child_deleted_in_the_replaced_ike_sa);
    tcase_add_test(tcase, disconnect_while_the_ike_sa_is_rekeyed);
    tcase_add_test(tcase, requests_of_the_gateway_while_closing);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
