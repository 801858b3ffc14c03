/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "mobike_peer.h"
#include "vectors.h"

/* MOBIKE (RFC 4555) once more: what the gateway answers and asks, NATs, strangers. */

static const struct bytes none;

/* ---- answers ---- */

static const struct {
    size_t len;
    bool flip, absent;
} cookies[] = {{16, true, false}, {15, false, false}, {0, false, true}, {0, false, false}};

START_TEST(wrong_cookie)
{
    struct chain chain = gw_new_chain();
    uint8_t copy[16];
    struct bytes cookie;

    move_connect(NULL);
    move_locals(CABLE, NULL);
    move_expect_update(CABLE, GATEWAY);
    ck_assert(move_has(N_COOKIE2, &cookie));
    ck_assert_uint_eq(cookie.len, sizeof copy);
    memcpy(copy, cookie.data, sizeof copy);
    copy[7] ^= cookies[_i].flip ? 1 : 0;
    if (!cookies[_i].absent) {
        notify_write(&chain, 0, none, N_COOKIE2, bytes_of(copy, cookies[_i].len));
    }
    gw_send_sealed(X_INFORMATIONAL, 2, true, &chain);
    gw_drain();
    gw_expect_delete();
    gw_answer_empty(3);
    gw_expect_down(REASON_PROTOCOL);
    gw_finish();
}
END_TEST

START_TEST(cookies_differ)
{
    struct bytes cookie;
    uint8_t first[16];

    move_connect(NULL);
    move_locals(CABLE, NULL);
    move_expect_update(CABLE, GATEWAY);
    ck_assert(move_has(N_COOKIE2, &cookie));
    memcpy(first, cookie.data, sizeof first);
    move_answer();
    move_locals(WIFI, NULL);
    move_expect_update(WIFI, GATEWAY);
    ck_assert(move_has(N_COOKIE2, &cookie));
    ck_assert_int_ne(memcmp(first, cookie.data, sizeof first), 0);
    gw_finish();
}
END_TEST

START_TEST(unacceptable_addresses)
{
    move_connect(NULL);
    move_locals(CABLE, PHONE);
    move_expect_update(CABLE, GATEWAY);
    move_answer_as(GATEWAY, N_UNACCEPTABLE_ADDRESSES);
    move_expect_update(PHONE, GATEWAY);
    ck_assert_uint_eq(gw.n_lost, 0);
    move_answer_as(GATEWAY, N_UNACCEPTABLE_ADDRESSES);
    ck_assert_uint_eq(gw.n_lost, 1);
    ck_assert(move_silent());
    ck_assert(!gw.down);
    gw_finish();
}
END_TEST

START_TEST(unexpected_nat)
{
    move_connect(NULL);
    move_locals(CABLE, NULL);
    for (unsigned i = 0; i < 6; i++) {
        move_expect_update(CABLE, GATEWAY);
        move_answer_as(GATEWAY, N_UNEXPECTED_NAT_DETECTED);
        ck_assert_uint_eq(gw.n_lost, i == 5);
    }
    ck_assert(move_silent());
    gw_finish();
}
END_TEST

/* The gateway answers on no path, and then it does. */
START_TEST(nobody_answers)
{
    struct path sent[4];

    move_connect(NULL);
    move_locals(CABLE, PHONE);
    for (unsigned i = 0; i < 49; i++) {
        (void)move_pairs_sent(sent, 4);
        move_later(100 * MS);
        ck_assert_uint_eq(gw.n_lost, 0);
    }
    move_later(100 * MS);
    ck_assert_uint_eq(gw.n_lost, 1);
    (void)move_pairs_sent(sent, 4);
    gw.n_paths = 0;
    gw_tick_at(ike_deadline(gw.ike));
    move_expect_update(CABLE, GATEWAY);
    move_expect_update(PHONE, GATEWAY);
    move_answer();
    ck_assert_uint_eq(gw.n_paths, 1);
    move_check_pair(&gw.esp_path, PHONE, GATEWAY);
    gw_finish();
}
END_TEST

/* ---- offline ---- */

