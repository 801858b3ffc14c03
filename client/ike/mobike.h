/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_IKE_MOBIKE_H
#define GODWIT_IKE_MOBIKE_H

#include "crypto/prf.h"
#include "ike/exchange.h"
#include "ike/natd.h"

/*
 * Moving an IKE SA from one pair of addresses to another (RFC 4555): which pairs there are and
 * which of them works (pairs.c, paths.c), what is said to the gateway (mobike.c), and what keeps a
 * NAT's mapping alive (keepalive.c).
 */

#define ANNOUNCED_MAX 16 /* of the gateway's additional addresses; more are dropped */
#define PROVEN_MAX 8
#define FAILED_MAX 16
#define PAIRS_MAX 64
#define ROUND_MAX 8 /* copies of one request at a time */

/* A pair that was tried in vain, or refused by the gateway. */
struct failed_pair {
    struct addr local, remote;
    uint64_t until; /* not tried for its own sake before; 0 = it may be */
    unsigned times;
};

/* What the host and the gateway can be reached at, and what is being tried. */
struct paths {
    struct ike_local locals[IKE_LOCALS_MAX];
    size_t n_locals;
    bool told;                              /* the carrier has told them */
    bool review;                            /* something of this has changed ... */
    bool doubt;                             /* ... so that the path in use may not work */
    bool withdrawn;                         /* ... since it is not the gateway's any more */
    bool stuck;                             /* there is no pair */
    struct addr gateways[IKE_GATEWAYS_MAX]; /* that the gateway's name has */
    size_t n_gateways;
    struct addr announced[ANNOUNCED_MAX]; /* that the gateway has told in the IKE SA */
    size_t n_announced;
    struct addr proven[PROVEN_MAX]; /* that have answered in the IKE SA: ESP may go there at once */
    size_t n_proven;
    struct failed_pair failed[FAILED_MAX];
    struct path esp; /* that the carrier was told last */

    /* The request in flight goes along ike->path alone so many times before others join in ... */
    unsigned alone;
    bool joined;
    uint64_t join_at; /* ... then; IKE_NEVER ... */
    /* ... along these, each time. */
    struct path round[ROUND_MAX];
    size_t n_round, at_round;
    size_t turn;  /* where the next round goes on */
    bool several; /* it has gone along more than one, or there is doubt since it was first sent */

    uint64_t rtt;       /* smoothed; 0 = not known */
    uint64_t told_at;   /* when the addresses changed */
    uint64_t settle_at; /* when a better pair of another family is tried; IKE_NEVER */
    uint64_t lost_at;   /* when the path in use is given up; IKE_NEVER */
    uint64_t back_at;   /* when we were away for long before, asleep say; 0 = never */
    bool lost;          /* that has been said */
};

struct mobike {
    bool announced, supported; /* by us; by both */
    bool update;               /* UPDATE_SA_ADDRESSES is to be sent */
    bool updating;             /* the request in flight has it */
    unsigned nat_tries;        /* it met UNEXPECTED_NAT_DETECTED */
    /* the latest one: in which IKE SA, and its COOKIE2 */
    uint64_t spi;
    uint32_t message_id;
    uint8_t cookie[16];
    struct addr told[IKE_LOCALS_MAX], telling[IKE_LOCALS_MAX]; /* our additional addresses */
    size_t n_told, n_telling;
    /* Our address as the gateway sees it: its NAT_DETECTION_DESTINATION_IP in the IKE SA of that
     * SPI. */
    uint64_t mapping_spi; /* 0 = not known */
    uint8_t mapping[SHA1_LEN];
};

/* How long the NAT on the path bears silence (keepalive.c). */
struct keepalive {
    bool due;          /* one is to be sent */
    uint64_t interval; /* it has borne so much; 0 = as configured */
    bool trying;       /* whether it has borne more is being asked */
    bool settled;      /* it bears no more */
};

