/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sim/sim.h"

#include <stdio.h>

#define STEPS_MAX 200000    /* of one run: more is a loop */
#define SILENT_STEPS_MAX 50 /* at one moment of time */
#define DATAGRAMS_MAX 20000
#define NONCE_LEN 32
#define VIOLATIONS_MAX 2000

/* ---- ladder ---- */

void sim_note(struct sim *sim, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    g_string_append_printf(sim->ladder, "%11.3f ms  ", (double)(sim->now - SIM_START) / 1000);
    g_string_append_vprintf(sim->ladder, format, args);
    g_string_append_c(sim->ladder, '\n');
    va_end(args);
}

void sim_violation(struct sim *sim, const char *format, ...)
{
    va_list args;
    char *text;

    if (sim->violations->len > VIOLATIONS_MAX) {
        return; /* the same again and again */
    }
    va_start(args, format);
    text = g_strdup_vprintf(format, args);
    va_end(args);
    sim_note(sim, "*** %s", text);
    g_string_append_printf(sim->violations, "%s\n", text);
    g_free(text);
}

/* ---- set up ---- */

static struct endpoint endpoint_of(const char *addr, uint16_t port)
{
    struct endpoint endpoint = {.port = port};

    sim_require(addr_parse(&endpoint.addr, addr), addr);
    return endpoint;
}

static void parse_proposals(struct proposal_list *out, enum protocol protocol, const char *text)
{
    struct bytes at;
    const char *why = "";

    sim_require(proposal_parse(out, protocol, text, true, &at, &why), text);
}

/* The engine's randomness; its nonces, and nothing that it would harm, may begin as a case wants.
 */
static enum err client_random(void *context, uint8_t *out, size_t len)
{
    struct sim *sim = context;
    enum err err = rng_fill(&sim->rng, out, len);

    if (err == OK && len == NONCE_LEN && sim->nonce_first != GATEWAY_RANDOM) {
        out[0] = (uint8_t)sim->nonce_first;
    }
    return err;
}

static struct ike *new_engine(struct sim *sim)
{
    const struct setup *setup = &sim->setup;
    const struct pki *pki = pki_get();
    uint16_t port = setup->start_at_4500 ? IKE_PORT_NATT : IKE_PORT;
    static struct proposal_list ike_list, esp_list;
    struct ike_config config = {
        .path = {.local = endpoint_of(SIM_CLIENT_ADDR, port),
                 .remote = endpoint_of(SIM_GATEWAY_ADDR, port)},
        .auth = setup->auth,
        .timeout_us = setup->timeout_us,
        .credential = setup->token ? pki->token : pki->client,
        .psk = bytes_of_string(setup->psk != NULL ? setup->psk : PKI_PSK),
        .eap = {.user = PKI_USER},
        .request_ipv4 = true,
        .request_ipv6 = setup->ipv6,
        .childless = setup->childless,
        .application_version = "simulator",
        .path_mtu = setup->path_mtu,
        .trace = true,
        .mobike = setup->mobike,
        .wall_clock = PKI_NOW + (time_t)setup->clock_shift,
        .rng = {.fill = client_random, .context = sim},
        .ticket = sim->ticket.opaque.len > 0 ? &sim->ticket : NULL,
        .child_lifetime_us = setup->child_lifetime_us,
        .ike_lifetime_us = setup->ike_lifetime_us,
    };
    struct ike *ike = NULL;

