/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/sim.h"

#include <inttypes.h>
#include <stdio.h>

/* Runs with everything random. Nothing is expected of them but what always holds. */

#define SETTLE_WITHIN                                                                              \
    SECONDS(45) /* the engine gives up after 30 s; its last words take a little                    \
                 */
#define REST_WITHIN SECONDS(200)
#define STAY_S 3600
#define RESTART_WITHIN SECONDS(20)
#define FLOWS_WITHIN SECONDS(100)
#define LOST_WITHIN SECONDS(150) /* an established gateway that is silent */

static const char *const ike_suites[] = {
    NULL,
    "aes256gcm16-prfsha384-x25519",
    "chacha20poly1305-prfsha256-x25519",
    "aes128-sha256-prfsha256-ecp256",
    "aes256-sha512-prfsha512-x448",
    "aes128ccm12-prfaescmac-x25519",
    "aes192ctr-sha384-prfsha384-ecp384",
};
static const char *const esp_suites[] = {NULL, "aes256gcm16-esn", "aes128-sha256-noesn",
                                         "chacha20poly1305-noesn", "aes256ctr-aescmac-esn-noesn"};
static const uint16_t init_errors[] = {N_NO_PROPOSAL_CHOSEN, N_INVALID_SYNTAX, N_TEMPORARY_FAILURE,
                                       8192};
static const uint16_t auth_errors[] = {N_AUTHENTICATION_FAILED,
                                       N_TS_UNACCEPTABLE,
                                       N_INTERNAL_ADDRESS_FAILURE,
                                       N_FAILED_CP_REQUIRED,
                                       N_NO_PROPOSAL_CHOSEN,
                                       N_SINGLE_PAIR_REQUIRED,
                                       9001};

static bool always;
static unsigned n_connected, n_reasons[REASON_COUNT], n_again, n_resumed;
static uint64_t n_rekeys, n_ike_rekeys, n_marks, n_redirects, n_reauths, n_restarts, n_moves,
    n_updates;

#define PICK(random, table) (table)[sim_below((random), G_N_ELEMENTS(table))]

static void random_faults(struct sim_random *random, struct faults *faults)
{
    if (sim_chance(random, 600)) {
        faults->lose = sim_below(random, 350);
    }
    if (sim_chance(random, 400)) {
        faults->duplicate = sim_below(random, 400);
    }
    if (sim_chance(random, 300)) {
        faults->corrupt = sim_below(random, 200);
    }
    if (sim_chance(random, 500)) {
        faults->delay_min_us = sim_below(random, 50000);
        faults->delay_max_us = faults->delay_min_us + 1 + sim_below(random, 900000);
    }
}

static enum gateway_redirect random_redirect(struct sim_random *random)
{
    return (enum gateway_redirect)(1 + sim_below(random, GATEWAY_REDIRECTS - 1));
}

static void random_redirections(struct sim_random *random, struct gateway_config *gateway)
{
    if (sim_chance(random, 30)) {
        gateway->redirect_init = random_redirect(random);
    }
    if (sim_chance(random, 30)) {
        gateway->redirect_auth = random_redirect(random);
    }
    if (sim_chance(random, 30)) {
        gateway->redirect_final = random_redirect(random);
    }
    gateway->redirect_and_go_on = sim_chance(random, 400);
}

