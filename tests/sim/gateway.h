/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_TESTS_SIM_GATEWAY_H
#define GODWIT_TESTS_SIM_GATEWAY_H

#include <glib.h>

#include "crypto/ke.h"
#include "ike/keys.h"
#include "sim/network.h"
#include "sim/pki.h"

/*
 * A scripted IKEv2 responder built from our codec and cryptography, with the faults that gateways
 * have. It serves one client.
 */

#define GATEWAY_DEMANDS_MAX 8
#define GATEWAY_FRAGMENTS_MAX 64
#define GATEWAY_REFUSALS_MAX 4
#define GATEWAY_SAS_MAX 8
#define GATEWAY_CHILDREN_MAX 16
#define GATEWAY_TICKETS_MAX 16
#define GATEWAY_TICKET_LEN 40
#define GATEWAY_WANTON_MAX 8
#define GATEWAY_ATTEMPTS_MAX 16
#define GATEWAY_ADDRESSES_MAX 4
#define GATEWAY_RANDOM (-1)

enum gateway_auth { GATEWAY_AUTH_CERTIFICATE = 0, GATEWAY_AUTH_PSK };
/* Whether a Child SA that is rekeyed gets a key exchange of its own. */
enum gateway_pfs { GATEWAY_PFS_ANY = 0, GATEWAY_PFS_ALWAYS, GATEWAY_PFS_NEVER };
/* Selectors that it takes when a Child SA is rekeyed: RFC 7296 2.9.2 wants those in use, old
 * gateways want what their policy says. */
enum gateway_ts { GATEWAY_TS_ANY = 0, GATEWAY_TS_NARROWED, GATEWAY_TS_ORIGINAL };

/* What it says to a request for a ticket (RFC 5723 4.1); none = it does not know the extension. */
enum gateway_tickets {
    GATEWAY_TICKETS_NONE = 0,
    GATEWAY_TICKETS_GIVEN,
    GATEWAY_TICKETS_LATER, /* TICKET_ACK at first */
    GATEWAY_TICKETS_REFUSED,
};
/* What becomes of a ticket that is presented. */
enum gateway_resume {
    GATEWAY_RESUME_ACCEPTED = 0,
    GATEWAY_RESUME_REFUSED,
    GATEWAY_RESUME_UNKNOWN, /* INVALID_SYNTAX */
    GATEWAY_RESUME_IGNORED,
    GATEWAY_RESUME_AUTH_IGNORED, /* silence behind the first exchange */
    GATEWAY_RESUME_AUTH_REFUSED,
    GATEWAY_RESUME_WRONG_AUTH,
};
/* Where it redirects to (RFC 5685); from ITSELF on it is nowhere to go. */
enum gateway_redirect {
    GATEWAY_REDIRECT_NONE = 0,
    GATEWAY_REDIRECT_IPV4,
    GATEWAY_REDIRECT_IPV6,
    GATEWAY_REDIRECT_NAME,
    GATEWAY_REDIRECT_ITSELF,
    GATEWAY_REDIRECT_CLIENT,
    GATEWAY_REDIRECT_LOOPBACK,
    GATEWAY_REDIRECT_NUMBER, /* an address that passes for a name */
    GATEWAY_REDIRECT_CUT,
    GATEWAY_REDIRECT_STALE, /* with an octet that does not belong there: the nonce does not fit */
    GATEWAY_REDIRECTS
};
/* QCD tokens (RFC 6290): those that it sends in the clear after a restart are right or wrong. */
enum gateway_tokens { GATEWAY_TOKENS_NONE = 0, GATEWAY_TOKENS_RIGHT, GATEWAY_TOKENS_WRONG };
enum gateway_cookie2 { GATEWAY_COOKIE2_RIGHT = 0, GATEWAY_COOKIE2_WRONG, GATEWAY_COOKIE2_MISSING };

/* All zero is a gateway without quirks: certificate, EAP-MSCHAPv2 for users, everything that we
 * offer by default. */
