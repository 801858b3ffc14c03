/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_IKE_CHILDREN_H
#define GODWIT_IKE_CHILDREN_H

#include "ike/exchange.h"
#include "ike/ike.h"

/*
 * The Child SAs: what is asked for and read of an answer (child.c), what each is for (policies.c)
 * and what becomes of them (children.c).
 */

#define DETAIL_MAX 1024

/* What we ask for in a Child SA (child.c). */
struct child_offer {
    uint32_t spi_in;
    struct proposal_list proposals;
    struct ts_list local, remote;
};

/* What is to go through the tunnel along a Child SA of its own and its successors (policies.c). */
#define POLICIES_MAX 16
struct policy {
    uint32_t reqid;                           /* 1… */
    struct ts_list asked_local, asked_remote; /* at the beginning */
    struct ts_list local, remote;             /* of its latest Child SA; until then as asked */
    bool made;                                /* it has had one */
    bool wanted;       /* one is to be made at the next occasion: anew, or from that in use */
    uint32_t outbound; /* spi_in of the one that ESP goes out along */
    uint64_t tried_at; /* when one was made anew, or was not to be had */
};

/* Between the end of IKE_AUTH and the last of the Child SAs that are asked for (policies.c). */
struct opening {
    bool on;
    uint64_t until;
    /* why it fails, if it does: what the gateway has said first */
    enum reason reason;
    bool transient; /* as in struct ending */
    char detail[DETAIL_MAX];
};

/* The Child SAs (children.c): one of each policy carries its traffic, others come and go as it is
 * rekeyed. */
#define CHILDREN_MAX 48
enum child_state {
    CHILD_NONE,
    CHILD_UP,
    CHILD_HELD,        /* receives; sends once the gateway is known to be ready for it */
    CHILD_REPLACED,    /* has a successor, or is redundant: the gateway deletes it */
    CHILD_DELETE_TODO, /* we have to delete it */
    CHILD_DELETE_SENT,
    CHILD_LINGERING, /* deleted; packets that are still under way come in */
};
struct child {
    enum child_state state;
    struct ike_child *sa; /* owned; its keys are wiped once they are handed on */
    bool announced;
    uint32_t replaces; /* spi_in of the one it was made for; 0 = none */
    uint64_t until;    /* HELD, REPLACED, LINGERING: when that ends */
    uint64_t rekey_at, expires_at;
};

/* ---- child.c ---- */
/* No Child SA is asked for in IKE_AUTH (RFC 6023). */
bool child_is_later(const struct ike *ike);
/* What is asked for, and its payloads for IKE_AUTH. */
enum err child_build(struct ike *ike, struct chain *chain) ERR_CHECK;
/* SAr2, TSi, TSr and CP of the response: checks, derives keys, emits CHILD_UP. */
enum err child_accept(struct ike *ike, const struct message *message) ERR_CHECK;
/* IKE_AUTH is over without a Child SA, which is asked for by CREATE_CHILD_SA: we wanted it so (RFC
 * 6023), or the gateway refused it and may do otherwise (RFC 7296 1.2). */
void child_later(struct ike *ike, const struct message *message);
bool child_try_again(struct ike *ike, const struct message *message, const struct notify *refusal);
/* The addresses that were assigned can be used with those selectors of ours. */
bool child_address_usable(const struct net_config *net, const struct ts_list *local);
/* SA payload of an offer. */
void child_offer_write(struct chain *chain, const struct child_offer *offer);
/* The proposals without their key exchange methods. */
void child_offer_without_ke(struct proposal_list *out, const struct proposal_list *from);
/* SA, TSi and TSr of a response to the offer; spi_in is taken from it. ERR_SYNTAX; ERR_UNSUPPORTED
 * when it is not what was offered: then out->suite.encr tells whether the SA was. */
enum err child_read(struct ike_child *out, const struct message *message,
                    const struct child_offer *offer) ERR_CHECK;