static void random_gateway(struct sim_random *random, struct gateway_config *gateway)
{
    if (sim_chance(random, 300)) {
        gateway->cookies = 1 + sim_below(random, 4);
        gateway->cookie_passes = sim_chance(random, 200);
    }
    if (sim_chance(random, 200)) {
        gateway->demands[0] = PICK(random, ((uint16_t[]){KE_ECP_256, KE_ECP_384, 9999, 2}));
        gateway->n_demands = 1;
        gateway->demand_forever = sim_chance(random, 300);
    }
    gateway->fragment = PICK(random, ((size_t[]){0, 0, 256, 576, 1200}));
    gateway->nat = sim_chance(random, 500);
    gateway->wrong_auth = sim_chance(random, 40);
    gateway->impostor = sim_chance(random, 40);
    gateway->wrong_name = sim_chance(random, 40);
    gateway->no_cert = sim_chance(random, 20);
    gateway->eap_without_auth = sim_chance(random, 30);
    gateway->success_at_once = sim_chance(random, 20);
    gateway->success_early = sim_chance(random, 20);
    gateway->wrong_final_auth = sim_chance(random, 20);
    gateway->no_address = sim_chance(random, 20);
    gateway->wide_ts = sim_chance(random, 20);
    gateway->unknown_critical = sim_chance(random, 20);
    gateway->silent_init = sim_chance(random, 10);
    gateway->silent_auth = sim_chance(random, 10);
    gateway->ikev1 = sim_chance(random, 10);
    gateway->init_error = sim_chance(random, 20) ? PICK(random, init_errors) : 0;
    gateway->auth_error = sim_chance(random, 30) ? PICK(random, auth_errors) : 0;
    gateway->child_error = sim_chance(random, 30) ? PICK(random, auth_errors) : 0;
    gateway->error_with_config = sim_chance(random, 500);
    random_redirections(random, gateway);
    gateway->mschap_error =
        sim_chance(random, 30) ? PICK(random, ((unsigned[]){691, 646, 647, 648, 649, 709})) : 0;
}

/* How it rekeys, and how it lets us; true when it makes no difficulties. */
static bool random_rekeying(struct sim_random *random, struct setup *setup)
{
    struct gateway_config *gateway = &setup->gateway;
    static const uint16_t refusals[] = {N_TEMPORARY_FAILURE,  N_NO_ADDITIONAL_SAS,
                                        N_NO_PROPOSAL_CHOSEN, N_TS_UNACCEPTABLE,
                                        N_INVALID_SYNTAX,     N_INTERNAL_ADDRESS_FAILURE};
    bool difficult = sim_chance(random, 150);

    gateway->tickets = (enum gateway_tickets)sim_below(random, 4);
    gateway->ticket_s = PICK(random, ((unsigned[]){0, 30, 90}));
    gateway->loses_tickets = sim_chance(random, 300);
    gateway->resume = sim_chance(random, 700) ? GATEWAY_RESUME_ACCEPTED
                                              : (enum gateway_resume)sim_below(random, 7);

    if (sim_chance(random, 700)) {
        setup->child_lifetime_us = SECONDS(30 + sim_below(random, 60));
        setup->ike_lifetime_us = SECONDS(40 + sim_below(random, 120));
    }
    gateway->pfs = (enum gateway_pfs)sim_below(random, 3);
    gateway->ts = (enum gateway_ts)sim_below(random, 3);
    gateway->asks_pfs = sim_chance(random, 500);
    gateway->eager = sim_chance(random, 300);
    gateway->no_new_child = sim_chance(random, 100);
    gateway->childless = !gateway->no_new_child && sim_chance(random, 300);
    setup->childless = sim_chance(random, 300);
    gateway->forgets = sim_chance(random, 300);
    gateway->says_unknown = sim_chance(random, 600);
    gateway->tokens = (enum gateway_tokens)sim_below(random, 3);
    gateway->limits = sim_chance(random, 50);
    gateway->lifetime = PICK(random, ((uint32_t[]){0, 1, 30, 300, 3600, UINT32_MAX}));
    gateway->leaves_behind = setup->child_lifetime_us == 0 && sim_chance(random, 50);
    if (setup->ike == NULL && sim_chance(random, 300)) {
        gateway->pfs_group = PICK(random, ((uint16_t[]){0, KE_ECP_256, KE_ECP_384}));
        gateway->ike_group = PICK(random, ((uint16_t[]){0, KE_ECP_256, KE_ECP_384}));
        gateway->asks_group = PICK(random, ((uint16_t[]){0, KE_ECP_256, KE_ECP_384}));
    }
    for (size_t i = 0; i < GATEWAY_REFUSALS_MAX && difficult; i++) {
        gateway->refuse_child[i] = sim_chance(random, 600) ? PICK(random, refusals) : 0;
        gateway->refuse_ike[i] = sim_chance(random, 600) ? PICK(random, refusals) : 0;
        gateway->refuse_forever = sim_chance(random, 200);
    }
    return !difficult;
}