struct gateway_config {
    enum gateway_auth auth;
    const char *ike, *esp;                 /* what it accepts; NULL = the defaults */
    unsigned cookies;                      /* demanded so many times; UINT_MAX = for ever */
    bool cookie_passes; /* demanded of one request only: whatever comes next is accepted, and
                           everything else of the same SPI then is taken for a repetition */
    uint16_t demands[GATEWAY_DEMANDS_MAX]; /* groups demanded by INVALID_KE_PAYLOAD, one after the
                                              other */
    size_t n_demands;
    bool demand_forever;           /* begins again behind the last */
    uint16_t init_error;           /* IKE_SA_INIT is answered with this notify only */
    bool ikev1;                    /* answers IKE_SA_INIT with version 1 */
    bool silent_init, silent_auth; /* never answers */
    unsigned answer_after;         /* ignores so many requests before the first answer */
    bool wrong_auth;               /* AUTH does not verify */
    const char *id;                /* IDr; NULL = the certificate's name */
    bool impostor;                 /* its certificate comes from another authority */
    bool wrong_name;               /* its certificate is for another name, and so is IDr */
    bool no_cert;                  /* CERT is left out */
    bool eap_without_auth;         /* starts EAP without having proved itself */
    bool success_at_once;          /* EAP-Success instead of the first request */
    bool success_early;            /* EAP-Success behind the identity */
    uint16_t auth_error;           /* the first IKE_AUTH is refused */
    uint16_t child_error;          /* authenticated, but the Child SA is refused */
    bool error_with_config;        /* ... although an address is assigned */
    bool wrong_final_auth;         /* the last AUTH does not verify */
    bool no_address;               /* CFG_REPLY holds no address */
    bool wide_ts;                  /* answers selectors that were not offered */
    bool unknown_critical;         /* the first IKE_AUTH response has an unknown critical payload */
    size_t fragment;               /* longest message; 0 = no fragmentation */
    bool refragments;              /* repeats everything in smaller pieces (RFC 7383 2.6) */
    bool nat;                      /* its NAT detection hashes do not match */
    unsigned mschap_error;         /* E= of a failure that it always reports, or 0 */

    bool cluster;   /* announces RFC 6311 */
    bool childless; /* announces RFC 6023 */
    bool per_network; /* a Child SA for each network of TSr */
    enum gateway_tickets tickets;
    unsigned ticket_s;  /* their lifetime; 0 = an hour */
    bool loses_tickets; /* when it restarts */
    enum gateway_resume resume;
    /* In the response of IKE_SA_INIT, the first of IKE_AUTH, the last of IKE_AUTH. */
    enum gateway_redirect redirect_init, redirect_auth, redirect_final;
    bool redirect_and_go_on; /* the rest of the response is there as well */
    bool limits;             /* AUTH_LIFETIME in the last response */
    uint32_t lifetime;       /* of it, seconds */
    enum gateway_tokens tokens;

    bool forgets;      /* an IKE SA that is deleted at once: its last answer is not repeated */
    bool says_unknown; /* answers what it has no IKE SA for, unprotected (RFC 7296 2.21.4) */

    bool mobike;                                  /* RFC 4555 */
    const char *addresses[GATEWAY_ADDRESSES_MAX]; /* all that it has; NULL ends them */
    enum gateway_cookie2 cookie2;                 /* what it returns */
    bool checks_routability;                      /* before it moves ESP */
    uint16_t refuse_update[GATEWAY_REFUSALS_MAX]; /* the first ones, one after the other */

