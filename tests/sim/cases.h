/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_TESTS_SIM_CASES_H
#define GODWIT_TESTS_SIM_CASES_H

#include "sim/sim.h"

/* Tables of what both sides do to an established connection, and what is left of it. */

enum deed {
    NOTHING = 0,
    WE_REKEY_CHILD,
    WE_REKEY_IKE,
    WE_DISCONNECT,
    IT_REKEYS_CHILD,
    IT_REKEYS_IKE,
    IT_DELETES_CHILD,
    IT_DELETES_OLD, /* a Child SA that we ought to delete */
    IT_DELETES_IKE,
    IT_CHECKS,      /* liveness */
    IT_LOSES_CHILD, /* without a word */
    IT_RESTARTS,
    CUT,            /* nothing arrives any more */
    HEAL,           /* everything does again */
    WE_BEGIN_AGAIN, /* the engine is lost, or has ended: a new one, with a ticket if there is one */
    WE_SLEEP,       /* two hours pass that the engine knows nothing of */
};

/* Which of the four nonces of two exchanges that cross is the lowest (RFC 7296 2.8.1). */
enum lowest { ANY = 0, OUR_NI, OUR_NR, ITS_NI, ITS_NR };
/* How the IKE SA that is left in the end was authenticated. */
enum authenticated { EITHER = 0, BY_TICKET, IN_FULL };
/* Whose exchange has made what is left in the end. */
enum maker { WHOEVER = 0, FIRST, OURS, ITS };

#define DEEDS_MAX 5
#define BIT(n) (UINT64_C(1) << (n))

struct rekey_case {
    const char *name; /* as strongSwan's suite has it */
    struct {
        enum deed deed;
        unsigned at_ms;
    } deeds[DEEDS_MAX];
    enum lowest lowest;
    /* bit n: the n-th datagram from the first deed on, to the gateway and to us */
    uint64_t lose_up, lose_down, hold_up, hold_down;
    uint64_t duplicate_up, duplicate_down, corrupt_up, corrupt_down;
    unsigned hold_ms; /* 0 = 200 */
    struct gateway_config gateway;
    const char *ike, *esp; /* ours */
    enum ike_auth auth;    /* IKE_AUTH_PSK unless `other_auth` */
    bool other_auth;
    unsigned child_lifetime_s, ike_lifetime_s;
    bool no_traffic;  /* ESP cannot but be lost */
    unsigned mark_ms; /* between ESP packets; 0 = 1 */
    enum maker child, sa;
    enum authenticated how;
    unsigned reauths;  /* how often the carrier is told to make another IKE SA */
    enum reason ends;  /* REASON_NONE = it stays up */
    unsigned after_s;  /* that passes before it may rest */
    unsigned within_s; /* until it rests, or ends; 0 = 10 */
};

/* Cases of one kind; the test's name is that of Check. */
struct case_table {
    const char *test;
    const struct rekey_case *rows;
    size_t n;
};
/* All tables, one after the other; NULL past the end. */
const struct case_table *case_table_at(size_t index);
/* Prints them for people. */
void cases_list(void);

/* A connection between the two, established. Free with sim_free(). */
struct sim *case_connected(const struct rekey_case *row, uint64_t seed);
/* Does what the row says; violations say what was not as it should be. */
void case_run(struct sim *sim, const struct rekey_case *row);
/* Its deeds only, with what follows at once. */
void case_play(struct sim *sim, const struct rekey_case *row);
/* The same up to the last deed. */
void case_start(struct sim *sim, const struct rekey_case *row);
/* The gateway is heard in the IKE SA that is left; a violation when not. */
void case_hear(struct sim *sim);

#endif