    if (!setup->no_password && !setup->ask_password) {
        config.eap.password =
            bytes_of_string(setup->password != NULL ? setup->password : PKI_PASSWORD);
        config.eap.have_password = true;
    }
    for (uint8_t i = 1; i <= setup->networks; i++) {
        struct ts *ts = &config.remote_ts.items[config.remote_ts.n++];

        ts->port_high = UINT16_MAX;
        ts->start = ts->end = (struct addr){.family = FAMILY_IPV4, .octets = {10, i}};
        ts->end.octets[2] = ts->end.octets[3] = 0xff;
    }
    if (setup->ike != NULL) {
        parse_proposals(&ike_list, PROTO_IKE, setup->ike);
        config.ike = &ike_list;
    }
    if (setup->esp != NULL) {
        parse_proposals(&esp_list, PROTO_ESP, setup->esp);
        config.esp = &esp_list;
    }
    sim_require(
        id_parse(&config.remote_id, setup->remote_id != NULL ? setup->remote_id : PKI_GATEWAY),
        "remote id");
    if (setup->auth == IKE_AUTH_PSK) {
        sim_require(id_parse(&config.local_id, PKI_CLIENT), "local id");
    }
    sim_require(ike_new(&ike, &config, sim->now) == OK, "ike_new");
    if (!setup->late_trust) {
        ike_set_trust(ike, setup->other_trust ? pki->other_trust : pki->trust);
    }
    return ike;
}

struct sim *sim_new(const struct setup *setup, uint64_t seed)
{
    struct sim *sim = g_new0(struct sim, 1);

    sim->setup = *setup;
    sim->seed = seed;
    sim->now = SIM_START;
    sim->sign_at = IKE_NEVER;
    sim->random.state = seed;
    sim->ladder = g_string_new(NULL);
    sim->violations = g_string_new(NULL);
    sim->sent_at = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    sim->children = g_array_new(FALSE, FALSE, sizeof(struct sim_child));
    sim->rng = rng_from_seed(&sim->rng_client, seed);
    sim->nonce_first = GATEWAY_RANDOM;
    network_init(&sim->network, &setup->faults);
    places_init(&sim->network.places, setup->moving);
    sim->network.places.nat = setup->nat;
    sim->network.places.nat_timeout_us = setup->nat_timeout_us;
    gateway_init(&sim->gateway, &setup->gateway, pki_get(), seed);
    sim->ike = new_engine(sim);
    ike_tick(sim->ike, sim->now);
    sim_pump(sim);
    return sim;
}

void sim_again(struct sim *sim)
{
    sim_note(sim, "---- a new engine, %s a ticket",
             sim->ticket.opaque.len > 0 ? "with" : "without");
    ike_free(sim->ike);
    if (gateway_ticket_used(&sim->gateway, secret_bytes(&sim->ticket.opaque))) {
        sim_violation(sim, "a ticket is kept that has been used"); /* RFC 5723 4.3.1 */
    }
    for (guint i = 0; i < sim->children->len; i++) {
        struct sim_child *child = &g_array_index(sim->children, struct sim_child, i);

        child->lost = child->lost || !child->down;
        child->down = true;
    }
    sim->n_child_down = sim->n_child_up;
    sim->child_up = sim->down = sim->path_seen = false;
    sim->phases = 0;
    sim->redirects = sim->reauths = 0;
    sim->outbound = 0;
    sim->gateway.saw_credential = false;
    sim->again = true;
    sim->sign_at = IKE_NEVER;
    sim->ike = new_engine(sim);
    ike_tick(sim->ike, sim->now);
    sim_pump(sim);
}

void sim_sleep(struct sim *sim, uint64_t us)
{
    sim_note(sim, "---- asleep");
    sim->asleep = true;
    sim_run(sim, NULL, sim->now + us);
    sim->asleep = false;
    sim_note(sim, "---- awake");
}

bool sim_resumed(const struct sim *sim)
{
    struct ike_summary summary;

    ike_get_summary(sim->ike, &summary);
    return summary.resumed;
}

void sim_free(struct sim *sim)
{
    ike_free(sim->ike);
    gateway_free(&sim->gateway);
    network_free(&sim->network);
    g_string_free(sim->ladder, TRUE);
    g_string_free(sim->violations, TRUE);
    g_array_unref(sim->sent_at);
    traffic_free(sim);
    ike_ticket_free(&sim->ticket);
    g_free(sim);
}

/* ---- events ---- */

