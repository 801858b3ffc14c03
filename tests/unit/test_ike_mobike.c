/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "mobike_peer.h"
#include "vectors.h"

/* Ladders of moving (RFC 4555): we are the initiator, the gateway is scripted. */

static const struct bytes none;

/* ---- announcing ---- */

START_TEST(announced)
{
    struct ike_summary summary;

    move_connect(NULL);
    ike_get_summary(gw.ike, &summary);
    ck_assert(summary.mobike);
    ck_assert(move_silent());
    gw_finish();
}
END_TEST

/* RFC 4555 3.4; private addresses stay where they are. */
START_TEST(our_addresses_in_ike_auth)
{
    const struct ike_local set[] = {move_local(WIFI, 0), move_local("203.0.113.50", 1),
                                    move_local("192.168.1.2", 2), move_local(SIX, 3)};
    struct bytes data;

    move_start(WIFI);
    ike_set_paths(gw.ike, set, 4, gw.now);
    gw_until_auth();
    ck_assert(move_has(N_MOBIKE_SUPPORTED, NULL));
    ck_assert(move_has(N_ADDITIONAL_IP4_ADDRESS, &data));
    ck_assert_octets(data, addr_bytes(&set[1].addr));
    ck_assert(move_has(N_ADDITIONAL_IP6_ADDRESS, &data));
    ck_assert_octets(data, addr_bytes(&set[3].addr));
    ck_assert(!move_has(N_NO_ADDITIONAL_ADDRESSES, NULL));
    gw_finish();
}
END_TEST

/* It is not wanted, or the gateway knows no NAT traversal: then nothing is said of it. */
START_TEST(not_announced)
{
    struct ike_config config = {.request_ipv4 = true, .mobike = _i == 0, .path = gateway_path};

    config.path.local.addr = move_addr(WIFI);
    gw_start_with(config);
    gw.natd = _i == 1;
    move_locals(WIFI, NULL);
    gw_until_auth();
    ck_assert(!move_has(N_MOBIKE_SUPPORTED, NULL));
    move_finish_auth(NULL);
    move_locals(CABLE, NULL);
    ck_assert_uint_eq(gw.n_lost, 1);
    ck_assert(move_silent());
    gw_finish();
}
END_TEST

/* RFC 4555 3.6: nothing moves, so that nothing is said to move. */
START_TEST(our_addresses_change)
{
    struct bytes data;
    struct addr second = move_addr("203.0.113.50");

    move_connect(NULL);
    move_locals(WIFI, "203.0.113.50");
    move_expect_request(WIFI, GATEWAY);
    ck_assert(!move_has(N_UPDATE_SA_ADDRESSES, NULL));
    ck_assert(move_has(N_ADDITIONAL_IP4_ADDRESS, &data));
    ck_assert_octets(data, addr_bytes(&second));
    move_answer();
    ck_assert(move_silent());
    move_locals(WIFI, NULL);
    /* What was beside it at its interface is gone: this may be another network. */
    move_expect_update(WIFI, GATEWAY);
    ck_assert(move_has(N_NO_ADDITIONAL_ADDRESSES, NULL));
    move_answer();
    ck_assert(move_silent());
    ck_assert_uint_eq(gw.n_paths, 0);
    gw_finish();
}
END_TEST

/* Two private networks with the same address: the gateway sees us elsewhere. */
START_TEST(same_address_at_another_interface)
{
    struct ike_local local = {.addr = move_addr(WIFI), .ifindex = 77};

    move_connect(NULL);
    ike_set_paths(gw.ike, &local, 1, gw.now);
    move_expect_update(WIFI, GATEWAY);
    move_answer();
    ck_assert(move_silent());
    gw_finish();
}
END_TEST

/* ---- moving ---- */

/* The address is gone: ESP moves at once to a gateway's address that has proved itself. */
START_TEST(address_gone)
{
    move_connect(NULL);
    move_locals(CABLE, NULL);
    ck_assert_uint_eq(gw.n_paths, 1);
    move_check_pair(&gw.esp_path, CABLE, GATEWAY);
    ck_assert_uint_eq(gw.esp_path.ifindex, 11);
    move_expect_update(CABLE, GATEWAY);
    ck_assert(move_silent());
    move_answer();
    ck_assert(move_silent());
    ck_assert_uint_eq(gw.n_paths, 1);
    ck_assert_uint_eq(gw.n_lost, 0);
    gw_finish();
}
END_TEST