/* Whether it moves, and how the gateway takes it. */
static void random_moving(struct sim_random *random, struct setup *setup, bool honest)
{
    struct gateway_config *gateway = &setup->gateway;

    setup->mobike = sim_chance(random, 800);
    setup->nat = sim_chance(random, 500);
    setup->nat_timeout_us = SECONDS(PICK(random, ((unsigned[]){0, 25, 60, 150})));
    gateway->mobike = sim_chance(random, 800);
    gateway->checks_routability = sim_chance(random, 300);
    if (setup->moving && sim_chance(random, 700)) {
        memcpy(gateway->addresses, places_gateways, sizeof places_gateways);
    }
    if (!honest) {
        gateway->cookie2 = sim_chance(random, 50) ? GATEWAY_COOKIE2_WRONG : GATEWAY_COOKIE2_RIGHT;
        for (size_t i = 0; i < GATEWAY_REFUSALS_MAX; i++) {
            gateway->refuse_update[i] =
                sim_chance(random, 100)
                    ? PICK(random, ((uint16_t[]){N_UNACCEPTABLE_ADDRESSES,
                                                 N_UNEXPECTED_NAT_DETECTED, N_INVALID_SYNTAX}))
                    : 0;
        }
    }
}

/* True when the gateway does nothing wrong. */
static bool random_setup(struct sim_random *random, struct setup *setup)
{
    bool honest = sim_chance(random, 333);

    if (!honest) {
        random_gateway(random, &setup->gateway);
    } else {
        setup->gateway.cookies = sim_below(random, 3);
        setup->gateway.cookie_passes = sim_chance(random, 300);
        setup->gateway.fragment = PICK(random, ((size_t[]){0, 256, 576, 1200}));
        setup->gateway.refragments = setup->gateway.fragment > 256 && sim_chance(random, 500);
        setup->gateway.nat = sim_chance(random, 500);
    }
    random_faults(random, &setup->faults);
    setup->auth = (enum ike_auth)sim_below(random, 3);
    setup->gateway.auth = setup->auth == IKE_AUTH_PSK ? GATEWAY_AUTH_PSK : GATEWAY_AUTH_CERTIFICATE;
    setup->gateway.ike = PICK(random, ike_suites);
    setup->gateway.esp = PICK(random, esp_suites);
    setup->ike = setup->gateway.ike;
    setup->esp = setup->gateway.esp;
    /* Only the defaults offer another group to change to. */
    if (honest && setup->ike == NULL && sim_chance(random, 400)) {
        setup->gateway.demands[0] = PICK(random, ((uint16_t[]){KE_ECP_256, KE_ECP_384}));
        setup->gateway.n_demands = 1;
    }
    setup->password = sim_chance(random, 50) ? "wrong" : NULL;
    setup->psk = sim_chance(random, 50) ? "wrong" : NULL;
    setup->ask_password = sim_chance(random, 300);
    setup->no_password = sim_chance(random, 30);
    setup->token = sim_chance(random, 500);
    setup->token_us = sim_chance(random, 500) ? sim_below(random, 3000000) : 0;
    /* Who trusts the impostor's authority has nothing to complain about. */
    setup->other_trust = sim_chance(random, 30) && !setup->gateway.impostor;
    setup->start_at_4500 = sim_chance(random, 300);
    setup->ipv6 = sim_chance(random, 300);
    /* Each family would be asked for alone. */
    setup->gateway.error_with_config = setup->gateway.error_with_config && !setup->ipv6;
    setup->path_mtu = PICK(random, ((uint16_t[]){0, 576, 1280, 1500}));
    random_moving(random, setup, honest);
    return honest;
}