/* The answer is to what the gateway has heard before; a NAT may have forgotten us since (RFC 4555
 * 3.5). */
START_TEST(offline_during_an_update)
{
    move_connect(NULL);
    move_locals(CABLE, NULL);
    move_expect_update(CABLE, GATEWAY);
    move_locals(NULL, NULL);
    move_pass(90 * SECOND);
    move_locals(CABLE, NULL);
    move_expect_update(CABLE, GATEWAY);
    move_answer();
    move_expect_update(CABLE, GATEWAY);
    move_answer();
    ck_assert(move_silent());
    gw_finish();
}
END_TEST

/* Nothing could be renewed: there is time for it afterwards. */
START_TEST(returns_as_the_keys_run_out)
{
    uint64_t last;

    move_connect(NULL);
    move_locals(NULL, NULL);
    while (gw.now < 7200 * SECOND) {
        gw_tick_at(ike_deadline(gw.ike));
    }
    last = ike_deadline(gw.ike);
    gw.now = last - 1;
    move_locals(WIFI, NULL);
    move_expect_update(WIFI, GATEWAY);
    move_answer();
    move_later(1 * SECOND);
    move_later(2 * SECOND);
    ck_assert(!gw.down);
    ck_assert_uint_gt(gw.now, last);
    gw_finish();
}
END_TEST

/* A gateway that has not heard of us for long may have forgotten us. What it sent before may be
 * read only afterwards. */
START_TEST(given_up_after_a_sleep)
{
    bool short_one = _i == 3;
    struct path sent[8];
    uint64_t woke;

    move_connect(NULL);
    gw.now += (short_one ? 20 : 600) * SECOND;
    woke = gw.now;
    if (_i == 1) {
        ike_received_traffic(gw.ike, gw.now);
        gw_tick_at(gw.now); /* nobody told: the clock did */
    } else {
        ike_woke(gw.ike, gw.now);
    }
    if (_i == 2) {
        ike_received_traffic(gw.ike, gw.now);
        move_locals(CABLE, WIFI);
        (void)move_pairs_sent(sent, 8);
        move_locals(WIFI, NULL);
    }
    move_expect_update(WIFI, GATEWAY);
    while (gw.n_lost == 0) {
        move_later(100 * MS);
        (void)move_pairs_sent(sent, 8);
    }
    ck_assert_uint_eq(gw.now - woke, (short_one ? 5 : 2) * SECOND);
    move_later(100 * MS);
    gw_tick_at(ike_deadline(gw.ike));
    move_expect_update(WIFI, GATEWAY);
    move_answer();
    ck_assert_uint_eq(gw.n_paths, 1);
    gw_finish();
}
END_TEST

/* ---- the gateway's addresses ---- */

START_TEST(first_address_of_the_gateway_dies)
{
    const char *const told[] = {GATEWAY2, GATEWAY6, NULL};

    move_connect(told);
    ike_network_changed(gw.ike, gw.now);
    move_expect_update(WIFI, GATEWAY);
    move_later(300 * MS);
    move_expect_update(WIFI, GATEWAY);
    move_later(1 * SECOND);
    move_expect_update(WIFI, GATEWAY);
    ck_assert(move_silent());
    move_later(250 * MS);
    move_expect_update(WIFI, GATEWAY2);
    ck_assert(move_silent());
    move_answer();
    move_check_pair(&gw.esp_path, WIFI, GATEWAY2);
    move_expect_update(WIFI, GATEWAY2);
    move_answer();
    ck_assert(move_silent());
    gw_finish();
}
END_TEST

static void gateway_asks(const struct path *from, const struct chain *chain)
{
    uint8_t out[8192];

    gw_deliver_from(from, out,
                    gw_sealed(out, sizeof out, X_INFORMATIONAL, gw.sa.next_id++, false, chain));
    gw_drain();
}