/* One that would be better is tried first: nothing moves until it has answered. */
START_TEST(better_address)
{
    move_connect(NULL);
    move_locals(CABLE, WIFI);
    ck_assert_uint_eq(gw.n_paths, 0);
    move_expect_update(CABLE, GATEWAY);
    move_answer();
    ck_assert_uint_eq(gw.n_paths, 1);
    move_check_pair(&gw.esp_path, CABLE, GATEWAY);
    ck_assert(move_silent());
    gw_finish();
}
END_TEST

/* Of another family: the one in use may have an address there in a moment. */
START_TEST(better_address_of_another_family)
{
    const char *const told[] = {GATEWAY6, NULL};
    const struct ike_local all[] = {move_local(SIX, 0), move_local(CABLE, 0), move_local(WIFI, 1)};

    move_connect(told);
    ike_set_paths(gw.ike, (struct ike_local[]){all[0], all[2]}, 2, gw.now);
    move_expect_request(WIFI, GATEWAY); /* our new address is told */
    move_answer();
    if (_i == 0) {
        move_pass(2 * SECOND);
        ike_set_paths(gw.ike, all, 3, gw.now);
        move_expect_update(CABLE, GATEWAY);
    } else {
        move_pass(3 * SECOND);
        move_expect_update(SIX, GATEWAY6);
    }
    move_answer();
    ck_assert(move_silent());
    gw_finish();
}
END_TEST

START_TEST(better_address_does_not_work)
{
    move_connect(NULL);
    move_locals(CABLE, WIFI);
    for (unsigned i = 0; i < 3; i++) {
        move_expect_update(CABLE, GATEWAY);
        ck_assert(move_silent());
        move_later(2 * SECOND);
    }
    /* then along the one that works as well, where it is answered */
    move_expect_update(CABLE, GATEWAY);
    move_expect_update(WIFI, GATEWAY);
    ck_assert(move_silent());
    move_answer();
    /* what went along several pairs is said anew along the one */
    move_expect_update(WIFI, GATEWAY);
    move_answer();
    ck_assert_uint_eq(gw.n_paths, 0);
    ck_assert_uint_eq(gw.n_lost, 0);
    ck_assert(move_silent());
    /* and the better one is tried again after a while */
    move_pass(30 * SECOND);
    move_expect_update(CABLE, GATEWAY);
    move_answer();
    move_check_pair(&gw.esp_path, CABLE, GATEWAY);
    gw_finish();
}
END_TEST

/* The path dies while its MTU is asked for: the other one is tried within two seconds. */
START_TEST(path_dies_under_a_probe)
{
    uint64_t began;
    unsigned sent = 0;

    move_connect(NULL);
    move_locals(WIFI, CABLE);
    (void)gw_pull();
    ike_probe_mtu(gw.ike, 1400, gw.now);
    gw_tick_at(gw.now);
    began = gw.now;
    do {
        while (!gw_pull()) {
            gw_tick_at(ike_deadline(gw.ike));
        }
        sent++;
    } while (gw.path.local.addr.octets[1] == 0);
    move_check_pair(&gw.path, CABLE, GATEWAY);
    ck_assert_uint_ge(sent, 4);
    ck_assert_uint_le(gw.now - began, 2 * SECOND);
    gw_finish();
}
END_TEST

START_TEST(address_appears_and_vanishes)
{
    move_connect(NULL);
    move_locals(CABLE, WIFI);
    move_expect_update(CABLE, GATEWAY);
    move_locals(WIFI, NULL);
    /* the same request from here: the gateway may have answered there */
    move_expect_update(WIFI, GATEWAY);
    move_answer();
    move_expect_update(WIFI, GATEWAY);
    move_answer();
    ck_assert(move_silent());
    ck_assert_uint_eq(gw.n_paths, 0);
    gw_finish();
}
END_TEST

START_TEST(move_meets_a_rekeying)
{
    uint32_t id;
    struct chain chain = gw_new_chain();

    move_connect(NULL);
    ike_rekey(gw.ike, gw.now);
    gw_expect(X_CREATE_CHILD_SA, false);
    move_check_pair(&gw.path, WIFI, GATEWAY);
    id = gw.message.header.message_id;
    move_locals(CABLE, NULL);
    move_check_pair(&gw.esp_path, CABLE, GATEWAY);
    gw_expect(X_CREATE_CHILD_SA, false);
    move_check_pair(&gw.path, CABLE, GATEWAY);
    ck_assert_uint_eq(gw.message.header.message_id, id);
    notify_write(&chain, 0, none, N_TEMPORARY_FAILURE, none);
    gw_send_sealed(X_CREATE_CHILD_SA, id, true, &chain);
    gw_drain();
    move_expect_update(CABLE, GATEWAY);
    move_answer();
    ck_assert(move_silent());
    gw_finish();
}
END_TEST