    /* CREATE_CHILD_SA of the client */
    uint16_t refuse_child[GATEWAY_REFUSALS_MAX]; /* the first ones, one after the other; 0 ends */
    uint16_t refuse_ike[GATEWAY_REFUSALS_MAX];
    bool refuse_forever; /* begins again behind the last */
    enum gateway_pfs pfs;
    uint16_t pfs_group, ike_group; /* demanded by INVALID_KE_PAYLOAD; 0 = the client's choice */
    enum gateway_ts ts;
    bool no_new_child;  /* lets a Child SA be rekeyed, but makes none anew */
    bool eager;         /* sends on a Child SA as soon as it has answered (RFC 7296 2.8) */
    bool leaves_behind; /* never deletes what it has replaced */
    /* CREATE_CHILD_SA of the gateway's own */
    bool asks_pfs;        /* its Child SAs have a key exchange of their own */
    uint16_t asks_group;  /* it begins with this group; 0 = the IKE SA's */
    uint64_t retry_us;    /* after TEMPORARY_FAILURE; 0 = 2 s */
    const char *asks_esp; /* what it offers; NULL = what it accepts */
};

enum gateway_phase {
    GATEWAY_IDLE,
    GATEWAY_INIT_DONE,
    GATEWAY_EAP_IDENTITY, /* answer awaited */
    GATEWAY_EAP_RESPONSE,
    GATEWAY_EAP_ACK,
    GATEWAY_EAP_FAILED,
    GATEWAY_FINAL_AUTH,
    GATEWAY_UP,
    GATEWAY_CLOSED,
};

/* What a request of the gateway's is about. */
enum gateway_ask {
    GATEWAY_ASK_NOTHING,
    GATEWAY_ASK_OTHER, /* its answer is only kept */
    GATEWAY_ASK_ROUTABILITY,
    GATEWAY_ASK_ADDRESSES, /* it tells which it has */
    GATEWAY_ASK_REKEY_CHILD,
    GATEWAY_ASK_REKEY_IKE,
    GATEWAY_ASK_DELETE_CHILD,
    GATEWAY_ASK_DELETE_IKE,
    GATEWAY_ASK_NOTIFY,
    GATEWAY_ASK_SYNC, /* its message ID is 0 */
};

enum gateway_sa_state {
    GATEWAY_SA_NONE,
    GATEWAY_SA_UP,
    GATEWAY_SA_REPLACED,  /* one of both deletes it */
    GATEWAY_SA_REDUNDANT, /* the client deletes it, if it has heard of it at all */
    GATEWAY_SA_GONE,      /* repeated requests are still answered */
};

/* A message of ours before it is sealed, to be cut again. */
struct gateway_draft {
    GByteArray *plain; /* NULL = none */
    uint8_t first, exchange;
    uint32_t id;
    bool response;
    unsigned cuts; /* how often it has been halved */
};

/* One IKE SA, with its windows. */
struct gateway_sa {
    enum gateway_sa_state state;
    bool ours; /* the gateway has made it: then it is the original initiator */
    uint64_t spi_i, spi_r;
    struct suite suite;
    struct ike_keys keys;
    struct crypt *in, *out;
    uint64_t sealed;
    struct secret ni, nr;
    uint32_t expected;   /* the client's next request */
    GPtrArray *response; /* GByteArray: datagrams of the cached response */
    struct gateway_draft response_draft, request_draft;
    uint32_t next_id;    /* our next request */
    GPtrArray *request;  /* our request in flight; NULL = none */
    enum gateway_ask ask;
    uint32_t ask_spi; /* spi_in of the Child SA that it is about */
    uint16_t told;    /* NOTIFY: what */
    uint8_t request_exchange;
    uint64_t request_began, request_due;
    unsigned request_tries;
    uint64_t until;    /* REDUNDANT */
    uint8_t check[24]; /* COOKIE2 that is to come back */
    uint32_t sync_nonce;
    bool forgotten; /* as if it had never been */
    GByteArray *parts[GATEWAY_FRAGMENTS_MAX];
    uint16_t n_parts, parts_total;
    uint8_t parts_first;
    uint32_t parts_id;
};

enum gateway_child_state {
    GATEWAY_CHILD_NONE,
    GATEWAY_CHILD_UP,
    GATEWAY_CHILD_REPLACED,  /* the client deletes it */
    GATEWAY_CHILD_DELETING,  /* we do */
    GATEWAY_CHILD_LINGERING, /* deleted; receives what is still under way */
};