/* RFC 4555 3.6: it has another address and says so from there; ESP follows its answer only. */
START_TEST(gateway_withdraws_its_address)
{
    struct chain chain = gw_new_chain();
    struct path from = move_pair(WIFI, GATEWAY2);

    move_connect(NULL);
    notify_write(&chain, 0, none, N_NO_ADDITIONAL_ADDRESSES, none);
    gateway_asks(&from, &chain);
    gw_expect(X_INFORMATIONAL, true);
    move_check_pair(&gw.path, WIFI, GATEWAY2);
    ck_assert_uint_eq(gw.n_paths, 0);
    move_expect_update(WIFI, GATEWAY2);
    move_answer();
    move_check_pair(&gw.esp_path, WIFI, GATEWAY2);
    ck_assert(move_silent());
    gw_finish();
}
END_TEST

/* An authenticated message from elsewhere is answered there, and moves nothing. */
START_TEST(gateway_asks_from_elsewhere)
{
    struct chain chain = gw_new_chain();
    struct path from = move_pair(WIFI, GATEWAY2);

    move_connect(NULL);
    gateway_asks(&from, &chain);
    gw_expect(X_INFORMATIONAL, true);
    move_check_pair(&gw.path, WIFI, GATEWAY2);
    ck_assert_uint_eq(gw.path.ifindex, move_local(WIFI, 0).ifindex);
    ck_assert_uint_eq(gw.n_paths, 0);
    ike_network_changed(gw.ike, gw.now);
    move_expect_update(WIFI, GATEWAY);
    gw_finish();
}
END_TEST

static size_t distinct(const struct path *sent, size_t n, bool *gateway_too)
{
    struct addr seen[64];
    size_t count = 0;

    *gateway_too = false;
    for (size_t i = 0; i < n; i++) {
        struct addr addr = sent[i].remote.addr;
        bool again = false;

        for (size_t k = 0; k < count; k++) {
            again = again || addr_equal(&seen[k], &addr);
        }
        if (!again) {
            ck_assert_uint_lt(count, 64);
            seen[count++] = addr;
        }
        *gateway_too = *gateway_too || addr.octets[0] == 192;
    }
    return count;
}

START_TEST(two_hundred_addresses)
{
    static struct path sent[512];
    struct chain chain = gw_new_chain();
    struct path from = move_pair(WIFI, GATEWAY);
    size_t n = 0;
    bool gateway_too;

    move_connect(NULL);
    for (unsigned i = 0; i < 200; i++) {
        const uint8_t octets[] = {203, 0, 113, (uint8_t)(i + 1)};

        notify_write(&chain, 0, none, N_ADDITIONAL_IP4_ADDRESS, bytes_of(octets, 4));
    }
    gateway_asks(&from, &chain);
    gw_expect(X_INFORMATIONAL, true);
    ck_assert(move_silent());
    ike_network_changed(gw.ike, gw.now);
    for (unsigned i = 0; i < 12; i++) {
        size_t round = move_pairs_sent(sent + n, 512 - n);

        ck_assert_uint_le(round, 8);
        n += round;
        move_later(5 * SECOND);
    }
    ck_assert_uint_eq(distinct(sent, n, &gateway_too), 17);
    ck_assert(gateway_too);
    gw_finish();
}
END_TEST

static const char *const refused[] = {
    "127.0.0.1",
    "0.0.0.0",
    "224.0.0.1",
    "255.255.255.255",
    "169.254.1.1",
    "10.77.0.1",
    "10.99.4.4",
    WIFI,
    "::1",
    "::",
    "ff02::1",
    "fe80::1",
    "::ffff:10.1.1.1",
};

/* Told by the gateway, and then looked up for its name. */
START_TEST(refused_addresses)
{
    const char *const told[] = {refused[(size_t)_i % COUNT(refused)], NULL};
    struct addr addr = move_addr(told[0]);
    struct path sent[64];
    size_t n;

    move_connect(_i < (int)COUNT(refused) ? told : NULL);
    if (_i >= (int)COUNT(refused)) {
        ike_set_gateways(gw.ike, &addr, 1, gw.now);
    }
    move_locals(WIFI, SIX);
    move_expect_request(WIFI, GATEWAY); /* our own other address is told */
    move_answer();
    ike_network_changed(gw.ike, gw.now);
    for (unsigned i = 0; i < 10; i++) {
        n = move_pairs_sent(sent, 64);
        for (size_t k = 0; k < n; k++) {
            move_check_pair(&sent[k], WIFI, GATEWAY);
        }
        move_later(5 * SECOND);
    }
    gw_finish();
}
END_TEST