/* The gateway's address of the other family has not answered yet: ESP waits for it. */
START_TEST(to_ipv6_and_back)
{
    const struct addr six = move_addr(GATEWAY6);
    const char *const told[] = {GATEWAY6, NULL};

    move_connect(_i == 0 ? told : NULL);
    if (_i == 1) {
        ike_set_gateways(gw.ike, &six, 1, gw.now);
    }
    ck_assert(move_silent());
    move_locals(SIX, NULL);
    ck_assert_uint_eq(gw.n_paths, 0);
    move_expect_update(SIX, GATEWAY6);
    move_answer();
    move_check_pair(&gw.esp_path, SIX, GATEWAY6);
    ck_assert_uint_eq(gw.esp_path.remote.port, IKE_PORT_NATT);
    ck_assert(move_silent());
    move_locals(CABLE, NULL);
    move_expect_update(CABLE, GATEWAY);
    move_answer();
    move_check_pair(&gw.esp_path, CABLE, GATEWAY);
    ck_assert(move_silent());
    gw_finish();
}
END_TEST

START_TEST(no_address_of_the_gateways_family)
{
    move_connect(NULL);
    move_locals(SIX, NULL);
    ck_assert_uint_eq(gw.n_lost, 1);
    ck_assert(move_silent());
    move_locals(WIFI, NULL);
    move_expect_update(WIFI, GATEWAY);
    move_answer();
    ck_assert(!gw.down);
    ck_assert_uint_eq(gw.n_paths, 1);
    gw_finish();
}
END_TEST

START_TEST(offline_and_elsewhere_again)
{
    move_connect(NULL);
    move_locals(NULL, NULL);
    move_later(5000 * SECOND);
    ck_assert(move_silent());
    ck_assert(!gw.down);
    move_locals(CABLE, NULL);
    move_check_pair(&gw.esp_path, CABLE, GATEWAY);
    move_expect_update(CABLE, GATEWAY);
    move_answer();
    ck_assert_uint_eq(gw.n_lost, 0);
    ck_assert(!gw.down);
    gw_finish();
}
END_TEST

/* Before there is anything to move, the handshake goes on from the other address; the gateway may
 * have taken the first one (RFC 4555 3.3). */
START_TEST(address_changes_while_connecting)
{
    move_start(WIFI);
    move_locals(WIFI, NULL);
    gw_until_auth();
    move_locals(CABLE, NULL);
    gw_expect(X_IKE_AUTH, false);
    move_check_pair(&gw.path, CABLE, GATEWAY);
    move_finish_auth(NULL);
    move_check_pair(&gw.esp_path, CABLE, GATEWAY);
    move_expect_update(CABLE, GATEWAY);
    move_answer();
    ck_assert(move_silent());
    gw_finish();
}
END_TEST

/* ---- more than one way ---- */

/* WIFI, where the tunnel is, and CABLE both work, and something has changed. */
static void two_ways(void)
{
    move_connect(NULL);
    move_locals(WIFI, CABLE);
    ike_network_changed(gw.ike, gw.now);
}

/* The next copy of the request, whenever it leaves, alone and along that pair. */
static void expect_copy(const char *local, const char *remote)
{
    while (!gw_pull()) {
        gw_tick_at(ike_deadline(gw.ike));
    }
    gw_open(X_INFORMATIONAL, false);
    move_check_pair(&gw.path, local, remote);
}

/* Two copies are lost: the third is answered where the tunnel is, although the other way works. */
START_TEST(pair_in_use_goes_first)
{
    two_ways();
    for (unsigned i = 0; i < 3; i++) {
        expect_copy(WIFI, GATEWAY);
    }
    move_later(50 * MS);
    move_answer();
    ck_assert(move_silent());
    move_pass(10 * SECOND);
    ck_assert_uint_eq(gw.n_paths, 0);
    gw_finish();
}
END_TEST