/* Nonces and g^ir (or nothing) of the exchange that makes a Child SA. Borrowed. */
struct child_seed {
    struct bytes ni, nr, shared;
    bool initiator; /* ours is the exchange (RFC 7296 2.17) */
};
enum err child_derive(const struct ike *ike, struct ike_child *out,
                      const struct child_seed *seed) ERR_CHECK;
/* A random SPI that is none of ours yet; never a reserved one (RFC 4303 2.1). */
enum err child_spi(const struct ike *ike, uint32_t *out) ERR_CHECK;
void ike_child_free(struct ike_child *child); /* wipes what it holds, not itself */

/* ---- policies.c ---- */
/* By its reqid; NULL. */
struct policy *policies_find(const struct ike *ike, uint32_t reqid);
/* A Child SA with these selectors is to be asked for. NULL when memory is out or there are too
 * many. */
struct policy *policies_add(struct ike *ike, const struct ts_list *local,
                            const struct ts_list *remote);
void policies_free(struct ike *ike);
/* A Child SA for it is being made, or will be. */
bool policies_awaited(const struct ike *ike, const struct policy *policy);
/* Its first Child SA has been made by this response: asks for what it leaves out (RFC 7296 2.9). */
void policies_granted(struct ike *ike, const struct policy *policy, const struct message *message);
/* The gateway does not want all of its selectors in one: asks for each alone. False when there is
 * but one. */
bool policies_split(struct ike *ike, struct policy *policy);
/* The opening begins; it ends when nothing more is to be had. */
void policies_open(struct ike *ike);
void policies_check(struct ike *ike);
uint64_t policies_deadline(const struct ike *ike);

/* ---- children.c ---- */
/* Takes over *sa (allocated, with its policy's reqid) with CHILD_UP or CHILD_HELD and announces it,
 * unless the tunnel is just being opened. ERR_MEMORY when there are too many: then it is not taken.
 */
enum err children_add(struct ike *ike, struct ike_child *sa, enum child_state state,
                      uint32_t replaces) ERR_CHECK;
/* The gateway has made one that is not what we asked for: it is deleted (0 = its SPI is not known).
 */
void children_discard(struct ike *ike, uint32_t spi_in, uint32_t spi_out);
/* Those in any state but NONE and LINGERING; NULL when there is none. */
struct child *children_by_spi_in(struct ike *ike, uint32_t spi);
struct child *children_by_spi_out(struct ike *ike, uint32_t spi);
/* One carries the traffic of that policy, or will. */
bool children_carry(const struct ike *ike, uint32_t reqid);
/* The UP one of that policy; NULL. */
struct child *children_up(struct ike *ike, uint32_t reqid);
/* Announces those that have not been. */
void children_announce(struct ike *ike);
/* The first one in that state; NULL. */
struct child *children_in_state(struct ike *ike, enum child_state state);
/* Its successor carries the traffic, or will. */
void children_replaced(struct ike *ike, struct child *child);
/* The gateway is ready to receive on a HELD one. */
void children_switch(struct ike *ike, struct child *child);
/* The gateway's Delete names it. True when our half is to be named in the answer. */
bool children_deleted(struct ike *ike, struct child *child);
/* Ends the connection when nothing carries traffic any more and nothing will. */
void children_check(struct ike *ike);
/* The gateway may have lost them: they are rekeyed, which tells (RFC 7296 2.25.1). */
void children_doubt(struct ike *ike);
/* None expires before, so that it can still be renewed. */
void children_extend(struct ike *ike, uint64_t until);
uint64_t children_deadline(const struct ike *ike);
void children_tick(struct ike *ike);
void children_free(struct ike *ike);
/* No room for another one. */
bool children_full(const struct ike *ike);
/* We have to delete it. */
void children_delete(struct child *child);
bool children_delete_due(struct ike *ike);
enum err children_build_delete(struct ike *ike, struct chain *chain) ERR_CHECK;
enum err children_delete_answered(struct ike *ike, struct ike_sa *sa,
                                  const struct message *message) ERR_CHECK;
/* The IKE SA that the Delete was sent in has gone: it is sent again in the one in use. */
void children_delete_again(struct ike *ike);

#endif