struct gateway_child {
    enum gateway_child_state state;
    bool ours;         /* made by our exchange */
    uint32_t replaces; /* spi_in of the one that it was made for; 0 = none */
    uint32_t spi_in, spi_out;
    struct suite suite;
    struct child_keys keys;
    uint8_t network; /* second octet of the first selector of TSr */
    uint64_t until;  /* LINGERING */
};

/* Our CREATE_CHILD_SA in flight. */
struct gateway_attempt {
    uint32_t child;   /* spi_in of what is rekeyed */
    uint8_t network;
    uint32_t spi;     /* ours of the new Child SA */
    uint64_t ike_spi; /* ours of the new IKE SA */
    const struct alg *group;
    struct ke *ke; /* NULL = without one */
    struct secret ni;
    struct proposal_list offer;
    /* the client's of the same (RFC 7296 2.8.1, 2.8.2) */
    struct secret theirs_lowest; /* empty = there was none */
    uint32_t their_child;        /* spi_in */
    struct gateway_sa *their_sa;
};

/* A ticket that was given. */
struct gateway_ticket {
    uint8_t opaque[GATEWAY_TICKET_LEN];
    struct secret sk_d; /* empty = none */
    struct suite suite;
    GByteArray *idi;
    uint64_t expires_at;
    bool used;
};

struct gateway_datagram {
    struct path path;
    GByteArray *octets;
};

struct gateway_todo {
    enum gateway_ask ask;
    struct gateway_sa *sa; /* NULL = the one in use by then */
    uint32_t spi;          /* spi_in of the Child SA; 0 = the one in use by then */
    uint16_t group;        /* to begin with; 0 = as configured */
    uint16_t notify;       /* NOTIFY: the type */
    uint32_t value;        /* what it says: enum gateway_redirect, seconds */
    uint64_t at;
};

struct gateway {
    struct gateway_config config;
    const struct pki *pki;
    struct rng rng;
    struct rng_seeded rng_state;
    /* As the gateway sees them, local is its own: of the latest message, where answers go; of the
     * IKE SA, where requests go; of ESP. */
    struct path path, ike_path, esp_path;
    bool mobike; /* of both sides */
    unsigned updates;
    bool check_due; /* of the client's address */
    struct addr tells_from[GATEWAY_ADDRESSES_MAX]; /* one after the other */
    size_t n_tells_from;
    enum gateway_phase phase;
    uint64_t now;

    /* IKE_SA_INIT */
    unsigned cookies;
    bool demanded; /* a cookie */
    size_t demands;
    unsigned ignored;
    GByteArray *init_request, *init_response;
    bool peer_fragments;
    uint64_t attempts[GATEWAY_ATTEMPTS_MAX]; /* SPIs of the client that it has answered */
    size_t n_attempts;
    bool had_client;           /* one of them has succeeded */
    struct gateway_sa *before; /* the IKE SA in use until another attempt succeeds; NULL */
    uint64_t half_open_until;  /* when that is forgotten in favour of `before` */

    /* tickets */
    struct gateway_ticket tickets[GATEWAY_TICKETS_MAX];
    size_t n_tickets;                /* given so far */
    struct gateway_ticket *resuming; /* the handshake under way is by this one */
    bool wants_ticket;               /* the client has asked in its first IKE_AUTH */
    unsigned asked_for_ticket, resumed;

    struct gateway_sa sas[GATEWAY_SAS_MAX];
    struct gateway_sa *sa; /* the one in use */
    struct gateway_child children[GATEWAY_CHILDREN_MAX];
    uint32_t outbound; /* spi_in of the Child SA that it sends along; 0 = none */
    struct gateway_attempt attempt;
    GArray *todo;         /* struct gateway_todo */
    int nonce_i, nonce_r; /* first octet of its nonces as either side; GATEWAY_RANDOM */
    uint32_t wanton[GATEWAY_WANTON_MAX]; /* spi_in of Child SAs that it has deleted in use */
    unsigned n_wanton;
    size_t refused_child, refused_ike;
    unsigned failovers;

