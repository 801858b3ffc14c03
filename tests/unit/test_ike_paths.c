/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ike_gateway.h"

#include "vectors.h"

/* What the carrier tells of the host's network, with a gateway that cannot follow us. */

#define SECOND (1000 * MS)

static struct addr addr_from(const char *text)
{
    struct addr addr;

    ck_assert(addr_parse(&addr, text));
    return addr;
}

static struct ike_local local_of(const char *text, unsigned rank)
{
    return (struct ike_local){.addr = addr_from(text), .ifindex = rank + 1, .rank = rank};
}

static void connect_from(const char *local)
{
    struct ike_config config = {.request_ipv4 = true, .path = gateway_path};
    const struct ike_local only = local_of(local, 0);

    config.path.local.addr = only.addr;
    gw_start_with(config);
    ike_set_paths(gw.ike, &only, 1, gw.now);
    gw_connect_tunnel();
}

static bool silent(void)
{
    return !gw_pull();
}

START_TEST(vanished_address_is_told_once)
{
    const struct ike_local other = local_of("10.1.1.1", 0);

    connect_from("10.0.0.1");
    ike_set_paths(gw.ike, &other, 1, gw.now);
    ike_set_paths(gw.ike, &other, 1, gw.now);
    gw_drain();
    ck_assert_uint_eq(gw.n_lost, 1);
    ck_assert(!gw.down);
    gw_finish();
}
END_TEST

START_TEST(the_same_addresses_are_no_news)
{
    const struct ike_local locals[] = {local_of("10.0.0.1", 0), local_of("10.1.1.1", 1)};
    const struct ike_local turned[] = {locals[1], locals[0]};

    connect_from("10.0.0.1");
    ike_set_paths(gw.ike, locals, 2, gw.now);
    ck_assert(silent());
    ike_set_paths(gw.ike, turned, 2, gw.now);
    ck_assert(silent());
    gw_finish();
}
END_TEST

/* Nothing is sent and nothing given up, however long it takes. */
START_TEST(offline_waits)
{
    const struct ike_local back = local_of("10.0.0.1", 0);

    connect_from("10.0.0.1");
    ike_network_changed(gw.ike, gw.now);
    gw_expect(X_INFORMATIONAL, false);
    ike_set_paths(gw.ike, NULL, 0, gw.now);
    for (unsigned i = 0; i < 300; i++) {
        gw_tick_at(gw.now + SECOND);
        ck_assert(silent());
    }
    gw_drain();
    ck_assert(!gw.down);
    ike_set_paths(gw.ike, &back, 1, gw.now);
    gw_tick_at(gw.now);
    gw_expect(X_INFORMATIONAL, false);
    ck_assert_uint_eq(gw.message.header.message_id, 2);
    gw_answer_empty(2);
    ck_assert(!gw.down);
    ck_assert_uint_eq(gw.n_lost, 0);
    gw_finish();
}
END_TEST

/* One quick check, repeated soon; then the carrier hears of it, and that the gateway is back. */
START_TEST(woken_with_a_dead_gateway)
{
    connect_from("10.0.0.1");
    gw.now += 600 * SECOND;
    if (_i == 0) {
        ike_woke(gw.ike, gw.now);
    } else {
        gw_tick_at(gw.now); /* nobody told: the clock did */
    }
    gw_expect(X_INFORMATIONAL, false);
    gw_tick_at(gw.now + 249 * MS);
    ck_assert(silent());
    gw_tick_at(gw.now + 1 * MS);
    gw_expect(X_INFORMATIONAL, false);
    for (unsigned i = 0; i < 17; i++) {
        gw_tick_at(gw.now + 100 * MS);
        gw_drain();
        ck_assert_uint_eq(gw.n_lost, 0);
        (void)gw_pull();
    }
    gw_tick_at(gw.now + 100 * MS);
    gw_drain();
    ck_assert_uint_eq(gw.n_lost, 1);
    ck_assert(!gw.down);
    gw.n_paths = 0;
    gw_answer_empty(2);
    ck_assert_uint_eq(gw.n_paths, 1);
    gw_finish();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("ike_paths");
    TCase *tcase = tcase_create("told");

    tcase_add_test(tcase, vanished_address_is_told_once);
    tcase_add_test(tcase, the_same_addresses_are_no_news);
    tcase_add_test(tcase, offline_waits);
    tcase_add_loop_test(tcase, woken_with_a_dead_gateway, 0, 2);
    suite_add_tcase(suite, tcase);
    return run_suite(suite);
}
