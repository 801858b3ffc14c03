/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_TESTS_SIM_H
#define GODWIT_TESTS_SIM_H

#include <glib.h>

#include "sim/gateway.h"
#include "sim/network.h"

/*
 * The simulator: our engine and a scripted gateway over a simulated network with virtual time.
 * Everything that happens follows from the setup and one seed, so that a failing run can be
 * replayed; its ladder shows what happened.
 */

/* What one run is about; all zero with `password` set is a run that connects. */
struct setup {
    enum ike_auth auth;
    struct gateway_config gateway;
    struct faults faults;
    const char *password; /* NULL = the right one, unless `no_password` */
    bool no_password;     /* the user cancels */
    bool ask_password;    /* it is asked for and then given */
    uint64_t timeout_us;  /* of connecting; 0 = the engine's own */
    bool token;           /* our private key is elsewhere, and takes so long to sign */
    uint64_t token_us;
    const char *psk;       /* NULL = the right one */
    const char *remote_id; /* NULL = the gateway's name */
    const char *ike, *esp; /* our proposals; NULL = the defaults */
    bool other_trust;      /* we trust another authority than the gateway's */
    bool late_trust;       /* the authorities arrive after IKE_SA_INIT */
    uint64_t clock_shift;  /* seconds added to the wall clock */
    bool start_at_4500;
    bool mobike; /* ours */
    bool moving; /* addresses matter: places.h */
    bool nat;    /* ... and there is one */
    uint64_t nat_timeout_us;
    bool ipv6; /* inner IPv6 addresses as well */
    bool childless;
    unsigned networks; /* that we list: 10.1.0.0/16…; 0 = everything */
    uint16_t path_mtu;
    uint64_t child_lifetime_us, ike_lifetime_us; /* 0 = the engine's own */
};

/* A Child SA as the engine has announced it. */
struct sim_child {
    uint32_t spi_in, spi_out;
    struct suite suite;
    struct secret out_encr, out_integ, in_encr, in_integ;
    uint32_t reqid;
    bool out;      /* its outbound half has been announced, */
    bool replaced; /* ... and that of another one in its place */
    bool down;
    bool lost;     /* with its engine: the gateway has not heard of that */
    bool compared; /* with the gateway's */
};

struct sim {
    struct setup setup;
    uint64_t seed, now;
    struct sim_random random;
    struct rng_seeded rng_client;
    struct rng rng;
    struct network network;
    struct gateway gateway;
    struct ike *ike;
    bool asleep;
    uint64_t away;            /* how long it was not to be reached in a random run */
    bool again;               /* there has been another engine before */
    struct ike_ticket ticket; /* as a carrier keeps it; empty = none */
    GString *ladder;          /* what happened, a line each */
    GString *violations;      /* empty while every invariant holds */

    /* What the events said. */
    unsigned phases; /* bit of each enum ike_phase seen */
    bool child_up, path_seen;
    unsigned path_losses;
    unsigned redirects, reauths;
    unsigned asked; /* for secrets */
    char redirected_to[256];
    uint64_t reauth_at;
    uint64_t sign_at;                    /* the token answers; IKE_NEVER = it is not asked */
    bool retry;                          /* of the end */
    struct path esp_path;                /* where the engine sends ESP */
    uint64_t marks_up_at, marks_down_at; /* the latest that came to the gateway, and to us */
    unsigned n_child_up, n_child_down;
    GArray *children;  /* struct sim_child */
    uint32_t outbound; /* spi_in of the one that it sends along; 0 = none */
    int nonce_first;   /* first octet of the engine's nonces; GATEWAY_RANDOM */
    bool down;
    enum reason reason;
    char detail[1024];
    char banner[64];
    char first_dns[64];
    uint64_t verified_at; /* the gateway; we at the earliest */
    uint64_t up_at, down_at;
    uint64_t mark_every, mark_at; /* ESP of both sides; 0 = none */
    unsigned marks;
    size_t sent;     /* datagrams of the engine */
    GArray *sent_at; /* uint64_t: when */
};