    /* authentication */
    GByteArray *idi, *idr; /* bodies */
    uint8_t eap_id, challenge[16];
    uint8_t msk[64];
    bool sent_proof, saw_credential, credential_before_proof;
    GByteArray *saved_cp, *saved_sa, *saved_tsi, *saved_tsr;

    uint64_t say_again_at; /* INVALID_SPI in the clear */

    /* what came in */
    unsigned requests_answered, requests_repeated, undecipherable, responses;
    unsigned child_rekeys, ike_rekeys,
        refusals; /* completed by either side; refused by the client */
    bool delete_received;
    GByteArray *last_response; /* plaintext of the client's latest response */
    uint8_t last_response_first;
    GString *complaints; /* what the client has done wrong */

    GPtrArray *out_queue; /* struct gateway_datagram */
};

void gateway_init(struct gateway *gateway, const struct gateway_config *config,
                  const struct pki *pki, uint64_t seed);
void gateway_free(struct gateway *gateway);
/* A datagram from the client; answers go to out_queue. */
void gateway_input(struct gateway *gateway, const struct path *path, struct bytes datagram,
                   uint64_t now);
uint64_t gateway_deadline(const struct gateway *gateway);
void gateway_tick(struct gateway *gateway, uint64_t now);
/* A request of the gateway's own, repeated until it is answered. Nothing when one is in flight. */
void gateway_request(struct gateway *gateway, uint8_t exchange, const struct chain *chain,
                     uint64_t now);
void gateway_liveness(struct gateway *gateway, uint64_t now);
/* The same for what it does of itself; each waits until its turn comes. */
void gateway_delete_ike(struct gateway *gateway, uint64_t now);
void gateway_delete_child(struct gateway *gateway, uint64_t now);
void gateway_rekey_ike(struct gateway *gateway, uint64_t now);
void gateway_rekey_child(struct gateway *gateway, uint64_t now);
void gateway_redirect(struct gateway *gateway, enum gateway_redirect redirect, uint64_t now);
void gateway_limit(struct gateway *gateway, uint32_t seconds, uint64_t now);
/* AUTHENTICATION_FAILED */
void gateway_withdraw(struct gateway *gateway, uint64_t now);
/* ESP with an SPI that it does not know has arrived: it says so, in the IKE SA if there is one (RFC
 * 7296 1.5). */
void gateway_esp(struct gateway *gateway, uint32_t spi, uint64_t now);
/* Another member of the cluster takes over, which has missed the latest `stale` requests. */
void gateway_failover(struct gateway *gateway, uint32_t stale, uint64_t now);
/* It forgets everything and begins anew. */
void gateway_restart(struct gateway *gateway);
/* Whether anything of its own is under way or waits. */
bool gateway_busy(const struct gateway *gateway);
/* Live Child SAs and IKE SAs: those that neither are nor will be deleted. */
unsigned gateway_live_children(const struct gateway *gateway);
unsigned gateway_live_sas(const struct gateway *gateway);
/* It has deleted that one although nothing had replaced it: we may hear of it before we hear that it
 * was made. */
bool gateway_deleted_wantonly(const struct gateway *gateway, uint32_t spi_in);
/* By the SPI of packets to it, whatever their state but NONE; NULL. */
struct gateway_child *gateway_child_in(struct gateway *gateway, uint32_t spi_in);

/* It has lost the address in use unless that is one of these, which it sends from now; it tells
 * those of its config, from one of these after the other until it is answered. */
void gateway_tell_addresses(struct gateway *gateway, const struct addr *addrs, size_t n,
                            uint64_t now);

/* ---- between the files of the gateway ---- */
void gateway_send(struct gateway *gateway, struct bytes datagram);
/* Seals a chain as our response to the message `id`, caches and sends it. */
void gateway_respond(struct gateway *gateway, struct gateway_sa *sa, uint8_t exchange, uint32_t id,
                     const struct chain *chain);
