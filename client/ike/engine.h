/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_IKE_ENGINE_H
#define GODWIT_IKE_ENGINE_H

#include "crypto/ke.h"
#include "ike/children.h"
#include "ike/events.h"
#include "ike/exchange.h"
#include "ike/mobike.h"
#include "ike/natd.h"

/* Inside of the engine: what its concerns share. Only files of client/ike include it. */

#define COOKIE_MAX 64 /* RFC 7296 2.6 */
#define COOKIES_MAX 3

/* Named after what is to be sent next, or after what was sent and has no answer yet. */
enum ike_state {
    ST_RESUME_TODO,      /* IKE_SESSION_RESUME is to be sent (RFC 5723) */
    ST_RESUME_SENT,      /* its response is awaited */
    ST_INIT_TODO,        /* IKE_SA_INIT is to be sent */
    ST_INIT_SENT,        /* its response is awaited */
    ST_AUTH_TODO,        /* keys exist; first IKE_AUTH is to be sent */
    ST_RESUME_AUTH_TODO, /* keys exist from a ticket; IKE_AUTH is to be sent */
    ST_AUTH_SENT,        /* the gateway's proof is awaited */
    ST_RESUME_AUTH_SENT, /* its proof by the keys is awaited */
    ST_EAP_TODO,    /* an EAP response is to be sent as soon as the method (or the user) has it */
    ST_EAP_SENT,    /* the gateway's next EAP packet is awaited */
    ST_FINISH_TODO, /* EAP succeeded; our AUTH is to be sent */
    ST_FINISH_SENT, /* the gateway's final AUTH is awaited */
    ST_UP,          /* established */
    ST_CLOSE_TODO,  /* Delete or AUTHENTICATION_FAILED is to be sent */
    ST_CLOSE_SENT,  /* its response is awaited */
    ST_DOWN,        /* over */
    ST_COUNT
};

/* IKE_SA_INIT (init.c). */
struct init {
    struct ke *ke;
    const struct alg *group;
    uint64_t tried; /* groups that we have started with, as bits of the proposal's order */
    unsigned restarts;
    struct cookie {
        uint8_t data[COOKIE_MAX];
        size_t len;
    } cookies[COOKIES_MAX]; /* all that were demanded; the last one is sent */
    unsigned n_cookies;
    bool ambiguous;                  /* a copy without the latest cookie may be what is answered */
    struct secret request, response; /* RealMessage1 and 2 of RFC 7296 2.15 */
    struct secret shared;            /* g^ir until the keys are derived */
    unsigned peer_hashes;            /* enum sig_hash, from SIGNATURE_HASH_ALGORITHMS */
    bool childless;                  /* the gateway announces RFC 6023 */
    struct natd_result natd;
    uint64_t first_sent;
};

/* IKE_AUTH (auth.c). */
struct auth {
    struct id local_id, gateway_id;
    struct eap *eap;
    struct secret eap_response; /* packet that waits to be sent */
    bool eap_started;           /* the method has been announced */
    struct secret idi, idr;     /* bodies of the ID payloads as they went over the wire */
    struct secret shared_i,
        shared_r; /* what the final AUTH payloads prove: MSK twice, or SK_pi and SK_pr */
    unsigned rounds;
    uint64_t waiting_since; /* for the user's secret or a signature; 0 = not waiting */
    /* With a key that is elsewhere: what is to be signed, and when that is done the signature. */
    struct cert_signing signing;
    struct secret to_sign, signature;
    bool begun_again;
};

/* A ticket that we begin with (resume.c). */
struct resume {
    struct ike_ticket ticket; /* empty when there is none, or no longer */
    uint64_t until;           /* then it is given up */
    uint8_t profile[TICKET_PROFILE_LEN];
};

/* Tickets for the next time (tickets.c). */
struct tickets {
    bool known;       /* the gateway has answered a request for one */
    bool held;        /* the caller has one */
    unsigned put_off; /* by TICKET_ACK, in a row */
    uint64_t ask_at;  /* IKE_NEVER = not at all */
};

/* What a request in the established IKE SA is for (tasks.c). */
enum task {
    TASK_NONE,
    TASK_UPDATE, /* of the addresses */
    TASK_DELETE_CHILD,
    TASK_REKEY_IKE,
    TASK_REKEY_CHILD,
    TASK_CHECK, /* liveness */
    TASK_PROBE, /* of the path's MTU */
    TASK_TICKET,
    TASK_DELETE_OTHER, /* an IKE SA that another has replaced */
    TASK_UPDATE_OTHER, /* of the addresses, in such a one */
};