static void on_child_up(struct sim *sim, const struct ike_event *event)
{
    sim->n_child_up++;
    sim->child_up = true;
    sim->up_at = sim->now;
    if (event->net == NULL || event->net->n_addresses == 0) {
        sim_violation(sim, "a Child SA without an address");
    } else if (event->net->n_dns > 0) {
        char text[ADDR_TEXT_MAX];

        g_strlcpy(sim->first_dns, addr_text(&event->net->dns[0], text), sizeof sim->first_dns);
    }
    traffic_event(sim, event);
}

static void on_secret(struct sim *sim, enum eap_secret secret)
{
    struct bytes value = {0};

    sim->asked++;
    sim_note(sim, "    asks for %s", secret == EAP_SECRET_USER ? "the user name" : "the password");
    if (!sim->setup.no_password) {
        value = bytes_of_string(secret == EAP_SECRET_USER     ? PKI_USER
                                : sim->setup.password != NULL ? sim->setup.password
                                                              : PKI_PASSWORD);
    }
    ike_provide_secret(sim->ike, secret, value, sim->now);
}

/* The token signs as the client's key does; what it does not know is how AUTH is written. */
static void sign(struct sim *sim)
{
    struct cert_signing signing;
    struct bytes octets = ike_to_sign(sim->ike, &signing);
    uint8_t data[256], method;
    size_t len;

    sim->sign_at = IKE_NEVER;
    if (octets.len == 0) {
        return; /* it has ended meanwhile */
    }
    sim_require(cert_sign_auth(pki_get()->client, SIG_HASH_IDENTITY, false, false, octets, &method,
                               data, sizeof data, &len) == OK &&
                    method == signing.method,
                "signature");
    sim_note(sim, "    the token has signed");
    ike_provide_signature(sim->ike, bytes_of(data + 1 + data[0], len - 1 - data[0]),
                          REASON_INTERNAL, "", sim->now);
}

static void on_ticket(struct sim *sim, const struct ike_ticket *ticket)
{
    ike_ticket_free(&sim->ticket);
    if (ticket == NULL) {
        sim_note(sim, "    the ticket is void");
        return;
    }
    sim_note(sim, "    a ticket of %zu octets", ticket->opaque.len);
    sim_require(ike_ticket_copy(&sim->ticket, ticket), "ticket");
}

static void on_redirect(struct sim *sim, const char *gateway)
{
    sim_note(sim, "    redirect to %s", gateway);
    sim->redirects++;
    g_strlcpy(sim->redirected_to, gateway, sizeof sim->redirected_to);
    /* The first response is not protected: whoever damages it may send us anywhere. And it may send
     * us to another address of its own. */
    if (sim->setup.faults.corrupt == 0 && !sim->setup.moving &&
        strcmp(gateway, "203.0.113.7") != 0 && strcmp(gateway, "2001:db8::7") != 0 &&
        strcmp(gateway, "gw2.example.org") != 0) {
        sim_violation(sim, "redirected to where no gateway can be: %s", gateway);
    }
}

/* RFC 4478, however often the gateway wants it: no storm. */
static void on_reauth(struct sim *sim)
{
    sim_note(sim, "    authentication is to be repeated");
    if (sim->now < (sim->reauths > 0 ? sim->reauth_at : sim->verified_at) + SECONDS(10)) {
        sim_violation(sim, "authentication is to be repeated too soon");
    }
    sim->reauths++;
    sim->reauth_at = sim->now;
}

/* What is said to the user and to who may try again makes sense. */
static void check_end(struct sim *sim)
{
    bool established = (sim->phases & 1U << IKE_PHASE_ESTABLISHED) != 0;

    if (sim->reason == REASON_NONE || sim->reason == REASON_INTERNAL) {
        sim_violation(sim, "it ends without a reason: %s", reason_name(sim->reason));
    }
    if ((sim->reason == REASON_REDIRECTED) != (sim->redirects == 1 && !established)) {
        sim_violation(sim, "%u redirections, and it ends with %s", sim->redirects,
                      reason_name(sim->reason));
    }
    if (sim->retry && (sim->reason == REASON_USER || sim->reason == REASON_AUTH_FAILED)) {
        sim_violation(sim, "it may not be tried again after %s", reason_name(sim->reason));
    }
}

