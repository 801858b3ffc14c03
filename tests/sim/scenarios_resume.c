/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>

#include "sim/cases.h"
#include "sim/scenarios.h"

/* Sessions that are resumed from a ticket (RFC 5723), and machines that sleep. */

#define GIVEN .gateway.tickets = GATEWAY_TICKETS_GIVEN

static const struct rekey_case resume_cases[] = {
    {"the engine is lost", {{WE_BEGIN_AGAIN, 0}}, GIVEN, .how = BY_TICKET},
    {"the engine is lost, EAP",
     {{WE_BEGIN_AGAIN, 0}},
     GIVEN,
     .other_auth = true,
     .auth = IKE_AUTH_EAP,
     .how = BY_TICKET},
    {"the engine is lost, certificates",
     {{WE_BEGIN_AGAIN, 0}},
     GIVEN,
     .other_auth = true,
     .auth = IKE_AUTH_CERTIFICATE,
     .how = BY_TICKET},
    {"the engine is lost, fragments and a cookie",
     {{WE_BEGIN_AGAIN, 0}},
     .gateway = {.tickets = GATEWAY_TICKETS_GIVEN, .fragment = 256, .cookies = 1},
     .how = BY_TICKET},
    {"the engine is lost thrice",
     {{WE_BEGIN_AGAIN, 0}, {WE_BEGIN_AGAIN, 200}, {WE_BEGIN_AGAIN, 400}},
     GIVEN,
     .how = BY_TICKET},
    {"the gateway knows no tickets", {{WE_BEGIN_AGAIN, 0}}, .how = IN_FULL},
    {"it refuses to give one",
     {{WE_BEGIN_AGAIN, 100}},
     .gateway.tickets = GATEWAY_TICKETS_REFUSED,
     .how = IN_FULL},
    {"it gives one later",
     {{WE_BEGIN_AGAIN, 6000}},
     .gateway.tickets = GATEWAY_TICKETS_LATER,
     .how = BY_TICKET},
    {"it has not given one yet",
     {{WE_BEGIN_AGAIN, 1000}},
     .gateway.tickets = GATEWAY_TICKETS_LATER,
     .how = IN_FULL},
    {"the ticket is refused",
     {{WE_BEGIN_AGAIN, 0}},
     .gateway = {.tickets = GATEWAY_TICKETS_GIVEN, .resume = GATEWAY_RESUME_REFUSED},
     .how = IN_FULL},
    {"the exchange is refused",
     {{WE_BEGIN_AGAIN, 0}},
     .gateway = {.tickets = GATEWAY_TICKETS_GIVEN, .resume = GATEWAY_RESUME_UNKNOWN},
     .how = IN_FULL},
    {"the exchange is ignored",
     {{WE_BEGIN_AGAIN, 0}},
     .gateway = {.tickets = GATEWAY_TICKETS_GIVEN, .resume = GATEWAY_RESUME_IGNORED},
     .how = IN_FULL,
     .after_s = 6},
    {"IKE_AUTH is ignored",
     {{WE_BEGIN_AGAIN, 0}},
     .gateway = {.tickets = GATEWAY_TICKETS_GIVEN, .resume = GATEWAY_RESUME_AUTH_IGNORED},
     .how = IN_FULL,
     .after_s = 6},
    {"IKE_AUTH is refused",
     {{WE_BEGIN_AGAIN, 0}},
     .gateway = {.tickets = GATEWAY_TICKETS_GIVEN, .resume = GATEWAY_RESUME_AUTH_REFUSED},
     .how = IN_FULL},
    {"the gateway does not prove itself",
     {{WE_BEGIN_AGAIN, 0}},
     .gateway = {.tickets = GATEWAY_TICKETS_GIVEN, .resume = GATEWAY_RESUME_WRONG_AUTH},
     .how = IN_FULL},
    {"the ticket has expired, as we know",
     {{WE_BEGIN_AGAIN, 40000}},
     .gateway = {.tickets = GATEWAY_TICKETS_GIVEN, .ticket_s = 30},
     .how = IN_FULL},
    {"the ticket is renewed before it expires",
     {{WE_BEGIN_AGAIN, 110000}},
     .gateway = {.tickets = GATEWAY_TICKETS_GIVEN, .ticket_s = 100},
     .no_traffic = true,
     .how = BY_TICKET},
    {"the gateway restarts", {{IT_RESTARTS, 0}, {WE_BEGIN_AGAIN, 100}}, GIVEN, .how = BY_TICKET},
    {"the gateway restarts and has lost its key for tickets",
     {{IT_RESTARTS, 0}, {WE_BEGIN_AGAIN, 100}},
     .gateway = {.tickets = GATEWAY_TICKETS_GIVEN, .loses_tickets = true},
     .how = IN_FULL},
    {"the gateway restarts in the midst of it",
     {{WE_BEGIN_AGAIN, 0}, {IT_RESTARTS, 7}},
     GIVEN,
     .how = IN_FULL,
     .after_s = 6,
     .within_s = 30},
    {"the gateway restarts and is found to be lost",
     {{IT_RESTARTS, 0}, {WE_REKEY_CHILD, 10}, {WE_BEGIN_AGAIN, 70000}},
     GIVEN,
     .how = BY_TICKET},
    {"we have rekeyed the IKE SA",
     {{WE_REKEY_IKE, 0}, {WE_BEGIN_AGAIN, 2000}},
     GIVEN,
     .how = BY_TICKET},
    {"the gateway has rekeyed the IKE SA",
     {{IT_REKEYS_IKE, 0}, {WE_BEGIN_AGAIN, 2000}},
     GIVEN,
     .how = BY_TICKET},
    {"both have rekeyed the IKE SA",
     {{WE_REKEY_IKE, 0}, {IT_REKEYS_IKE, 0}, {WE_BEGIN_AGAIN, 9000}},
     OUR_NI,
     GIVEN,
     .how = BY_TICKET},
    {"both have rekeyed the IKE SA",
     {{WE_REKEY_IKE, 0}, {IT_REKEYS_IKE, 0}, {WE_BEGIN_AGAIN, 9000}},
     ITS_NI,
     GIVEN,
     .how = BY_TICKET},
    {"the gateway has deleted the IKE SA",
     {{IT_DELETES_IKE, 0}, {WE_BEGIN_AGAIN, 200}},
     GIVEN,
     .how = IN_FULL},
    {"we have deleted the IKE SA",
     {{WE_DISCONNECT, 0}, {WE_BEGIN_AGAIN, 200}},
     GIVEN,
     .how = IN_FULL},
    {"lost while a ticket is presented",
     {{WE_BEGIN_AGAIN, 0}, {WE_BEGIN_AGAIN, 4}},
     GIVEN,
     .within_s = 30},
    {"lost while IKE_AUTH is on its way",
     {{WE_BEGIN_AGAIN, 0}, {WE_BEGIN_AGAIN, 12}},
     GIVEN,
     .how = IN_FULL},
    {"lost while the answer is on its way",
     {{WE_BEGIN_AGAIN, 0}, {WE_BEGIN_AGAIN, 17}},
     GIVEN,
     .how = IN_FULL},
    {"partition, and back",
     {{CUT, 0}, {WE_REKEY_CHILD, 10}, {HEAL, 70000}, {WE_BEGIN_AGAIN, 70000}},
     GIVEN,
     .how = BY_TICKET},
    {"partition that lasts until the ticket is presented thrice",
     {{CUT, 0}, {WE_BEGIN_AGAIN, 10}, {HEAL, 1200}},
     GIVEN,
     .how = BY_TICKET},
    {"partition that lasts longer than the ticket is tried",
     {{CUT, 0}, {WE_BEGIN_AGAIN, 10}, {HEAL, 12000}},
     GIVEN,
     .how = IN_FULL,
     .after_s = 8},
    {"partition during IKE_AUTH",
     {{WE_BEGIN_AGAIN, 0}, {CUT, 11}, {HEAL, 1500}},
     GIVEN,
     .how = BY_TICKET,
     .after_s = 5},
    {"two hours of sleep", {{WE_SLEEP, 0}}, .how = IN_FULL, .within_s = 7230},
    {"two hours of sleep, and the gateway has restarted",
     {{IT_RESTARTS, 0}, {WE_SLEEP, 0}},
     .ends = REASON_GATEWAY_LOST,
     .within_s = 7320},
    {"two hours of sleep, and lost",
     {{WE_SLEEP, 0}, {WE_BEGIN_AGAIN, 7200100}},
     .gateway = {.tickets = GATEWAY_TICKETS_GIVEN, .ticket_s = 86400},
     .how = BY_TICKET},
    {"two hours of sleep, and lost, and the ticket has expired",
     {{IT_RESTARTS, 0}, {WE_SLEEP, 0}, {WE_BEGIN_AGAIN, 7200100}},
     GIVEN,
     .how = IN_FULL},
    {"two hours of sleep, and lost, and the gateway has restarted",
     {{IT_RESTARTS, 0}, {WE_SLEEP, 0}, {WE_BEGIN_AGAIN, 7200100}},
     .gateway = {.tickets = GATEWAY_TICKETS_GIVEN, .ticket_s = 86400},
     .how = BY_TICKET},
};