/* ---- requests of the gateway ---- */

START_TEST(return_routability_of_ours)
{
    struct chain chain = gw_new_chain();
    struct path from = move_pair(WIFI, GATEWAY), seen = {.remote.addr = move_addr("203.0.113.7")};
    struct bytes data;

    move_connect(NULL);
    notify_write(&chain, 0, none, N_COOKIE2, bytes_of_string("a cookie of the gateway"));
    ck_assert_int_eq(natd_write(&chain, gw.sa.spi_i, gw.sa.spi_r, &seen), OK);
    gateway_asks(&from, &chain);
    gw_expect(X_INFORMATIONAL, true);
    ck_assert(move_has(N_COOKIE2, &data));
    ck_assert_octets(data, bytes_of_string("a cookie of the gateway"));
    ck_assert(move_has(N_NAT_DETECTION_SOURCE_IP, NULL));
    ck_assert(move_has(N_NAT_DETECTION_DESTINATION_IP, NULL));
    chain = gw_new_chain();
    notify_write(&chain, 0, none, N_COOKIE2, bytes_of("1234567", 7));
    gateway_asks(&from, &chain);
    gw_expect(X_INFORMATIONAL, true);
    ck_assert(!move_has(N_COOKIE2, NULL));
    ck_assert(!move_has(N_NAT_DETECTION_SOURCE_IP, NULL));
    gw_finish();
}
END_TEST

static const struct {
    const char *data; /* source, destination, ports */
    size_t len;
    bool fits;
} no_nats[] = {
    {"\xc0\0\2\1\x0a\0\0\1\x11\x94\x11\x94", 12, true},
    {"\xc0\0\2\2\x0a\0\0\1\x11\x94\x11\x94", 12, false},
    {"\xc0\0\2\1\x0a\0\0\2\x11\x94\x11\x94", 12, false},
    {"\xc0\0\2\1\x0a\0\0\1\x11\x95\x11\x94", 12, false},
    {"\xc0\0\2\1\x0a\0\0\1\x11\x94\x11", 11, false},
};

/* RFC 4555 3.9: what a NAT has changed on the way is not obeyed. */
START_TEST(no_nats_allowed)
{
    struct chain chain = gw_new_chain();
    struct path from = move_pair(WIFI, GATEWAY);
    struct addr second = move_addr(GATEWAY2);
    struct path sent[64];
    size_t n;

    move_connect(NULL);
    notify_write(&chain, 0, none, N_NO_NATS_ALLOWED, bytes_of(no_nats[_i].data, no_nats[_i].len));
    notify_write(&chain, 0, none, N_ADDITIONAL_IP4_ADDRESS, addr_bytes(&second));
    gateway_asks(&from, &chain);
    gw_expect(X_INFORMATIONAL, true);
    ck_assert(move_has(N_UNEXPECTED_NAT_DETECTED, NULL) != no_nats[_i].fits);
    ike_network_changed(gw.ike, gw.now);
    (void)move_pairs_sent(sent, 64);
    move_later(1 * SECOND);
    (void)move_pairs_sent(sent, 64);
    move_later(1 * SECOND);
    n = move_pairs_sent(sent, 64);
    move_later(250 * MS);
    n += move_pairs_sent(sent, 64);
    ck_assert_uint_eq(n, no_nats[_i].fits ? 2 : 1);
    gw_finish();
}
END_TEST

/* ---- NAT mappings and keepalives ---- */

static void silence_for(uint64_t us)
{
    move_later(1);
    ike_sent_traffic(gw.ike, gw.now);
    move_pass(us);
}