static void forge_rubbish(struct sim *sim)
{
    uint8_t octets[200];
    size_t len = sim_below(&sim->random, sizeof octets);
    struct writer w = writer_of(octets, sizeof octets);

    for (size_t i = 0; i < sizeof octets; i++) {
        octets[i] = (uint8_t)sim_random(&sim->random);
    }
    /* Half of it has our SPIs, as somebody on the path could know them. */
    if (sim_chance(&sim->random, 500) && len > IKE_HEADER_LEN + IKE_PAYLOAD_HEADER_LEN) {
        wr_u64(&w, sim->gateway.sa->spi_i);
        wr_u64(&w, sim->gateway.sa->spi_r);
        wr_u8(&w, sim_chance(&sim->random, 500) ? P_SK : P_SKF);
        wr_u8(&w, IKE_VERSION);
        wr_u8(&w, X_INFORMATIONAL);
        wr_u8(&w, sim_chance(&sim->random, 500) ? IKE_FLAG_RESPONSE : 0);
        wr_u32(&w, sim_below(&sim->random, 8));
        wr_u32(&w, (uint32_t)len);
        wr_u16(&w, 0);
        wr_u16(&w, (uint16_t)(len - IKE_HEADER_LEN));
    }
    sim_forge_harmless(sim, bytes_of(octets, len), IKE_PORT_NATT);
}

/* What is on its way to us once more, damaged. */
static void forge_damaged(struct sim *sim)
{
    for (guint i = 0; i < sim->network.in_flight->len; i++) {
        const struct datagram *datagram = g_ptr_array_index(sim->network.in_flight, i);
        uint8_t *copy;

        /* ESP; what is not protected may be heard, damaged or not; damage may undo damage. */
        if (datagram->len == 0 || datagram->data[16] == P_NOTIFY || datagram->corrupted) {
            continue;
        }
        copy = g_memdup2(datagram->data, datagram->len);
        copy[sim_below(&sim->random, (uint32_t)datagram->len)] ^=
            (uint8_t)(1U << sim_below(&sim->random, 8));
        sim_forge_harmless(sim, bytes_of(copy, datagram->len), IKE_PORT_NATT);
        g_free(copy);
        return;
    }
}

/* A gateway that demands another group every time is not asked twice. */
static void begin_again(struct sim *sim)
{
    struct places *places = &sim->network.places;

    if (sim->setup.gateway.n_demands > 0) {
        return;
    }
    memset(places->blocked, 0, sizeof places->blocked);
    places->client_up[0] = places->gateway_up[0] = true;
    sim_again(sim);
    if (sim->setup.moving) {
        sim_tell(sim);
    }
    if (!sim_run(sim, sim_settled, sim->now + 2 * SETTLE_WITHIN)) {
        sim_violation(sim, "begun again, it is neither connected nor ended");
    }
    n_again++;
    n_resumed += sim_connected(sim) && sim_resumed(sim);
}

/* The gateway has no address that the client cannot know of. */
static void random_places(struct sim *sim)
{
    struct sim_random *random = &sim->random;
    struct places before = sim->network.places;
    struct places *places = &sim->network.places;
    unsigned client = sim_below(random, PLACES_CLIENTS);
    unsigned gateway = sim_below(random, PLACES_GATEWAYS);

    switch (sim_below(random, 4)) {
    case 0:
        places->client_up[client] = !places->client_up[client];
        break;
    case 1:
        for (unsigned i = 0; i < PLACES_CLIENTS; i++) {
            places->client_up[i] = sim_chance(random, 500);
        }
        break;
    case 2:
        places->blocked[client][gateway] = !places->blocked[client][gateway];
        break;
    default:
        if (sim->setup.gateway.addresses[0] != NULL) {
            places->gateway_up[gateway] = !places->gateway_up[gateway];
        }
        break;
    }
    if (!places_any(places)) {
        *places = before;
    }
    sim_note(sim, "---- the gateway's addresses: %d %d %d", places->gateway_up[0],
             places->gateway_up[1], places->gateway_up[2]);
    sim_tell(sim);
}