/* Ladders are too long for Check. */
static void check(const struct sim *sim, const struct rekey_case *row)
{
    if (sim->violations->len > 0) {
        fprintf(stderr, "%s", sim->ladder->str);
    }
    ck_assert_msg(sim->violations->len == 0, "%s: %s", row->name, sim->violations->str);
}

const struct case_table *scenarios_resume_table(size_t index)
{
    static const struct case_table table = {"test_resume", resume_cases,
                                            G_N_ELEMENTS(resume_cases)};

    return index == 0 ? &table : NULL;
}

START_TEST(test_resume)
{
    const struct rekey_case *row = &resume_cases[_i];
    struct sim *sim = case_connected(row, 1);

    case_run(sim, row);
    check(sim, row);
    sim_free(sim);
}
END_TEST

static bool rests_or_ended(const struct sim *sim)
{
    return sim->down || sim_quiet(sim);
}

/* It settles, and what comes next connects. */
static void wakes_up(struct sim *sim)
{
    if (!sim_run(sim, rests_or_ended, sim->now + SECONDS(200))) {
        sim_require_quiet(sim);
    }
    sim_again(sim);
    if (!sim_run(sim, sim_quiet, sim->now + SECONDS(20))) {
        sim_require_quiet(sim);
    }
}

static void sleeps_through(const struct rekey_case *row)
{
    struct sim *sim = case_connected(row, 1);

    case_play(sim, row);
    wakes_up(sim);
    check(sim, row);
    sim_free(sim);
}