static void on_path(struct sim *sim, const struct path *path)
{
    char local[ADDR_TEXT_MAX], remote[ADDR_TEXT_MAX];

    sim->esp_path = *path;
    sim_note(sim, "    path: %s - %s", addr_text(&path->local.addr, local),
             endpoint_text(&path->remote, remote));
}

static void on_event(struct sim *sim, const struct ike_event *event)
{
    if (sim->down) {
        sim_violation(sim, "an event behind the last one");
    }
    switch (event->type) {
    case IKE_EVENT_PHASE:
        sim->phases |= 1U << event->phase;
        if (event->phase == IKE_PHASE_GATEWAY_VERIFIED) {
            sim->verified_at = sim->now;
        }
        sim_note(sim, "    phase %d %s", (int)event->phase, event->text);
        if (sim->setup.late_trust && event->phase == IKE_PHASE_GATEWAY_ANSWERED) {
            ike_set_trust(sim->ike, pki_get()->trust);
        }
        break;
    case IKE_EVENT_SECRET:
        on_secret(sim, event->secret);
        break;
    case IKE_EVENT_SIGN:
        sim->sign_at = sim->now + sim->setup.token_us;
        break;
    case IKE_EVENT_CHILD_UP:
        on_child_up(sim, event);
        break;
    case IKE_EVENT_CHILD_OUT:
        traffic_event(sim, event);
        break;
    case IKE_EVENT_CHILD_DOWN:
        sim->n_child_down++;
        sim->child_up = sim->n_child_up > sim->n_child_down;
        traffic_event(sim, event);
        break;
    case IKE_EVENT_PATH:
        sim->path_seen = true;
        on_path(sim, &event->path);
        break;
    case IKE_EVENT_REDIRECT:
        on_redirect(sim, event->text);
        break;
    case IKE_EVENT_REAUTH:
        on_reauth(sim);
        break;
    case IKE_EVENT_PATH_LOST:
        sim->path_losses++;
        sim_note(sim, "    path lost: %s", event->text);
        break;
    case IKE_EVENT_MTU:
        sim_note(sim, "    a path of %u octets: %s", event->mtu, event->passed ? "yes" : "no");
        break;
    case IKE_EVENT_TICKET:
        on_ticket(sim, event->ticket);
        break;
    case IKE_EVENT_TRACE:
        sim_note(sim, "%s  %s%s", event->outbound ? "-->" : "<--", event->text,
                 event->retransmission ? "  (again)" : "");
        break;
    case IKE_EVENT_DOWN:
        sim->down = true;
        sim->reason = event->reason;
        sim->down_at = sim->now;
        g_strlcpy(sim->detail, event->text != NULL ? event->text : "", sizeof sim->detail);
        sim_note(sim, "    down: %s: %s", reason_name(event->reason), sim->detail);
        sim->retry = event->retry;
        check_end(sim);
        break;
    }
}

static bool pump_outputs(struct sim *sim)
{
    static uint8_t out[IKE_MESSAGE_MAX];
    struct path path;
    bool any = false;
    ssize_t n;

    while ((n = ike_output(sim->ike, &path, out, sizeof out, sim->now)) > 0) {
        const char *fate = network_send(&sim->network, &sim->random, true, &path,
                                        bytes_of(out, (size_t)n), sim->now);

        any = true;
        sim->sent++;
        g_array_append_val(sim->sent_at, sim->now);
        if (*fate != '\0') {
            sim_note(sim, "    %s on the way to the gateway (%zd octets)", fate, n);
        }
        if (sim->sent > DATAGRAMS_MAX) {
            sim_violation(sim, "it sends without end");
            return false;
        }
    }
    return any;
}