#define SIM_START UINT64_C(1000000)
#define SECONDS(n) ((uint64_t)(n)*1000000)
#define SIM_CLIENT_ADDR "192.0.2.10"
#define SIM_GATEWAY_ADDR "198.51.100.1"

struct sim *sim_new(const struct setup *setup, uint64_t seed);
void sim_free(struct sim *sim);
/* The engine is lost, and a new one begins, with a ticket if there is one. */
void sim_again(struct sim *sim);
/* So long nothing is heard, sent or reckoned on our side, while the gateway goes on. */
void sim_sleep(struct sim *sim, uint64_t us);
/* Whether the IKE SA in use was made from a ticket. */
bool sim_resumed(const struct sim *sim);
/* Lets everything happen that is due until `until`, or until `done` says so (NULL: only the time);
 * true when `done` did. */
bool sim_run(struct sim *sim, bool (*done)(const struct sim *sim), uint64_t until);
bool sim_connected(const struct sim *sim); /* established with a Child SA */
bool sim_ended(const struct sim *sim);     /* IKE_EVENT_DOWN came */
bool sim_settled(const struct sim *sim);   /* one of both */
/* A datagram from anybody, to the engine at once. */
void sim_forge(struct sim *sim, struct bytes datagram, uint16_t from_port);
/* The same, but it is a violation when anything changes by it: a timer, an event, an output. */
void sim_forge_harmless(struct sim *sim, struct bytes datagram, uint16_t from_port);
/* ... each of the datagrams that are on their way, with one octet flipped, from another port. */
void sim_forge_in_flight(struct sim *sim);
/* Pulls outputs and events after a direct call of the engine. */
void sim_pump(struct sim *sim);
/* A message about the IKE SA in use, in the clear, with a QCD token that is nobody's. */
void sim_forge_token(struct sim *sim);
/* Both sides have one Child SA, the same, and one IKE SA, and nothing is under way. */
bool sim_quiet(const struct sim *sim);
/* The gateway's SPI of what we send along; 0 = nothing. */
uint32_t sim_outbound(const struct sim *sim);
/* Says in which way it is not quiet. */
void sim_require_quiet(struct sim *sim);
/* From now on both sides send ESP so often, and after whatever happens. */
void sim_traffic(struct sim *sim, uint64_t every);
/* Adds a line to the ladder. */
void sim_note(struct sim *sim, const char *format, ...) G_GNUC_PRINTF(2, 3);
/* Notes that an invariant does not hold. */
void sim_violation(struct sim *sim, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* ---- moves.c ---- */
/* The engine hears which addresses of places.h there are. */
void sim_tell(struct sim *sim);
/* Addresses of places.h come or go, and the engine hears of it: bit n = address n is there. */
void sim_locals(struct sim *sim, unsigned mask);
/* sim_sleep(), then the engine hears which addresses there are; `told` = that it slept, too. */
void sim_nap(struct sim *sim, uint64_t us, bool told);
/* ESP goes both ways along paths that work. */
bool sim_flows(const struct sim *sim);
/* Says why not. */
void sim_require_flow(struct sim *sim);
/* True when marks that were sent after `since` have come through both ways. */
bool sim_heard_since(const struct sim *sim, uint64_t since);

/* ---- traffic.c: the engine's Child SAs beside the gateway's ---- */
void traffic_event(struct sim *sim, const struct ike_event *event);
void traffic_arrived(struct sim *sim, const struct datagram *datagram);
/* Compares keys, and sends what is due. */
void traffic_step(struct sim *sim);
void traffic_free(struct sim *sim);

/* In a seed: the host moves, among other things. */
#define RANDOM_MOVES (UINT64_C(1) << 62)
/* One run with everything random; false, with its ladder on stderr, when an invariant did not hold.
 */
bool random_run(uint64_t seed);
/* What became of the runs so far, on stdout. */
void random_summary(void);
/* Ladders of good runs as well. */
void random_ladders(bool print);

#endif