/* It is dead: the other is asked a moment later, within what it took without that moment. */
START_TEST(other_pairs_follow)
{
    uint64_t began;

    two_ways();
    began = gw.now;
    for (unsigned i = 0; i < 3; i++) {
        expect_copy(WIFI, GATEWAY);
    }
    expect_copy(CABLE, GATEWAY);
    ck_assert_uint_ge(gw.now - began, 630 * MS);
    ck_assert_uint_le(gw.now - began, 820 * MS);
    move_answer();
    move_check_pair(&gw.esp_path, CABLE, GATEWAY);
    /* Until the gateway hears it, it sends ESP into the void: it is told again soon. */
    move_expect_update(CABLE, GATEWAY);
    move_later(250 * MS);
    move_expect_update(CABLE, GATEWAY);
    move_answer();
    ck_assert(move_silent());
    gw_finish();
}
END_TEST

/* ESP comes in while copies are lost: nobody else is asked for that, until the pair has died, or
 * brings nothing but ESP for long. */
START_TEST(pair_in_use_brings_esp)
{
    unsigned dies_after = _i == 0 ? 3 : 5;

    two_ways();
    for (unsigned i = 0; i < dies_after; i++) {
        expect_copy(WIFI, GATEWAY);
        ike_received_traffic(gw.ike, gw.now);
    }
    if (_i == 0) {
        expect_copy(WIFI, GATEWAY);
    }
    expect_copy(CABLE, GATEWAY);
    move_answer();
    move_check_pair(&gw.esp_path, CABLE, GATEWAY);
    gw_finish();
}
END_TEST

/* Nothing is answered but what comes along the other pair. */
static void moved_by_silence(const char *from, const char *to)
{
    gw.ike->liveness.wanted = true;
    gw_tick_at(gw.now);
    for (unsigned i = 0; i < 3; i++) {
        expect_copy(from, GATEWAY);
    }
    expect_copy(to, GATEWAY);
    move_answer();
    move_check_pair(&gw.esp_path, to, GATEWAY);
    move_expect_update(to, GATEWAY);
    move_answer();
    ck_assert(move_silent());
}

/* Whoever answers again has not failed any more. */
START_TEST(pair_that_failed_answers)
{
    move_connect(NULL);
    move_locals(WIFI, CABLE);
    moved_by_silence(WIFI, CABLE);
    move_pass(30 * SECOND);
    move_expect_update(WIFI, GATEWAY);
    move_answer();
    moved_by_silence(WIFI, CABLE);
    move_pass(10 * SECOND);
    moved_by_silence(CABLE, WIFI);
    move_pass(31 * SECOND);
    move_check_pair(&gw.esp_path, WIFI, GATEWAY);
    gw_finish();
}
END_TEST

/* What is sent after copies along several pairs goes along the one in use. */
START_TEST(delete_after_copies)
{
    struct path home = move_pair(WIFI, GATEWAY);

    two_ways();
    for (unsigned i = 0; i < 3; i++) {
        expect_copy(WIFI, GATEWAY);
    }
    expect_copy(CABLE, GATEWAY);
    ike_disconnect(gw.ike, gw.now);
    gw.path = home;
    move_answer();
    gw_expect_delete();
    move_check_pair(&gw.path, WIFI, GATEWAY);
    gw_finish();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("ike mobike");
    TCase *tcase = tcase_create("ladders");

    tcase_add_test(tcase, announced);
    tcase_add_test(tcase, our_addresses_in_ike_auth);
    tcase_add_loop_test(tcase, not_announced, 0, 2);
    tcase_add_test(tcase, our_addresses_change);
    tcase_add_test(tcase, same_address_at_another_interface);
    tcase_add_test(tcase, address_gone);
    tcase_add_test(tcase, better_address);
    tcase_add_loop_test(tcase, better_address_of_another_family, 0, 2);
    tcase_add_test(tcase, better_address_does_not_work);
    tcase_add_test(tcase, path_dies_under_a_probe);
    tcase_add_test(tcase, address_appears_and_vanishes);
    tcase_add_test(tcase, move_meets_a_rekeying);
    tcase_add_loop_test(tcase, to_ipv6_and_back, 0, 2);
    tcase_add_test(tcase, no_address_of_the_gateways_family);
    tcase_add_test(tcase, offline_and_elsewhere_again);
    tcase_add_test(tcase, address_changes_while_connecting);
    tcase_add_test(tcase, pair_in_use_goes_first);
    tcase_add_test(tcase, other_pairs_follow);
    tcase_add_loop_test(tcase, pair_in_use_brings_esp, 0, 2);
    tcase_add_test(tcase, pair_that_failed_answers);
    tcase_add_test(tcase, delete_after_copies);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