/* RFC 4555 3.8 */
START_TEST(mapping_changes)
{
    move_connect(NULL);
    ike_network_changed(gw.ike, gw.now);
    move_expect_update(WIFI, GATEWAY);
    move_answer();
    silence_for(30 * SECOND);
    move_expect_request(WIFI, GATEWAY);
    ck_assert(!move_has(N_UPDATE_SA_ADDRESSES, NULL));
    ck_assert(move_has(N_NAT_DETECTION_SOURCE_IP, NULL));
    move_answer();
    ck_assert(move_silent());
    silence_for(30 * SECOND);
    move_expect_request(WIFI, GATEWAY);
    ck_assert(!move_has(N_UPDATE_SA_ADDRESSES, NULL));
    move_answer_as("203.0.113.8", 0);
    move_expect_update(WIFI, GATEWAY);
    move_answer_as("203.0.113.8", 0);
    ck_assert(move_silent());
    ck_assert_uint_eq(gw.n_paths, 0);
    gw_finish();
}
END_TEST

/* The NAT forgets us just when the gateway has moved. */
START_TEST(silence_after_a_move)
{
    move_connect(NULL);
    move_locals(CABLE, NULL);
    move_expect_update(CABLE, GATEWAY);
    move_answer();
    for (unsigned i = 0; i < 2; i++) {
        ck_assert(move_silent());
        move_later(1 * SECOND);
        ike_sent_traffic(gw.ike, gw.now);
        gw_tick_at(gw.now);
    }
    move_expect_request(CABLE, GATEWAY);
    move_answer_as("203.0.113.8", 0);
    move_expect_update(CABLE, GATEWAY);
    gw_finish();
}
END_TEST

static uint64_t until_sent(void)
{
    uint64_t began = gw.now;

    while (!gw_pull()) {
        gw_tick_at(ike_deadline(gw.ike));
    }
    return gw.now - began;
}

static void expect_keepalive(uint64_t after)
{
    ck_assert_uint_eq(until_sent(), after);
    ck_assert_uint_eq(gw.len, 1);
    ck_assert_uint_eq(gw.datagram[0], 0xff);
}

/* After a longer silence the gateway is asked how it sees us. */
static void expect_trial(uint64_t after)
{
    ck_assert_uint_eq(until_sent(), after);
    gw_open(X_INFORMATIONAL, false);
    ck_assert(move_has(N_NAT_DETECTION_SOURCE_IP, NULL));
    ck_assert(!move_has(N_UPDATE_SA_ADDRESSES, NULL));
}

START_TEST(patient_nat)
{
    static const uint64_t trials[] = {30000, 45000, 67500, 101250, 110000};

    move_connect(NULL);
    for (size_t i = 0; i < COUNT(trials); i++) {
        expect_trial(trials[i] * MS);
        move_answer();
        expect_keepalive(trials[i] * MS);
    }
    for (unsigned i = 0; i < 4; i++) {
        expect_keepalive(110 * SECOND);
    }
    /* another network, another NAT */
    move_locals(CABLE, NULL);
    move_expect_update(CABLE, GATEWAY);
    move_answer();
    expect_keepalive(20 * SECOND);
    expect_trial(30 * SECOND);
    gw_finish();
}
END_TEST

START_TEST(impatient_nat)
{
    move_connect(NULL);
    ike_network_changed(gw.ike, gw.now);
    move_expect_update(WIFI, GATEWAY);
    move_answer();
    expect_keepalive(20 * SECOND);
    expect_trial(30 * SECOND);
    move_answer_as("203.0.113.8", 0);
    move_expect_update(WIFI, GATEWAY);
    move_answer_as("203.0.113.8", 0);
    for (unsigned i = 0; i < 10; i++) {
        expect_keepalive(20 * SECOND);
    }
    gw_finish();
}
END_TEST

/* A trial that is not answered at once decides nothing: it is not tried again. */
START_TEST(trial_without_an_answer)
{
    move_connect(NULL);
    expect_trial(30 * SECOND);
    move_later(600 * MS);
    move_expect_request(WIFI, GATEWAY);
    move_answer();
    move_expect_update(WIFI, GATEWAY);
    move_answer();
    for (unsigned i = 0; i < 10; i++) {
        expect_keepalive(20 * SECOND);
    }
    gw_finish();
}
END_TEST

/* ---- strangers ---- */

