/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "sim/cases.h"
#include "unit/vectors.h"

/*
 * There is no memory for something: of all that the engine asks for in a run, one thing after the
 * other. Each time it ends and says so, or goes on without; the sanitizer sees what it forgets, and
 * the simulator what it does wrong.
 */

/* ---- the engine, and what it allocates: linked with --wrap ---- */

static bool inside;     /* the engine, or what it calls */
static unsigned asked;  /* how often it has asked for memory */
static unsigned denied; /* which one fails; 0 = none */

static bool deny(void)
{
    return inside && ++asked == denied;
}

#define ALLOCATES(name, parameters, arguments)                                                     \
    void *__real_##name parameters;                                                                \
    void *__wrap_##name parameters;                                                                \
    void *__wrap_##name parameters                                                                 \
    {                                                                                              \
        return deny() ? NULL : __real_##name arguments;                                            \
    }

ALLOCATES(malloc, (size_t size), (size))
ALLOCATES(calloc, (size_t n, size_t size), (n, size))
ALLOCATES(strdup, (const char *text), (text))

#define ENTERS(type, name, parameters, arguments)                                                  \
    type __real_##name parameters;                                                                 \
    type __wrap_##name parameters;                                                                 \
    type __wrap_##name parameters                                                                  \
    {                                                                                              \
        bool before = inside;                                                                      \
        inside = true;                                                                             \
        type result = __real_##name arguments;                                                     \
        inside = before;                                                                           \
        return result;                                                                             \
    }
#define ENTERS_VOID(name, parameters, arguments)                                                   \
    void __real_##name parameters;                                                                 \
    void __wrap_##name parameters;                                                                 \
    void __wrap_##name parameters                                                                  \
    {                                                                                              \
        bool before = inside;                                                                      \
        inside = true;                                                                             \
        __real_##name arguments;                                                                   \
        inside = before;                                                                           \
    }

ENTERS_VOID(ike_input,
            (struct ike * ike, const struct path *path, struct bytes datagram, uint64_t now),
            (ike, path, datagram, now))
ENTERS(ssize_t, ike_output,
       (struct ike * ike, struct path *path, uint8_t *out, size_t cap, uint64_t now),
       (ike, path, out, cap, now))
ENTERS_VOID(ike_tick, (struct ike * ike, uint64_t now), (ike, now))
ENTERS(bool, ike_next_event, (struct ike * ike, struct ike_event *event), (ike, event))
ENTERS_VOID(ike_rekey_child, (struct ike * ike, uint32_t spi_in, uint64_t now), (ike, spi_in, now))
ENTERS_VOID(ike_rekey, (struct ike * ike, uint64_t now), (ike, now))
ENTERS_VOID(ike_disconnect, (struct ike * ike, uint64_t now), (ike, now))
ENTERS_VOID(ike_provide_secret,
            (struct ike * ike, enum eap_secret secret, struct bytes value, uint64_t now),
            (ike, secret, value, now))
ENTERS_VOID(ike_set_paths,
            (struct ike * ike, const struct ike_local *locals, size_t n, uint64_t now),
            (ike, locals, n, now))

/* ---- runs ---- */

#define PSK .auth = IKE_AUTH_PSK, .gateway.auth = GATEWAY_AUTH_PSK

#define DEEDS(...) .play.deeds = {__VA_ARGS__}

static const struct {
    struct setup setup;
    struct rekey_case play;
} runs[] = {
    {.play.name = "rekeyed",
     .setup = {PSK, .gateway.pfs = GATEWAY_PFS_ALWAYS},
     DEEDS({WE_REKEY_CHILD, 0}, {WE_REKEY_IKE, 100}, {WE_DISCONNECT, 200})},
    {.play.name = "rekeyed by the gateway",
     .setup = {PSK, .gateway.asks_pfs = true},
     DEEDS({IT_REKEYS_CHILD, 0}, {IT_REKEYS_IKE, 100})},
    {.play.name = "rekeyed by both at once",
     .setup = {PSK},
     DEEDS({WE_REKEY_CHILD, 0}, {IT_REKEYS_CHILD, 0}, {WE_REKEY_IKE, 500}, {IT_REKEYS_IKE, 500})},
    {.play.name = "EAP, fragments and a ticket",
     .setup = {.auth = IKE_AUTH_EAP,
               .ask_password = true,
               .gateway = {.fragment = 256, .cookies = 1, .tickets = GATEWAY_TICKETS_GIVEN}},
     DEEDS({IT_CHECKS, 0}, {WE_BEGIN_AGAIN, 100})},
    {.play.name = "certificate",
     .setup = {.auth = IKE_AUTH_CERTIFICATE,
               .ipv6 = true,
               .gateway = {.n_demands = 1, .demands = {KE_ECP_256}}},
     DEEDS({IT_DELETES_CHILD, 0})},
    /* Without traffic: what cannot be read at first, the gateway sends along already. */
    {.play.name = "networks, each with a Child SA",
     .setup = {PSK, .childless = true, .networks = 3, .gateway.childless = true,
               .gateway.per_network = true},
     DEEDS({WE_REKEY_CHILD, 0}, {IT_DELETES_CHILD, 200}),
     .play.no_traffic = true},
    {.play.name = "the host moves",
     .setup = {PSK, .mobike = true, .moving = true, .gateway.mobike = true},
     DEEDS({IT_CHECKS, 0})},
};

/* What the engine has asked for by the end. */
static unsigned run(int which, unsigned nth)
{
    struct sim *sim;
    const char *told;

    asked = 0;
    denied = nth;
    sim = sim_new(&runs[which].setup, 1);
    sim_run(sim, sim_settled, sim->now + SECONDS(60));
    case_play(sim, &runs[which].play);
    for (unsigned place = 1; runs[which].setup.moving && place <= 3 && !sim->down; place++) {
        sim_locals(sim, place);
        sim_run(sim, sim_ended, sim->now + SECONDS(5));
    }
    sim_run(sim, sim_ended, sim->now + SECONDS(60));
    told = sim->violations->str;
    if (sim->reason == REASON_INTERNAL) {
        ck_assert_msg(nth > 0 && strstr(sim->detail, "emory") != NULL, "%u: %s", nth, sim->detail);
        told = strcmp(told, "it ends without a reason: internal\n") == 0 ? "" : told;
    }
    if (*told != '\0') {
        fputs(sim->ladder->str, stderr);
    }
    ck_assert_msg(*told == '\0', "%u: %s", nth, told);
    sim_free(sim);
    return asked;
}

START_TEST(one_thing_less)
{
    unsigned n = run(_i, 0);

    ck_assert_uint_gt(n, 50);
    for (unsigned nth = 1; nth <= n; nth++) {
        run(_i, nth);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("memory");
    TCase *tcase = tcase_create("memory");
    int result;

    (void)pki_get(); /* once, before the tests fork */
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, one_thing_less, 0, G_N_ELEMENTS(runs));
    suite_add_tcase(suite, tcase);
    result = run_suite(suite);
    pki_free();
    return result;
}