/* IKE SAs beside the one in use (others.c). */
#define OTHERS_MAX 4
enum other_state {
    OTHER_NONE,
    OTHER_PENDING,     /* the gateway has made it, and is not replaced yet what it replaces */
    OTHER_REPLACED,    /* the gateway deletes it */
    OTHER_DELETE_TODO, /* we have to delete it */
    OTHER_DELETE_SENT,
    OTHER_DELETED, /* answers repetitions of the gateway's Delete */
};
struct other_sa {
    enum other_state state;
    uint64_t until; /* then it is forgotten, or deleted by us */
    struct ike_sa sa;
};

/*
 * What an unauthenticated message or an ICMP error claims. Believed only when it is still so after
 * our request was repeated, or when nothing better came until `believe_at` (RFC 7296 2.21.1: the
 * initiator may wait for a response that is not forged).
 */
struct refusal {
    enum reason reason; /* REASON_NONE = none */
    unsigned tries;     /* of our request when it was first heard */
    uint64_t believe_at;
    bool transient; /* as in struct ending */
    char detail[DETAIL_MAX];
};

/* How a connection that ends tells the gateway. */
enum close_how {
    CLOSE_SILENTLY,
    CLOSE_DELETE,
    CLOSE_AUTH_FAILED,
    CLOSE_NOT_YET, /* it goes on; this is the reason when it does not open */
};

struct ending {
    enum reason reason;
    enum close_how how;
    bool wanted; /* the user has disconnected while the last IKE_AUTH response is awaited */
    uint64_t deadline;
    bool reported;
    bool was_up;    /* the connection had been established */
    bool transient; /* what the gateway says passes by itself */
    char detail[DETAIL_MAX];
};

#define RENEW_DELETED_MAX 4
/* Our CREATE_CHILD_SA that rekeys: when, what it asks for, what came between (renew.c). */
struct renewal {
    bool wanted;       /* the caller asked for it; or the attempt is to be repeated at once */
    uint64_t at;       /* IKE SA: when it is due */
    uint64_t retry_at; /* not before, after a failure */
    unsigned failures; /* in a row */
    /* the attempt */
    uint32_t reqid; /* policy of the Child SA */
    uint32_t child; /* spi_in of the Child SA that is rekeyed; 0 = a new one is made */
    uint64_t spi;   /* our SPI of the IKE SA that is made */
    struct ke *ke;
    const struct alg *group; /* NULL = not chosen yet */
    unsigned restarts;       /* with another group or other selectors */
    struct secret ni;
    bool original_selectors, without_ke;
    struct child_offer offer;
    /* the gateway's of the same, while ours was under way (RFC 7296 2.8.1) */
    struct secret theirs_lowest; /* the lower of its two nonces; empty = there was none */
    uint32_t theirs;             /* spi_in of the Child SA that it made */
    /* spi_out that the gateway has deleted before we know what they are: the answer was lost */
    uint32_t deleted[RENEW_DELETED_MAX];
    size_t n_deleted;
};

/* What the carrier has told of ESP (liveness.c). */
struct liveness {
    uint64_t in, out;     /* latest; an answer counts as in */
    uint64_t esp;         /* when ESP came in last */
    uint64_t flowed;      /* when ESP came in last; 0 = not since the gateway was asked */
    uint64_t began;       /* when the IKE SA was established */
    uint64_t since;       /* when the first went out that nothing has followed in; 0 = none */
    uint64_t looked;      /* when the carrier was last asked to tell */
    uint64_t stall_asked; /* when the gateway was last asked because traffic had stopped */
    uint64_t stall_pause; /* so long it is not asked for that again; 0 = it may be */
    unsigned unfollowed;  /* times that it was asked because of ESP that nothing has followed yet */
    bool wanted;          /* the path is in doubt: at once */
};

/* Unprotected messages about SAs that the gateway has lost (crash.c). */
struct crash {
    uint64_t period;     /* when it began */
    unsigned checked;    /* messages with tokens within it */
    unsigned refused;    /* since ever */
    uint64_t hint_from;  /* hints are not taken before */
    uint64_t child_from; /* the same for those about a Child SA in the IKE SA */
};