/* How long it is not to be reached this time: a gateway waits for five minutes (RFC 4555 3.11). */
static uint64_t away(struct sim *sim, uint32_t at_most)
{
    uint64_t us = sim_below(&sim->random, at_most);

    us = MIN(us, SECONDS(200) - MIN(sim->away, SECONDS(200)));
    sim->away += us;
    return us;
}

static void go_offline(struct sim *sim)
{
    const struct places before = sim->network.places;

    sim_locals(sim, 0);
    sim_run(sim, sim_ended, sim->now + away(sim, 100000000));
    for (unsigned i = 0; i < PLACES_CLIENTS; i++) {
        sim->network.places.client_up[i] = before.client_up[i];
    }
    sim_tell(sim);
}

static void its_addresses(struct sim *sim)
{
    struct addr up[PLACES_GATEWAYS];
    size_t n = 0;

    for (unsigned i = 0; i < PLACES_GATEWAYS; i++) {
        struct addr addr = places_addr(places_gateways[i]);

        /* It cannot know which of the client's addresses is of another family. */
        if (sim->network.places.gateway_up[i] &&
            addr.family == sim->gateway.ike_path.remote.addr.family) {
            up[n++] = addr;
        }
    }
    if (n > 0 && sim->gateway.mobike) {
        sim_note(sim, "---- the gateway tells where it is");
        gateway_tell_addresses(&sim->gateway, up, n, sim->now);
    }
}

static void nap(struct sim *sim)
{
    uint64_t us = away(sim, 200000000);

    sim_nap(sim, us, sim_chance(&sim->random, 500));
}

static void move(struct sim *sim)
{
    switch (sim_below(&sim->random, 9)) {
    case 0:
        sim_note(sim, "---- the NAT forgets us");
        places_rebind(&sim->network.places);
        break;
    case 1:
        nap(sim);
        break;
    case 2:
        go_offline(sim);
        break;
    case 3:
        ike_network_changed(sim->ike, sim->now);
        break;
    case 4:
        its_addresses(sim);
        break;
    default:
        random_places(sim);
        break;
    }
    n_moves++;
    sim_pump(sim);
}

/* Everything works again, but for addresses of ours that are not there. */
static void heal(struct sim *sim)
{
    struct places *places = &sim->network.places;

    memset(places->blocked, 0, sizeof places->blocked);
    places->gateway_up[0] = true;
    if (sim->setup.moving) {
        sim_locals(sim, 1U + sim_below(&sim->random, 15) % 7);
    }
}

/* What both sides may do to each other without an end. */
static void gentle_deed(struct sim *sim)
{
    struct gateway *gateway = &sim->gateway;
    static const int firsts[] = {GATEWAY_RANDOM, GATEWAY_RANDOM, 0, 0xff};

    gateway->nonce_i = PICK(&sim->random, firsts);
    gateway->nonce_r = PICK(&sim->random, firsts);
    switch (sim_below(&sim->random, 12)) {
    case 11:
        ike_probe_mtu(sim->ike, (uint16_t)(576 + sim_below(&sim->random, 1000)), sim->now);
        break;
    case 9:
        gateway_redirect(gateway, random_redirect(&sim->random), sim->now);
        break;
    case 10:
        sim_forge_token(sim);
        break;
    case 0:
        gateway_liveness(gateway, sim->now);
        break;
    case 1:
        forge_rubbish(sim);
        break;
    case 2:
        forge_damaged(sim);
        break;
    case 3:
        ike_rekey_child(sim->ike, 0, sim->now);
        break;
    case 4:
        ike_rekey(sim->ike, sim->now);
        break;
    case 5:
        gateway_rekey_child(gateway, sim->now);
        break;
    case 6:
        gateway_rekey_ike(gateway, sim->now);
        break;
    case 7:
        begin_again(sim);
        break;
    default:
        break;
    }
    sim_pump(sim);
}