void sim_pump(struct sim *sim)
{
    struct ike_event event;
    bool again = !sim->asleep;

    while (again && sim->sent <= DATAGRAMS_MAX) {
        again = false;
        /* What is sent may rely on what was announced. */
        while (ike_next_event(sim->ike, &event)) {
            on_event(sim, &event);
            again = true;
        }
        again |= pump_outputs(sim);
    }
}

/* ---- time ---- */

static void flush_gateway(struct sim *sim)
{
    struct gateway *gateway = &sim->gateway;

    for (guint i = 0; i < gateway->out_queue->len; i++) {
        const struct gateway_datagram *queued = g_ptr_array_index(gateway->out_queue, i);
        const GByteArray *datagram = queued->octets;
        const char *fate = network_send(&sim->network, &sim->random, false, &queued->path,
                                        bytes_of(datagram->data, datagram->len), sim->now);

        if (*fate != '\0') {
            sim_note(sim, "    %s on the way to us (%u octets)", fate, datagram->len);
        }
    }
    g_ptr_array_set_size(gateway->out_queue, 0);
    if (gateway->complaints->len > 0) {
        sim_violation(sim, "the gateway complains: %s", gateway->complaints->str);
        g_string_truncate(gateway->complaints, 0);
    }
    /* RFC 7296 2.16, CVE-2015-4171: nothing of the user before the gateway is who it should be. */
    if (gateway->credential_before_proof ||
        (gateway->saw_credential && (sim->phases & 1U << IKE_PHASE_GATEWAY_VERIFIED) == 0)) {
        sim_violation(sim, "a credential left before the gateway had proved itself");
        gateway->credential_before_proof = gateway->saw_credential = false;
    }
}

/*
 * First messages are not protected. A damaged one may come to the gateway as that of another
 * client, of which it knows none; and in an attempt that has to succeed none may be damaged
 * undetected.
 */
static bool mistaken(const struct sim *sim, const struct datagram *datagram)
{
    uint8_t exchange = datagram->len >= IKE_HEADER_LEN ? datagram->data[18] : 0;

    return (datagram->to_gateway && sim->gateway.phase >= GATEWAY_UP) ||
           (sim->again && (exchange == X_IKE_SA_INIT || exchange == X_IKE_SESSION_RESUME));
}

static void deliver(struct sim *sim, struct datagram *datagram)
{
    struct path path = {.local = datagram->to, .remote = datagram->from};

    if (!datagram->to_gateway && (sim->asleep || !places_works(&sim->network.places, &path))) {
        sim->network.lost++;
    } else if (datagram->corrupted && datagram->spi == 0 && mistaken(sim, datagram)) {
        sim->network.lost++;
    } else if (datagram->spi != 0) {
        traffic_arrived(sim, datagram);
    } else if (datagram->to_gateway) {
        gateway_input(&sim->gateway, &path, bytes_of(datagram->data, datagram->len), sim->now);
    } else {
        ike_input(sim->ike, &path, bytes_of(datagram->data, datagram->len), sim->now);
    }
    datagram_free(datagram);
}

static uint64_t next_moment(const struct sim *sim)
{
    uint64_t next = network_deadline(&sim->network);

    next = MIN(next, gateway_deadline(&sim->gateway));
    if (sim->asleep) {
        return next;
    }
    if (sim->mark_every > 0) {
        next = MIN(next, sim->mark_at);
    }
    next = MIN(next, sim->sign_at);
    return sim->down ? next : MIN(next, ike_deadline(sim->ike));
}