/* AUTH_LIFETIME, and gateways without rekeying (reauth.c). */
struct reauth {
    bool limited;
    bool told;           /* the carrier has been */
    uint32_t seconds;    /* as the gateway gave them */
    uint64_t at, ends;   /* when the carrier is told, and when the IKE SA goes down */
    uint64_t not_before; /* for `at` */
    bool instead;        /* the carrier has been told because rekeying is refused */
};

struct ike {
    struct ike_config config; /* pointers in it are ours, or live as long as the header says */
    struct proposal_list offer_ike, offer_esp;
    char application_version[128];
    struct secret psk;
    uint8_t redirected_from[16];
    const struct cert_trust *trust;
    uint8_t gateway_fingerprint[FINGERPRINT_LEN];
    struct gateway_facts *untrusted; /* for IKE_EVENT_DOWN; NULL = none */
    enum ike_state state;
    uint64_t now; /* latest time seen */
    bool slept;   /* it has jumped */
    uint64_t began;
    uint64_t connect_deadline;
    uint64_t last_sent; /* for keepalives */
    struct keepalive keepalive;
    struct path path;
    struct path from;      /* of the message that is being handled */
    struct path rung_path; /* of the rung before */
    struct paths paths;
    struct mobike mobike;
    struct ike_sa sa;
    struct init init;
    struct auth auth;
    struct resume resume;
    struct tickets tickets;
    struct child_offer offer; /* of IKE_AUTH */
    struct child children[CHILDREN_MAX];
    struct renewal renew_child, renew_ike;
    struct liveness liveness;
    struct {
        uint16_t wanted; /* outer octets; 0 = none */
        uint16_t size;   /* of what is under way; 0 = it has been reported */
    } probe;             /* of the path's MTU (probe.c) */
    struct crash crash;
    struct reauth reauth;
    uint64_t expires_at; /* of the IKE SA */
    struct policy *policies[POLICIES_MAX];
    size_t n_policies;
    struct opening opening;
    struct other_sa others[OTHERS_MAX];
    struct net_config net;
    struct refusal refusal;
    struct ending ending;
    struct events events;
    struct ike_summary summary;
};

/* What IP always carries (RFC 8200 5), for the outer packet. */
#define PATH_MTU_SAFE 1280

/* ---- settings.c ---- */
/* ERR_UNSUPPORTED when it contradicts itself. */
enum err settings_check(const struct ike_config *config) ERR_CHECK;
/* Copies it with what it points to. */
enum err settings_copy(struct ike *ike, const struct ike_config *config) ERR_CHECK;