/* ---- pairs.c: pure ---- */
/* All pairs of one family, the best first. Returns how many. */
size_t pairs_list(const struct ike *ike, struct path out[static PAIRS_MAX]);
/* The rank of the local address of a path; UINT_MAX when the host does not have it. */
unsigned pairs_rank(const struct ike *ike, const struct path *path);
/* Where the host has that address; 0 when it has not. */
uint32_t pairs_interface(const struct ike *ike, const struct addr *local);
/* The pair that a datagram came in by; NULL when it is none of them. */
const struct path *pairs_find(const struct path *pairs, size_t n, const struct path *path);
/* Same addresses and remote port. */
bool pairs_same(const struct path *a, const struct path *b);
/* Whether the gateway may say that it is there: not where it cannot be, is inside the tunnel, or
 * ours (RFC 4555 leaves that to us). */
bool pairs_acceptable(const struct ike *ike, const struct addr *addr);

/* ---- paths.c ---- */
/* The carrier is to send ESP along ike->path. */
void paths_use(struct ike *ike);
/* Nothing can be sent anywhere. */
bool paths_offline(const struct ike *ike);
/* A request of the IKE SA in use has been started, or is about to be repeated. */
void paths_started(struct ike *ike);
void paths_repeated(struct ike *ike);
/* An authenticated response to the request in flight has come in, along that path. */
void paths_heard(struct ike *ike, const struct ike_sa *sa, const struct path *path);
/* The gateway has answered from there. */
void paths_prove(struct paths *paths, const struct addr *addr);
/* The gateway does not take ike->path. */
void paths_refused(struct ike *ike);
/* It is now, and was ike->now when the engine was last called. */
void paths_notice(struct ike *ike, uint64_t now);
/* Somebody says that the gateway does not know the IKE SA. It counts when it has been silent for
 * long and is being asked already: then another one is begun at once. */
void paths_hint(struct ike *ike);
/* ESP cannot go on; `why` is a translated sentence. */
void paths_lose(struct ike *ike, const char *why);
/* The gateway tells where it can be reached; `from` is where it does so from. */
void paths_announced(struct ike *ike, const struct addr *addrs, size_t n, const struct addr *from);
/* Does what a change asks for, in an established IKE SA. */
void paths_review(struct ike *ike);
uint64_t paths_deadline(const struct ike *ike);
void paths_tick(struct ike *ike);
/* The next datagram of the IKE SA in use, and its path; empty when there is none. */
struct bytes paths_output(struct ike *ike, struct path *path);

/* ---- network.c ---- */
/* Offline or asleep, nothing could be renewed: nothing expires just now. */
void network_hold(struct ike *ike);
/* Time may have jumped over a deadline: then nothing ran in between. */
void ike_notice(struct ike *ike, uint64_t now);

/* ---- mobike.c ---- */
/* MOBIKE_SUPPORTED and our additional addresses, for the IKE_AUTH request with the SA. */
void mobike_announce(struct ike *ike, struct chain *chain);
/* The same of the gateway. */
void mobike_accept(struct ike *ike, const struct message *message);
bool mobike_update_due(struct ike *ike);
enum err mobike_build_update(struct ike *ike, struct chain *chain) ERR_CHECK;
enum err mobike_updated(struct ike *ike, struct ike_sa *sa,
                        const struct message *message) ERR_CHECK;
enum err mobike_update_refused(struct ike *ike, struct ike_sa *sa,
                               const struct message *message) ERR_CHECK;
/* NAT detection for a liveness check, and what its answer tells. */
enum err mobike_build_check(struct ike *ike, struct chain *chain) ERR_CHECK;
void mobike_checked(struct ike *ike, const struct ike_sa *sa, const struct message *message);
/* What the gateway's INFORMATIONAL request asks for; its answer goes into the reply. */
enum err mobike_answer(struct ike *ike, const struct ike_sa *sa, const struct message *message,
                       struct chain *reply) ERR_CHECK;

/* ---- keepalive.c ---- */
uint64_t keepalive_deadline(const struct ike *ike);
void keepalive_tick(struct ike *ike);
/* The path is another one: what is known of its NAT does not hold. */
void keepalive_moved(struct ike *ike);
/* The answer to what was asked after a longer silence: the gateway sees us as before, or not. */
void keepalive_learned(struct ike *ike, bool same);
/* What was asked was not answered at once. */
void keepalive_missed(struct ike *ike);

#endif