/* The machine falls asleep at any moment of a handshake, in full or by ticket. */
START_TEST(asleep_while_connecting)
{
    const struct rekey_case row = {
        .name = "asleep while connecting",
        .deeds = {{WE_BEGIN_AGAIN, 0}, {WE_SLEEP, (unsigned)_i / 2}},
        .other_auth = true,
        .auth = IKE_AUTH_EAP,
        .gateway = {.tickets = _i % 2 == 0 ? GATEWAY_TICKETS_GIVEN : GATEWAY_TICKETS_NONE,
                    .ticket_s = 86400}};

    sleeps_through(&row);
}
END_TEST

/* The same in the midst of what an established connection does. */
START_TEST(asleep_while_rekeying)
{
    static const enum deed deeds[] = {WE_REKEY_CHILD, WE_REKEY_IKE,     IT_REKEYS_CHILD,
                                      IT_REKEYS_IKE,  IT_DELETES_CHILD, IT_DELETES_IKE,
                                      IT_CHECKS};
    const struct rekey_case row = {
        .name = "asleep while rekeying",
        .deeds = {{deeds[(size_t)_i % G_N_ELEMENTS(deeds)], 0},
                  {WE_SLEEP, (unsigned)_i / G_N_ELEMENTS(deeds)}},
        .gateway = {.tickets = GATEWAY_TICKETS_GIVEN, .ticket_s = 86400}};

    sleeps_through(&row);
}
END_TEST

TCase *scenarios_resume(void)
{
    TCase *tcase = tcase_create("resume");

    tcase_add_loop_test(tcase, test_resume, 0, G_N_ELEMENTS(resume_cases));
    tcase_add_loop_test(tcase, asleep_while_connecting, 0, 2 * 52);
    tcase_add_loop_test(tcase, asleep_while_rekeying, 0, 7 * 32);
    return tcase;
}