/* RFC 6290: who hears of it by the right token does not wait until it is silent for long. */
static void restart(struct sim *sim)
{
    const struct setup *setup = &sim->setup;
    bool heard = sim_flows(sim) && setup->gateway.says_unknown &&
                 setup->gateway.tokens == GATEWAY_TOKENS_RIGHT && setup->faults.lose == 0 &&
                 setup->faults.corrupt == 0 && !sim->network.faults.partition;

    gateway_restart(&sim->gateway);
    if (heard && !sim_run(sim, sim_ended, sim->now + RESTART_WITHIN)) {
        sim_violation(sim, "the restart of the gateway is not believed");
    }
    n_restarts += heard;
}

static void rough_deed(struct sim *sim)
{
    switch (sim_below(&sim->random, 7)) {
    case 5:
        gateway_limit(&sim->gateway, sim_below(&sim->random, 100), sim->now);
        break;
    case 6:
        gateway_withdraw(&sim->gateway, sim->now);
        break;
    case 0:
        gateway_delete_child(&sim->gateway, sim->now);
        break;
    case 1:
        gateway_delete_ike(&sim->gateway, sim->now);
        break;
    case 2:
        restart(sim);
        break;
    case 3:
        sim->network.faults.partition = true;
        sim_run(sim, sim_ended, sim->now + sim_below(&sim->random, 180000000));
        sim->network.faults.partition = false;
        break;
    default:
        sim->network.faults.partition = true;
        break;
    }
}

/* With few losses nothing is given up. */
static bool few_losses(const struct setup *setup)
{
    return (setup->faults.lose <= 50 && setup->faults.corrupt <= 20 &&
            setup->gateway.fragment == 0) ||
           (setup->faults.lose == 0 && setup->faults.corrupt == 0);
}

/* It may, as long as these runs last. */
static bool stays(const struct setup *setup)
{
    return !setup->gateway.limits || setup->gateway.lifetime >= STAY_S;
}

/* What happens to a connection that is up. `easy`: the gateway lets us rekey. */
static void live(struct sim *sim, bool easy)
{
    bool rough = sim_chance(&sim->random, 300);
    bool still = !rough && easy && !sim->setup.gateway.leaves_behind && stays(&sim->setup) &&
                 few_losses(&sim->setup);
    struct faults none = {0};

    sim_traffic(sim, 20000 + sim_below(&sim->random, 300000));
    for (unsigned n = sim_below(&sim->random, 12); n > 0 && !sim->down; n--) {
        if (rough && sim_chance(&sim->random, 200)) {
            rough_deed(sim);
        } else if (sim->setup.moving && sim_chance(&sim->random, 500)) {
            move(sim);
        } else {
            gentle_deed(sim);
        }
        if (still && sim->setup.moving && sim_chance(&sim->random, 300) &&
            !sim_run(sim, sim_flows, sim->now + FLOWS_WITHIN)) {
            sim_require_flow(sim);
        }
        /* Often at once, so that they cross. */
        sim_run(sim, sim_ended,
                sim->now +
                    sim_below(&sim->random,
                              PICK(&sim->random, ((uint32_t[]){1, 20000, 3000000, 50000000}))));
    }
    if (still) {
        none.partition = sim->network.faults.partition;
        sim->network.faults = none;
        heal(sim);
        if (!sim_run(sim, sim_flows, sim->now + REST_WITHIN)) {
            sim_require_flow(sim);
        }
    }
    if (!sim->down) {
        ike_disconnect(sim->ike, sim->now);
        sim_pump(sim);
    }
    if (!sim_run(sim, sim_ended, sim->now + LOST_WITHIN)) {
        sim_violation(sim, "it does not end after ike_disconnect()");
    }
}

/* With a gateway and a network that do nothing wrong, a user who does nothing wrong is connected.
 */
