/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef GODWIT_IKE_EXCHANGE_H
#define GODWIT_IKE_EXCHANGE_H

#include "ike/fragment.h"
#include "ike/keys.h"

/*
 * Message IDs, the window of one, retransmission and the cached response of one IKE SA (RFC
 * 7296 2.1 to 2.3). It knows nothing of what the messages mean.
 */

#define RETRANSMIT_FIRST_US UINT64_C(500000)
#define RETRANSMIT_MAX_US UINT64_C(8000000)
/* From the second repetition on, messages go out in pieces that every path carries (RFC 7383 2.5.2;
 * 576 octets: RFC 791). */
#define SMALL_MTU 576
#define SMALL_AFTER_TRIES 3

/* Data of IKEV2_MESSAGE_ID_SYNC: nonce, next ID of the sender's requests, next ID that it expects
 * (RFC 6311 6.3). */
#define SYNC_LEN 12

/* Our request that waits for its response. */
struct request {
    bool busy;
    uint8_t exchange;
    uint8_t purpose; /* enum task of the engine; 0 before the IKE SA is established */
    uint32_t message_id;
    struct secret
        plain; /* the chain, kept to be cut smaller when the path seems to lose large packets */
    uint8_t first_inner;
    struct datagrams datagrams;
    struct datagrams small; /* the other form, cut smaller or not, that takes turns; or empty */
    unsigned tries;         /* how often it has been sent */
    uint64_t started;       /* when it was first sent */
    uint64_t interval;      /* until the next repetition */
    uint64_t due;           /* of the next repetition */
};

/* Our response to the peer's latest request, kept for its retransmissions. */
struct response {
    uint8_t exchange;
    uint32_t message_id;
    bool syncs; /* to IKEV2_MESSAGE_ID_SYNC, which has a message ID of its own (RFC 6311) */
    struct secret plain; /* for the trace */
    uint8_t first_inner;
    struct datagrams datagrams;
    struct path path; /* back to where the request came from (RFC 7296 2.11) */
};

struct ike_sa {
    bool
        initiator; /* we made it: the Initiator flag and the direction of its keys (RFC 7296 2.2) */
    uint64_t spi_i, spi_r;
    struct suite suite;
    struct ike_keys keys;
    struct crypt *in, *out;
    uint64_t sealed;    /* messages sealed with `out`: its counter */
    bool fragmentation; /* both sides announced RFC 7383 */
    struct secret ni, nr;
    bool ended; /* the peer has deleted it */
    bool syncs; /* both sides announced RFC 6311 */
    bool has_synced;
    uint8_t synced[SYNC_LEN]; /* the latest that was obeyed */
    uint64_t heard;           /* when an authentic message of the peer last came */
    struct secret token;      /* proves that the peer has lost it (RFC 6290); empty = none */

    uint32_t next_id;      /* of our next request */
    uint32_t peer_next_id; /* of the request that we expect */
    struct request request;
    struct response response;
    struct reassembly request_parts, response_parts; /* of the peer's requests and responses */
};

void ike_sa_free(struct ike_sa *sa); /* wipes what it holds */

/* Octets of IKE message that fit an outer packet of `mtu` octets to `remote`: less IP, UDP and the
 * non-ESP marker. */
size_t exchange_room(uint16_t mtu, const struct endpoint *remote);

/*
 * Starts our next request with the chain: sealed, or in the clear while there are no keys. It is
 * then output once and repeated until exchange_done(). ERR_STATE when one is in flight; ERR_MEMORY,
 * ERR_SPACE.
 */
enum err exchange_request(struct ike_sa *sa, enum exchange_type type, const struct chain *chain,
                          size_t room, uint64_t now) ERR_CHECK;
/* The response has arrived and is good: the next request may start. */
void exchange_done(struct ike_sa *sa);
/* IKE_SA_INIT has to be started again with message ID 0 (RFC 7296 2.6). */
void exchange_restart(struct ike_sa *sa);
/* The request is due for repetition: outputs it again; smaller when it was lost before.
 * `room_small` is for SMALL_MTU. */
enum err exchange_repeat(struct ike_sa *sa, size_t room_small, const struct rng *rng,
                         uint64_t now) ERR_CHECK;

/* The repetition that is to be output is an empty request; from now on the two take turns. */
enum err exchange_empty(struct ike_sa *sa) ERR_CHECK;

/* What an incoming message is by its header: whether it may be looked at further. */
enum incoming {
    INCOMING_STRAY,    /* no such request of ours, or out of the window */
    INCOMING_RESPONSE, /* to the request in flight */
    INCOMING_REQUEST,  /* the peer's next */
    INCOMING_REPEATED, /* the peer's latest, which we have answered */
};
enum incoming exchange_classify(const struct ike_sa *sa, const struct ike_header *header);
/* Header of a message of ours (RFC 7296 3.1). */
struct ike_header exchange_header(const struct ike_sa *sa, uint8_t exchange, uint32_t message_id,
                                  bool response);
/* Answers the peer's current request with the chain, caches the response and advances the window.
 */
enum err exchange_answer(struct ike_sa *sa, uint8_t exchange, const struct chain *chain,
                         size_t room, const struct path *path) ERR_CHECK;
/*
 * The peer's cluster has failed over (RFC 6311 5.1): it goes on with `peer_next_id` and expects
 * `next_id` of us, neither lower than it was. The chain, which says so, answers its message with ID
 * 0; our request in flight begins anew under its new ID.
 */
enum err exchange_sync(struct ike_sa *sa, uint32_t next_id, uint32_t peer_next_id,
                       const struct chain *chain, size_t room, const struct path *path,
                       uint64_t now) ERR_CHECK;
/* Sends the cached response once more. */
void exchange_answer_again(struct ike_sa *sa, const struct path *path);

/* Next datagram to send, borrowed; empty when there is none. Responses go before requests. */
struct bytes exchange_output(struct ike_sa *sa, const struct path *current, struct path *path);
/* True when exchange_output() has something; when it is a response. */
bool exchange_has_output(const struct ike_sa *sa);
bool exchange_has_response(const struct ike_sa *sa);

#endif