bool sim_run(struct sim *sim, bool (*done)(const struct sim *sim), uint64_t until)
{
    unsigned silent = 0;

    for (unsigned step = 0; step < STEPS_MAX; step++) {
        uint64_t next = next_moment(sim);
        struct datagram *datagram;

        flush_gateway(sim);
        if (done != NULL && done(sim)) {
            return true;
        }
        next = MIN(next, next_moment(sim));
        if (next > until || next == IKE_NEVER) {
            sim->now = MAX(sim->now, until);
            return false;
        }
        silent = next <= sim->now ? silent + 1 : 0;
        if (silent > SILENT_STEPS_MAX && network_deadline(&sim->network) > sim->now) {
            sim_violation(sim, "its deadline does not move");
            return false;
        }
        sim->now = MAX(sim->now, next);
        datagram = network_receive(&sim->network, sim->now);
        if (datagram != NULL) {
            deliver(sim, datagram);
        }
        gateway_tick(&sim->gateway, sim->now);
        if (sim->asleep) {
            continue;
        }
        if (sim->sign_at <= sim->now) {
            sign(sim);
        }
        if (ike_deadline(sim->ike) <= sim->now) {
            ike_tick(sim->ike, sim->now);
        }
        sim_pump(sim);
        traffic_step(sim);
    }
    sim_violation(sim, "it does not come to an end");
    return false;
}

bool sim_connected(const struct sim *sim)
{
    return sim->child_up && (sim->phases & 1U << IKE_PHASE_ESTABLISHED) != 0;
}

bool sim_ended(const struct sim *sim)
{
    return sim->down;
}

bool sim_settled(const struct sim *sim)
{
    return sim_connected(sim) || sim_ended(sim);
}

/* ---- strangers ---- */

void sim_forge(struct sim *sim, struct bytes datagram, uint16_t from_port)
{
    struct path path = {.local = endpoint_of(SIM_CLIENT_ADDR, from_port),
                        .remote = endpoint_of(SIM_GATEWAY_ADDR, from_port)};

    sim_note(sim, "    forged (%zu octets)", datagram.len);
    ike_input(sim->ike, &path, datagram, sim->now);
    sim_pump(sim);
}

void sim_forge_harmless(struct sim *sim, struct bytes datagram, uint16_t from_port)
{
    uint64_t deadline = ike_deadline(sim->ike);
    unsigned phases = sim->phases, n_up = sim->n_child_up, n_down = sim->n_child_down;
    size_t sent = sim->sent;
    bool path_seen = sim->path_seen, down = sim->down;

    sim->path_seen = false;
    sim_forge(sim, datagram, from_port);
    if (ike_deadline(sim->ike) != deadline) {
        sim_violation(sim, "an unauthenticated datagram moved a timer");
    }
    if (sim->sent != sent) {
        sim_violation(sim, "an unauthenticated datagram was answered");
    }
    if (sim->phases != phases || sim->n_child_up != n_up || sim->n_child_down != n_down ||
        sim->down != down || sim->path_seen) {
        sim_violation(sim, "an unauthenticated datagram changed the state");
    }
    sim->path_seen |= path_seen;
}

void sim_forge_in_flight(struct sim *sim)
{
    for (guint i = 0; i < sim->network.in_flight->len; i++) {
        const struct datagram *datagram = g_ptr_array_index(sim->network.in_flight, i);

        for (size_t at = 0; at < datagram->len; at += 1 + datagram->len / 40) {
            uint8_t *copy = g_memdup2(datagram->data, datagram->len);

            copy[at] ^= 0x10;
            sim_forge_harmless(sim, bytes_of(copy, datagram->len), 4711);
            g_free(copy);
        }
    }
}

void sim_forge_token(struct sim *sim)
{
    uint8_t token[32], buffer[64], out[128];
    struct chain chain = chain_of(buffer, sizeof buffer);
    struct ike_header header = {
        .spi_i = sim->gateway.sa->spi_i,
        .spi_r = sim->gateway.sa->spi_r,
        .version = IKE_VERSION,
        .exchange = X_INFORMATIONAL,
        .flags = IKE_FLAG_RESPONSE,
        .message_id = sim_below(&sim->random, 8),
    };

    for (size_t i = 0; i < sizeof token; i++) {
        token[i] = (uint8_t)sim_random(&sim->random);
    }
    notify_write(&chain, PROTO_IKE, (struct bytes){0}, N_QCD_TOKEN, bytes_of(token, sizeof token));
    sim_forge_harmless(sim, bytes_of(out, message_write(&header, &chain, out, sizeof out)),
                       IKE_PORT_NATT);
}