/* ---- ike.c ---- */
/* Queues PHASE with a printf-formed text. */
void ike_phase(struct ike *ike, enum ike_phase phase, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Queues an event; when memory is out the connection ends with REASON_INTERNAL. */
void ike_emit(struct ike *ike, const struct ike_event *event);
/* Ends the connection; the first reason stands. The detail is a printf-formed, translated sentence.
 */
void ike_close(struct ike *ike, enum close_how how, enum reason reason, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* The failure of one of our own functions, or a bad response. */
void ike_close_error(struct ike *ike, enum err err, const char *during);
/* We have answered INVALID_SYNTAX, which ends that IKE SA on both sides without a Delete (RFC
 * 7296 2.21.3). others_settle() is to follow. */
void ike_close_malformed(struct ike *ike, struct ike_sa *sa, const char *during);
/* Notes what an unauthenticated message claims; `patience` microseconds, IKE_NEVER = only
 * confirmation by repetition. */
void ike_suspect(struct ike *ike, enum reason reason, uint64_t patience, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* ---- ending.c ---- */
/* Whether to try again may succeed without the user's doing. */
bool ending_retry(const struct ending *ending);

/* Time has come so far. */
void ike_advance(struct ike *ike, uint64_t now);
/* Starts what is due next. */
void ike_run(struct ike *ike);
/* Sends the request in flight once more. */
void ike_repeat(struct ike *ike);
/* Longest IKE message that goes in one datagram now. */
size_t ike_room(const struct ike *ike);

/* ---- input.c ---- */
/* One datagram of the gateway, or of anybody. */
void input_datagram(struct ike *ike, const struct path *path, struct bytes datagram);

/* ---- rungs.c: the trace, when the config asks for it ---- */
void rung_request(struct ike *ike, const struct ike_sa *sa, bool retransmission);
void rung_response(struct ike *ike, const struct ike_sa *sa, bool retransmission);
void rung_in(struct ike *ike, const struct message *message, bool retransmission);
/* The request in flight goes along this pair as well. */
void rung_also(struct ike *ike, const struct path *path);
/* A datagram that is dropped, and why. */
void rung_dropped(struct ike *ike, const char *why);
/* What the engine makes of a message; printf-formed. */
void rung_note(struct ike *ike, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* ---- states.c ---- */
/* Does with a good message what its row says; `message` is whole and decrypted. `sa` may have moved
 * afterwards. */
void states_response(struct ike *ike, struct ike_sa *sa, const struct message *message);
void states_request(struct ike *ike, struct ike_sa *sa, const struct message *message,
                    const struct path *path);

/*
 * Handlers of responses: `*next` holds the row's next state and may be changed. An error that is
 * returned ends the connection; handlers may also call ike_close() themselves.
 */
/* ---- init.c ---- */
enum err init_build(struct ike *ike, struct chain *chain) ERR_CHECK;
enum err init_accept(struct ike *ike, const struct message *message,
                     enum ike_state *next) ERR_CHECK;
enum err init_cookie(struct ike *ike, const struct message *message,
                     enum ike_state *next) ERR_CHECK;
enum err init_refused(struct ike *ike, const struct message *message,
                      enum ike_state *next) ERR_CHECK;
/* An answer that is not IKEv2: says so (RFC 7296 2.5). */
void init_other_version(struct ike *ike, uint8_t version);
void init_free(struct init *init);
/* A handshake begins anew where the first one began, in what is left of its time. */
void init_begin_again(struct ike *ike);
/* Shared with IKE_SESSION_RESUME: our SPI and nonce, made once; the latest cookie; what we announce
 * either way; the ciphers of keys that were derived. */
enum err init_first_values(struct ike *ike) ERR_CHECK;
void init_write_cookie(const struct init *init, struct chain *chain);
enum err init_write_support(const struct ike *ike, struct chain *chain) ERR_CHECK;
enum err init_keyed(struct ike_sa *sa) ERR_CHECK;
/* The suite, spi_r and nr are set: takes the response over, derives the keys and goes on at the
 * port for NAT traversal. */
enum err init_agreed(struct ike *ike, const struct message *message,
                     enum err (*derive)(struct ike *)) ERR_CHECK;

/* ---- resume.c ---- */
/* Digest of what a ticket is good for; `user` is the configured one, or what was typed. */
enum err resume_profile(struct ike *ike, struct bytes user) ERR_CHECK;
/* Begins with the ticket when it may be used. */
enum err resume_new(struct ike *ike, const struct ike_ticket *ticket) ERR_CHECK;
enum err resume_build(struct ike *ike, struct chain *chain) ERR_CHECK;
enum err resume_accept(struct ike *ike, const struct message *message,
                       enum ike_state *next) ERR_CHECK;
/* COOKIE, TICKET_NACK */
enum err resume_other(struct ike *ike, const struct message *message,
                      enum ike_state *next) ERR_CHECK;
/* The gateway does not want it: a full handshake begins. */
enum err resume_failed(struct ike *ike, const struct message *message,
                       enum ike_state *next) ERR_CHECK;
enum err resume_complete(struct ike *ike, const struct message *message,
                         enum ike_state *next) ERR_CHECK;
/* AUTH of IKE_AUTH */
enum err resume_write_auth(struct ike *ike, struct chain *chain) ERR_CHECK;
/* A full handshake begins in the place of what was begun with a ticket; false when nothing was. */
bool resume_fall_back(struct ike *ike);
uint64_t resume_deadline(const struct ike *ike);
void resume_free(struct resume *resume);

/* ---- tickets.c ---- */
void tickets_request(struct chain *chain);
/* What a response says to a request. */
void tickets_read(struct ike *ike, const struct message *message);
/* The caller's, if it has one, must not be used any more. */
void tickets_void(struct ike *ike);
/* Another IKE SA is in use. */
void tickets_replaced(struct ike *ike);
bool tickets_due(struct ike *ike);
enum err tickets_build(struct ike *ike, struct chain *chain) ERR_CHECK;
enum err tickets_answered(struct ike *ike, struct ike_sa *sa,
                          const struct message *message) ERR_CHECK;
uint64_t tickets_deadline(const struct ike *ike);

/* ---- auth.c ---- */
enum err auth_new(struct ike *ike) ERR_CHECK;
enum err auth_build(struct ike *ike, struct chain *chain) ERR_CHECK;
enum err auth_build_finish(struct ike *ike, struct chain *chain) ERR_CHECK;
/* What a response of IKE_AUTH announces beside what it is for. */
void auth_announced(struct ike *ike, const struct message *message);
/* Gateway's proof with its first EAP request; or with everything else, when no EAP is run. */
enum err auth_gateway(struct ike *ike, const struct message *message,
                      enum ike_state *next) ERR_CHECK;
enum err auth_complete(struct ike *ike, const struct message *message,
                       enum ike_state *next) ERR_CHECK;
enum err auth_unproven(struct ike *ike, const struct message *message,
                       enum ike_state *next) ERR_CHECK;
/* Everything but a Child SA: good for a redirection (RFC 5685 6), or as we asked (RFC 6023). */
enum err auth_without_child(struct ike *ike, const struct message *message,
                            enum ike_state *next) ERR_CHECK;
enum err auth_finish(struct ike *ike, const struct message *message,
                     enum ike_state *next) ERR_CHECK;
/* Both sides are authenticated: the Child SA and what else the response holds. */
enum err auth_established(struct ike *ike, const struct message *message) ERR_CHECK;
/* What we and what the gateway prove (RFC 7296 2.15); *out is owned by the caller. */
enum err auth_our_octets(const struct ike *ike, struct secret *out) ERR_CHECK;
enum err auth_gateway_octets(const struct ike *ike, struct secret *out) ERR_CHECK;
/* The body of our ID payload, which the proofs cover. */
enum err auth_write_idi(struct ike *ike) ERR_CHECK;
/* Everything begins again with IKE_SA_INIT, when the gateway has refused a proof that may have been
 * about another of our first messages than it has answered; once. What was typed counts still.
 * False: it does not. */
bool auth_begin_again(struct ike *ike);
void auth_free(struct auth *auth);

/* ---- auth_sign.c ---- */
/* SHA-1 may sign, ours and the gateway's. */
bool auth_sha1_allowed(const struct ike *ike);
/* IKE_EVENT_SIGN, when the first IKE_AUTH request needs a signature that is made elsewhere. */
void auth_ask_signature(struct ike *ike);
/* The first IKE_AUTH request does not wait for one. */
bool auth_ready(const struct ike *ike);
enum err auth_write_signature(struct ike *ike, struct chain *chain) ERR_CHECK;

/* ---- auth_eap.c ---- */
enum err auth_eap_new(struct ike *ike) ERR_CHECK;
bool auth_eap_ready(const struct ike *ike);
enum err auth_eap_build(struct ike *ike, struct chain *chain) ERR_CHECK;
enum err auth_eap(struct ike *ike, const struct message *message, enum ike_state *next) ERR_CHECK;
/* Ends the connection with what the method knows of the failure. */
void auth_eap_failed(struct ike *ike);
/* Continues with what the user gave. */
void auth_eap_provide(struct ike *ike, enum eap_secret secret, struct bytes value);

/* ---- redirect.c ---- */
/* For IKE_SA_INIT: that we follow redirections, or who has redirected us (RFC 5685 9.1, 9.3). */
void redirect_offer(const struct ike *ike, struct chain *chain);
/* A first response, which is not protected, with a REDIRECT that is for us (RFC 5685 3). */
bool redirect_answers(const struct ike *ike, const struct message *message);
/* A response of IKE_SA_INIT with a REDIRECT; true when there was one, and `*next` is set. */
bool redirect_init(struct ike *ike, const struct message *message, enum ike_state *next);
/* The first or last response of IKE_AUTH, whose gateway has been verified. True when it has ended
 * the connection. */
bool redirect_auth(struct ike *ike, const struct message *message, enum close_how how);
/* A request of the gateway. */
void redirect_established(struct ike *ike, const struct message *message);

/* ---- reauth.c ---- */
/* The user is authenticated. */
void reauth_begin(struct ike *ike);
/* The last response of IKE_AUTH, or a request, that may limit it. */
void reauth_read(struct ike *ike, const struct message *message);
/* The gateway has refused our rekeying with that error notify, and the failure has been counted.
 * One that lets nothing be made in the IKE SA (RFC 7296 4: NO_ADDITIONAL_SAS, again and again)
 * wants another in its place: the carrier is told, once. */
void reauth_instead(struct ike *ike, const struct renewal *renewal, uint16_t refusal);
uint64_t reauth_deadline(const struct ike *ike);
void reauth_tick(struct ike *ike);

/* ---- crash.c ---- */
/* Keeps the QCD token that a protected message brings for this IKE SA. */
void crash_token(struct ike_sa *sa, const struct message *message);
/*
 * A request may say that the gateway does not know a Child SA that we send along (RFC 7296 1.5).
 * That changes nothing by itself; it is rekeyed, which makes a new one when the gateway has really
 * lost it.
 */
void crash_child(struct ike *ike, const struct message *message);
/* Something that anybody can say suggests that the gateway is not there any more: it is asked, once
 * in a while (RFC 7296 2.21.4). */
void crash_hint(struct ike *ike);
/* A datagram that may be an unprotected notification about `sa` (NULL = none of ours); false when
 * it is something else. */
bool crash_input(struct ike *ike, struct ike_sa *sa, struct bytes datagram,
                 const struct path *path);

/* ---- refusal.c ---- */
/* The first error notify of a message; false when there is none. */
bool refusal_find(const struct message *message, struct notify *out);
/* What such a notify says may be otherwise in a while. */
bool refusal_transient(uint16_t type);
/* Ends the connection with reason and sentence of an error notify in an IKE_AUTH response. */
enum err refusal_auth(struct ike *ike, const struct message *message,
                      enum ike_state *next) ERR_CHECK;
/* The same for a notify that refuses the Child SA or the configuration after both sides have proved
 * themselves. */
void refusal_child(struct ike *ike, const struct notify *notify, enum close_how how,
                   const char *during);
/* For IKE_SA_INIT: reason, and a sentence with what was offered. */
enum reason refusal_init(const struct ike *ike, const struct notify *notify, char *out, size_t cap);

/* ---- config.c ---- */
void config_build(const struct ike *ike, struct chain *chain);
/* Reads CFG_REPLY and adds the routes of TSr. ERR_SYNTAX; ERR_STATE when no address came although
 * one was asked for. */
enum err config_read(struct net_config *out, const struct ike_config *config,
                     const struct payload *cp, const struct ts_list *remote_ts,
                     struct ike_summary *summary) ERR_CHECK;

/* What the selectors let through becomes routes. */
void config_add_routes(struct net_config *net, const struct ts_list *list);

/* ---- create_child.c: CREATE_CHILD_SA of the gateway ---- */
enum err create_child_answer(struct ike *ike, struct ike_sa *sa, const struct message *message,
                             struct chain *reply) ERR_CHECK;
/* Refuses with a notify without data. */
void create_child_refuse(struct chain *reply, uint16_t type);
/* INVALID_KE_PAYLOAD with the group that we choose. */
void create_child_wrong_group(struct chain *reply, const struct alg *group);

/* ---- answer_child.c, answer_ike.c: its two kinds ---- */
enum err answer_child(struct ike *ike, const struct message *message,
                      struct chain *reply) ERR_CHECK;
enum err answer_ike(struct ike *ike, const struct message *message, struct chain *reply) ERR_CHECK;

/* ---- renew.c: what both kinds of rekeying share ---- */
#define RENEW_NONCE_LEN 32 /* at least half of every PRF's key (RFC 7296 2.10) */
/* One exchange's key exchange as responder: our public value to *ke (owned by the caller) and g^ir.
 * ERR_KEY when the peer's value is not valid. */
enum err renew_shared(const struct ike *ike, const struct ke_payload *peer, const struct alg *group,
                      struct ke **ke, struct secret *shared) ERR_CHECK;
/*
 * What an IKE SA is rekeyed with: the algorithms in use, then the others. What was agreed once is
 * the surest to be agreed again, and gateways exist that go on with the old PRF where RFC 7296 2.18
 * wants the new one.
 */
void renew_ike_offer(const struct ike *ike, struct proposal_list *out);
/* Fills the keys of `out` (whose SPIs, nonces and role are set) from the IKE SA in use (RFC
 * 7296 2.18). */
enum err renew_ike_keys(const struct ike *ike, struct ike_sa *out, const struct suite *suite,
                        struct bytes shared) ERR_CHECK;
enum err renew_ike_spi(const struct ike *ike, uint64_t *out) ERR_CHECK;
/* After how many octets of ESP a Child SA of that suite is rekeyed, a tenth more or less; 0 =
 * never. */
uint64_t renew_octets(const struct ike *ike, const struct suite *suite);
/* How long after its beginning an SA is given up that could not be rekeyed after `lifetime`. */
uint64_t renew_expiry(uint64_t lifetime);
/* A tenth more or less. */
uint64_t renew_jitter(const struct ike *ike, uint64_t interval);
/* Fills *out (empty before). */
enum err renew_nonce(const struct ike *ike, struct secret *out) ERR_CHECK;
/* The lower one as RFC 7296 2.8.1 orders them. */
struct bytes renew_lower_nonce(struct bytes a, struct bytes b);
/* Appends the key exchange methods of another proposal. */
void renew_add_groups(struct proposal *out, const struct proposal *from);
/* A new nonce, and a key exchange value when the offer has groups. */
enum err renew_attempt(const struct ike *ike, struct renewal *renewal,
                       const struct proposal_list *offer) ERR_CHECK;
/* INVALID_KE_PAYLOAD named another group of the offer: it is taken. */
bool renew_other_group(struct renewal *renewal, const struct proposal_list *offer,
                       struct bytes data);
/* g^ir from the response's KE. ERR_SYNTAX, ERR_KEY; ERR_UNSUPPORTED when its group is not ours. */
enum err renew_finish_ke(struct renewal *renewal, const struct message *message,
                         const struct alg *group, struct secret *shared) ERR_CHECK;
/* Forgets the attempt and its failures. */
void renew_reset(struct renewal *renewal);
/* Forgets the attempt; the next one comes after a while, longer each time. */
void renew_failed(const struct ike *ike, struct renewal *renewal);

/* ---- rekey_child.c, rekey_ike.c ---- */
bool rekey_child_due(struct ike *ike);
enum err rekey_child_build(struct ike *ike, struct chain *chain) ERR_CHECK;
/* The gateway's Delete names a Child SA that our exchange may be about to make. */
void rekey_child_deleted(struct ike *ike, uint32_t spi_out);
enum err rekey_child_accept(struct ike *ike, struct ike_sa *sa,
                            const struct message *message) ERR_CHECK;
enum err rekey_child_refused(struct ike *ike, struct ike_sa *sa,
                             const struct message *message) ERR_CHECK;
/* When the next attempt is due; IKE_NEVER. */
uint64_t rekey_child_deadline(const struct ike *ike);
bool rekey_ike_due(struct ike *ike);
enum err rekey_ike_build(struct ike *ike, struct chain *chain) ERR_CHECK;
enum err rekey_ike_accept(struct ike *ike, struct ike_sa *sa,
                          const struct message *message) ERR_CHECK;
enum err rekey_ike_refused(struct ike *ike, struct ike_sa *sa,
                           const struct message *message) ERR_CHECK;
uint64_t rekey_ike_deadline(const struct ike *ike);
/* A new IKE SA is in use: its lifetime begins. */
void renew_ike_done(struct ike *ike);
/* Its lifetime does not end before, so that it can still be renewed. */
void rekey_ike_extend(struct ike *ike, uint64_t until);
/* Ends the connection when its lifetime is over. */
void rekey_ike_tick(struct ike *ike);

/* ---- liveness.c ---- */
void liveness_sent(struct ike *ike, uint64_t at);
bool liveness_due(struct ike *ike);
enum err liveness_build(struct ike *ike, struct chain *chain) ERR_CHECK;
/* The gateway has moved ESP: that none comes in is asked about soon. */
void liveness_moved(struct ike *ike);
/* The gateway has answered: as good as ESP that comes in. */
void liveness_answer(struct ike *ike);
enum err liveness_answered(struct ike *ike, struct ike_sa *sa,
                           const struct message *message) ERR_CHECK;
/* Also makes the carrier look at its counters now and then. */
uint64_t liveness_deadline(const struct ike *ike);
/* The IKE SA is established. */
void liveness_begin(struct ike *ike);
void liveness_tick(struct ike *ike);
/* Something suggests that the gateway has lost its state: it is asked at the next occasion, unless
 * it never is. */
void liveness_hint(struct ike *ike);
/* The request that starts now asks because traffic has stopped. */
bool liveness_about_stall(const struct ike *ike);
/* When the gateway was last heard, by IKE or ESP. */
uint64_t liveness_heard(const struct ike *ike);

/* ---- id_sync.c: message IDs after a failover of the gateway's cluster (RFC 6311) ---- */
/* By its header it may be one of its messages. */
bool id_sync_possible(const struct ike *ike, const struct ike_sa *sa,
                      const struct ike_header *header);
/* It is: `data` is that of its notification. */
bool id_sync_find(const struct message *message, struct bytes *data);
enum id_sync { ID_SYNC_STALE, ID_SYNC_REPEATED, ID_SYNC_OBEYED };
/* Obeys and answers it; answers it again; or leaves it, which is stale. */
enum id_sync id_sync_input(struct ike *ike, struct ike_sa *sa, struct bytes data,
                           const struct path *path);

/* ---- probe.c ---- */
bool probe_due(struct ike *ike);
enum err probe_build(struct ike *ike, struct chain *chain) ERR_CHECK;
/* The request in flight is one, and IP must not cut it yet. */
bool probe_is_whole(const struct ike *ike);
/* The request in flight is to find a path: it need not be large any more. */
void probe_gives_way(struct ike *ike);
/* The request in flight has been repeated. */
enum err probe_repeated(struct ike *ike) ERR_CHECK;
enum err probe_answered(struct ike *ike, struct ike_sa *sa,
                        const struct message *message) ERR_CHECK;

/* ---- tasks.c ---- */
/* Starts the request that is due next, in any IKE SA. */
void tasks_run(struct ike *ike);
/* The response to one; false when it is none of theirs. */
bool tasks_response(struct ike *ike, struct ike_sa *sa, const struct message *message);

/* ---- others.c ---- */
/* The IKE SA that a header belongs to; NULL. */
struct ike_sa *others_find(struct ike *ike, const struct ike_header *header);
/* Takes *sa over (it is left empty). */
struct other_sa *others_add(struct ike *ike, struct ike_sa *sa, enum other_state state);
/* The gateway's, which crossed ours, has lost: the gateway deletes it. */
void others_reject(struct ike *ike, struct other_sa *other);
struct other_sa *others_in_state(struct ike *ike, enum other_state state);
/* The IKE SA in use is replaced by `other`, which takes the place of it in that state. */
void others_adopt(struct ike *ike, struct other_sa *other, enum other_state state);
/* After an answer is on its way: what the gateway has made is taken into use, what it has deleted
 * (`ended`) put away. */
void others_settle(struct ike *ike);
/* The gateway does not have that IKE SA any more; others_settle() is to follow. False when nothing
 * is left beside it: the connection is over. */
bool others_ended(struct ike *ike, struct ike_sa *sa);
/* Sends the Deletes that are due. */
void others_run(struct ike *ike);
/* What the gateway has to say may have had no chance to come: they stay as long again. */
void others_extend(struct ike *ike);
/* The gateway has lost it. */
void others_forget(struct ike *ike, struct ike_sa *sa);
enum err others_delete_answered(struct ike *ike, struct ike_sa *sa,
                                const struct message *message) ERR_CHECK;
/* We have moved, or are not answered: a gateway that may not have the IKE SA in use yet is told in
 * the one before (RFC 4555 3.5). */
void others_follow(struct ike *ike);
enum err others_update_answered(struct ike *ike, struct ike_sa *sa,
                                const struct message *message) ERR_CHECK;
uint64_t others_deadline(const struct ike *ike);
void others_tick(struct ike *ike);
struct bytes others_output(struct ike *ike, struct path *path);
void others_free(struct ike *ike);

/* ---- informational.c ---- */
enum err informational_build_close(struct ike *ike, struct chain *chain) ERR_CHECK;
enum err informational_closed(struct ike *ike, const struct message *message,
                              enum ike_state *next) ERR_CHECK;
/* Handlers of requests write the response's payloads. */
enum err informational_answer(struct ike *ike, struct ike_sa *sa, const struct message *message,
                              struct chain *reply) ERR_CHECK;

#endif