START_TEST(spoofed_from_elsewhere)
{
    struct path from = move_pair(WIFI, GATEWAY2);
    uint8_t out[1024];
    uint64_t deadline;
    size_t len;

    move_connect(NULL);
    move_locals(CABLE, WIFI);
    move_expect_update(CABLE, GATEWAY);
    move_seal_answer(out, &len, GATEWAY, 0);
    deadline = ike_deadline(gw.ike);
    for (size_t at = IKE_HEADER_LEN + IKE_PAYLOAD_HEADER_LEN; at < len; at++) {
        out[at] ^= 0x40;
        gw_deliver_from(&from, out, len);
        gw_deliver_from(&gw.path, out, len);
        out[at] ^= 0x40;
    }
    gw_drain();
    ck_assert_uint_eq(gw.n_paths, 0);
    ck_assert_uint_eq(ike_deadline(gw.ike), deadline);
    ck_assert(move_silent());
    gw_finish();
}
END_TEST

/* The answer to an update is good once, wherever it is replayed from. */
START_TEST(replayed_answer)
{
    struct path from = move_pair(CABLE, GATEWAY2), home = move_pair(WIFI, GATEWAY);
    const char *const told[] = {GATEWAY2, NULL};
    uint8_t out[1024];
    size_t len;

    move_connect(told);
    move_locals(CABLE, WIFI);
    move_expect_update(CABLE, GATEWAY);
    move_seal_answer(out, &len, GATEWAY, 0);
    gw_deliver_from(&gw.path, out, len);
    gw_drain();
    ck_assert_uint_eq(gw.n_paths, 1);
    move_locals(WIFI, NULL);
    move_expect_update(WIFI, GATEWAY);
    gw.n_paths = 0;
    gw_deliver_from(&from, out, len);
    gw_deliver_from(&home, out, len);
    gw_drain();
    ck_assert_uint_eq(gw.n_paths, 0);
    ck_assert(move_silent());
    ck_assert(!gw.down);
    move_answer();
    ck_assert(move_silent());
    gw_finish();
}
END_TEST

/* An authentic answer that comes from an address that nobody has named moves nothing there. */
START_TEST(answer_from_nowhere)
{
    struct path from = move_pair(CABLE, "203.0.113.66");
    uint8_t out[1024];
    size_t len;

    move_connect(NULL);
    move_locals(CABLE, WIFI);
    move_expect_update(CABLE, GATEWAY);
    move_seal_answer(out, &len, GATEWAY, 0);
    gw_deliver_from(&from, out, len);
    gw_drain();
    ck_assert_uint_eq(gw.n_paths, 0);
    gw_finish();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("ike moved");
    TCase *tcase = tcase_create("ladders");

    tcase_add_loop_test(tcase, wrong_cookie, 0, COUNT(cookies));
    tcase_add_test(tcase, cookies_differ);
    tcase_add_test(tcase, unacceptable_addresses);
    tcase_add_test(tcase, unexpected_nat);
    tcase_add_test(tcase, nobody_answers);
    tcase_add_test(tcase, offline_during_an_update);
    tcase_add_test(tcase, returns_as_the_keys_run_out);
    tcase_add_loop_test(tcase, given_up_after_a_sleep, 0, 4);
    tcase_add_test(tcase, first_address_of_the_gateway_dies);
    tcase_add_test(tcase, gateway_withdraws_its_address);
    tcase_add_test(tcase, gateway_asks_from_elsewhere);
    tcase_add_test(tcase, two_hundred_addresses);
    tcase_add_loop_test(tcase, refused_addresses, 0, 2 * COUNT(refused));
    tcase_add_test(tcase, return_routability_of_ours);
    tcase_add_loop_test(tcase, no_nats_allowed, 0, COUNT(no_nats));
    tcase_add_test(tcase, mapping_changes);
    tcase_add_test(tcase, silence_after_a_move);
    tcase_add_test(tcase, patient_nat);
    tcase_add_test(tcase, impatient_nat);
    tcase_add_test(tcase, trial_without_an_answer);
    tcase_add_test(tcase, spoofed_from_elsewhere);
    tcase_add_test(tcase, replayed_answer);
    tcase_add_test(tcase, answer_from_nowhere);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