static void check_outcome(struct sim *sim, bool honest)
{
    const struct setup *setup = &sim->setup;
    bool right = setup->faults.lose == 0 && setup->faults.corrupt == 0;

    switch (setup->auth) {
    case IKE_AUTH_EAP:
        right = right && setup->password == NULL && !setup->no_password && !setup->other_trust;
        break;
    case IKE_AUTH_CERTIFICATE:
        right = right && !setup->other_trust;
        break;
    case IKE_AUTH_PSK:
        right = right && setup->psk == NULL;
        break;
    }
    if (honest && right && !sim_connected(sim)) {
        sim_violation(sim, "nothing is wrong, and yet it does not connect");
    }
}

void random_summary(void)
{
    printf("%u connected; ended otherwise:", n_connected);
    for (int i = 0; i < REASON_COUNT; i++) {
        if (n_reasons[i] > 0) {
            printf(" %s %u", reason_name((enum reason)i), n_reasons[i]);
        }
    }
    printf("\nbegun again %u times, %u times by ticket", n_again, n_resumed);
    printf("\n%" PRIu64 " Child SAs and %" PRIu64 " IKE SAs rekeyed, %" PRIu64 " marks of ESP\n",
           n_rekeys, n_ike_rekeys, n_marks);
    printf("%" PRIu64 " redirections, %" PRIu64 " authentications to be repeated, %" PRIu64
           " restarts that were proven\n",
           n_redirects, n_reauths, n_restarts);
    printf("%" PRIu64 " moves, %" PRIu64 " updates of addresses\n", n_moves, n_updates);
    fflush(stdout);
}

void random_ladders(bool print)
{
    always = print;
}

/* Both sides can move, and the gateway makes no difficulties. */
static bool moves_easily(const struct setup *setup)
{
    static const uint16_t nothing[GATEWAY_REFUSALS_MAX];

    return setup->mobike && setup->gateway.mobike &&
           setup->gateway.cookie2 == GATEWAY_COOKIE2_RIGHT &&
           memcmp(setup->gateway.refuse_update, nothing, sizeof nothing) == 0;
}

static void begin_moving(struct sim *sim)
{
    for (unsigned i = 0; i < PLACES_GATEWAYS; i++) {
        sim->network.places.gateway_up[i] = i == 0 || sim->setup.gateway.addresses[0] != NULL;
    }
    sim_tell(sim);
    if (sim_chance(&sim->random, 200)) {
        sim_run(sim, sim_settled, sim->now + sim_below(&sim->random, 60000));
        sim_locals(sim, 1 + sim_below(&sim->random, 7));
    }
}

bool random_run(uint64_t seed)
{
    struct sim_random random = {.state = seed};
    struct setup setup = {.moving = (seed & RANDOM_MOVES) != 0};
    bool honest = random_setup(&random, &setup);
    bool easy = random_rekeying(&random, &setup);
    struct sim *sim;
    bool good;

    sim = sim_new(&setup, seed);
    if (setup.moving) {
        begin_moving(sim);
        easy = easy && moves_easily(&setup);
    }
    if (!sim_run(sim, sim_settled, SIM_START + SETTLE_WITHIN)) {
        sim_violation(sim, "after %d s it is neither connected nor ended",
                      (int)((SETTLE_WITHIN) / 1000000));
    }
    check_outcome(sim, honest && (easy || !setup.childless));
    if (sim_connected(sim)) {
        n_connected++;
        live(sim, easy);
    } else {
        n_reasons[sim->reason]++;
    }
    n_rekeys += sim->gateway.child_rekeys;
    n_ike_rekeys += sim->gateway.ike_rekeys;
    n_marks += sim->marks;
    n_redirects += sim->redirects;
    n_reauths += sim->reauths;
    n_updates += sim->gateway.updates;
    good = sim->violations->len == 0;
    if (!good || always) {
        fprintf(stderr, "seed %" PRIu64 ":\n%s%s", seed, sim->ladder->str, sim->violations->str);
    }
    sim_free(sim);
    return good;
}
