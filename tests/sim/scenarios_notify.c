/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/scenarios.h"
#include "sim/sim.h"

/* What a gateway says of itself while it is up: where to go, how long one may stay, that it was
 * restarted. */

static void check_good(const struct sim *sim)
{
    ck_assert_msg(sim->violations->len == 0, "%s%s", sim->ladder->str, sim->violations->str);
}

static struct sim *connected(const struct gateway_config *config)
{
    struct setup setup = {.auth = IKE_AUTH_PSK, .gateway = *config};
    struct sim *sim;

    setup.gateway.auth = GATEWAY_AUTH_PSK;
    sim = sim_new(&setup, 1);
    ck_assert_msg(sim_run(sim, sim_connected, SIM_START + SECONDS(2)), "%s", sim->ladder->str);
    sim_run(sim, NULL, sim->now + 100000);
    return sim;
}

static bool answered(const struct sim *sim)
{
    return sim->gateway.responses > 0;
}

static void expect_end(struct sim *sim, enum reason reason, uint64_t earliest, uint64_t latest)
{
    uint64_t start = sim->now;

    ck_assert_msg(sim_run(sim, sim_ended, start + latest), "%s", sim->ladder->str);
    ck_assert_msg(sim->reason == reason, "%s", sim->ladder->str);
    ck_assert_msg(sim->down_at >= start + earliest, "%s", sim->ladder->str);
    check_good(sim);
    sim_free(sim);
}

/* ---- redirections ---- */

/* One word about it, however often it is repeated; and whatever it says, the connection stays. */
START_TEST(redirected_while_up)
{
    enum gateway_redirect redirect = (enum gateway_redirect)_i;
    struct sim *sim = connected(&(struct gateway_config){0});

    sim->network.faults.lose_to_gateway = UINT64_C(3) << sim->network.sent_to_gateway;
    gateway_redirect(&sim->gateway, redirect, sim->now);
    ck_assert_msg(sim_run(sim, answered, sim->now + SECONDS(4)), "%s", sim->ladder->str);
    ck_assert_uint_eq(sim->redirects, gateway_redirect_holds(redirect));
    ck_assert(!sim->down);
    sim_run(sim, NULL, sim->now + SECONDS(1));
    sim_require_quiet(sim);
    check_good(sim);
    sim_free(sim);
}
END_TEST

/* ---- the end of an authentication ---- */

START_TEST(limited_authentication)
{
    static const struct {
        uint32_t seconds;
        unsigned told, end; /* at the latest */
    } limits[] = {{0, 10, 40}, {5, 10, 40}, {120, 90, 120}, {600, 540, 600}};
    struct sim *sim =
        connected(&(struct gateway_config){.limits = true, .lifetime = limits[_i].seconds});
    uint64_t start = sim->up_at;

    /* The IKE SAs change, the authentication stays what it was. */
    ike_rekey(sim->ike, sim->now);
    sim_pump(sim);
    sim_run(sim, NULL, sim->now + SECONDS(1));
    gateway_rekey_ike(&sim->gateway, sim->now);
    sim_run(sim, NULL, start + SECONDS(limits[_i].told));
    ck_assert_msg(sim->reauths == 1, "%s", sim->ladder->str);
    ck_assert(!sim->down);
    ck_assert(sim_run(sim, sim_ended, start + SECONDS(limits[_i].end + 1)));
    ck_assert_uint_ge(sim->down_at, sim->reauth_at + SECONDS(30));
    ck_assert_int_eq(sim->reason, REASON_GATEWAY_CLOSED);
    ck_assert(sim->retry);
    ck_assert(sim->gateway.delete_received);
    ck_assert_uint_eq(sim->reauths, 1);
    ck_assert_uint_eq(sim->gateway.ike_rekeys, 2);
    check_good(sim);
    sim_free(sim);
}
END_TEST

START_TEST(no_storm_of_authentications)
{
    struct sim *sim = connected(&(struct gateway_config){0});

    for (unsigned i = 0; i < 200; i++) {
        gateway_limit(&sim->gateway, i % 3, sim->now);
        sim_run(sim, NULL, sim->now + 500000);
    }
    ck_assert(!sim->down);
    ck_assert_uint_ge(sim->reauths, 8);
    ck_assert_uint_le(sim->reauths, 10);
    check_good(sim);
    sim_free(sim);
}
END_TEST

START_TEST(withdrawn_authentication)
{
    struct sim *sim = connected(&(struct gateway_config){0});

    gateway_withdraw(&sim->gateway, sim->now);
    ck_assert(sim_run(sim, answered, sim->now + SECONDS(1)));
    ck_assert(sim->down);
    ck_assert_int_eq(sim->reason, REASON_AUTH_FAILED);
    check_good(sim);
    sim_free(sim);
}
END_TEST

/* ---- restarts ---- */