/* Our request in that IKE SA; false when another one is in flight. */
bool gateway_send_request(struct gateway *gateway, struct gateway_sa *sa, uint8_t exchange,
                          const struct chain *chain);
void gateway_sa_free(struct gateway_sa *sa);
/* Its request in flight and its latest answer. */
void gateway_forget_exchanges(struct gateway_sa *sa);
/* The answer to a synchronisation of message IDs. */
void gateway_synced(struct gateway *gateway, struct gateway_sa *sa, const struct message *message);
/* A free one, cleared. */
struct gateway_sa *gateway_sa_new(struct gateway *gateway);
/* in and out from keys, by who made it. */
void gateway_sa_keyed(struct gateway_sa *sa);
void gateway_complain(struct gateway *gateway, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* An IKE SA that has gone without a Delete. */
void gateway_lose(struct gateway *gateway, struct gateway_sa *sa);

/* ---- gateway_notify.c ---- */
/* There is somewhere to go to. */
bool gateway_redirect_holds(enum gateway_redirect redirect);
void gateway_write_redirect(struct chain *chain, enum gateway_redirect redirect,
                            struct bytes nonce);
void gateway_write_lifetime(struct chain *chain, uint32_t seconds);
/* The token of such an IKE SA, when it makes any. */
void gateway_write_token(const struct gateway *gateway, struct chain *chain, uint64_t spi_i,
                         uint64_t spi_r);
/* The request that was put off. */
void gateway_notify(struct gateway *gateway, struct gateway_sa *sa,
                    const struct gateway_todo *todo);
/* Answers, in the clear, a request of an IKE SA that it does not know (RFC 7296 2.21.4). */
void gateway_say_unknown(struct gateway *gateway, const struct message *message);

/* ---- gateway_child.c ---- */
struct gateway_child *gateway_child_out(struct gateway *gateway, uint32_t spi_out);
/* The same, also one that has been deleted a moment ago. */
struct gateway_child *gateway_child_sent(struct gateway *gateway, uint32_t spi_out);
struct gateway_child *gateway_child_add(struct gateway *gateway, const struct gateway_child *child);
uint32_t gateway_child_spi(struct gateway *gateway);
/* Deleted by either side: what it sends goes along another one from now on. */
void gateway_child_deleted(struct gateway *gateway, struct gateway_child *child);
void gateway_children_free(struct gateway *gateway);
void gateway_children_tick(struct gateway *gateway);
/* TSi and TSr of a response that narrows what was asked for. */
void gateway_write_ts(struct gateway *gateway, struct chain *reply, struct bytes tsi,
                      struct bytes tsr);
/* The network that a Child SA with that TSr is for. */
uint8_t gateway_network(struct bytes tsr);
void gateway_esp_proposals(const struct gateway *gateway, struct proposal_list *out);
void gateway_ike_proposals(const struct gateway *gateway, struct proposal_list *out);
void gateway_suite(struct suite *out, const struct proposal *choice);

/* ---- gateway_create.c: CREATE_CHILD_SA and Delete of the client ---- */
void gateway_create_request(struct gateway *gateway, struct gateway_sa *sa,
                            const struct message *message, struct chain *reply);
void gateway_delete_request(struct gateway *gateway, struct gateway_sa *sa,
                            const struct payload *payload, struct chain *reply);
struct bytes gateway_lower(struct bytes a, struct bytes b);
void gateway_nonce(struct gateway *gateway, struct secret *out, int first);

/* ---- gateway_rekey.c: CREATE_CHILD_SA and Delete of the gateway's own ---- */
void gateway_answered(struct gateway *gateway, struct gateway_sa *sa,
                      const struct message *message);
void gateway_add_todo(struct gateway *gateway, const struct gateway_todo *todo);
/* Starts what is due. */
void gateway_run_todo(struct gateway *gateway);
uint64_t gateway_todo_deadline(const struct gateway *gateway);
void gateway_attempt_free(struct gateway *gateway);
/* The keys of an IKE SA that replaces `old`. */
void gateway_rekey_keys(struct gateway_sa *out, const struct gateway_sa *old,
                        const struct suite *suite, struct bytes shared);

/* ---- gateway_resume.c ---- */
void gateway_tickets_free(struct gateway *gateway);
/* An IKE SA has been made from it. */
bool gateway_ticket_used(struct gateway *gateway, struct bytes opaque);
/* The answer to TICKET_REQUEST, into a response in that IKE SA. */
void gateway_answer_ticket(struct gateway *gateway, struct gateway_sa *sa, struct chain *reply);
void gateway_resume_request(struct gateway *gateway, const struct message *message);
/* IDr and AUTH of a resumed session; false when the client's proof does not hold. */
bool gateway_resume_auth(struct gateway *gateway, const struct message *message,
                         struct chain *reply);

/* ---- the first exchange ---- */
/* The client begins anew: the IKE SA in use becomes one among others until that has succeeded. */
void gateway_new_attempt(struct gateway *gateway);
/* It has: all others go without a word (RFC 7296 2.4, RFC 5723 4.3.4). */
void gateway_attempt_succeeded(struct gateway *gateway);
/* A repetition, or an old copy, which is answered if at all by what was said before. */
bool gateway_answer_again(struct gateway *gateway, const struct message *message);
bool gateway_demand_cookie(struct gateway *gateway, const struct message *message);
void gateway_reply_first(struct gateway *gateway, const struct message *message,
                         const struct chain *chain, uint64_t spi_r);
void gateway_reply_notify(struct gateway *gateway, const struct message *message, uint16_t type,
                          struct bytes data);
/* NAT detection and fragmentation. */
void gateway_write_support(struct gateway *gateway, const struct message *message,
                           struct chain *chain);
struct bytes gateway_notify_data(const struct message *message, uint16_t type, bool *found);
void gateway_write_idr(struct gateway *gateway, struct chain *reply);
void gateway_our_octets(struct gateway *gateway, struct secret *out);
void gateway_client_octets(struct gateway *gateway, struct secret *out);
/* ---- gateway_mobike.c ---- */
/* The client's first IKE_AUTH request; the answer to its last. */
void gateway_mobike_first(struct gateway *gateway, const struct message *message);
void gateway_mobike_answer(struct gateway *gateway, struct chain *reply);
/* An INFORMATIONAL request of the client. */
void gateway_mobike_request(struct gateway *gateway, struct gateway_sa *sa,
                            const struct message *message, struct chain *reply);
void gateway_mobike_run(struct gateway *gateway);
void gateway_tell_from_next(struct gateway *gateway);
/* The answer to that has come. */
void gateway_told_addresses(struct gateway *gateway);
void gateway_mobike_answered(struct gateway *gateway, const struct gateway_sa *sa,
                             const struct message *message);

void gateway_write_nat_detection(struct gateway *gateway, const struct gateway_sa *sa,
                                 struct chain *chain);
void gateway_init_request(struct gateway *gateway, const struct message *message);
void gateway_auth_request(struct gateway *gateway, const struct message *message,
                          struct chain *reply);
void gateway_eap_begin(struct gateway *gateway, struct chain *reply);
/* The next packet of EAP; `reply` gets an EAP payload. */
void gateway_eap(struct gateway *gateway, struct bytes packet, struct chain *reply);
/* The first proposal of the client's that the gateway accepts, one algorithm of each type; false
 * when there is none. */
bool gateway_choose(struct bytes sa, const struct proposal_list *accepted, struct proposal *out,
                    uint8_t *number, struct bytes *spi);
/* The same for one proposal; of ESP without a key exchange. */
bool gateway_choose_from(const struct sa_proposal *offer, const struct proposal *ours,
                         struct proposal *out);
void gateway_set(GByteArray **to, struct bytes from);
/* Ends the run: the simulator itself is wrong. */
void sim_require(bool holds, const char *what);

#endif