/* What happens before, so that the token is not that of the handshake. */
static void some_rekeyings(struct sim *sim, int which)
{
    for (unsigned i = 0; i < 3; i++) {
        if ((which & 1) != 0) {
            ike_rekey(sim->ike, sim->now);
            sim_pump(sim);
            sim_run(sim, NULL, sim->now + SECONDS(1));
        }
        if ((which & 2) != 0) {
            gateway_rekey_ike(&sim->gateway, sim->now);
            sim_run(sim, NULL, sim->now + SECONDS(1));
        }
    }
    ck_assert_msg(!sim->down, "%s", sim->ladder->str);
    sim_require_quiet(sim);
}

/* The first ESP is told to be unknown, then our question, with a token: three round trips of 20 ms,
 * and one message of them is lost. */
START_TEST(restarted_gateway_with_tokens)
{
    struct sim *sim =
        connected(&(struct gateway_config){.says_unknown = true, .tokens = GATEWAY_TOKENS_RIGHT});

    some_rekeyings(sim, _i / 2);
    sim_run(sim, NULL, sim->now + SECONDS(2));
    gateway_restart(&sim->gateway);
    sim_traffic(sim, 20000);
    if (_i % 2 == 1) {
        sim->network.faults.lose_to_client = UINT64_C(2) << sim->network.sent_to_client;
    }
    expect_end(sim, REASON_GATEWAY_LOST, 0, _i % 2 == 0 ? 200000 : 1200000);
}
END_TEST

/* So soon it may be a mistake. */
START_TEST(restarted_gateway_that_was_just_heard)
{
    struct sim *sim =
        connected(&(struct gateway_config){.says_unknown = true, .tokens = GATEWAY_TOKENS_RIGHT});

    gateway_restart(&sim->gateway);
    sim_traffic(sim, 20000);
    expect_end(sim, REASON_GATEWAY_LOST, SECONDS(1), SECONDS(4));
}
END_TEST

/* RFC 6290 2: who sends nothing learns of it when he has something to say. */
START_TEST(restarted_gateway_of_an_idle_client)
{
    struct sim *sim =
        connected(&(struct gateway_config){.says_unknown = true, .tokens = GATEWAY_TOKENS_RIGHT});

    gateway_restart(&sim->gateway);
    sim_run(sim, NULL, sim->now + SECONDS(300));
    ck_assert(!sim->down);
    if (_i == 0) {
        ike_rekey(sim->ike, sim->now);
        sim_pump(sim);
        expect_end(sim, REASON_GATEWAY_LOST, 0, 200000);
    } else {
        ike_disconnect(sim->ike, sim->now);
        sim_pump(sim);
        expect_end(sim, REASON_USER, 0, SECONDS(1));
    }
}
END_TEST

/* Nobody's token, or none at all: the gateway is asked at once, and given the usual time. */
START_TEST(restarted_gateway_without_tokens)
{
    struct sim *sim = connected(&(struct gateway_config){
        .says_unknown = true, .tokens = _i == 0 ? GATEWAY_TOKENS_WRONG : GATEWAY_TOKENS_NONE});

    gateway_restart(&sim->gateway);
    sim_traffic(sim, 20000);
    expect_end(sim, REASON_GATEWAY_LOST, SECONDS(60), SECONDS(61));
}
END_TEST

/* It still has the IKE SA, and says there that it does not know what comes. */
START_TEST(lost_child_sa)
{
    struct sim *sim = connected(&(struct gateway_config){.says_unknown = true});

    gateway_children_free(&sim->gateway);
    sim_traffic(sim, 20000);
    sim_run(sim, NULL, sim->now + 200000);
    ck_assert_uint_ne(sim->gateway.outbound, 0);
    ck_assert_uint_eq(sim_outbound(sim), sim->gateway.outbound);
    sim_run(sim, NULL, sim->now + SECONDS(10));
    sim_require_quiet(sim);
    check_good(sim);
    sim_free(sim);
}
END_TEST

START_TEST(forged_tokens)
{
    struct sim *sim = connected(&(struct gateway_config){.tokens = GATEWAY_TOKENS_RIGHT});

    for (unsigned i = 0; i < 1000; i++) {
        sim_forge_token(sim);
        sim_run(sim, NULL, sim->now + 10000);
    }
    sim_require_quiet(sim);
    check_good(sim);
    sim_free(sim);
}
END_TEST

TCase *scenarios_notify(void)
{
    TCase *tcase = tcase_create("notifications");

    tcase_add_loop_test(tcase, redirected_while_up, GATEWAY_REDIRECT_IPV4, GATEWAY_REDIRECTS);
    tcase_add_loop_test(tcase, limited_authentication, 0, 4);
    tcase_add_test(tcase, no_storm_of_authentications);
    tcase_add_test(tcase, withdrawn_authentication);
    tcase_add_loop_test(tcase, restarted_gateway_with_tokens, 0, 8);
    tcase_add_test(tcase, restarted_gateway_that_was_just_heard);
    tcase_add_loop_test(tcase, restarted_gateway_of_an_idle_client, 0, 2);
    tcase_add_loop_test(tcase, restarted_gateway_without_tokens, 0, 2);
    tcase_add_test(tcase, lost_child_sa);
    tcase_add_test(tcase, forged_tokens);
    return tcase;
}
